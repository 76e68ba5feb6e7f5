"""Names and what they mean: the documented table, its neighbours, and the rules one by one."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from ticks.adapter.errors import (
    AmbiguousSymbolError,
    ExpiredSymbolError,
    SymbolError,
    UnknownSymbolError,
)
from ticks.adapter.instruments.index import InstrumentIndex
from ticks.adapter.instruments.naming import read_name
from ticks.adapter.instruments.renames import Note
from ticks.adapter.instruments.resolve import Resolved, resolve

from .names_table import ANSWERS, REFUSALS, TODAY

Build = Callable[[list[dict[str, Any]]], InstrumentIndex]


def _resolve(index: InstrumentIndex, text: str, today: str = TODAY) -> Resolved:
    return resolve(index, read_name(text), today)


def _named(index: InstrumentIndex, text: str, today: str = TODAY) -> str:
    return str(_resolve(index, text, today).instrument)


def _refused(index: InstrumentIndex, text: str, today: str = TODAY) -> SymbolError:
    with pytest.raises(SymbolError) as caught:
        _resolve(index, text, today)
    return caught.value


def _candidates(error: SymbolError) -> list[str]:
    return [str(each) for each in error.candidates]


@pytest.mark.parametrize(("text", "instrument", "token"), ANSWERS)
def test_what_traders_type_means_one_instrument(
    september: InstrumentIndex, text: str, instrument: str, token: str
) -> None:
    found = _resolve(september, text).instrument
    assert (str(found), found.token) == (instrument, token)


@pytest.mark.parametrize(("text", "kind", "candidates"), REFUSALS)
def test_what_means_several_or_nothing_is_refused_with_the_likeliest_first(
    september: InstrumentIndex, text: str, kind: str, candidates: list[str]
) -> None:
    error = _refused(september, text)
    assert error.kind == kind
    assert _candidates(error)[: len(candidates)] == candidates


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_the_order_of_the_master_decides_nothing(
    build: Build, september_records: list[dict[str, Any]], seed: int | None
) -> None:
    records = september_records[::-1]
    if seed is not None:
        random.Random(seed).shuffle(records)
    index = build(records)
    for text, instrument, token in ANSWERS:
        found = _resolve(index, text).instrument
        assert (text, str(found), found.token) == (text, instrument, token)
    for text, kind, candidates in REFUSALS:
        error = _refused(index, text)
        assert (text, error.kind) == (text, kind)
        assert _candidates(error)[: len(candidates)] == candidates


@pytest.mark.parametrize(
    ("text", "instrument"),
    [
        ("BANKNIFTY26SEP52000CE", "NFO:BANKNIFTY29SEP2652000CE"),
        ("bank nifty sep 52500 pe", "NFO:BANKNIFTY29SEP2652500PE"),
        ("NIFTY BANK OCT FUT", "NFO:BANKNIFTY27OCT26FUT"),
        ("BANKNIFTY-II.NFO", "NFO:BANKNIFTY27OCT26FUT"),
        ("midcap nifty sep 13325 ce", "NFO:MIDCPNIFTY29SEP2613325CE"),
        ("NIFTYNXT5026SEP68000PE", "NFO:NIFTYNXT5029SEP2668000PE"),
        ("NIFTY NEXT 50 SEP 68000 PE", "NFO:NIFTYNXT5029SEP2668000PE"),
        ("SENSEX26D3183000CE", "BFO:SENSEX26DEC83000CE"),
        ("SENSEX 31 dec 2026 83000 call", "BFO:SENSEX26DEC83000CE"),
        ("SENSEX next weekly 83000 CE", "BFO:SENSEX26SEP83000CE"),
        ("SENSEX next monthly 83000 PE", "BFO:SENSEX26OCT83000PE"),
        ("SENSEX far 83000 PE", "BFO:SENSEX26NOV83000PE"),
        ("BSE:SENSEX260924C83000", "BFO:SENSEX26SEP83000CE"),
        ("SNSX50 SEP FUT", "BFO:SENSEX5026SEPFUT"),
        ("SENSEX501!", "BFO:SENSEX5026SEPFUT"),
        ("BANKEX 60500 CE", "BFO:BANKEX26SEP60500CE"),
        ("USDINR2!", "CDS:USDINR26OCTFUT"),
        ("USDINR 16OCT FUT", "CDS:USDINR26O16FUT"),
        ("NSE:USDINR26SEPFUT", "CDS:USDINR26SEPFUT"),
        ("USDINR26SEP95.25CE", "CDS:USDINR26SEP9525CE"),
        ("EURINR", "CDS:EURINR26SEPFUT"),
        ("1", "CDS:USDINR"),
        ("DHANIYA 09OCT 11300 CE", "NCO:DHANIYA09OCT26CE11300FOCT26"),
        ("JEERAUNJHA1!", "NCO:JEERAUNJHA20OCT2026"),
        ("NCDEX:GOLD", "NCO:GOLD05OCT26FUT"),
        ("GOLD2!", "MCX:GOLD04DEC26FUT"),
        ("SILVER FUT1", "MCX:SILVER04DEC26FUT"),
        ("CRUDEOIL26OCT7700CE", "MCX:CRUDEOIL15OCT267700CE"),
        ("MCXBULLDEX1!", "MCX:MCXBULLDEX25SEP26FUT"),
        ("SBIN BL", "NSE:SBIN-BL"),
        ("sbin eq", "NSE:SBIN-EQ"),
        ("BAJAJAUTO", "NSE:BAJAJ-AUTO-EQ"),
        ("NSE:BAJAJ_AUTO1!", "NFO:BAJAJ-AUTO29SEP26FUT"),
        ("M_M 29SEP 3300 PE", "NFO:M&M29SEP263300PE"),
        ("hdfc bank", "NSE:HDFCBANK-EQ"),
        ("SBIN 24SEP 840 CE", "BFO:SBIN26SEP840CE"),
        ("SBIN SEP 840 CE", "NFO:SBIN29SEP26840CE"),
        ("TITAN 29OCT FUT", "BFO:TITAN26OCTFUT"),
        ("ITC-Sep2026-397.5-CE", "NFO:ITC29SEP26397.5CE"),
        ("360ONE1!", "NFO:360ONE29SEP26FUT"),
        ("5PAISA", "NSE:5PAISA-EQ"),
        ("NIFTY26D2924500CE", "NFO:NIFTY29DEC2624500CE"),
        ("NIFTY 22/09/2026 24500 CE", "NFO:NIFTY22SEP2624500CE"),
        ("NIFTY next FUT", "NFO:NIFTY27OCT26FUT"),
        ("NIFTY24000CE", "NFO:NIFTY24000CE"),
        ("CNX AUTO", "NSE:Nifty Auto"),
        ("^CNXPSUBANK", "NSE:Nifty PSU Bank"),
        ("NSE:CNXMIDCAP", "NSE:NIFTY MIDCAP 100"),
        ("NIFTY-BANK", "NSE:Nifty Bank"),
        ("INDIAVIX-INDEX", "NSE:India VIX"),
        ("MCX_INDEX:MCXCRUDEX", "MCX:MCXCRUDEX"),
        ("BSE_INDEX|SENSEX", "BSE:SENSEX"),
        ("ZOMATO.BO", "BSE:ETERNAL"),
        ("ZOMATO-EQ", "NSE:ETERNAL-EQ"),
        ("LTIM26SEPFUT", "NFO:LTM29SEP26FUT"),
    ],
)
def test_other_names_follow_the_same_rules(
    september: InstrumentIndex, text: str, instrument: str
) -> None:
    assert _named(september, text) == instrument


def test_every_visible_record_is_found_by_exchange_with_symbol_and_every_one_with_token(
    september: InstrumentIndex, september_records: list[dict[str, Any]]
) -> None:
    index_names = {r["name"] for r in september_records if r["instrumenttype"] == "AMXIDX"}
    for record in september_records:
        exchange = record["exch_seg"]
        is_hidden = record["instrumenttype"].startswith(("UND", "COM")) or (
            not record["instrumenttype"] and record["symbol"] in index_names
        )
        names = [record["token"]]
        if not is_hidden or record["symbol"] != record["name"]:
            names += [record["symbol"], record["symbol"].lower()]
        for name in names:
            try:
                found = _resolve(september, f"{exchange}:{name}").instrument
            except ExpiredSymbolError:
                assert 2000 < int(record["expiry"][-4:]) <= 2026
            else:
                assert (found.token, found.symbol) == (record["token"], record["symbol"])


# --- hidden rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["NIFTY", "BANKNIFTY", "INDIA VIX", "SENSEX", "BSE:SENSEX"])
def test_the_bare_second_row_of_an_index_is_never_meant_by_its_name(
    september: InstrumentIndex, text: str
) -> None:
    assert _resolve(september, text).instrument.kind == "AMXIDX"


def test_a_bare_row_is_known_by_the_index_of_its_name_and_not_by_a_list(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    index = build(
        [
            make_record("NSE", "26999", "NIFTY NEW", "NIFTY NEW"),
            make_record("NSE", "99926999", "Nifty New", "NIFTY NEW", instrumenttype="AMXIDX"),
            make_record("BSE", "19999", "NIFTY NEW", "NIFTY NEW"),
        ]
    )
    assert _resolve(index, "nifty new").instrument.token == "99926999"
    assert _resolve(index, "NSE:26999").instrument.token == "26999"
    assert _refused(index, "BSE:NIFTY NEW").kind == "symbol-unknown"


def test_a_spot_row_is_reached_by_token_and_by_a_symbol_that_is_not_its_name(
    september: InstrumentIndex,
) -> None:
    assert _named(september, "CCIL-USDINR") == "CDS:CCIL-USDINR"
    assert _named(september, "565000") == "MCX:CRUDEOILM"
    assert _named(september, "CDS:1") == "CDS:USDINR"
    assert _refused(september, "MIBOR").kind == "symbol-unknown"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("26000", "NSE:NIFTY may show no ticks: the index is NSE:Nifty 50 (token 99926000)"),
        ("BSE:19012", "BSE:BANKEX may show no ticks: the index is BSE:BANKEX (token 99919012)"),
        ("GOLDMCOM", "MCX:GOLDMCOM may show no ticks: it is a spot row"),
    ],
)
def test_of_a_hidden_row_it_is_said_that_no_tick_may_come(
    september: InstrumentIndex, text: str, note: str
) -> None:
    assert [str(each) for each in _resolve(september, text).notes] == [note]


@pytest.mark.parametrize("text", ["NIFTY", "99926000", "2885", "500325", "SBIN-N2", "35010"])
def test_nothing_is_said_of_a_row_that_ticks(september: InstrumentIndex, text: str) -> None:
    assert _resolve(september, text).notes == ()


def test_no_hidden_row_is_a_candidate(september: InstrumentIndex) -> None:
    hidden = {"26000", "26009", "26037", "19000", "565000", "117", "116", "1", "16", "1952", "104"}
    for text in ("NIFTI", "BANKNIFTYY", "SENSEXX", "GOLDMM", "USDINRR", "MIBORR", "CRUDEOILN"):
        assert not {one.token for one in _refused(september, text).candidates} & hidden


# --- one rule after the other --------------------------------------------------------------------


@pytest.mark.parametrize("text", ["NSE:SENSEX", "BSE:NIFTY", "NSE:500325", "MCX:RELIANCE"])
def test_a_given_exchange_is_never_left(september: InstrumentIndex, text: str) -> None:
    assert isinstance(_refused(september, text), UnknownSymbolError)


def test_an_exact_name_comes_before_one_that_differs_in_a_hyphen(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    index = build(
        [
            make_record("NSE", "1", "A-B-EQ", "A-B"),
            make_record("NSE", "2", "AB-EQ", "AB"),
            make_record("NSE", "3", "A&C-EQ", "A&C"),
            make_record("NSE", "4", "A-C-EQ", "A-C"),
        ]
    )
    assert _named(index, "A-B") == "NSE:A-B-EQ"
    assert _named(index, "AB") == "NSE:AB-EQ"
    assert _named(index, "A&C") == "NSE:A&C-EQ"
    assert isinstance(_refused(index, "A C"), AmbiguousSymbolError)


def test_a_series_in_which_shares_trade_is_preferred_to_any_other(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    index = build(
        [
            make_record("NSE", str(n), f"X-{series}", "X")
            for n, series in enumerate(["BL", "ST", "BZ", "SM", "BE", "N1"])
        ]
    )
    assert _named(index, "X") == "NSE:X-BE"
    assert _named(index, "X-BL") == "NSE:X-BL"


def test_only_expired_contracts_are_refused_with_the_nearest_that_live(
    september: InstrumentIndex,
) -> None:
    for text in ("NIFTY25AUG26FUT", "NIFTY 25AUG FUT", "NIFTY AUG FUT", "NFO:61660", "61660"):
        error = _refused(september, text)
        assert isinstance(error, ExpiredSymbolError)
        assert error.values["expired_on"] == "2026-08-25"
        assert _candidates(error)[0] == "NFO:NIFTY29SEP26FUT"
        assert "expired on 25 Aug 2026" in error.message


def test_an_expired_contract_without_a_living_relative_is_the_candidate_itself(
    september: InstrumentIndex,
) -> None:
    assert _candidates(_refused(september, "JIOFIN")) == ["NFO:JIOFIN30SEP25345CE"]


def test_a_contract_lives_until_its_day_is_over(september: InstrumentIndex) -> None:
    assert _named(september, "NIFTY SEP FUT", "2026-09-29") == "NFO:NIFTY29SEP26FUT"
    assert isinstance(_refused(september, "NIFTY SEP FUT", "2026-09-30"), ExpiredSymbolError)
    assert _named(september, "NIFTY1!", "2026-09-30") == "NFO:NIFTY27OCT26FUT"


def test_a_living_reading_comes_before_an_expired_one_that_is_read_earlier(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    option = {"instrumenttype": "OPTIDX", "strike": "50000.000000"}
    index = build(
        [
            make_record("NFO", "1", "NIFTY26SEP24500CE", "NIFTY", expiry="26SEP2024", **option),
            make_record("NFO", "2", "NIFTY29SEP2624500CE", "NIFTY", expiry="29SEP2026",
                        instrumenttype="OPTIDX", strike="2450000.000000"),
        ]
    )  # fmt: skip
    assert _named(index, "NIFTY26SEP24500CE") == "NFO:NIFTY29SEP2624500CE"
    assert _named(index, "NIFTY26SEP24500CE", "2024-09-01") == "NFO:NIFTY26SEP24500CE"


def test_a_month_alone_is_the_last_expiry_of_each_kind_apart(september: InstrumentIndex) -> None:
    assert _candidates(_refused(september, "CRUDEOIL OCT"))[:2] == [
        "MCX:CRUDEOIL19OCT26FUT",
        "MCX:CRUDEOIL15OCT267700CE",
    ]


def test_currency_strikes_are_compared_in_rupees_in_each_of_the_masters_units(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    index = build(
        [
            make_record("CDS", str(n), f"{name}26SEP9525CE", name, expiry="28SEP2026",
                        instrumenttype="OPTCUR", strike=strike)
            for n, (name, strike) in enumerate(
                [("USDINR", "952500000.000000"), ("EURINR", "95250000.000000"),
                 ("GBPINR", "9525.000000")]
            )
        ]
    )  # fmt: skip
    for name in ("USDINR", "EURINR", "GBPINR"):
        assert _named(index, f"{name} SEP 95.25 CE") == f"CDS:{name}26SEP9525CE"
        assert _refused(index, f"{name} SEP 9.525 CE").kind == "strike-unlisted"


def test_what_was_renamed_is_found_under_its_new_name_and_that_is_said(
    september: InstrumentIndex,
) -> None:
    for text in ("ZOMATO", "zomato sep fut"):
        assert _resolve(september, text).notes == (Note("renamed", "ZOMATO", "ETERNAL", "2025"),)
    assert _resolve(september, "ETERNAL").notes == ()


def test_an_old_name_that_is_still_listed_means_what_is_listed(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    index = build(
        [make_record("NSE", "1", "ZOMATO-EQ", "ZOMATO"), make_record("NSE", "2", "LTM-EQ", "LTM"),
         make_record("NSE", "3", "ETERNAL-EQ", "ETERNAL")]
    )  # fmt: skip
    assert _resolve(index, "ZOMATO").instrument.token == "1"
    assert _resolve(index, "ZOMATO").notes == ()


def test_the_share_of_a_commoditys_name_is_meant_and_the_commodity_is_mentioned(
    september: InstrumentIndex,
) -> None:
    assert _resolve(september, "SILVER").notes == (Note("commodity", "SILVER", "MCX"),)
    assert _resolve(september, "NSE:SILVER").notes == ()
    assert _resolve(september, "SBIN").notes == ()


def test_a_token_of_several_exchanges_names_them_in_their_order(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    exchanges = ["CDS", "NCO", "BFO", "MCX", "BSE", "NSE", "NFO"]
    index = build([make_record(each, "77", f"{each}77", each) for each in exchanges])
    assert [one.exchange for one in _refused(index, "77").candidates] == [
        *("NSE", "BSE", "NFO", "BFO", "MCX", "CDS", "NCO")
    ]
