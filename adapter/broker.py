"""The facade: one object that turns a session and a list of instruments into a stream of ticks.

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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from .auth.authenticator import Authenticator
from .chain_watch import ChainWatch
from .clock import Clock, SystemClock
from .errors import FeedLostError, ResourceLimitError, TicksError
from .event_log import EventLog
from .events import Added, Removed
from .feed.buffer import Batch, TickBuffer
from .feed.connection import Connection, Ports
from .feed.lifecycle import Policy
from .feed.network import SystemNetwork
from .feed.tracker import PacketTracker
from .instrument import Instrument, InstrumentKey
from .limits import start_thread
from .market.calendar import MarketCalendar
from .market.clock import MarketClock
from .market.hours import Kind, kind_of_instrument
from .market.state import MarketWatch
from .selection import SOME, Selection
from .snapshot import FeedSnapshot
from .snapshot_builder import SnapshotBuilder
from .tick import Mode, Tick
from .urls import FEED_URL, without_secrets
from .waker import Waker
from .wire.packet import decode_packet
from .wire.subscription import UNITS_PER_CONNECTION, Unit, spread

if TYPE_CHECKING:
    from .instruments.chain import Chain

DEFAULT_BUFFER = 100_000
"""Packets between socket and reader before the oldest are dropped, counted."""
_JOIN_S = 3.0


class BrokerAdapter:
    """The feed of one login: up to 3 connections, up to 3,000 instruments.

    `sessions` renews the tokens (auth/authenticator.py). `buffer_limit` counts packets. `calendar`
    decides whether silence is a fault. Nothing is sent before `connect`.

    Threads: one caller takes the ticks; everything else is for any thread, and `stop` for a signal
    handler too. `_lock` guards what is subscribed and which connection carries it; `stop` never
    takes it: the handler may run while its own thread holds it. `error` is written by the feed
    thread that lost its connection first, and read by everybody. `_indices` and `symbols`
    only grow, and the feed threads and the outputs read them while they do; snapshots copy `_units`
    and `_connections` before they iterate.
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
        self._buffer = TickBuffer(buffer_limit, self.waker)
        self.events = EventLog(self.clock, self.waker)
        self.symbols: dict[InstrumentKey, str] = {}
        self.error: TicksError | None = None
        self._sessions = sessions
        self._feed_url = feed_url
        self._units: dict[Unit, Instrument] = {}
        self._refused: set[Unit] = set()
        self._indices: set[InstrumentKey] = set()
        self._kinds: dict[InstrumentKey, Kind] = {}
        self._connections: list[Connection] = []
        self._threads: list[threading.Thread] = []
        self._ended: set[int] = set()
        self._snapshots = SnapshotBuilder(
            clock=self.clock,
            policy=self.policy,
            calendar=self.calendar,
            buffer=self._buffer,
            log=self.events,
            symbols=self.symbols,
            kind_of=self._kind_of,
        )
        self.chains = ChainWatch(self)
        self._is_connected = False
        self._is_stopping = False
        self._lock = threading.Lock()

    # --- life ---

    def connect(self) -> None:
        """Start the connections. Returns at once: what becomes of them is in events and snapshot.

        After a `disconnect`, or a feed lost for good, it starts again.

        Raises SubscriptionRefusedError when more than 3,000 instruments are wanted.
        """
        with self._lock:
            if self._is_connected:
                return
            self._connections, self._threads, self._ended = [], [], set()
            self.error = None
            self._is_stopping, self._is_connected = False, True
            self._snapshots.restart()
            self._assign()
        self.chains.begin()

    def stop(self) -> None:
        """Ask every connection to close, and wait for none. Safe in a signal handler.

        An iteration ends once they are closed.
        """
        self._is_stopping = True  # before the look at the connections: `_start` looks afterwards
        for connection in self._connections:
            connection.stop()
        self.waker.wake()

    def disconnect(self) -> None:
        """Close every connection with a close frame and join its thread. May be called twice."""
        self.stop()
        try:
            self.chains.end()  # first: what it adds may start a connection
        finally:
            with self._lock:
                threads = list(self._threads)
            for thread in threads:
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
        """Whether nothing more will come: lost for good (`error` says why), stopped, or
        disconnected."""
        if self.error is not None or not self._is_connected:
            return True
        numbers = [connection.number for connection in list(self._connections)]
        return self._is_stopping and self._ended.issuperset(numbers)

    # --- subscriptions ---

    def follow(
        self,
        chain: Chain,
        mode: Mode = Mode.QUOTE,
        *,
        is_mine: Callable[[Instrument], bool] = lambda _instrument: True,
    ) -> None:
        """Subscribe the spot of an option chain, and the strikes around it as it moves.

        What is added stays. `is_mine` picks the contracts of this stream where several share one.
        Raises what `subscribe` raises, for the spot.
        """
        self.subscribe([chain.spot], mode)
        self.chains.follow(chain, mode, is_mine)

    @property
    def subscribed(self) -> list[Instrument]:
        """What is subscribed, each instrument once, in the order of its first subscription."""
        with self._lock:
            self._forget_refused()
            return list({each.key: each for each in self._units.values()}.values())

    def subscribe(
        self, instruments: Iterable[Instrument], mode: str | Mode = Mode.QUOTE
    ) -> list[Instrument]:
        """Subscribe these in `mode` (LTP, QUOTE, SNAP), now or as soon as the feed is open.

        Returns those that were not subscribed before; on a running feed they are an event `added`.
        Raises SubscriptionRefusedError over the broker's limits (3,000 in all); nothing changes
        then. Raises ValueError for what is not a mode, and for DEPTH, which the broker withdrew on
        2025-04-25; TypeError for names: `resolve` finds their instruments.
        """
        mode = Mode.of(mode)
        if mode is Mode.DEPTH:
            raise ValueError("the broker withdrew mode 4 (depth) on 2025-04-25")
        wanted = _units_of(instruments, mode)
        with self._lock:
            self._forget_refused()
            new = {unit: each for unit, each in wanted.items() if unit not in self._units}
            spread([*self._units, *new])  # raises over the limit, before anything has changed
            for instrument in new.values():
                self.symbols[instrument.key] = instrument.symbol
                self._kinds[instrument.key] = kind_of_instrument(instrument)
                if instrument.is_index:
                    self._indices.add(instrument.key)
            self._units.update(new)
            self._refused.difference_update(new)
            if self._is_connected and new:
                self.events.add(Added(tuple(map(str, new.values()))))
                self._assign()
        return list(new.values())

    def unsubscribe(
        self, instruments: Iterable[Instrument], mode: str | Mode = Mode.QUOTE
    ) -> list[Instrument]:
        """End the subscription of these; what is not subscribed is ignored.

        Returns those that were; on a running feed they are an event `removed`. Their packets
        already under way still arrive. Raises ValueError for what is not a mode, TypeError for
        names.
        """
        mode = Mode.of(mode)
        units = _units_of(instruments, mode)
        with self._lock:
            self._forget_refused()
            gone = [self._units.pop(unit) for unit in units if unit in self._units]
            if self._is_connected and gone:
                self.events.add(Removed(tuple(map(str, gone))))
                self._assign()
        return gone

    def has_refused(self, instruments: Iterable[Instrument], mode: Mode) -> bool:
        """Whether the broker refused any of these since they were last subscribed."""
        with self._lock:
            self._forget_refused()
            return bool(self._refused) and not self._refused.isdisjoint(
                Unit(i.exchange_type, i.token, mode) for i in instruments
            )

    def last_packet(self, instrument: Instrument, mode: Mode) -> bytes:
        """The newest packet of an instrument; b"" while there is none. The buffer is left as it
        is."""
        trackers = [connection.tracker for connection in list(self._connections)]
        seen = [tracker.seen.get((instrument.key, mode)) for tracker in trackers]
        newest = max(filter(None, seen), key=lambda state: state.at_s, default=None)
        return b"" if newest is None else newest.packet

    def _forget_refused(self) -> None:
        """What the broker refused is not subscribed, and not asked for again by the next change."""
        for connection in self._connections:
            for unit in connection.take_refused():
                if self._units.pop(unit, None) is not None:
                    self._refused.add(unit)

    def _assign(self) -> None:
        """Give every unit a connection: each stays where it is, new ones fill what is free.

        A connection that is left without any is closed, unless it is the last: the broker counts
        an idle one too.
        """
        living = [each for each in self._connections if not each.is_stopping]
        shares = [[unit for unit in each.units if unit in self._units] for each in living]
        standing = {unit for share in shares for unit in share}
        missing = [unit for unit in self._units if unit not in standing]
        for share in shares:
            room = UNITS_PER_CONNECTION - len(share)
            share.extend(missing[:room])
            missing = missing[room:]
        for connection, share in zip(living, shares, strict=True):
            if tuple(share) != connection.units:
                connection.set_units(share)
        idle = [each for each in living if not each.units]
        for connection in idle[1:] if len(idle) == len(living) else idle:
            connection.stop()
        first = len(self._threads) + 1
        added = [self._made(number, share) for number, share in enumerate(spread(missing), first)]
        self._connections += added  # before any of them runs: what looks then sees them all
        for connection in added:
            try:
                self._start(connection, is_first=not living)
            except ResourceLimitError:
                for each in added[added.index(connection) :]:
                    self._connections.remove(each)
                raise

    def _made(self, number: int, units: list[Unit]) -> Connection:
        ports = Ports(
            network=SystemNetwork(
                self._feed_url, self._sessions, self.clock, name=f"feed {number}"
            ),
            clock=self.clock,
            kind_of=self._kind_of,
            draw=random.SystemRandom().random,
            deliver=self._buffer.put,
            log=self.events,
        )
        # A login's reply says what time it is before the first packet does.
        market = MarketWatch(self.calendar, clock=MarketClock(self._sessions.skew_s or 0.0))
        tracker = PacketTracker(self._indices, market.segment)
        return Connection(
            number, ports, policy=self.policy, units=units, tracker=tracker, market=market
        )

    def _start(self, connection: Connection, *, is_first: bool) -> None:
        run, name = partial(self._live, connection, is_first), f"feed {connection.number}"
        self._threads.append(start_thread(run, name=name))
        if self._is_stopping:  # `stop` may have looked at the connections before this one was there
            connection.stop()

    def _live(self, connection: Connection, is_first: bool) -> None:
        """The thread of one connection. The first loss for good ends the stream.

        But a connection that was started for instruments added later, and never opened (the broker
        allows three per client code, over all programs), loses only those.
        """
        try:
            error = connection.run()
        except Exception as unexpected:  # noqa: BLE001  (else the stream would wait forever)
            error = FeedLostError(f"connection {connection.number} failed: {unexpected!r}")
            error.__cause__ = unexpected
        if error is not None and not is_first and not connection.state.opens:
            self._give_up(connection)
        elif error is not None and self.error is None:
            self.error = _final_error(error, connection)
        self._ended.add(connection.number)
        self.waker.wake()  # after these are set: who wakes up asks `is_over` once, then waits

    def _give_up(self, connection: Connection) -> None:
        """The broker refuses this connection: its units are no longer subscribed."""
        with self._lock:
            units = [unit for unit in connection.units if unit in self._units]
            gone = [self._units.pop(unit) for unit in units]
            self._refused.update(units)
            self._connections.remove(connection)
            if gone:
                self.events.add(Removed(tuple(map(str, gone))))

    def _kind_of(self, key: InstrumentKey) -> Kind:
        return self._kinds.get(key, Kind.ORDINARY)

    # --- ticks ---

    def get_next_tick(self) -> Tick | None:
        """The oldest tick that is buffered, or None. Never waits, polls or asks elsewhere."""
        taken = self._buffer.take_packet()
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

    def write_through(self, direct: Callable[[int, list[bytes]], bool]) -> None:
        """Let the feed threads hand drains to `direct` (time, packets), which writes them or
        returns False; what it refuses comes out of `take`. For one recorder, before `connect`."""
        self._buffer.direct = direct

    def take(self, most: int | None = None) -> list[Batch]:
        """The buffered packets, drain by drain, `most` or a few more; empty when there are
        none. Never waits."""
        return self._buffer.take(most)

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until there are ticks or events or the feed is over; whether one of these is so."""
        return self.waker.wait(timeout_s)

    # --- state ---

    @property
    def ticks(self) -> int:
        """Well-formed packets that left the sockets so far."""
        return sum(connection.tracker.ticks for connection in self._connections)

    @property
    def dropped(self) -> int:
        """Ticks that the full buffer dropped so far; `ticks` counts them too."""
        return self._buffer.dropped

    def snapshot(self, selection: Selection = SOME) -> FeedSnapshot:
        """The stream's state now, with the selected instruments; with 20 by default."""
        now = self._snapshots.build(
            list(self._connections),
            list(self._units),
            selection,
            self.chains.listings(has_strikes=selection.chain_rows > 0),
        )
        return replace(
            now,
            feed=without_secrets(self._feed_url),
            login_wait_s=self._sessions.totp_wait_s,
        )


def _units_of(instruments: Iterable[object], mode: Mode) -> dict[Unit, Instrument]:
    """What to ask for of each instrument. Raises TypeError for a name in place of one."""
    units: dict[Unit, Instrument] = {}
    for each in [instruments] if isinstance(instruments, str) else instruments:
        if not isinstance(each, Instrument):
            raise TypeError(f"{each!r} is not an Instrument; `resolve` finds those of names")
        units[Unit(each.exchange_type, each.token, mode)] = each
    return units


def _final_error(error: TicksError, connection: Connection) -> TicksError:
    """What ended the stream: the fault itself if retrying is pointless, else the loss of the
    feed."""
    if not error.can_retry:
        return error
    attempts = connection.state.attempt
    tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
    story = f"the feed is lost after {tries} to reconnect; last: {error.message}"
    lost = FeedLostError(story, kind="feed-lost", attempts=attempts, cause=error.label)
    lost.__cause__ = error
    return lost
