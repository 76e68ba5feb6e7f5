"""Recordings back to ticks: `.csv`, `.jsonl` and either under `.gz`, told apart by content.

Rules
- A recording is read as a stream: memory does not grow with the file.
- A row without a line end is torn, even if it looks whole: its last number may not be.
- A damaged row is reported and skipped, and reading goes on with the line behind it; an open quote
  swallows no more than its own row.
- A header in the midst (recordings put together with `cat`) counts from there on.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import TypeAlias

from ..errors import RecordingError
from .row_readers import CsvReader, JsonReader, Recorded

__all__ = ["OnDamage", "Recorded", "raise_damage", "read_recording"]

OnDamage: TypeAlias = Callable[[Path, int, str], None]
"""Is told of a damaged row: the file, the line number (from 1), what is wrong."""

_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_LINE = 1 << 16
_LONGEST_ROW_LINES = 16
"""Lines that a quoted cell may bring into one row."""


def raise_damage(path: Path, line_number: int, reason: str) -> None:
    """The default for damaged rows: the first one ends the reading."""
    raise RecordingError(f"{path}, line {line_number}: {reason}")


def read_recording(path: str | Path, *, on_damage: OnDamage = raise_damage) -> Iterator[Recorded]:
    """The ticks of a recording, in the file's order, one at a time.

    Raises RecordingError when there is no such file or it is no recording (with what is expected),
    and whatever `on_damage` raises.
    """
    path = Path(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        if file.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC):
            with gzip.open(file) as content:
                yield from _read(_Lines(content, path, on_damage))
        else:
            yield from _read(_Lines(file, path, on_damage))


class _Lines:
    """The whole lines of a file, with their numbers; lines can be handed back."""

    def __init__(self, content: BufferedIOBase, path: Path, on_damage: OnDamage) -> None:
        self.path = path
        self.number = 0
        self._content = content
        self._on_damage = on_damage
        self._returned: deque[bytes] = deque()
        self._is_at_end = False

    def next(self) -> bytes | None:
        """The next line with its line end, or None at the end. A torn last line is damage."""
        if self._returned:
            self.number += 1
            return self._returned.popleft()
        line = self._read_line()
        while line and not line.endswith(b"\n"):
            if len(line) < _LONGEST_LINE:
                self.damaged(self.number, f"a torn last line ({len(line)} bytes)")
                return None
            self.damaged(self.number, f"a line over {_LONGEST_LINE:,} bytes")
            while len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
                line = self._read()
            line = self._read_line()
        return line or None

    def give_back(self, lines: list[bytes]) -> None:
        self._returned.extendleft(reversed(lines))
        self.number -= len(lines)

    def damaged(self, number: int, reason: str) -> None:
        self._on_damage(self.path, number, reason)

    def _read_line(self) -> bytes:
        self.number += 1
        return self._read()

    def _read(self) -> bytes:
        if self._is_at_end:
            return b""
        try:
            return self._content.readline(_LONGEST_LINE)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self._is_at_end = True
            self.damaged(self.number, f"the compressed file is torn ({error})")
            return b""
        except OSError as error:
            raise _unreadable(self.path, error) from error


def _unreadable(path: Path, error: OSError) -> RecordingError:
    return RecordingError(f"{path} cannot be read: {error.strerror or error}")


def _read(lines: _Lines) -> Iterator[Recorded]:
    first = lines.next()
    if first is None:
        if lines.path.name.removesuffix(".gz").endswith(".jsonl"):
            return
        raise _no_recording(lines.path, "it is empty")
    if first.startswith(b"{"):
        lines.give_back([first])
        yield from _read_json(lines)
        return
    try:
        reader = CsvReader(_cells(first.removeprefix(_BYTE_ORDER_MARK)))
    except RecordingError as error:
        raise _no_recording(lines.path, str(error)) from error
    yield from _read_csv(lines, reader)


def _no_recording(path: Path, reason: str) -> RecordingError:
    return RecordingError(
        f"{path} is no recording: {reason}",
        remedy="a CSV recording begins with a header received_at,exchange_time,exchange,symbol,..."
        " and a line of a JSON one with a received_at",
    )


def _read_json(lines: _Lines) -> Iterator[Recorded]:
    reader = JsonReader()
    while (line := lines.next()) is not None:
        try:
            yield reader.read(line)
        except RecordingError as error:
            lines.damaged(lines.number, str(error))


def _read_csv(lines: _Lines, reader: CsvReader) -> Iterator[Recorded]:
    while (line := lines.next()) is not None:
        number = lines.number
        joined: list[bytes] = []
        while line.count(b'"') % 2 and len(joined) < _LONGEST_ROW_LINES:
            further = lines.next()
            if further is None:
                break
            joined.append(further)
            line += further
        try:
            cells = _cells(line)
            if cells[0] == "received_at":
                reader = CsvReader(cells)
            else:
                yield reader.read(cells)
        except RecordingError as error:
            lines.damaged(number, str(error))
            lines.give_back(joined)


def _cells(line: bytes) -> list[str]:
    """The cells of a row. Bytes that are no UTF-8 are kept for the reader to find."""
    text = line.decode(errors="surrogateescape").removesuffix("\n").removesuffix("\r")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise RecordingError(f"quotes do not match ({error})") from error
