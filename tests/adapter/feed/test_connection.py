"""The loop of one connection in a virtual world: scripted lives, and days of random weather.

A broken day names its seed. Run it again with
`python tests/adapter/feed/virtual_days.py --seed N --days 1`, and keep it in `BROKEN_ONCE`.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from random import Random, SystemRandom
from typing import TypeVar

import pytest
from virtual_days import UNITS, live_a_calm_day, live_a_day
from virtual_market import Exchange, ListedHours
from virtual_referee import Foul
from virtual_world import NS, Brain, Socket, World, binary, ltp_packet, text

from ticks.adapter.clock import IST
from ticks.adapter.errors import (
    CredentialsMissingError,
    NetworkError,
    SubscriptionRefusedError,
    TicksError,
)
from ticks.adapter.events import (
    FeedEvent,
    Lost,
    Malformed,
    Market,
    OutOfOrder,
    Probe,
    Recovered,
    Refused,
    Renewed,
    Waiting,
)
from ticks.adapter.events import Stopped as StoppedEvent
from ticks.adapter.feed import lifecycle
from ticks.adapter.feed.lifecycle import Checked, Opened, Phase, Policy
from ticks.adapter.feed.network import NetworkEvent
from ticks.adapter.feed.tracker import PacketTracker
from ticks.adapter.tick import Mode
from ticks.adapter.wire.frames import Opcode, encode_close, encode_frame
from ticks.adapter.wire.subscription import Unit

EventT = TypeVar("EventT", bound=FeedEvent)

BROKEN_ONCE: tuple[int, ...] = (566_634_698_013, 373_953_684_857, 373_953_686_978)
"""Seeds beyond the fixed ones of days that broke a promise; each stays here for good."""
FIXED_DAYS = (*range(1, 601), *BROKEN_ONCE)
FRESH_DAYS = 150
FULL_DAY_S = 25_200.0
NIGHT_S = 36_000.0


def wall_ns(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=IST).timestamp()) * NS


MORNING_NS = wall_ns("2026-11-20 09:00:00")
TRADING = (wall_ns("2026-11-20 09:15:00"), wall_ns("2026-11-20 15:30:00"))
ALWAYS = (0, 1 << 62)


class Scripted(World):
    """A world that keeps what the connection sent, with a stop after `length_s`."""

    def __init__(
        self,
        brain: Brain,
        *,
        length_s: float = 100.0,
        hours: tuple[int, int] = ALWAYS,
        start_ns: int = MORNING_NS,
        units: list[Unit] | None = None,
        exchange: Exchange | None = None,
        **policy: float | None,
    ) -> None:
        super().__init__(
            1,
            brain=brain,
            exchange=exchange or Exchange([hours], before_ns=start_ns - 20 * 3600 * NS),
            calendar=ListedHours(hours=(hours,)),
            wall_ns=start_ns,
            policy=replace(Policy(), **policy),  # type: ignore[arg-type]
            units=UNITS[:2] if units is None else units,
        )
        self.events: list[FeedEvent] = []
        self.at_s: list[float] = []
        """When each event was logged, in seconds after the start."""
        self.sent: list[str] = []
        self.closed_with: list[int] = []
        self.later(length_s, self.stop)

    def log_event(self, event: FeedEvent) -> None:
        self.events.append(event)
        self.at_s.append(self.now_s - 1000)
        super().log_event(event)

    def send_text(self, words: str) -> None:
        self.sent.append(words)
        super().send_text(words)

    def close(self, code: int) -> bytes:
        self.closed_with.append(code)
        return super().close(code)

    def names(self) -> list[str]:
        """What happened, but for the states of the market."""
        return [event.name for event in self.events if not isinstance(event, Market)]

    def market(self) -> list[tuple[str, str]]:
        """The states of the segments, one after the other."""
        return [(e.exchange, e.state) for e in self.events if isinstance(e, Market)]

    def first(self, kind: type[EventT]) -> EventT:
        """The first event of that kind."""
        return next(event for event in self.events if isinstance(event, kind))

    def requests(self) -> list[dict[str, object]]:
        return [json.loads(words) for words in self.sent if words != "ping"]


class Calm(Brain):
    """Everything goes well: a packet of each unit every few seconds while the market is open."""

    def __init__(self, every_s: float = 5.0) -> None:
        self.every_s = every_s
        self.sequence = 0

    def opened(self, world: World, socket: Socket) -> None:
        def tick() -> None:
            if socket is not world.socket:
                return
            if world.is_market_open:
                self.send_ticks(world, socket)
            world.later(self.every_s, tick)

        world.later(self.every_s, tick)

    def send_ticks(self, world: World, socket: Socket) -> None:
        for unit in sorted(socket.subscribed):
            self.sequence += 1
            packet = ltp_packet(unit, self.sequence, world.clock.true_ns() // NS * 1000)
            socket.write(binary(packet), packet)


class Once(Calm):
    """Calm, but so many seconds after the first opening something happens."""

    def __init__(self, after_s: float, what: Callable[[World, Socket], object]) -> None:
        super().__init__()
        self.after_s = after_s
        self.what: Callable[[World, Socket], object] | None = what

    def opened(self, world: World, socket: Socket) -> None:
        super().opened(world, socket)
        what, self.what = self.what, None
        if what is not None:
            world.later(self.after_s, lambda: what(world, socket))


# --- scripted lives -------------------------------------------------------------------------------


def test_a_calm_life_is_connected_subscribed_and_stopped() -> None:
    world = Scripted(Calm())
    assert world.run() is None
    assert world.names() == ["connected", "subscribed", "subscribed", "first_tick", "stopped"]
    assert world.connection.state.phase is Phase.STOPPED
    assert world.connection.tracker.ticks == 38
    assert world.sent.count("ping") == 9
    assert world.closed_with == [1000]


def test_a_whole_trading_day_is_quiet_before_and_after_and_never_blind() -> None:
    world = Scripted(Calm(), length_s=FULL_DAY_S, hours=TRADING)
    assert world.run() is None
    assert world.names() == [
        *("connected", "subscribed", "subscribed", "quiet", "first_tick", "quiet", "stopped")
    ]
    assert world.events[-1] == StoppedEvent(0.0)
    assert world.connection.tracker.ticks == 2 * 22_500 // 5


def test_a_session_that_ends_at_midnight_is_renewed_without_losing_the_stream() -> None:
    start_ns = wall_ns("2026-11-20 20:00:00")
    world = Scripted(Calm(), length_s=NIGHT_S, hours=TRADING, start_ns=start_ns)
    assert world.run() is None
    assert "lost" not in world.names()
    assert world.names().count("renewed") == 1
    assert 4 * 3600 <= world.at_s[world.events.index(world.first(Renewed))] <= 4 * 3600 + 11
    assert world.first(Renewed) == Renewed(datetime(2026, 11, 22, tzinfo=IST))
    assert world.connection.session_expires_ns == wall_ns("2026-11-22 00:00:00")


def test_a_drop_is_blind_from_the_last_packet_to_the_first_after_it() -> None:
    def drop(_world: World, socket: Socket) -> None:
        socket.broken = NetworkError("reset")

    world = Scripted(Once(7.0, drop))
    assert world.run() is None
    assert world.names()[3:] == [
        *("first_tick", "lost", "waiting", "connected", "subscribed", "subscribed"),
        *("first_tick", "recovered", "stopped"),
    ]
    waited_s = world.first(Waiting).delay_s
    assert world.first(Recovered).blind_s == pytest.approx(2 + waited_s + 0.1 + 5, abs=0.01)


def test_a_server_that_closes_is_named_with_its_code() -> None:
    def close(_world: World, socket: Socket) -> None:
        socket.write(encode_close(4001, "kicked"), is_poison=True)

    world = Scripted(Once(1.0, close))
    world.run()
    assert world.first(Lost).cause == "closed by server"
    assert world.first(Lost).code == 4001


def test_a_broken_frame_closes_with_the_code_that_the_rfc_asks_for() -> None:
    def break_it(_world: World, socket: Socket) -> None:
        socket.write(encode_frame(Opcode.TEXT, b"\xff"), is_poison=True)

    world = Scripted(Once(1.0, break_it))
    world.run()
    assert world.closed_with == [1007, 1000]


class Late(Calm):
    """Sends nothing, until the socket closes."""

    def opened(self, world: World, socket: Socket) -> None:
        pass

    def closing(self, world: World, socket: Socket) -> None:
        self.send_ticks(world, socket)


def test_packets_that_come_while_the_socket_closes_are_delivered() -> None:
    world = Scripted(Late(), length_s=41.0)
    world.run()
    assert world.first(Lost).cause == "silence"
    assert world.connection.tracker.ticks == 2


def test_after_the_users_stop_the_close_frame_is_the_end() -> None:
    world = Scripted(Late(), length_s=3.0)
    world.run()
    assert world.connection.tracker.ticks == 0


def test_a_ping_is_answered_with_its_payload() -> None:
    def ping(_world: World, socket: Socket) -> None:
        socket.pings.append(b"abc")
        socket.write(encode_frame(Opcode.PING, b"abc"))

    world = Scripted(Once(1.0, ping))
    world.run()
    assert world.newest_socket is not None
    assert not world.newest_socket.pings


def test_one_pong_answers_all_pings_of_a_drain() -> None:
    def ping(_world: World, socket: Socket) -> None:
        socket.pings.append(b"last")
        flood = b"".join(encode_frame(Opcode.PING, b"%d" % number) for number in range(3_000))
        socket.write(flood + encode_frame(Opcode.PING, b"last"))

    world = Scripted(Once(1.0, ping))
    world.run()  # the referee raises for a pong that answers no ping of `pings`
    assert world.newest_socket is not None
    assert not world.newest_socket.pings


def test_a_feed_that_is_given_up_says_why() -> None:
    class Unreachable(Brain):
        def connect(self, world: World, epoch: int, fresh_login: bool) -> None:
            world.answer(epoch, 0.0, NetworkError("nobody answers"))

    world = Scripted(Unreachable())
    error = world.run()
    assert isinstance(error, NetworkError)
    assert world.names().count("waiting") == 3
    assert world.names()[-1] == "gave_up"
    assert 7 <= world.now_s - 1000 <= 7.7


def test_missing_credentials_are_not_tried_twice() -> None:
    class Nobody(Brain):
        def connect(self, world: World, epoch: int, fresh_login: bool) -> None:
            world.referee.may_end.add("session")
            world.answer(epoch, 0.0, CredentialsMissingError("TICKS_PIN"))

    world = Scripted(Nobody())
    assert isinstance(world.run(), CredentialsMissingError)
    assert world.names() == ["lost", "gave_up"]


def test_a_stop_before_the_start_ends_at_once() -> None:
    world = Scripted(Calm())
    world.stop()
    assert world.run() is None
    assert world.now_s == 1000.0


def test_what_breaks_the_loop_leaves_no_socket() -> None:
    world = Scripted(Calm())

    def broken(_received_ns: int, _packets: list[bytes]) -> None:
        raise RuntimeError("no room")

    world.connection._deliver = broken
    with pytest.raises(RuntimeError, match="no room"):
        world.run()
    assert world.is_released


def test_each_connection_judges_its_own_segments() -> None:
    world = Scripted(Calm(), units=[UNITS[2], UNITS[3]])
    world.run()
    assert {exchange for exchange, _ in world.market()} == {"BSE", "MCX"}
    assert world.market()[-2:] == [("BSE", "live"), ("MCX", "live")]


def test_the_newest_data_is_known_to_the_drain() -> None:
    seen: list[float] = []
    world = Scripted(Calm(every_s=7.0), length_s=30.0)
    for at_s in (3.0, 9.0, 25.0):
        world.later(at_s, lambda: seen.append(round(world.connection.last_data_s - 1000, 3)))
    world.run()
    assert seen == [0.1, 7.1, 21.1]


def test_after_a_reconnect_the_newest_data_is_not_the_former_socket_s() -> None:
    def drop(_world: World, socket: Socket) -> None:
        socket.broken = NetworkError("reset")

    world = Scripted(Once(6.0, drop), length_s=9.0)
    world.run()
    assert world.connection.last_data_s == world.connection.state.live_since_s


# --- subscriptions and refusals -------------------------------------------------------------------


def test_a_change_while_live_unsubscribes_first_and_then_subscribes() -> None:
    world = Scripted(Calm(), units=[UNITS[0]])
    world.later(3.0, lambda: world.connection.set_units([UNITS[1]]))
    world.run()
    assert [request["action"] for request in world.requests()] == [1, 0, 1]
    assert world.connection.units == (UNITS[1],)
    assert "unsubscribed" in world.names()


def test_a_change_that_is_made_before_the_link_opens_is_subscribed_then() -> None:
    world = Scripted(Calm(), units=[UNITS[0]])
    world.connection.set_units([UNITS[1]])
    world.run()
    (request,) = world.requests()
    assert request["params"] == {"mode": 2, "tokenList": [{"exchangeType": 1, "tokens": ["2885"]}]}


def test_correlation_ids_are_used_once_over_all_links() -> None:
    def drop(_world: World, socket: Socket) -> None:
        socket.broken = NetworkError("reset")

    world = Scripted(Once(6.0, drop))
    world.run()
    ids = [request["correlationID"] for request in world.requests()]
    assert len(ids) == len(set(ids)) == 4


class Refusing(Once):
    """Refuses each request that asks for one of `units`, as the broker does: in a text frame."""

    def __init__(self, units: list[Unit], code: str = "E1002") -> None:
        super().__init__(20.0, self.drop)
        self.units = units
        self.code = code

    def drop(self, _world: World, socket: Socket) -> None:
        socket.broken = NetworkError("reset")

    def said(self, world: World, socket: Socket, words: str) -> None:
        if words == "ping":
            super().said(world, socket, words)
            return
        request = json.loads(words)
        asked = {token for group in request["params"]["tokenList"] for token in group["tokens"]}
        if asked & {unit.token for unit in self.units}:
            world.referee.refused |= {unit for unit in UNITS if unit.token in asked}
            body = {"correlationID": request["correlationID"], "errorCode": self.code}
            socket.write(text(json.dumps({**body, "errorMessage": "over the limit"})))


def test_a_refused_request_is_reported_and_wanted_no_more() -> None:
    world = Scripted(Refusing([UNITS[0]]))
    assert world.run() is None
    assert world.first(Refused) == Refused("E1002", "over the limit", "s1ltp", 1)
    assert world.connection.units == (UNITS[1],)
    assert len(world.requests()) == 3  # after the reconnect only what was not refused


def test_with_nothing_left_to_subscribe_to_the_connection_ends() -> None:
    world = Scripted(Refusing([UNITS[0], UNITS[1]], code="E1001"))
    world.referee.may_end.add("subscription refused")
    error = world.run()
    assert isinstance(error, SubscriptionRefusedError)
    assert "s2quote" in error.message
    assert "E1001" in error.message
    assert error.kind == "subscription-refused"
    assert error.values == {"request": "s2quote", "instruments": 1, "code": "E1001"}
    assert "waiting" not in world.names()


@pytest.mark.parametrize(
    "words",
    [
        '{"correlationID":"","errorCode":"E1001","errorMessage":"bad"}',
        '{"correlationID":"another","errorCode":"E1001","errorMessage":"bad"}',
    ],
)
def test_an_error_that_names_no_request_of_ours_is_reported_and_changes_nothing(words: str) -> None:
    world = Scripted(Once(1.0, lambda _world, socket: socket.write(text(words))))
    assert world.run() is None
    assert world.first(Refused) == Refused("E1001", "bad")
    assert len(world.connection.units) == 2


def test_a_refused_unsubscribe_takes_nothing_away() -> None:
    def refuse(_world: World, socket: Socket) -> None:
        body = {"correlationID": "u2ltp", "errorCode": "E1001", "errorMessage": "bad"}
        socket.write(text(json.dumps(body)))

    world = Scripted(Once(6.0, refuse), units=[UNITS[0]])
    world.later(2.0, lambda: world.connection.set_units([]))
    world.later(4.0, lambda: world.connection.set_units([UNITS[0]]))
    assert world.run() is None
    assert "u2ltp" in {request["correlationID"] for request in world.requests()}
    assert world.connection.units == (UNITS[0],)


def test_a_flood_of_refusals_is_counted_to_the_last_and_logged_by_the_few() -> None:
    words = '{"errorCode":"E1001","errorMessage":"%s"}' % ("x" * 60_000)

    def flood(_world: World, socket: Socket) -> None:
        for _ in range(500):
            socket.write(text(words))

    world = Scripted(Once(1.0, flood))
    assert world.run() is None
    refusals = [event for event in world.events if isinstance(event, Refused)]
    assert sum(1 + (refusal.others or 0) for refusal in refusals) == 500
    assert len(refusals) < 100
    assert max(len(refusal.detail) for refusal in refusals) <= 200


def test_other_text_is_no_error() -> None:
    world = Scripted(Once(1.0, lambda _world, socket: socket.write(text('{"hello": 1}'))))
    world.run()
    assert "refused" not in world.names()


def test_bad_packets_are_reported_with_their_reasons_but_not_each() -> None:
    def send_rubbish(world: World, socket: Socket) -> None:
        for number in range(50):
            world.later(number / 100, lambda: socket.write(binary(b"\x01short")))

    world = Scripted(Once(1.0, send_rubbish))
    world.run()
    reported = [event for event in world.events if isinstance(event, Malformed)]
    assert reported[-1] == Malformed(50, {"length": 50})
    assert len(reported) <= 2


def test_packets_out_of_order_and_twice_are_reported() -> None:
    def shuffle(_world: World, socket: Socket) -> None:
        for sequence in (9000, 8999, 8999):
            packet = ltp_packet(UNITS[0], sequence)
            socket.write(binary(packet), packet)

    world = Scripted(Once(98.0, shuffle))
    world.run()
    assert world.first(OutOfOrder) == OutOfOrder(1, 1)


# --- the market's evidence ------------------------------------------------------------------------


class Stopped(Scripted):
    """For `stopped_for_s` nobody runs; the wait that was under way finds its deadline over."""

    stopped_for_s = 36.0
    was_stopped = False

    def wait(self, until_s: float | None) -> list[NetworkEvent]:
        if not self.was_stopped and self.now_s >= 1020:
            self.was_stopped = True
            self.stopping()
            end_s = self.now_s + self.stopped_for_s
            while self._agenda and self._agenda[0][0] <= end_s:
                self.clock.at_s = max(self.now_s, self._agenda[0][0])
                heapq.heappop(self._agenda)[2]()
            self.clock.at_s = end_s
            return []
        return super().wait(until_s)

    def stopping(self) -> None:
        """Nobody runs from now on."""


def test_a_process_that_was_stopped_reads_its_backlog_before_it_judges_silence() -> None:
    world = Stopped(Calm(every_s=1.0), length_s=80)
    assert world.run() is None
    assert world.was_stopped
    assert "lost" not in world.names()
    assert world.first(StoppedEvent).blind_s == 0
    assert world.connection.tracker.ticks >= 2 * 75


def test_hours_in_which_the_machine_slept_are_blind() -> None:
    class Slept(Stopped):
        """Nothing that is sent meanwhile arrives, and then the link is broken."""

        stopped_for_s = 7200.0

        def stopping(self) -> None:
            assert self.socket is not None
            self.socket.is_mute = True
            self.socket.broken = NetworkError("reset")
            self.socket.last_heard_s += self.stopped_for_s  # the referee slept too

    world = Slept(Calm(every_s=1.0), length_s=7300)
    assert world.run() is None
    assert world.first(StoppedEvent).blind_s == pytest.approx(7200, abs=5)
    assert world.names().count("connected") == 2


def test_an_error_beside_flowing_ticks_is_told_and_ends_nothing() -> None:
    def refuse(_world: World, socket: Socket) -> None:
        body = {"correlationID": "s1ltp", "errorCode": "E1002", "errorMessage": "over the limit"}
        socket.write(text(json.dumps(body)))

    world = Scripted(Once(20.0, refuse), units=[UNITS[0]])
    assert world.run() is None
    assert world.first(Refused) == Refused("E1002", "over the limit", "s1ltp", 0)
    assert world.connection.units == (UNITS[0],)
    assert world.connection.tracker.ticks == 19


class Snapshots(Calm):
    """A feed that answers each subscription with the last state, and then sends what changes."""

    def said(self, world: World, socket: Socket, words: str) -> None:
        super().said(world, socket, words)
        if '"action":1' in words:
            world.later(0.05, lambda: self.send_changes(world, socket))

    def opened(self, world: World, socket: Socket) -> None:
        def tick() -> None:
            if socket is world.socket:
                self.send_changes(world, socket)
                world.later(1.0, tick)

        world.later(1.0, tick)

    def send_changes(self, world: World, socket: Socket) -> None:
        for unit in sorted(socket.subscribed):
            exchange_ms = world.exchange.last_change_ns(unit, world.clock.true_ns()) // NS * 1000
            if exchange_ms != socket.sent_ms.get(unit):
                self.sequence += 1
                socket.sent_ms[unit] = exchange_ms
                packet = ltp_packet(unit, self.sequence, exchange_ms)
                socket.write(binary(packet), packet)


ELEVEN_NS = wall_ns("2026-11-20 11:00:00")


def test_one_far_option_at_eleven_is_not_lost() -> None:
    exchange = Exchange([], before_ns=wall_ns("2026-11-20 09:47:00"))
    option = Unit(2, "43210", Mode.QUOTE)
    world = Scripted(
        Snapshots(),
        length_s=3600.0,
        hours=TRADING,
        start_ns=ELEVEN_NS,
        exchange=exchange,
        units=[option],
    )
    assert world.run() is None
    assert "lost" not in world.names()
    assert world.market() == [("NFO", "expected"), ("NFO", "standing")]
    assert {event.answer for event in world.events if isinstance(event, Probe)} == {"stands"}
    assert world.first(StoppedEvent).blind_s == 0
    assert world.connection.market.uncertain_s(world.now_s) > 3500
    assert world.connection.state.reconnects == 0


def test_a_holiday_that_nobody_listed_is_not_lost() -> None:
    exchange = Exchange([], before_ns=wall_ns("2026-11-19 15:29:59"))
    world = Scripted(
        Snapshots(), length_s=FULL_DAY_S, hours=TRADING, start_ns=MORNING_NS, exchange=exchange
    )
    assert world.run() is None
    assert "lost" not in world.names()
    states = ["resting", "expected", "standing", "resting"]
    assert world.market() == [("NSE", state) for state in states]
    assert world.first(StoppedEvent).blind_s == 0
    assert 22_400 < world.connection.market.uncertain_s(world.now_s) <= 22_500


def test_a_probe_is_no_loss_and_connects_at_once() -> None:
    exchange = Exchange([], before_ns=wall_ns("2026-11-20 09:47:00"))
    world = Scripted(
        Snapshots(), length_s=60.0, hours=TRADING, start_ns=ELEVEN_NS, exchange=exchange
    )
    world.run()
    names = world.names()
    assert names[names.index("first_tick") + 1] == "connected"
    assert world.closed_with == [1000, 1000]


def test_a_market_that_moves_while_the_link_delivers_nothing_is_blind() -> None:
    exchange = Exchange([TRADING], every_s=1.0, before_ns=wall_ns("2026-11-19 15:29:59"))

    class Deaf(Snapshots):
        def send_changes(self, world: World, socket: Socket) -> None:
            is_deaf = socket.epoch == 1 and world.now_s > 1100
            if not is_deaf:
                super().send_changes(world, socket)

    world = Scripted(Deaf(), length_s=200.0, hours=TRADING, start_ns=ELEVEN_NS, exchange=exchange)
    assert world.run() is None
    assert world.first(Lost).cause == "silence"
    assert world.first(Recovered).blind_s == pytest.approx(36, abs=8)


# --- simulated days -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(300)  # some 30 ms of CPU a day, on a machine that may be busy
def test_every_promise_holds_on_fixed_days() -> None:
    phases = {live_a_day(seed).connection.state.phase for seed in FIXED_DAYS}
    assert phases == {Phase.STOPPED, Phase.LOST}


@pytest.mark.slow
@pytest.mark.timeout(300)  # some 30 ms of CPU a day, on a machine that may be busy
def test_a_feed_that_answers_is_never_given_up() -> None:
    for seed in range(1, 101):
        live_a_calm_day(seed)


@pytest.mark.slow
@pytest.mark.timeout(300)  # some 30 ms of CPU a day, on a machine that may be busy
def test_every_promise_holds_on_fresh_days() -> None:
    first = SystemRandom().randrange(1 << 40)
    print(f"days from seed {first} on")
    for seed in range(first, first + FRESH_DAYS):
        live_a_day(seed)


def test_the_same_seed_is_the_same_day() -> None:
    for seed in range(20):
        first, second = live_a_day(seed), live_a_day(seed)
        now_s = first.now_s
        assert first.connection.market.blind_s(now_s) == second.connection.market.blind_s(now_s)
        assert first.referee.steps == second.referee.steps


def broken_days(days: int = 100, *, lived_policy: Callable[[Policy], Policy] | None = None) -> str:
    """What the first broken one of so many days says."""

    def live_them() -> None:
        for seed in range(1, days + 1):
            live_a_day(seed, lived_policy=lived_policy)

    with pytest.raises(Foul) as caught:
        live_them()
    return str(caught.value.__cause__)


def test_days_break_when_the_silence_check_is_inert() -> None:
    inert = broken_days(lived_policy=lambda policy: replace(policy, silence_after_s=1e9))
    assert "silence of" in inert


def test_days_break_when_the_check_of_the_link_is_inert() -> None:
    inert = broken_days(lived_policy=lambda policy: replace(policy, link_dead_after_s=1e9))
    assert "a link dead for" in inert


def test_days_break_when_checks_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def inert(
        state: lifecycle.State, _event: Checked, now_s: float, policy: Policy
    ) -> lifecycle.Step:
        return replace(state, check_at_s=now_s + policy.check_every_s), []

    monkeypatch.setitem(lifecycle.TABLE, (Phase.LIVE, Checked), inert)
    assert "is found" in broken_days()


def test_days_break_when_a_link_that_merely_opens_is_forgiven(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = lifecycle.TABLE[(Phase.CONNECTING, Opened)]

    def forgiving(
        state: lifecycle.State, event: Opened, now_s: float, policy: Policy
    ) -> lifecycle.Step:
        return opened(replace(state, attempt=0), event, now_s, policy)

    monkeypatch.setitem(lifecycle.TABLE, (Phase.CONNECTING, Opened), forgiving)
    assert "failures" in broken_days()


def test_days_break_when_the_delays_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "delay_s", lambda *_args, **_options: 0.5)
    assert "waited 0.5" in broken_days()


def test_days_break_when_a_packet_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = Random(1)

    def hand_on(packets: list[bytes]) -> list[bytes]:
        return packets[: draw.choice([-1, len(packets)])] if len(packets) > 1 else packets

    take = PacketTracker.take
    monkeypatch.setattr(
        PacketTracker,
        "take",
        lambda tracker, packets, *times: hand_on(take(tracker, packets, *times)),
    )
    assert "not delivered" in broken_days()


def test_an_error_of_the_loop_itself_names_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> TicksError:
        raise ZeroDivisionError

    monkeypatch.setitem(lifecycle.TABLE, (Phase.CONNECTING, Opened), broken)
    with pytest.raises(Foul, match=r"day 1, .*ZeroDivisionError"):
        live_a_day(1)
