"""Delays as counts by length: exact to a millisecond up to ten seconds, then to four digits. Pure.

So memory does not grow with the recording, whatever its times are.
"""

from __future__ import annotations

from collections import Counter

_EXACT_MS = 10_000


class Delays:
    """Counts delays and gives their percentiles; they may be negative, where a clock is wrong."""

    def __init__(self) -> None:
        self.count = 0
        self._by_ms: Counter[int] = Counter()
        self._most_us: int | None = None

    def add(self, delay_us: int) -> None:
        """Count one delay (microseconds)."""
        self.count += 1
        if self._most_us is None or delay_us > self._most_us:
            self._most_us = delay_us
        ms = delay_us // 1000
        if not -_EXACT_MS < ms < _EXACT_MS:
            ms = _four_digits(ms)
        self._by_ms[ms] += 1

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
    unit = int(10 ** (len(str(abs(ms))) - 4))
    return ms // unit * unit
