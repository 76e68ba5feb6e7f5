"""Recordings back to rows and ticks: CSV, JSON lines and either under gzip, told by content.

Rules
- A recording is read as a stream: memory does not grow with the file.
- Every row is checked: a run of rows as we write them at once (scan.py), any other by itself
  (row_readers.py). What is given out is whole and can be read.
- A row without a line end is torn, even if it looks whole: its last number may not be.
- A damaged row is reported and skipped, and reading goes on with the line behind it; an open quote
  swallows no more than its own row.
- A header in the midst (recordings put together with `cat`) counts from there on.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeAlias

from ..errors import RecordingError
from ..rows import scan
from ..rows.block import RowBlock
from ..rows.decode import JsonReader, Recorded, csv_mode, csv_reader
from ..rows.scan import Form
from .inputs import Input, TornInputError

__all__ = ["OnDamage", "Recorded", "RecordingReader", "raise_damage", "read_recording"]

OnDamage: TypeAlias = Callable[[str, int, str], None]
"""Is told of a damaged row: the file, the line number (from 1), what is wrong."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONGEST_LINE = 1 << 16
_LONGEST_ROW_LINES = 16
"""Lines that a quoted cell may bring into one row."""


def raise_damage(name: str, line_number: int, reason: str) -> None:
    """The default for damaged rows: the first one ends the reading."""
    raise RecordingError(f"{name}, line {line_number}: {reason}")


def read_recording(
    path: str | os.PathLike[str], *, on_damage: OnDamage = raise_damage
) -> Iterator[Recorded]:
    """The ticks of a recording, in the file's order, one at a time.

    Raises RecordingError when there is no such file or it is no recording (with what is expected),
    and whatever `on_damage` raises.
    """
    for run in RecordingReader(Input(os.fspath(path)), on_damage).runs():
        yield from run.recorded()


class RecordingReader:
    """Reads one recording once. `form` is known as soon as `runs` gave something."""

    def __init__(self, source: Input, on_damage: OnDamage) -> None:
        self.source = source
        self.form: Form = None
        self._on_damage = on_damage
        self._json_reader = JsonReader()
        self._has_begun = False
        self._line_number = 1
        self._is_in_long_line = False

    def runs(self) -> Iterator[RowBlock]:
        """Its rows and headers, in the file's order. Raises as `read_recording` does."""
        rest, torn = b"", ""
        try:
            for block in self.source.blocks():
                rest += self._behind_long_line(block)
                taken = yield from self._cut(rest, is_last=False)
                rest = self._without_long_line(rest[taken:])
        except TornInputError as error:
            torn = str(error)
        taken = yield from self._cut(rest, is_last=True)
        if torn or taken < len(rest):
            self._damaged(torn or f"a torn last line ({len(rest) - taken} bytes)")
        if not self._has_begun and not Path(self.source.path.removesuffix(".gz")).match("*.jsonl"):
            raise _no_recording(self.source.name, "it is empty")

    def _damaged(self, reason: str) -> None:
        self._on_damage(self.source.name, self._line_number, reason)

    def _behind_long_line(self, block: bytes) -> bytes:
        """What of `block` lies behind the end of a line that is too long."""
        if not self._is_in_long_line:
            return block
        _, line_end, behind = block.partition(b"\n")
        if line_end:
            self._is_in_long_line = False
            self._line_number += 1
        return behind

    def _without_long_line(self, rest: bytes) -> bytes:
        """`rest` without a last line that is too long already."""
        whole = rest.rfind(b"\n") + 1
        if len(rest) - whole > _LONGEST_LINE and whole == 0:
            self._damaged(f"a line over {_LONGEST_LINE:,} bytes")
            self._is_in_long_line = True
            return b""
        return rest

    def _cut(self, text: bytes, *, is_last: bool) -> Generator[RowBlock, None, int]:
        """The runs of the whole rows in `text`, and how many bytes they took."""
        end = text.rfind(b"\n") + 1
        position = 0
        while position < end:
            if not self._has_begun:
                line_end = text.index(b"\n", position) + 1
                position += yield from self._begin(text[position:line_end])
                continue
            whole = scan.whole_rows(self.form).match(text, position, end)
            run_end = whole.end() if whole else position
            if run_end > position:
                run = RowBlock(self.form, text[position:run_end])
                self._line_number += run.count
                yield run
                position = run_end
                continue
            row_end = self._row_end(text, position, end, is_last=is_last)
            if row_end is None:
                return position
            position += yield from self._read_row(text[position:row_end])
        return position

    def _begin(self, first: bytes) -> Generator[RowBlock, None, int]:
        """What a recording begins with: a header is taken, a JSON line only looked at."""
        self._has_begun = True
        if first.startswith(b"{"):
            return 0
        try:
            self.form = csv_mode(_cells(first.removeprefix(_BYTE_ORDER_MARK)))
        except RecordingError as error:
            raise _no_recording(self.source.name, str(error)) from error
        self._line_number += 1
        yield RowBlock(self.form, first, is_header=True)
        return len(first)

    def _row_end(self, text: bytes, start: int, end: int, *, is_last: bool) -> int | None:
        """Where the row at `start` ends, which quotes may take over several lines.

        None: not in this text. Quotes that do not end make a row of the first line.
        """
        first_end = line_end = text.index(b"\n", start) + 1
        for _ in range(_LONGEST_ROW_LINES):
            if self.form is None or text.count(b'"', start, line_end) % 2 == 0:
                return line_end
            if line_end == end:
                return first_end if is_last else None
            line_end = text.index(b"\n", line_end) + 1
        return first_end

    def _read_row(self, row: bytes) -> Generator[RowBlock, None, int]:
        """A row that is not as we write it; the bytes taken are its first line if it is damaged."""
        try:
            run = self._odd_run(row)
        except RecordingError as error:
            self._damaged(str(error))
            self._line_number += 1
            return row.index(b"\n") + 1
        self._line_number += row.count(b"\n")
        yield run
        return len(row)

    def _odd_run(self, row: bytes) -> RowBlock:
        if len(row) > _LONGEST_LINE * _LONGEST_ROW_LINES or row.find(b"\n") > _LONGEST_LINE:
            raise RecordingError(f"a line over {_LONGEST_LINE:,} bytes")
        if self.form is None:
            return RowBlock(None, row, read=self._json_reader.read(row))
        cells = _cells(row)
        if cells[0] == "received_at":
            self.form = csv_mode(cells)
            return RowBlock(self.form, row, is_header=True)
        return RowBlock(self.form, row, read=csv_reader(self.form).read(cells))


def _no_recording(name: str, reason: str) -> RecordingError:
    return RecordingError(
        f"{name} is no recording: {reason}",
        remedy="a CSV recording begins with a header received_at,exchange_time,exchange,symbol,..."
        " and a line of a JSON one with a received_at",
    )


def _cells(line: bytes) -> list[str]:
    """The cells of a row. Bytes that are no UTF-8 are kept for the reader to find."""
    text = line.decode(errors="surrogateescape").removesuffix("\n").removesuffix("\r")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise RecordingError(f"quotes do not match ({error})") from error
