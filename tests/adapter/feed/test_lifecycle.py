"""The table row by row, the true times on a hand-turned clock, and random event sequences."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticks.adapter import events
from ticks.adapter.errors import (
    BrokerBusyError,
    CertificateError,
    ClosedByServerError,
    CredentialsMissingError,
    HandshakeRefusedError,
    LinkDeadError,
    NetworkError,
    NotSmartApiError,
    ProtocolError,
    RateLimitedError,
    SilenceError,
    SubscriptionRefusedError,
    TicksError,
    TokenRefusedError,
)
from ticks.adapter.feed.backoff import JITTER
from ticks.adapter.feed.lifecycle import (
    FINAL,
    TABLE,
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
from ticks.adapter.market.state import Demand, Verdict

NETWORK = NetworkError("nobody answers")
OPEN, CLOSED = True, False


EventT = TypeVar("EventT", bound=events.FeedEvent)


@dataclass
class Life:
    """One connection's life on a clock that is turned by hand; `do` steps it."""

    policy: Policy = field(default_factory=Policy)
    now_s: float = 1000.0
    state: State = field(default_factory=State)
    events: list[events.FeedEvent] = field(default_factory=list)
    is_market_open: bool = OPEN
    draw: float = 0.0

    def verdict(self) -> Verdict:
        """What the market's evidence says of a segment that ticks liquidly, or rests."""
        if not self.is_market_open:
            return Verdict(is_resting=True)
        silence_s = self.state.silence_s(self.now_s)
        is_fault = silence_s >= self.policy.silence_after_s
        return Verdict(Demand.FAULT, silence_s) if is_fault else Verdict()

    def do(self, event: LifecycleEvent, *, after_s: float = 0.0) -> list[Action]:
        self.now_s += after_s
        self.state, actions = step(self.state, event, self.now_s, self.policy)
        self.events += [action for action in actions if isinstance(action, events.FeedEvent)]
        return [action for action in actions if not isinstance(action, events.FeedEvent)]

    def check(self, *, after_s: float = 0.0) -> list[Action]:
        self.now_s += after_s
        return self.do(Checked(self.verdict(), self.draw))

    def probe(self, *, after_s: float = 0.0) -> list[Action]:
        return self.do(Checked(Verdict(Demand.PROBE, 30.0), self.draw), after_s=after_s)

    def answer(self, fault_silence_s: float | None, *, after_s: float = 0.0) -> list[Action]:
        event = Answered(self.state.epoch, fault_silence_s, self.draw)
        return self.do(event, after_s=after_s)

    def fail(self, cause: TicksError = NETWORK, *, after_s: float = 0.0) -> list[Action]:
        return self.do(Failed(self.state.epoch, cause, self.draw), after_s=after_s)

    def tick(self, *, after_s: float = 0.0, is_live: bool = True) -> list[Action]:
        return self.do(Ticked(self.state.epoch, is_live), after_s=after_s)

    def hear(self, *, after_s: float = 0.0) -> list[Action]:
        return self.do(Heard(self.state.epoch), after_s=after_s)

    def open(self, *, after_s: float = 0.0) -> list[Action]:
        return self.do(Opened(self.state.epoch), after_s=after_s)

    def wait_it_out(self) -> list[Action]:
        """Let the running wait pass."""
        self.now_s = max(self.now_s, self.state.due_at_s)
        return self.do(Due())

    def names(self) -> list[str]:
        return [event.name for event in self.events]

    def newest(self, kind: type[EventT]) -> EventT:
        """The newest event of that kind."""
        return next(event for event in reversed(self.events) if isinstance(event, kind))


def connecting(**settings: object) -> Life:
    life = Life(policy=Policy(**settings))  # type: ignore[arg-type]
    life.do(Started())
    life.check()
    return life


def live(**settings: object) -> Life:
    life = connecting(**settings)
    life.open()
    life.check()
    return life


def waiting(**settings: object) -> Life:
    life = live(**settings)
    life.fail()
    return life


# --- the table ------------------------------------------------------------------------------------


