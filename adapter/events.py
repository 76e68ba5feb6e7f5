"""What happens to a feed, as typed events. The log that they go into: event_log.py.

Rules
- An event is a frozen class. Its name for programs is the class's in snake_case (`gave_up`).
- Seconds end in `_s` (`seconds` alone in `first_tick` and `summary`) and are full floats here; as
  JSON they are rounded to milliseconds.
- A fact that is None is left out of the JSON, except where null itself has a meaning.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from .clock import ist_time

_NULL_SAYS_SOMETHING = {"max_attempts"}
"""None there is "no limit"; anywhere else it is "not known" or "not of this event"."""

CONVERTING = threading.Lock()
"""Held while msgspec makes one of our dataclasses: at the first of a class it looks through the
class, and Python crashes where a second thread is there meanwhile."""

EventT = TypeVar("EventT", bound="FeedEvent")


@dataclass(frozen=True)
class FeedEvent:
    """Base of all events; `name` is what programs call it."""

    __slots__ = ()
    name: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        cls.name = re.sub(r"(?<=.)(?=[A-Z])", "_", cls.__name__).lower()
        _CLASSES[cls.name] = cls

    def facts(self) -> dict[str, object]:
        """The facts as JSON values, in their order."""
        values = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {
            name: _plain(value)
            for name, value in values
            if value is not None or name in _NULL_SAYS_SOMETHING
        }

    @classmethod
    def from_facts(cls: type[EventT], facts: Mapping[str, object]) -> EventT:
        """The event that has these facts; keys that are unknown are ignored.

        Raises ValueError where a fact is missing or of another type.
        """
        import msgspec  # needed only where events are read

        with CONVERTING:
            return msgspec.convert(facts, cls)


_CLASSES: dict[str, type[FeedEvent]] = {}


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


# --- one connection -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connected(FeedEvent):
    """The handshake succeeded. `attempt` is 0 for a connect that follows no failure."""

    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Subscribed(FeedEvent):
    """A request for `instruments` units of one mode was sent."""

    request: str
    mode: str
    instruments: int


@dataclass(frozen=True, slots=True)
class Unsubscribed(FeedEvent):
    """A request to end `instruments` units of one mode was sent."""

    request: str
    mode: str
    instruments: int


@dataclass(frozen=True, slots=True)
class FirstTick(FeedEvent):
    """The first data on this socket, `seconds` after the subscription."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Silent(FeedEvent):
    """A check found too much silence while the market is open."""

    silence_s: float


@dataclass(frozen=True, slots=True)
class Quiet(FeedEvent):
    """Silence that is not a fault: the market is closed, or (`detail`) it stands still.

    `newest` is the newest exchange time that the feed gave, `exchange` the segment that stands
    still, where that matters.
    """

    silence_s: float
    newest: datetime | None = None
    detail: str | None = None
    exchange: str | None = None


@dataclass(frozen=True, slots=True)
class Lost(FeedEvent):
    """The socket broke, or the attempt to open one failed.

    `cause` is the error's label, `detail` its message, `code` the close code or HTTP status.
    """

    cause: str
    detail: str = ""
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting(FeedEvent):
    """Attempt number `attempt` follows in `delay_s` seconds. `max_attempts` None: no limit."""

    cause: str
    detail: str = ""
    code: int | None = None
    _: KW_ONLY
    attempt: int
    max_attempts: int | None
    delay_s: float


@dataclass(frozen=True, slots=True)
class Recovered(FeedEvent):
    """Ticks are back after a loss. `uncertain_s`: seconds in which the feed answered and nothing
    moved, None where that is not the case."""

    cause: str
    detail: str = ""
    code: int | None = None
    blind_s: float = 0.0
    uncertain_s: float | None = None


@dataclass(frozen=True, slots=True)
class GaveUp(FeedEvent):
    """No further attempt. `blind_s` is the sum of the connection's blind seconds."""

    cause: str
    detail: str = ""
    code: int | None = None
    _: KW_ONLY
    attempts: int
    blind_s: float


@dataclass(frozen=True, slots=True)
class Renewed(FeedEvent):
    """The tokens are new and end at `expires_at`."""

    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RenewalFailed(FeedEvent):
    """The session could not be renewed; the old tokens are tried."""

    detail: str


@dataclass(frozen=True, slots=True)
class Refused(FeedEvent):
    """The broker refused a request. `request` and `instruments` are None where it did not say
    which. `others`: how many more it refused within a second, which are not listed."""

    code: str
    detail: str
    request: str | None = None
    instruments: int | None = None
    others: int | None = None


