"""Watch lists: what to stream, as people and other programs write it. Pure but for `read_limited`.

One name a line; blank lines and comments after `#` do not count. Also accepted:

- any of UTF-8, UTF-16 and UTF-32 with a byte order mark, UTF-8 and Windows' 8 bits without; lines
  that end as on any system; quotes around a cell
- several names on a line, with commas between. A bare number beside names is a column of something
  else, and reported
- a file whose first line names columns, separated by comma, semicolon or tab: the names stand in
  the column Symbol, Instrument, ..., exchange and series in columns of their own if any
- TradingView's export: NSE:NIFTY,NSE:RELIANCE,###Section,NSE:M_M

Nothing is dropped silently: what cannot be a name is an entry that says why.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import UsageError
from .naming import LONGEST, PREFIXES

LARGEST = 4 * 2**20
"""Bytes of a watch list: 3,000 instruments with a hundred columns each are less."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_SECTION = "###"
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*%?")
_SYMBOL_COLUMNS = (
    *("TRADINGSYMBOL", "SYMBOL", "TICKER", "SCRIP", "SCRIPNAME", "STOCKSYMBOL", "SYMBOLNAME"),
    *("INSTRUMENT", "STOCK", "NAME", "STOCKNAME"),
)
"""The headings of a column of names, the surest first, without spaces and the like."""
_EXCHANGE_COLUMNS = ("EXCHANGE", "EXCH", "EXCHSEG", "EXCHANGESEGMENT", "SEGMENT")
_SERIES = re.compile(r"[A-Z0-9]{2}")
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a list and its line (from 1); or what is wrong with it."""

    line: int
    name: str
    problem: str = ""
    """Why it cannot be a name, "" where it can."""


def read_limited(stream: BinaryIO, name: str) -> bytes:
    """All of the watch list `name`. Raises UsageError (kind "watch-list-too-large")."""
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UsageError(
            f"the watch list {name} is larger than {LARGEST:,} bytes", kind="watch-list-too-large"
        )
    return data


def read_watch_list(data: bytes) -> list[Entry]:
    """The names in a watch list, in their order, and what in it is not a name."""
    lines = _LINE_END.split(_decoded(data))
    first = next((n for n, line in enumerate(lines) if _without_comment(line)), None)
    if first is not None:
        for delimiter in _DELIMITERS:
            if entries := _table(lines, first, delimiter):
                return list(map(_checked, entries))
    return [
        _checked(entry)
        for number, line in enumerate(lines, 1)
        for entry in _names_on_line(number, line)
    ]


def _decoded(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _without_comment(line: str) -> str:
    return _COMMENT.sub("", line).strip()


def _checked(entry: Entry) -> Entry:
    """`entry`, with what is wrong with its name."""
    if entry.problem:
        return entry
    if not entry.name.isprintable() or "\ufffd" in entry.name:
        visible = "".join(each if each.isprintable() else "\ufffd" for each in entry.name)
        return Entry(entry.line, visible[:LONGEST], "it is not text")
    if len(entry.name) > LONGEST:
        cut = entry.name[:LONGEST] + "..."
        return Entry(entry.line, cut, f"a name has at most {LONGEST} characters")
    return entry


def _names_on_line(number: int, line: str) -> Iterator[Entry]:
    cells = _cells(line)
    if _is_sectioned(cells):
        cells = [cell for cell in cells if not cell.startswith(_SECTION)]
    else:
        cells = _cells(_without_comment(line))
    has_names = any(not _NUMBER.fullmatch(cell) for cell in cells)
    for cell in cells:
        if has_names and _NUMBER.fullmatch(cell):
            yield Entry(number, cell, "a number among names, and no first line that names columns")
        else:
            yield Entry(number, cell)


def _is_sectioned(cells: Sequence[str]) -> bool:
    """Whether this is TradingView's line: sections, and symbols with their exchange."""
    is_section = [cell.startswith(_SECTION) for cell in cells]
    symbols = [cell for cell in cells if not cell.startswith(_SECTION)]
    return any(is_section) and bool(symbols) and all(":" in cell for cell in symbols)


def _cells(line: str) -> list[str]:
    """What stands between the commas of `line`, without quotes and blanks; nothing empty."""
    try:
        row = next(csv.reader([line], skipinitialspace=True), [])
    except csv.Error:  # a cell of more than 128 KiB
        row = [line]
    return [cell for each in row if (cell := " ".join(each.replace('"', " ").split()))]


# --- tables --------------------------------------------------------------------------------------


def _table(lines: Sequence[str], first: int, delimiter: str) -> list[Entry]:
    """The names of a table whose headings begin on line `first`; nothing where it is none."""
    rows = _rows(lines, first, delimiter)
    try:
        _, header = next(rows, (0, []))
    except csv.Error:
        return []
    headings = [re.sub(r"[^A-Z]", "", cell.upper()) for cell in header]
    symbol_at = _first_of(_SYMBOL_COLUMNS, headings)
    if symbol_at is None:
        return []
    if len(headings) == 1:
        return [
            entry
            for number, line in enumerate(lines[first + 1 :], first + 2)
            for entry in _names_on_line(number, line)
        ]
    columns = _Columns(
        symbol_at, _first_of(_EXCHANGE_COLUMNS, headings), _first_of(("SERIES",), headings)
    )
    found: list[Entry] = []
    try:
        for line, row in rows:
            if any(row) and not row[0].startswith("#"):
                found.append(columns.entry(line, row))
    except csv.Error as error:
        found.append(Entry(len(lines), "", f"the table cannot be read to its end: {error}"))
    return found


@dataclass(frozen=True, slots=True)
class _Columns:
    """The place of each column in a row; None where the table has no such column."""

    symbol: int
    exchange: int | None
    series: int | None

    def entry(self, line: int, row: Sequence[str]) -> Entry:
        name = self._cell(row, self.symbol)
        exchange = self._cell(row, self.exchange).upper()
        series = self._cell(row, self.series).upper()
        if not name:
            return Entry(line, ",".join(row)[:LONGEST], "nothing in the column of symbols")
        if _SERIES.fullmatch(series) and not name.upper().endswith(f"-{series}"):
            name = f"{name}-{series}"
        if exchange in PREFIXES and ":" not in name:
            name = f"{exchange}:{name}"
        return Entry(line, name)

    @staticmethod
    def _cell(row: Sequence[str], at: int | None) -> str:
        return row[at] if at is not None and at < len(row) else ""


def _first_of(wanted: Sequence[str], headings: Sequence[str]) -> int | None:
    return next((headings.index(each) for each in wanted if each in headings), None)


def _rows(lines: Sequence[str], first: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of a table; a cell in quotes may go over several lines: NSE's headings do."""
    reader = csv.reader((f"{line}\n" for line in lines[first:]), delimiter=delimiter)
    line = first + 1
    for row in reader:
        yield line, [" ".join(cell.split()) for cell in row]
        line = first + 1 + reader.line_num
