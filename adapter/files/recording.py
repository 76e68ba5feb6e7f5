"""Recordings back to rows and ticks: CSV, JSON lines, either under gzip, Parquet; by content.

Rules
- A recording is read as a stream: memory does not grow with the file, nor time faster than it.
- Every row is checked: a block of rows as we write them at once (scan.py), any other by itself
  (decode.py). What is given out is whole and can be read.
- A row without a line end is torn, even if it looks whole: its last number may not be.
- A row takes up at most `LONGEST_ROW` bytes, whatever quotes it opens: a quote that never closes
  costs the line that it is in.
- A damaged row is reported and skipped, and reading goes on with the next line. A blank line
  is not a row.
- Recordings may be joined (`cat a.csv b.csv`): a header, or a JSON line, counts from there on, also
  one that follows a torn last line.
- A byte order mark and CRLF (a recording that passed through Windows) are read and not passed on:
  the output has neither.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

from ..errors import RecordingError
from ..rows.block import RecordedBlock, RowBlock
from ..rows.decode import Recorded, csv_cells, csv_mode
from ..rows.format import Csv, Jsonl, TickFormat
from ..tick import Tick
from ..wire.packet import decode_packet
from .inputs import Input, OnDamage, TornInputError
from .parquet_reader import PARQUET_MAGIC, ParquetReader

__all__ = [
    "OnDamage",
    "Recorded",
    "RecordingReader",
    "open_recording",
    "raise_damage",
    "read_recording",
    "read_ticks",
    "without_rows",
]

LONGEST_ROW = 1 << 16
"""Bytes of the longest row, with the line ends in its quoted cells. Real rows have under 1,000."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK_LINES = re.compile(rb"(?:[ \t]*\r?\n)+")
_HEADER_STARTS = (b"received_at,", b'"received_at",')
_STARTS = (b"received_at,exchange_time,", b'{"received_at":')
"""What a recording begins with, and so does a recording that was joined to another."""


def raise_damage(name: str, line_number: int, reason: str) -> None:
    """The default for damaged rows: the first one ends the reading."""
    raise RecordingError(
        f"{name}, line {line_number}: {reason}",
        kind="damaged-row",
        name=name,
        line=line_number,
        reason=reason,
    )


def without_rows(name: str) -> RecordingError:
    """The error of a recording that was read to its end, and had no good row."""
    return RecordingError(
        f"{name} has no row that can be read", kind="recording-without-rows", name=name
    )


def read_recording(
    path: str | os.PathLike[str], *, on_damage: OnDamage = raise_damage
) -> Iterator[Recorded]:
    """The rows of a recording as packets, in the file's order, one at a time.

    Raises RecordingError when there is no such file or it is not a recording, and whatever
    `on_damage` raises.
    """
    for block in open_recording(Input(os.fspath(path)), on_damage).blocks():
        yield from block.recorded()


def read_ticks(
    path: str | os.PathLike[str], *, on_damage: OnDamage = raise_damage
) -> Iterator[Tick]:
    """The ticks of a recording (CSV or JSON lines, also compressed; Parquet), in the file's order.

    `on_damage` is called for damaged rows, which are then skipped; without it the first one raises.
    Raises RecordingError when there is no such file or it is not a recording.
    """
    for received_ns, symbol, packet in read_recording(path, on_damage=on_damage):
        yield decode_packet(packet, received_ns=received_ns, symbol=symbol)


def open_recording(source: Input, on_damage: OnDamage) -> RecordingReader | ParquetReader:
    """The reader of a recording, whatever it is. Raises RecordingError when it cannot be read."""
    if source.starts_with(PARQUET_MAGIC):
        return ParquetReader(source, on_damage)
    return RecordingReader(source, on_damage)


