"""What a stream's events say of a stretch of time: blind, quiet, or nothing that explains it. Pure.

Rules
- *Blind* is a connection from `lost` to `recovered`. It begins as much earlier as `blind_s` of the
  recovery, or `silence_s` of a `silent` before the loss, says: the last packet came before it.
  A loss that nothing ended lasts until the run ends or, where the file does not say, for as long
  as the file is asked.
- *Quiet* is the silence that a `quiet` event reports, from `silence_s` before it until the link
  is lost or the stream ends.
- A file has a say on the days of its events, while its stream ran: not after `summary`, and not
  before a first connect. It need not know of last week, nor of the hour before it was started.
- Several files are several recorders of one feed: blind is only what is blind in every file that
  has a say, for else one of them saw it. Quiet is what is quiet in any.
- A gap is explained where its spans leave open at most half of it, and no gap that would count by
  itself. One event in an hour of nothing explains a second of it, not the hour.

Times are microseconds since the epoch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from .clock import ist_time, midnight_us
from .intervals import Interval, common, length, union, without

SECOND_US = 1_000_000
_NEVER, _ALWAYS = -(1 << 62), 1 << 62
_NOTHING_MISSED_S = 0.001
_LONGEST_S = 1e9
_SLACK_US = SECOND_US
"""An event is written a moment after what it reports."""


class GapKind(StrEnum):
    """What is known of a stretch without rows."""

    BLIND = "blind"
    QUIET = "quiet"
    UNEXPLAINED = "unexplained"


class Explanation(NamedTuple):
    """A kind, and why, in the words of the events; None where they have none."""

    kind: GapKind
    cause: str | None = None


class EventFacts(NamedTuple):
    """A line of an events file: when, on which connection (0: the whole stream), what."""

    at_us: int
    connection: int
    name: str
    facts: Mapping[str, object]

    def seconds_us(self, key: str) -> int:
        """The microseconds of a fact in seconds, 0 where there is none."""
        value = self.facts.get(key)
        if not isinstance(value, int | float) or not 0 < value < _LONGEST_S:
            return 0
        return round(value * SECOND_US)

    def text(self, key: str) -> str:
        """A fact as text, "" where there is none."""
        value = self.facts.get(key)
        return value if isinstance(value, str) else ""


def event_facts(line: str | bytes) -> EventFacts:
    """The event in a line of an events file, of this version or another.

    Raises ValueError for a line that is not an event.
    """
    try:
        facts = json.loads(line)
        at, name, connection = facts["at"], facts["event"], facts.get("connection", 0)
        moment = datetime.fromisoformat(at)
        is_event = isinstance(name, str) and isinstance(connection, int)
        if not is_event or moment.tzinfo is None or not 1970 < moment.year < 9999:
            raise ValueError("a fact is of another type")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not an event") from error
    whole = moment.replace(microsecond=0)
    return EventFacts(
        round(whole.timestamp()) * SECOND_US + moment.microsecond, connection, name, facts
    )


@dataclass(frozen=True, slots=True)
class Loss:
    """A span in which a connection was lost. `is_costless`: the events say that nothing moved.

    `missed_us` is how much of it, from its start, the stream itself counted as blind; None where
    the events do not say, and all of it may have been.
    """

    span: Interval
    cause: str
    is_costless: bool = False
    missed_us: int | None = None

    @property
    def missed(self) -> Interval:
        """The part of the span that the stream counted as blind."""
        start, end = self.span
        return self.span if self.missed_us is None else (start, min(end, start + self.missed_us))


@dataclass(frozen=True, slots=True)
class Quietness:
    """Silence that is not a fault, reported at `at_us`."""

    span: Interval
    at_us: int
    cause: str


@dataclass(slots=True)
class History:
    """What one file says. `away` is when it has no say, `notes` what else may explain a gap."""

    losses: list[Loss] = field(default_factory=list)
    quiets: list[Quietness] = field(default_factory=list)
    away: list[Interval] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    is_demo: bool = False

    @property
    def spans(self) -> list[Interval]:
        """All that may explain a gap; of a silence that was quiet, up to its report."""
        quiets = [(quiet.span[0], quiet.at_us) for quiet in self.quiets]
        return [*(loss.span for loss in self.losses), *quiets]

    def near(self, span: Interval) -> History:
        """What of it concerns a span."""
        start, end = span[0] - _SLACK_US, span[1] + _SLACK_US
        return History(
            [loss for loss in self.losses if loss.span[0] < end and loss.span[1] > start],
            [quiet for quiet in self.quiets if start <= quiet.at_us <= end],
            common(self.away, [span]),
            [note for note in self.notes if start <= note[0] <= end],
        )


def history_of(events: Iterable[EventFacts]) -> History:
    """The history in the events of a file, in its order."""
    reader = HistoryReader()
    for event in events:
        reader.take(event)
    return reader.history()


def explain(
    gap: Interval, histories: Sequence[History], *, most_open_us: int, names: Sequence[str] = ()
) -> Explanation:
    """Why nothing came between two moments, as far as the histories know.

    `most_open_us`: how much of it may stay open where the rest is explained. `names` are those of
    the histories, in their order.
    """
    histories = [history.near(gap) for history in histories]
    quiets = [quiet for history in histories for quiet in history.quiets]
    blind = blind_within(gap, histories)
    spans = common([gap], union([*blind, *(quiet.span for quiet in quiets)]))
    open_us = length([gap]) - length(spans)
    losses = sorted(
        (loss for history in histories for loss in history.losses if common([loss.span], blind)),
        key=lambda loss: loss.span,
    )
    if spans and open_us <= min(most_open_us, length([gap]) // 2):
        if quiets and all(loss.is_costless for loss in losses):
            return Explanation(GapKind.QUIET, quiets[0].cause)
        return Explanation(GapKind.BLIND, losses[0].cause or None)
    return Explanation(GapKind.UNEXPLAINED, _hint(gap, histories, names, blind, losses))


def blind_within(span: Interval, histories: Sequence[History]) -> list[Interval]:
    """What of a span is blind in every history that has a say there."""
    return _in_all(span, histories, lambda loss: loss.span)


def missed_within(span: Interval, histories: Sequence[History]) -> list[Interval]:
    """As `blind_within`, of each loss only what its stream counted as blind."""
    return _in_all(span, histories, lambda loss: loss.missed)


def _in_all(
    span: Interval, histories: Sequence[History], part: Callable[[Loss], Interval]
) -> list[Interval]:
    blind = [span] if histories else []
    for history in histories:
        blind = common(blind, [*map(part, history.losses), *history.away])
    return without(blind, _away_in_all(span, histories))


def _hint(
    gap: Interval,
    histories: Sequence[History],
    names: Sequence[str],
    blind: Sequence[Interval],
    losses: Sequence[Loss],
) -> str | None:
    """What the events say of a gap that they do not explain."""
    notes = [text for history in histories for _, text in history.notes]
    if blind:
        notes.insert(0, f"blind for {length(blind) / SECOND_US:.1f} s of it ({losses[0].cause})")
    elif histories and length(_away_in_all(gap, histories)) * 2 > length([gap]):
        notes.insert(0, "no stream was running")
    seeing = [
        name
        for name, history in zip(names, histories, strict=False)
        if without([gap], [*(loss.span for loss in history.losses), *history.away])
    ]
    if seeing and len(seeing) < len(histories) and not notes:
        notes.append(f"no loss in {', '.join(seeing)}")
    return "; ".join(dict.fromkeys(notes)) or None


def _away_in_all(span: Interval, histories: Sequence[History]) -> list[Interval]:
    away = [span]
    for history in histories:
        away = common(away, history.away)
    return away


class HistoryReader:
    """Takes events one by one; what is open is by connection.

    It keeps every loss that has ended until `forget`.
    """

    def __init__(self) -> None:
        self._history = History()
        self._lost: dict[int, tuple[int, str]] = {}
        self._silent_since: dict[int, int] = {}
        self._quiet: dict[int, tuple[int, int, str]] = {}
        self._connected: set[int] = set()
        self._away_since: int | None = None
        self._first: EventFacts | None = None
        self._last_us = _NEVER

    def take(self, event: EventFacts) -> None:
        if self._first is None:
            self._first = event
        self._last_us = max(self._last_us, event.at_us)
        if self._away_since is not None and event.name != "summary":
            self._history.away.append((self._away_since, event.at_us))
            self._away_since = None
        rule = _RULES.get(event.name)
        if rule is not None:
            rule(self, event)

    def history(self) -> History:
        """What the events say so far; what nothing has ended has no end."""
        known = self._history
        lost = [Loss((since_us, _ALWAYS), cause) for since_us, cause in self._lost.values()]
        quiet = [
            Quietness((since_us, _ALWAYS), reported_us, cause)
            for since_us, reported_us, cause in self._quiet.values()
        ]
        away = list(known.away)
        if self._away_since is not None:
            away.append((self._away_since, _ALWAYS))
        if self._first is not None:
            is_start = self._first.name == "connected" and not self._first.facts.get("attempt")
            began_us = self._first.at_us if is_start else _day_start(self._first.at_us)
            away += [(_NEVER, began_us), (_day_start(self._last_us, 1), _ALWAYS)]
        return replace(
            known, losses=known.losses + lost, quiets=known.quiets + quiet, away=union(away)
        )

    def forget(self, before_us: int) -> None:
        """Drop what ended before a moment: nobody asks about that time again."""
        known = self._history
        known.losses = [loss for loss in known.losses if loss.span[1] >= before_us]
        known.quiets = [quiet for quiet in known.quiets if quiet.span[1] >= before_us]
        known.away = [away for away in known.away if away[1] >= before_us]
        known.notes = [note for note in known.notes if note[0] >= before_us]

    def _connect(self, event: EventFacts) -> None:
        if event.connection in self._connected:
            self._history.notes.append((event.at_us, "connected again without a loss before it"))
        self._connected.add(event.connection)

    def _silent(self, event: EventFacts) -> None:
        since_us = event.at_us - event.seconds_us("silence_s")
        self._silent_since[event.connection] = since_us

    def _lose(self, event: EventFacts) -> None:
        self._connected.discard(event.connection)
        self._end_quiet(event.connection, event.at_us)
        since_us = self._silent_since.pop(event.connection, event.at_us)
        self._lost.setdefault(event.connection, (since_us, event.text("cause")))

    def _recover(self, event: EventFacts) -> None:
        self._end_quiet(event.connection, event.at_us)
        since_us = event.at_us - event.seconds_us("blind_s")
        lost_us, cause = self._lost.pop(event.connection, (since_us, ""))
        blind_s = event.facts.get("blind_s")
        span = (min(since_us, lost_us), event.at_us)
        is_counted = isinstance(blind_s, int | float)
        is_costless = isinstance(blind_s, int | float) and blind_s < _NOTHING_MISSED_S
        missed_us = event.seconds_us("blind_s") if is_counted else None
        cause = cause or event.text("cause")
        self._history.losses.append(Loss(span, cause, is_costless, missed_us))

    def _be_quiet(self, event: EventFacts) -> None:
        self._end_quiet(event.connection, event.at_us)
        since_us = event.at_us - event.seconds_us("silence_s")
        cause = event.text("detail") or "the market is closed"
        self._quiet[event.connection] = (since_us, event.at_us, cause)

    def _end_connection(self, event: EventFacts) -> None:
        self._end_loss(event.connection, event.at_us)
        self._end_quiet(event.connection, event.at_us)

    def _end_run(self, event: EventFacts) -> None:
        for connection in {*self._lost, *self._quiet}:
            self._end_loss(connection, event.at_us)
            self._end_quiet(connection, event.at_us)
        self._silent_since.clear()
        self._connected.clear()
        self._away_since = event.at_us
        self._history.is_demo |= event.facts.get("is_demo") is True

    def _note_drops(self, event: EventFacts) -> None:
        dropped = event.facts.get("dropped")
        text = f"ticks dropped, {dropped} in all so far: a reader was too slow"
        self._history.notes.append((event.at_us, text))

    def _note_clock(self, event: EventFacts) -> None:
        seconds = event.facts.get("seconds")
        text = f"this machine's clock was set by {seconds} s"
        self._history.notes.append((event.at_us, text))

    def _end_loss(self, connection: int, at_us: int) -> None:
        if connection in self._lost:
            since_us, cause = self._lost.pop(connection)
            self._history.losses.append(Loss((since_us, at_us), cause))

    def _end_quiet(self, connection: int, at_us: int) -> None:
        if connection in self._quiet:
            since_us, reported_us, cause = self._quiet.pop(connection)
            self._history.quiets.append(Quietness((since_us, at_us), reported_us, cause))


_RULES = {
    "connected": HistoryReader._connect,
    "silent": HistoryReader._silent,
    "lost": HistoryReader._lose,
    "recovered": HistoryReader._recover,
    "quiet": HistoryReader._be_quiet,
    "gave_up": HistoryReader._end_connection,
    "stopped": HistoryReader._end_connection,
    "summary": HistoryReader._end_run,
    "dropped": HistoryReader._note_drops,
    "clock_step": HistoryReader._note_clock,
}


def _day_start(at_us: int, days: int = 0) -> int:
    """Midnight in India of that day, or so many days later."""
    return midnight_us(ist_time(at_us * 1000).date() + timedelta(days=days))
