"""Recordings played back: at their own pace or any other, merged by time, in part, repeatedly.

Rules
- What is given out is whole rows, checked; memory does not grow with the files.
- A wait is a deadline that the waker ends, so a stop is immediate, in a pause too; what was given
  out is written before it.
- A sink that fails ends the replay; the others are flushed and closed before its error is raised.
- A damaged row is reported, counted and skipped, or ends the replay (`is_strict`), after the rows
  before it are written. A recording without one good row is an error; a file is looked at as far
  as its first good row before any output is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ..clock import Clock
from ..errors import OutputError, RecordingError
from ..files.inputs import Input, OnDamage, bytes_of
from ..files.parquet_reader import ParquetReader
from ..files.recording import RecordingReader, open_recording, raise_damage, without_rows
from ..quotes import NO_PAGE, InstrumentSnapshot, Page
from ..rows.block import RowBlock
from ..rows.decode import received_ns_of
from ..rows.format import Csv, Jsonl, TickFormat
from ..selection import SOME, TYPED, Selection
from ..sinks.candles import CandleSink
from ..sinks.sink import BlockSink, FanOut, OutputFigures
from ..tick import Mode
from ..waker import Waker
from .instruments import SeenInstruments
from .merge import merged
from .pacer import Pacer
from .row_filter import RowFilter
from .running_time import RunningTime
from .unique import UniqueFilter

if TYPE_CHECKING:
    from .nats import NatsReader, NatsSource

    _Reader: TypeAlias = RecordingReader | ParquetReader | NatsReader

_FLUSH_BYTES = 1 << 16
_ROW_BYTES = 100
"""About, of a row that came without its text (a stream, Parquet): it is text in the outputs."""
_REPORT_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to play and how. `speed` None: as fast as the sinks take it; `count`: rows in all;
    `is_unique`: recordings of one feed, each tick once; `streams`: those of the paths that are no
    files."""

    paths: tuple[str, ...]
    speed: float | None = 1.0
    skips_idle: bool = False
    loops: bool = False
    count: int | None = None
    is_strict: bool = False
    is_unique: bool = False
    streams: Mapping[str, NatsSource] = field(default_factory=dict)


class ReplayStart(NamedTuple):
    """How the recordings begin: the format of the first, and the richest mode of all."""

    format: TickFormat
    mode: Mode


@dataclass(frozen=True, slots=True)
class ReplaySnapshot:
    """The state of a replay: plain values.

    `position` is the `received_at` of the last row, in India, without its offset; `read` counts
    the rows given out and those left out, `duplicates` among them; `bytes_held` were read for rows
    that are not due, as if all rows were of one size; `played_s` are the recorded seconds that
    were played, each repetition counted. `seconds` are those since the start, without the pauses.
    `instruments` is a page, as in a feed's snapshot, their ages in recorded time; empty where they
    are not shown.
    """

    recordings: tuple[str, ...]
    position: str
    speed: float | None
    seconds: float
    ticks: int
    read: int
    damaged: int
    late: int
    bytes_read: int
    bytes_total: int | None
    bytes_held: int
    outputs: tuple[OutputFigures, ...]
    duplicates: int = 0
    played_s: float = 0.0
    instruments: tuple[InstrumentSnapshot, ...] = ()
    instruments_total: int = 0
    first_row: int = 0
    matching: int = 0
    order: str = TYPED

    @property
    def share(self) -> float | None:
        """How much was given out, 0 to 1; None for stdin."""
        if self.bytes_total is None:
            return None
        return min(1.0, max(0, self.bytes_read - self.bytes_held) / self.bytes_total)


