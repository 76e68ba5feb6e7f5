"""What is offered where nothing is called as was typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ticks.adapter.instruments.candidates import nearest
from ticks.adapter.instruments.index import InstrumentIndex
from ticks.adapter.instruments.naming import read_name

from .names_table import TODAY

Build = Callable[[list[dict[str, Any]]], InstrumentIndex]


def _nearest(index: InstrumentIndex, text: str) -> list[str]:
    return [str(each) for each in nearest(index, read_name(text), TODAY, 20)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("RELAINCE", "NSE:RELIANCE-EQ"),
        ("RELAINCE-EQ", "NSE:RELIANCE-EQ"),
        ("BSE:RELAINCE", "BSE:RELIANCE"),
        ("BANKNIFT", "NSE:Nifty Bank"),
        ("NIFTY 501", "NSE:Nifty 50"),
        ("NIFTY BNK", "NSE:Nifty Bank"),
        ("BSE:NIFTY", "NSE:Nifty 50"),
        ("MCX:RELIANCE", "NSE:RELIANCE-EQ"),
        ("NSE:35010", "NFO:NIFTY29SEP26FUT"),
        ("RELI", "NSE:RELIANCE-EQ"),
        ("ZOMATTO", "NSE:ETERNAL-EQ"),
        ("NIFTI 22SEP 24500 CE", "NFO:NIFTY22SEP2624500CE"),
        ("NIFTI22SEP2624500CE", "NFO:NIFTY22SEP2624500CE"),
        ("NIFTY22SPE2624500CE", "NFO:NIFTY22SEP2624500CE"),
        ("NIFTY22SEP2624500CF", "NFO:NIFTY22SEP2624500CE"),
        ("NIFTY 22SEP 24500 XE", "NFO:NIFTY22SEP2624500CE"),
        ("BFO:NIFTY FUT", "NFO:NIFTY29SEP26FUT"),
        ("TATASTELE SEP FUT", "NSE:TATASTEEL-EQ"),
        ("NIFTI 22SEP 24600 CE", "NFO:NIFTY22SEP2624500CE"),
        ("M&N", "NSE:M&M-EQ"),
        ("NSE:M_N", "NSE:M&M-EQ"),
        ("M&N SEP FUT", "NFO:M&M29SEP26FUT"),
        ("RELIANSE SEP FUT", "NFO:RELIANCE29SEP26FUT"),
        ("RELIANCE.NSX", "NSE:RELIANCE-EQ"),
        ("CRUDE OCT FUT", "MCX:CRUDEOIL19OCT26FUT"),
        ("NATGAS1!", "MCX:NATGASMINI25SEP26FUT"),
        ("GOLD MINI", "MCX:GOLDM05OCT26FUT"),
        ("crude oil mini", "MCX:CRUDEOILM21SEP26FUT"),
        ("NIFTY 22 SPE 24500 CE", "NFO:NIFTY22SEP2624500CE"),
        ("NIFTY 27 OTC FUT", "NFO:NIFTY27OCT26FUT"),
        ("NIFTY2692224500CR", "NFO:NIFTY22SEP2624500CE"),
        ("BANKNIFTY26SEP52000PF", "NFO:BANKNIFTY29SEP2652000PE"),
        ("NIFTY 22SEP 24500 E", "NFO:NIFTY22SEP2624500CE"),
        ("ITC26S2P402.5PE", "NFO:ITC29SEP26FUT"),
        ("M&M 29Z SEP 3250 CE", "NFO:M&M29SEP26FUT"),
        ("BSE RELIANCE", "BSE:RELIANCE"),
        ("reliance nse", "NSE:RELIANCE-EQ"),
        ("NSE:NSE NIFTY", "NSE:Nifty 50"),
        ("NFO NIFTY 22SEP 24500 CE", "NFO:NIFTY22SEP2624500CE"),
        ("BSE2O6 2500", "NFO:BSE29SEP262500CE"),
    ],
)
def test_the_likeliest_comes_first(september: InstrumentIndex, text: str, first: str) -> None:
    assert _nearest(september, text)[0] == first


@pytest.mark.parametrize("text", ["NIFTI 22SEP 24500 CE", "NIFTY22SPE2624500CE"])
def test_a_corrected_contract_is_the_only_candidate(september: InstrumentIndex, text: str) -> None:
    assert len(_nearest(september, text)) == 1


def test_a_right_that_may_be_both_is_both(september: InstrumentIndex) -> None:
    assert _nearest(september, "SENSEX26SEP83000XE") == [
        "BFO:SENSEX26SEP83000CE",
        "BFO:SENSEX26SEP83000PE",
    ]


def test_the_contracts_of_every_name_that_begins_so_are_candidates(
    september: InstrumentIndex,
) -> None:
    assert _nearest(september, "CRUDE1!") == [
        "MCX:CRUDEOIL21SEP26FUT",
        "MCX:CRUDEOILM21SEP26FUT",
    ]


def test_odd_series_come_last(september: InstrumentIndex) -> None:
    assert _nearest(september, "RELIANSE")[-1] == "NSE:RELIANCE-BL"
    assert _nearest(september, "RELIANCE.NSX")[-1] == "NSE:RELIANCE-BL"


def test_nothing_is_near_to_nothing(september: InstrumentIndex) -> None:
    assert nearest(september, read_name(""), TODAY, 5) == []
    assert nearest(september, read_name("ZQXJWV"), TODAY, 5) == []


def test_few_names_are_compared_with_a_misspelled_one_letter_by_letter(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    records = [make_record("NSE", str(n), f"{_made_up(n)}-EQ", _made_up(n)) for n in range(20_000)]
    index = build(records)
    compared = [len(index.near_names.candidates(_made_up(n) + "QX")) for n in range(0, 3_000, 10)]
    assert sum(compared) / len(compared) < 600


def _made_up(number: int) -> str:
    """A name of eight letters, as varied as those of companies."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    number = number * 2_654_435_761 % 26**8
    return "".join(letters[number // 26**place % 26] for place in range(8))
