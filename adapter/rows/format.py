"""How rows are written: CSV with the columns of a mode, or JSON lines. Pure.

A format is a value: it says how a file begins and what a row of it is, and it makes the encoder
and reads the rows. The candles have formats of their own (candles.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from ..errors import RecordingError
from ..instrument import InstrumentKey
from ..tick import Mode
from . import scan
from .columns import csv_header
from .decode import JsonReader, Recorded, csv_cells, csv_reader
from .encode import CsvRows, JsonRows


class RowFormat:
    """What a file of rows is: how it begins, and how a row of it is known."""

    @property
    def header(self) -> bytes:
        """The first line of a file, with its line end; b"" where there is none."""
        return b""

    @property
    def line_start(self) -> bytes:
        """What each line of a file without a header begins with."""
        return b""

    def check_line(self, line: bytes) -> None:
        """Raises RecordingError for a line that does not belong in a file without a header."""

    def whole_rows(self, text: bytes) -> tuple[int, int]:
        """How many whole rows `text` holds, and the bytes up to the end of the last of them."""
        # Only a quoted CSV cell may hold a line end; JSON writes it as \n.
        if b'"' not in text or not self.header:
            return text.count(b"\n"), text.rfind(b"\n") + 1
        rows = end = position = 0
        is_quoted = False
        for line in text.splitlines(keepends=True):
            position += len(line)
            is_quoted ^= line.count(b'"') % 2 == 1
            if line.endswith(b"\n") and not is_quoted:
                rows, end = rows + 1, position
        return rows, end


@dataclass(frozen=True, slots=True)
class Csv(RowFormat):
    """Rows of CSV with the columns of `mode`: ticks of this mode and of lower ones."""

    mode: Mode

    @property
    def header(self) -> bytes:
        return csv_header(self.mode)

    @property
    def label(self) -> str:
        """The word for it in messages."""
        return self.mode.label

    @property
    def whole_rows_pattern(self) -> re.Pattern[bytes]:
        """Matches as many rows as there are in a block, each with its line end; none, too."""
        return scan.csv_rows(self.mode)

    @property
    def heads_pattern(self) -> re.Pattern[bytes]:
        """Its `findall` over rows that matched gives the `Head` of each."""
        return scan.csv_heads()

    @property
    def received_at(self) -> slice:
        """Where a row that matched has its `received_at`, without the offset: text that sorts."""
        return scan.CSV_RECEIVED_AT

    def encoder(self, symbols: Mapping[InstrumentKey, str]) -> CsvRows:
        """Packets to rows; `symbols` may grow."""
        return CsvRows(self.mode, symbols)

    def decode(self, row: bytes) -> Recorded:
        """The tick of a row. Raises RecordingError for a damaged one."""
        return csv_reader(self.mode).read(csv_cells(row))


@dataclass(frozen=True, slots=True)
class Jsonl(RowFormat):
    """JSON lines: ticks of any mode."""

    label: ClassVar[str] = "jsonl"
    _reader: ClassVar[JsonReader] = JsonReader()

    @property
    def line_start(self) -> bytes:
        return b'{"received_at":'

    def check_line(self, line: bytes) -> None:
        self._reader.read(line)

    @property
    def whole_rows_pattern(self) -> re.Pattern[bytes]:
        """As in `Csv`."""
        return scan.json_rows()

    @property
    def heads_pattern(self) -> re.Pattern[bytes]:
        """As in `Csv`."""
        return scan.json_heads()

    @property
    def received_at(self) -> slice:
        """As in `Csv`."""
        return scan.JSON_RECEIVED_AT

    def encoder(self, symbols: Mapping[InstrumentKey, str]) -> JsonRows:
        """Packets to rows; `symbols` may grow."""
        return JsonRows(symbols)

    def decode(self, row: bytes) -> Recorded:
        """The tick of a row. Raises RecordingError for a damaged one."""
        return self._reader.read(row)


TickFormat: TypeAlias = Csv | Jsonl
"""How the rows of a recording are written."""


@dataclass(frozen=True, slots=True)
class JsonLines(RowFormat):
    """Lines of JSON that are not ticks (the events of a stream), all beginning with `start`."""

    start: bytes

    @property
    def line_start(self) -> bytes:
        return self.start

    def check_line(self, line: bytes) -> None:
        if not line.startswith(self.start):
            raise RecordingError(f"a line does not begin with {self.start.decode()}")
