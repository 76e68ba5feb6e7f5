"""Parquet recordings back to rows, a batch at a time. What is in them: parquet.py.

A batch becomes lists of columns and those packets, without a Decimal or a datetime for a cell.
Files rewritten by other programs (pandas, polars: larger strings, other dictionaries, prices as
doubles) are read too, as long as the columns are those of a recording.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import RecordingError
from ..instrument import exchange_number, price_digits
from ..rows.block import RecordedBlock, RowBlock
from ..rows.columns import DEPTH_COLUMNS
from ..rows.decode import COLUMN_NAMES, Recorded, csv_mode
from ..rows.format import Csv
from ..tick import MODES_BY_LABEL
from ..wire.packet import BEST_FIVE, BUY_FLAG, FIELDS, LAYOUTS, SELL_FLAG, TOKEN_SIZE
from .inputs import Input, OnDamage
from .parquet import INTEGERS, RAW, TIMES, import_pyarrow

PARQUET_MAGIC = b"PAR1"
_BATCH_ROWS = 8_192


class ParquetReader:
    """Reads one Parquet recording once: `RecordingReader` for a file that has columns.

    Raises RecordingError when it is not a recording or has no footer, and UsageError where pyarrow
    is not installed.
    """

    def __init__(self, source: Input, on_damage: OnDamage) -> None:
        self.source = source
        self.rows = 0
        self._on_damage = on_damage
        self._pa = import_pyarrow()
        try:
            self._parquet = self._pa.parquet.ParquetFile(source.path)
        except (OSError, self._pa.ArrowException) as error:
            raise self._refusal(f"it is not a complete Parquet file ({error})") from error
        names = [name for name in self._parquet.schema_arrow.names if not name.endswith(RAW)]
        try:
            self.format = Csv(csv_mode(names))
        except RecordingError as error:
            raise self._refusal(str(error)) from error

    def _refusal(self, reason: str) -> RecordingError:
        name = self.source.name
        return RecordingError(
            f"{name} is not a recording: {reason}", kind="not-a-recording", name=name, reason=reason
        )

    def blocks(self) -> Iterator[RowBlock]:
        """Its rows in the file's order. What `on_damage` gets is the number of a row."""
        total, first_row = self._parquet.metadata.num_rows, 1
        size = self.source.size() or 0
        for number in range(self._parquet.num_row_groups):
            group_rows = self._parquet.metadata.row_group(number).num_rows
            row = first_row
            try:
                for batch in self._parquet.iter_batches(_BATCH_ROWS, row_groups=[number]):
                    recorded = self._checked(batch, row)
                    row += len(batch)
                    self.rows += len(recorded)
                    self.source.bytes_read = size * (row - 1) // total
                    if recorded:
                        yield RecordedBlock(recorded)
            except (OSError, self._pa.ArrowException) as error:
                lost = first_row + group_rows - row
                self._on_damage(self.source.name, row, f"{lost:,} rows cannot be read ({error})")
            first_row += group_rows

    def _checked(self, batch: Any, first_row: int) -> list[Recorded]:
        """The rows of a batch; those that cannot be read are found by halves, and reported."""
        try:
            return self._recorded(batch)
        except (struct.error, ValueError, LookupError, TypeError) as error:
            if len(batch) == 1:
                self._on_damage(self.source.name, first_row, str(error))
                return []
        half = len(batch) // 2
        first = self._checked(batch.slice(0, half), first_row)
        return first + self._checked(batch.slice(half), first_row + half)

    def _recorded(self, batch: Any) -> list[Recorded]:
        text = self._pa.string()
        modes = [MODES_BY_LABEL[mode] for mode in batch["mode"].cast(text).to_pylist()]
        exchanges = [_exchange_type(name) for name in batch["exchange"].cast(text).to_pylist()]
        digits = [price_digits(exchange) for exchange in exchanges]
        read: list[list[Any]] = [modes, exchanges, _tokens(batch["token"].cast(text))]
        for field in FIELDS[self.format.mode][3:]:
            column = COLUMN_NAMES.get(field.name, field.name)
            if field.name == "best_five":
                read.append(self._best_five(batch, digits))
            elif column in TIMES:
                read.append(self._times(batch, column))
            elif field.code == "d":
                read.append(batch[column].to_pylist())
            elif column in INTEGERS or column.endswith("_quantity"):
                read.append(self._integers(batch[column]))
            else:
                read.append(self._prices(batch[column], digits))
        sizes = {mode: len(FIELDS[mode]) for mode in LAYOUTS}
        packets = [
            LAYOUTS[values[0]].pack(*values[: sizes[values[0]]])
            for values in zip(*read, strict=True)
        ]
        received = batch["received_at"].cast(self._pa.timestamp("us", "UTC")).view(self._pa.int64())
        symbols = batch["symbol"].cast(text).to_pylist()
        return [
            Recorded(received_us * 1000, symbol or "", packet)
            for received_us, symbol, packet in zip(
                received.to_pylist(), symbols, packets, strict=True
            )
        ]

    def _integers(self, numbers: Any) -> list[int | None]:
        """pandas makes doubles of integers where some are missing."""
        integers: list[int | None] = numbers.cast(self._pa.int64()).to_pylist()
        return integers

    def _times(self, batch: Any, column: str) -> list[int]:
        """The packet's units, milliseconds or seconds; 0 where there is no time."""
        unit_us = 1_000 if column == "exchange_time" else 1_000_000
        times = batch[column].cast(self._pa.timestamp("us", "UTC")).view(self._pa.int64())
        has_raw = column + RAW in batch.schema.names
        raw = batch[column + RAW].to_pylist() if has_raw else [None] * len(times)
        return [
            bare or 0 if time_us is None else time_us // unit_us
            for time_us, bare in zip(times.to_pylist(), raw, strict=True)
        ]

    def _prices(self, prices: Any, digits: Sequence[int]) -> list[int | None]:
        """Prices in the broker's unit, which has `digits` digits."""
        if self._pa.types.is_floating(prices.type):
            return [
                None if price is None else round(price * 10**places)
                for price, places in zip(prices.to_pylist(), digits, strict=True)
            ]
        scale = prices.type.scale
        values = self._unscaled(prices.cast(self._pa.decimal128(38, scale)))
        if set(digits) == {scale}:
            return values
        return [
            None if value is None else _rescaled(value, scale, places)
            for value, places in zip(values, digits, strict=True)
        ]

    @staticmethod
    def _unscaled(prices: Any) -> list[int | None]:
        """The integers of decimals, straight from their 128 bits: no Decimal is made."""
        bits = memoryview(prices.buffers()[1])
        start, end = 2 * prices.offset, 2 * (prices.offset + len(prices))
        low, high = bits.cast("Q")[start:end:2], bits.cast("q")[start + 1 : end : 2]
        values = [h << 64 | low_bits for h, low_bits in zip(high, low, strict=True)]
        if not prices.null_count:
            return [*values]
        valid = prices.is_valid().to_pylist()
        return [value if is_there else None for value, is_there in zip(values, valid, strict=True)]

    def _best_five(self, batch: Any, digits: Sequence[int]) -> list[bytes]:
        """The ten items of each row: flag, quantity, price, orders; zeros for an empty level."""
        items: list[list[int]] = []
        for at in range(0, len(DEPTH_COLUMNS), 3):
            price_column, quantity_column, orders_column = DEPTH_COLUMNS[at : at + 3]
            flag = BUY_FLAG if price_column.startswith("bid") else SELL_FLAG
            prices = self._prices(batch[price_column], digits)
            items += [
                [0 if price is None else flag for price in prices],
                [quantity or 0 for quantity in self._integers(batch[quantity_column])],
                [price or 0 for price in prices],
                [orders or 0 for orders in self._integers(batch[orders_column])],
            ]
        return [*map(BEST_FIVE.pack, *items)]


def _exchange_type(name: str | None) -> int:
    number = exchange_number(name or "")
    if number is None:
        raise ValueError(f"exchange: {name!r} is not an exchange")
    return number


def _tokens(texts: Any) -> list[bytes]:
    tokens = [(token or "").encode() for token in texts.to_pylist()]
    for token in tokens:
        if len(token) > TOKEN_SIZE or b"\0" in token:
            raise ValueError(f"token: {token!r} does not fit a packet")
    return tokens


def _rescaled(value: int, scale: int, digits: int) -> int:
    if digits >= scale:
        return value * int(10 ** (digits - scale))
    unit: int = 10 ** (scale - digits)
    whole, rest = divmod(value, unit)
    if rest:
        raise ValueError(f"a price has more than {digits} digits after the point")
    return whole
