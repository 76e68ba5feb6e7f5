"""The two clocks, and the one time zone.

`now_s` is monotonic and only ever compared with itself (silence, back-off, deadlines). It goes on
while the machine sleeps: two hours with the lid closed are two hours without a tick.
`wall_ns` is what a calendar shows (rows, market hours, token expiry). India keeps no daylight
saving, so IST is a fixed offset.
"""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone
from functools import partial
from typing import Protocol

IST = timezone(timedelta(hours=5, minutes=30), "IST")
NS_PER_MS = 1_000_000
YEAR_10000_MS = 253_402_300_800_000
"""No calendar holds a time from here on: milliseconds since the epoch."""


class Clock(Protocol):
    """The two clocks; tests pass one that they set themselves."""

    def now_s(self) -> float:
        """Seconds on a clock that never goes back and means nothing by itself."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        ...


_SLEEPLESS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux stops its CLOCK_MONOTONIC, which `time.monotonic` is, in a sleep; macOS does not."""


class SystemClock:
    """The machine's own clocks. Read five times a drain, so no Python function is in between."""

    now_s = staticmethod(partial(time.clock_gettime, _SLEEPLESS))
    wall_ns = staticmethod(time.time_ns)


def ist_time(wall_ns: int) -> datetime:
    """The Indian wall time of `wall_ns` (nanoseconds since the epoch), to the microsecond."""
    seconds, rest_ns = divmod(wall_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, IST).replace(microsecond=rest_ns // 1000)


def midnight_us(day: date) -> int:
    """Microseconds since the epoch at which `day` begins in India."""
    return round(datetime(day.year, day.month, day.day, tzinfo=IST).timestamp()) * 1_000_000
