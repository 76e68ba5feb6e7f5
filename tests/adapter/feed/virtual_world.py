"""A world for the loop of one connection: a virtual clock, an exchange, and a scripted feed.

`World` is the port that `Connection.run` stands on. Its waits do not wait: they turn the clock to
whatever comes next. A `Brain` scripts what happens to the connection; the referee
(`virtual_referee.py`) holds it to its promises at each step.
"""

from __future__ import annotations

import heapq
import itertools
import struct
from collections import deque
from collections.abc import Callable
from random import Random

from virtual_market import Exchange, ListedHours
from virtual_referee import Referee, demand

from ticks.adapter.auth.tokens import Session
from ticks.adapter.errors import TicksError
from ticks.adapter.event_log import EventLog
from ticks.adapter.events import FeedEvent
from ticks.adapter.feed.connection import Connection, Ports
from ticks.adapter.feed.lifecycle import Phase, Policy
from ticks.adapter.feed.network import (
    Connected,
    ConnectFailed,
    LinkBroke,
    NetworkEvent,
    Received,
    Renewed,
)
from ticks.adapter.feed.tracker import PacketTracker
from ticks.adapter.market.hours import Kind
from ticks.adapter.market.state import MarketWatch
from ticks.adapter.tick import Mode
from ticks.adapter.wire.frames import Opcode, encode_frame
from ticks.adapter.wire.subscription import Unit

NS = 1_000_000_000
GIVE_UP_S = 10.0
"""When a handshake without an answer is given up; the port's own limit."""


class VirtualClock:
    """Both clocks, turned by the network; the wall clock may jump."""

    def __init__(self, true_ns: int, error_s: float = 0.0) -> None:
        self.at_s = 1000.0
        self._true_base_ns = true_ns - round(self.at_s * NS)
        self._wall_base_ns = self._true_base_ns + round(error_s * NS)
        self.is_right = error_s == 0
        """Whether the wall clock was right all the time."""

    def now_s(self) -> float:
        return self.at_s

    def wall_ns(self) -> int:
        return self._wall_base_ns + round(self.at_s * NS)

    def true_ns(self, at_s: float | None = None) -> int:
        """The true time, now or at a moment of the monotonic clock."""
        return self._true_base_ns + round((self.at_s if at_s is None else at_s) * NS)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back; the other one does not notice."""
        self._wall_base_ns += round(seconds * NS)
        self.is_right = False


class Socket:
    """The server's end of one link: bytes on their way to the client, and what must come of it."""

    def __init__(self, epoch: int, opened_s: float) -> None:
        self.epoch = epoch
        self.opened_s = opened_s
        self.buffered = b""
        self.written = 0
        self.read = 0
        self.ends: deque[tuple[int, bytes]] = deque()
        """Where in the stream each packet that must be delivered ends, and the packet."""
        self.is_poisoned = False
        self.is_mute = False
        """Nothing arrives from now on, in either direction."""
        self.broken: TicksError | None = None
        self.subscribed: set[Unit] = set()
        self.greeted = False
        self.sent_ms: dict[Unit, int] = {}
        """The exchange time that each unit was last sent with."""
        self.may_be_proven = False
        self.last_data_s = opened_s
        self.last_heard_s = opened_s
        self.pings: deque[bytes] = deque()

    def write(self, frame: bytes, packet: bytes | None = None, *, is_poison: bool = False) -> None:
        """Put a frame on the wire; `packet` is delivered to the program if it arrives whole."""
        if self.is_mute or self.broken is not None:
            return
        self.buffered += frame
        self.written += len(frame)
        if packet is not None and not self.is_poisoned:
            self.ends.append((self.written, packet))
        self.is_poisoned |= is_poison

    def take(self, size: int) -> tuple[bytes, list[bytes]]:
        """The next bytes for the client, and the packets that become whole with them."""
        data, self.buffered = self.buffered[:size], self.buffered[size:]
        self.read += len(data)
        whole = []
        while self.ends and self.ends[0][0] <= self.read:
            whole.append(self.ends.popleft()[1])
        return data, whole


def binary(packet: bytes) -> bytes:
    return encode_frame(Opcode.BINARY, packet)


def text(words: str) -> bytes:
    return encode_frame(Opcode.TEXT, words.encode())


def ltp_packet(unit: Unit, sequence: int, exchange_ms: int = 0) -> bytes:
    """A packet of the unit's own mode."""
    size = 51 if unit.mode is Mode.LTP else 123
    token = unit.token.encode()
    head = struct.pack("<BB25sqq", unit.mode, unit.exchange_type, token, sequence, exchange_ms)
    return head.ljust(size, b"\0")


