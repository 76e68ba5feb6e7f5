"""What an output of ticks is, and several of them as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Generic, NamedTuple, Protocol, TypeVar

from ..errors import OutputError, ReaderLeftError
from ..files.outputs import Output
from ..rows.block import RowBlock


class Sink(Protocol):
    """An opened output. The methods raise OutputError, and ReaderLeftError when its reader left."""

    @property
    def name(self) -> str:
        """What the user called it: the path, or `stdout`."""
        ...

    @property
    def rows(self) -> int:
        """Rows wholly written."""
        ...

    @property
    def bytes_written(self) -> int:
        """Bytes written to the file or pipe (compressed, headers included)."""
        ...

    def flush(self) -> None:
        """Write what was taken."""
        ...

    def close(self) -> None:
        """Flush and close. Closing again, or after a failure, does nothing."""
        ...


class PacketSink(Sink, Protocol):
    """Takes the packets of a stream."""

    def takes(self, packets: int) -> bool:
        """Whether so many packets can be written and flushed now without waiting."""
        ...

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        """Take the packets of one drain, in order (`CsvRows.encode` says which are fit).

        Raises PacketError for a packet that has no row here, before any is taken.
        """
        ...


class BlockSink(Sink, Protocol):
    """Takes the rows of recordings."""

    def write_block(self, block: RowBlock) -> None:
        """Take rows, in order. Raises OutputError for rows that do not fit."""
        ...

    def finish(self) -> None:
        """All rows were given: called before `close`, and not where the rows end early."""
        ...


class TextSink:
    """The part of a sink that its one output has already."""

    def __init__(self, output: Output) -> None:
        self._output = output

    @property
    def name(self) -> str:
        return self._output.name

    @property
    def rows(self) -> int:
        return self._output.rows

    @property
    def bytes_written(self) -> int:
        return self._output.bytes_written

    def flush(self) -> None:
        self._output.flush()

    def finish(self) -> None:
        self._output.finish()

    def close(self) -> None:
        self._output.close()


class OutputFigures(NamedTuple):
    """The state of an output."""

    name: str
    rows: int
    bytes: int


AnySink = TypeVar("AnySink", bound=Sink)


class FanOut(Generic[AnySink]):
    """Several sinks as one.

    Rules
    - A sink that fails is out, and so is one whose reader left; the others are still written.
    - `failure` is the first error. A reader that left is none: `reader_left` is called with the
      output's name, and the run is over (`is_over`) when it was the last one.
    - They are opened all or none (`open_all`). `sinks` are all of them, failed ones included.
    """

    def __init__(
        self, sinks: Iterable[AnySink], *, reader_left: Callable[[str], None] = lambda name: None
    ) -> None:
        self.failure: OutputError | None = None
        self.sinks = tuple(sinks)
        self.working = self.sinks
        """Those that are still written; replaced when one is out, never changed in place."""
        self._reader_left = reader_left

    @property
    def is_over(self) -> bool:
        """Whether there were outputs, and none of them can be written now."""
        return bool(self.sinks) and not self.working

    def each(self, act: Callable[[AnySink], object]) -> None:
        """`act` on every sink that works."""
        for sink in self.working:
            try:
                act(sink)
            except OutputError as error:
                self.failed(sink, error)

    def failed(self, sink: AnySink, error: OutputError) -> None:
        """`sink` raised `error`: it is out."""
        self.working = tuple(each for each in self.working if each is not sink)
        if not isinstance(error, ReaderLeftError):
            self.failure = self.failure or error
        elif self.working:
            self._reader_left(sink.name)

    def flush(self) -> None:
        self.each(lambda sink: sink.flush())

    def close(self) -> None:
        self.each(lambda sink: sink.close())

    def figures(self) -> tuple[OutputFigures, ...]:
        """The state of all, failed ones included."""
        return tuple(OutputFigures(s.name, s.rows, s.bytes_written) for s in self.sinks)


def open_all(openers: Iterable[Callable[[], AnySink]]) -> list[AnySink]:
    """All sinks, or none: those opened before one that fails are closed again.

    Raises what the failing one raises.
    """
    sinks: list[AnySink] = []
    try:
        for opener in openers:
            sinks.append(opener())  # noqa: PERF401  (what is open must be known when one fails)
    except OutputError:
        for sink in sinks:
            with suppress(OutputError):
                sink.close()
        raise
    return sinks
