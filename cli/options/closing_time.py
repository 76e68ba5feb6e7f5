"""What `--until close` means: a moment, by the calendar and the instruments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ...adapter.market.calendar import MarketCalendar
from ...adapter.market.hours import Segment

_LONGEST_BREAK_DAYS = 15
"""Without a session of a segment: longer than any row of holidays and weekends."""


def closing_ns(calendar: MarketCalendar, segments: Sequence[Segment], now: datetime) -> int:
    """Five minutes after today's last session of these segments, nanoseconds since the epoch.

    Today may be no trading day, or the calendar may be wrong about that: then it is the time of day
    at which the next trading day closes, today. Raises ValueError when that has passed.
    """
    ordinary = replace(calendar, is_always_open=False)
    days = map(timedelta, range(_LONGEST_BREAK_DAYS))
    ends = [(day, ordinary.day_end(segments, now.date() + day)) for day in days]
    known = [(day, end) for day, end in ends if end is not None]
    if not known:
        raise ValueError(
            "no closing time is known for what is subscribed; write one, such as 23:59"
        )
    day, end = known[0]
    at = end - day
    if at <= now:
        coming = [f"; the next one is {end:%Y-%m-%dT%H:%M}" for _, end in known if end > now]
        passed = f"'close' has passed: it is {now:%H:%M:%S} IST on {now:%Y-%m-%d}"
        raise ValueError("".join([passed, *coming[:1]]))
    return int(at.timestamp()) * 10**9
