"""What an inspection found: sessions and gaps from what was counted, all as one value. Pure.

Rules
- A session is one that the calendar lists for a segment of the recording. A day with rows of which
  none is in a listed session has an unlisted one, if rows prove a market (tally.py): from
  the first of those to the last. Where the market is always open one session is all of it.
- A gap lies between two rows of the recording and in a session; what of it is outside of sessions
  does not count. What is missing before a segment's first row of a day or after its last is a
  matter of coverage.
- A gap is listed when it is longer than the limit; and a shorter one when events explain it, or it
  is `STANDS_OUT` times as long as rows are apart on average. What is shorter than a second and
  than the limit is not a gap.
- At most `MOST_LISTED` are listed, the longest; of the others those over the limit are counted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import NamedTuple

from ..clock import midnight_us
from ..history import GapKind, History, explain
from ..intervals import Interval, common, length, union
from .tally import MINUTES_A_DAY, SECOND_US, Day, Freeze, SegmentDay, Tally

STANDS_OUT = 10
MOST_LISTED = 1_000
PERCENTILES = (50.0, 90.0, 99.0)
_MINUTE_US = 60 * SECOND_US


class Gap(NamedTuple):
    """A stretch without a row, and why. Times are microseconds since the epoch."""

    from_us: int
    to_us: int
    kind: GapKind
    cause: str | None

    @property
    def us(self) -> int:
        return self.to_us - self.from_us


class Session(NamedTuple):
    """A session of a segment, and from where to where there are rows (None: there are none)."""

    exchange: str
    from_us: int
    to_us: int
    covered: Interval | None
    is_listed: bool = True

    @property
    def missing_before_us(self) -> int:
        """What is missing of it before the first row; all where there is none."""
        return (self.covered[0] if self.covered else self.to_us) - self.from_us

    @property
    def missing_after_us(self) -> int:
        return self.to_us - self.covered[1] if self.covered else 0


class Damage(NamedTuple):
    """A row that cannot be read."""

    file: str
    line: int
    reason: str


class Rate(NamedTuple):
    """The rows of a day by the minute, from its first minute with a row to its last."""

    day: date
    first_minute: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that was found. Delays are seconds, None where there are none; other times microseconds.

    `longest_gap_us`: of the gaps of a second or more, 0 without any. `is_complete`: whether it was
    read to its end. `damaged` is the number of `damage`, of which the first are kept.
    """

    files: tuple[str, ...]
    is_complete: bool
    from_us: int
    to_us: int
    rows: int
    instruments: int
    sessions: tuple[Session, ...]
    max_gap_us: int
    longest_gap_us: int
    gaps: tuple[Gap, ...]
    gaps_not_listed: int
    duplicates: int
    back_received: int
    back_exchange: int
    back_volume: int
    damaged: int
    damage: tuple[Damage, ...]
    freezes: tuple[Freeze, ...]
    delays: int
    delay_percentiles_s: Mapping[float, float | None]
    delay_most_s: float | None
    rates: tuple[Rate, ...]

    @property
    def has_long_gap(self) -> bool:
        """Whether a gap is longer than the limit, explained or not."""
        return self.longest_gap_us > self.max_gap_us


SegmentSpans = Callable[[str, date], Sequence[Interval]]
"""When a segment of the recording trades on a day, as far as is known: microseconds."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a report is made from, besides the rows' tally. `names` are those of the histories."""

    files: tuple[str, ...]
    is_complete: bool
    damaged: int
    damage: tuple[Damage, ...]
    histories: Sequence[History]
    names: Sequence[str]
    max_gap_us: int


def report(tally: Tally, evidence: Evidence, spans_of: SegmentSpans | None) -> Inspection:
    """The findings in the rows, against sessions (None: always open) and events.

    There is one row at least.
    """
    sessions = tuple(_one_session(tally) if spans_of is None else _sessions(tally, spans_of))
    gaps = _gaps(tally, union((each.from_us, each.to_us) for each in sessions))
    covered_us = length(union(each.covered for each in sessions if each.covered))
    listed = list(islice(_listed(gaps, evidence, covered_us / tally.rows), MOST_LISTED))
    long = sum(_us(gap) > evidence.max_gap_us for gap in gaps)
    segments = [segment for day in tally.days.values() for segment in day.segments.values()]
    return Inspection(
        files=evidence.files,
        is_complete=evidence.is_complete,
        from_us=min(segment.first_us for segment in segments),
        to_us=max(segment.last_us for segment in segments),
        rows=tally.rows,
        instruments=len(tally.instruments),
        sessions=sessions,
        max_gap_us=evidence.max_gap_us,
        longest_gap_us=length(gaps[:1]),
        gaps=tuple(sorted(listed)),
        gaps_not_listed=max(0, long - MOST_LISTED),
        duplicates=tally.duplicates.count,
        back_received=tally.back_received,
        back_exchange=tally.back_exchange,
        back_volume=tally.back_volume,
        damaged=evidence.damaged,
        damage=evidence.damage,
        freezes=tuple(sorted(tally.freezes.values(), reverse=True)),
        delays=tally.delays.count,
        delay_percentiles_s={each: tally.delays.percentile_s(each) for each in PERCENTILES},
        delay_most_s=tally.delays.most_s,
        rates=tuple(_rate(day, found) for day, found in sorted(tally.days.items())),
    )


