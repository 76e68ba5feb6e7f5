"""Text into a file, a pipe or a terminal: appended, flushed in one call, rotated, let go.

Rules
- `take` keeps text, `flush` hands it to the system in one call: no row waits longer.
- `rows` counts rows that are wholly written. When a write fails (a full disk), what it wrote of a
  row is taken back, the file is let go, and the output stays failed.
- A path with `%`-fields names a file by the Indian time of the rows in it; when the name changes,
  the old file is finished before the new one is begun, each with a header.
- A file that is being read is never written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeAlias

from ..clock import ist_time
from ..errors import OutputError
from ..rows.format import RowFormat
from .append import (
    STDOUT_FD,
    FileOutput,
    PartlyWrittenError,
    check_folder,
    empty,
    make_folder_of,
    open_locked,
    output_error,
    repair,
)
from .gzipped import GzipOutput, mend_gzip

Note: TypeAlias = Callable[[str], None]
"""Is told in words what was mended or rotated."""
Rotated: TypeAlias = Callable[[str, int, str], None]
"""Is told of a rotation: the file that is complete, its rows, and the next file."""


class Output(Protocol):
    """Where the text of rows goes. The methods raise OutputError, and ReaderLeftError when the
    reader of a pipe left."""

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

    @property
    def is_rotating(self) -> bool:
        """Whether the time that `take` is told decides on the file."""
        ...

    def take(self, text: bytes, rows: int, received_ns: int) -> None:
        """Keep the text of so many whole rows, the first of which was received then."""
        ...

    def flush(self) -> None:
        """Write what was taken."""
        ...

    def close(self) -> None:
        """Flush and let go. Closing again, or after a failure, does nothing."""
        ...


class _Writer(Protocol):
    """What bytes are written to: `FileOutput`, `GzipOutput`."""

    @property
    def bytes_written(self) -> int: ...
    def write(self, data: bytes) -> None: ...
    def cut(self, surplus: int) -> None: ...
    def close(self) -> None: ...


class TextOutput:
    """One file, pipe or terminal."""

    is_rotating = False

    def __init__(self, name: str, kind: RowFormat, writer: _Writer) -> None:
        self.name = name
        self.rows = 0
        self._kind = kind
        self._writer = writer
        self._taken: list[bytes] = []
        self._taken_rows = 0
        self._is_open = True
        self._failure: OutputError | None = None

    @property
    def bytes_written(self) -> int:
        return self._writer.bytes_written

    def write_header(self) -> None:
        """What a new file begins with."""
        self._put(self._kind.header, 0)

    def take(self, text: bytes, rows: int, received_ns: int) -> None:
        self._taken.append(text)
        self._taken_rows += rows

    def flush(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._taken:
            text = self._taken[0] if len(self._taken) == 1 else b"".join(self._taken)
            rows = self._taken_rows
            self._taken, self._taken_rows = [], 0
            self._put(text, rows)

    def close(self) -> None:
        if self._is_open and self._failure is None:
            self.flush()
            self._let_go()

    def _put(self, text: bytes, rows: int) -> None:
        try:
            self._writer.write(text)
        except PartlyWrittenError as error:
            whole_rows, whole_bytes = self._kind.whole_rows(text[: error.written])
            self._writer.cut(error.written - whole_bytes)
            self.rows += min(rows, whole_rows)
            self._failure = output_error(self.name, error)
            with suppress(OutputError):
                self._let_go()
            raise self._failure from error
        self.rows += rows

    def _let_go(self) -> None:
        self._is_open = False
        try:
            self._writer.close()
        except OSError as error:
            raise output_error(self.name, error) from error


class RotatingOutput:
    """Files named by the Indian time of their rows; the first rows open the first.

    `open_file` opens one by its name; folders whose names have fields are made.
    """

    is_rotating = True

    def __init__(
        self, pattern: str, open_file: Callable[[str], TextOutput], rotated: Rotated
    ) -> None:
        check_folder(pattern.partition("%")[0])
        self.name = pattern
        self._open_file = open_file
        self._rotated = rotated
        self._current: TextOutput | None = None
        self._current_second = 0
        self._finished_rows = 0
        self._finished_bytes = 0

    @property
    def rows(self) -> int:
        return self._finished_rows + (self._current.rows if self._current else 0)

    @property
    def bytes_written(self) -> int:
        return self._finished_bytes + (self._current.bytes_written if self._current else 0)

    def take(self, text: bytes, rows: int, received_ns: int) -> None:
        self._file_at(received_ns).take(text, rows, received_ns)

    def flush(self) -> None:
        if self._current is not None:
            self._current.flush()

    def close(self) -> None:
        if self._current is not None:
            self._current.close()

    def _file_at(self, received_ns: int) -> TextOutput:
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
            self._rotated(finished.name, finished.rows, next_path)


def open_output(
    path: str,
    kind: RowFormat,
    *,
    note: Note,
    rotated: Rotated | None = None,
    overwrite: bool = False,
    fsync: bool = False,
    inputs: Sequence[str] = (),
) -> Output:
    """An output for rows of `kind`.

    `path`: `-` is standard output, `.gz` at its end compresses, `%`-fields rotate (strftime, IST).
    An existing file of the same kind is appended to, or replaced if `overwrite`. `fsync`: a flush
    returns when the rows are on the disk. `inputs` are files that are being read. Without
    `rotated` a rotation is told to `note`.
    Raises OutputError when it cannot be written, is in use, or holds something else, and
    ReaderLeftError when nobody reads standard output any more.
    """
    if path == "-":
        output = TextOutput("stdout", kind, FileOutput(STDOUT_FD))
        output.write_header()
        return output
    replaced: set[str] = set()

    def opened(name: str) -> TextOutput:
        _check_apart(name, inputs)
        replaces = overwrite and name not in replaced  # a clock may go back to an earlier file
        replaced.add(name)
        return _open_file(name, kind, note, replaces=replaces, fsync=fsync)

    if "%" in path:
        return RotatingOutput(path, opened, rotated or partial(_note_rotation, note))
    return opened(path)


def _note_rotation(note: Note, finished: str, rows: int, next_path: str) -> None:
    note(f"{finished} is complete ({rows:,} rows), now {next_path}")


def _check_apart(path: str, inputs: Sequence[str]) -> None:
    if os.path.isfile(path) and any(
        os.path.isfile(other) and os.path.samefile(path, other) for other in inputs
    ):
        raise OutputError(f"{path} is being read", remedy="write to another file")


def _open_file(
    path: str, kind: RowFormat, note: Note, *, replaces: bool, fsync: bool
) -> TextOutput:
    is_gzip = path.endswith(".gz")
    fd = open_locked(path)
    try:
        if replaces:
            empty(fd)
        is_new = (mend_gzip if is_gzip else repair)(fd, path, kind, note)
    except (OSError, OutputError) as error:
        os.close(fd)
        raise output_error(path, error) if isinstance(error, OSError) else error from error
    file = FileOutput(fd, syncs=fsync)
    output = TextOutput(path, kind, GzipOutput(file) if is_gzip else file)
    if is_new:
        output.write_header()
    return output
