"""Simulated days: one connection's loop lives through random weather, from a seed, in milliseconds.

    python tests/adapter/feed/virtual_days.py [--seed N] [--days N]

lives day after day from seed N on (a fresh one by itself), without end unless `--days` is given,
and stops at the first promise that is broken (`virtual_referee.py` lists them), naming the seed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from random import Random, SystemRandom

from virtual_market import Exchange, ListedHours, Spans
from virtual_referee import Foul, demand, requested_units
from virtual_world import NS, Brain, Socket, World, binary, ltp_packet, text

from ticks.adapter.clock import IST
from ticks.adapter.errors import (
    BrokerBusyError,
    CertificateError,
    HandshakeRefusedError,
    NetworkError,
    NotSmartApiError,
    RateLimitedError,
    TicksError,
    TokenRefusedError,
)
from ticks.adapter.feed.lifecycle import Phase, Policy
from ticks.adapter.feed.network import (
    Connected,
    ConnectFailed,
    LinkBroke,
    NetworkEvent,
    Received,
    RenewalFailed,
    Renewed,
)
from ticks.adapter.tick import Mode
from ticks.adapter.wire.frames import Opcode, encode_close, encode_frame
from ticks.adapter.wire.subscription import Unit

UNITS = [
    Unit(1, "99926000", Mode.LTP),
    Unit(1, "2885", Mode.QUOTE),
    Unit(3, "500325", Mode.LTP),
    Unit(5, "1594", Mode.QUOTE),
    Unit(1, "1594", Mode.LTP),
    Unit(1, "11536", Mode.QUOTE),
]
MIDNIGHT_NS = int(datetime(2026, 11, 21, tzinfo=IST).timestamp()) * NS
FAIR = "fair"
FOUL_WEATHER = (
    *("partition", "down", "crowded", "refused", "moved", "flapping", "silent", "stalled"),
    *("malformed", "breaking"),
)
SHORT_S = 0.05


class Weather(Brain):
    """What befalls one connection in a day, drawn as it goes."""

    def __init__(self, draw: Random, length_s: float) -> None:
        self.draw = draw
        self.length_s = length_s
        self.now = FAIR
        self.tick_every_s = draw.choice([2.0, 5.0, 12.0])
        self.fair_for_s = draw.choice([60.0, 200.0, 1000.0])
        self.foul_for_s = draw.choice([10.0, 40.0, 120.0])
        self.foul = draw.sample(FOUL_WEATHER, k=draw.randint(1, len(FOUL_WEATHER)))
        self.cuts_bytes = draw.random() < 0.5
        self.answers_in_any_weather = draw.random() < 0.5
        self.has_late_callbacks = draw.random() < 0.3
        self.is_mute_when_silent = draw.random() < 0.5
        self.has_fresh_login = False
        self.sequence = 0

    def begin(self, world: World) -> None:
        draw = self.draw
        world.later(draw.expovariate(1 / self.fair_for_s), lambda: self._change(world))
        for _ in range(draw.choice([0, 0, 0, 1, 2])):
            seconds = draw.choice([-86_400.0, -3600.0, -7.0, 7.0, 60.0, 3600.0, 90_000.0])
            at_s = draw.uniform(0, self.length_s)
            world.later(at_s, lambda seconds=seconds: world.jump(seconds))  # type: ignore[misc]
        for _ in range(draw.choice([0, 0, 1, 4])):
            world.later(draw.uniform(0, self.length_s), lambda: self._wish(world))
        if self.has_late_callbacks:
            world.later(draw.expovariate(1 / 20), lambda: self._call_late(world))
        if draw.random() < 0.2:
            world.stop_at_call = draw.randint(1, 800)
        if draw.random() < 0.2:
            world.stop_at_note = draw.randint(1, 20)
        world.later(self.length_s, world.stop)

    def _change(self, world: World) -> None:
        if self.now == FAIR:
            self.now, lasts_s = self.draw.choice(self.foul), self.foul_for_s
            self._strike(world)
        else:
            self.now, lasts_s = FAIR, self.fair_for_s
        world.later(self.draw.expovariate(1 / lasts_s), lambda: self._change(world))

    def _strike(self, world: World) -> None:
        """What a change of the weather does to the link that is open."""
        socket = world.socket
        if socket is None:
            return
        if self.now == "stalled" or (self.now == "partition" and self.draw.random() < 0.5):
            socket.is_mute = True
        elif self.now not in {"silent", "malformed"} and self.draw.random() < 0.7:
            self._end(world, socket)

    def _end(self, world: World, socket: Socket) -> None:
        """The link dies, in one of the ways in which links die."""
        if socket is not world.socket:
            return
        world.noted()
        match self.draw.choice(["reset", "hang up", "close", "bare close", "garbage", "not utf-8"]):
            case "reset":
                socket.buffered = b""
                socket.broken = NetworkError("reset")
            case "hang up":
                socket.broken = NetworkError("hung up")
            case "close":
                socket.write(
                    encode_close(self.draw.choice([1000, 1001, 1011, 4001])), is_poison=True
                )
            case "bare close":
                socket.write(encode_frame(Opcode.CLOSE, b""), is_poison=True)
            case "garbage":
                socket.write(bytes([0x80 | self.draw.randint(3, 7), 1, 2]), is_poison=True)
            case _:
                socket.write(encode_frame(Opcode.TEXT, b"\xff\xff"), is_poison=True)
        self._write_packets(world, socket, 1)

    def _wish(self, world: World) -> None:
        """The user wants something else."""
        world.referee.has_wished = True
        free = [unit for unit in UNITS if unit not in world.referee.refused]
        world.connection.set_units(self.draw.sample(free, k=self.draw.randint(0, len(free))))

    def _call_late(self, world: World) -> None:
        """Something that belongs to a socket of the past."""
        state = world.connection.state
        is_over = state.phase is Phase.WAITING
        epoch = state.epoch if is_over else state.epoch - self.draw.randint(1, 2)
        packet = binary(ltp_packet(UNITS[0], 1))
        error = NetworkError("from the past")
        late: list[NetworkEvent] = [
            Received(epoch, packet, world.clock.wall_ns()),
            LinkBroke(epoch, error),
            ConnectFailed(epoch, TokenRefusedError("from the past")),
            Connected(epoch, world.session()),
        ]
        world.tell(self.draw.choice(late))
        world.later(self.draw.expovariate(1 / 20), lambda: self._call_late(world))

    # --- the broker ---

    def connect(self, world: World, epoch: int, fresh_login: bool) -> None:
        self._renew_first(world, epoch, fresh_login)
        error = self._refusal(world)
        seconds = self.draw.uniform(0.01, 0.6)
        if self.now == "partition" and self.draw.random() < 0.5:
            seconds = 1e9  # it never answers
        world.answer(epoch, seconds, error)

    def _renew_first(self, world: World, epoch: int, fresh_login: bool) -> None:
        self.has_fresh_login |= fresh_login
        chance = self.draw.random()
        if epoch > 1 and (fresh_login or chance < 0.2):
            session = world.new_session()
            world.later(0.005, lambda: world.tell(Renewed(session)))
        elif epoch > 1 and chance < 0.3:
            world.tell(RenewalFailed(NetworkError("no REST")))

    def _refusal(self, world: World) -> TicksError | None:
        if self.draw.random() < 0.002:
            world.referee.may_end.add("certificate")
            return CertificateError("self-signed")
        match self.now:
            case "partition":
                return NetworkError("nobody answers")
            case "down":
                return BrokerBusyError("503")
            case "crowded":
                return RateLimitedError("429")
            case "refused" if self.draw.random() < 0.7:
                if self.has_fresh_login:
                    world.referee.may_end.add("tokens refused")
                return TokenRefusedError("401")
            case "moved":
                html = NotSmartApiError("html")
                return self.draw.choice([html, HandshakeRefusedError("302", status=302)])
            case _:
                return None

    def opened(self, world: World, socket: Socket) -> None:
        draw = self.draw
        if self.now == "stalled":
            socket.is_mute = True
        if draw.random() < 0.1:
            self._ping(world, socket)
        if self.now == "flapping" or draw.random() < 0.02:
            dies_in_s = draw.choice([0.0, draw.uniform(0, 8)])
            world.later(dies_in_s, lambda: self._end(world, socket))
        world.later(self._pause_s(), lambda: self._tick(world, socket))

    def _pause_s(self) -> float:
        """How long the feed pauses between two drains."""
        return self.draw.expovariate(1 / self.tick_every_s)

    def _tick(self, world: World, socket: Socket) -> None:
        if socket is not world.socket:
            return
        draw = self.draw
        if self.now == "malformed":
            socket.write(binary(draw.choice([b"", b"\x01short", b"\x09" * 60])))
        elif self.now != "silent":
            self._write_changes(world, socket)
            if draw.random() < 0.02:
                self._write_packets(world, socket, 1)
        if draw.random() < 0.05:
            self._ping(world, socket)
        if self.now == "breaking" and draw.random() < 0.2:
            self._end(world, socket)
        world.later(self._pause_s(), lambda: self._tick(world, socket))

    def _ping(self, world: World, socket: Socket) -> None:
        world.noted()
        payload = self.draw.randbytes(self.draw.randint(0, 4))
        if not (socket.is_poisoned or socket.is_mute or socket.broken):
            socket.pings.append(payload)
        socket.write(encode_frame(Opcode.PING, payload))

    def _write_changes(self, world: World, socket: Socket) -> None:
        """What has changed since it was sent; the feed is conflated."""
        for unit in sorted(socket.subscribed):
            if last_change_ms(world, unit) != socket.sent_ms.get(unit):
                self._write_packet(world, socket, unit)

    def _write_packets(self, world: World, socket: Socket, count: int) -> None:
        """Packets that say what was said before, or something new."""
        units = sorted(socket.subscribed)
        for _ in range(count if units else 0):
            self._write_packet(world, socket, self.draw.choice(units))

    def _write_packet(self, world: World, socket: Socket, unit: Unit) -> None:
        self.sequence += 1
        exchange_ms = socket.sent_ms[unit] = last_change_ms(world, unit)
        packet = ltp_packet(unit, self.sequence, exchange_ms)
        if self.draw.random() < 0.05:
            socket.write(encode_frame(Opcode.BINARY, packet[:20], fin=False))
            socket.write(encode_frame(Opcode.CONTINUATION, packet[20:]), packet)
        else:
            socket.write(binary(packet), packet)

    def _answer(self, world: World, socket: Socket, units: set[Unit]) -> None:
        """A new subscription brings the last state of each unit, whatever its age."""
        if self.now == "malformed" or (self.now == "silent" and self.is_mute_when_silent):
            return
        for unit in sorted(units & socket.subscribed):
            self._write_packet(world, socket, unit)

    def said(self, world: World, socket: Socket, words: str) -> None:
        if words == "ping":
            if self.now == "malformed" and not self.answers_in_any_weather:
                return
            world.later(SHORT_S, lambda: socket.write(text("pong")))
        elif '"action":1' in words:
            request = json.loads(words)
            if self.draw.random() < 0.02:
                self._refuse(world, socket, request)
                return
            units = requested_units(request)
            world.later(SHORT_S, lambda: self._answer(world, socket, units))

    def _refuse(self, world: World, socket: Socket, request: dict[str, object]) -> None:
        if socket.is_mute:
            return
        world.referee.refused |= requested_units(request)
        world.referee.may_end.add("subscription refused")
        error = {"correlationID": request["correlationID"], "errorCode": "E1002"}
        socket.write(text(json.dumps({**error, "errorMessage": "over the limit"})))

    def renew(self, world: World) -> None:
        chance = self.draw.random()
        if chance < 0.6:
            super().renew(world)
        elif chance < 0.9:
            world.later(0.2, lambda: world.tell(RenewalFailed(NetworkError("no REST"))))

    def closing(self, world: World, socket: Socket) -> None:
        if self.draw.random() < 0.3:
            self._write_packets(world, socket, self.draw.randint(1, 3))
            socket.write(encode_close(1000), is_poison=True)
            self._write_packets(world, socket, 1)

    def read_size(self, world: World, size: int) -> int:
        return self.draw.randint(1, size) if self.cuts_bytes and self.draw.random() < 0.3 else size


def drawn_policy(draw: Random) -> Policy:
    if draw.random() < 0.4:
        return Policy()
    return Policy(
        silence_after_s=draw.choice([12.0, 30.0, 45.0]),
        check_every_s=draw.choice([3.0, 10.0]),
        max_attempts=draw.choice([None, None, 0, 1, 3, 10]),
        backoff_max_s=draw.choice([2.0, 20.0, 60.0]),
    )


def last_change_ms(world: World, unit: Unit) -> int:
    """The exchange time of a unit's last change: whole seconds."""
    return world.exchange.last_change_ns(unit, world.clock.true_ns()) // NS * 1000


