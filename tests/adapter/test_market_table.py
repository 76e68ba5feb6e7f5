"""The user's own sessions and holidays."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.errors import UsageError
from ticks.adapter.market.calendar import MarketCalendar, SegmentRules, SpecialSession
from ticks.adapter.market.hours import Segment
from ticks.adapter.market_table import calendar_of, holiday, hours, session
from ticks.adapter.paths import Paths
from ticks.adapter.settings_file import SettingsFile

NSE, NFO, BSE, MCX, CDS = (Segment(number) for number in (1, 2, 3, 5, 13))


def market_calendar(environ: dict[str, str], *, is_always_open: bool = False) -> MarketCalendar:
    file = SettingsFile.read(Paths.from_env(environ).config_file)
    return calendar_of(file, is_always_open=is_always_open)


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * 10**9


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"TICKS_HOME": str(tmp_path)}


def test_a_session_names_its_day_hours_and_exchanges() -> None:
    assert session("2026-11-08 18:00-19:00 NSE,bse") == SpecialSession(
        date(2026, 11, 8), time(18), time(19), frozenset({1, 3})
    )
    assert session(" 2026-02-01  9:15 - 15:30 ").exchange_types == frozenset()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-11-08", "is not a valid session; write"),
        ("2026-13-08 18:00-19:00", "'2026-13-08' is not a valid day"),
        ("2026-11-08 25:00-26:00", "'25:00' is not a valid time of day"),
        ("2026-11-08 19:00-18:00", "closes before it opens"),
        ("2026-11-08 18:00-19:00 NYSE", "'NYSE' is not a known exchange; there are NSE, NFO"),
    ],
)
def test_a_session_that_makes_no_sense_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        session(text)


def test_a_holiday_is_a_day() -> None:
    assert holiday("2026-11-09") == date(2026, 11, 9)
    with pytest.raises(ValueError, match="'Diwali' is not a valid day; write 2026-11-09"):
        holiday("Diwali")


def test_the_calendar_opens_and_closes_as_the_file_says(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    (tmp_path / "config.toml").write_text(
        '[market]\nholidays = ["2026-11-16", 2026-11-17]\n'
        'sessions = ["2026-11-15 18:00-19:00 NSE"]\n'
    )
    calendar = market_calendar(environ, is_always_open=False)
    assert calendar.is_open([NSE], ns("2026-11-15T18:30:00"))
    assert not calendar.is_open([BSE], ns("2026-11-15T18:30:00"))
    assert not calendar.is_open([NSE], ns("2026-11-16T10:00:00"))
    assert not calendar.is_open([NSE], ns("2026-11-17T10:00:00"))
    assert calendar.is_open([NSE], ns("2026-11-18T10:00:00"))


def test_a_table_of_one_exchange_changes_that_exchange(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    (tmp_path / "config.toml").write_text(
        '[market.NFO]\nhours = "09:15-16:00"\nholidays = [2026-11-17]\n'
        'sessions = ["2026-11-15 18:00-19:00"]\n'
    )
    calendar = market_calendar(environ, is_always_open=False)
    assert calendar.rules == {
        2: SegmentRules((time(9, 15), time(16)), frozenset({date(2026, 11, 17)}))
    }
    assert calendar.is_open([NFO], ns("2026-11-16T15:50:00"))
    assert not calendar.is_open([NSE], ns("2026-11-16T15:50:00"))
    assert not calendar.is_open([NFO], ns("2026-11-17T10:00:00"))
    assert calendar.is_open([NSE], ns("2026-11-17T10:00:00"))
    assert calendar.is_open([NFO], ns("2026-11-15T18:30:00"))
    assert not calendar.is_open([NSE], ns("2026-11-15T18:30:00"))


def test_hours_are_a_span_of_the_day() -> None:
    assert hours(" 9:15 - 15:40 ") == (time(9, 15), time(15, 40))
    for text in ("9-15", "15:40-09:15", "09:15-25:00"):
        with pytest.raises(ValueError, match=text.split("-", maxsplit=1)[-1]):
            hours(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '[market.NFO]\nhours = "all day"',
            r'line 2: market\.NFO\.hours = "all day": .*09:15-15:40',
        ),
        (
            "[market.NFO]\nhour = 1",
            r"line 2: \[market\.NFO\] has no key 'hour'; did you mean 'hours'",
        ),
        ("[market.nfo]\n", r"\[market\] has no key 'nfo'; did you mean 'NFO'"),
        ("[market]\nNFO = 1", r"line 2: market\.NFO = 1: write a table, \[market\.NFO\]"),
        (
            '[market.NFO]\nsessions = ["2026-11-15 18:00-19:00 NSE"]',
            "names another exchange than its table does",
        ),
    ],
)
def test_a_bad_table_of_one_exchange_names_file_and_line(
    tmp_path: Path, environ: dict[str, str], text: str, reason: str
) -> None:
    (tmp_path / "config.toml").write_text(f"{text}\n")
    with pytest.raises(UsageError, match=reason):
        market_calendar(environ, is_always_open=False)


def test_without_a_file_the_calendar_is_the_exchanges_own(environ: dict[str, str]) -> None:
    calendar = market_calendar(environ, is_always_open=False)
    assert calendar.special_sessions == ()
    assert calendar.extra_holidays == frozenset()
    assert market_calendar(environ, is_always_open=True).is_always_open


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('holidays = "2026-11-09"', r'line 2: market\.holidays = "2026-11-09": write a list'),
        ('holidays = ["soon"]', r"line 2: market\.holidays = .*'soon' is not a valid day"),
        ('sessions = ["x"]', r"line 2: market\.sessions = .*'x' is not a valid session"),
        ("hollidays = []", r"line 2: \[market\] has no key 'hollidays'; did you mean 'holidays'"),
    ],
)
def test_a_bad_value_names_file_and_line(
    tmp_path: Path, environ: dict[str, str], text: str, reason: str
) -> None:
    (tmp_path / "config.toml").write_text(f"[market]\n{text}\n")
    with pytest.raises(UsageError, match=reason):
        market_calendar(environ, is_always_open=False)