class RecordingReader:
    """Reads one recording once.

    `format`: of the rows read last; known as soon as `blocks` gave something. `rows`: good ones.
    """

    def __init__(self, source: Input, on_damage: OnDamage) -> None:
        self.source = source
        self.format: TickFormat = Jsonl()
        self.rows = 0
        self._on_damage = on_damage
        self._has_begun = False
        self._line_number = 1
        self._is_in_long_line = False

    def blocks(self) -> Iterator[RowBlock]:
        """Its rows in the file's order; an empty block for a first header, before any row is there.

        Raises as `read_recording` does.
        """
        rest, torn = b"", ""
        try:
            for text in self.source.blocks():
                rest += self._without_long_line(text)
                taken = yield from self._cut(rest, is_last=False)
                rest = self._begin_long_line(rest[taken:])
        except TornInputError as error:
            torn = str(error)
        taken = yield from self._cut(rest, is_last=True)
        is_torn = bool(torn) or taken < len(rest)
        if is_torn:
            self._report_damage(torn or f"a torn last line ({len(rest) - taken} bytes)")
        if not self._has_begun and not Path(self.source.path.removesuffix(".gz")).match("*.jsonl"):
            reason = "it has no whole line" if is_torn else "it is empty"
            raise _not_a_recording(self.source.name, reason)

    def _report_damage(self, reason: str) -> None:
        self._on_damage(self.source.name, self._line_number, reason)

    def _without_long_line(self, text: bytes) -> bytes:
        """What follows the end of a line that is too long."""
        if not self._is_in_long_line:
            return text
        _, line_end, after = text.partition(b"\n")
        if line_end:
            self._is_in_long_line = False
            self._line_number += 1
        return after

    def _begin_long_line(self, rest: bytes) -> bytes:
        """`rest`, which is no whole row; nothing where it is too long for one already."""
        if len(rest) <= LONGEST_ROW:
            return rest
        if not self._has_begun:
            raise self._refuse(rest, f"its first line is over {LONGEST_ROW:,} bytes")
        self._report_damage(f"a line over {LONGEST_ROW:,} bytes")
        self._is_in_long_line = True
        return b""

    def _cut(self, text: bytes, *, is_last: bool) -> Generator[RowBlock, None, int]:
        """The blocks of the whole rows in `text`, and how many bytes they took."""
        end = text.rfind(b"\n") + 1
        position = 0
        while position < end:
            if blank := _BLANK_LINES.match(text, position, end):
                self._line_number += text.count(b"\n", position, blank.end())
                position = blank.end()
                continue
            if not self._has_begun:
                first = text[position : text.index(b"\n", position) + 1]
                if not first.removeprefix(_BYTE_ORDER_MARK).strip():
                    position += len(first)
                    self._line_number += 1
                elif first.startswith(_HEADER_STARTS) and (joined := _joined_at(first)):
                    self._report_damage("a torn header")
                    position += joined
                else:
                    position += self._begin(first)
                    yield RowBlock(self.format, b"")
                continue
            whole = self.format.whole_rows_pattern.match(text, position, end)
            block_end = whole.end() if whole else position
            if block_end > position:
                block = RowBlock(self.format, _with_our_line_ends(text[position:block_end]))
                self._line_number += block.count
                self.rows += block.count
                yield block
                position = block_end
                continue
            row_end = self._row_end(text, position, end, is_last=is_last)
            if row_end is None:
                return position
            taken, row = self._read_row(text[position:row_end])
            if row is not None:
                self.rows += 1
                yield row
            position += taken
        return position

    def _begin(self, first: bytes) -> int:
        """Take what a recording begins with; a JSON line is only looked at."""
        self._has_begun = True
        line = first.removeprefix(_BYTE_ORDER_MARK)
        if line.startswith(b"{"):
            return len(first) - len(line)
        try:
            self.format = Csv(csv_mode(csv_cells(line)))
        except RecordingError as error:
            raise self._refuse(first, str(error)) from error
        self._line_number += 1
        return len(first)

    def _refuse(self, start: bytes, reason: str) -> RecordingError:
        if start.startswith(PARQUET_MAGIC):
            reason = "Parquet can be read from a plain file only, not from a pipe or a gzip file"
        return _not_a_recording(self.source.name, reason)

    def _row_end(self, text: bytes, start: int, end: int, *, is_last: bool) -> int | None:
        """Where the row at `start` ends, which quotes may take over several lines.

        None: not in this text. Quotes that do not close make a row of the first line.
        """
        first_end = line_end = text.index(b"\n", start) + 1
        if isinstance(self.format, Jsonl):
            return first_end
        # Each line is counted once, and at most LONGEST_ROW bytes of them: linear, whatever comes.
        line_start = start
        is_quoted = False
        while True:
            if line_end - start > LONGEST_ROW:
                return first_end
            is_quoted ^= text.count(b'"', line_start, line_end) % 2 == 1
            if not is_quoted:
                return line_end
            if line_end == end:
                is_hopeless = is_last or len(text) - start > LONGEST_ROW
                return first_end if is_hopeless else None
            line_start, line_end = line_end, text.index(b"\n", line_end) + 1

    def _read_row(self, row: bytes) -> tuple[int, RowBlock | None]:
        """The bytes taken, and a row that is not as we write it; None for a header and for damage.

        Of a damaged row the first line is taken, or what precedes a recording joined to it.
        """
        line = row.removeprefix(_BYTE_ORDER_MARK)
        try:
            block = self._odd_row(line)
        except RecordingError as error:
            self._report_damage(str(error))
            first_end = row.index(b"\n") + 1
            if joined := _joined_at(row[:first_end]):
                return joined, None
            self._line_number += 1
            return first_end, None
        self._line_number += row.count(b"\n")
        return len(row), block

    def _odd_row(self, row: bytes) -> RowBlock | None:
        """The row, None for a header or a blank line. Raises RecordingError for damage."""
        if len(row) > LONGEST_ROW:
            raise RecordingError(f"a line over {LONGEST_ROW:,} bytes")
        if not row.strip():
            return None
        if row.startswith(_HEADER_STARTS):
            self.format = Csv(csv_mode(csv_cells(row)))
            return None
        is_json = row.startswith(b"{")
        row_format = Jsonl() if is_json else self.format
        recorded = row_format.decode(row)
        self.format = row_format  # only a row that can be read changes it
        text = row.removesuffix(b"\n").removesuffix(b"\r") + b"\n"
        return RecordedBlock([recorded], row_format, text)


def _joined_at(line: bytes) -> int:
    """Where in a line another recording begins; 0: nowhere."""
    return min((at for start in _STARTS if (at := line.find(start, 1)) > 0), default=0)


def _with_our_line_ends(rows: bytes) -> bytes:
    return rows.replace(b"\r\n", b"\n") if b"\r" in rows else rows


def _not_a_recording(name: str, reason: str) -> RecordingError:
    return RecordingError(
        f"{name} is not a recording: {reason}", kind="not-a-recording", name=name, reason=reason
    )
