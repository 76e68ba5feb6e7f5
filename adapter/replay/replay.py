"""Recordings played to targets: at their own pace or any other, merged by time, in part, for ever.

Rules
- What is given out is whole rows, checked; memory does not grow with the files.
- A wait is a deadline that the bell ends, so a stop is immediate; what was given out is written
  before it.
- A target that fails ends the replay; the others are flushed and closed before its error is raised.
- A damaged row is reported, counted and skipped, or ends the replay (`is_strict`), after the rows
  before it are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from ..clock import Clock
from ..errors import OutputError, ReaderLeftError, RecordingError
from ..files.inputs import Bell, Input
from ..files.recording import OnDamage, RecordingReader, raise_damage
from ..rows.block import RowBlock
from ..rows.scan import Form
from ..tick import Mode
from .merge import merged
from .pacer import Pacer
from .row_filter import RowFilter
from .targets import CandleTarget, Target

_FLUSH_BYTES = 1 << 16
_REPORT_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to play and how. `speed` None: as fast as the targets take it; `count`: rows in all."""

    paths: tuple[str, ...]
    speed: float | None = 1.0
    skips_idle: bool = False
    loops: bool = False
    count: int | None = None
    is_strict: bool = False


class ReplayStart(NamedTuple):
    """How the recordings begin: the form of the first, the richest mode, a single one's header."""

    form: Form
    mode: Mode
    header: bytes | None


