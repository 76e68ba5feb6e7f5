"""Where ticks go: a file, a pipe or a terminal, as CSV or JSON lines.

Rules
- `write` makes text, `flush` hands it to the system in one call: no tick waits longer.
- `rows` counts rows that are wholly written. When a write fails (a full disk), what it wrote of a
  row is taken back, the file is let go, and the sink stays failed.
- A path with `%`-fields names a file by the Indian time of the ticks in it; when the name changes,
  the old file is finished before the new one is begun, each with a header.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, TypeAlias

from ..clock import ist_time
from ..errors import OutputError
from ..instrument import InstrumentKey
from ..tick import Mode
from .files import (
    STDOUT_FD,
    FileOutput,
    PartlyWrittenError,
    check_folder,
    empty,
    make_folder_of,
    mend,
    open_locked,
    output_error,
)
from .gzipped import GzipOutput, mend_gzip
from .rows import CsvRows, JsonRows

Note: TypeAlias = Callable[[str], None]


class Sink(Protocol):
    """Takes the packets of drains, in order.

    `write` raises PacketError for a packet that has no row here; the others OutputError, and
    ReaderLeftError when the reader of a pipe left.
    """

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
        """Bytes in the file or pipe, as they lie there (compressed, headers included)."""
        ...

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        """Take the packets of one drain (`rows.CsvRows.encode` says which are fit)."""
        ...

    def flush(self) -> None:
        """Write what was taken."""
        ...

    def close(self) -> None:
        """Flush and let go. Closing again, or after a failure, does nothing."""
        ...


class _Output(Protocol):
    """What rows are written to: `FileOutput`, `GzipOutput`."""

    @property
    def bytes_written(self) -> int: ...
    def write(self, data: bytes) -> None: ...
    def cut(self, surplus: int) -> None: ...
    def close(self) -> None: ...


class RowSink:
    """Rows into one output."""

    def __init__(self, name: str, rows: CsvRows | JsonRows, output: _Output) -> None:
        self.name = name
        self.rows = 0
        self._encoder = rows
        self._output = output
        self._taken: list[bytes] = []
        self._taken_rows = 0
        self._is_open = True
        self._failure: OutputError | None = None

    @property
    def bytes_written(self) -> int:
        return self._output.bytes_written

    def write_header(self) -> None:
        """What a new file begins with."""
        self._put(self._encoder.header, 0)

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        self._taken.append(self._encoder.encode(received_ns, packets))
        self._taken_rows += len(packets)

    def flush(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._taken:
            text, rows = b"".join(self._taken), self._taken_rows
            self._taken, self._taken_rows = [], 0
            self._put(text, rows)

    def close(self) -> None:
        if self._is_open and self._failure is None:
            self.flush()
            self._let_go()

    def _put(self, text: bytes, rows: int) -> None:
        try:
            self._output.write(text)
        except PartlyWrittenError as error:
            whole_rows, whole_bytes = self._encoder.whole_rows(text[: error.written])
            self._output.cut(error.written - whole_bytes)
            self.rows += min(rows, whole_rows)
            self._failure = output_error(self.name, error)
            with suppress(OutputError):
                self._let_go()
            raise self._failure from error
        self.rows += rows

    def _let_go(self) -> None:
        self._is_open = False
        try:
            self._output.close()
        except OSError as error:
            raise output_error(self.name, error) from error


class RotatingSink:
    """Rows into files named by the Indian time of their drains; the first drain opens the first.

    `open_file` opens one by its name; folders whose names have fields are made.
    """

    def __init__(self, pattern: str, open_file: Callable[[str], RowSink], note: Note) -> None:
        check_folder(pattern.partition("%")[0])
        self.name = pattern
        self._open_file = open_file
        self._note = note
        self._current: RowSink | None = None
        self._current_second = 0
        self._finished_rows = 0
        self._finished_bytes = 0

    @property
    def rows(self) -> int:
        return self._finished_rows + (self._current.rows if self._current else 0)

    @property
    def bytes_written(self) -> int:
        return self._finished_bytes + (self._current.bytes_written if self._current else 0)

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        self._file_at(received_ns).write(received_ns, packets)

    def flush(self) -> None:
        if self._current is not None:
            self._current.flush()

    def close(self) -> None:
        if self._current is not None:
            self._current.close()

    def _file_at(self, received_ns: int) -> RowSink:
        second = received_ns // 1_000_000_000
        if self._current is not None and second == self._current_second:
            return self._current
        path = ist_time(received_ns).strftime(self.name)
        if self._current is None or path != self._current.name:
            self._finish(path)
            if "%" in os.path.dirname(self.name):
                make_folder_of(path)
            self._current = self._open_file(path)
        self._current_second = second
        return self._current

    def _finish(self, next_path: str) -> None:
        finished = self._current
        if finished is not None:
            finished.close()
            self._current = None
            self._finished_rows += finished.rows
            self._finished_bytes += finished.bytes_written
            self._note(f"{finished.name} is complete ({finished.rows:,} rows), now {next_path}")


def open_sink(
    path: str,
    rows_format: str,
    *,
    mode: Mode,
    symbols: Mapping[InstrumentKey, str],
    note: Note,
    overwrite: bool = False,
    fsync: bool = False,
) -> Sink:
    """A sink for `csv` or `jsonl` rows of up to `mode`.

    `path`: `-` is standard output, `.gz` at its end compresses, `%`-fields rotate (strftime, IST).
    An existing recording of the same kind is appended to, or replaced if `overwrite`. `symbols`
    may grow. `note` is told in words what was mended or rotated. `fsync`: a flush returns when
    the rows are on the disk.
    Raises OutputError when it cannot be written, is in use, or holds something else, and
    ReaderLeftError when nobody reads standard output any more.
    """
    formats: dict[str, Callable[[], CsvRows | JsonRows]] = {
        "csv": lambda: CsvRows(mode, symbols),
        "jsonl": lambda: JsonRows(symbols),
    }
    make_rows = formats[rows_format]
    if path == "-":
        sink = RowSink("stdout", make_rows(), FileOutput(STDOUT_FD))
        sink.write_header()
        return sink
    replaced: set[str] = set()

    def opened(name: str) -> RowSink:
        replaces = overwrite and name not in replaced  # a clock may go back to an earlier file
        replaced.add(name)
        return _open_file(name, make_rows(), note, replaces=replaces, fsync=fsync)

    return RotatingSink(path, opened, note) if "%" in path else opened(path)


def _open_file(
    path: str, rows: CsvRows | JsonRows, note: Note, *, replaces: bool, fsync: bool
) -> RowSink:
    is_gzip = path.endswith(".gz")
    fd = open_locked(path)
    try:
        if replaces:
            empty(fd)
        is_new = (mend_gzip if is_gzip else mend)(fd, path, rows.header, note)
    except (OSError, OutputError) as error:
        os.close(fd)
        raise output_error(path, error) if isinstance(error, OSError) else error from error
    file = FileOutput(fd, syncs=fsync)
    sink = RowSink(path, rows, GzipOutput(file) if is_gzip else file)
    if is_new:
        sink.write_header()
    return sink