def drawn_exchange(draw: Random, wall_ns: int, length_s: float) -> Exchange:
    """Hours, perhaps with halts, and how often things change."""
    edges = sorted(wall_ns + round(draw.uniform(0, length_s) * NS) for _ in range(4))
    before, after = wall_ns - 3 * 3600 * NS, wall_ns + 3 * 3600 * NS
    hours: Spans = draw.choice(
        [
            [(before, after)],
            [(before, after)],
            [(edges[0], after)],
            [(before, edges[1])],
            [(edges[0], edges[2])],
            [(before, edges[1]), (edges[2], after)],
            [(edges[0], edges[1]), (edges[2], edges[3])],
            [],
        ]
    )
    halts: Spans = []
    for _ in range(draw.choice([0, 0, 0, 1, 2])):
        start_ns = wall_ns + round(draw.uniform(0, length_s) * NS)
        halts.append((start_ns, start_ns + round(draw.choice([20, 90, 600]) * NS)))
    every_s = draw.choice([1.0, 3.0, 8.0, 8.0, 150.0])
    return Exchange(hours, halts, before_ns=wall_ns - 20 * 3600 * NS, every_s=every_s)


def drawn_calendar(draw: Random, exchange: Exchange, wall_ns: int) -> ListedHours:
    """The hours as they are, or without a session, or with one that is not held."""
    plain = (wall_ns - 3 * 3600 * NS, wall_ns + 3 * 3600 * NS)
    listed = draw.choice([exchange.hours] * 6 + [[], [plain]])
    return ListedHours(hours=tuple(listed))


