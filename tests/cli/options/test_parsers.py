"""Texts become values, or a reason that a person understands."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.errors import UsageError
from ticks.adapter.tick import Mode
from ticks.cli.options.parsers import (
    checked_outputs,
    count,
    duration_s,
    mode,
    on_full,
    port,
    rate,
    shard,
    until_ns,
)

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=IST)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        ("1.5s", 1.5),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "s", "-5s", "0s", "5 minutes", "nan", "1e3s", "9999999h", "٣s"]
)
def test_a_duration_that_makes_no_sense_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no duration|is not between") as caught:
        duration_s(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("15:30", "15:30:00"),
        ("14:01", "14:01:00"),
        ("15:30:10", "15:30:10"),
        ("2026-11-20T15:00", "15:00:00"),
    ],
)
def test_a_time_of_day_is_meant_in_india(text: str, hour: str) -> None:
    expected = datetime.combine(NOW.date(), datetime.strptime(hour, "%H:%M:%S").time(), IST)  # noqa: DTZ007
    assert until_ns(text, NOW) == expected.timestamp() * 10**9


def test_a_time_that_has_passed_says_how_to_write_tomorrow() -> None:
    with pytest.raises(ValueError, match=r"has passed.*2026-11-21T13:59"):
        until_ns("13:59", NOW)


def test_a_time_more_than_a_year_away_is_refused_before_a_wait_overflows() -> None:
    with pytest.raises(ValueError, match="more than a year away"):
        until_ns("9999-12-31T23:59", NOW)


@pytest.mark.parametrize("text", ["", "25:00", "noon", "15.30", "2026-13-01T10:00"])
def test_a_time_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        until_ns(text, NOW)


def test_a_time_with_its_own_zone_keeps_it() -> None:
    later = NOW + timedelta(hours=1)
    assert until_ns("2026-11-20T09:30:00+00:00", NOW) == later.timestamp() * 10**9


def test_modes_have_three_names_and_a_withdrawn_one() -> None:
    assert [mode(text) for text in ("ltp", "QUOTE", " snap ")] == [Mode.LTP, Mode.QUOTE, Mode.SNAP]
    with pytest.raises(ValueError, match="withdrew depth"):
        mode("depth")
    with pytest.raises(ValueError, match="'full' is no mode"):
        mode("full")


def test_a_shard_is_one_of_its_parts() -> None:
    assert shard("2/3") == (2, 3)
    for text in ("0/3", "4/3", "1", "a/b", "1/0", "-1/2", ""):
        with pytest.raises(ValueError, match="is no shard"):
            shard(text)


def test_a_full_buffer_drops_or_stops() -> None:
    assert (on_full("drop"), on_full("STOP")) == ("drop", "stop")
    with pytest.raises(ValueError, match="neither drop nor stop"):
        on_full("wait")


def test_two_outputs_to_one_place_are_refused() -> None:
    checked_outputs("-", "a.jsonl", None, None)
    with pytest.raises(UsageError, match="two outputs go to stdout"):
        checked_outputs("-", "-")
    with pytest.raises(UsageError, match=r"two outputs go to a\.csv"):
        checked_outputs("a.csv", "./a.csv")


def test_an_output_without_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match="path of an output is empty"):
        checked_outputs("", None)


def test_a_count_is_a_whole_number_from_one_on() -> None:
    assert [count("1"), count("100_000")] == [1, 100_000]
    for text in ("", "x", "1.5", "1e3", "1k"):
        with pytest.raises(ValueError, match="is no whole number; write 1, 100 or 100_000"):
            count(text)
    with pytest.raises(ValueError, match="'0' is not between 1 and"):
        count("0")


def test_a_port_and_a_rate_have_their_bounds() -> None:
    assert (port("0"), port("65535"), rate("0"), rate("0.5")) == (0, 65535, 0.0, 0.5)
    with pytest.raises(ValueError, match="not between 0 and 65535"):
        port("65536")
    for text in ("-1", "inf", "nan", "fast"):
        with pytest.raises(ValueError, match="is no rate"):
            rate(text)
