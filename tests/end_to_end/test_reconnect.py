"""Each way in which a feed goes wrong, and how the stream heals: against the simulated broker, with
shortened times that are settings, not patches."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.config import Config
from ticks.adapter.errors import FeedLostError, TicksError, TokenRefusedError
from ticks.adapter.events import LogEntry, Waiting
from ticks.adapter.feed.lifecycle import Phase, Policy
from ticks.adapter.instrument import Instrument
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.simulator.faults import Fault, What
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.tick import Mode

NIFTY = Instrument(1, "99926000", "Nifty 50", "NIFTY", kind="AMXIDX")
RELIANCE = Instrument(1, "2885", "RELIANCE-EQ", "RELIANCE")
QUICK = Policy(
    silence_after_s=0.4,
    check_every_s=0.1,
    heartbeat_every_s=0.1,
    link_dead_after_s=0.8,
    max_attempts=3,
    backoff_max_s=0.1,
    stable_after_s=0.2,
    rate_limit_wait_s=0.3,
)
DEADLINE_S = 20.0


class EveryDay(frozenset[date]):
    """A calendar on which no day is a day of trading."""

    def __contains__(self, day: object) -> bool:
        return True


CLOSED = MarketCalendar(extra_holidays=EveryDay())
OPEN = MarketCalendar(is_always_open=True)


class Story:
    """A broker at work, and its history."""

    def __init__(
        self,
        simulator: Simulator,
        home: Path,
        policy: Policy = QUICK,
        calendar: MarketCalendar = OPEN,
    ) -> None:
        config = Config.from_env({**simulator.environment(), "TICKS_HOME": str(home)})
        self.simulator = simulator
        self.broker = BrokerAdapter(
            config.authenticator(),
            feed_url=config.endpoints.feed_url,
            policy=policy,
            calendar=calendar,
        )
        self.broker.subscribe([NIFTY, RELIANCE], Mode.LTP)
        self.events: list[LogEntry] = []

    @property
    def names(self) -> list[str]:
        self.events += self.broker.events.take()
        return [entry.event.name for entry in self.events]

    def facts(self, name: str) -> dict[str, Any]:
        """The facts of the last event of that name."""
        assert name in self.names
        events = (entry.event for entry in reversed(self.events))
        return next(event for event in events if event.name == name).facts()

    @property
    def attempts(self) -> list[int]:
        """The attempts that were waited for, in their order."""
        events = (entry.event for entry in self.events)
        return [event.attempt for event in events if isinstance(event, Waiting)]

    def until(self, is_true: Callable[[], bool]) -> None:
        """Wait until it is true, asked again after each event."""
        end_s = time.monotonic() + DEADLINE_S
        while not is_true():
            is_late = time.monotonic() > end_s
            assert not is_late, f"never came: {self.names}, {self.broker.error}"
            self.broker.wait(0.05)
            self.broker.take()

    def until_event(self, name: str, times: int = 1) -> dict[str, Any]:
        """Wait for the event; its facts."""
        self.until(lambda: self.names.count(name) >= times)
        return self.facts(name)

    def until_lost(self) -> TicksError:
        self.until(lambda: self.broker.error is not None)
        assert self.broker.error is not None
        return self.broker.error


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(rate=100, seed=3, accepts_code_once=False) as running:
        yield running


@pytest.fixture
def story(simulator: Simulator, tmp_path: Path) -> Iterator[Story]:
    told = Story(simulator, tmp_path / "home")
    with told.broker:
        told.until_event("first_tick")
        yield told


# --- causes that trying again mends ------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "cause", "code"),
    [
        ("0s:silence", "silence", None),
        ("0s:stall", "link dead", None),
        ("0s:drop", "network", None),
        ("0s:close:1011", "closed by server", 1011),
        ("0s:oversize", "protocol error", None),
    ],
)
def test_a_fault_is_named_healed_and_counted_as_blind(
    story: Story, fault: str, cause: str, code: int | None
) -> None:
    if fault == "0s:stall":
        story.broker.policy = replace(QUICK, silence_after_s=60.0)
        for connection in story.broker._connections:
            connection.policy = story.broker.policy
    story.simulator.inject(fault)
    recovered = story.until_event("recovered")
    assert (recovered["cause"], recovered.get("code")) == (cause, code)
    assert 0 < recovered["blind_s"] < 10
    names = story.names
    assert names.index("lost") < names.index("waiting") < names.index("recovered")
    assert story.broker.snapshot().reconnects == 1
    assert story.broker.snapshot().blind_s == pytest.approx(recovered["blind_s"], abs=0.01)


def test_silence_is_blind_from_the_last_packet_on(story: Story) -> None:
    story.simulator.inject("0s:silence")
    silent = story.until_event("silent")
    recovered = story.until_event("recovered")
    assert silent["silence_s"] >= QUICK.silence_after_s
    assert recovered["blind_s"] >= silent["silence_s"]


def test_everything_is_subscribed_again_and_the_old_socket_is_closed_first(story: Story) -> None:
    story.simulator.inject("0s:silence")
    story.until_event("recovered")
    first, second = story.simulator.journal.connections
    assert (first.units, second.units) == (2, 2)
    assert first.ended_by == "client"
    assert first.closed is not None
    assert first.closed.at_s <= second.opened.at_s


def test_a_server_that_is_busy_is_tried_again(story: Story) -> None:
    story.simulator.inject("connect:refuse:503x2")
    story.simulator.inject("0s:drop")
    story.until_event("recovered")
    assert [h.status for h in story.simulator.journal.handshakes] == [101, 503, 503, 101]
    assert story.names.count("waiting") == 3


def test_after_429_it_waits_longer(story: Story) -> None:
    story.simulator.inject("connect:refuse:429")
    story.simulator.inject("0s:drop")
    story.until(lambda: story.names.count("waiting") == 2)
    assert story.facts("waiting")["delay_s"] >= QUICK.rate_limit_wait_s
    story.until_event("recovered")


# --- tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
def test_refused_tokens_cost_one_fresh_login_and_no_wait(story: Story, status: int) -> None:
    logins = story.simulator.journal.logins
    story.simulator.inject(f"connect:refuse:{status}")
    story.simulator.inject("0s:drop")
    story.until_event("recovered")
    assert story.simulator.journal.logins == logins + 1
    assert story.names.count("waiting") == 1
    assert "renewed" in story.names


def test_tokens_refused_again_after_a_fresh_login_end_it(story: Story) -> None:
    story.simulator.inject("connect:refuse:401x2")
    story.simulator.inject("0s:drop")
    assert isinstance(story.until_lost(), TokenRefusedError)
    assert "gave_up" in story.names


def test_expired_tokens_are_renewed_on_the_way(story: Story) -> None:
    story.simulator.inject("0s:expire")
    assert story.until_event("recovered")["cause"]
    assert "renewed" in story.names


def test_nothing_is_sent_while_the_saved_session_is_valid(story: Story) -> None:
    calls = len(story.simulator.journal.calls)
    story.simulator.inject("0s:drop")
    story.until_event("recovered")
    assert len(story.simulator.journal.calls) == calls


def test_a_session_that_ends_while_streaming_is_renewed_without_stopping_the_stream(
    tmp_path: Path,
) -> None:
    with Simulator(rate=50, session_lifetime_s=1.0, accepts_code_once=False) as simulator:
        story = Story(simulator, tmp_path / "home")
        with story.broker:
            story.until_event("renewed")
            assert "lost" not in story.names
            assert len(simulator.journal.connections) == 1
            assert simulator.journal.refreshes == 1


def test_a_failed_renewal_is_a_warning_and_the_stream_goes_on(tmp_path: Path) -> None:
    with Simulator(rate=50, session_lifetime_s=1.0, accepts_code_once=False) as simulator:
        simulator.inject("refresh:A:AB1004x9")
        story = Story(simulator, tmp_path / "home")
        with story.broker:
            assert "AB1004" in story.until_event("renewal_failed")["detail"]
            count = simulator.journal.packet_count
            story.until(lambda: simulator.journal.packet_count > count + 20)
            assert "lost" not in story.names


# --- the end of trying ----------------------------------------------------------------------------


def test_attempts_are_limited_and_the_error_says_what_was_tried(story: Story) -> None:
    story.simulator.inject("connect:refuse:503x9")
    story.simulator.inject("0s:drop")
    error = story.until_lost()
    assert isinstance(error, FeedLostError)
    assert "after 3 attempts" in str(error)
    assert story.facts("gave_up")["attempts"] == 3
    assert story.broker.snapshot().phase is Phase.LOST
    assert [h.status for h in story.simulator.journal.handshakes] == [101, 503, 503, 503]


def test_a_flapping_link_keeps_backing_off(story: Story) -> None:
    story.simulator.inject("connect:close:1011x9")
    story.simulator.inject("0s:drop")
    assert isinstance(story.until_lost(), FeedLostError)
    assert story.names.count("waiting") == 3
    assert story.attempts == [1, 2, 3]


def test_a_healthy_stretch_forgives_the_attempts(story: Story) -> None:
    for number in range(1, 6):
        story.simulator.inject("0s:drop")
        story.until_event("recovered", number)
        story.until(lambda: story.broker.snapshot().connections[0].attempt == 0)
    assert set(story.attempts) == {1}


def test_a_feed_that_never_spoke_is_silent_too(tmp_path: Path) -> None:
    with Simulator(rate=50) as simulator:
        simulator.inject("connect:silence")
        story = Story(simulator, tmp_path / "home")
        with story.broker:
            assert story.until_event("waiting")["cause"] == "silence"
            story.until_event("first_tick")


def test_outside_market_hours_silence_is_quiet_and_spends_no_attempt(tmp_path: Path) -> None:
    with Simulator(rate=50) as simulator:
        simulator.inject("connect:silence")
        story = Story(simulator, tmp_path / "home", calendar=CLOSED)
        with story.broker:
            story.until_event("quiet")
            pings = simulator.journal.connections[0].ping_count
            assert simulator.wait_until(
                lambda: simulator.journal.connections[0].ping_count >= pings + 10
            )
            assert story.broker.snapshot().connections[0].is_quiet
            assert story.names.count("quiet") == 1
            assert "lost" not in story.names


def test_three_connections_heal_alone(tmp_path: Path) -> None:
    crowd = [Instrument(1, f"9{number:06}", f"S{number}", "S") for number in range(2998)]
    with Simulator(rate=20) as simulator:
        story = Story(simulator, tmp_path / "home", replace(QUICK, silence_after_s=60))
        story.broker.subscribe(crowd, Mode.LTP)
        with story.broker:
            logs = simulator.journal.connections
            assert simulator.wait_until(lambda: [log.units for log in logs] == [1000] * 3)
            simulator.inject(Fault(What.DROP, connection=2))
            assert simulator.wait_until(lambda: [log.units for log in logs[3:]] == [1000])
            story.until(lambda: story.broker.snapshot().reconnects == 1)
            assert sorted(c.reconnects for c in story.broker.snapshot().connections) == [0, 0, 1]
            assert [log.is_open for log in logs] == [True, False, True, True]


# --- the command ---------------------------------------------------------------------------------

FLAGS = ("--silence-after", "400ms", "--check-every", "100ms", "--backoff-max", "100ms")


def test_the_command_heals_and_says_so(
    begun: Any, environ: dict[str, str], simulator: Simulator, tmp_path: Path
) -> None:
    process = begun("stream", "NIFTY", "--csv", "out.csv", "--events", "events.jsonl", *FLAGS)
    assert simulator.wait_until(lambda: simulator.journal.packet_count > 10)
    simulator.inject("0s:silence")
    assert simulator.wait_until(lambda: len(simulator.journal.connections) == 2)
    count = simulator.journal.packet_count
    assert simulator.wait_until(lambda: simulator.journal.packet_count > count + 10)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "silence" in said
    assert "1 reconnect " in said
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    summary = events[-1]
    assert summary["event"] == "summary"
    spans = [event["blind_s"] for event in events if event["event"] == "recovered"]
    assert summary["blind_s"] == pytest.approx(sum(spans), abs=0.01)
    assert all({"at", "connection", "event"} <= event.keys() for event in events)


def test_the_command_gives_up_with_5_and_the_story(begun: Any, simulator: Simulator) -> None:
    process = begun("stream", "NIFTY", "--csv", "out.csv", "--max-attempts", "2", *FLAGS)
    assert simulator.wait_until(lambda: simulator.journal.packet_count > 10)
    simulator.stop()
    _, said = process.communicate(timeout=20)
    assert process.returncode == 5
    assert "after 2 attempts" in said


def test_the_command_keeps_trying_when_asked(begun: Any, simulator: Simulator) -> None:
    process = begun("stream", "NIFTY", "--csv", "out.csv", "--keep-trying", *FLAGS)
    assert simulator.wait_until(lambda: simulator.journal.packet_count > 10)
    simulator.inject("connect:refuse:503x6")
    simulator.inject("0s:drop")
    assert simulator.wait_until(lambda: len(simulator.journal.connections) == 2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_refused_tokens_end_the_command_with_3(begun: Any, simulator: Simulator) -> None:
    simulator.inject("connect:refuse:401x2")
    process = begun("stream", "NIFTY", "--csv", "out.csv", *FLAGS)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 3
    assert "401" in said
