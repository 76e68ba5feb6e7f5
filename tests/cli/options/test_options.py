"""Options that carry their unit, and parsers whose reasons reach the user."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import typer

from ticks.adapter.clock import IST
from ticks.cli.options.options import (
    BACKOFF_MAX,
    CHECK_EVERY,
    SILENCE_AFTER,
    Seconds,
    Shard,
    Timestamp,
    parsed,
)


def test_a_duration_is_a_number_of_seconds_and_reads_as_one() -> None:
    assert Seconds("1m30s") == 90.0
    assert str(Seconds("1m30s")) == "90s"
    assert str(Seconds("250ms")) == "0.25s"
    assert Seconds(str(Seconds("250ms"))) == 0.25


def test_a_moment_is_in_nanoseconds() -> None:
    later = (datetime.now(IST) + timedelta(hours=2)).replace(microsecond=0)
    assert Timestamp(later.replace(tzinfo=None).isoformat()) == int(later.timestamp()) * 10**9


def test_a_shard_is_a_pair() -> None:
    assert Shard("2/3") == (2, 3)


def test_the_defaults_are_those_of_the_design() -> None:
    assert (SILENCE_AFTER, CHECK_EVERY, BACKOFF_MAX) == (30, 10, 60)


def test_a_parser_turns_a_reason_into_a_usage_error_and_lets_values_pass() -> None:
    parser = parsed(Seconds)
    assert parser("5s") == 5
    assert parser(SILENCE_AFTER) is SILENCE_AFTER
    with pytest.raises(typer.BadParameter, match="'soon' is not a valid duration"):
        parser("soon")
