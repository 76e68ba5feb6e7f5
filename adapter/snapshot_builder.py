"""Makes the snapshots of a running stream: the values of snapshot.py, from its connections."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from .clock import Clock, ist_time
from .event_log import EventLog
from .feed.buffer import TickBuffer
from .feed.connection import Connection
from .feed.lifecycle import Phase, Policy
from .feed.stats import RateMeter, RecentGrowth
from .feed.tracker import InstrumentState
from .instrument import InstrumentKey, exchange_name
from .market.calendar import MarketCalendar, Outlook
from .market.evidence import MarketState
from .market.hours import Kind, Segment, segments
from .market.state import Sight
from .quotes import ChainListing, Quotes
from .selection import Seen, SeenNow, Selection
from .snapshot import ConnectionSnapshot, FeedSnapshot, MarketSnapshot, client_digest
from .wire.subscription import Unit

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
        """The stream's state now; also samples the figures of the last minute."""
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
        """What follows from the units alone: made again when they change, not for each snapshot."""
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


def _age_s(received_ns: int | None, wall_ns: int) -> float:
    return 0.0 if received_ns is None else max(0.0, (wall_ns - received_ns) / 1e9)


def _states(connection: Connection) -> list[InstrumentState]:
    """What has ticked of the instruments that a connection carries now."""
    seen = list(connection.tracker.seen.values())
    return [state for state in seen if state.is_wanted and state.ticks]


def _by_key(states: Sequence[InstrumentState]) -> dict[InstrumentKey, Seen]:
    """Each instrument so far; of one subscribed in two modes, the richer."""
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
    """The segments of all connections, each in the best state that one of them reports."""
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
