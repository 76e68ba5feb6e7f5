"""The life of one connection, as data: `step(state, event, now_s, policy) -> (state, actions)`.

Rules
- A pair of phase and event that is not in `TABLE` changes nothing.
- An event that carries the epoch of an older socket changes nothing: each connect has a number,
  and only the present one counts. So there is at most one socket, and never two attempts at once.
- LOST and STOPPED are final.
- WAITING always has an alarm (`alarm_s`), and so have the checks and the heartbeat of LIVE.
  The first check is due at once, at the start and at each opening; it learns about the market.
- Attempts go back to 0 only after a healthy stretch: at live data (or, while nothing trades, an
  answer) on a link that has been live for `stable_after_s`, where no segment that was found silent
  is still waited for; or when the feed has answered that the market stands still. A link that
  merely opened proves nothing, and neither does a snapshot.
- What silence means is judged elsewhere (`market/state.py`): a check brings the verdict. A *probe*
  asks again at once, and costs neither an attempt nor a wait; if its answer shows that the link had
  missed something, an attempt is counted.
- The silence timer starts when the subscription is sent, so a feed that never sent anything is
  silent too. Only data frames stop it; pongs prove the link, not the data.
- Time and random draws come in as arguments; nothing here reads a clock.

The table (`docs/lifecycle.md` is drawn from it):

    in                event                        next              do
    idle              Started                      connecting        connect
    connecting        Opened                       live              subscribe
    connecting, live  Failed, retry can help       waiting, or lost  close, wait for the delay
    connecting, live  Failed, retry cannot help    lost              close
    connecting        Failed, tokens refused once  connecting        close, connect by a fresh login
    live              Ticked                       live              silence timer to 0
    live              Heard                        live              link timer to 0
    live              Checked, a fault             waiting, or lost  close, wait for the delay
    live              Checked, a probe is due      connecting        close, connect at once
    live              Answered, it stands still    live              attempts back to 0
    live              Answered, it moved           live, or lost     one attempt more
    waiting           Due                          connecting        connect
    any but final     Stopped                      stopped           close
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from .. import events
from ..errors import (
    LinkDeadError,
    RateLimitedError,
    SilenceError,
    TicksError,
    TokenRefusedError,
)
from ..market.state import Demand, Verdict
from ..wire.frames import NORMAL_CLOSURE
from .backoff import delay_s


class Phase(StrEnum):
    """The state of a connection."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"
    LOST = "lost"
    STOPPED = "stopped"


