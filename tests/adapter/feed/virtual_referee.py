"""Who holds a connection to its promises: keeps books of its own, and raises `Foul` at the step
where a promise is broken.

Promises (docs/lifecycle.md)
- At most one socket, open or being opened; none while waiting, none after the end.
- A wait has an alarm; the delay grows with the failures since the link last proved healthy, plus
  at most a tenth; 429 waits a minute at least; failures never exceed the limit.
- After each opening the whole subscription is sent before anything else, and while live the feed
  is subscribed to what is wanted, no more and no less (but what it refused).
- Every whole packet that left an open socket is delivered once, in order, with its time.
- What is called a fault of silence was silence, of a segment that the calendar calls open. While a
  segment trades without a pause and ticks often, silence is found within `silence_after_s` and one
  check; a silence of the last half hour may have been a pause. A dead link is found at any hour.
- Tokens that end while the feed streams are renewed beside it, not more often than every 5 minutes.
- After a stop nothing is sent, and the loop returns without any time passing.
- The feed is given up only for a reason that the script knows.
- Blind seconds lie between the last packet before a link is given up and the first packet after it
  that tells of something new; and a stretch in which the exchange traded there is blind.
"""

from __future__ import annotations

import json
import math
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticks.adapter import events
from ticks.adapter.errors import LinkDeadError, SilenceError, TicksError
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.tick import Mode
from ticks.adapter.wire.subscription import Unit

if TYPE_CHECKING:
    from virtual_world import Socket, World

EPS_S = 1e-4
NS = 1_000_000_000
MS = 1_000_000
RENEWAL_APART_S = 300.0
PAUSES_FOR_S = 1800.0


class Foul(AssertionError):
    """A promise was broken."""


def demand(holds: bool, promise: object) -> None:
    if not holds:
        raise Foul(promise)


def requested_units(request: dict[str, object]) -> set[Unit]:
    """What a request's JSON asks for."""
    params = request["params"]
    assert isinstance(params, dict)
    return {
        Unit(group["exchangeType"], token, Mode(params["mode"]))
        for group in params["tokenList"]
        for token in group["tokens"]
    }


@dataclass
class SegmentBook:
    """What the referee knows of one segment."""

    packets: int = 0
    moves: int = 0
    """Packets that told of something newer than their unit's former one on this link."""
    last_packet_s: float = -math.inf
    known_ms: dict[Unit, int] = field(default_factory=dict)
    here: set[Unit] = field(default_factory=set)
    """Units that have sent something on this link."""
    gap_s: float | None = None
    paused_s: float = -math.inf
    """When it was last heard again after a silence that a reconnect lay in."""
    """Since when something may have been missed."""
    lost_ms: int = 0
    """The newest exchange time before that."""
    is_proven: bool = False


