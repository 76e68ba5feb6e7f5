from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ticks.adapter.instruments.naming import name_key
from ticks.adapter.instruments.spellings import (
    Expiry,
    InMonth,
    Nth,
    OnDay,
    Reading,
    readings,
    year_of,
)

TODAY = date(2026, 9, 17)


def _read(text: str) -> list[Reading]:
    return [*readings(name_key(text), TODAY)]


def _of(text: str, underlying: str) -> list[Reading]:
    """The readings with this underlying: whether a name is one the master knows."""
    return [each for each in _read(text) if each.underlying == underlying]


@pytest.mark.parametrize(
    ("text", "underlying", "expiry", "strike", "right"),
    [
        ("NIFTY22SEP2624500CE", "NIFTY", OnDay(9, 22, 2026), 24500, "CE"),
        ("NIFTY29SEP202624500CE", "NIFTY", OnDay(9, 29, 2026), 24500, "CE"),
        ("NIFTY2692224500CE", "NIFTY", OnDay(9, 22, 2026), 24500, "CE"),
        ("SENSEX26O0183000PE", "SENSEX", OnDay(10, 1, 2026), 83000, "PE"),
        ("SENSEX26D3183000PE", "SENSEX", OnDay(12, 31, 2026), 83000, "PE"),
        ("NIFTY260922C24500", "NIFTY", OnDay(9, 22, 2026), 24500, "CE"),
        ("NIFTY260929P24000", "NIFTY", OnDay(9, 29, 2026), 24000, "PE"),
        ("NIFTY20260922C24500", "NIFTY", OnDay(9, 22, 2026), 24500, "CE"),
        ("NIFTY22SEP26C24500", "NIFTY", OnDay(9, 22, 2026), 24500, "CE"),
        ("NIFTY22SEP2026PE24500", "NIFTY", OnDay(9, 22, 2026), 24500, "PE"),
        ("NIFTY26SEP24500CE", "NIFTY", InMonth(9, 2026), 24500, "CE"),
        ("SENSEX5026SEPFUT", "SENSEX50", InMonth(9, 2026), None, "FUT"),
        ("ITC26SEP402.5PE", "ITC", InMonth(9, 2026), Decimal("402.5"), "PE"),
        ("360ONE26SEP1120CE", "360ONE", InMonth(9, 2026), 1120, "CE"),
        ("BAJAJ-AUTO26SEPFUT", "BAJAJ-AUTO", InMonth(9, 2026), None, "FUT"),
        ("nifty22sep24500ce", "NIFTY", OnDay(9, 22), 24500, "CE"),
        ("nifty22ndsep24500call", "NIFTY", OnDay(9, 22), 24500, "CE"),
        ("NIFTYOCTFUT", "NIFTY", InMonth(10), None, "FUT"),
        ("NIFTYSEP24500CE", "NIFTY", InMonth(9), 24500, "CE"),
        ("NIFTYSEP26FUT", "NIFTY", InMonth(9, 2026), None, "FUT"),
        ("NIFTY-Sep2026-24500-CE", "NIFTY", InMonth(9, 2026), 24500, "CE"),
        ("NIFTY1!", "NIFTY", Nth(1, True), None, "FUT"),
        ("M_M2!", "M M", Nth(2, True), None, "FUT"),
        ("NIFTY FUT1", "NIFTY", Nth(1, True), None, "FUT"),
        ("NIFTYFUT2", "NIFTY", Nth(2, True), None, "FUT"),
        ("NIFTY-III", "NIFTY", Nth(3, True), None, "FUT"),
        ("NIFTY-I FUT", "NIFTY", Nth(1, True), None, "FUT"),
        ("OPTIDX_NIFTY_29SEP2026_CE_24500", "NIFTY", OnDay(9, 29, 2026), 24500, "CE"),
        ("FUTIDX_NIFTY_29SEP2026_XX_0", "NIFTY", OnDay(9, 29, 2026), None, "FUT"),
        ("FUTSTK_RELIANCE_29SEP2026", "RELIANCE", OnDay(9, 29, 2026), None, "FUT"),
    ],
)
def test_what_programs_print_is_read(
    text: str, underlying: str, expiry: Expiry, strike: int | Decimal | None, right: str
) -> None:
    wanted = Decimal(strike) if strike is not None else None
    assert Reading(underlying, expiry, wanted, right) in _read(text)


