"""Who holds a connection to its promises: keeps books of its own, and raises `Foul` at the step
where a promise is broken.

Promises (design: "The life of a connection")
- At most one socket, open or being opened; none while waiting, none after the end.
- A wait has an alarm; the delay grows with the failures since the link last proved healthy, plus
  at most a tenth; 429 waits a minute at least; failures never exceed the limit.
- After each opening the whole subscription is sent before anything else, and while live the feed
  is subscribed to what is wanted, no more and no less (but what it refused).
- Every whole packet that left an open socket is delivered once, in order, with its time.
- In market hours silence is found within `silence_after_s` and one check, and nothing shorter is
  called silence; outside them it is no fault. A dead link is found at any hour.
- Tokens that end while the feed streams are renewed beside it, not more often than every 5 minutes.
- After a stop nothing is sent, and the loop returns without any time passing.
- The feed is given up only for a reason that the script knows.
- Blind seconds are, loss by loss, the open market's seconds from the last packet before it (or the
  market's last opening) to the first packet after it. Market hours are looked at every
  `check_every_s`, so each opening and close on the way may add or hide one such interval.
"""

from __future__ import annotations

import json
import math
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
RENEWAL_APART_S = 300.0


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
class Referee:
    """The books that the promises are checked against, kept without looking at the lifecycle's."""

    world: World
    expected: deque[bytes] = field(default_factory=deque)
    last_data_s: float | None = None
    market: list[tuple[float, bool]] = field(default_factory=list)
    started_s: float | None = None
    spans: list[list[float]] = field(default_factory=list)
    """Blind spans: where each starts, where the loss was reported, where it ended."""
    is_blind: bool = False
    failures_least: int = 0
    failures_most: int = 0
    fresh_logins: int = 0
    lost_s: float | None = None
    lost_to: TicksError | None = None
    expired_s: float | None = None
    renewed_s: float = float("-inf")
    blind_before_s: float = 0.0
    may_end: set[str] = field(default_factory=set)
    """Causes for which this script may end the feed at once."""
    refused: set[Unit] = field(default_factory=set)
    steps: int = 0

    # --- what the port saw ---

    def note_market(self) -> None:
        is_open = self.world.is_market_open
        if not self.market or self.market[-1][1] != is_open:
            self.market.append((self.world.now_s, is_open))

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
        if whole:
            socket.last_data_s = self.last_data_s = now_s
            if self.is_blind:
                self.spans[-1][2] = now_s
                self.is_blind = False
            if is_proof:
                self.failures_least = self.failures_most = self.fresh_logins = 0
        elif is_proof:
            socket.may_be_proven = True

    def late(self, whole: list[bytes]) -> None:
        self.expected.extend(whole)

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
            case events.Silent():
                self._check_silence()
            case events.Quiet():
                demand(not self.world.is_market_open, "quiet is for a closed market")
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
        if not self.is_blind:
            seen_s = self.started_s if self.last_data_s is None else self.last_data_s
            assert seen_s is not None
            self.spans.append([seen_s, now_s, math.inf])
            self.is_blind = True
        if not (cause.label == "tokens refused" and self.fresh_logins == 0):
            self.failures_least += 1
            self.failures_most += 1

    def _check_silence(self) -> None:
        world = self.world
        demand(world.is_market_open, "silence is a fault in market hours only")
        assert world.socket is not None
        silence_s = world.now_s - world.socket.last_data_s
        least_s = world.policy.silence_after_s
        demand(silence_s >= least_s - EPS_S, f"{silence_s} s are no silence yet")
        open_s = world.now_s - max([-math.inf] + [end_s for _, end_s in self._closed(noticed=True)])
        demand(open_s >= least_s - world.policy.check_every_s - EPS_S, "the market has just opened")

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
        blind_s = state.total_blind_s(now_s)
        demand(blind_s >= self.blind_before_s - EPS_S, "blind seconds are not taken back")
        demand(blind_s <= now_s - (self.started_s or now_s) + EPS_S, "no second counts twice")
        self.blind_before_s = blind_s
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
        if socket.may_be_proven and not self._was_open_since(socket.opened_s):
            self.failures_least = self.fresh_logins = 0
        if self.market[-1][1]:
            silent_s = now_s - max(socket.last_data_s, self.market[-1][0])
            latest_s = policy.silence_after_s + policy.check_every_s
            demand(silent_s <= latest_s + EPS_S, f"silence of {silent_s} s is found")
        else:
            quiet_s = now_s - socket.last_data_s
            is_due = quiet_s > policy.silence_after_s + policy.check_every_s + EPS_S
            is_seen = now_s - self.market[-1][0] > policy.check_every_s + EPS_S
            demand(world.connection.state.is_quiet or not (is_due and is_seen), "quiet is reported")
        self._step_session()

    def _was_open_since(self, since_s: float) -> bool:
        """Whether the market was open all the time since then."""
        return self.market[-1][1] and self.market[-1][0] <= since_s

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
        self._judge_blindness(state.blind_s)

    def _judge_the_end(self, error: TicksError) -> None:
        limit = self.world.policy.max_attempts
        is_worn_out = limit is not None and self.failures_most > limit
        demand(is_worn_out or error.label in self.may_end, f"given up because of {error!r}")
        if isinstance(error, SilenceError | LinkDeadError):
            demand(is_worn_out, "silence alone is no end")

    def _judge_blindness(self, blind_s: float) -> None:
        check_s = self.world.policy.check_every_s
        now_s = self.world.now_s
        closed, noticed = self._closed(), self._closed(noticed=True)
        least_s = most_s = 0.0
        for seen_s, lost_s, found_s in self.spans:
            until_s = min(found_s, now_s)
            least_s += max(0.0, blind_of(seen_s, lost_s, until_s, closed, -check_s))
            most_s += blind_of(seen_s, lost_s, until_s, noticed, check_s)
        promise = f"blind {blind_s:.3f} s, the script knows {least_s:.3f} to {most_s:.3f} s"
        demand(least_s - 2 * EPS_S <= blind_s <= most_s + 2 * EPS_S, promise)

    def _closed(self, *, noticed: bool = False) -> list[tuple[float, float]]:
        """When the market was closed; `noticed`: long enough that a check must have seen it."""
        ends = [start_s for start_s, _ in self.market[1:]] + [math.inf]
        closed = [(s, e) for (s, is_open), e in zip(self.market, ends, strict=True) if not is_open]
        least_s = self.world.policy.check_every_s if noticed else 0.0
        return [(start_s, end_s) for start_s, end_s in closed if end_s - start_s > least_s]


def blind_of(
    seen_s: float,
    lost_s: float,
    until_s: float,
    closed: list[tuple[float, float]],
    for_each_edge_s: float,
) -> float:
    """The open market's seconds of one span, and so much more for each edge about there.

    A positive `for_each_edge_s` also lets a close just before the loss go unnoticed.
    """
    known_s = lost_s - max(0.0, for_each_edge_s)
    since_s = max([seen_s] + [min(end_s, lost_s) for start_s, end_s in closed if start_s < known_s])
    blind_s = until_s - since_s
    margin_s = abs(for_each_edge_s)
    for start_s, end_s in closed:
        blind_s -= max(0.0, min(end_s, until_s) - max(start_s, since_s))
        near = [e for e in (start_s, end_s) if since_s - margin_s <= e <= until_s + margin_s]
        blind_s += len(near) * for_each_edge_s
    return blind_s
