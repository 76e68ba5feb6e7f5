"""From a broker to the sinks, until the end is reached.

Rules
- A drain is written by the feed thread that the kernel woke for it (`_write_directly`), as long as
  every output takes it without waiting. What would have to wait goes through the broker's buffer,
  and the thread of `run` works that off; the order is kept across each change (feed/buffer.py).
  No system says beforehand that a disk will hang: after a write that took long the drains go
  through the buffer for a while, so that the next stall delays no heartbeat.
- Batches are written in the order they came, each drain with one flush: what a reader of a pipe
  sees is never older than one drain.
- However it ends (count, time, signal, a reader that left, a lost feed), the connections are
  closed first and then everything that was taken from the sockets is written.
- A sink that fails ends the run; the others are flushed and closed before its error is raised.
  A reader that leaves ends the run when it had the only output; else the others go on.
- A full buffer drops the oldest packets, counted, or ends the run (`stops_when_full`).
- Drops are reported at first and at each doubling, and so is a wall clock that was set.
- A watch thread closes the feed when a limit or a full buffer asks for it, even while an
  output is blocked. What was taken is then written as soon as its reader reads; only a full
  buffer that is to end the run breaks a blocked write off (`break_off`), after `_GRACE_S`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .broker import BrokerAdapter
from .errors import OutputError
from .events import ClockStep, Dropped, ReaderLeft, Summary
from .feed.buffer import Batch
from .feed.stats import Doublings, LatencyHistogram
from .periodic import every
from .selection import NONE, SOME, Selection
from .sinks.sink import FanOut, PacketSink
from .snapshot import FeedSnapshot, OutputSnapshot

_AT_ONCE = 4_096
"""Packets written between two looks at the buffer: some milliseconds of work."""
_LEAST_STEP_S = 0.5
"""A clock that is slewed moves a thousandth of that between two looks."""
_WATCH_EVERY_S = 1.0
_LONG_WRITE_NS = 500_000_000
_AFTER_A_LONG_WRITE_NS = 10_000_000_000
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """When to end by itself: seconds from the start, a wall time, a number of ticks."""

    duration_s: float | None = None
    until_ns: int | None = None
    count: int | None = None


class Recorder:
    """One run, within `limits`. `run` blocks the calling thread; `stop` may come from a signal
    handler.

    `break_off` makes the thread of `run` raise OutputError out of a write that blocks.

    Threads: the one of `run`, or a feed thread in its place, writes `_written`, `_sinks`,
    `_latency`, `_in_hand_ns`, `_direct_from_ns`; the former `_ended_s`; the watch thread writes the
    reported drops, `_is_too_slow` and, unless there is one already, `_failure`. `stop` only
    sets a flag. Snapshots and summaries read all of them without a lock.
    """

    def __init__(
        self,
        broker: BrokerAdapter,
        sinks: Sequence[PacketSink],
        limits: Limits,
        *,
        stops_when_full: bool = False,
        names_skipped: int = 0,
        is_demo: bool = False,
        break_off: Callable[[], None] = lambda: None,
    ) -> None:
        self._broker = broker
        self._sinks = FanOut(sinks, reader_left=lambda name: broker.events.add(ReaderLeft(name)))
        self.limits = limits
        self._count = limits.count
        self._stops_when_full = stops_when_full
        self._names_skipped = names_skipped
        self._is_demo = is_demo
        self._break_off = break_off
        self._break_off_at_s: float | None = None
        self._clock = broker.clock
        self._latency = LatencyHistogram()
        self._written = 0
        self._began_s = self._clock.now_s()
        self._is_stopping = False
        self._drops = Doublings()
        self._clock_offset_s = self._offset_s()
        # What is being written: since when it is here, and to which output.
        self._in_hand_ns: int | None = None
        self._direct_from_ns = 0
        self._writing_to: PacketSink | None = None
        self._ended_s: float | None = None
        # With a count, ticks that are dropped after the last one wanted were never this run's.
        self._dropped_by_count: int | None = None
        self._failure: OutputError | None = None
        self._is_too_slow = False

    def stop(self) -> None:
        """End soon, as if the user had said so: what was taken is written first.

        The feed is closed at once, even while an output is blocked. Safe in a signal handler.
        """
        self._is_stopping = True
        self._broker.stop()

    def run(self) -> Summary:
        """Connect, record, close. Raises what lost the feed, or OutputError, after all is written.

        The summary is complete either way: `summary()` gives it again.
        """
        self._began_s = self._clock.now_s()
        self._broker.write_through(self._write_directly)
        self._broker.connect()
        with every(self._watch_in_s, self._watch, name="watch"):
            try:
                self._record()
                self._end()
            except BaseException:
                self._broker.disconnect()
                raise
        failure = self._failure or self._sinks.failure
        if failure is not None:
            raise failure
        if self._broker.error is not None and not self._is_stopping:
            raise self._broker.error
        return self.summary()

    def _record(self) -> None:
        while not self._is_at_end():
            batches = self._broker.take(_AT_ONCE)
            if batches:
                self._write(batches)
            elif self._broker.is_over:
                return
            else:
                self._broker.wait(self._seconds_left())

    def _watch_in_s(self) -> float:
        """Until the watch has to look again."""
        if self._break_off_at_s is not None:
            return max(0.0, self._break_off_at_s - self._clock.now_s())
        left_s = self._seconds_left()
        return _WATCH_EVERY_S if left_s is None else min(_WATCH_EVERY_S, left_s)

    def _watch(self) -> bool:
        """On the watch thread; True when nothing is left to watch for."""
        self._report_clock_step()
        if self._break_off_at_s is not None:
            is_due = self._clock.now_s() >= self._break_off_at_s
            if is_due:
                self._break_off()
            return is_due
        self._report_drops()
        if self._is_too_slow:
            self._break_off_at_s = self._clock.now_s() + _GRACE_S
        elif self._seconds_left() != 0.0:
            return False
        self._broker.stop()
        return not self._is_too_slow

    def _end(self) -> None:
        """Close the feed, write what was taken, close the outputs, and leave the summary."""
        if self._has_its_count:
            self._dropped_by_count = self._broker.dropped
        self._broker.disconnect()
        while batches := self._broker.take(_AT_ONCE):
            self._write(batches)
        self._sinks.close()
        self._report_drops(is_last=True)
        self._ended_s = self._clock.now_s() - self._began_s
        self._broker.events.add(self.summary())

    @property
    def _has_its_count(self) -> bool:
        return self.limits.count is not None and self._written >= self.limits.count

    def _is_at_end(self) -> bool:
        return (
            self._is_stopping
            or self._failure is not None
            or self._sinks.failure is not None
            or self._sinks.is_over
            or self._has_its_count
            or self._seconds_left() == 0.0
        )

    def _seconds_left(self) -> float | None:
        """Until the time limits end the run; None without any."""
        left: list[float] = []
        if self.limits.duration_s is not None:
            left.append(self._began_s + self.limits.duration_s - self._clock.now_s())
        if self.limits.until_ns is not None:
            left.append((self.limits.until_ns - self._clock.wall_ns()) / 1e9)
        return max(0.0, min(left)) if left else None

    def _offset_s(self) -> float:
        """What the wall clock shows when the monotonic one shows 0."""
        return self._clock.wall_ns() / 1e9 - self._clock.now_s()

    def _report_clock_step(self) -> None:
        offset_s = self._offset_s()
        step_s, self._clock_offset_s = offset_s - self._clock_offset_s, offset_s
        if abs(step_s) >= _LEAST_STEP_S:
            self._broker.events.add(ClockStep(step_s))

    def _report_drops(self, *, is_last: bool = False) -> None:
        dropped = self._broker.dropped
        if self._drops.is_due(self._clock.now_s(), dropped, is_last=is_last):
            self._broker.events.add(Dropped(dropped))
        if dropped and self._stops_when_full and self._failure is None:
            self._is_too_slow = True
            limit = self._broker.snapshot(NONE).buffer_limit
            self._failure = OutputError(
                f"the outputs are too slow: {dropped:,} ticks did not fit the buffer of {limit:,}",
                kind="buffer-full",
                dropped=dropped,
                limit=limit,
            )

    def _write_directly(self, received_ns: int, packets: list[bytes]) -> bool:
        """On a feed thread, one at a time: write a drain, unless an output would have to be waited
        for.

        A drain that reaches the count, or comes after the end, is refused: the thread of `run`
        alone decides where the run ends.
        """
        count = len(packets)
        written = self._written + count
        if self._is_stopping or (self._count is not None and written >= self._count):
            return False
        if received_ns < self._direct_from_ns:
            return False
        for sink in self._sinks.working:
            if not sink.takes(count):
                return False
        self._written = written
        self._in_hand_ns = received_ns
        for sink in self._sinks.working:  # not `each`: two calls less a drain
            self._writing_to = sink
            try:
                sink.write(received_ns, packets)
                sink.flush()
            except OutputError as error:
                self._sinks.failed(sink, error)
                self._broker.waker.wake()  # the thread of `run` ends it, where this was the last
        self._in_hand_ns = None
        now_ns = self._clock.wall_ns()
        if now_ns - received_ns > _LONG_WRITE_NS:
            self._direct_from_ns = now_ns + _AFTER_A_LONG_WRITE_NS
        self._latency.add((now_ns - received_ns) / 1000, count)
        return True

    def _write(self, batches: Sequence[Batch]) -> None:
        """Batches to every sink, with one flush; past `count` the rest is left out."""
        wanted = list(self._up_to_count(batches))
        if not wanted:
            return

        self._in_hand_ns = wanted[0].received_ns

        def write(sink: PacketSink) -> None:
            self._writing_to = sink
            for received_ns, packets in wanted:
                sink.write(received_ns, packets)
            sink.flush()

        self._sinks.each(write)
        self._in_hand_ns = None
        now_ns = self._clock.wall_ns()
        for received_ns, packets in wanted:
            self._latency.add((now_ns - received_ns) / 1000, len(packets))

    def _up_to_count(self, batches: Sequence[Batch]) -> Iterator[Batch]:
        count = self.limits.count
        for batch in batches:
            left = len(batch.packets) if count is None else count - self._written
            if left <= 0:
                return
            self._written += min(left, len(batch.packets))
            yield (
                batch
                if left >= len(batch.packets)
                else Batch(batch.received_ns, batch.packets[:left])
            )

    def summary(self) -> Summary:
        """The run so far, or at its end."""
        now = self._broker.snapshot(NONE)
        dropped = now.dropped if self._dropped_by_count is None else self._dropped_by_count
        return Summary(
            ticks=self._written + dropped,
            instruments=now.instruments_total,
            seconds=self._clock.now_s() - self._began_s if self._ended_s is None else self._ended_s,
            reconnects=now.reconnects,
            blind_s=now.blind_s,
            uncertain_s=now.uncertain_s,
            dropped=dropped,
            malformed=now.malformed,
            foreign=now.foreign,
            out_of_order=now.out_of_order,
            duplicates=now.duplicates,
            outputs={sink.name: sink.rows for sink in self._sinks.sinks},
            names_skipped=self._names_skipped,
            is_demo=self._is_demo,
        )

    def snapshot(self, selection: Selection = SOME) -> FeedSnapshot:
        """The broker's snapshot, with the outputs and how long ticks took to reach them."""
        self._latency.sample(self._clock.now_s())
        now, in_hand_ns, slow = (
            self._broker.snapshot(selection),
            self._in_hand_ns,
            self._writing_to,
        )
        working = self._sinks.working
        behind_s = 0.0 if in_hand_ns is None else (self._clock.wall_ns() - in_hand_ns) / 1e9
        return replace(
            now,
            behind_s=max(behind_s, now.behind_s),
            slow_output="" if slow is None else slow.name,
            outputs=tuple(
                OutputSnapshot(
                    sink.name, sink.rows, sink.bytes_written, is_left=sink not in working
                )
                for sink in self._sinks.sinks
            ),
            latency_p50_us=self._latency.quantile(0.5),
            latency_p99_us=self._latency.quantile(0.99),
            names_skipped=self._names_skipped,
            is_demo=self._is_demo,
        )