FINAL = frozenset({Phase.LOST, Phase.STOPPED})


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user can turn; seconds. `max_attempts` None: no limit."""

    silence_after_s: float = 30.0
    check_every_s: float = 10.0
    heartbeat_every_s: float = 10.0
    link_dead_after_s: float = 30.0
    max_attempts: int | None = 3
    backoff_max_s: float = 60.0
    stable_after_s: float = 5.0
    rate_limit_wait_s: float = 60.0


@dataclass(frozen=True, slots=True)
class State:
    """Everything a decision needs. Times are `now_s` of the monotonic clock.

    `attempts` are those of the whole run, `episodes` the losses that they belong to: a new one
    begins with an attempt 1. `silent_since_s` is the last data frame, or the subscription while
    there was none.
    `is_quiet`: nothing comes, and nothing has to. `is_probing`: the connect under way is a probe,
    and no reconnect.
    """

    phase: Phase = Phase.IDLE
    epoch: int = 0
    attempt: int = 0
    attempts: int = 0
    episodes: int = 0
    opens: int = 0
    cause: TicksError | None = None
    started_s: float = 0.0
    live_since_s: float = 0.0
    silent_since_s: float = 0.0
    heard_at_s: float = 0.0
    check_at_s: float = 0.0
    heartbeat_at_s: float = 0.0
    due_at_s: float = 0.0
    delay_s: float = 0.0
    ticked_since_open: bool = False
    is_quiet: bool = False
    is_probing: bool = False
    fresh_login_spent: bool = False

    @property
    def is_final(self) -> bool:
        return self.phase in FINAL

    @property
    def reconnects(self) -> int:
        """How often the feed came back after it had been open."""
        return max(0, self.opens - 1)

    def silence_s(self, now_s: float) -> float:
        """Seconds without data on this socket; 0 where there is no live socket."""
        return max(0.0, now_s - self.silent_since_s) if self.phase is Phase.LIVE else 0.0


# --- events: what happened ------------------------------------------------------------------------


class Started(NamedTuple):
    """The user wants the feed."""


class Opened(NamedTuple):
    """The handshake of `epoch` succeeded."""

    epoch: int


class Failed(NamedTuple):
    """Socket or connect number `epoch` failed, because of `cause`.

    `draw` in [0, 1] spreads the delay.
    """

    epoch: int
    cause: TicksError
    draw: float


class Ticked(NamedTuple):
    """Data came on the socket of `epoch`. `is_live`: it proves the connection healthy."""

    epoch: int
    is_live: bool


class Heard(NamedTuple):
    """Any frame but data came on the socket of `epoch`: the link lives."""

    epoch: int


class Checked(NamedTuple):
    """The health check is due. `verdict` says what the silence, if any, means."""

    verdict: Verdict
    draw: float


class Answered(NamedTuple):
    """The socket of `epoch` has shown what a new subscription brings.

    `fault_silence_s` None: the market stands still. Else a probe has found that it had gone on: for
    so long the link delivered nothing.
    """

    epoch: int
    fault_silence_s: float | None
    draw: float


class Beaten(NamedTuple):
    """The heartbeat is due."""


class Due(NamedTuple):
    """The wait is over."""


class Stopped(NamedTuple):
    """The user wants it to end (`events.Stopped` is what the log then says)."""


LifecycleEvent: TypeAlias = (
    Started | Opened | Failed | Ticked | Heard | Checked | Answered | Beaten | Due | Stopped
)


# --- actions: what to do --------------------------------------------------------------------------


class Connect(NamedTuple):
    """Renew the session (`fresh_login`: the present one was refused), then shake hands."""

    epoch: int
    fresh_login: bool


class Subscribe(NamedTuple):
    """Send the whole subscription on the socket of `epoch`."""

    epoch: int


class SendHeartbeat(NamedTuple):
    """Send the text frame `ping`."""

    epoch: int


class CloseLink(NamedTuple):
    """Close the socket of `epoch` with a close frame; if it is still connecting, give that up."""

    epoch: int
    code: int


Action: TypeAlias = Connect | Subscribe | SendHeartbeat | CloseLink | events.FeedEvent
"""An event among the actions is to be logged; what it says of blind seconds the loop fills in."""
Step: TypeAlias = tuple[State, list[Action]]


def step(state: State, event: LifecycleEvent, now_s: float, policy: Policy) -> Step:
    """The next state and what to do, in order. Pure."""
    epoch = getattr(event, "epoch", state.epoch)
    rule = TABLE.get((state.phase, type(event)))
    if rule is None or epoch != state.epoch:
        return state, []
    return rule(state, event, now_s, policy)


def alarm_s(state: State) -> float | None:
    """When the next timer event is due; None where only the world can move on."""
    match state.phase:
        case Phase.LIVE:
            return min(state.check_at_s, state.heartbeat_at_s)
        case Phase.WAITING:
            return min(state.due_at_s, state.check_at_s)
        case Phase.CONNECTING:
            return state.check_at_s
        case _:
            return None


# --- the rules ------------------------------------------------------------------------------------


def _started(state: State, event: Started, now_s: float, policy: Policy) -> Step:
    begun = replace(state, started_s=now_s, check_at_s=now_s)
    return _connecting(begun, fresh_login=False)


def _connecting(state: State, *, fresh_login: bool) -> Step:
    epoch = state.epoch + 1
    return replace(state, phase=Phase.CONNECTING, epoch=epoch), [Connect(epoch, fresh_login)]


def _opened(state: State, event: Opened, now_s: float, policy: Policy) -> Step:
    live = replace(
        state,
        phase=Phase.LIVE,
        opens=state.opens + (not state.is_probing),
        is_probing=False,
        live_since_s=now_s,
        silent_since_s=now_s,
        heard_at_s=now_s,
        check_at_s=now_s,
        heartbeat_at_s=now_s + policy.heartbeat_every_s,
        ticked_since_open=False,
        is_quiet=False,
    )
    return live, [events.Connected(state.attempt), Subscribe(state.epoch)]


def _failed(state: State, event: Failed, now_s: float, policy: Policy) -> Step:
    return _lose(state, event.cause, event.draw, now_s, policy)


def _lose(state: State, cause: TicksError, draw: float, now_s: float, policy: Policy) -> Step:
    """The way out of CONNECTING and LIVE: a fresh login, a wait, or the end."""
    was_live = state.phase is Phase.LIVE
    close = CloseLink(state.epoch, getattr(cause, "close_code", NORMAL_CLOSURE))
    lost, reason = replace(state, cause=cause, is_probing=False), _reason(cause)
    if isinstance(cause, TokenRefusedError) and not was_live and not state.fresh_login_spent:
        again, connect = _connecting(replace(lost, fresh_login_spent=True), fresh_login=True)
        return again, [close, events.Lost(*reason), *connect]

    attempt = state.attempt + 1
    out_of_attempts = policy.max_attempts is not None and attempt > policy.max_attempts
    if not cause.can_retry or out_of_attempts:
        gave_up = events.GaveUp(*reason, attempts=state.attempt, blind_s=0.0)
        return replace(lost, phase=Phase.LOST), [close, events.Lost(*reason), gave_up]

    least_s = policy.rate_limit_wait_s if isinstance(cause, RateLimitedError) else 0.0
    wait_s = delay_s(attempt, draw, cap_s=policy.backoff_max_s, least_s=least_s)
    waiting = replace(_booked(lost), phase=Phase.WAITING, delay_s=wait_s, due_at_s=now_s + wait_s)
    wait = events.Waiting(
        *reason, attempt=attempt, max_attempts=policy.max_attempts, delay_s=wait_s
    )
    return waiting, [close, events.Lost(*reason), wait]


def _ticked(state: State, event: Ticked, now_s: float, policy: Policy) -> Step:
    reported: list[Action] = []
    if not state.ticked_since_open:
        reported.append(events.FirstTick(now_s - state.live_since_s))
    ticked = replace(
        state, silent_since_s=now_s, heard_at_s=now_s, ticked_since_open=True, is_quiet=False
    )
    return (_healthy(ticked, now_s, policy) if event.is_live else ticked), reported


def _heard(state: State, event: Heard, now_s: float, policy: Policy) -> Step:
    return replace(state, heard_at_s=now_s), []


def _healthy(state: State, proven_s: float, policy: Policy) -> State:
    """Forgive the attempts if what the link carried at `proven_s` came late enough on it."""
    if proven_s - state.live_since_s < policy.stable_after_s:
        return state
    return replace(state, attempt=0, delay_s=0.0, fresh_login_spent=False)


def _checked_live(state: State, event: Checked, now_s: float, policy: Policy) -> Step:
    checked, verdict = _next_check(state, now_s, policy), event.verdict
    unheard_s = now_s - checked.heard_at_s
    if unheard_s >= policy.link_dead_after_s:
        return _lose(checked, LinkDeadError(unheard_s), event.draw, now_s, policy)
    if verdict.demand is Demand.FAULT:
        cause = SilenceError(verdict.silence_s, is_mute=verdict.is_mute)
        lost, actions = _lose(checked, cause, event.draw, now_s, policy)
        return lost, [events.Silent(verdict.silence_s), *actions]
    if verdict.demand is Demand.PROBE:
        probing, connect = _connecting(replace(checked, is_probing=True), fresh_login=False)
        return probing, [CloseLink(state.epoch, NORMAL_CLOSURE), *connect]
    if verdict.is_resting:
        return _quiet(_healthy(checked, checked.heard_at_s, policy), now_s, policy)
    return replace(checked, is_quiet=False), []


def _next_check(state: State, now_s: float, policy: Policy) -> State:
    """A check may come early, to judge an answer; then the next one stays where it was."""
    if now_s < state.check_at_s:
        return state
    return replace(state, check_at_s=now_s + policy.check_every_s)


def _answered(state: State, event: Answered, now_s: float, policy: Policy) -> Step:
    silence_s = event.fault_silence_s
    if silence_s is None:
        return replace(state, attempt=0, delay_s=0.0, fresh_login_spent=False), []
    attempt = state.attempt + 1
    if policy.max_attempts is not None and attempt > policy.max_attempts:
        lost, actions = _lose(state, SilenceError(silence_s), event.draw, now_s, policy)
        return lost, [events.Silent(silence_s), *actions]
    booked = replace(_booked(state), cause=SilenceError(silence_s))
    return booked, [events.Silent(silence_s)]


def _booked(state: State) -> State:
    """One more attempt."""
    return replace(
        state,
        attempt=state.attempt + 1,
        attempts=state.attempts + 1,
        episodes=state.episodes + (state.attempt == 0),
    )


def _quiet(state: State, now_s: float, policy: Policy) -> Step:
    """Silence while the market is closed is reported once, and is not a fault."""
    silence_s = state.silence_s(now_s)
    if state.is_quiet or silence_s < policy.silence_after_s:
        return state, []
    return replace(state, is_quiet=True), [events.Quiet(silence_s)]


def _checked_elsewhere(state: State, event: Checked, now_s: float, policy: Policy) -> Step:
    return _next_check(state, now_s, policy), []


def _beaten(state: State, event: Beaten, now_s: float, policy: Policy) -> Step:
    beaten = replace(state, heartbeat_at_s=now_s + policy.heartbeat_every_s)
    return beaten, [SendHeartbeat(state.epoch)]


def _due(state: State, event: Due, now_s: float, policy: Policy) -> Step:
    return _connecting(state, fresh_login=False)


def _stopped(state: State, event: Stopped, now_s: float, policy: Policy) -> Step:
    close = CloseLink(state.epoch, NORMAL_CLOSURE)
    return replace(state, phase=Phase.STOPPED), [close, events.Stopped()]


def _reason(cause: TicksError) -> tuple[str, str, int | None]:
    """What an event says of a cause: its label, its message, and its close code or HTTP status."""
    status = getattr(cause, "status", cause.values.get("status"))
    return cause.label, cause.message, getattr(cause, "code", status)


TABLE: dict[tuple[Phase, type], Callable[..., Step]] = {
    (Phase.IDLE, Started): _started,
    (Phase.IDLE, Stopped): _stopped,
    (Phase.CONNECTING, Opened): _opened,
    (Phase.CONNECTING, Failed): _failed,
    (Phase.CONNECTING, Checked): _checked_elsewhere,
    (Phase.CONNECTING, Stopped): _stopped,
    (Phase.LIVE, Ticked): _ticked,
    (Phase.LIVE, Heard): _heard,
    (Phase.LIVE, Failed): _failed,
    (Phase.LIVE, Checked): _checked_live,
    (Phase.LIVE, Answered): _answered,
    (Phase.LIVE, Beaten): _beaten,
    (Phase.LIVE, Stopped): _stopped,
    (Phase.WAITING, Due): _due,
    (Phase.WAITING, Checked): _checked_elsewhere,
    (Phase.WAITING, Stopped): _stopped,
}
