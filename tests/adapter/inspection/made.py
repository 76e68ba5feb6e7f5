"""Recordings made to measure, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ticks.adapter.rows.block import RowBlock
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.encode import CsvRows, JsonRows
from ticks.adapter.rows.format import Csv, Jsonl
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.packet import encode_packet

from ..rows.recordings import START_NS

SECOND_US = 1_000_000
START_US = START_NS // 1000
"""2026-11-20T09:15:00+05:30, a Friday: when shares open."""
DAY_S = 86_400
NIFTY = "99926000"
SYMBOLS = {(1, NIFTY): "Nifty 50", (1, "2885"): "RELIANCE-EQ", (5, "77"): "GOLD"}


class Row(NamedTuple):
    """One row; times are seconds after the start, `exchanged` None that of `at`, 0 absent."""

    at: float
    price: int = 2_415_035
    volume: int = 0
    token: str = NIFTY
    exchange_type: int = 1
    exchanged: float | None = None
    mode: Mode = Mode.QUOTE

    @property
    def received_ns(self) -> int:
        return START_NS + round(self.at * SECOND_US) * 1000

    @property
    def exchange_ms(self) -> int:
        if self.exchanged == 0:
            return 0
        return START_NS // 10**6 + int(self.at if self.exchanged is None else self.exchanged) * 1000

    def packet(self) -> bytes:
        head = (self.received_ns, self.mode, self.exchange_type, self.token, "", 0)
        tick = Tick(*head, self.exchange_ms, self.price)
        if self.mode is Mode.QUOTE:
            tick = Tick(*tick[:8], 1, self.price, self.volume, 1.0, 2.0, 3, 4, 5, 6)
        return encode_packet(tick)


def csv_lines(rows: Iterable[Row], mode: Mode = Mode.QUOTE) -> list[bytes]:
    """The rows as CSV with the columns of `mode`, without a header."""
    encoder = CsvRows(mode, SYMBOLS)
    return [encoder.encode(row.received_ns, [row.packet()]) for row in rows]


def csv_of(rows: Iterable[Row], mode: Mode = Mode.QUOTE) -> bytes:
    """A CSV recording."""
    return csv_header(mode) + b"".join(csv_lines(rows, mode))


def json_of(rows: Iterable[Row]) -> bytes:
    """A recording as JSON lines."""
    encoder = JsonRows(SYMBOLS)
    return b"".join(encoder.encode(row.received_ns, [row.packet()]) for row in rows)


def csv_block(rows: Iterable[Row], mode: Mode = Mode.QUOTE) -> RowBlock:
    """The rows as a block, as a reader of CSV gives it."""
    return RowBlock(Csv(mode), b"".join(csv_lines(rows, mode)))


def json_block(rows: Iterable[Row]) -> RowBlock:
    """The rows as a block of JSON lines."""
    return RowBlock(Jsonl(), json_of(rows))
