"""Watch lists: what to stream, as people and other programs write it. Pure but for `read_limited`.

One name a line; blank lines and comments after `#` do not count. Also accepted:

- UTF-8, UTF-16 and UTF-32, with a byte order mark or without, and Windows' 8 bits; lines that end
  as on any system; quotes around a cell
- several names on a line, with commas, semicolons or tabs between. A bare number beside names is a
  column of something else, and reported
- a table: one of the first lines names columns, separated by comma, semicolon or tab. The names
  stand in the column Symbol, Instrument, ..., else tokens in a column of tokens; exchange and
  series in columns of their own if any
- TradingView's export: NSE:NIFTY,NSE:RELIANCE,###Section,NSE:M_M

Nothing is dropped silently: what cannot be a name is an entry that says why.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import BinaryIO, Self

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
_LINE_END = re.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_SECTION = "###"
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*%?")
_SYMBOL_COLUMNS = (
    *("TRADINGSYMBOL", "SYMBOL", "TICKER", "SCRIP", "SCRIPNAME", "STOCKSYMBOL", "SYMBOLNAME"),
    *("INSTRUMENT", "STOCK", "SCNAME", "INSTRUMENTKEY"),
)
"""The headings of a column of names, the surest first, without spaces and the like."""
_LIKE_A_SYMBOL = re.compile(r"[A-Z]*(?:SYMBOL|TICKER)(?:S|[A-Z]*ISIN)?")
_TOKEN_COLUMNS = ("TOKEN", "SYMBOLTOKEN", "EXCHANGETOKEN", "SCRIPCODE", "SECURITYCODE", "SCCODE")
"""Kite's instrument_token is another number."""
_NAME_COLUMNS = ("NAME", "STOCKNAME", "SECURITYNAME")
"""Often the company's full name, so that anything else is better."""
_EXCHANGE_COLUMNS = ("EXCHANGE", "EXCH", "EXCHSEG", "EXCHANGESEGMENT", "SEGMENT")
_LINES_BEFORE_A_TABLE = 5
_EXCEL_SEPARATOR = re.compile(r"\W*sep=([,;\t])\W*", re.IGNORECASE)
_SERIES = re.compile(r"[A-Z0-9]{2}")
_DELIMITERS = ",;\t"
_CELL = re.compile(rf'(?:"[^"]*"|[^{_DELIMITERS}])+')
_HAS_EXCHANGE = re.compile(r"[:|]")


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
    if _EXCEL_SEPARATOR.fullmatch(lines[0]):
        lines[0] = ""
    before, entries = _table_behind(lines)
    listed = [
        entry
        for number, line in enumerate(lines[:before], 1)
        for entry in _names_on_line(number, line)
    ]
    return list(map(_checked, listed + entries))


def _table_behind(lines: Sequence[str]) -> tuple[int, list[Entry]]:
    """How many lines stand before a table, and its names; all of them where there is no table."""
    filled = (n for n, line in enumerate(lines) if _without_comment(line))
    for place, first in enumerate(islice(filled, _LINES_BEFORE_A_TABLE)):
        # Symbol<tab>Name is two columns, not the one column "Symbol Name"
        tables = (_table(lines, first, delimiter) for delimiter in _DELIMITERS)
        columns, entries = max(tables, key=itemgetter(0))
        if columns and (columns > 1 or not place):
            return first, entries
    return len(lines), []