@dataclass(frozen=True, slots=True)
class Malformed(FeedEvent):
    """Packets that could not be decoded, counted from the start, in all and by reason."""

    malformed: int
    by_reason: Mapping[str, int] = field(default_factory=dict)

    def facts(self) -> dict[str, object]:
        reasons = {f"malformed_{reason}": count for reason, count in self.by_reason.items()}
        return {"malformed": self.malformed, **reasons}

    @classmethod
    def from_facts(cls, facts: Mapping[str, object]) -> Malformed:
        reasons = {
            key.removeprefix("malformed_"): count
            for key, count in facts.items()
            if key.startswith("malformed_") and isinstance(count, int)
        }
        total = facts.get("malformed")
        if not isinstance(total, int):
            raise ValueError("malformed: not a count")
        return cls(total, reasons)


@dataclass(frozen=True, slots=True)
class OutOfOrder(FeedEvent):
    """Packets out of order, and packets that came twice, counted from the start."""

    out_of_order: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Foreign(FeedEvent):
    """Packets of a token, segment or mode that nobody subscribed to, counted from the start."""

    foreign: int


@dataclass(frozen=True, slots=True)
class Market(FeedEvent):
    """What is known of a segment has changed.

    `exchange` is the segment's name, `by` is `packets` or `calendar`, `newest` the newest exchange
    time seen (None: none), `session` is `unlisted` where the calendar knows of none.
    """

    exchange: str
    state: str
    by: str
    newest: datetime | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Probe(FeedEvent):
    """A connection was opened to see whether the feed still moves; `answer` is what it showed."""

    answer: str
    exchange: str | None = None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stopped(FeedEvent):
    """The end was asked for. `blind_s` is the sum of the connection's blind seconds."""

    blind_s: float = 0.0


# --- the whole stream -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Added(FeedEvent):
    """Instruments were added to the running stream."""

    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removed(FeedEvent):
    """Instruments were taken out of the running stream."""

    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dropped(FeedEvent):
    """The buffer was full: `dropped` ticks so far did not reach the outputs."""

    dropped: int


@dataclass(frozen=True, slots=True)
class Rotated(FeedEvent):
    """A file is complete with its `rows`, and the `next` one is begun."""

    finished: str
    rows: int
    next: str


@dataclass(frozen=True, slots=True)
class ReaderLeft(FeedEvent):
    """The reader of one output left; the other outputs go on."""

    output: str


@dataclass(frozen=True, slots=True)
class ClockStep(FeedEvent):
    """This machine's wall clock was set, by `seconds` forward (positive) or back."""

    seconds: float


@dataclass(frozen=True, slots=True)
class EventsDropped(FeedEvent):
    """The log was full: so many `events` were not taken in time, and are lost."""

    events: int


@dataclass(frozen=True, slots=True)
class Summary(FeedEvent):
    """The totals of a run, its last event.

    `ticks` were handed to the outputs or dropped; `outputs` are the rows by the output's name.
    `uncertain_s`: seconds in which the feed answered and nothing moved. `names_skipped` counts
    names of watch lists that mean no instrument.
    """

    ticks: int
    instruments: int
    seconds: float
    reconnects: int
    blind_s: float
    dropped: int
    malformed: int
    out_of_order: int
    duplicates: int
    outputs: Mapping[str, int]
    foreign: int = 0
    uncertain_s: float = 0.0
    names_skipped: int = 0
    is_demo: bool = False


# --- an event in its place ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An event, when it happened (wall clock, ns), and on which connection.

    Connections count from 1; 0 is the whole stream.
    """

    at_ns: int
    connection: int
    event: FeedEvent

    @property
    def at(self) -> datetime:
        """When, in IST."""
        return ist_time(self.at_ns)

    def to_dict(self) -> dict[str, object]:
        """As JSON values: `at`, `connection`, `event`, and the facts."""
        at = self.at.isoformat(timespec="microseconds")
        return {
            "at": at,
            "connection": self.connection,
            "event": self.event.name,
            **self.event.facts(),
        }

    def to_json(self) -> str:
        """One line of an events file, without its line end."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> LogEntry | None:
        """What `to_dict` gave; None for an event that this version does not know.

        Raises ValueError for what is not an event.
        """
        try:
            at, name = datetime.fromisoformat(given["at"]), given["event"]
            connection = given.get("connection", 0)
            kind = _CLASSES.get(name)
            if at.tzinfo is None or not isinstance(connection, int) or not isinstance(name, str):
                raise ValueError("not an event")
            if kind is None:
                return None
            return cls(_wall_ns(at), connection, kind.from_facts(given))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an event") from error


def read_event(line: str) -> LogEntry | None:
    """The event in a line of an events file; None for one that this version does not know.

    Raises ValueError for a line that is not an event.
    """
    try:
        return LogEntry.from_dict(json.loads(line))
    except RecursionError as error:
        raise ValueError("not an event") from error


def _wall_ns(at: datetime) -> int:
    seconds = int(at.replace(microsecond=0).timestamp())
    return seconds * 1_000_000_000 + at.microsecond * 1000
