"""Counters into figures: rates, latency, and the snapshot that everybody draws.

Pure: time and totals come in as arguments. A snapshot holds plain values only, so that a
dashboard, a status file and another process see the same thing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

_RATE_WINDOW_S = 60
_NO_TIME = "1970-01-01T00:00:00.000+05:30"


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


def activity(ticks: int) -> int:
    """A count in steps of a fifth or so: what is sorted by it keeps its place from look to look."""
    return round(4 * math.log2(ticks)) if ticks > 0 else -1


@dataclass(frozen=True, slots=True)
class ConnectionSnapshot:
    """One connection; seconds end in `_s`. `next_try_s` None: no wait is running."""

    number: int
    phase: str
    is_quiet: bool
    instruments: int
    attempt: int
    max_attempts: int | None
    delay_s: float
    next_try_s: float | None
    silence_s: float
    reconnects: int
    blind_s: float
    last_cause: str
    ticks: int
    uncertain_s: float = 0.0


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """One exchange segment: `state` is live, expected, standing or resting (market/state.py).

    `newest` is its newest exchange time, ISO 8601 in IST; None where there is none yet.
    """

    exchange: str
    state: str
    newest: str | None


@dataclass(frozen=True, slots=True)
class InstrumentSnapshot:
    """One instrument as the dashboard shows it. `age_s` None: no tick since subscribe."""

    exchange: str
    symbol: str
    token: str
    ltp: str
    change_percent: float | None
    volume: int | None
    ticks: int
    age_s: float | None


@dataclass(frozen=True, slots=True)
class OutputSnapshot:
    """Where ticks go: name, whole rows and bytes written."""

    name: str
    rows: int
    bytes_written: int


@dataclass(frozen=True, slots=True)
class FeedSnapshot:
    """The whole stream at one moment.

    `phase` is the worst of the connections'; `silence_s` the longest. Rates are ticks a second,
    `rates` one a second, oldest first. Latency is from the socket to the flushed sinks.
    `instruments` holds the most active; `instruments_total` counts all, `never_ticked` those
    without a tick since they were subscribed. `uncertain_s` are seconds in which the feed answered
    and the market stood, though it should have been open.
    """

    at: str
    started_at: str
    uptime_s: float
    phase: str
    connections: tuple[ConnectionSnapshot, ...]
    ticks: int
    rate_now: float
    rate_mean: float
    rate_peak: float
    rates: tuple[float, ...]
    silence_s: float
    silence_after_s: float
    reconnects: int
    blind_s: float
    last_cause: str
    dropped: int
    malformed: int
    out_of_order: int
    duplicates: int
    buffered: int
    buffer_limit: int
    latency_p50_us: float | None
    latency_p99_us: float | None
    session_expires_at: str | None
    is_market_open: bool
    market_opens_at: str | None
    instruments: tuple[InstrumentSnapshot, ...]
    instruments_total: int
    never_ticked: int
    outputs: tuple[OutputSnapshot, ...] = ()
    events: tuple[Mapping[str, object], ...] = field(default=())
    uncertain_s: float = 0.0
    market: tuple[MarketSnapshot, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Plain values, as the status file and `ticks health --json` give them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, object]) -> FeedSnapshot:
        """What `to_dict` gave, perhaps in another version of this program.

        Keys that are not known are passed over; what is missing or of another type is nothing:
        0, "", None, an empty tuple.
        """
        plain = _plain_fields(cls, given)
        for name, kind in (
            ("connections", ConnectionSnapshot),
            ("instruments", InstrumentSnapshot),
            ("outputs", OutputSnapshot),
            ("market", MarketSnapshot),
        ):
            items = _mappings(given.get(name))
            plain[name] = tuple(kind(**_plain_fields(kind, item)) for item in items)
        plain["rates"] = tuple(_of_type("float", rate) for rate in _items(given.get("rates")))
        plain["events"] = _mappings(given.get("events"))
        plain["at"] = plain["at"] or _NO_TIME
        plain["started_at"] = plain["started_at"] or _NO_TIME
        return cls(**plain)


_NOTHING: dict[str, object] = {"str": "", "int": 0, "float": 0.0, "bool": False}
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
}


def _plain_fields(kind: type, given: Mapping[str, object]) -> dict[str, Any]:
    """The fields of a snapshot that are one plain value each."""
    types = {each.name: str(each.type) for each in fields(kind)}
    return {name: _of_type(words, given.get(name)) for name, words in types.items()}


def _of_type(words: str, value: object) -> object:
    """`value` where it is of the type that the annotation says, else nothing of that type."""
    plain = words.removesuffix(" | None")
    if isinstance(value, _TYPES.get(plain, ())):
        return value
    return _NOTHING.get(words)


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _mappings(value: object) -> tuple[Mapping[str, object], ...]:
    return tuple(item for item in _items(value) if isinstance(item, Mapping))