def live_a_day(seed: int, *, lived_policy: Callable[[Policy], Policy] | None = None) -> World:
    """One day from its seed. Raises Foul, naming the seed.

    With `lived_policy` the connection lives by another policy than the one it is judged by.
    """
    draw = Random(seed)
    length_s = draw.choice([120.0, 400.0, 900.0, 1800.0])
    has_midnight = draw.random() < 0.3
    wall_ns = MIDNIGHT_NS - round((draw.uniform(0, length_s) if has_midnight else 40_000) * NS)
    weather = Weather(draw, length_s)
    policy = drawn_policy(draw)
    exchange = drawn_exchange(draw, wall_ns, length_s)
    world = World(
        draw.randrange(1 << 30),
        brain=weather,
        exchange=exchange,
        calendar=drawn_calendar(draw, exchange, wall_ns),
        clock_error_s=draw.choice([0.0] * 8 + [600.0, -600.0]),
        wall_ns=wall_ns,
        policy=policy,
        lived_policy=lived_policy(policy) if lived_policy else policy,
        units=draw.sample(UNITS, k=draw.randint(1, len(UNITS))),
    )
    weather.begin(world)
    try:
        world.run()
    except Exception as error:
        raise Foul(f"day {seed}, {world.now_s - 1000:.3f} s after its start: {error!r}") from error
    return world