def test_started_connects_with_the_first_epoch() -> None:
    life = Life()
    assert life.do(Started()) == [Connect(1, fresh_login=False)]
    assert (life.state.phase, life.state.attempt) == (Phase.CONNECTING, 0)


def test_opened_subscribes_and_starts_the_silence_timer() -> None:
    life = connecting()
    assert life.open(after_s=3) == [Subscribe(1)]
    assert life.state.phase is Phase.LIVE
    assert life.state.silent_since_s == life.now_s
    assert life.state.silence_s(life.now_s + 7) == 7
    assert life.names() == ["connected"]


def test_a_failed_connect_closes_and_waits() -> None:
    life = connecting()
    assert life.fail() == [CloseLink(1, 1000)]
    assert (life.state.phase, life.state.attempt, life.state.delay_s) == (Phase.WAITING, 1, 1.0)
    assert life.newest(events.Waiting) == events.Waiting(
        "network", "nobody answers", attempt=1, max_attempts=3, delay_s=1.0
    )


def test_a_live_link_that_breaks_closes_and_waits() -> None:
    life = live()
    assert life.fail() == [CloseLink(1, 1000)]
    assert life.state.phase is Phase.WAITING
    assert life.names() == ["connected", "lost", "waiting"]


def test_data_sets_the_silence_timer_to_nothing() -> None:
    life = live()
    life.tick(after_s=20)
    assert life.state.silence_s(life.now_s) == 0
    assert life.newest(events.FirstTick) == events.FirstTick(20)
    life.tick(after_s=1)
    assert life.names().count("first_tick") == 1


def test_an_answer_keeps_the_link_alive_and_not_the_data() -> None:
    life = live()
    life.hear(after_s=20)
    assert life.state.silence_s(life.now_s) == 20
    assert life.state.heard_at_s == life.now_s


def test_a_check_of_a_feed_that_speaks_changes_nothing_but_the_next_check() -> None:
    life = live()
    life.tick(after_s=9)
    assert life.check(after_s=1) == []
    assert life.state.phase is Phase.LIVE
    assert life.state.check_at_s == life.now_s + 10


def test_silence_in_market_hours_closes_and_waits() -> None:
    life = live()
    life.tick(after_s=1)
    life.hear(after_s=28)
    assert life.check(after_s=1) == []
    assert life.check(after_s=1) == [CloseLink(1, 1000)]
    assert life.state.phase is Phase.WAITING
    assert isinstance(life.state.cause, SilenceError)
    assert life.names()[-3:] == ["silent", "lost", "waiting"]
    assert life.newest(events.Silent) == events.Silent(30)


def test_a_feed_that_never_spoke_is_silent_too() -> None:
    life = live()
    life.hear(after_s=29)
    life.check(after_s=1)
    assert isinstance(life.state.cause, SilenceError)


def test_due_connects_with_a_new_epoch() -> None:
    life = waiting()
    assert life.wait_it_out() == [Connect(2, fresh_login=False)]
    assert life.state.phase is Phase.CONNECTING


def test_a_connect_under_way_is_looked_at_with_the_next_check() -> None:
    life = connecting()
    assert alarm_s(life.state) == life.state.check_at_s


def test_before_the_start_and_after_the_end_nothing_is_due() -> None:
    life = live()
    life.do(Stopped())
    assert alarm_s(life.state) is None
    assert alarm_s(State()) is None


def test_the_heartbeat_goes_on_its_beat() -> None:
    life = live()
    assert alarm_s(life.state) == life.now_s + 10
    assert life.do(Beaten(), after_s=10) == [SendHeartbeat(1)]
    assert life.state.heartbeat_at_s == life.now_s + 10


@pytest.mark.parametrize("make", [Life, connecting, live, waiting])
def test_stopped_closes_from_every_phase(make: type[Life]) -> None:
    life = make()
    assert life.do(Stopped()) == [CloseLink(life.state.epoch, 1000)]
    assert life.state.phase is Phase.STOPPED
    assert life.names()[-1] == "stopped"


