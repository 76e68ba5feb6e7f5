"""The facade: one object that turns a session and a wish list into a stream of ticks.

    with BrokerAdapter(sessions) as broker:
        broker.subscribe(instruments, Mode.QUOTE)
        for tick in broker:
            ...

Three promises: it never polls while the WebSocket is the source (an empty buffer gives None, and
nothing else is asked); it watches the feed's health; it reconnects by itself, and says so.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from types import TracebackType

from .auth.authenticator import Authenticator
from .clock import Clock, SystemClock, ist_time
from .errors import FeedLostError, TicksError
from .events import FeedEvent
from .feed.buffer import Batch, TickBuffer
from .feed.connection import Connection, Ports
from .feed.lifecycle import Phase, Policy
from .feed.network import SystemNetwork
from .feed.stats import (
    ConnectionSnapshot,
    FeedSnapshot,
    InstrumentSnapshot,
    LatencyHistogram,
    MarketSnapshot,
    RateMeter,
    activity,
)
from .feed.tracker import InstrumentState, PacketTracker
from .instrument import Instrument, InstrumentKey, price_digits
from .market.calendar import MarketCalendar
from .market.evidence import MarketState
from .market.hours import Kind, Segment, kind_of, segments
from .market.state import MarketWatch, Sight
from .tick import Mode, Tick
from .urls import FEED_URL
from .waker import Waker
from .wire.packet import decode_packet
from .wire.subscription import UNITS_PER_CONNECTION, Unit, spread

DEFAULT_BUFFER = 100_000
"""Packets between socket and reader before the oldest are dropped, counted."""
_RECENT_EVENTS = 50
_MOST_EVENTS = 10_000
"""Kept for `take_events`; a program that never asks must not grow for it."""
_JOIN_S = 3.0
_INDEX_KIND = "AMXIDX"
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


class BrokerAdapter:
    """The feed of one login: up to 3 connections, up to 3,000 instruments.

    `sessions` renews the tokens (auth/authenticator.py). `buffer_limit` counts packets. `calendar`
    decides whether silence is a fault. Nothing is sent before `connect`.
    """

    def __init__(
        self,
        sessions: Authenticator,
        *,
        feed_url: str = FEED_URL,
        policy: Policy | None = None,
        calendar: MarketCalendar | None = None,
        buffer_limit: int = DEFAULT_BUFFER,
        clock: Clock | None = None,
    ) -> None:
        self.policy = policy or Policy()
        self.clock = clock or SystemClock()
        self.calendar = calendar or MarketCalendar()
        self.waker = Waker()
        self.buffer = TickBuffer(buffer_limit, self.waker)
        self.latency = LatencyHistogram()
        self.symbols: dict[InstrumentKey, str] = {}
        self.error: TicksError | None = None
        self._sessions = sessions
        self._feed_url = feed_url
        self._units: dict[Unit, None] = {}
        self._modes: set[int] = set()
        self._indices: set[InstrumentKey] = set()
        self._kinds: dict[InstrumentKey, Kind] = {}
        self._connections: list[Connection] = []
        self._threads: list[threading.Thread] = []
        self._events: deque[FeedEvent] = deque(maxlen=_MOST_EVENTS)
        self._recent: deque[FeedEvent] = deque(maxlen=_RECENT_EVENTS)
        self._started_s = self.clock.now_s()
        self._started_ns = self.clock.wall_ns()
        self._rate = RateMeter(self._started_s)
        self._is_connected = False

    # --- life ---

    def connect(self) -> None:
        """Start the connections. Returns at once: what becomes of them is in events and snapshot.

        After a `disconnect`, or a feed lost for good, it begins anew.

        Raises SubscriptionRefusedError when more than 3,000 instruments are wanted.
        """
        if self._is_connected:
            return
        self._connections, self._threads, self.error = [], [], None
        self._is_connected = True
        self._rate = RateMeter(self.clock.now_s())
        self._assign()

    def stop(self) -> None:
        """Ask every connection to close, and wait for none. Safe in a signal handler."""
        for connection in self._connections:
            connection.stop()
        self.waker.wake()

    def disconnect(self) -> None:
        """Close every connection with a close frame and join its thread. May be called twice."""
        self.stop()
        for thread in self._threads:
            thread.join(_JOIN_S)
        self._is_connected = False
        self.waker.wake()

    def __enter__(self) -> BrokerAdapter:
        self.connect()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.disconnect()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come: lost for good (`error` says why) or disconnected."""
        return self.error is not None or not self._is_connected

    # --- wishes ---

    def subscribe(self, instruments: Iterable[Instrument], mode: Mode = Mode.QUOTE) -> None:
        """Want these in `mode` (LTP, QUOTE, SNAP), from now on or from `connect` on.

        Raises SubscriptionRefusedError over the broker's limits (3,000 in all); nothing changes
        then. Raises ValueError for a mode that is none, and for DEPTH, which the broker withdrew
        on 2025-04-25.
        """
        mode = Mode(mode)
        if mode is Mode.DEPTH:
            raise ValueError("the broker withdrew mode 4 (depth) on 2025-04-25")
        wanted = list(instruments)
        units = dict.fromkeys(Unit(i.exchange_type, i.token, mode) for i in wanted)
        spread([*self._units, *units])
        for instrument in wanted:
            self.symbols[instrument.key] = instrument.symbol
            self._kinds[instrument.key] = kind_of(instrument.exchange_type, instrument.name)
            if instrument.kind == _INDEX_KIND:
                self._indices.add(instrument.key)
        self._modes.add(mode)
        self._units.update(units)
        if self._is_connected:
            self._assign()

    def unsubscribe(self, instruments: Iterable[Instrument], mode: Mode = Mode.QUOTE) -> None:
        """Want these no more; what is not subscribed is passed over."""
        for instrument in instruments:
            self._units.pop(Unit(instrument.exchange_type, instrument.token, mode), None)
        if self._is_connected:
            self._assign()

    def _assign(self) -> None:
        """Give every unit a connection: standing ones stay, new ones fill what is free."""
        shares = [
            [unit for unit in connection.units if unit in self._units]
            for connection in self._connections
        ]
        standing = {unit for share in shares for unit in share}
        missing = [unit for unit in self._units if unit not in standing]
        for share in shares:
            room = UNITS_PER_CONNECTION - len(share)
            share.extend(missing[:room])
            missing = missing[room:]
        for connection, share in zip(self._connections, shares, strict=True):
            if tuple(share) != connection.units:
                connection.set_units(share)
        for share in spread(missing):
            self._start(share)

    def _start(self, units: list[Unit]) -> None:
        number = len(self._connections) + 1
        ports = Ports(
            network=SystemNetwork(
                self._feed_url, self._sessions, self.clock, name=f"feed {number}"
            ),
            clock=self.clock,
            kind_of=self._kind_of,
            draw=random.SystemRandom().random,
            deliver=self.buffer.put,
            report=self._report,
        )
        market = MarketWatch(
            self.calendar,
            silence_after_s=self.policy.silence_after_s,
            stable_after_s=self.policy.stable_after_s,
        )
        tracker = PacketTracker(self._modes, self._indices, market.segment)
        connection = Connection(
            number, ports, policy=self.policy, units=units, tracker=tracker, market=market
        )
        self._connections.append(connection)
        thread = threading.Thread(
            target=self._live, args=(connection,), name=f"feed {number}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _live(self, connection: Connection) -> None:
        """The thread of one connection. The first loss for good ends the stream."""
        try:
            error = connection.run()
        except Exception as unexpected:  # noqa: BLE001  (a thread's last words must be heard)
            error = FeedLostError(f"connection {connection.number} died: {unexpected!r}")
            error.__cause__ = unexpected
        if error is not None and self.error is None:
            self.error = _final_error(error, connection)
        self.waker.wake()

    def _kind_of(self, key: InstrumentKey) -> Kind:
        return self._kinds.get(key, Kind.ORDINARY)

    def _segments(self) -> tuple[Segment, ...]:
        """What is subscribed, as the calendar sees it."""
        return segments((unit.exchange_type, self._kind_of(unit[:2])) for unit in list(self._units))

    # --- ticks ---

    def get_next_tick(self) -> Tick | None:
        """The oldest tick that has come, or None. Never waits, polls or asks elsewhere."""
        taken = self.buffer.take_packet()
        if taken is None:
            return None
        received_ns, packet = taken
        tick = decode_packet(packet, received_ns=received_ns)
        return tick._replace(symbol=self.symbols.get((tick.exchange_type, tick.token), ""))

    def __iter__(self) -> Iterator[Tick]:
        """Every tick as it comes; waits in between. Ends at `disconnect`.

        Raises the error that lost the feed for good, after the last tick.
        """
        while True:
            tick = self.get_next_tick()
            if tick is not None:
                yield tick
            elif self.error is not None:
                raise self.error
            elif self.is_over:
                return
            else:
                self.wait(None)

    def take(self, most: int | None = None) -> list[Batch]:
        """The packets that have come, drain by drain, `most` or a few more; empty when there are
        none. Never waits."""
        return self.buffer.take(most)

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until something has come, the feed is over or somebody rang; whether that was so."""
        return self.waker.wait(timeout_s)

    # --- what happened ---

    def _report(self, connection: int, name: str, facts: dict[str, object]) -> None:
        self.report(name, facts, connection=connection)

    def report(self, name: str, facts: dict[str, object], *, connection: int = 0) -> None:
        """Add an event to the history (0: it concerns the whole stream). Safe from any thread."""
        event = FeedEvent(self.clock.wall_ns(), connection, name, facts)
        self._events.append(event)
        self._recent.append(event)
        self.waker.wake()

    def take_events(self) -> list[FeedEvent]:
        """The events since the last call, oldest first."""
        taken: list[FeedEvent] = []
        while self._events:
            taken.append(self._events.popleft())
        return taken

    @property
    def ticks(self) -> int:
        """Well-formed packets that left the sockets so far."""
        return sum(connection.tracker.ticks for connection in self._connections)

    def snapshot(self, most_instruments: int = 20) -> FeedSnapshot:
        """How the stream stands now, with its `most_instruments` most active instruments."""
        now_s, wall_ns = self.clock.now_s(), self.clock.wall_ns()
        connections = [self._connection_snapshot(c, now_s) for c in list(self._connections)]
        ledgers = [connection.tracker for connection in self._connections]
        ticks = sum(tracker.ticks for tracker in ledgers)
        self._rate.sample(now_s, ticks)
        wanted = self._segments()
        market = _joined_market(self._connections)
        opens_at = None if _is_open(market) else self.calendar.next_open(wanted, wall_ns)
        expiries = [c.session_expires_ns for c in self._connections if c.session_expires_ns]
        seen = [entry for tracker in ledgers for entry in list(tracker.seen.values())]
        return FeedSnapshot(
            at=ist_time(wall_ns).isoformat(timespec="milliseconds"),
            started_at=ist_time(self._started_ns).isoformat(timespec="milliseconds"),
            uptime_s=round(now_s - self._started_s, 3),
            phase=_worst_phase(connections),
            connections=tuple(connections),
            ticks=ticks,
            rate_now=self._rate.now,
            rate_mean=self._rate.mean(now_s),
            rate_peak=self._rate.peak,
            rates=self._rate.history,
            silence_s=max((c.silence_s for c in connections), default=0.0),
            silence_after_s=self.policy.silence_after_s,
            reconnects=sum(c.reconnects for c in connections),
            blind_s=sum(c.blind_s for c in connections),
            last_cause=next((c.last_cause for c in connections if c.last_cause), ""),
            dropped=self.buffer.dropped,
            malformed=sum(tracker.malformed for tracker in ledgers),
            out_of_order=sum(tracker.out_of_order for tracker in ledgers),
            duplicates=sum(tracker.duplicates for tracker in ledgers),
            buffered=self.buffer.size,
            buffer_limit=self.buffer.limit,
            latency_p50_us=self.latency.quantile(0.5),
            latency_p99_us=self.latency.quantile(0.99),
            session_expires_at=ist_time(min(expiries)).isoformat() if expiries else None,
            is_market_open=_is_open(market) or self.calendar.is_open(wanted, wall_ns),
            market_opens_at=opens_at.isoformat() if opens_at else None,
            instruments=self._instrument_snapshots(seen, now_s, most_instruments),
            instruments_total=len({unit[:2] for unit in list(self._units)}),
            never_ticked=len(self._units) - sum(1 for s in seen if s.ticks),
            events=tuple(
                {"at": e.at, "connection": e.connection, "event": e.name, **e.facts}
                for e in list(self._recent)
            ),
            uncertain_s=sum(c.uncertain_s for c in connections),
            market=market,
        )

    def _connection_snapshot(self, connection: Connection, now_s: float) -> ConnectionSnapshot:
        state = connection.state
        is_live, is_waiting = state.phase is Phase.LIVE, state.phase is Phase.WAITING
        return ConnectionSnapshot(
            number=connection.number,
            phase=state.phase.value,
            is_quiet=state.is_quiet,
            instruments=len(connection.units),
            attempt=state.attempt,
            max_attempts=self.policy.max_attempts,
            delay_s=state.delay_s,
            next_try_s=max(0.0, state.due_at_s - now_s) if is_waiting else None,
            silence_s=max(0.0, now_s - connection.last_data_s) if is_live else 0.0,
            reconnects=state.reconnects,
            blind_s=connection.market.blind_s(now_s),
            last_cause="" if state.cause is None else state.cause.label,
            ticks=connection.tracker.ticks,
            uncertain_s=connection.market.uncertain_s(now_s),
        )

    def _instrument_snapshots(
        self, seen: Collection[InstrumentState], now_s: float, most: int
    ) -> tuple[InstrumentSnapshot, ...]:
        active = sorted(seen, key=lambda entry: -activity(entry.ticks))[:most]
        shown = [self._instrument_snapshot(entry, now_s) for entry in active if entry.ticks]
        ticked = {entry.key for entry in seen}
        for unit in list(self._units):
            if len(shown) >= most:
                break
            key = (unit.exchange_type, unit.token)
            if key not in ticked:
                exchange = Instrument(*key, "", "").exchange
                symbol = self.symbols.get(key, "")
                shown.append(
                    InstrumentSnapshot(exchange, symbol, unit.token, "", None, None, 0, None)
                )
        return tuple(shown)

    def _instrument_snapshot(self, seen: InstrumentState, now_s: float) -> InstrumentSnapshot:
        """The last packet of an instrument, decoded: the only packets that a view ever decodes."""
        tick = decode_packet(seen.packet)
        close = tick.close_price
        return InstrumentSnapshot(
            exchange=tick.exchange,
            symbol=self.symbols.get(seen.key, ""),
            token=tick.token,
            ltp=f"{tick.ltp:.{price_digits(tick.exchange_type)}f}",
            change_percent=(tick.last_price - close) * 100 / close if close else None,
            volume=tick.volume,
            ticks=seen.ticks,
            age_s=max(0.0, now_s - seen.at_s),
        )


def _worst_phase(connections: Collection[ConnectionSnapshot]) -> str:
    phases = {connection.phase for connection in connections}
    return next((phase.value for phase in _WORST_FIRST if phase in phases), Phase.IDLE.value)


def _joined_market(connections: Iterable[Connection]) -> tuple[MarketSnapshot, ...]:
    """The segments of all connections, each as it stands where it stands best."""
    best: dict[str, Sight] = {}
    for sight in (sight for each in connections for sight in each.market.sights()):
        known = best.get(sight.exchange)
        if known is None or _BEST_FIRST.index(sight.state) < _BEST_FIRST.index(known.state):
            best[sight.exchange] = sight
    return tuple(MarketSnapshot(*sight) for sight in best.values())


def _is_open(market: Iterable[MarketSnapshot]) -> bool:
    """Whether packets prove that a segment trades."""
    return any(segment.state == MarketState.LIVE for segment in market)


def _final_error(error: TicksError, connection: Connection) -> TicksError:
    """What a user is told: the fault itself where retrying is pointless, else the whole story."""
    if not error.can_retry:
        return error
    attempts = connection.state.attempt
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    story = f"the feed is lost after {tries} to reconnect; last: {error.message}"
    lost = FeedLostError(story, remedy="run ticks health, or use --keep-trying to go on for ever")
    lost.__cause__ = error
    return lost