class CalmWeather(Weather):
    """Nothing befalls the link but short cuts; the feed always answers."""

    def begin(self, world: World) -> None:
        self.foul = []
        for _ in range(self.draw.choice([0, 0, 1, 3])):
            at_s = self.draw.uniform(0, self.length_s)
            world.later(at_s, lambda: world.socket and self._end(world, world.socket))
        world.later(self.length_s, world.stop)

    def _pause_s(self) -> float:
        return 1.0

    def _refusal(self, world: World) -> TicksError | None:
        return None

    def _refuse(self, world: World, socket: Socket, request: dict[str, object]) -> None:
        world.later(SHORT_S, lambda: self._answer(world, socket, requested_units(request)))


def live_a_calm_day(seed: int) -> World:
    """A day on which only the market is out of the ordinary. Raises Foul, naming the seed."""
    draw = Random(seed)
    length_s = draw.choice([900.0, 3600.0])
    wall_ns = MIDNIGHT_NS - 40_000 * NS
    exchange = drawn_exchange(draw, wall_ns, length_s)
    weather = CalmWeather(draw, length_s)
    world = World(
        draw.randrange(1 << 30),
        brain=weather,
        exchange=exchange,
        calendar=drawn_calendar(draw, exchange, wall_ns),
        wall_ns=wall_ns,
        policy=Policy(),
        units=draw.sample(UNITS, k=draw.randint(1, len(UNITS))),
    )
    weather.begin(world)
    try:
        error = world.run()
        demand(error is None, f"a feed that answers was given up: {error!r}")
    except Exception as error:
        raise Foul(f"calm day {seed}, {world.now_s - 1000:.3f} s after its start") from error
    return world


def main() -> int:
    parser = argparse.ArgumentParser(description="Simulated days of one connection.")
    parser.add_argument("--seed", type=int, help="the first day (default: drawn)")
    parser.add_argument("--days", type=int, help="how many (default: without end)")
    asked = parser.parse_args()
    first = SystemRandom().randrange(1 << 40) if asked.seed is None else asked.seed
    print(f"days from seed {first} on", flush=True)
    began_s = time.monotonic()
    steps = 0
    days = itertools.count(first) if asked.days is None else range(first, first + asked.days)
    for number, seed in enumerate(days, start=1):
        try:
            steps += live_a_day(seed).referee.steps
        except Foul as foul:
            print(f"broken: {foul}", file=sys.stderr)
            raise
        if number % 1000 == 0:
            took_s = time.monotonic() - began_s
            print(f"{number} days, {steps} steps, {took_s:.1f} s", flush=True)
    print(f"{asked.days} days, {steps} steps, {time.monotonic() - began_s:.1f} s: all well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
