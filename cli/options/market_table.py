"""The market as commands take it: the calendar with [market] of config.toml, and `close`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ...adapter.market.calendar import MarketCalendar
from ...adapter.market.hours import Segment
from ...adapter.market_table import calendar_of
from .config_file import ConfigFile


def market_calendar(environ: Mapping[str, str], *, is_always_open: bool) -> MarketCalendar:
    """The exchanges' hours with what the user's config.toml adds. Raises UsageError."""
    return calendar_of(ConfigFile.of(environ), is_always_open=is_always_open)


_LONGEST_BREAK_DAYS = 15


def closing_ns(calendar: MarketCalendar, segments: Sequence[Segment], now: datetime) -> int:
    """What `close` means now: five minutes after today's last session of these segments.

    On a day without a known session, where the calendar may be wrong, the time of the next
    trading day's close, but today. Raises ValueError when that has passed.
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
