from __future__ import annotations

import re

from ticks.adapter.instruments.naming import loose_key, name_key
from ticks.adapter.instruments.renames_data import INDEX_ALIASES, MERGERS, RENAMES, SPLITS


def test_names_are_written_as_they_are_compared() -> None:
    new = {name for name, _ in RENAMES.values()} | {
        n for parts, _ in SPLITS.values() for n in parts
    }
    for name in {*RENAMES, *SPLITS, *MERGERS, *MERGERS.values(), *new}:
        assert name == name_key(name)
    for name in {*INDEX_ALIASES, *INDEX_ALIASES.values()}:
        assert name == loose_key(name)


def test_one_name_has_one_fate() -> None:
    fates = [*map(loose_key, RENAMES), *map(loose_key, SPLITS), *map(loose_key, MERGERS)]
    assert len(fates) == len(set(fates))


def test_a_date_is_iso_as_far_as_it_is_known() -> None:
    for _, since in (*RENAMES.values(), *SPLITS.values()):
        assert re.fullmatch(r"(20\d\d(-\d\d(-\d\d)?)?)?", since)


def test_no_alias_of_an_index_leads_to_another_alias() -> None:
    assert not set(INDEX_ALIASES) & set(INDEX_ALIASES.values())
