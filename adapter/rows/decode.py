"""Rows of CSV or JSON text back to packets. Pure. The way here, and the rules: encode.py.

Numbers and times are read as text and exactly, never through a binary fraction (except for the
packet's own doubles). What cannot be read raises RecordingError naming the column and the value.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache, partial
from typing import NamedTuple, TypeVar

from ..clock import IST
from ..errors import RecordingError
from ..instrument import exchange_number, price_digits
from ..tick import MODES_BY_LABEL, Level, Mode
from ..wire.packet import FIELDS, LAYOUTS, LEVELS, TOKEN_SIZE, join_best_five
from .columns import DEPTH_COLUMNS, columns

_Value = TypeVar("_Value")


class Recorded(NamedTuple):
    """One row of a recording: when it was received, the instrument's symbol, the packet.

    `received_ns` is in nanoseconds since the epoch, whole microseconds; `packet` is canonical
    (zeros after the token, five buys before five sells). `symbol` is "" where it was not known.
    """

    received_ns: int
    symbol: str
    packet: bytes


def csv_mode(header: Sequence[str]) -> Mode:
    """The mode whose recordings have this header. Raises RecordingError when none has."""
    modes = [mode for mode in LAYOUTS if columns(mode) == tuple(header)]
    if not modes:
        raise RecordingError(f"{_shown(','.join(header))} is not the header of a recording")
    return modes[0]


def csv_cells(line: bytes) -> list[str]:
    """The cells of a row. Bytes that are not UTF-8 are kept for the reader to report."""
    text = line.decode(errors="surrogateescape").removesuffix("\n").removesuffix("\r")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise RecordingError(f"quotes do not match ({error})") from error


class CsvReader:
    """Reads the rows of a CSV recording with the columns of `mode`."""

    def __init__(self, mode: Mode) -> None:
        self._columns = columns(mode)

    def read(self, cells: Sequence[str]) -> Recorded:
        """The row with these cells. Raises RecordingError for a damaged one."""
        if len(cells) != len(self._columns):
            count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            raise RecordingError(f"{count}, not {len(self._columns)}")
        row = dict(zip(self._columns, cells, strict=True))
        recorded = _recorded(row)
        for column in self._columns[len(columns(Mode(recorded.packet[0]))) :]:
            if row[column]:
                raise RecordingError(
                    f"{column}: {_shown(row[column])} in a row of mode {row['mode']}"
                )
        return recorded


@cache
def csv_reader(mode: Mode) -> CsvReader:
    """The reader of a CSV recording of `mode`."""
    return CsvReader(mode)


class JsonReader:
    """Reads JSON lines."""

    def __init__(self) -> None:
        self._decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)

    def read(self, line: bytes) -> Recorded:
        """The row on this line. Raises RecordingError for a damaged one."""
        try:
            fields = self._decoder.decode(line.decode())
        except (ValueError, RecursionError) as error:
            raise RecordingError(f"not valid JSON: {error}") from error
        if not isinstance(fields, dict):
            raise RecordingError(f"{_shown(line)} is not a JSON object")
        row = {}
        for column, value in fields.items():
            if column in ("bids", "asks"):
                row.update(_level_cells(column, value))
            elif value is None or isinstance(value, str):
                row[column] = value or ""
            else:
                raise RecordingError(f"{column}: {_shown(value)} is not a value of a row")
        return _recorded(row)


def _shown(value: object) -> str:
    """A value in an error, however long it is."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _level_cells(column: str, levels: object) -> dict[str, str]:
    """The cells that CSV has for the levels under `bids` or `asks`."""
    if not isinstance(levels, list) or len(levels) != LEVELS:
        raise RecordingError(f"{column}: {_shown(levels)} are not {LEVELS} levels")
    cells = {}
    for number, level in enumerate(levels, 1):
        for part in ("price", "quantity", "orders"):
            cell = "" if level is None else level.get(part) if isinstance(level, dict) else None
            if not isinstance(cell, str):
                raise RecordingError(f"{column}: {_shown(level)} is not a level")
            cells[f"{column[:-1]}{number}_{part}"] = cell
    return cells


def _recorded(row: Mapping[str, str]) -> Recorded:
    """The recorded tick in the cells of a row, by column."""
    received_us = _read(row, "received_at", lambda cell: _clock_time(cell, 6))
    mode = _read(row, "mode", _mode)
    exchange_type = _read(row, "exchange", _exchange_type)
    token = _read(row, "token", _token)
    symbol = _read(row, "symbol", _unicode)
    price = partial(_price, digits=price_digits(exchange_type))
    values: list[object] = [mode, exchange_type, token]
    for field in FIELDS[mode][3:]:
        if field.name == "best_five":
            values.append(_best_five(row, price))
        else:
            column = COLUMN_NAMES.get(field.name, field.name)
            values.append(_read(row, column, _PARSERS.get(field.name, price)))
    return Recorded(received_us * 1000, symbol, LAYOUTS[mode].pack(*values))


