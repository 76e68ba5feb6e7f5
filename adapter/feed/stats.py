"""Counters into figures: rates and latency. Pure: time and totals come in as arguments."""

from __future__ import annotations

from collections import deque

_RATE_WINDOW_S = 60


class RateMeter:
    """Ticks a second from a growing total, sampled now and then."""

    def __init__(self, started_s: float) -> None:
        self.peak = 0.0
        self._started_s = started_s
        self._total = 0
        self._second_began = (started_s, 0)
        self._seconds: deque[float] = deque(maxlen=_RATE_WINDOW_S)

    def sample(self, now_s: float, total: int) -> None:
        """Take note of the total at `now_s`; a second that has passed becomes one rate."""
        self._total = total
        began_s, began_total = self._second_began
        passed_s = now_s - began_s
        if passed_s < 1.0:
            return
        rate = (total - began_total) / passed_s
        self._seconds.extend([rate] * min(int(passed_s), _RATE_WINDOW_S))
        self._second_began = (now_s, total)
        self.peak = max(self.peak, rate)

    @property
    def now(self) -> float:
        """Ticks a second over the last whole second."""
        return self._seconds[-1] if self._seconds else 0.0

    @property
    def history(self) -> tuple[float, ...]:
        """The rate of each of the last 60 seconds, oldest first."""
        return tuple(self._seconds)

    def mean(self, now_s: float) -> float:
        """Ticks a second since the start."""
        passed_s = now_s - self._started_s
        return self._total / passed_s if passed_s > 0 else 0.0


class LatencyHistogram:
    """How long ticks took, in buckets that double four times an octave: p50, p99 in a few bytes."""

    _STEPS = 4

    def __init__(self) -> None:
        self.count = 0
        self._buckets = [0] * (40 * self._STEPS)

    def add(self, microseconds: float, times: int = 1) -> None:
        """Count `times` ticks that took so long; negative (a clock set back) counts as 0."""
        whole = max(0, int(microseconds * self._STEPS))
        octave = whole.bit_length()
        shift = max(0, octave - 3)
        bucket = self._STEPS * shift + (whole >> shift)
        self._buckets[min(bucket, len(self._buckets) - 1)] += times
        self.count += times

    def quantile(self, share: float) -> float | None:
        """Microseconds that `share` of the ticks did not exceed; None without ticks."""
        if not self.count:
            return None
        wanted = share * self.count
        passed = 0
        for bucket, times in enumerate(self._buckets):
            passed += times
            if passed >= wanted:
                return self._upper_edge(bucket)
        return self._upper_edge(len(self._buckets) - 1)

    def _upper_edge(self, bucket: int) -> float:
        shift = max(0, bucket // self._STEPS - 1)
        return ((bucket - self._STEPS * shift + 1) << shift) / self._STEPS
