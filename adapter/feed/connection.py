"""The loop of one connection: what happened -> `lifecycle.step` -> what to do.

Everything it uses is handed in (network, clock, draws, market hours, where packets and events
go), so a test runs a whole trading day of it on a virtual clock and a scripted network.

Rules
- One way: bytes -> frames -> tracker -> `deliver`. No callback goes back, nothing polls.
- A drain costs one `Ticked` at most; while data flows the state is stepped when something else
  happens or ten times a second, with the time of the newest drain.
- A text error is no reason to reconnect (requests.py), unless nothing is left to subscribe to.
- What has come is read before silence is judged: a process that was stopped, or a machine that
  slept, has its backlog in the socket.
- What still comes after our close frame counts, though it moves no silence and no blind second.
- Once a stop is asked for, only data that has left the socket is still taken, and nothing is sent
  but the close frame; that frame is then the end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .. import events
from ..auth.authenticator import Session
from ..clock import Clock, ist_time
from ..errors import (
    ClosedByServerError,
    ProtocolError,
    SilenceError,
    TicksError,
)
from ..event_log import EventLog
from ..instrument import InstrumentKey
from ..market.hours import Kind, segments
from ..market.losses import Reason
from ..market.state import MarketWatch
from ..redaction import shown
from ..wire.frames import Close, ControlFrame, FrameReader, Ping, Text
from ..wire.subscription import (
    FeedMessage,
    Unit,
    parse_error,
)
from .lifecycle import (
    Action,
    Answered,
    Beaten,
    Checked,
    CloseLink,
    Connect,
    Due,
    Failed,
    Heard,
    LifecycleEvent,
    Opened,
    Phase,
    Policy,
    SendHeartbeat,
    Started,
    State,
    Stopped,
    Subscribe,
    Ticked,
    alarm_s,
    step,
)
from .link import DRAIN_BYTES
from .network import (
    Connected,
    ConnectFailed,
    LinkBroke,
    Network,
    NetworkEvent,
    Received,
    RenewalFailed,
    Renewed,
)
from .requests import Requests
from .stats import Doublings
from .tracker import PacketTracker

_TICK_STEPS_APART_S = 0.1
_COUNTS_APART_S = 1.0
_RENEWAL_APART_S = 300.0
"""A session that ended while streaming is renewed at once, and after a failure every 5 minutes."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What a connection uses, and where it hands things.

    `deliver(received_ns, packets)` takes what a drain gave, `log` takes the events; `kind_of(key)`
    says what hours an instrument keeps in its segment; `draw()` is in [0, 1).
    """

    network: Network
    clock: Clock
    kind_of: Callable[[InstrumentKey], Kind]
    draw: Callable[[], float]
    deliver: Callable[[int, list[bytes]], None]
    log: EventLog


class Connection:
    """One connection of a stream, number `number` (from 1).

    `run` is for the thread that owns it; what precedes the loop for any thread.

    Threads: the feed thread (that of `run`) writes every field, but `_is_stopping`, which `stop`
    sets. Others read `state` (replaced whole, never changed in place), `last_data_s`,
    `session_expires_ns` and the tracker's counters without a lock: each read is one reference or
    one number.
    """

    def __init__(
        self,
        number: int,
        ports: Ports,
        *,
        policy: Policy,
        units: Sequence[Unit],
        tracker: PacketTracker,
        market: MarketWatch,
    ) -> None:
        self.number = number
        self.state = State()
        self._is_final = False  # of `state`, like the next: looked at after every drain
        self._state_alarm_s: float | None = None
        self.tracker = tracker
        self.market = market
        self.policy = policy
        self.session_expires_ns: int | None = None
        self.client_code = ""
        self._network = ports.network
        self._clock = ports.clock
        self._deliver = ports.deliver
        self._log = ports.log
        self._kind_of = ports.kind_of
        self._draw = ports.draw
        self._requests = Requests(
            units, ports.clock, send=ports.network.send_text, log=self._log_event
        )
        self._frames = FrameReader()
        self._carried: tuple[Unit, ...] | None = None
        self._newest_drain_s: float | None = None
        self._newest_drain_ns = 0
        self._has_news = False
        """Whether a drain came since market and state last got one."""
        self._stepped_at_s = -math.inf
        # Whether the next packets may end a span or be an answer: the market is asked after each
        # drain then. Asked again when it may have changed, not for every drain.
        self._is_urgent = True
        self._limit_ms, self._limited_at_s = 0, -math.inf
        self._renew_at_s = 0.0
        self._malformed, self._foreign, self._disorder = Doublings(), Doublings(), Doublings()
        self._report_counts_at_s = 0.0
        # Set once, without the lock: `stop` may run in a signal handler, in the middle of anything.
        self._is_stopping = False

    # --- for any thread ---

    @property
    def policy(self) -> Policy:
        """What the user can turn; the evidence goes by it too."""
        return self._policy

    @policy.setter
    def policy(self, policy: Policy) -> None:
        self._policy = policy
        self.market.silence_after_s = policy.silence_after_s
        self.market.stable_after_s = policy.stable_after_s

    @property
    def units(self) -> tuple[Unit, ...]:
        """What this connection is to carry."""
        return self._requests.wanted

    @property
    def last_data_s(self) -> float:
        """When the newest data came on this socket (the subscription while there was none)."""
        newest = self._newest_drain_s
        return self.state.silent_since_s if newest is None else newest

    def set_units(self, units: Sequence[Unit]) -> None:
        """Carry these from now on; subscribes and unsubscribes while live."""
        self._requests.want(units)
        self._network.wake()

    def take_refused(self) -> set[Unit]:
        """What the broker has refused since the last call; this connection carries it no more."""
        return self._requests.take_refused()

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._is_stopping

    def stop(self) -> None:
        """End `run` soon: a close frame is sent, nothing is waited for longer than a second."""
        self._is_stopping = True
        self._network.wake()

    # --- the loop ---

    def run(self) -> TicksError | None:
        """Live until stopped (None) or lost (why)."""
        try:
            self._carry()
            self._step(Started())
            # Once a drain: what is asked here is an attribute where a call would do too.
            while not self._is_final:
                alarm_s = self._state_alarm_s
                if alarm_s is not None:
                    alarm_s = min(alarm_s, self.market.due_s)
                self._wait_until(alarm_s)
                now_s = self._clock.now_s()
                # A timer that has become earlier than `alarm_s` since is the next wait's.
                is_due = alarm_s is None or now_s >= alarm_s or now_s >= self._report_counts_at_s
                if is_due or self._is_stopping:
                    self._run_timers()
                if not self._requests.is_settled:
                    self._sync_subscriptions()
            self._report_counts(is_last=True)
        finally:
            self._network.release()
        return self.state.cause if self.state.phase is Phase.LOST else None

    def _wait_until(self, until_s: float | None) -> None:
        for event in self._network.wait(until_s):
            if isinstance(event, Received):
                if event.epoch == self.state.epoch and self.state.phase is Phase.LIVE:
                    self._received(event.data, event.received_ns)
            elif not self._is_stopping:
                self._handle(event)

    def _handle(self, event: NetworkEvent) -> None:
        match event:
            case LinkBroke(epoch, error) | ConnectFailed(epoch, error):
                self._step(Failed(epoch, error, self._draw()))
            case Connected(epoch, session):
                if epoch == self.state.epoch and self.state.phase is Phase.CONNECTING:
                    self._opened(session)
            case Renewed(session):
                self.session_expires_ns = session.expires_ns
                self._log_event(events.Renewed(ist_time(session.expires_ns)))
            case RenewalFailed(error):
                self._log_event(events.RenewalFailed(error.message))

    def _opened(self, session: Session) -> None:
        """A new socket: nothing of the former one counts for it."""
        self.session_expires_ns = session.expires_ns
        self.client_code = session.client_code
        self._frames = FrameReader()
        self._requests.begin_link()
        self._newest_drain_s = None
        self._is_urgent = True
        self.tracker.reopened()
        self._step(Opened(self.state.epoch))

    def _received(self, data: bytes, received_ns: int) -> None:
        packets, control_frames = self._frames.read(data)
        now_s = self._clock.now_s()
        if packets and self._take(packets, received_ns, now_s):
            self._newest_drain_s, self._newest_drain_ns = now_s, received_ns
            self._has_news = True
            if self._is_urgent or now_s - self._stepped_at_s > _TICK_STEPS_APART_S:
                self._step_ticked()
        else:
            self._step(Heard(self.state.epoch))
        if control_frames and not self._is_stopping:
            newest_ping = next((f for f in reversed(control_frames) if isinstance(f, Ping)), None)
            for frame in control_frames:
                # One pong answers all pings before it (RFC 6455, 5.5.3): a drain may hold 30,000.
                if frame is newest_ping or not isinstance(frame, Ping):
                    self._handle_control(frame)

    def _take(self, packets: list[bytes], received_ns: int, now_s: float) -> bool:
        """Hand on what is well; whether anything was."""
        if now_s - self._limited_at_s > _TICK_STEPS_APART_S:  # a minute's bound may be 0.1 s old
            self._limited_at_s = now_s
            self._limit_ms = self.market.limit_ms(now_s, received_ns)
        good = self.tracker.take(packets, now_s, self._limit_ms)
        if good:
            self._deliver(received_ns, good)
        return bool(good)

    def _report_counts(self, *, is_last: bool = False) -> None:
        """What is wrong with packets: at first, at each doubling, and at the end."""
        tracker, now_s = self.tracker, self._clock.now_s()
        if self._malformed.is_due(now_s, tracker.malformed, is_last=is_last):
            by_reason = dict(tracker.malformed_by_reason)
            self._log_event(events.Malformed(tracker.malformed, by_reason))
        if self._foreign.is_due(now_s, tracker.foreign, is_last=is_last):
            self._log_event(events.Foreign(tracker.foreign))
        disorder = tracker.out_of_order + tracker.duplicates
        if self._disorder.is_due(now_s, disorder, is_last=is_last):
            self._log_event(events.OutOfOrder(tracker.out_of_order, tracker.duplicates))
        self._requests.report_withheld()

    def _handle_control(self, frame: ControlFrame) -> None:
        epoch = self.state.epoch
        match frame:
            case Ping(payload):
                self._network.send_pong(payload)
            case Text(text):
                error = parse_error(text)
                if error is not None:
                    self._refused(error)
            case Close(code, reason):
                self._step(Failed(epoch, ClosedByServerError(code, shown(reason)), self._draw()))
            case ProtocolError():
                self._step(Failed(epoch, frame, self._draw()))

    def _run_timers(self) -> None:
        """Timer events that are due by now, and the end where it was asked for."""
        # Read before the backlog is: what comes after that moment was no silence before it.
        check_s, check_ns = self._clock.now_s(), self._clock.wall_ns()
        is_check_due = check_s >= min(self.state.check_at_s, self.market.due_s)
        if is_check_due and not self._is_stopping:
            self._wait_until(check_s)
        if self._is_stopping:
            self._step(Stopped())
        now_s, state = self._clock.now_s(), self.state
        if state.phase is Phase.WAITING and now_s >= state.due_at_s:
            self._step(Due())
        if state.phase is Phase.LIVE and now_s >= state.heartbeat_at_s:
            self._step(Beaten())
        if now_s >= self._report_counts_at_s:
            self._report_counts_at_s = now_s + _COUNTS_APART_S
            self._report_counts()
        if is_check_due and not self.state.is_final:
            self._check(check_s, check_ns)

    def _check(self, now_s: float, wall_ns: int) -> None:
        self._step_ticked()
        self._carry()
        verdict = self.market.check(now_s, wall_ns, self._draw())
        self._is_urgent = True
        self._take_findings()
        self._apply(Checked(verdict, self._draw()), now_s)
        self._renew_expired_session(now_s, wall_ns)

    def _renew_expired_session(self, now_s: float, wall_ns: int) -> None:
        """Midnight: tokens that end while the feed streams are renewed meanwhile."""
        ends_ns = self.session_expires_ns
        if self.state.phase is not Phase.LIVE or ends_ns is None or wall_ns < ends_ns:
            return
        if now_s >= self._renew_at_s:
            self._renew_at_s = now_s + _RENEWAL_APART_S
            self._network.renew()

    # --- the state, and what it asks for ---

    def _step_ticked(self) -> None:
        """Show market and state the newest drain, with that drain's time.

        Before every other event: silence must be judged after what has come, not before.
        """
        newest_s = self._newest_drain_s
        if newest_s is not None and self._has_news:
            self._stepped_at_s, self._has_news = newest_s, False
            is_live = self.market.look(newest_s, self._newest_drain_ns)
            self._is_urgent = self.market.is_urgent
            self._apply(Ticked(self.state.epoch, is_live), newest_s)
            self._take_findings()

    def _take_findings(self) -> None:
        """Take what the market's evidence has found: events, and what they mean for the
        attempts."""
        for event in self.market.take_events():
            self._log_event(event)
        for settled in self.market.take_settled():
            answered = Answered(self.state.epoch, settled.fault_silence_s, self._draw())
            self._apply(answered, self._clock.now_s())

    def _step(self, event: LifecycleEvent) -> None:
        self._step_ticked()
        self._apply(event, self._clock.now_s())

    def _apply(self, event: LifecycleEvent, now_s: float) -> None:
        self.state, actions = step(self.state, event, now_s, self.policy)
        self._is_final, self._state_alarm_s = self.state.is_final, alarm_s(self.state)
        is_over = self.state.phase is Phase.STOPPED
        if not is_over and any(isinstance(action, CloseLink) for action in actions):
            self._note_loss(actions, now_s)
        for action in actions:
            self._do(action)

    def _note_loss(self, actions: Sequence[Action], now_s: float) -> None:
        """Report a link that is gone, and why, to the market's evidence, before it is closed."""
        lost = next((each for each in actions if isinstance(each, events.Lost)), None)
        reason = Reason(SilenceError.label)
        if lost is not None:
            reason = Reason(lost.cause, lost.detail, lost.code)
        self.market.lost(now_s, self._clock.wall_ns(), reason, is_probe=lost is None)

    def _do(self, action: Action) -> None:
        match action:
            case Connect(epoch, fresh_login):
                self._network.connect(epoch, fresh_login=fresh_login)
            case Subscribe():
                self._sync_subscriptions()
                self.market.asked(self._clock.now_s())
            case SendHeartbeat():
                self._network.send_text("ping")
            case CloseLink(_, code):
                # The peer may still be sending: what arrives before it hangs up is recorded too.
                late = self._network.close(code)
                if late and self.state.phase is not Phase.STOPPED:
                    self._take_late(late)
            case events.GaveUp() | events.Stopped():
                blind_s = self.market.blind_s(self._clock.now_s())
                self._log_event(replace(action, blind_s=blind_s))
            case events.FeedEvent():
                self._log_event(action)

    def _take_late(self, data: bytes) -> None:
        """What came after our close frame, drain by drain: whole it could be millions of frames."""
        wall_ns, now_s = self._clock.wall_ns(), self._clock.now_s()
        for at in range(0, len(data), DRAIN_BYTES):
            packets, _ = self._frames.read(data[at : at + DRAIN_BYTES])
            self._take(packets, wall_ns, now_s)

    def _log_event(self, event: events.FeedEvent) -> None:
        self._log.add(event, connection=self.number)

    # --- subscriptions ---

    def _carry(self) -> None:
        """Let tracker and market know what is wanted now."""
        wanted = self._requests.wanted
        if self._carried is wanted:
            return
        self._carried = wanted
        self._is_urgent = True
        self.tracker.carry(wanted)
        kinds = [(unit.exchange_type, self._kind_of(unit[:2])) for unit in wanted]
        counts = Counter(unit.exchange_type for unit in wanted)
        units = {segment: counts[segment.exchange_type] for segment in segments(kinds)}
        self.market.want(units, self._clock.now_s())

    def _sync_subscriptions(self) -> None:
        self._carry()
        if self.state.phase is Phase.LIVE:
            self._requests.send_changes()

    def _refused(self, error: FeedMessage) -> None:
        cause = self._requests.refused(error, self.tracker.has_ticked_since)
        if cause is not None:
            self._step(Failed(self.state.epoch, cause, self._draw()))