class Brain:
    """What the world does; a test overrides what it scripts. Everything goes well by itself."""

    def connect(self, world: World, epoch: int, fresh_login: bool) -> None:
        world.answer(epoch, 0.1, None)

    def opened(self, world: World, socket: Socket) -> None:
        pass

    def said(self, world: World, socket: Socket, words: str) -> None:
        if words == "ping":
            world.later(0.05, lambda: socket.write(text("pong")))

    def renew(self, world: World) -> None:
        world.later(0.2, lambda: world.tell(Renewed(world.new_session())))

    def closing(self, world: World, socket: Socket) -> None:
        pass

    def read_size(self, world: World, size: int) -> int:
        return size


class WatchedLog(EventLog):
    """The log of one connection, with the referee at its side."""

    def __init__(self, world: World) -> None:
        super().__init__(world.clock)
        self._world = world

    def add(self, event: FeedEvent, *, connection: int = 0) -> None:
        demand(connection == self._world.connection.number, "events name their connection")
        self._world.log_event(event)
        super().add(event, connection=connection)


class World:
    """The port, the clock and the referee of one connection. `run` lives a whole life in it."""

    def __init__(
        self,
        seed: int,
        *,
        brain: Brain,
        exchange: Exchange,
        wall_ns: int,
        policy: Policy,
        calendar: ListedHours | None = None,
        clock_error_s: float = 0.0,
        units: list[Unit],
        lived_policy: Policy | None = None,
    ) -> None:
        self.draw = Random(seed)
        self.brain = brain
        self.exchange = exchange
        self.calendar = calendar or ListedHours(hours=tuple(exchange.hours))
        self.clock = VirtualClock(wall_ns, clock_error_s)
        self.policy = policy
        self.socket: Socket | None = None
        self.newest_socket: Socket | None = None
        self.session_ns = wall_ns
        self.sessions = 0
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._serial = itertools.count()
        self._news: list[NetworkEvent] = []
        self._is_woken = False
        self._connecting: int | None = None
        self.is_released = False
        self.stopped_s: float | None = None
        self._stopped_in_wait = False
        self._is_in_wait = False
        self._calls = 0
        self.stop_at_call = 0
        """The stop comes with this call over the port; 0: not so."""
        self._notes = 0
        self.stop_at_note = 0
        """The stop comes with this stroke of fate; 0: not so."""
        self._waits_after_stop = 0
        self.referee = Referee(self)
        self.log = WatchedLog(self)
        ports = Ports(
            network=self,
            clock=self.clock,
            kind_of=lambda _key: Kind.ORDINARY,
            draw=self.draw.random,
            deliver=self.referee.delivered,
            log=self.log,
        )
        lived = lived_policy or policy
        market = MarketWatch(self.calendar)
        self.connection = Connection(
            1,
            ports,
            policy=lived,
            units=units,
            tracker=PacketTracker(set(), market.segment),
            market=market,
        )

    def run(self) -> TicksError | None:
        """The whole life; what it ended with."""
        error = self.connection.run()
        self.referee.ended(error)
        demand(self.is_released, "the network was released")
        return error

    # --- what a brain does ---

    @property
    def now_s(self) -> float:
        return self.clock.at_s

    @property
    def is_market_open(self) -> bool:
        """Whether the calendar says so, of the true time."""
        return self.calendar.is_listed(self.clock.true_ns())

    def later(self, seconds: float, what: Callable[[], object]) -> None:
        """Do `what` in so many seconds."""
        heapq.heappush(self._agenda, (self.now_s + seconds, next(self._serial), what))

    def tell(self, happening: NetworkEvent) -> None:
        """The next wait returns this."""
        self._news.append(happening)

    def answer(self, epoch: int, seconds: float, error: TicksError | None) -> None:
        """Connect number `epoch` ends in so many seconds: open, or with `error`."""
        self.later(min(seconds, GIVE_UP_S), lambda: self._answered(epoch, error))

    def _answered(self, epoch: int, error: TicksError | None) -> None:
        if self._connecting != epoch:
            return
        self._connecting = None
        self.noted()
        if error is not None:
            self.tell(ConnectFailed(epoch, error))
            return
        self.socket = self.newest_socket = Socket(epoch, self.now_s)
        self.tell(Connected(epoch, self.session()))
        self.brain.opened(self, self.socket)

    def session(self) -> Session:
        """The newest; its tokens end at the midnight after `session_ns`."""
        return Session("A123", "key", f"jwt-{self.sessions}", "refresh", "feed", self.session_ns)

    def new_session(self) -> Session:
        self.sessions += 1
        self.session_ns = self.clock.wall_ns()
        return self.session()

    def jump(self, seconds: float) -> None:
        """The wall clock jumps."""
        self.clock.jump(seconds)

    def stop(self) -> None:
        """The user stops the stream."""
        if self.stopped_s is None:
            self.stopped_s, self._stopped_in_wait = self.now_s, self._is_in_wait
            self.connection.stop()

    def called(self) -> None:
        """Something went over the port: the stop may come at any such moment."""
        self._calls += 1
        if self._calls == self.stop_at_call:
            self.stop()

    def log_event(self, event: FeedEvent) -> None:
        """An event was logged."""
        self.referee.reported(event)

    def noted(self) -> None:
        """Something befell the link: the stop may come with it."""
        self._notes += 1
        if self._notes == self.stop_at_note:
            self.stop()

    # --- the port ---

    def connect(self, epoch: int, *, fresh_login: bool) -> None:
        self.called()
        demand(self.socket is None and self._connecting is None, "at most one socket")
        demand(not self._is_muzzled, "no connect after a stop")
        self.referee.connecting(fresh_login)
        self._connecting = epoch
        self.brain.connect(self, epoch, fresh_login)

    def renew(self) -> None:
        self.referee.renewing()
        self.brain.renew(self)

    def wait(self, until_s: float | None) -> list[NetworkEvent]:
        demand(not self.is_released, "no wait after the end")
        self._check_the_stop()
        self.referee.step(until_s)
        self._is_in_wait = True
        if not (self._is_woken or self._news or self._is_readable()):
            self._turn(until_s)
        self._is_woken = False
        while self._agenda and self._agenda[0][0] <= self.now_s:
            heapq.heappop(self._agenda)[2]()
        self.called()
        self._is_in_wait = False
        return self._happened()

    def _check_the_stop(self) -> None:
        if self.stopped_s is not None:
            self._waits_after_stop += 1
            allowed = 0 if self._stopped_in_wait else 1
            demand(self._waits_after_stop <= allowed, "a stop ends the loop at once")

    def _turn(self, until_s: float | None) -> None:
        """Turn the clock to whatever comes first."""
        moments = [self._agenda[0][0]] if self._agenda else []
        if until_s is not None:
            moments.append(until_s)
        demand(bool(moments), "nothing waits for ever")
        self.clock.at_s = max(self.now_s, min(moments))

    def _is_readable(self) -> bool:
        socket = self.socket
        return socket is not None and (socket.broken is not None or socket.buffered != b"")

    def _happened(self) -> list[NetworkEvent]:
        happened, self._news = self._news, []
        socket = self.socket
        if socket is None:
            return happened
        if socket.buffered:
            size = self.brain.read_size(self, len(socket.buffered))
            data, whole = socket.take(size)
            self.referee.handed_over(socket, whole)
            happened.append(Received(socket.epoch, data, self.clock.wall_ns()))
        if socket.broken is not None and not socket.buffered:
            happened.append(LinkBroke(socket.epoch, socket.broken))
        return happened

    def wake(self) -> None:
        self._is_woken = True

    def send_text(self, words: str) -> None:
        socket = self._sending()
        self.referee.said(socket, words)
        if not socket.is_mute:
            self.brain.said(self, socket, words)

    def send_pong(self, payload: bytes) -> None:
        socket = self._sending()
        demand(socket.greeted or not self.connection.units, "the subscription comes first")
        demand(bool(socket.pings) and socket.pings.popleft() == payload, "a pong answers its ping")

    def _sending(self) -> Socket:
        self.called()
        demand(self.socket is not None, "nothing is sent without a socket")
        demand(not self._is_muzzled, "nothing is sent after a stop")
        assert self.socket is not None
        return self.socket

    @property
    def _is_muzzled(self) -> bool:
        """Whether the stop came while the loop waited, so that nothing may have been under way."""
        return self.stopped_s is not None and self._stopped_in_wait

    def close(self, code: int) -> bytes:
        self.called()
        demand(1000 <= code < 5000, "a close code")
        self._connecting = None
        socket, self.socket = self.socket, None
        if socket is None:
            return b""
        self.referee.closing()
        self.brain.closing(self, socket)
        data, whole = socket.take(len(socket.buffered))
        if self.connection.state.phase is not Phase.STOPPED:
            self.referee.late(whole)
        return data

    def release(self) -> None:
        self.is_released = True