@pytest.mark.parametrize(
    ("text", "underlying", "expiry", "strike", "right"),
    [
        ("NIFTY 28OCT 24400 CE", "NIFTY", OnDay(10, 28), 24400, "CE"),
        ("nifty 28oct25 24400ce", "NIFTY", OnDay(10, 28, 2025), 24400, "CE"),
        ("NIFTY 28-Oct-2025 24400 PE", "NIFTY", OnDay(10, 28, 2025), 24400, "PE"),
        ("NIFTY 28 October 2025 24,400 put", "NIFTY", OnDay(10, 28, 2025), 24400, "PE"),
        ("NIFTY 1,01,000 CE 5 OCT", "NIFTY", OnDay(10, 5), 101000, "CE"),
        ("NIFTY 2025-10-28 24400 PE", "NIFTY", OnDay(10, 28, 2025), 24400, "PE"),
        ("NIFTY 28/10/2025 24400 PE", "NIFTY", OnDay(10, 28, 2025), 24400, "PE"),
        ("NIFTY 28-10-25 24400 PE", "NIFTY", OnDay(10, 28, 2025), 24400, "PE"),
        ("NIFTY 20251028 24400 PE", "NIFTY", OnDay(10, 28, 2025), 24400, "PE"),
        ("NIFTY October 28, 2025 24400 PE", "NIFTY", OnDay(10, 28, 2025), 24400, "PE"),
        ("NIFTY OCT 28 25 24400 PE", "NIFTY", OnDay(10, 28, 2025), 24400, "PE"),
        ("PE NIFTY 24400 28OCT", "NIFTY", OnDay(10, 28), 24400, "PE"),
        ("24400 28 OCT NIFTY 50 PE", "NIFTY 50", OnDay(10, 28), 24400, "PE"),
        ("NIFTY 24400 CE 22 SEP 26", "NIFTY", OnDay(9, 22, 2026), 24400, "CE"),
        ("24400 CE NIFTY 22nd SEP", "NIFTY", OnDay(9, 22), 24400, "CE"),
        ("sep 22 nifty 24400 ce", "NIFTY", OnDay(9, 22), 24400, "CE"),
        ("NIFTY CE 24400", "NIFTY", None, 24400, "CE"),
        ("NIFTY 50 CE 24400", "NIFTY 50", None, 24400, "CE"),
        ("NIFTY 50 OCT FUT", "NIFTY 50", InMonth(10), None, "FUT"),
        ("NIFTY Dec'26 24400 CE", "NIFTY", InMonth(12, 2026), 24400, "CE"),
        ("NIFTY next expiry 24400 CE", "NIFTY", Nth(2, False), 24400, "CE"),
        ("NIFTY nearest expiry 24400 CE", "NIFTY", Nth(1, False), 24400, "CE"),
        ("NIFTY futs", "NIFTY", None, None, "FUT"),
        ("NIFTY OCT25 FUT", "NIFTY", InMonth(10, 2025), None, "FUT"),
        ("NIFTY FUT", "NIFTY", None, None, "FUT"),
        ("NIFTY futures", "NIFTY", None, None, "FUT"),
        ("NIFTY 4APR 24400", "NIFTY", OnDay(4, 4), 24400, ""),
        ("IDEA 28OCT 2025 CE", "IDEA", OnDay(10, 28), 2025, "CE"),
        ("IDEA 28 OCT 2025 10 CE", "IDEA", OnDay(10, 28, 2025), 10, "CE"),
        ("USDINR 26NOV 87.5 CE", "USDINR", OnDay(11, 26), Decimal("87.5"), "CE"),
        ("BAJAJ-AUTO SEP 9000 PE", "BAJAJ-AUTO", InMonth(9), 9000, "PE"),
        ("360ONE SEP 1120 CE", "360ONE", InMonth(9), 1120, "CE"),
        ("NIFTY22SEP 24400 CE", "NIFTY", OnDay(9, 22), 24400, "CE"),
        ("SENSEX5026SEP FUT", "SENSEX50", OnDay(9, 26), None, "FUT"),
        ("NIFTY 22SEP 24400 C", "NIFTY", OnDay(9, 22), 24400, "CE"),
        ("NIFTY 22SEP 24400 P", "NIFTY", OnDay(9, 22), 24400, "PE"),
        ("NIFTY SEP", "NIFTY", InMonth(9), None, ""),
        ("NIFTY weekly 24400 PE", "NIFTY", Nth(1, False), 24400, "PE"),
        ("NIFTY next week 24400 PE", "NIFTY", Nth(2, False), 24400, "PE"),
        ("NIFTY monthly 24400 PE", "NIFTY", Nth(1, True), 24400, "PE"),
        ("NIFTY next month FUT", "NIFTY", Nth(2, True), None, "FUT"),
        ("NIFTY next FUT", "NIFTY", Nth(2, True), None, "FUT"),
        ("NIFTY far 24400 PE", "NIFTY", Nth(3, True), 24400, "PE"),
        ("NIFTY FUT 2", "NIFTY", Nth(2, True), None, "FUT"),
        ("NIFTY 29FEB 24400 PE", "NIFTY", OnDay(2, 29), 24400, "PE"),
        ("NIFTY NEXT 50 next FUT", "NIFTY NEXT 50", Nth(2, True), None, "FUT"),
        ("NIFTY NEXT 50 SEP FUT", "NIFTY NEXT 50", InMonth(9), None, "FUT"),
    ],
)
def test_words_are_read_in_any_order(
    text: str, underlying: str, expiry: Expiry, strike: int | Decimal | None, right: str
) -> None:
    wanted = Decimal(strike) if strike is not None else None
    assert Reading(underlying, expiry, wanted, right) in _read(text)