def _decoded(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if b"\0" in data and (text := _without_mark(data)):
        return text
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _without_mark(data: bytes) -> str:
    """`data` as text of two or four bytes a character; "" where it is none."""
    for _, encoding in _BYTE_ORDER_MARKS[1:]:
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            # bytes in the wrong order are text too, but Chinese
            if "\0" not in text and sum(map(str.isascii, text)) * 2 > len(text):
                return text
    return ""


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
    """Whether this is of TradingView's export, and no comment: a section among symbols."""
    sections = [cell for cell in cells if cell.startswith(_SECTION)]
    symbols = [cell for cell in cells if cell not in sections]
    is_comment = sections[:1] == list(cells[:1]) and not any(":" in cell for cell in symbols)
    return len(sections) > 1 or (bool(sections) and not is_comment)


def _cells(line: str) -> list[str]:
    """What stands between the separators of `line`, without quotes and blanks; nothing empty."""
    return [
        cell for each in _CELL.findall(line) if (cell := " ".join(each.replace('"', " ").split()))
    ]


# --- tables --------------------------------------------------------------------------------------


def _table(lines: Sequence[str], first: int, delimiter: str) -> tuple[int, list[Entry]]:
    """How many columns a table has whose headings begin on line `first`, 0 where it is none; and
    its names."""
    rows = _rows(lines, first, delimiter)
    try:
        _, header = next(rows, (0, []))
    except csv.Error:
        return 0, []
    headings = [re.sub(r"[^A-Z]", "", cell.upper()) for cell in header]
    columns = _Columns.of(headings)
    if columns is None:
        return 0, []
    if len(headings) == 1:
        return 1, [
            entry
            for number, line in enumerate(lines[first + 1 :], first + 2)
            for entry in _names_on_line(number, line)
        ]
    found: list[Entry] = []
    try:
        for line, row in rows:
            if any(row) and not row[0].startswith("#"):
                found.append(columns.entry(line, row))
    except csv.Error as error:
        found.append(Entry(len(lines), "", f"the table cannot be read to its end: {error}"))
    return len(headings), found


@dataclass(frozen=True, slots=True)
class _Columns:
    """The place of each column in a row; None where the table has no such column."""

    symbol: int
    exchange: int | None
    series: int | None

    @classmethod
    def of(cls, headings: Sequence[str]) -> Self | None:
        """None where no column is one of names."""
        symbol = _first_of(_SYMBOL_COLUMNS, headings)
        if symbol is None:
            likely = filter(_LIKE_A_SYMBOL.fullmatch, headings)
            symbol = _first_of((*likely, *_TOKEN_COLUMNS, *_NAME_COLUMNS), headings)
        if symbol is None:
            return None
        exchange = _first_of(_EXCHANGE_COLUMNS, headings)
        return cls(symbol, exchange, _first_of(("SERIES",), headings))

    def entry(self, line: int, row: Sequence[str]) -> Entry:
        name = self._cell(row, self.symbol)
        exchange = _exchange_in(self._cell(row, self.exchange))
        series = self._cell(row, self.series).upper()
        if not name:
            return Entry(line, ",".join(row)[:LONGEST], "nothing in the column of symbols")
        if _SERIES.fullmatch(series) and not name.upper().endswith(f"-{series}"):
            name = f"{name}-{series}"
        if exchange and not _HAS_EXCHANGE.search(name):
            name = f"{exchange}:{name}"
        return Entry(line, name)

    @staticmethod
    def _cell(row: Sequence[str], at: int | None) -> str:
        return row[at] if at is not None and at < len(row) else ""


def _exchange_in(cell: str) -> str:
    """`NFO` of `NFO-OPT` and `BSE` of `BSE Equity`; "" where the cell names no exchange."""
    for text in (cell.upper(), *cell.upper().replace("-", " ").split()[:1]):
        if text in PREFIXES:
            return text
    return ""


def _first_of(wanted: Sequence[str], headings: Sequence[str]) -> int | None:
    return next((headings.index(each) for each in wanted if each in headings), None)


def _rows(lines: Sequence[str], first: int, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of a table; a cell in quotes may go over several lines: NSE's headings do."""
    reader = csv.reader((f"{line}\n" for line in lines[first:]), delimiter=delimiter)
    line = first + 1
    for row in reader:
        yield line, [" ".join(cell.split()) for cell in row]
        line = first + 1 + reader.line_num