def test_every_other_pair_of_phase_and_event_changes_nothing() -> None:
    events: list[LifecycleEvent] = [
        Started(),
        Opened(1),
        Failed(1, NETWORK, 0.0),
        Ticked(1, is_live=True),
        Heard(1),
        Checked(Verdict(), 0.0),
        Answered(1, None, 0.0),
        Beaten(),
        Due(),
        Stopped(),
    ]
    for phase, event in itertools.product(Phase, events):
        state = State(phase=phase, epoch=1, due_at_s=5.0)
        if (phase, type(event)) not in TABLE:
            assert step(state, event, 1e9, Policy()) == (state, [])


@pytest.mark.parametrize("make", [connecting, live, waiting])
@pytest.mark.parametrize(
    "late", [Opened(4), Ticked(4, is_live=True), Heard(4), Answered(4, None, 0.0)]
)
def test_what_an_older_socket_says_changes_nothing(make: type[Life], late: LifecycleEvent) -> None:
    life = make()
    life.state = replace(life.state, epoch=5)
    before = life.state
    assert life.do(late) == []
    assert life.do(Failed(4, NETWORK, 0.0)) == []
    assert life.state == before


# --- causes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cause",
    [
        NETWORK,
        BrokerBusyError("503"),
        NotSmartApiError("html"),
        HandshakeRefusedError("302", status=302),
        ClosedByServerError(1001),
        ClosedByServerError(None),
        ProtocolError("masked", close_code=1002),
        LinkDeadError(30),
        SilenceError(30),
    ],
    ids=lambda cause: cause.label,
)
def test_what_trying_again_can_fix_is_tried_again(cause: TicksError) -> None:
    life = live()
    life.fail(cause)
    assert (life.state.phase, life.state.delay_s) == (Phase.WAITING, 1.0)
    assert life.newest(events.Lost).cause == cause.label


@pytest.mark.parametrize(
    "cause",
    [CertificateError("self-signed"), CredentialsMissingError("TICKS_PIN")],
    ids=lambda cause: cause.label,
)
def test_what_trying_again_cannot_fix_is_not_tried_again(cause: TicksError) -> None:
    life = connecting()
    assert life.fail(cause) == [CloseLink(1, 1000)]
    assert life.state.phase is Phase.LOST
    assert life.state.cause is cause
    assert life.names() == ["lost", "gave_up"]


def test_a_refused_subscription_ends_a_live_link() -> None:
    life = live()
    life.fail(SubscriptionRefusedError("E1002"))
    assert life.state.phase is Phase.LOST


def test_a_protocol_error_closes_with_the_code_that_the_rfc_asks_for() -> None:
    assert live().fail(ProtocolError("not utf-8", close_code=1007)) == [CloseLink(1, 1007)]


def test_the_status_of_a_handshake_that_was_turned_down_is_reported() -> None:
    life = live()
    life.fail(BrokerBusyError("no room", kind="feed-busy", status=503))
    assert life.newest(events.Lost).code == 503
    life.wait_it_out()
    life.fail(HandshakeRefusedError("a page", status=404))
    assert life.newest(events.Lost).code == 404


def test_the_server_s_close_code_is_reported() -> None:
    life = live()
    life.fail(ClosedByServerError(4001, "kicked"))
    assert life.newest(events.Lost).code == 4001


def test_refused_tokens_are_answered_by_one_fresh_login_at_once() -> None:
    life = connecting()
    assert life.fail(TokenRefusedError("401")) == [CloseLink(1, 1000), Connect(2, fresh_login=True)]
    assert (life.state.phase, life.state.attempt) == (Phase.CONNECTING, 0)
    assert life.fail(TokenRefusedError("401")) == [CloseLink(2, 1000)]
    assert life.state.phase is Phase.LOST


def test_a_fresh_login_is_not_earned_again_by_a_link_that_merely_opened() -> None:
    life = connecting()
    life.fail(TokenRefusedError("401"))
    life.open()
    life.fail(after_s=4)
    life.wait_it_out()
    life.fail(TokenRefusedError("401"))
    assert life.state.phase is Phase.LOST


