"""The times of `ticks replay`."""

from __future__ import annotations

import pytest

from ticks.cli.options.replay_options import bound


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("9:15", "09:15:00.000000"),
        ("09:15", "09:15:00.000000"),
        (" 15:30:01 ", "15:30:01.000000"),
        ("15:30:01.5", "15:30:01.500000"),
        ("2026-11-20T09:15", "2026-11-20T09:15:00.000000"),
        ("2026-11-20 09:15", "2026-11-20T09:15:00.000000"),
        ("2026-11-20", "2026-11-20T00:00:00.000000"),
        ("2026-11-20T03:45:00Z", "2026-11-20T09:15:00.000000"),
        ("2026-11-20T09:15:00.123456+05:30", "2026-11-20T09:15:00.123456"),
    ],
)
def test_a_time_is_read_as_an_indian_one(text: str, shown: str) -> None:
    assert bound(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "25:00",
        "9:60",
        "2026-13-01",
        ":",
        "15",
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:59Z",
    ],
)
def test_an_invalid_time_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid time"):
        bound(text)
