"""Delays as counts by length: exact to a millisecond up to ten seconds, then to four digits. Pure.

So memory does not grow with the recording, whatever its times are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_EXACT_MS = 10_000


class Delays:
    """Counts delays and gives their percentiles; they may be negative, where a clock is wrong."""

    def __init__(self) -> None:
        self.count = 0
        self._by_ms: Counter[int] = Counter()
        self._most_us: int | None = None

    def add(self, delays_us: Sequence[int]) -> None:
        """Count some delays (microseconds)."""
        if not delays_us:
            return
        self.count += len(delays_us)
        most_us = max(delays_us)
        if self._most_us is None or most_us > self._most_us:
            self._most_us = most_us
        by_ms = [delay_us // 1000 for delay_us in delays_us]
        if min(by_ms) <= -_EXACT_MS or most_us >= _EXACT_MS * 1000:
            by_ms = [_four_digits(ms) for ms in by_ms]
        self._by_ms.update(by_ms)

    @property
    def most_s(self) -> float | None:
        """The longest, exactly, in seconds; None where there is none."""
        return None if self._most_us is None else self._most_us / 1_000_000

    def percentile_s(self, percent: float) -> float | None:
        """The delay (seconds) that so many per cent do not exceed; None where there is none."""
        wanted = self.count * percent / 100
        passed = 0
        for ms, count in sorted(self._by_ms.items()):
            passed += count
            if passed >= wanted:
                return ms / 1000
        return None


def _four_digits(ms: int) -> int:
    unit = int(10 ** max(0, len(str(abs(ms))) - 4))
    return ms // unit * unit