def _read(row: Mapping[str, str], column: str, parse: Callable[[str], _Value]) -> _Value:
    try:
        return parse(row[column])
    except KeyError:
        raise RecordingError(f"{column} is missing") from None
    except ValueError as error:
        value = _shown(row[column])
        raise RecordingError(f"{column}: {value} cannot be read ({error})") from error


def _best_five(row: Mapping[str, str], price: Callable[[str], int]) -> bytes:
    levels: list[Level | None] = []
    for columns_of_level in _LEVEL_COLUMNS:
        if any(row.get(column) != "" for column in columns_of_level):
            at_price, quantity, orders = columns_of_level
            levels.append(
                Level(
                    price=_read(row, at_price, price),
                    quantity=_read(row, quantity, _integer),
                    orders=_read(row, orders, _orders),
                )
            )
        else:
            levels.append(None)
    return join_best_five(tuple(levels[:LEVELS]), tuple(levels[LEVELS:]))


def _mode(cell: str) -> Mode:
    mode = MODES_BY_LABEL.get(cell)
    if mode not in LAYOUTS:
        raise ValueError("not ltp, quote or snap")
    return mode


def _exchange_type(cell: str) -> int:
    exchange_type = exchange_number(cell)
    if exchange_type is None:
        raise ValueError("not an exchange")
    return exchange_type


def _unicode(cell: str) -> str:
    cell.encode()
    return cell


def _token(cell: str) -> bytes:
    token = cell.encode()
    if len(token) > TOKEN_SIZE or b"\0" in token:
        raise ValueError(f"longer than {TOKEN_SIZE} bytes, or with a NUL in it")
    return token


def _integer(cell: str) -> int:
    number = int(cell)
    if not -(2**63) <= number < 2**63:
        raise ValueError("does not fit 64 bits")
    return number


def _orders(cell: str) -> int:
    number = int(cell)
    if not 0 <= number < 2**16:
        raise ValueError("does not fit 16 bits")
    return number


@lru_cache(maxsize=1 << 14)
def _price(cell: str, digits: int) -> int:
    found = _PRICE.fullmatch(cell)
    fraction = "" if found is None else found[2] or ""
    if found is None or len(fraction) > digits:
        raise ValueError(f"not a decimal with at most {digits} digits after the point")
    return _integer(found[1] + fraction.ljust(digits, "0"))


def _packet_time(cell: str, digits: int) -> int:
    """The packet's time in units of 10^-digits seconds: absent, on the calendar, or bare."""
    if not cell:
        return 0
    return _clock_time(cell, digits) if "T" in cell else _integer(cell)


def received_ns_of(time: bytes) -> int:
    """Nanoseconds since the epoch of a `received_at` without its offset."""
    return _epoch_s(time[:19].decode()) * 10**9 + int(time[20:]) * 1000


@lru_cache(maxsize=1 << 12)
def exchange_ms_of(cell: bytes) -> int:
    """Milliseconds since the epoch of an `exchange_time`; 0 of an empty one."""
    return _packet_time(cell.decode(), 3)


@lru_cache(maxsize=1 << 14)
def price_of(cell: bytes, digits: int) -> int:
    """A price in the broker's unit, which has `digits` digits after the point."""
    return _price(cell.decode(), digits)


def _clock_time(cell: str, digits: int) -> int:
    """Units of 10^-digits seconds since the epoch of an IST time with `digits` decimal digits."""
    found = _TIME.fullmatch(cell)
    if found is None or len(found[2] or "") != digits:
        raise ValueError(f"not a time with {digits} decimal digits and +05:30")
    units_a_second: int = 10**digits
    return _epoch_s(found[1]) * units_a_second + int(found[2] or 0)


@lru_cache(maxsize=1 << 12)
def _epoch_s(second: str) -> int:
    since_epoch: timedelta = datetime.fromisoformat(second).replace(tzinfo=IST) - _EPOCH
    if since_epoch < timedelta(0):
        raise ValueError("a time before 1970")
    return since_epoch // timedelta(seconds=1)


_PRICE = re.compile(r"(-?\d+)(?:\.(\d+))?", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?\+05:30", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEVEL_COLUMNS = [DEPTH_COLUMNS[i : i + 3] for i in range(0, len(DEPTH_COLUMNS), 3)]
COLUMN_NAMES = {
    "exchange_time_ms": "exchange_time",
    "last_price": "ltp",
    "average_traded_price": "average_price",
    "open_price": "open",
    "high_price": "high",
    "low_price": "low",
    "close_price": "close",
    "last_trade_time_s": "last_trade_time",
    "upper_circuit_price": "upper_circuit",
    "lower_circuit_price": "lower_circuit",
    "high_52w_price": "high_52w",
    "low_52w_price": "low_52w",
}
"""Columns of the fields that are called otherwise in a row."""
_PARSERS: dict[str, Callable[[str], float]] = {
    "sequence": _integer,
    "exchange_time_ms": partial(_packet_time, digits=3),
    "last_quantity": _integer,
    "volume": _integer,
    "total_buy_quantity": float,
    "total_sell_quantity": float,
    "last_trade_time_s": partial(_packet_time, digits=0),
    "open_interest": _integer,
    "oi_change_percent": float,
}
"""How fields are read; the others are prices."""
