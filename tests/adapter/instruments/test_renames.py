from __future__ import annotations

import pytest

from ticks.adapter.instruments import renames
from ticks.adapter.instruments.renames import Note, index_keys, renamed


@pytest.mark.parametrize("name", ["ZOMATO", "LTIM", "M&M", "ETERNAL"])
def test_a_name_leads_to_the_one_in_use_and_one_in_use_leads_nowhere(name: str) -> None:
    rename = renamed(name)
    assert (rename.names if rename else ()) == {"ZOMATO": ("ETERNAL",), "LTIM": ("LTM",)}.get(
        name, ()
    )


@pytest.mark.parametrize("name", ["L&TFH", "L TFH", "LTFH", "MCDOWELL N"])
def test_hyphens_and_ampersands_of_an_old_name_do_not_count(name: str) -> None:
    rename = renamed(name)
    assert rename is not None
    assert rename.names in (("LTF",), ("UNITDSPR",))


def test_a_name_that_was_changed_twice_leads_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = {"A": ("A", "B-1", "2025-01"), "B1": ("B-1", "C", "2026-01"), "C": ("C", "A", "")}
    monkeypatch.setattr(renames, "_RENAMES", chain)
    rename = renamed("a")
    assert rename is not None
    assert rename.names == ("B-1", "C", "A")
    assert rename.note("C") == Note("renamed", "A", "C", "")


def test_a_company_that_was_split_leads_to_its_parts_and_a_merged_one_to_the_other() -> None:
    split, merged, merged_then_renamed = map(renamed, ("TATAMOTORS", "PVR", "MINDTREE"))
    assert split is not None
    assert (split.names, split.parts) == ((), ("TMPV", "TMCV"))
    assert merged is not None
    assert merged.merged_into == "PVRINOX"
    assert merged_then_renamed is not None
    assert merged_then_renamed.merged_into == "LTM"


def test_a_note_is_a_sentence() -> None:
    assert str(Note("renamed", "ZOMATO", "ETERNAL", "2025")) == "ZOMATO is ETERNAL now"
    assert "MCX" in str(Note("commodity", "SILVER", "MCX"))


def test_an_index_has_other_names_and_an_older_brand() -> None:
    assert index_keys("NSEI") == ["NIFTY"]
    assert index_keys("CNXAUTO") == ["NIFTYAUTO"]
    assert "SENSEX50" in index_keys("SNSX50")
    assert index_keys("NIFTYAUTO") == []
