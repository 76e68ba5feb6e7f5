"""From a broker to the sinks, and every way it can end."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from ticks.adapter import recorder as recorder_module
from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.clock import Clock, SystemClock
from ticks.adapter.config import Config
from ticks.adapter.errors import FeedLostError, OutputError, ReaderLeftError
from ticks.adapter.events import ClockStep, Dropped
from ticks.adapter.feed.lifecycle import Policy
from ticks.adapter.instrument import Instrument
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.recorder import Limits, Recorder
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.tick import Mode

pytestmark = pytest.mark.slow  # real sockets and time

NIFTY = Instrument(1, "99926000", "Nifty 50", "NIFTY", kind="AMXIDX")


class MemorySink:
    """Keeps packets; `fails` is raised at the first flush after `good_flushes`."""

    def __init__(self, fails: OutputError | None = None, good_flushes: int = 0) -> None:
        self.name = "memory"
        self.packets: list[bytes] = []
        self.bytes_written = 0
        self.is_closed = False
        self.may_write = threading.Event()
        self.may_write.set()
        self._fails = fails
        self._good_flushes = good_flushes

    @property
    def rows(self) -> int:
        return len(self.packets)

    def takes(self, packets: int) -> bool:
        return self.may_write.is_set()

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        self.may_write.wait(20)
        self.packets += packets

    def flush(self) -> None:
        if self._fails is not None and self._good_flushes == 0:
            raise self._fails
        self._good_flushes -= 1

    def close(self) -> None:
        self.is_closed = True


def broker_of(
    config: Config, *, buffer_limit: int = 100_000, clock: Clock | None = None
) -> BrokerAdapter:
    broker = BrokerAdapter(
        config.authenticator(),
        feed_url=config.endpoints.feed_url,
        policy=Policy(max_attempts=1, backoff_max_s=0.05),
        calendar=MarketCalendar(is_always_open=True),
        buffer_limit=buffer_limit,
        clock=clock,
    )
    broker.subscribe([NIFTY], Mode.LTP)
    return broker


def test_a_count_gives_exactly_so_many_rows(config: Config) -> None:
    sink = MemorySink()
    summary = Recorder(broker_of(config), [sink], Limits(count=25)).run()
    assert (sink.rows, summary.ticks, sink.is_closed) == (25, 25, True)


def test_a_duration_ends_a_run(config: Config) -> None:
    sink = MemorySink()
    summary = Recorder(broker_of(config), [sink], Limits(duration_s=0.5)).run()
    assert 0.5 <= summary.seconds < 5
    assert summary.ticks == sink.rows > 10


def test_a_wall_time_ends_a_run(config: Config) -> None:
    broker = broker_of(config)
    until_ns = broker.clock.wall_ns() + 300_000_000
    Recorder(broker, [MemorySink()], Limits(until_ns=until_ns)).run()
    assert broker.clock.wall_ns() >= until_ns


def test_a_stop_writes_first_what_was_taken(config: Config, simulator: Simulator) -> None:
    sink, broker = MemorySink(), broker_of(config)
    recorder = Recorder(broker, [sink], Limits())
    sink.may_write.clear()
    runner = threading.Thread(target=recorder.run)
    runner.start()
    assert simulator.journal.wait_until(lambda: simulator.journal.packet_count >= 50)
    recorder.stop()
    sink.may_write.set()
    runner.join(20)
    sent = [each.packet for each in simulator.journal.connections[0].packets]
    assert sink.rows >= 49
    assert sink.packets == sent[: sink.rows]
    assert recorder.summary().dropped == 0


def test_a_sink_that_fails_ends_the_run_after_the_others_are_closed(config: Config) -> None:
    good, bad = MemorySink(), MemorySink(OutputError("the disk is full"), good_flushes=3)
    recorder = Recorder(broker_of(config), [bad, good], Limits())
    with pytest.raises(OutputError, match="the disk is full"):
        recorder.run()
    assert good.is_closed
    assert good.rows > 0
    assert recorder.summary().outputs.keys() == {"memory"}


def test_a_reader_that_leaves_is_a_good_end(config: Config) -> None:
    sink = MemorySink(ReaderLeftError("gone"), good_flushes=2)
    summary = Recorder(broker_of(config), [sink], Limits()).run()
    assert summary.ticks > 0


def test_a_lost_feed_is_raised_after_everything_is_written(
    config: Config, simulator: Simulator
) -> None:
    sink, broker = MemorySink(), broker_of(config)
    recorder = Recorder(broker, [sink], Limits())
    failures: list[Exception] = []

    def run() -> None:
        try:
            recorder.run()
        except FeedLostError as error:
            failures.append(error)

    runner = threading.Thread(target=run)
    runner.start()
    assert simulator.journal.wait_until(lambda: simulator.journal.packet_count >= 5)
    simulator.stop()
    runner.join(20)
    assert len(failures) == 1
    assert sink.packets == [e.packet for e in simulator.journal.connections[0].packets]
    assert recorder.summary().blind_s > 0


class BlockedRun:
    """A run on a thread of its own whose only sink is blocked from the start."""

    def __init__(self, recorder: Recorder, sink: MemorySink) -> None:
        self.errors: list[OutputError] = []
        self._recorder = recorder
        self._sink = sink
        self._thread = threading.Thread(target=self._run)
        sink.may_write.clear()
        self._thread.start()

    def _run(self) -> None:
        try:
            self._recorder.run()
        except OutputError as error:
            self.errors.append(error)

    def unblock(self) -> None:
        """Let the sink write, and wait for the end."""
        self._sink.may_write.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


def is_closed(simulator: Simulator) -> bool:
    """Whether the feed was open and is closed now."""
    journal = simulator.journal
    return bool(journal.connections) and not journal.open_connections()


def test_a_blocked_sink_costs_counted_ticks_to_the_last_one(
    config: Config, simulator: Simulator
) -> None:
    sink, broker = MemorySink(), broker_of(config, buffer_limit=20)
    recorder = Recorder(broker, [sink], Limits())
    run = BlockedRun(recorder, sink)
    assert simulator.journal.wait_until(lambda: simulator.journal.packet_count >= 200)
    recorder.stop()
    run.unblock()
    summary = recorder.summary()
    assert run.errors == []
    assert summary.dropped > 0
    assert summary.ticks == sink.rows + summary.dropped == broker.ticks
    reports = [e.event for e in broker.events.take() if isinstance(e.event, Dropped)]
    assert reports[-1].dropped == summary.dropped


def test_a_snapshot_says_how_far_the_outputs_are_behind_and_which_one(
    config: Config, simulator: Simulator
) -> None:
    sink, broker = MemorySink(), broker_of(config, buffer_limit=20)
    recorder = Recorder(broker, [sink], Limits(), is_demo=True)
    run = BlockedRun(recorder, sink)
    assert simulator.journal.wait_until(lambda: simulator.journal.packet_count >= 200)
    now = recorder.snapshot()
    recorder.stop()
    run.unblock()
    assert (now.slow_output, now.is_demo) == ("memory", True)
    assert now.behind_s >= 0.5  # two hundred packets a second
    assert now.recent_dropped == now.dropped > 0
    assert (recorder.snapshot().behind_s, recorder.summary().is_demo) == (0.0, True)


def test_after_a_disk_that_hung_its_next_stall_delays_no_feed(config: Config) -> None:
    class HangingSink(MemorySink):
        """Its first write takes 0.7 s, and never says beforehand that it will."""

        def __init__(self) -> None:
            super().__init__()
            self.writers: list[str] = []

        def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
            if not self.writers:
                threading.Event().wait(0.7)
            self.writers.append(threading.current_thread().name)
            super().write(received_ns, packets)

    sink = HangingSink()
    summary = Recorder(broker_of(config), [sink], Limits(duration_s=1.5)).run()
    first, *others = sink.writers
    assert first.startswith("feed")
    assert set(others) == {threading.current_thread().name}
    assert (summary.dropped, summary.ticks) == (0, sink.rows)


def test_a_full_buffer_can_end_the_run(config: Config, simulator: Simulator) -> None:
    sink, broker = MemorySink(), broker_of(config, buffer_limit=20)
    recorder = Recorder(broker, [sink], Limits(), stops_when_full=True)
    run = BlockedRun(recorder, sink)
    assert simulator.wait_until(lambda: is_closed(simulator))
    run.unblock()
    (error,) = run.errors
    assert (error.kind, error.values["limit"]) == ("buffer-full", 20)
    assert recorder.summary().dropped >= error.values["dropped"] > 0


def test_a_limit_closes_the_feed_even_while_a_sink_is_blocked(
    config: Config, simulator: Simulator
) -> None:
    sink = MemorySink()
    recorder = Recorder(broker_of(config), [sink], Limits(duration_s=0.3))
    run = BlockedRun(recorder, sink)
    assert simulator.wait_until(lambda: is_closed(simulator))
    run.unblock()
    assert run.errors == []
    assert sink.packets == [e.packet for e in simulator.journal.connections[0].packets][: sink.rows]
    assert recorder.summary().ticks == sink.rows > 0


def test_a_blocked_write_is_broken_off_when_a_full_buffer_is_to_end_the_run(
    config: Config, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_GRACE_S", 0.05)
    sink, broker = MemorySink(), broker_of(config, buffer_limit=20)
    broken_off = threading.Event()
    run = BlockedRun(
        Recorder(broker, [sink], Limits(), stops_when_full=True, break_off=broken_off.set), sink
    )
    assert broken_off.wait(20)
    run.unblock()
    assert len(run.errors) == 1


def test_the_end_is_an_event_and_a_snapshot_has_the_outputs(config: Config) -> None:
    sink, broker = MemorySink(), broker_of(config)
    recorder = Recorder(broker, [sink], Limits(count=25))
    summary = recorder.run()
    assert broker.events.take()[-1].event == summary
    snapshot = recorder.snapshot()
    assert [output.rows for output in snapshot.outputs] == [25]
    assert 0 <= (snapshot.latency_p50_us or -1) <= (snapshot.latency_p99_us or -1)


class StepClock(SystemClock):
    """The machine's clocks; the wall clock can be set."""

    def __init__(self) -> None:
        self.set_by_ns = 0

    def wall_ns(self) -> int:
        return super().wall_ns() + self.set_by_ns


def test_a_wall_clock_that_is_set_is_an_event(config: Config, simulator: Simulator) -> None:
    clock = StepClock()
    broker = broker_of(config, clock=clock)
    recorder = Recorder(broker, [MemorySink()], Limits(duration_s=1.5))
    runner = threading.Thread(target=recorder.run)
    runner.start()
    assert simulator.journal.wait_until(lambda: simulator.journal.packet_count >= 5)
    clock.set_by_ns = -3_600_000_000_000
    runner.join(20)
    steps = [e.event for e in broker.events.take() if isinstance(e.event, ClockStep)]
    assert [round(step.seconds) for step in steps] == [-3600]
