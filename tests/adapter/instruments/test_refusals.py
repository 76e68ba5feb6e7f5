"""Why a name is refused, how it was read, and what may have been meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ticks.adapter.errors import SymbolError
from ticks.adapter.instruments.index import InstrumentIndex
from ticks.adapter.instruments.naming import read_name
from ticks.adapter.instruments.refusals import shown
from ticks.adapter.instruments.resolve import resolve

from .names_table import TODAY

Build = Callable[[list[dict[str, Any]]], InstrumentIndex]


def _refused(index: InstrumentIndex, text: str) -> SymbolError:
    with pytest.raises(SymbolError) as caught:
        resolve(index, read_name(text), TODAY)
    return caught.value


@pytest.mark.parametrize(
    ("text", "kind", "understood", "first"),
    [
        ("NIFTY 22SEP 24600 CE", "strike-unlisted", "NIFTY, 22 Sep 2026, 24600 CE",
         "NFO:NIFTY22SEP2624500CE"),
        ("NIFTY22SEP2624600CE", "strike-unlisted", "NIFTY, 22 Sep 2026, 24600 CE",
         "NFO:NIFTY22SEP2624500CE"),
        ("NIFTY26SEP24600CE", "strike-unlisted", "NIFTY, 29 Sep 2026, 24600 CE",
         "NFO:NIFTY29SEP2624500CE"),
        ("NIFTY weekly 24600 PE", "strike-unlisted", "NIFTY, 22 Sep 2026, 24600 PE",
         "NFO:NIFTY22SEP2624500PE"),
        ("NIFTY 24600 CE", "strike-unlisted", "NIFTY, 24600 CE", "NFO:NIFTY22SEP2624500CE"),
        ("NIFTY 24600", "strike-unlisted", "NIFTY, 24600", "NFO:NIFTY22SEP2624500CE"),
        ("SBIN SEP 850 CE", "strike-unlisted", "SBIN, 29 Sep 2026, 850 CE",
         "NFO:SBIN29SEP26840CE"),
        ("USDINR SEP 95.5 CE", "strike-unlisted", "USDINR, 28 Sep 2026, 95.5 CE",
         "CDS:USDINR26SEP9525CE"),
        ("NIFTY 15OCT 24500 CE", "expiry-unlisted", "NIFTY, 15 Oct, 24500 CE",
         "NFO:NIFTY13OCT2624500CE"),
        ("NIFTY DEC FUT", "expiry-unlisted", "NIFTY, Dec, FUT", "NFO:NIFTY23NOV26FUT"),
        ("BANKNIFTY-III", "expiry-unlisted", "BANKNIFTY, third monthly expiry, FUT",
         "NFO:BANKNIFTY29SEP26FUT"),
        ("RELIANCE 24SEP 1400 CE", "expiry-unlisted", "RELIANCE, 24 Sep, 1400 CE",
         "NFO:RELIANCE29SEP261400CE"),
        ("VEDL FUT", "right-unlisted", "VEDL, FUT", "NFO:VEDL29SEP26292.5CE"),
        ("CRUDEOIL 19DEC", "expiry-unlisted", "CRUDEOIL, 19 Dec", "MCX:CRUDEOIL19NOV26FUT"),
        ("NIFTY20OCT24600PE", "expiry-unlisted", "NIFTY, 20 Oct, 24600 PE",
         "NFO:NIFTY13OCT2624500PE"),
        ("SENSEX15OCT83000CE", "expiry-unlisted", "SENSEX, 15 Oct, 83000 CE",
         "BFO:SENSEX26O0883000CE"),
        ("MENTHAOIL 30OCT", "expiry-unlisted", "MENTHAOIL, 30 Oct", "MCX:MENTHAOIL30SEP26FUT"),
        ("BANKNIFTY26NOV52500PE", "expiry-unlisted", "BANKNIFTY, Nov 2026, 52500 PE",
         "NFO:BANKNIFTY27OCT2652500PE"),
        ("USDINR 28OCT28", "expiry-unlisted", "USDINR, 28 Oct 2028", "CDS:USDINR26NOVFUT"),
        ("DHANIYA20NOV2026", "expiry-unlisted", "DHANIYA, 20 Nov 2026", "NCO:DHANIYA20OCT2026"),
        ("NIFTY27OCT6294CE", "strike-unlisted", "NIFTY, 27 Oct 2026, 6294 CE",
         "NFO:NIFTY27OCT2623000CE"),
        ("ITC29SEP621402PE", "strike-unlisted", "ITC, 29 Sep 2026, 621402 PE",
         "NFO:ITC29SEP26402.5PE"),
        ("NIFTY SEP 24600", "strike-unlisted", "NIFTY, 29 Sep 2026, 24600",
         "NFO:NIFTY29SEP2624500CE"),
    ],
)  # fmt: skip
def test_a_contract_that_is_not_listed_is_read_back_with_what_is_nearest(
    september: InstrumentIndex, text: str, kind: str, understood: str, first: str
) -> None:
    error = _refused(september, text)
    assert (error.kind, error.values["understood"]) == (kind, understood)
    assert error.values["typed"] == text
    assert str(error.candidates[0]) == first
    assert understood in error.message


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("NIFTY 24500 CE", "NIFTY, 24500 CE"),
        ("nifty futures", "NIFTY, FUT"),
        ("NIFTY DEC", "NIFTY, 29 Dec 2026"),
        ("NIFTY weekly 24500", "NIFTY, 22 Sep 2026, 24500"),
        ("CRUDEOIL OCT", "CRUDEOIL, Oct"),
    ],
)
def test_a_name_of_several_contracts_is_read_back(
    september: InstrumentIndex, text: str, understood: str
) -> None:
    error = _refused(september, text)
    assert (error.kind, error.values["understood"]) == ("symbol-ambiguous", understood)
    assert f"is read as {understood}, and matches" in error.message


def test_of_a_split_company_the_part_that_kept_the_token_comes_first(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    fields = {"expiry": "29SEP2026", "instrumenttype": "FUTSTK"}
    index = build(
        [make_record("NFO", name, f"{name}29SEP26FUT", name, **fields) for name in ("TMCV", "TMPV")]
    )
    error = _refused(index, "TATAMOTORS SEP FUT")
    assert [one.name for one in error.candidates] == ["TMPV", "TMCV"]


def test_the_lower_strike_comes_first_on_a_tie(september: InstrumentIndex) -> None:
    error = _refused(september, "NIFTY 22SEP 24250 CE")
    assert [str(each) for each in error.candidates[:2]] == [
        "NFO:NIFTY22SEP2624000CE",
        "NFO:NIFTY22SEP2624500CE",
    ]


@pytest.mark.parametrize(
    ("text", "kind", "first"),
    [
        ("RELAINCE", "symbol-unknown", "NSE:RELIANCE-EQ"),
        ("NIFTY 501", "symbol-unknown", "NSE:Nifty 50"),
        ("TATASTELE SEP FUT", "symbol-unknown", "NSE:TATASTEEL-EQ"),
        ("NIFTI 22SEP 24500 CE", "symbol-unknown", "NFO:NIFTY22SEP2624500CE"),
        ("^RELIANCE", "symbol-unknown", "NSE:RELIANCE-EQ"),
        ("NYSE:RELIANCE", "exchange-unknown", "NSE:RELIANCE-EQ"),
        ("NIFTY IT FUT", "contracts-unlisted", "NSE:Nifty IT"),
        ("TATASTEEL SEP FUT", "contracts-unlisted", "NSE:TATASTEEL-EQ"),
        ("MINDTREE", "symbol-merged", "NSE:LTM-EQ"),
        ("HDFC", "symbol-merged", "NSE:HDFCBANK-EQ"),
        ("HDFC-EQ", "symbol-merged", "NSE:HDFCBANK-EQ"),
        ("HDFC SEP 1600 CE", "symbol-merged", "NSE:HDFCBANK-EQ"),
        ("MINDTREE OCT FUT", "symbol-merged", "NFO:LTM27OCT26FUT"),
        ("SEQUENT", "symbol-unknown", None),
        ("NSE_EQ|INE002A01018", "symbol-isin", None),
        ("ZQXJWVKK", "symbol-unknown", None),
        ("ＮＩＦＴＹ", "symbol-unknown", None),
        ("*", "symbol-unknown", None),
        ("'; DROP TABLE instruments", "symbol-unknown", None),
        ("%", "symbol-unknown", None),
        ("", "symbol-empty", None),
        ("   ", "symbol-empty", None),
        ("NSE:", "symbol-empty", None),
        ("nse_cm|", "symbol-empty", None),
        (":", "symbol-empty", None),
        ("_", "symbol-empty", None),
        ("^", "symbol-empty", None),
        ("A" * 65, "symbol-too-long", None),
        ("A" * 100_000, "symbol-too-long", None),
    ],
)
def test_each_kind_of_refusal_names_the_likeliest_first(
    september: InstrumentIndex, text: str, kind: str, first: str | None
) -> None:
    error = _refused(september, text)
    assert error.kind == kind
    assert [str(each) for each in error.candidates[:1]] == ([] if first is None else [first])
    assert len(error.message) < 700


def test_an_unknown_exchange_is_answered_with_the_known_ones(september: InstrumentIndex) -> None:
    error = _refused(september, "NYSE:IBM")
    assert "'NYSE' is not an exchange; known are NSE, NFO" in error.message
    assert error.values["exchange"] == "NYSE"


def test_a_candidate_is_an_instrument_and_five_are_shown_with_their_expiry(
    september: InstrumentIndex,
) -> None:
    error = _refused(september, "NFO:NIFTY")
    assert error.candidates[0].expiry == "2026-09-29"
    assert error.values["found"] == 74
    assert "matches 74 instruments: NFO:NIFTY29SEP26FUT (29 Sep 2026), " in error.message
    assert error.message.endswith("and 69 more")
    assert len(error.candidates) == 20


def test_what_is_shown_of_a_share_has_no_expiry(september: InstrumentIndex) -> None:
    assert shown(september.select("symbol = 'SBIN-EQ'")) == "NSE:SBIN-EQ"


def test_no_sentence_names_a_command_or_an_option(september: InstrumentIndex) -> None:
    for text in ("NIFTI", "NFO:NIFTY", "NIFTY 1 CE", "HDFC", "NYSE:X", "NIFTY25AUG26FUT", ""):
        error = _refused(september, text)
        assert "`" not in error.message
        assert "--" not in error.message
        assert error.remedy == ""