@dataclass
class Referee:
    """The books that the promises are checked against, kept without looking at the lifecycle's."""

    world: World
    expected: deque[bytes] = field(default_factory=deque)
    last_data_s: float | None = None
    started_s: float | None = None
    segments: dict[int, SegmentBook] = field(default_factory=dict)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """What may be blind at most."""
    missed: list[tuple[float, float]] = field(default_factory=list)
    """What must be blind at least, but for the slack of each."""
    asked_for: set[int] = field(default_factory=set)
    """The segments that were ever subscribed."""
    has_wished: bool = False
    late_s: float = 0.0
    """The latest that a live packet came after its change: so far the market's clock may lag."""
    moved_s: float = -math.inf
    """When a probe found that the market had gone on."""
    failures_least: int = 0
    failures_most: int = 0
    fresh_logins: int = 0
    lost_s: float | None = None
    lost_to: TicksError | None = None
    expired_s: float | None = None
    renewed_s: float = float("-inf")
    may_end: set[str] = field(default_factory=set)
    """Causes for which this script may end the feed at once."""
    refused: set[Unit] = field(default_factory=set)
    steps: int = 0

    # --- what the port saw ---

    def connecting(self, fresh_login: bool) -> None:
        now_s = self.world.now_s
        if self.started_s is None:
            self.started_s = now_s
        if fresh_login:
            self.fresh_logins += 1
            demand(self.fresh_logins == 1, "one fresh login until the link proves healthy")
        if self.lost_s is None:
            return
        waited_s, self.lost_s = now_s - self.lost_s, None
        if fresh_login:
            demand(waited_s == 0, "a fresh login is tried at once")
            return
        demand(self._is_fair(waited_s), f"waited {waited_s} s, {self.failures_most} failures")

    def _is_fair(self, waited_s: float) -> bool:
        policy = self.world.policy
        least_s = policy.rate_limit_wait_s if getattr(self.lost_to, "label", "") == "429" else 0.0
        for failures in range(self.failures_least, self.failures_most + 1):
            base_s = max(least_s, min(policy.backoff_max_s, 2.0 ** (failures - 1)))
            if base_s - EPS_S <= waited_s <= base_s * 1.1 + EPS_S:
                return True
        return False

    def renewing(self) -> None:
        world = self.world
        demand(world.connection.state.phase is Phase.LIVE, "renewed beside a live link")
        ends_ns = world.connection.session_expires_ns or 0
        demand(world.clock.wall_ns() >= ends_ns, "renewed when it has ended")
        demand(world.now_s - self.renewed_s >= RENEWAL_APART_S - EPS_S, "renewed too often")
        self.renewed_s = world.now_s

    def said(self, socket: Socket, words: str) -> None:
        wanted = set(self.world.connection.units)
        if words.startswith("{"):
            self._requested(socket, json.loads(words))
            socket.greeted |= socket.subscribed >= wanted
        else:
            demand(words == "ping", f"nobody says {words!r}")
            demand(socket.greeted or not wanted, "the subscription comes before anything else")

    def _requested(self, socket: Socket, request: dict[str, object]) -> None:
        units = requested_units(request)
        self.asked_for |= {unit.exchange_type for unit in units}
        if request["action"] == 1:
            demand(socket.subscribed.isdisjoint(units), "nothing is subscribed twice")
            socket.subscribed |= units
        else:
            demand(units <= socket.subscribed, "only what stands is unsubscribed")
            socket.subscribed -= units

    def handed_over(self, socket: Socket, whole: list[bytes]) -> None:
        now_s = self.world.now_s
        self.expected.extend(whole)
        socket.last_heard_s = now_s
        is_proof = now_s - socket.opened_s >= self.world.policy.stable_after_s
        is_live = False
        for packet in whole:
            is_live |= self._note_packet(socket, packet, is_proof=is_proof)
        if whole:
            socket.last_data_s = self.last_data_s = now_s
            if is_proof:
                self.failures_least = self.fresh_logins = 0
        elif is_proof:
            socket.may_be_proven = True
        wanted = self.wanted_segments()
        are_proven = bool(wanted) and all(self.book(each).is_proven for each in wanted)
        if is_proof and is_live and are_proven and self.world.clock.is_right:
            self.failures_most = 0

    def _note_packet(self, socket: Socket, packet: bytes, *, is_proof: bool) -> bool:
        """Whether it is certain to be live."""
        unit, exchange_ms = read_head(packet)
        book = self.book(unit.exchange_type)
        before_ms, is_second = book.known_ms.get(unit), unit in book.here
        book.here.add(unit)
        if unit in self.world.connection.units:  # what was dropped or refused may tick on
            book.last_packet_s = self.world.now_s
        book.packets += 1
        book.moves += is_second and exchange_ms > (before_ms or 0)
        age_s = self.world.clock.true_ns() / NS - exchange_ms / 1000
        is_fresh = age_s < 100 and self.world.clock.is_right
        is_live = before_ms is not None and exchange_ms > before_ms and (is_second or is_fresh)
        if is_live:
            self.late_s = max(self.late_s, age_s)
            book.is_proven |= is_proof
            self._end_gap(unit.exchange_type, book, exchange_ms)
        elif book.lost_ms and exchange_ms > book.lost_ms + 1000:
            self._end_gap(unit.exchange_type, book, exchange_ms)
        book.known_ms[unit] = max(exchange_ms, before_ms or 0)
        return is_live

    def _end_gap(self, exchange_type: int, book: SegmentBook, exchange_ms: int) -> None:
        """Something new came: what the exchange did meanwhile was missed."""
        if book.gap_s is None:
            return
        start_s, book.gap_s = book.gap_s, None
        now_s, clock, exchange = self.world.now_s, self.world.clock, self.world.exchange
        self._note_pause(book, start_s)
        self.gaps.append((start_s, now_s))
        units = [unit for unit in book.known_ms if unit in set(self.world.connection.units)]
        changed_ns = [exchange.last_change_ns(unit, exchange_ms * MS) for unit in units]
        for opens, closes in exchange.windows:
            first_ns, last_ns = max(clock.true_ns(start_s), opens), max(changed_ns, default=0)
            listed = [h for h in self.world.calendar.hours if h[0] <= first_ns < h[1]]
            last_ns = min([last_ns, closes, *(h[1] for h in listed)])
            if listed and last_ns > first_ns:
                since_s = start_s + (first_ns - clock.true_ns(start_s)) / NS
                self.missed.append((since_s, since_s + (last_ns - first_ns) / NS))

    def closing(self) -> None:
        """A link is given up."""
        for exchange_type in self.wanted_segments() | self.asked_for:
            self._begin_gap(self.book(exchange_type))
        for book in self.segments.values():
            book.here.clear()
            book.is_proven = False

    def _begin_gap(self, book: SegmentBook) -> None:
        if book.gap_s is None:
            book.gap_s = self.started_s if book.packets == 0 else book.last_packet_s
            book.lost_ms = max(book.known_ms.values(), default=0)

    def wanted_segments(self) -> set[int]:
        return {unit.exchange_type for unit in self.world.connection.units}

    def book(self, exchange_type: int) -> SegmentBook:
        return self.segments.setdefault(exchange_type, SegmentBook())

    def late(self, whole: list[bytes]) -> None:
        self.expected.extend(whole)
        for packet in whole:
            unit, exchange_ms = read_head(packet)
            book = self.book(unit.exchange_type)
            book.known_ms[unit] = max(exchange_ms, book.known_ms.get(unit, 0))

    # --- what the loop handed on ---

    def delivered(self, received_ns: int, packets: list[bytes]) -> None:
        self.world.called()
        demand(received_ns == self.world.clock.wall_ns(), "with the time of its drain")
        for packet in packets:
            demand(bool(self.expected) and self.expected.popleft() == packet, "once and in order")

    def reported(self, event: events.FeedEvent) -> None:
        self.world.called()
        match event:
            case events.Lost():
                self._check_loss()
            case events.Quiet(exchange=None):
                clock, hours = self.world.clock, self.world.calendar.hours
                since_ns, now_ns = clock.true_ns(clock.at_s - self.late_s), clock.true_ns()
                is_open = any(opens <= since_ns and now_ns < closes for opens, closes in hours)
                is_known = clock.is_right and bool(self.wanted_segments())
                demand(not (is_open and is_known), "quiet is for a closed market")
            case events.Probe(answer="moved"):
                self.moved_s = self.world.now_s
                self.failures_most += 1
            case events.Waiting(attempt=attempt):
                limit = self.world.policy.max_attempts
                demand(limit is None or attempt <= limit, "attempts over the limit")
                demand(limit is None or self.failures_least <= limit, "more failures than allowed")

    def _check_loss(self) -> None:
        world, now_s = self.world, self.world.now_s
        cause = world.connection.state.cause
        assert cause is not None
        if isinstance(cause, LinkDeadError):
            assert world.newest_socket is not None
            unheard_s = now_s - world.newest_socket.last_heard_s
            demand(unheard_s >= world.policy.link_dead_after_s - EPS_S, "the link was not dead")
        self.lost_s, self.lost_to = now_s, cause
        if isinstance(cause, SilenceError) and now_s != self.moved_s:
            self._check_silence()
        if world.newest_socket is None or world.socket is None:
            for exchange_type in self.wanted_segments():
                self._begin_gap(self.book(exchange_type))
        if not (cause.label == "tokens refused" and self.fresh_logins == 0):
            self.failures_least += 1
            self.failures_most += 1

    def _check_silence(self) -> None:
        world = self.world
        demand(world.newest_socket is not None, "there was a link")
        assert world.newest_socket is not None
        opened_s = world.newest_socket.opened_s
        silences = [
            world.now_s - max(self.book(each).last_packet_s, opened_s)
            for each in self.wanted_segments()
        ]
        silence_s, least_s = max(silences), world.policy.silence_after_s
        demand(silence_s >= least_s - EPS_S, f"{silence_s} s are no silence yet")
        if world.clock.is_right:
            is_open = self._is_listed() or self._is_listed(ago_s=self.late_s)
            demand(is_open, "silence is a fault where the calendar says open")

    def _is_listed(self, *, ago_s: float = 0.0) -> bool:
        """Whether the calendar says open, of the true time so many seconds ago."""
        clock = self.world.clock
        return self.world.calendar.is_listed(clock.true_ns(clock.at_s - ago_s))

    # --- at each step ---

    def step(self, until_s: float | None) -> None:
        """The promises that must hold whenever the loop waits."""
        world = self.world
        state, now_s = world.connection.state, world.now_s
        self.steps += 1
        demand(not self.expected, f"{len(self.expected)} packets were not delivered")
        demand(until_s is not None, "every phase that waits has an alarm")
        limit = world.policy.max_attempts
        demand(limit is None or state.attempt <= limit, "attempts over the limit")
        demand((world.socket is not None) == (state.phase is Phase.LIVE), "the socket of its phase")
        if state.phase is Phase.WAITING:
            assert until_s is not None
            demand(until_s <= state.due_at_s, "the alarm comes before the wait is over")
        lived_s = now_s - (self.started_s or now_s) + EPS_S
        market = world.connection.market
        blind_s = market.blind_s(now_s)
        demand(0 <= blind_s <= lived_s + 0.001, f"blind {blind_s} s in {lived_s} s")
        demand(0 <= market.uncertain_s(now_s) <= lived_s, "no second is uncertain twice")
        if world.socket is not None:
            self._step_live(world.socket)
        else:
            self.expired_s = None

    def _step_live(self, socket: Socket) -> None:
        world, now_s, policy = self.world, self.world.now_s, self.world.policy
        wanted = set(world.connection.units) - self.refused
        demand(socket.subscribed - self.refused == wanted, "subscribed to what is wanted")
        unheard_s = now_s - socket.last_heard_s
        latest_s = policy.link_dead_after_s + policy.check_every_s
        demand(unheard_s <= latest_s + EPS_S, f"a link dead for {unheard_s} s is found")
        lived_s = now_s - socket.opened_s + EPS_S
        if socket.may_be_proven or lived_s >= min(5.0, policy.silence_after_s):
            self.failures_least = self.fresh_logins = 0  # it may have answered that it stands
            self._note_answers()
        if world.clock.is_right:
            self._step_silence(socket)
        self._step_session()

    def _note_pause(self, book: SegmentBook, start_s: float) -> None:
        if self.world.now_s - start_s >= self.world.policy.silence_after_s:
            book.paused_s = self.world.now_s

    def _note_answers(self) -> None:
        """What a link has brought by now shows whether anything was missed before it."""
        for book in self.segments.values():
            if book.gap_s is not None and (book.here or not self._is_listed()):
                self.gaps.append((book.gap_s, self.world.now_s))
                self._note_pause(book, book.gap_s)
                book.gap_s = None

    def _step_silence(self, socket: Socket) -> None:
        world, now_s, policy = self.world, self.world.now_s, self.world.policy
        clock, exchange = world.clock, world.exchange
        latest_s = policy.silence_after_s + policy.check_every_s
        for exchange_type in self.wanted_segments():
            book = self.book(exchange_type)
            since_s = max(book.last_packet_s, socket.opened_s)
            units = [u for u in world.connection.units if u.exchange_type == exchange_type]
            minutes = (now_s - (self.started_s or now_s)) / 60
            is_liquid = (
                len(units) >= 3
                and exchange.every_s <= 12
                and book.moves >= len(units) * (minutes + 1)
                and now_s - book.paused_s > PAUSES_FOR_S
            )
            span = clock.true_ns(since_s), clock.true_ns()
            if not (is_liquid and exchange.has_traded_since(*span) and not self.has_wished):
                continue
            if all(world.calendar.is_listed(at_ns) for at_ns in span):
                silent_s = now_s - since_s
                demand(silent_s <= latest_s + EPS_S, f"silence of {silent_s} s is found")

    def _step_session(self) -> None:
        world, now_s = self.world, self.world.now_s
        if world.clock.wall_ns() < (world.connection.session_expires_ns or 0):
            self.expired_s = None
            return
        self.expired_s = now_s if self.expired_s is None else self.expired_s
        due_s = max(self.expired_s, self.renewed_s + RENEWAL_APART_S)
        demand(now_s <= due_s + world.policy.check_every_s + EPS_S, "an ended session is renewed")

    # --- at the end ---

    def ended(self, error: TicksError | None) -> None:
        world = self.world
        state = world.connection.state
        demand(state.is_final, "the loop ends in a final phase")
        demand(world.socket is None, "no socket is left")
        demand(not self.expected, "everything was delivered")
        if world.stopped_s is not None:
            demand(world.now_s == world.stopped_s, "a stop takes no time")
        if error is None:
            demand(world.stopped_s is not None, "nobody asked for a stop")
        else:
            self._judge_the_end(error)
        self._judge_blindness(world.connection.market.blind_s(world.now_s))

    def _judge_the_end(self, error: TicksError) -> None:
        limit = self.world.policy.max_attempts
        is_worn_out = limit is not None and self.failures_most > limit
        demand(is_worn_out or error.label in self.may_end, f"given up because of {error!r}")
        if isinstance(error, SilenceError | LinkDeadError):
            demand(is_worn_out, "silence alone is no end")

    def _judge_blindness(self, blind_s: float) -> None:
        open_gaps = [
            (book.gap_s, self.world.now_s)
            for book in self.segments.values()
            if book.gap_s is not None
        ]
        most_s = union_s([*self.gaps, *open_gaps])
        slack_s = (2 * self.world.exchange.every_s + 3) * max(1, len(self.missed))
        least_s = max(0.0, union_s(self.missed) - slack_s)
        if self.has_wished or self.refused or not self.world.clock.is_right:
            least_s = 0.0
        if not self.world.clock.is_right:
            most_s = math.inf  # what is ahead of a wrong clock is believed a packet later
        promise = f"blind {blind_s:.3f} s, the script knows {least_s:.3f} to {most_s:.3f} s"
        eps_s = 0.002 * (len(self.gaps) + len(open_gaps) + 1)  # exchange times are milliseconds
        demand(least_s - eps_s <= blind_s <= most_s + eps_s, promise)


def union_s(spans: list[tuple[float, float]]) -> float:
    total_s, reached_s = 0.0, -math.inf
    for start_s, end_s in sorted(spans):
        total_s += max(0.0, end_s - max(start_s, reached_s))
        reached_s = max(reached_s, end_s)
    return total_s


def read_head(packet: bytes) -> tuple[Unit, int]:
    """Whose packet it is, and its exchange time."""
    mode, exchange_type, token, _, exchange_ms = struct.unpack_from("<BB25sqq", packet)
    return Unit(exchange_type, token.rstrip(b"\0").decode(), Mode(mode)), exchange_ms