class Replay:
    """One replay: `open`, then `run`. `stop` may come from a signal handler; `pause`, `resume` and
    `snapshot` from any thread.

    `on_damage` is called for damaged rows; `progress` ten times a second with the bytes read and
    in all. `keeps_instruments`: snapshots are to show them.
    """

    def __init__(
        self,
        options: ReplayOptions,
        row_filter: RowFilter,
        *,
        clock: Clock,
        waker: Waker,
        on_damage: OnDamage = raise_damage,
        progress: Callable[[int, int | None], None] | None = None,
        keeps_instruments: bool = False,
    ) -> None:
        self._options = options
        self._filter = row_filter
        self._clock = clock
        self._waker = waker
        self._on_damage = raise_damage if options.is_strict else on_damage
        self._progress = progress
        self._inputs: list[Input | NatsSource] = [
            options.streams.get(path)
            or Input(path, waker=waker, is_stopping=lambda: self._is_stopping)
            for path in options.paths
        ]
        self._opened: list[Iterator[RowBlock]] = []
        self._sinks: FanOut[BlockSink] = FanOut(())
        self._pacer = Pacer(options.speed, skips_idle=options.skips_idle) if options.speed else None
        self._time = RunningTime(clock, waker, lambda: self._is_stopping)
        self._reported_s = clock.now_s()
        self._instruments = SeenInstruments() if keeps_instruments else None
        self._unique = UniqueFilter() if options.is_unique else None
        self._ticks = self._filtered_out = self._damaged = self._duplicates = 0
        self._position = b""
        self._played = Pacer(1.0, skips_idle=options.skips_idle)
        self._played_s = 0.0
        self._written_at_s = 0.0
        self._pending_bytes = 0
        self._rows_in = self._held_rows = 0  # of this repetition; not given out yet
        self._is_stopping = False

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._is_stopping

    def stop(self) -> None:
        """End soon. Safe in a signal handler."""
        self._is_stopping = True
        self._waker.wake()

    @property
    def is_paused(self) -> bool:
        """Whether it is paused."""
        return self._time.is_paused

    def pause(self) -> None:
        """Play nothing more until `resume`; the pace continues from there."""
        self._time.pause()

    def resume(self) -> None:
        """End a pause."""
        self._time.resume()

    def open(self) -> ReplayStart:
        """Look at how every recording begins. Raises RecordingError for a file that is not a
        recording."""
        formats: list[TickFormat] = []
        modes: list[Mode] = []
        for source in self._inputs:
            reader, first, blocks = self._open_reader(source)
            self._opened.append(blocks)
            if first is not None:
                formats.append(reader.format)
                modes.append(
                    reader.format.mode if isinstance(reader.format, Csv) else _mode_of(first)
                )
        return ReplayStart(formats[0] if formats else Jsonl(), max(modes, default=Mode.LTP))

    def _open_reader(
        self, source: Input | NatsSource
    ) -> tuple[_Reader, RowBlock | None, Iterator[RowBlock]]:
        """A reader, its first block (None at a stop), and all of its blocks."""
        reader = self._reader_of(source)
        blocks = self._blocks_of(reader)
        first: RowBlock | None = None
        for first in blocks:
            # The header of a pipe is enough: its first row may be long in coming.
            if first.count or (source.is_stdin and isinstance(reader.format, Csv)):
                break
        return reader, first, blocks if first is None else chain([first], blocks)

    def _reader_of(self, source: Input | NatsSource) -> _Reader:
        if isinstance(source, Input):
            return open_recording(source, self._report_damage)
        from .nats import NatsReader  # asyncio: a file needs none of it

        return NatsReader(
            source,
            self._report_damage,
            waker=self._waker,
            is_stopping=lambda: self._is_stopping,
        )

    def _blocks_of(self, reader: _Reader) -> Iterator[RowBlock]:
        """All blocks of a recording. Raises RecordingError at its end if it had no good row."""
        try:
            yield from reader.blocks()
        except RecordingError:
            if not self._is_stopping:
                raise
        if not (reader.rows or self._is_stopping):
            raise without_rows(reader.source.name)

    def _report_damage(self, name: str, line_number: int, reason: str) -> None:
        if self._is_stopping:
            return  # a line of standard input of which the end was not waited for
        self._damaged += 1
        self._on_damage(name, line_number, reason)

    def run(self, sinks: FanOut[BlockSink]) -> ReplaySnapshot:
        """Play. Raises OutputError, or RecordingError for damage, after all is written."""
        self._sinks = sinks
        self._time.begin()
        failure: OutputError | RecordingError | None = None
        try:
            for block in self._paced():
                self._write(block)
                if self._is_stopping or sinks.is_over or sinks.failure is not None:
                    break
            else:
                if not self._is_stopping:  # a stop during a wait ends the loop as well
                    sinks.each(lambda sink: sink.finish())
        except RecordingError as error:
            failure = error
        sinks.close()
        failure = failure or sinks.failure
        if failure is not None:
            raise failure
        return self.snapshot()

    def _paced(self) -> Iterator[RowBlock]:
        """The blocks to play, each given out when it is due."""
        for block in self._counted():
            if self._pacer is None or not block.count:
                if self._time.is_paused:
                    self._wait_until(0.0)
                    if self._is_stopping:
                        return
                yield block
            else:
                yield from self._due_parts(block, self._pacer)

    def _due_parts(self, block: RowBlock, pacer: Pacer) -> Iterator[RowBlock]:
        start, count = 0, block.count
        due_s = [pacer.due_s(time) for time in block.times]
        while start < count and not self._is_stopping:
            self._wait_until(due_s[start])
            passed_s = self._time.now_s()
            end = start + 1
            while end < count and (due_s[end] <= passed_s or due_s[end] == due_s[start]):
                end += 1
            if not self._is_stopping:
                yield block.part(start, end)
            start = end

    def _wait_until(self, due_s: float) -> None:
        if self._time.is_paused or due_s > self._time.now_s():
            self._flush()
            self._time.wait_until(due_s)

    def _counted(self) -> Iterator[RowBlock]:
        """The blocks that passed the filter, up to the count, repeated where that is asked for."""
        left = self._options.count
        while True:
            given = 0
            for number, merged_block in merged([self._filtered(each) for each in self._opened]):
                block = self._without_duplicates(merged_block, number)
                part = block if left is None else block.part(0, left)
                given += part.count
                yield part
                if left is not None:
                    left -= part.count
                    if left <= 0:
                        return
            if not (self._options.loops and given) or self._is_stopping:
                return
            self._rewind()

    def _rewind(self) -> None:
        self._opened = []
        self._rows_in = self._held_rows = 0
        for source in self._inputs:
            source.bytes_read = 0
            _, _, blocks = self._open_reader(source)
            self._opened.append(blocks)
        self._played.begin_again()
        if self._pacer is not None:
            self._pacer.begin_again()
        if self._unique is not None:
            self._unique = UniqueFilter()

    def _filtered(self, blocks: Iterator[RowBlock]) -> Iterator[RowBlock]:
        for block in blocks:
            chosen = block if self._filter.takes_all else self._filter.of(block)
            self._filtered_out += block.count - chosen.count
            self._rows_in += chosen.count
            self._held_rows += chosen.count
            yield chosen

    def _without_duplicates(self, block: RowBlock, number: int) -> RowBlock:
        if self._unique is None:
            return block
        unique = self._unique.of(block, number)
        self._duplicates += block.count - unique.count
        self._held_rows -= block.count - unique.count
        return unique

    def _write(self, block: RowBlock) -> None:
        self._ticks += block.count
        self._held_rows -= block.count
        if block.count:
            self._position = block.last_time
            self._played.due_s(block.first_time)
            self._played_s = self._played.due_s(self._position)
            if self._instruments is not None:
                self._instruments.add(block)
                self._written_at_s = self._time.now_s()
        self._pending_bytes += len(block.text) or _ROW_BYTES * block.count
        self._sinks.each(lambda sink: sink.write_block(block))
        if self._pending_bytes >= _FLUSH_BYTES or len(self._inputs) == 1:
            self._flush()

    def _flush(self) -> None:
        self._pending_bytes = 0
        self._sinks.flush()
        now_s = self._clock.now_s()
        if self._progress is not None and now_s - self._reported_s >= _REPORT_EVERY_S:
            self._reported_s = now_s
            self._progress(*bytes_of(self._inputs))

    def snapshot(self, selection: Selection = SOME) -> ReplaySnapshot:
        """The replay so far, or at its end, with the instruments that are selected."""
        page = self._page(selection)
        bytes_read, bytes_total = bytes_of(self._inputs)
        late = [sink.late for sink in self._sinks.sinks if isinstance(sink, CandleSink)]
        return ReplaySnapshot(
            recordings=tuple(source.name for source in self._inputs),
            position=self._position.decode(),
            speed=self._options.speed,
            seconds=self._time.now_s(),
            ticks=self._ticks,
            read=self._ticks + self._filtered_out + self._duplicates,
            damaged=self._damaged,
            late=max(late, default=0),
            bytes_read=bytes_read,
            bytes_total=bytes_total,
            bytes_held=round(bytes_read * self._held_rows / max(1, self._rows_in)),
            outputs=self._sinks.figures(),
            duplicates=self._duplicates,
            played_s=self._played_s,
            instruments=page.instruments,
            instruments_total=0 if self._instruments is None else self._instruments.total,
            first_row=page.chosen.first,
            matching=page.chosen.matching,
            order=page.chosen.order,
        )

    def _page(self, selection: Selection) -> Page:
        position = self._position
        if self._instruments is None or not position:
            return NO_PAGE
        # Between two rows the recording's time goes on.
        now_s = self._time.now_s()
        since_s = max(0.0, now_s - self._written_at_s) * (self._options.speed or 0.0)
        now_ns = received_ns_of(position) + int(since_s * 1e9)
        return self._instruments.page(selection, now_ns, now_s)


def _mode_of(block: RowBlock) -> Mode:
    """The mode of the first row."""
    return Mode(next(block.recorded()).packet[0])
