"""The market's own clock: the machine's wall clock, set right by the packets.

Rules
- The offset is the least of (received - exchange time) over the moving packets of the last ten
  minutes: the one that was delayed least. Where none came lately the last known offset stands;
  before there was any, `date_offset_s` (from the `Date` of an HTTP reply) does.
- Under 2 s it is nothing: exchange times are whole seconds. Over an hour it is not believed: that
  is a recording being played, not a wrong clock.
- A wall clock that is set, or a machine that slept, makes what was measured worthless: where the
  wall clock and the monotonic one disagree about the time between two looks, it is forgotten.
- A time more than a minute ahead of this clock is believed only if the next packet of the same
  unit goes on from it (`goes_on`): one packet dated an hour ahead must not hide an hour of packets.
"""

from __future__ import annotations

from collections import deque

from ..clock import NS_PER_MS

AHEAD_MS = 60_000
"""How far ahead of the market's clock an exchange time is believed at once."""
_WINDOW_MINUTES = 10
_LEAST_OFFSET_MS = 2_000
_MOST_OFFSET_MS = 3_600_000
_STEP_MS = 2_000


class MarketClock:
    """The market's time of one run. `date_offset_s`: by how much the wall clock is ahead (s)."""

    def __init__(self, date_offset_s: float = 0.0) -> None:
        self._date_offset_ms = date_offset_s * 1000
        self._least: deque[tuple[int, float]] = deque()
        """(minute, least offset in it), oldest first."""
        self._observed_s = float("-inf")
        self._base_ms: float | None = None
        self.offset_ms = _believed(self._date_offset_ms)
        """By how much the wall clock is ahead of the market's; 0 where that is not believed."""

    def is_set(self, now_s: float) -> bool:
        """Whether packets of the last minute say what time it is."""
        return now_s - self._observed_s <= AHEAD_MS / 1000

    def observe(self, now_s: float, wall_ns: int, exchange_ms: int) -> None:
        """A moving packet of `exchange_ms` left the socket at `now_s`, `wall_ns`."""
        self._mind_steps(now_s, wall_ns)
        minute, offset_ms = int(now_s // 60), wall_ns / NS_PER_MS - exchange_ms
        least, self._observed_s = self._least, now_s
        if least and least[-1][0] == minute:
            if offset_ms >= least[-1][1]:
                return
            least.pop()
        least.append((minute, offset_ms))
        while least[0][0] < minute - _WINDOW_MINUTES:
            least.popleft()
        self._set()

    def market_ms(self, now_s: float, wall_ns: int) -> int:
        """The market's time in milliseconds since the epoch."""
        self._mind_steps(now_s, wall_ns)
        return round(wall_ns / NS_PER_MS - self.offset_ms)

    def _set(self) -> None:
        least_ms = min((least for _, least in self._least), default=self._date_offset_ms)
        self.offset_ms = _believed(least_ms)

    def _mind_steps(self, now_s: float, wall_ns: int) -> None:
        base_ms = wall_ns / NS_PER_MS - now_s * 1000
        if self._base_ms is not None and abs(base_ms - self._base_ms) > _STEP_MS:
            self._least.clear()
            self._date_offset_ms, self._observed_s = 0.0, float("-inf")
            self._set()
        self._base_ms = base_ms


def _believed(offset_ms: float) -> float:
    return offset_ms if _LEAST_OFFSET_MS <= abs(offset_ms) <= _MOST_OFFSET_MS else 0.0


def goes_on(ahead_ms: int, exchange_ms: int, passed_s: float) -> bool:
    """Whether `exchange_ms` goes on from a time ahead of the clock that came `passed_s` before."""
    return 0 < exchange_ms - ahead_ms <= passed_s * 1000 + AHEAD_MS
