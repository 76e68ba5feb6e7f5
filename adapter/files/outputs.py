"""Text into a file, a pipe or a terminal: appended, flushed in one call, rotated, closed.

Rules
- `take` keeps text, `flush` hands it to the system in one call: no row waits longer.
- `rows` counts rows that are wholly written. When a write fails (a full disk), what it wrote of a
  row is taken back, the file is closed, and the output stays failed.
- A path with `%`-fields names a file by the Indian time of the rows in it; when the name changes,
  the old file is finished before the new one is begun, each with a header.
- A file that is being read is never written.
- A terminal gets no control character: the text of a recording may be from anywhere. Pipes and
  files get every byte.
- A file that is removed, renamed or truncated while it is written (logrotate) is begun again
  under its name, with a header, before the next rows; that is reported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from ..clock import ist_time
from ..errors import OutputError
from ..rows.format import JsonLines, RowFormat
from ..rows.view import CsvView
from .append import (
    STDOUT_FD,
    FileOutput,
    PartlyWrittenError,
    check_apart,
    check_folder,
    check_still_file,
    empty,
    make_folder_of,
    open_locked,
    output_error,
    repair,
    restore_header,
)
from .gzipped import GzipOutput, repair_gzip
from .parquet import ParquetOutput

Note: TypeAlias = Callable[[str], None]
"""Is called with a sentence about what was repaired or rotated."""
Rotated: TypeAlias = Callable[[str, int, str], None]
"""Is called at a rotation: the file that is complete, its rows, and the next file."""
Appended: TypeAlias = Callable[[str], None]
"""Is called with the name of a file that holds rows already, before any is added."""


_Writer: TypeAlias = FileOutput | GzipOutput
_OBEYED = re.compile(rb"[\0-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
"""Control characters of ASCII, but for tab and line end, and those of Latin-1 as UTF-8."""


class _File:
    """A file by its name: how it is opened, and opened again when something changed it."""

    def __init__(self, path: str, row_format: RowFormat, note: Note, *, syncs: bool) -> None:
        self._path = path
        self._format = row_format
        self._note = note
        self._syncs = syncs

    def open(self, change: str) -> tuple[_Writer, bool]:
        """What writes to it, and whether it is new, so that it needs a header.

        `change`: "replaced" where what it holds is to go, else what `FileOutput.change` said.
        Raises OutputError.
        """
        path, is_gzip = self._path, self._path.endswith(".gz")
        if change not in ("", "replaced"):
            check_still_file(path)
        fd = open_locked(path, self._note)
        try:
            if change == "replaced":
                empty(fd)
            elif change == "truncated" and not is_gzip:
                restore_header(fd, self._format.header)
            is_new = (repair_gzip if is_gzip else repair)(fd, path, self._format, self._note)
        except (OSError, OutputError) as error:
            os.close(fd)
            raise output_error(path, error) if isinstance(error, OSError) else error from error
        file = FileOutput(fd, path, syncs=self._syncs)
        return (GzipOutput(file) if is_gzip else file), is_new

    def report(self, change: str, *, goes_on: bool = True) -> None:
        """Report what happened to it, and what is done about it."""
        what_now = "; it is begun again, and the rows go on there" if goes_on else ""
        self._note(f"{self._path} was {change} while it was being written{what_now}")


class TextOutput:
    """One file, pipe or terminal.

    `name`: the path, or `stdout`. The methods raise OutputError, and ReaderLeftError when the
    reader of a pipe left.
    """

    is_rotating = False

    def __init__(
        self,
        name: str,
        row_format: RowFormat,
        writer: _Writer,
        *,
        file: _File | None = None,
    ) -> None:
        self.name = name
        self.rows = 0
        self._format = row_format
        self._file = file
        self._finished_bytes = 0
        self._writer = writer
        self._taken: list[bytes] = []
        self._taken_rows = 0
        self._is_open = True
        self._failure: OutputError | None = None

    @property
    def bytes_written(self) -> int:
        """Bytes written to the file or pipe (compressed, headers included)."""
        return self._finished_bytes + self._writer.bytes_written

    def write_header(self) -> None:
        """What a new file begins with."""
        self._put(self._format.header, 0)

    def takes(self, size: int) -> bool:
        """Whether text of so many bytes can be flushed now without waiting."""
        return self._writer.takes(size)

    def begin(self, received_ns: int) -> None:
        """Open the file of that time, where it is not this one."""

    def take_back(self, surplus: int) -> None:
        """Remove so many bytes that the file ended with before this run. Not of a compressed one.

        Before any row is taken: what is removed is to be written again with the next flush.
        """
        self._writer.cut(surplus)
        self._finished_bytes += surplus  # they were not of this run

    def take(self, text: bytes, rows: int, received_ns: int) -> None:
        """Keep the text of `rows` whole rows, the first of which was received then."""
        self._taken.append(text)
        self._taken_rows += rows

    def flush(self) -> None:
        """Write what was taken."""
        if self._failure is not None:
            raise self._failure
        if self._taken:
            text = self._taken[0] if len(self._taken) == 1 else b"".join(self._taken)
            rows = self._taken_rows
            self._taken, self._taken_rows = [], 0
            if self._file is not None and (change := self._writer.change()):
                self._begin_again(self._file, change)
            self._put(text, rows)

    def finish(self) -> None:
        """All rows are there. A text is whole after every flush: nothing to do."""

    def close(self) -> None:
        """Flush and close. Closing again, or after a failure, does nothing."""
        if self._is_open and self._failure is None:
            self.flush()
            if self._file is not None and (change := self._writer.change(is_last=True)):
                self._file.report(change, goes_on=False)
            self._close_writer()

    def _begin_again(self, file: _File, change: str) -> None:
        """Let go of a file that was changed, and open what its name means now."""
        with suppress(OSError):  # what is gone cannot be written to its end
            self._writer.close()
        self._finished_bytes += self._writer.bytes_written
        try:
            self._writer, is_new = file.open(change)
        except OutputError as error:
            file.report(change, goes_on=False)
            self._failure = error
            raise
        file.report(change)
        if is_new:
            self.write_header()

    def _put(self, text: bytes, rows: int) -> None:
        if self._writer.is_terminal:
            text = _OBEYED.sub(b"?", text)
        try:
            self._writer.write(text)
        except PartlyWrittenError as error:
            whole_rows, whole_bytes = self._format.whole_rows(text[: error.written])
            self._writer.cut(error.written - whole_bytes)
            self.rows += min(rows, whole_rows)
            self._failure = output_error(self.name, error)
            with suppress(OutputError):
                self._close_writer()
            raise self._failure from error
        self.rows += rows

    def _close_writer(self) -> None:
        self._is_open = False
        try:
            self._writer.close()
        except OSError as error:
            raise output_error(self.name, error) from error


class ViewOutput(TextOutput):
    """Standard output that shows some columns of the rows it is given.

    Raises ReaderLeftError when its reader has left.
    """

    def __init__(self, view: CsvView) -> None:
        super().__init__("stdout", view, FileOutput(STDOUT_FD))
        self._view = view
        self.write_header()

    def take(self, text: bytes, rows: int, received_ns: int) -> None:
        super().take(self._view.cut(text), rows, received_ns)


class RotatingOutput:
    """Files named by the Indian time of their rows; the first rows open the first.

    `open_file` opens one by its name; folders whose names have fields are made. The methods are
    those of `TextOutput`.
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

    def takes(self, size: int) -> bool:
        return self._current is None or self._current.takes(size)

    def begin(self, received_ns: int) -> None:
        """Open the file of that time, where it is not open."""
        self._file_at(received_ns)

    def take_back(self, surplus: int) -> None:
        if self._current is not None:
            self._current.take_back(surplus)

    def take(self, text: bytes, rows: int, received_ns: int) -> None:
        self._file_at(received_ns).take(text, rows, received_ns)

    def flush(self) -> None:
        if self._current is not None:
            self._current.flush()

    def finish(self) -> None:
        """As in `TextOutput`."""

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


