"""From a broker to the sinks, until the end is reached: the main road of `ticks stream`.

Rules
- Batches are written in the order they came, each drain with one flush: what a reader of a pipe
  sees is never older than one drain.
- However it ends (count, time, signal, a reader that left, a lost feed), the connections are
  closed first and then everything that was taken from the sockets is written.
- A sink that fails ends the run; the others are flushed and closed before its error is raised.
- A full buffer drops the oldest packets, counted, or ends the run (`stops_when_full`).
- A watch beside the run closes the feed when a limit or a full buffer asks for it, even while an
  output is blocked. What was taken is then written as soon as its reader reads; only a full
  buffer that is to end the run breaks a blocked write off (`break_off`), after `_GRACE_S`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from .broker import BrokerAdapter
from .errors import OutputError, ReaderLeftError
from .events import Dropped, Summary
from .feed.buffer import Batch
from .feed.stats import LatencyHistogram
from .sinks.file import Sink
from .snapshot import FeedSnapshot, OutputSnapshot

_AT_ONCE = 4_096
"""Packets written between two looks at the buffer: some milliseconds of work."""
_DROPS_APART_S = 1.0
_WATCH_EVERY_S = 0.25
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """When to end by itself: seconds from the start, a wall time, a number of ticks."""

    duration_s: float | None = None
    until_ns: int | None = None
    count: int | None = None


class Recorder:
    """One run. `run` blocks the calling thread; `stop` may come from a signal handler.

    `break_off` makes the thread of `run` raise OutputError out of a write that blocks.
    """

    def __init__(
        self,
        broker: BrokerAdapter,
        sinks: Sequence[Sink],
        limits: Limits,
        *,
        stops_when_full: bool = False,
        break_off: Callable[[], None] = lambda: None,
    ) -> None:
        self._broker = broker
        self._all_sinks = tuple(sinks)
        self._sinks = list(sinks)
        self._limits = limits
        self._stops_when_full = stops_when_full
        self._break_off = break_off
        self._is_over = threading.Event()
        self._clock = broker.clock
        self._latency = LatencyHistogram()
        self._written = 0
        self._began_s = self._clock.now_s()
        self._is_stopping = False
        self._reported_dropped = 0
        self._report_drops_at_s = 0.0
        self._ended_s: float | None = None
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
        watch = threading.Thread(target=self._keep_watch, name="watch", daemon=True)
        self._broker.connect()
        watch.start()
        try:
            self._record()
            self._end()
        except BaseException:
            self._broker.disconnect()
            raise
        finally:
            self._is_over.set()
            watch.join()
        if self._failure is not None:
            raise self._failure
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

    def _keep_watch(self) -> None:
        """Beside the run, on a thread of its own."""
        while not self._is_over.wait(_WATCH_EVERY_S):
            self._report_drops()
            if self._is_too_slow or self._seconds_left() == 0.0:
                self._broker.stop()
                break
        if self._is_too_slow and not self._is_over.wait(_GRACE_S):
            self._break_off()

    def _end(self) -> None:
        """Close the feed, write what was taken, close the outputs, and leave the summary."""
        if self._has_its_count:
            self._dropped_by_count = self._broker.dropped
        self._broker.disconnect()
        while batches := self._broker.take(_AT_ONCE):
            self._write(batches)
        self._close()
        self._ended_s = self._clock.now_s() - self._began_s
        self._broker.events.add(self.summary())

    @property
    def _has_its_count(self) -> bool:
        return self._limits.count is not None and self._written >= self._limits.count

    def _is_at_end(self) -> bool:
        return (
            self._is_stopping
            or self._failure is not None
            or self._has_its_count
            or self._seconds_left() == 0.0
        )

    def _seconds_left(self) -> float | None:
        """Until the time limits end the run; None without any."""
        left: list[float] = []
        if self._limits.duration_s is not None:
            left.append(self._began_s + self._limits.duration_s - self._clock.now_s())
        if self._limits.until_ns is not None:
            left.append((self._limits.until_ns - self._clock.wall_ns()) / 1e9)
        return max(0.0, min(left)) if left else None

    def _report_drops(self) -> None:
        dropped, now_s = self._broker.dropped, self._clock.now_s()
        if dropped == self._reported_dropped or now_s < self._report_drops_at_s:
            return
        self._reported_dropped, self._report_drops_at_s = dropped, now_s + _DROPS_APART_S
        self._broker.events.add(Dropped(dropped))
        if self._stops_when_full and self._failure is None:
            self._is_too_slow = True
            limit = self._broker.snapshot(most_instruments=0).buffer_limit
            self._failure = OutputError(
                f"the outputs are too slow: {dropped:,} ticks did not fit the buffer of {limit:,}",
                kind="buffer-full",
                dropped=dropped,
                limit=limit,
            )

    def _write(self, batches: Sequence[Batch]) -> None:
        """Batches to every sink, with one flush; past `count` the rest is left out."""
        wanted = list(self._up_to_count(batches))
        if not wanted:
            return
        for sink in list(self._sinks):
            with self._failing(sink):
                for received_ns, packets in wanted:
                    sink.write(received_ns, packets)
                sink.flush()
        now_ns = self._clock.wall_ns()
        for received_ns, packets in wanted:
            self._latency.add((now_ns - received_ns) / 1000, len(packets))

    def _up_to_count(self, batches: Sequence[Batch]) -> Iterator[Batch]:
        count = self._limits.count
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

    @contextmanager
    def _failing(self, sink: Sink) -> Iterator[None]:
        """A sink that fails is out, and the run ends; a reader that left ends it well."""
        try:
            yield
        except ReaderLeftError:
            self._sinks.remove(sink)
            self._is_stopping = True
        except OutputError as error:
            self._sinks.remove(sink)
            self._failure = self._failure or error

    def _close(self) -> None:
        for sink in list(self._sinks):
            with self._failing(sink):
                sink.close()

    def summary(self) -> Summary:
        """The run so far, or at its end."""
        now = self._broker.snapshot(most_instruments=0)
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
            out_of_order=now.out_of_order,
            duplicates=now.duplicates,
            outputs={sink.name: sink.rows for sink in self._all_sinks},
        )

    def snapshot(self, most_instruments: int = 20) -> FeedSnapshot:
        """The broker's snapshot, with the outputs and how long ticks took to reach them."""
        return replace(
            self._broker.snapshot(most_instruments),
            outputs=tuple(
                OutputSnapshot(sink.name, sink.rows, sink.bytes_written) for sink in self._all_sinks
            ),
            latency_p50_us=self._latency.quantile(0.5),
            latency_p99_us=self._latency.quantile(0.99),
        )
