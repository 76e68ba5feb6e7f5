from __future__ import annotations

from datetime import datetime

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.instrument import EXCHANGE_NAMES, EXCHANGE_TYPES
from ticks.adapter.simulator.sessions import last_session_end_s


def ended(exchange: str, now: str) -> str:
    wall_s = datetime.fromisoformat(now).replace(tzinfo=IST).timestamp()
    end_s = last_session_end_s(EXCHANGE_TYPES[exchange], wall_s)
    return f"{datetime.fromtimestamp(end_s, IST):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("exchange", "now", "end"),
    [
        ("NSE", "2026-12-16T10:00:00", "2026-12-15 15:29:59"),
        ("NFO", "2026-12-16T10:00:00", "2026-12-15 15:39:59"),
        ("MCX", "2026-12-16T23:59:59", "2026-12-15 23:29:59"),
        ("CDS", "2026-12-16T00:00:00", "2026-12-15 16:59:59"),
        ("NSE", "2026-12-14T10:00:00", "2026-12-11 15:29:59"),
        ("BSE", "2026-12-13T10:00:00", "2026-12-11 15:29:59"),
    ],
)
def test_the_last_session_was_on_the_working_day_before(exchange: str, now: str, end: str) -> None:
    assert ended(exchange, now) == end


@pytest.mark.parametrize("exchange", EXCHANGE_NAMES.values())
def test_every_segment_has_an_end(exchange: str) -> None:
    assert ended(exchange, "2026-12-16T10:00:00").startswith("2026-12-15")