class OutputFigures(NamedTuple):
    """An output as it stands."""

    name: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ReplaySnapshot:
    """A replay as it stands: plain values.

    `position` is the `received_at` of the last row, in India, without its offset; `read` counts
    the rows given out and those left out; `bytes_held` is text that was read and is not due yet.
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

    @property
    def share(self) -> float | None:
        """How much was given out, 0 to 1; None for stdin. To the nearest block where compressed."""
        if self.bytes_total is None:
            return None
        return min(1.0, max(0, self.bytes_read - self.bytes_held) / self.bytes_total)


class Replay:
    """One replay: `open`, then `run`. `stop` may come from a signal handler.

    `on_damage` hears of damaged rows; `progress` of bytes read and in all, ten times a second.
    """

    def __init__(
        self,
        wishes: ReplayOptions,
        choice: RowFilter,
        *,
        clock: Clock,
        bell: Bell,
        on_damage: OnDamage = raise_damage,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        self._wishes = wishes
        self._choice = choice
        self._clock = clock
        self._bell = bell
        self._on_damage = raise_damage if wishes.is_strict else on_damage
        self._progress = progress
        self._inputs = [Input(path, bell=bell) for path in wishes.paths]
        self._opened: list[tuple[RecordingReader, Iterator[RowBlock]]] = []
        self._targets: list[Target] = []
        self._all_targets: tuple[Target, ...] = ()
        self._speed = wishes.speed
        self._pace = Pacer(wishes.speed, skips_idle=wishes.skips_idle) if wishes.speed else None
        self._began_s = clock.now_s()
        self._reported_s = self._began_s
        self._ticks = self._left_out = self._damaged = 0
        self._position = b""
        self._pending_bytes = self._held_bytes = 0
        self._is_stopping = False
        self._failure: OutputError | RecordingError | None = None

    def stop(self) -> None:
        """End soon. Safe in a signal handler."""
        self._is_stopping = True
        self._bell.wake()

    def open(self) -> ReplayStart:
        """Look at how every recording begins. Raises RecordingError for one that is none."""
        forms: list[Form] = []
        modes: list[Mode] = []
        headers: list[bytes] = []
        for source in self._inputs:
            reader, first, runs = self._open_reader(source)
            self._opened.append((reader, runs))
            if first is not None:
                forms.append(reader.form)
                modes.append(reader.form or _mode_of(first))
                headers += [first.text] if first.is_header else []
        is_single = len(self._inputs) == 1 and len(headers) == 1
        return ReplayStart(
            forms[0] if forms else None,
            max(modes, default=Mode.LTP),
            headers[0] if is_single else None,
        )

    def _open_reader(
        self, source: Input
    ) -> tuple[RecordingReader, RowBlock | None, Iterator[RowBlock]]:
        """A reader, what it gave first, and what is to be played: all but a first header."""
        reader = RecordingReader(source, self._damage)
        runs = reader.runs()
        try:
            first = next(runs, None)
        except RecordingError:
            if not self._is_stopping:
                raise
            first = None
        return reader, first, runs if first is None or first.is_header else chain([first], runs)

    def _damage(self, name: str, line_number: int, reason: str) -> None:
        if self._is_stopping:
            return  # a line of standard input that was not waited for
        self._damaged += 1
        self._on_damage(name, line_number, reason)

    def run(self, targets: Sequence[Target]) -> ReplaySnapshot:
        """Play. Raises OutputError, or RecordingError for damage, after all is written."""
        self._targets, self._all_targets = list(targets), tuple(targets)
        self._began_s = self._clock.now_s()
        try:
            for run in self._paced():
                self._write(run)
                if self._is_stopping or self._failure is not None:
                    break
        except RecordingError as error:
            self._failure = self._failure or error
        for target in list(self._targets):
            with self._failing(target):
                target.close()
        if self._failure is not None:
            raise self._failure
        return self.snapshot()

    def _paced(self) -> Iterator[RowBlock]:
        """The runs to play, each given out when it is due."""
        for run in self._counted():
            if self._pace is None or not run.count:
                yield run
            else:
                yield from self._due_parts(run, self._pace)

    def _due_parts(self, run: RowBlock, pace: Pacer) -> Iterator[RowBlock]:
        start, count = 0, run.count
        due_s = [pace.due_s(time) for time in run.times]
        while start < count and not self._is_stopping:
            self._wait_until(self._began_s + due_s[start])
            passed_s = self._clock.now_s() - self._began_s
            end = start + 1
            while end < count and (due_s[end] <= passed_s or due_s[end] == due_s[start]):
                end += 1
            if not self._is_stopping:
                yield run.part(start, end)
            start = end

    def _wait_until(self, due_s: float) -> None:
        if due_s > self._clock.now_s():
            self._flush()
        while not self._is_stopping and (left_s := due_s - self._clock.now_s()) > 0:
            self._bell.wait(left_s)

    def _counted(self) -> Iterator[RowBlock]:
        """The runs that were chosen, up to the count, again and again where that is wanted."""
        left = self._wishes.count
        while True:
            given = 0
            for run in merged([self._chosen(runs) for _, runs in self._opened]):
                part = run if left is None else run.part(0, left)
                given += part.count
                yield part
                if left is not None:
                    left -= part.count
                    if left <= 0:
                        return
            if not (self._wishes.loops and given) or self._is_stopping:
                return
            self._begin_again()

    def _begin_again(self) -> None:
        self._opened = []
        for source in self._inputs:
            source.bytes_read = 0
            reader, _, runs = self._open_reader(source)
            self._opened.append((reader, runs))
        if self._pace is not None:
            self._pace.begin_again()

    def _chosen(self, runs: Iterator[RowBlock]) -> Iterator[RowBlock]:
        for run in runs:
            chosen = run if self._choice.takes_all else self._choice.of(run)
            self._left_out += run.count - chosen.count
            self._held_bytes += len(chosen.text)
            yield chosen

    def _write(self, run: RowBlock) -> None:
        self._ticks += run.count
        self._held_bytes -= len(run.text)
        if run.count:
            self._position = run.last_time
        self._pending_bytes += len(run.text)
        for target in list(self._targets):
            with self._failing(target):
                target.take(run)
        if self._pending_bytes >= _FLUSH_BYTES or len(self._inputs) == 1:
            self._flush()

    def _flush(self) -> None:
        self._pending_bytes = 0
        for target in list(self._targets):
            with self._failing(target):
                target.flush()
        now_s = self._clock.now_s()
        if self._progress is not None and now_s - self._reported_s >= _REPORT_EVERY_S:
            self._reported_s = now_s
            self._progress(*self._bytes())

    @contextmanager
    def _failing(self, target: Target) -> Iterator[None]:
        """A target that fails is out, and the replay ends; a reader that left ends it well."""
        try:
            yield
        except ReaderLeftError:
            self._targets.remove(target)
            self._is_stopping = True
        except OutputError as error:
            self._targets.remove(target)
            self._failure = self._failure or error

    def _bytes(self) -> tuple[int, int | None]:
        sizes = [source.size() for source in self._inputs]
        known = [size for size in sizes if size is not None]
        total = sum(known) if len(known) == len(sizes) else None
        return sum(source.bytes_read for source in self._inputs), total

    def snapshot(self) -> ReplaySnapshot:
        """The replay so far, or at its end."""
        bytes_read, bytes_total = self._bytes()
        outputs = [target.output for target in self._all_targets]
        late = [target.late for target in self._all_targets if isinstance(target, CandleTarget)]
        return ReplaySnapshot(
            recordings=tuple(source.name for source in self._inputs),
            position=self._position.decode(),
            speed=self._speed,
            seconds=self._clock.now_s() - self._began_s,
            ticks=self._ticks,
            read=self._ticks + self._left_out,
            damaged=self._damaged,
            late=max(late, default=0),
            bytes_read=bytes_read,
            bytes_total=bytes_total,
            bytes_held=self._held_bytes,
            outputs=tuple(OutputFigures(o.name, o.rows, o.bytes_written) for o in outputs),
        )


def _mode_of(run: RowBlock) -> Mode:
    """The mode of the first row."""
    return Mode(next(run.recorded()).packet[0])
