"""How a stream stands at one moment: what a dashboard draws, and other processes read.

A snapshot holds values (aware datetimes, seconds, phases, counts, exact decimals); the text for
people is made where it is shown. As JSON its times are ISO 8601 in India, its prices text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from .clock import Clock, ist_time
from .event_log import EventLog
from .events import LogEntry
from .feed.lifecycle import Phase, Policy
from .feed.stats import RateMeter, RecentGrowth
from .instrument import InstrumentKey, exchange_name
from .market.evidence import MarketState
from .market.hours import Kind, Segment, segments
from .market.state import Sight
from .quotes import ChainListing, ChainSnapshot, InstrumentSnapshot, Quotes, StrikeSnapshot
from .selection import TYPED, Seen, SeenNow, Selection
from .wire.subscription import Unit

if TYPE_CHECKING:  # whoever only reads snapshots pays for no network and no calendar
    from .feed.buffer import TickBuffer
    from .feed.connection import Connection
    from .feed.tracker import InstrumentState
    from .market.calendar import MarketCalendar, Outlook

__all__ = [
    "ChainSnapshot",
    "ConnectionSnapshot",
    "FeedSnapshot",
    "InstrumentSnapshot",
    "MarketSnapshot",
    "OutputSnapshot",
    "SnapshotBuilder",
    "StrikeSnapshot",
    "client_digest",
]

_WORST_FIRST = (
    Phase.LOST,
    Phase.WAITING,
    Phase.CONNECTING,
    Phase.LIVE,
    Phase.IDLE,
    Phase.STOPPED,
)
_BEST_FIRST = (
    MarketState.LIVE,
    MarketState.STANDING,
    MarketState.EXPECTED,
    MarketState.RESTING,
)


@dataclass(frozen=True, slots=True)
class ConnectionSnapshot:
    """One connection; seconds end in `_s`. `next_try_s` None: no wait is running. `attempts` and
    `episodes` (losses that needed attempts) are those of the whole run, `attempt` is the present
    one."""

    number: int
    phase: Phase
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
    attempts: int = 0
    episodes: int = 0


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """One exchange segment (market/state.py). `newest` is its newest exchange time, None: none.
    `silence_limit_s`: how long its silence may last, None where the policy says. `closes_at`: the
    end of the session that the calendar knows to run, None where it knows of none."""

    exchange: str
    state: MarketState
    newest: datetime | None
    silence_limit_s: float | None = None
    closes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutputSnapshot:
    """Where ticks go: name, whole rows and bytes written. `is_left`: its reader has gone, or it
    failed; nothing is written to it any more."""

    name: str
    rows: int
    bytes_written: int
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class FeedSnapshot:
    """The whole stream at one moment.

    `phase` is the worst of the connections'; `silence_s` the longest. Rates are ticks a second,
    `rates` one a second of the last minute, oldest first. Latency is from the socket to the flushed
    outputs in the last minute, None where nothing was written. `session_expires_at` is None while
    it is not known, `market_opens_at` while the market is open. `instruments` holds the most
    active; `instruments_total` counts all, `never_ticked` those without a tick since they were
    subscribed. `uncertain_s`: seconds in which the feed answered and nothing moved; `foreign`:
    packets that nobody subscribed to; `names_skipped`: names of watch lists that mean no
    instrument.

    `recent_...` are counts of the last minute. `behind_s` is the age of the oldest tick that is not
    written yet, `slow_output` the output that is being waited for. `login_wait_s`: until the next
    TOTP code is sent, None where none is waited for. `feed` is the broker's address, `client` a
    digest of the client code ("" while it is not known): by them other processes see whose stream
    it is.
    """

    at: datetime
    started_at: datetime
    uptime_s: float
    phase: Phase
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
    session_expires_at: datetime | None
    is_market_open: bool
    market_opens_at: datetime | None
    instruments: tuple[InstrumentSnapshot, ...]
    instruments_total: int
    never_ticked: int
    latency_p50_us: float | None = None
    latency_p99_us: float | None = None
    outputs: tuple[OutputSnapshot, ...] = ()
    uncertain_s: float = 0.0
    foreign: int = 0
    names_skipped: int = 0
    is_demo: bool = False
    attempts: int = 0
    recent_dropped: int = 0
    recent_malformed: int = 0
    recent_foreign: int = 0
    behind_s: float = 0.0
    slow_output: str = ""
    login_wait_s: float | None = None
    feed: str = ""
    client: str = ""
    market: tuple[MarketSnapshot, ...] = ()
    first_row: int = 0
    matching: int | None = None
    order: str = TYPED
    chains: tuple[ChainSnapshot, ...] = ()
    events: tuple[LogEntry, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """JSON values, as the status file and `--json` give them."""
        plain: dict[str, object] = msgspec.to_builtins(replace(self, events=()))
        return {**plain, "events": [entry.to_dict() for entry in self.events]}

    @classmethod
    def from_dict(cls, given: Mapping[str, object]) -> FeedSnapshot:
        """What `to_dict` gave, perhaps in another version of this program.

        Keys and events that are not known are ignored. Raises ValueError where a value is missing
        or of another type.
        """
        plain = msgspec.convert({**given, "events": ()}, cls)
        return replace(plain, events=tuple(_entries(given.get("events"))))


def _entries(given: object) -> list[LogEntry]:
    if not isinstance(given, list):
        raise ValueError("events: not a list")
    entries = [LogEntry.from_dict(each) for each in given]
    return [entry for entry in entries if entry is not None]


class _Subscribed(NamedTuple):
    """Units, the instruments that they are of, in their order, and the segments of these."""

    units: Sequence[Unit]
    keys: Sequence[InstrumentKey]
    segments: tuple[Segment, ...]


class SnapshotBuilder:
    """Makes the snapshots of one broker.

    A snapshot may be asked for by any thread. It reads the counters that the feed threads write
    without a lock: each is one number, and a figure that is a packet behind does no harm.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        policy: Policy,
        calendar: MarketCalendar,
        buffer: TickBuffer,
        log: EventLog,
        symbols: Mapping[InstrumentKey, str],
        kind_of: Callable[[InstrumentKey], Kind],
    ) -> None:
        self._clock = clock
        self._policy = policy
        self._calendar = calendar
        self._buffer = buffer
        self._log = log
        self._quotes = Quotes(symbols)
        self._known = _Subscribed([], [], ())
        self._kind_of = kind_of
        self._started_s = clock.now_s()
        self._started_ns = clock.wall_ns()
        self.restart()

    def restart(self) -> None:
        """The connections count from 0 again."""
        self._rate = RateMeter(self._clock.now_s())
        self._dropped, self._malformed, self._foreign = (RecentGrowth() for _ in range(3))

    def build(
        self,
        connections: Sequence[Connection],
        units: Sequence[Unit],
        selection: Selection,
        chains: Sequence[ChainListing] = (),
    ) -> FeedSnapshot:
        """How the stream stands now; samples what is of the last minute too."""
        now_s, wall_ns = self._clock.now_s(), self._clock.wall_ns()
        shown = [self._connection(connection, now_s) for connection in connections]
        trackers = [connection.tracker for connection in connections]
        carrying = [connection for connection in connections if connection.units]
        ticks = sum(tracker.ticks for tracker in trackers)
        self._rate.sample(now_s, ticks)
        known = self._subscribed(units)
        wanted, keys = known.segments, known.keys
        outlooks = {each: self._calendar.outlook(each, wall_ns) for each in wanted}
        market = _joined_market(connections, outlooks)
        is_open = _is_live(market) or self._calendar.is_open(wanted, wall_ns)
        expiries = [c.session_expires_ns for c in carrying if c.session_expires_ns]
        states = [state for connection in carrying for state in _states(connection)]
        seen = _by_key(states)
        page = self._quotes.page(keys, seen, selection, now_s)
        dropped = self._buffer.dropped
        malformed = sum(tracker.malformed for tracker in trackers)
        foreign = sum(tracker.foreign for tracker in trackers)
        return FeedSnapshot(
            at=ist_time(wall_ns),
            started_at=ist_time(self._started_ns),
            uptime_s=round(now_s - self._started_s, 3),
            phase=_worst_phase(shown),
            connections=tuple(shown),
            ticks=ticks,
            rate_now=self._rate.now,
            rate_mean=self._rate.mean(now_s),
            rate_peak=self._rate.peak,
            rates=self._rate.history,
            silence_s=max((c.silence_s for c in shown), default=0.0),
            silence_after_s=self._policy.silence_after_s,
            reconnects=sum(c.reconnects for c in shown),
            blind_s=sum(c.blind_s for c in shown),
            last_cause=next((c.last_cause for c in shown if c.last_cause), ""),
            dropped=dropped,
            malformed=malformed,
            foreign=foreign,
            out_of_order=sum(tracker.out_of_order for tracker in trackers),
            duplicates=sum(tracker.duplicates for tracker in trackers),
            buffered=self._buffer.size,
            buffer_limit=self._buffer.limit,
            session_expires_at=ist_time(min(expiries)) if expiries else None,
            is_market_open=is_open,
            market_opens_at=None if is_open else self._calendar.next_open(wanted, wall_ns),
            instruments=page.instruments,
            instruments_total=len(keys),
            never_ticked=max(0, len(keys) - len(seen)),  # a dropped one may still be in `seen`
            uncertain_s=sum(c.uncertain_s for c in shown),
            attempts=sum(c.attempts for c in shown),
            recent_dropped=self._dropped.sample(now_s, dropped),
            recent_malformed=self._malformed.sample(now_s, malformed),
            recent_foreign=self._foreign.sample(now_s, foreign),
            behind_s=_age_s(self._buffer.oldest_ns, wall_ns),
            client=next((client_digest(c.client_code) for c in connections if c.client_code), ""),
            market=market,
            first_row=page.chosen.first,
            matching=page.chosen.matching,
            order=page.chosen.order,
            chains=tuple(self._quotes.chain(one, seen, selection, now_s) for one in chains),
            events=self._log.recent(),
        )

    def _subscribed(self, units: Sequence[Unit]) -> _Subscribed:
        """What follows from the units alone: made anew when they change, not at each look."""
        if units != self._known.units:
            kinds = ((unit.exchange_type, self._kind_of(unit[:2])) for unit in units)
            keys = list(dict.fromkeys(unit[:2] for unit in units))
            self._known = _Subscribed(units, keys, segments(kinds))
        return self._known

    def _connection(self, connection: Connection, now_s: float) -> ConnectionSnapshot:
        state = connection.state
        is_live, is_waiting = state.phase is Phase.LIVE, state.phase is Phase.WAITING
        return ConnectionSnapshot(
            number=connection.number,
            phase=state.phase,
            is_quiet=state.is_quiet,
            instruments=len(connection.units),
            attempt=state.attempt,
            max_attempts=self._policy.max_attempts,
            delay_s=state.delay_s,
            next_try_s=max(0.0, state.due_at_s - now_s) if is_waiting else None,
            silence_s=max(0.0, now_s - connection.last_data_s) if is_live else 0.0,
            reconnects=state.reconnects,
            blind_s=connection.market.blind_s(now_s),
            last_cause="" if state.cause is None else state.cause.label,
            ticks=connection.tracker.ticks,
            uncertain_s=connection.market.uncertain_s(now_s),
            attempts=state.attempts,
            episodes=state.episodes,
        )