def _one_session(tally: Tally) -> Iterator[Session]:
    """All of each segment."""
    found: dict[str, list[SegmentDay]] = {}
    for day in tally.days.values():
        for exchange, segment in day.segments.items():
            found.setdefault(exchange, []).append(segment)
    for exchange, segments in sorted(found.items()):
        span = (min(each.first_us for each in segments), max(each.last_us for each in segments))
        yield Session(exchange, *span, span, is_listed=False)


def _sessions(tally: Tally, spans_of: SegmentSpans) -> Iterator[Session]:
    """The sessions of the recording's days, from its first day to its last."""
    exchanges = sorted({exchange for day in tally.days.values() for exchange in day.segments})
    day, last = min(tally.days), max(tally.days)
    while day <= last:
        found = tally.days.get(day)
        listed = [(exchange, span) for exchange in exchanges for span in spans_of(exchange, day)]
        if found and found.live and not _is_in(day, found, [span for _, span in listed]):
            for exchange in sorted(found.segments):
                covered = _covered(found, exchange, found.live)
                yield Session(exchange, *found.live, covered, is_listed=False)
        else:
            for exchange, span in listed:
                yield Session(exchange, *span, _covered(found, exchange, span))
        day += timedelta(days=1)


def _is_in(day: date, found: Day, spans: Sequence[Interval]) -> bool:
    """Whether a day has rows in one of the spans, to the minute."""
    midnight = midnight_us(day)
    busy = [number for number, rows in enumerate(found.rows_by_minute) if rows]
    minutes = [(midnight + n * _MINUTE_US, midnight + (n + 1) * _MINUTE_US) for n in busy]
    return bool(common(minutes, spans))


def _covered(found: Day | None, exchange: str, span: Interval) -> Interval | None:
    segment = None if found is None else found.segments.get(exchange)
    if segment is None or segment.first_us > span[1] or segment.last_us < span[0]:
        return None
    return max(span[0], segment.first_us), min(span[1], segment.last_us)


def _gaps(tally: Tally, sessions: Sequence[Interval]) -> list[Interval]:
    """All that were kept of the gaps, the longest first."""
    gaps = [
        gap
        for _, from_us, to_us in tally.distances
        for gap in common([(from_us, to_us)], sessions)
        if _us(gap) >= tally.least_gap_us
    ]
    return sorted(gaps, key=_us, reverse=True)


def _listed(gaps: Sequence[Interval], evidence: Evidence, mean_us: float) -> Iterator[Gap]:
    """The gaps to list, the longest first. `mean_us`: how far apart rows are on average."""
    spans = union(span for history in evidence.histories for span in history.spans)
    for gap in gaps:
        stands_out = _us(gap) > evidence.max_gap_us or _us(gap) >= STANDS_OUT * mean_us
        if not (stands_out or _touch(gap, spans)):
            continue
        found = explain(
            gap, evidence.histories, most_open_us=evidence.max_gap_us, names=evidence.names
        )
        if stands_out or found.kind is not GapKind.UNEXPLAINED:
            yield Gap(*gap, *found)


def _touch(gap: Interval, spans: Sequence[Interval]) -> bool:
    """Whether any of the spans, which are apart and in order, has a part in a gap."""
    at = bisect_left(spans, gap[0], key=lambda span: span[1])
    return at < len(spans) and spans[at][0] < gap[1]


def _us(gap: Interval) -> int:
    return gap[1] - gap[0]


def _rate(day: date, found: Day) -> Rate:
    busy = [number for number in range(MINUTES_A_DAY) if found.rows_by_minute[number]]
    return Rate(day, busy[0], tuple(found.rows_by_minute[busy[0] : busy[-1] + 1]))