def test_after_a_healthy_stretch_refused_tokens_earn_a_fresh_login_again() -> None:
    life = connecting()
    life.fail(TokenRefusedError("401"))
    life.open()
    life.tick(after_s=6)
    life.fail()
    life.wait_it_out()
    assert life.fail(TokenRefusedError("401"))[-1] == Connect(4, fresh_login=True)


def test_too_many_connections_wait_a_minute_at_least_and_are_spread() -> None:
    for draw, delay in ((0.0, 60.0), (1.0, 66.0)):
        life = connecting(backoff_max_s=5.0)
        life.draw = draw
        life.fail(RateLimitedError("429"))
        assert life.state.delay_s == pytest.approx(delay)
        assert life.state.due_at_s == pytest.approx(life.now_s + delay)


def test_a_link_without_any_frame_is_dead_at_any_hour() -> None:
    for is_open in (OPEN, CLOSED):
        life = live()
        life.is_market_open = is_open
        life.check(after_s=29)
        assert life.state.phase is Phase.LIVE
        life.check(after_s=1)
        assert isinstance(life.state.cause, LinkDeadError)


# --- the true times -------------------------------------------------------------------------------


def test_the_waits_are_1_2_4_8_16_32_60_60_seconds() -> None:
    life = connecting(max_attempts=None)
    connects = [life.now_s]
    for _ in range(8):
        life.fail()
        life.wait_it_out()
        connects.append(life.now_s)
    waits = [after - before for before, after in itertools.pairwise(connects)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_broker_out_of_reach_is_tried_at_0_1_3_and_7_s_and_then_given_up() -> None:
    life = connecting()
    tried_s = [0.0]
    while life.fail() == [CloseLink(life.state.epoch, 1000)] and life.state.phase is Phase.WAITING:
        life.wait_it_out()
        tried_s.append(life.now_s - 1000)
    assert tried_s == [0, 1, 3, 7]
    assert life.state.phase is Phase.LOST
    assert life.newest(events.GaveUp).attempts == 3


def test_without_attempts_the_first_loss_is_the_end() -> None:
    life = live(max_attempts=0)
    life.fail()
    assert life.state.phase is Phase.LOST


def test_a_flapping_link_keeps_backing_off() -> None:
    life = connecting(max_attempts=None)
    delays = []
    for _ in range(8):
        life.open(after_s=0.2)
        life.tick(after_s=0.1)
        life.hear(after_s=1)
        life.tick(after_s=3.6)
        life.fail(after_s=2)
        delays.append(life.state.delay_s)
        life.wait_it_out()
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_link_that_opens_and_only_pongs_earns_nothing_in_market_hours() -> None:
    life = live()
    life.fail()
    life.wait_it_out()
    life.open()
    for _ in range(2):
        life.hear(after_s=9)
        life.check(after_s=1)
    assert life.state.attempt == 1


def test_data_after_a_healthy_stretch_forgives_the_attempts() -> None:
    life = waiting()
    life.wait_it_out()
    life.open()
    life.tick(after_s=4.9)
    assert life.state.attempt == 1
    life.tick(after_s=0.1)
    assert (life.state.attempt, life.state.delay_s) == (0, 0.0)
    life.fail()
    assert life.state.delay_s == 1.0


# --- market hours ---------------------------------------------------------------------------------


def quiet_life() -> Life:
    life = live()
    life.is_market_open = CLOSED
    for _ in range(4):
        life.hear(after_s=9)
        life.check(after_s=1)
    return life


def test_silence_outside_market_hours_is_quiet_reported_once_and_spends_no_attempt() -> None:
    life = quiet_life()
    assert (life.state.phase, life.state.is_quiet, life.state.attempt) == (Phase.LIVE, True, 0)
    assert life.names() == ["connected", "quiet"]
    assert life.newest(events.Quiet) == events.Quiet(30)


def test_data_ends_the_quiet() -> None:
    life = quiet_life()
    life.tick(after_s=1)
    assert not life.state.is_quiet


def test_answers_of_a_quiet_link_forgive_the_attempts() -> None:
    life = waiting()
    life.is_market_open = CLOSED
    life.wait_it_out()
    life.open()
    life.check()
    assert life.state.attempt == 1
    life.hear(after_s=10)
    life.check()
    assert life.state.attempt == 0


def test_a_quiet_link_that_flaps_keeps_backing_off() -> None:
    life = connecting(max_attempts=None)
    life.is_market_open = CLOSED
    life.check()
    delays = []
    for _ in range(7):
        life.open()
        life.hear(after_s=4)
        life.check(after_s=1)
        life.fail()
        delays.append(life.state.delay_s)
        life.wait_it_out()
    assert delays == [1, 2, 4, 8, 16, 32, 60]


# --- probes and answers ---------------------------------------------------------------------------


def test_a_probe_asks_again_at_once_and_spends_nothing() -> None:
    life = live()
    life.tick(after_s=1)
    assert life.probe(after_s=29) == [CloseLink(1, 1000), Connect(2, fresh_login=False)]
    assert (life.state.phase, life.state.attempt) == (Phase.CONNECTING, 0)
    assert "lost" not in life.names()
    life.open()
    assert life.state.reconnects == 0


def test_a_probe_that_cannot_connect_is_a_loss_like_any_other() -> None:
    life = live()
    life.probe()
    life.fail(after_s=1)
    assert (life.state.phase, life.state.attempt) == (Phase.WAITING, 1)
    life.wait_it_out()
    life.open()
    assert life.state.reconnects == 1


def test_a_market_that_stands_gives_the_attempts_back() -> None:
    life = live()
    life.check(after_s=30)
    life.wait_it_out()
    life.open()
    assert life.state.attempt == 1
    assert life.answer(None, after_s=5) == []
    assert (life.state.attempt, life.state.delay_s) == (0, 0.0)


def test_a_probe_that_finds_that_the_market_went_on_books_an_attempt() -> None:
    life = live()
    life.probe(after_s=20)
    life.open()
    assert life.answer(35.0) == []
    assert (life.state.phase, life.state.attempt) == (Phase.LIVE, 1)
    assert life.newest(events.Silent) == events.Silent(35.0)


def test_an_attempt_booked_over_the_limit_is_the_end() -> None:
    life = live(max_attempts=1)
    life.probe(after_s=20)
    life.open()
    life.answer(35.0)
    life.probe(after_s=20)
    life.open()
    assert life.answer(31.0) == [CloseLink(3, 1000)]
    assert life.state.phase is Phase.LOST
    assert life.names()[-3:] == ["silent", "lost", "gave_up"]


def test_a_snapshot_resets_no_attempt() -> None:
    life = waiting()
    life.wait_it_out()
    life.open()
    life.tick(after_s=6, is_live=False)
    assert life.state.attempt == 1
    assert life.state.silence_s(life.now_s) == 0
    life.tick(after_s=1)
    assert life.state.attempt == 0


def test_an_early_check_leaves_the_next_one_where_it_was() -> None:
    life = live()
    due_s = life.state.check_at_s
    life.check(after_s=5)
    assert life.state.check_at_s == due_s
    life.check(after_s=5)
    assert life.state.check_at_s == due_s + 10


# --- what is shown and counted --------------------------------------------------------------------


def test_the_first_check_is_due_at_once_at_the_start_and_at_each_opening() -> None:
    life = Life()
    life.do(Started())
    assert (life.state.started_s, alarm_s(life.state)) == (life.now_s, life.now_s)
    life.check()
    life.open(after_s=3)
    assert alarm_s(life.state) == life.now_s


def test_only_a_live_link_is_silent() -> None:
    life = live()
    life.fail(after_s=20)
    assert life.state.silence_s(life.now_s + 5) == 0


def test_attempts_and_the_losses_that_they_belong_to_are_counted() -> None:
    life = live()
    for failures in (1, 1, 3):
        for _ in range(failures):
            life.fail()
            life.wait_it_out()
        life.open()
        life.tick(after_s=6)
    assert (life.state.attempts, life.state.episodes, life.state.reconnects) == (5, 3, 3)


def test_a_link_after_a_probe_counts_as_a_reconnect_again() -> None:
    life = live()
    life.probe(after_s=20)
    life.open()
    assert not life.state.is_probing
    life.fail()
    life.wait_it_out()
    life.open()
    assert life.state.reconnects == 1


def test_a_link_says_at_which_attempt_it_opened() -> None:
    life = waiting()
    life.wait_it_out()
    life.open()
    assert life.newest(events.Connected) == events.Connected(1)


def test_a_live_link_whose_tokens_are_refused_is_lost_like_any_other() -> None:
    life = live()
    assert life.fail(TokenRefusedError("401")) == [CloseLink(1, 1000)]
    assert life.state.phase is not Phase.CONNECTING


def test_the_shortest_wait_is_the_policy_s() -> None:
    life = live(backoff_max_s=0.25)
    life.fail()
    assert life.state.delay_s == 0.25


def test_a_feed_that_sent_nothing_at_all_is_reported_as_mute() -> None:
    for is_mute in (False, True):
        life = live()
        life.do(Checked(Verdict(Demand.FAULT, 30.0, is_mute=is_mute), 0.0))
        assert ("not one packet" in life.newest(events.Lost).detail) is is_mute


def test_a_quiet_is_reported_anew_on_a_new_link_and_after_market_hours() -> None:
    life = quiet_life()
    life.fail()
    life.wait_it_out()
    life.open()
    for _ in range(4):
        life.hear(after_s=9)
        life.check(after_s=1)
    assert life.names().count("quiet") == 2
    life.do(Checked(Verdict(), 0.0))  # it should tick now
    life.check()
    assert life.names().count("quiet") == 3


def test_a_market_that_stands_lets_refused_tokens_earn_a_fresh_login_again() -> None:
    life = connecting()
    life.fail(TokenRefusedError("401"))
    life.open()
    life.answer(None)
    life.fail()
    life.wait_it_out()
    assert life.fail(TokenRefusedError("401"))[-1] == Connect(4, fresh_login=True)


def test_what_a_probe_found_is_the_cause_of_its_attempt() -> None:
    life = live(max_attempts=1)
    for silence_s in (35.0, 31.0):
        life.probe(after_s=20)
        life.open()
        life.answer(silence_s)
        assert life.newest(events.Silent) == events.Silent(silence_s)
        assert life.state.cause is not None
        assert f"{silence_s:.1f} s" in life.state.cause.message


# --- random sequences -----------------------------------------------------------------------------

CAUSES = st.sampled_from(
    [
        NETWORK,
        RateLimitedError("429"),
        TokenRefusedError("401"),
        ClosedByServerError(1001),
        ProtocolError("masked", close_code=1002),
    ]
)
DRAWS = st.floats(min_value=0, max_value=1)
EPOCHS = st.sampled_from([0, 0, 0, 0, -1, -2, 1])
"""An event's epoch, from the present one."""
VERDICTS = st.builds(
    Verdict,
    st.sampled_from(Demand),
    st.floats(min_value=0, max_value=100),
    is_resting=st.booleans(),
    is_mute=st.booleans(),
)
EVENTS = st.one_of(
    st.just(("opened",)),
    st.tuples(st.just("failed"), CAUSES, DRAWS),
    st.tuples(st.just("ticked"), st.booleans()),
    st.just(("heard",)),
    st.tuples(st.just("checked"), VERDICTS, DRAWS),
    st.tuples(st.just("answered"), st.none() | st.floats(min_value=0, max_value=40), DRAWS),
    st.just(("beaten",)),
    st.just(("due",)),
    st.just(("started",)),
)
SEQUENCES = st.lists(
    st.tuples(EVENTS, EPOCHS, st.floats(min_value=0, max_value=40)), min_size=1, max_size=60
)
POLICIES = st.builds(
    Policy,
    max_attempts=st.sampled_from([None, 0, 1, 3]),
    backoff_max_s=st.sampled_from([1.0, 5.0, 60.0]),
)


def built(move: tuple[object, ...], epoch: int) -> LifecycleEvent:
    match move:
        case ("failed", TicksError() as cause, float(draw)):
            return Failed(epoch, cause, draw)
        case ("ticked", bool(is_live)):
            return Ticked(epoch, is_live)
        case ("checked", Verdict() as verdict, float(draw)):
            return Checked(verdict, draw)
        case ("answered", None | float() as silence_s, float(draw)):
            return Answered(epoch, silence_s, draw)
    plain: dict[object, LifecycleEvent] = {
        "opened": Opened(epoch),
        "heard": Heard(epoch),
        "beaten": Beaten(),
        "due": Due(),
        "started": Started(),
    }
    return plain[move[0]]


@dataclass
class Referee:
    """Holds a life to the promises, whatever happens to it."""

    policy: Policy
    state: State = field(default_factory=State)
    now_s: float = 1000.0
    in_use: int | None = None
    """The epoch of the socket that is open or being opened."""

    def judge(self, event: LifecycleEvent, now_s: float) -> None:
        before, self.now_s = self.state, now_s
        self.state, actions = step(before, event, now_s, self.policy)
        self._judge_sockets(actions)
        self._judge_phase(before)
        self._judge_delay(before)

    def _judge_sockets(self, actions: Iterable[Action]) -> None:
        connects = 0
        for action in actions:
            match action:
                case Connect(epoch):
                    assert self.in_use is None, "a second socket"
                    self.in_use = epoch
                    connects += 1
                case CloseLink():
                    self.in_use = None
                case Subscribe(epoch) | SendHeartbeat(epoch):
                    assert epoch == self.in_use, "sent on a socket that is not open"
        assert connects <= 1, "one event made two connects"
        has_socket = self.state.phase in {Phase.CONNECTING, Phase.LIVE}
        assert (self.in_use is not None) == has_socket

    def _judge_phase(self, before: State) -> None:
        if before.phase in FINAL:
            assert self.state == before, "a final state moved"
        alarm = alarm_s(self.state)
        if self.state.phase in {Phase.IDLE, *FINAL}:
            assert alarm is None
        else:
            assert alarm is not None
            assert alarm <= self.now_s + 66.001
        assert self.state.attempt <= (self.policy.max_attempts or 10**9)
        assert self.state.epoch - before.epoch in (0, 1)

    def _judge_delay(self, before: State) -> None:
        if self.state.phase is not Phase.WAITING or before.phase is Phase.WAITING:
            return
        base_s = min(self.policy.backoff_max_s, 2.0 ** (self.state.attempt - 1))
        if isinstance(self.state.cause, RateLimitedError):
            base_s = max(base_s, self.policy.rate_limit_wait_s)
        assert base_s <= self.state.delay_s <= base_s * (1 + JITTER) + 1e-9
        assert self.state.due_at_s == self.now_s + self.state.delay_s


@pytest.mark.slow
@settings(max_examples=400)
@given(POLICIES, SEQUENCES, st.integers(min_value=0, max_value=60))
def test_whatever_happens_the_promises_hold(
    policy: Policy,
    moves: list[tuple[tuple[object, ...], int, float]],
    stop_at: int,
) -> None:
    referee = Referee(policy)
    referee.judge(Started(), 1000.0)
    for number, (move, age, passed_s) in enumerate(moves):
        event = Stopped() if number == stop_at else built(move, referee.state.epoch + age)
        referee.judge(event, referee.now_s + passed_s)


@given(SEQUENCES)
def test_a_flapping_link_waits_ever_longer_whatever_it_does_within_its_first_seconds(
    moves: list[tuple[tuple[object, ...], int, float]],
) -> None:
    life = connecting(max_attempts=None)
    for attempt in range(1, 9):
        life.open()
        opened_s = life.now_s
        for move, age, passed_s in moves:
            if move[0] not in {"ticked", "heard"} or life.now_s + passed_s / 10 >= opened_s + 5:
                continue
            life.do(built(move, life.state.epoch + age), after_s=passed_s / 10)
        life.fail()
        assert life.state.delay_s == min(60, 2 ** (attempt - 1))
        life.wait_it_out()