def client_digest(client_code: str) -> str:
    """By this a process knows the streams of an account from others; the code itself is nobody
    else's business."""
    return hashlib.sha256(client_code.encode()).hexdigest()[:16]


def _age_s(received_ns: int | None, wall_ns: int) -> float:
    return 0.0 if received_ns is None else max(0.0, (wall_ns - received_ns) / 1e9)


def _states(connection: Connection) -> list[InstrumentState]:
    """What has ticked of the instruments that a connection carries now."""
    seen = list(connection.tracker.seen.values())
    return [state for state in seen if state.is_wanted and state.ticks]


def _by_key(states: Sequence[InstrumentState]) -> dict[InstrumentKey, Seen]:
    """What has come of each instrument; of one in two modes, what the richer one tells."""
    seen: dict[InstrumentKey, Seen] = {state.key: state for state in states}
    if len(seen) == len(states):
        return seen
    seen = {}
    for state in states:
        other = seen.get(state.key)
        if other is not None:
            richer = max(other.packet, state.packet, key=len)
            both = other.ticks + state.ticks
            seen[state.key] = SeenNow(both, richer, max(other.at_s, state.at_s))
        else:
            seen[state.key] = state
    return seen


def _joined_market(
    connections: Iterable[Connection], outlooks: Mapping[Segment, Outlook]
) -> tuple[MarketSnapshot, ...]:
    """The segments of all connections, each as it stands where it stands best."""
    closes = {exchange_name(each.exchange_type): o.closes_ms for each, o in outlooks.items()}
    best: dict[str, Sight] = {}
    for sight in (sight for each in connections for sight in each.market.sights()):
        known = best.get(sight.exchange)
        if known is None or _BEST_FIRST.index(sight.state) < _BEST_FIRST.index(known.state):
            best[sight.exchange] = sight
    return tuple(
        MarketSnapshot(*sight, closes_at=_wall_time(closes.get(sight.exchange)))
        for sight in best.values()
    )


def _wall_time(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else ist_time(at_ms * 1_000_000)


def _is_live(market: Iterable[MarketSnapshot]) -> bool:
    """Whether packets prove that a segment trades."""
    return any(segment.state is MarketState.LIVE for segment in market)


def _worst_phase(connections: Collection[ConnectionSnapshot]) -> Phase:
    phases = {connection.phase for connection in connections}
    return next((phase for phase in _WORST_FIRST if phase in phases), Phase.IDLE)
