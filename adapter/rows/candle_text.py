"""Candles as CSV rows and JSON lines, and back. Pure. What they are: candles.py."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

from ..clock import ist_time
from ..errors import RecordingError
from ..instrument import InstrumentKey, exchange_name, exchange_number, price_digits
from .candles import Candle
from .decode import csv_cells, price_of
from .encode import csv_cell
from .format import Jsonl, RowFormat, TickFormat
from .texts import Prices

COLUMNS = (
    "bar_time",
    "exchange",
    "symbol",
    "token",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "ticks",
    "blind_s",
)


class CsvCandles(RowFormat):
    """Candles as CSV rows."""

    @property
    def header(self) -> bytes:
        return ",".join(COLUMNS).encode() + b"\n"

    def text(self, candles: list[Candle]) -> bytes:
        return "".join([",".join(map(csv_cell, _cells(each))) + "\n" for each in candles]).encode()

    def candle(self, line: bytes) -> Candle:
        """The candle of a row. Raises RecordingError for a damaged one."""
        return _candle(csv_cells(line))

    def place(self, line: bytes) -> tuple[int, InstrumentKey]:
        """Start (ms) and instrument of a row, read quickly. Raises RecordingError."""
        cells = line.split(b",", 4)
        if b'"' in line or len(cells) < 5:
            candle = self.candle(line)
            return candle.start_ms, candle.key
        return _start_ms(cells[0]), _key(cells[1], cells[3])


class JsonCandles(RowFormat):
    """Candles as JSON lines, prices with the same digits as in CSV."""

    @property
    def line_start(self) -> bytes:
        return b'{"bar_time":'

    def check_line(self, line: bytes) -> None:
        try:
            fields = json.loads(line.decode())  # bytes would let half a character pass
        except (ValueError, RecursionError) as error:
            raise RecordingError(f"not valid JSON: {error}") from error
        if not isinstance(fields, dict) or tuple(fields) != COLUMNS:
            raise RecordingError(f"a candle has {', '.join(COLUMNS)}")

    def text(self, candles: list[Candle]) -> bytes:
        return "".join(map(_json_line, candles)).encode()

    def candle(self, line: bytes) -> Candle:
        """The candle on a line. Raises RecordingError for a damaged one."""
        self.check_line(line)
        fields = _DECODER.decode(line.decode())
        return _candle(["" if fields[name] is None else fields[name] for name in COLUMNS])

    def place(self, line: bytes) -> tuple[int, InstrumentKey]:
        """As in `CsvCandles`."""
        found = _JSON_PLACE.match(line)
        if found is None:
            candle = self.candle(line)
            return candle.start_ms, candle.key
        return _start_ms(found[1]), _key(found[2], found[3])


CandleFormat: TypeAlias = CsvCandles | JsonCandles
"""How candles are written."""


def candle_format(ticks: TickFormat) -> CandleFormat:
    """How candles are written where ticks would be in this format."""
    return JsonCandles() if isinstance(ticks, Jsonl) else CsvCandles()


_TEXTS = COLUMNS[:4]
_PRICES = {2: Prices(2), 7: Prices(7)}
_JSON_PLACE = re.compile(
    rb'\{"bar_time":"([^"]*)","exchange":"([^"]*)","symbol":"[^"\\]*","token":"([^"\\]*)"'
)
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)


def _cells(candle: Candle) -> list[str]:
    prices = _PRICES[price_digits(candle.exchange_type)]
    return [
        ist_time(candle.start_ms * 1_000_000).isoformat(),
        exchange_name(candle.exchange_type),
        candle.symbol,
        candle.token,
        *(prices[price] for price in candle[4:8]),
        "" if candle.volume is None else str(candle.volume),
        str(candle.ticks),
        "" if candle.blind_ms is None else f"{candle.blind_ms / 1000:.15g}",
    ]


def _json_line(candle: Candle) -> str:
    values = (
        json.dumps(cell, ensure_ascii=False) if column in _TEXTS else cell or "null"
        for column, cell in zip(COLUMNS, _cells(candle), strict=True)
    )
    pairs = zip(COLUMNS, values, strict=True)
    return "{" + ",".join(f'"{column}":{value}' for column, value in pairs) + "}\n"


@lru_cache(maxsize=1 << 12)
def _start_ms(cell: bytes) -> int:
    try:
        return int(datetime.fromisoformat(cell.decode()).timestamp()) * 1000
    except ValueError as error:
        raise RecordingError(f"bar_time: {cell!r} cannot be read") from error


@lru_cache(maxsize=1 << 14)
def _key(exchange: bytes, token: bytes) -> InstrumentKey:
    exchange_type = exchange_number(exchange.decode(errors="replace"))
    if exchange_type is None:
        raise RecordingError(f"exchange: {exchange!r} is not an exchange")
    return exchange_type, token.decode(errors="replace")


def _candle(cells: list[str]) -> Candle:
    try:
        at, exchange, symbol, token, *rest, volume, ticks, blind_s = cells
        exchange_type = exchange_number(exchange)
        if exchange_type is None or len(rest) != len(("open", "high", "low", "close")):
            raise ValueError("not a candle")
        digits = price_digits(exchange_type)
        first, highest, lowest, last = (price_of(cell.encode(), digits) for cell in rest)
        return Candle(
            int(datetime.fromisoformat(at).timestamp()) * 1000,
            exchange_type,
            token,
            symbol,
            *(first, highest, lowest, last),
            volume=int(volume) if volume else None,
            ticks=int(ticks),
            blind_ms=round(float(blind_s) * 1000) if blind_s else None,
        )
    except (ValueError, AttributeError, TypeError) as error:
        raise RecordingError(f"not a candle: {error}") from error
