from __future__ import annotations

from ticks.adapter.instruments.index import InstrumentIndex
from ticks.adapter.instruments.lists import resolve_list
from ticks.adapter.instruments.naming import Aliases
from ticks.adapter.instruments.watch_list import Entry, read_watch_list

from .names_table import TODAY

LIST = b"""NIFTY
RELIANSE
NSE:NIFTY 50
NIFTY FUT

NIFTY25AUG26FUT
mine
ZOMATO, 17
"""


def test_what_a_list_names_is_found_and_the_rest_is_skipped_with_its_reason(
    september: InstrumentIndex,
) -> None:
    entries = [("day.txt", entry) for entry in read_watch_list(LIST)]
    names = resolve_list(september, entries, TODAY, Aliases({"mine": "SBIN"}))
    assert list(map(str, names.found.values())) == ["NSE:Nifty 50", "NSE:SBIN-EQ", "NSE:ETERNAL-EQ"]
    assert [(each.source, each.line, each.name, each.reason) for each in names.skipped] == [
        ("day.txt", 2, "RELIANSE", "unknown"),
        ("day.txt", 4, "NIFTY FUT", "ambiguous"),
        ("day.txt", 6, "NIFTY25AUG26FUT", "expired"),
        ("day.txt", 8, "17", "no name"),
    ]
    assert str(names.skipped[-1]).startswith("day.txt, line 8: '17': a number among names")
    assert [str(note) for note in names.notes] == ["ZOMATO is ETERNAL now"]


def test_what_is_skipped_carries_its_candidates_and_a_sentence(september: InstrumentIndex) -> None:
    names = resolve_list(september, [("-", Entry(1, "RELIANSE"))], TODAY)
    (skipped,) = names.skipped
    assert skipped.error is not None
    assert str(skipped.error.candidates[0]) == "NSE:RELIANCE-EQ"
    assert skipped.detail == skipped.error.message


def test_an_empty_list_names_nothing(september: InstrumentIndex) -> None:
    names = resolve_list(september, [], TODAY)
    assert (names.found, names.skipped, names.notes) == ({}, [], [])


def test_a_chain_in_a_list_is_its_spot_and_a_chain(september: InstrumentIndex) -> None:
    lines = b"SBIN\nNIFTY chain 2\nnifty chain 2\nmine\nNIFTY chain\nNIFTY chain 2 23SEP\n"
    entries = [("day.txt", entry) for entry in read_watch_list(lines)]
    names = resolve_list(september, entries, TODAY, Aliases({"mine": "SENSEX chain 1"}))
    assert list(map(str, names.found.values())) == ["NSE:SBIN-EQ", "NSE:Nifty 50", "BSE:SENSEX"]
    assert [(str(each.spot), each.wanted.strikes) for each in names.chains] == [
        ("NSE:Nifty 50", 2),
        ("NSE:Nifty 50", 2),
        ("BSE:SENSEX", 1),
    ]
    assert [(each.line, each.reason) for each in names.skipped] == [(5, "unknown"), (6, "unknown")]
