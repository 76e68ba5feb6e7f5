"""Figures from counters: rates, latency, recent growth. Pure: time and totals are arguments."""

from __future__ import annotations

from collections import deque

_RATE_WINDOW_S = 60
_RECENT_S = 60.0
_SAMPLES_APART_S = 5.0


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


class RecentGrowth:
    """How much a growing total has grown in the last minute, to 5 seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque([(0.0, 0)])

    def sample(self, now_s: float, total: int) -> int:
        """The growth up to `total`, which is the total at `now_s`."""
        samples = self._samples
        if now_s - samples[-1][0] >= _SAMPLES_APART_S:
            samples.append((now_s, total))
        while len(samples) > 1 and samples[1][0] <= now_s - _RECENT_S:
            samples.popleft()
        return total - samples[0][1]


class Doublings:
    """Which values of a growing total are worth a report: the first, then each doubling.

    A total that did not grow for a minute starts over, so that the next trouble of a long run is
    reported at once too. What is then unreported is reported first, so the last figure is exact.
    """

    def __init__(self) -> None:
        self._total = self._base = self._reported = 0
        self._grew_at_s = 0.0

    def is_due(self, now_s: float, total: int, *, is_last: bool = False) -> bool:
        """Whether to report `total` now. `is_last`: there will be no other chance."""
        if total != self._total:
            if now_s - self._grew_at_s >= _RECENT_S:
                self._base = self._reported
            self._total, self._grew_at_s = total, now_s
            is_due = total - self._base >= 2 * (self._reported - self._base)
        else:
            is_due = total != self._reported and now_s - self._grew_at_s >= _RECENT_S
        is_due = is_due or (is_last and total != self._reported)
        if is_due:
            self._reported = total
        return is_due


class LatencyHistogram:
    """How long ticks took, in buckets that double four times an octave: p50, p99 in a few bytes.

    `sample` makes the quantiles those of the last minute, to 5 seconds; without it they are those
    of all ticks.
    """

    _STEPS = 4

    def __init__(self) -> None:
        self.count = 0
        self._buckets = [0] * (40 * self._STEPS)
        self._samples: deque[tuple[float, list[int]]] = deque()

    def add(self, microseconds: float, times: int = 1) -> None:
        """Count `times` ticks that took so long; negative (a clock set back) counts as 0."""
        whole = max(0, int(microseconds * self._STEPS))
        octave = whole.bit_length()
        shift = max(0, octave - 3)
        bucket = self._STEPS * shift + (whole >> shift)
        self._buckets[min(bucket, len(self._buckets) - 1)] += times
        self.count += times

    def sample(self, now_s: float) -> None:
        """Forget what is older than a minute. For showing the figures: `add` stays cheap."""
        samples = self._samples
        if not samples or now_s - samples[-1][0] >= _SAMPLES_APART_S:
            samples.append((now_s, self._buckets.copy() if samples else [0] * len(self._buckets)))
        while len(samples) > 1 and samples[1][0] <= now_s - _RECENT_S:
            samples.popleft()

    def quantile(self, share: float) -> float | None:
        """Microseconds that `share` of the ticks did not exceed; None without ticks."""
        counts = self._buckets
        if self._samples:
            forgotten = self._samples[0][1]
            counts = [now - before for now, before in zip(counts, forgotten, strict=True)]
        total = sum(counts)
        if not total:
            return None
        passed = 0
        for bucket, times in enumerate(counts):
            passed += times
            if passed >= share * total:
                return self._upper_edge(bucket)
        return self._upper_edge(len(counts) - 1)

    def _upper_edge(self, bucket: int) -> float:
        shift = max(0, bucket // self._STEPS - 1)
        return ((bucket - self._STEPS * shift + 1) << shift) / self._STEPS