def test_the_three_readings_of_a_compact_option_come_in_the_documented_order() -> None:
    found = _of("NIFTY26DEC24500CE", "NIFTY")
    assert found[:3] == [
        Reading("NIFTY", OnDay(12, 26, 2024), Decimal(500), "CE"),
        Reading("NIFTY", InMonth(12, 2026), Decimal(24500), "CE"),
        Reading("NIFTY", OnDay(12, 26), Decimal(24500), "CE"),
    ]


def test_a_number_behind_the_month_and_apart_from_it_is_a_day_before_a_year() -> None:
    assert [each.expiry for each in _of("NIFTY DEC 29 24500 CE", "NIFTY")][:2] == [
        OnDay(12, 29, is_soon=True),
        InMonth(12, 2029),
    ]
    assert _of("NIFTY DEC29 24500 CE", "NIFTY")[0].expiry == InMonth(12, 2029)


def test_by_hand_a_number_before_the_month_is_no_year_far_ahead() -> None:
    assert InMonth(12, 2029) not in [e.expiry for e in _of("NIFTY 29DEC 24500 CE", "NIFTY")]
    assert InMonth(12, 2028) not in [e.expiry for e in _of("NIFTY 28DEC 24500 CE", "NIFTY")]
    assert InMonth(12, 2027) in [e.expiry for e in _of("NIFTY 27DEC 24500 CE", "NIFTY")]


def test_next_alone_says_nothing_of_an_options_expiry() -> None:
    assert [each.expiry for each in _of("NIFTY next 24400 CE", "NIFTY")] == [None]


def test_a_number_that_is_no_day_of_its_month_is_a_year_alone() -> None:
    found = readings(name_key("NIFTY 30FEB 24500 CE"), date(2029, 12, 3))
    expiries = [each.expiry for each in found if each.underlying == "NIFTY"]
    assert expiries[0] == InMonth(2, 2030)
    assert not [each for each in expiries if isinstance(each, OnDay) and each.day == 30]


def test_a_day_and_a_month_apart_from_the_strike_are_a_day_soon_before_the_month_of_a_year() -> (
    None
):
    found = _of("NIFTY 26DEC 24500 CE", "NIFTY")
    assert [each.expiry for each in found[:3]] == [
        OnDay(12, 26, is_soon=True),
        InMonth(12, 2026),
        OnDay(12, 26),
    ]


def test_a_number_before_the_right_is_the_strike_rather_than_one_behind_it() -> None:
    assert _of("NIFTY 29SEP 24500 CE 3", "NIFTY 3")[0].strike == 24500
    assert _of("NIFTY 50 SEP CE 24500", "NIFTY 50")[0].strike == 24500


@pytest.mark.parametrize("text", ["RELIANCE", "NIFTY 50 INDEX", "SEP", "", "-", "1!"])
def test_what_names_no_contract_has_no_reading(text: str) -> None:
    assert _read(text) == []


@pytest.mark.parametrize(
    ("digits", "year"), [("26", 2026), ("2032", 2032), ("32", 2032), ("33", None), ("62", None)]
)
def test_a_year_more_than_six_ahead_is_none(digits: str, year: int | None) -> None:
    assert year_of(digits, TODAY) == year


@pytest.mark.parametrize("text", ["NIFTY31SEP2624500CE", "NIFTY2602302450CE", "NIFTY26R0124500CE"])
def test_a_day_that_no_calendar_has_is_no_day(text: str) -> None:
    days = [each.expiry for each in _of(text, "NIFTY") if isinstance(each.expiry, OnDay)]
    assert days == []


def test_the_longest_name_is_read_in_no_time() -> None:
    assert len(_read("A1" * 32)) < 10
    assert len(_read("1" * 64)) < 10
    assert len(_read("SEP " * 16)) < 500


@pytest.mark.parametrize("text", ["NIFTY 2026-02-30 24400 PE", "NIFTY 2026-00-12 24400 PE"])
def test_a_date_that_no_calendar_has_makes_no_reading(text: str) -> None:
    assert _read(text) == []


def test_two_digits_that_are_no_month_are_no_expiry() -> None:
    assert _of("NIFTY261322C24500", "NIFTY") == []


def test_a_number_before_the_month_that_is_no_year_is_not_its_year() -> None:
    assert [each.expiry for each in _of("NIFTY 99SEP 24400 CE", "NIFTY 99")] == [InMonth(9)]


@pytest.mark.parametrize("text", ["24400 CE", "22 SEP 24400 CE", "SEP FUT"])
def test_no_reading_is_of_no_underlying(text: str) -> None:
    assert all(each.underlying for each in _read(text))