TextOutputs: TypeAlias = TextOutput | RotatingOutput
"""Where text goes, and stays readable from flush to flush."""
Output: TypeAlias = TextOutputs | ParquetOutput
"""Where the text of rows goes."""


def open_output(
    path: str,
    row_format: RowFormat,
    *,
    note: Note,
    rotated: Rotated | None = None,
    overwrite: bool = False,
    fsync: bool = False,
    inputs: Sequence[str] = (),
    appended: Appended = lambda path: None,
) -> TextOutputs:
    """An output for rows of `row_format`.

    `path`: `-` is standard output, `.gz` at its end compresses, `%`-fields rotate (strftime, IST).
    An existing file of the same format is appended to, or replaced if `overwrite`. `fsync`: a
    flush returns when the rows are on the disk. `inputs` are files that are being read. Without
    `rotated` a rotation is reported to `note`.
    Raises OutputError when it cannot be written, is in use, or holds something else, and
    ReaderLeftError when the reader of standard output has left.
    """
    if path == "-":
        output = TextOutput("stdout", row_format, FileOutput(STDOUT_FD))
        output.write_header()
        return output
    replaced: set[str] = set()

    def opened(name: str) -> TextOutput:
        check_apart(name, inputs)
        replaces = overwrite and name not in replaced  # a clock may go back to an earlier file
        replaced.add(name)
        output, is_new = _open_file(name, row_format, note, replaces=replaces, fsync=fsync)
        if not is_new:
            appended(name)
        return output

    if "%" in path:
        return RotatingOutput(path, opened, rotated or partial(_note_rotation, note))
    return opened(path)


def _note_rotation(note: Note, finished: str, rows: int, next_path: str) -> None:
    note(f"{finished} is complete ({rows:,} rows), now {next_path}")


def open_event_file(path: str, *, note: Note) -> Output:
    """An output for the lines of a stream's history: checked, repaired, locked and watched like a
    recording, and named by a pattern where `path` has `%`-fields. `take` gets each line's time.

    Raises OutputError.
    """
    return open_output(path, JsonLines(b'{"at":'), note=note)


def _open_file(
    path: str, row_format: RowFormat, note: Note, *, replaces: bool, fsync: bool
) -> tuple[TextOutput, bool]:
    """The output, and whether the file is new."""
    file = _File(path, row_format, note, syncs=fsync)
    writer, is_new = file.open("replaced" if replaces else "")
    output = TextOutput(path, row_format, writer, file=file)
    if is_new:
        output.write_header()
    return output, is_new
