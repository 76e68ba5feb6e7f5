"""Recordings as Parquet files. pyarrow (an extra) is imported when it is needed. Back:
parquet_reader.py.

Rules
- The columns are those of a CSV recording, in their order. Times are timestamps[us] of
  Asia/Kolkata, prices exact decimals (or doubles), exchange, symbol and mode dictionaries of text;
  what is an empty cell in CSV is null.
- A file with decimals is lossless. A time that no calendar between 1970 and 9999 holds is null in
  its own column and an integer in another one at the end (`exchange_time_raw`,
  `last_trade_time_raw`), which only files with such a time have.
- Prices have two digits, or seven in a file with rows of the currency segment. When rows need more
  than the schema has, what was written is written again with a wider one.
- Memory does not grow with the file: rows are held as text up to `_TEXT_BYTES` and as columns up to
  `_GROUP_ROWS`.
- A file is written under another name and renamed when its footer is there: a conversion that is
  interrupted leaves what was there before.
"""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from ..errors import OutputError, UsageError
from ..instrument import CURRENCY_EXCHANGE_TYPE, price_digits
from ..rows.columns import columns
from ..rows.decode import csv_reader
from ..rows.encode import CsvRows, csv_cell
from ..rows.format import Csv
from ..tick import Mode
from .append import check_apart, empty, open_locked, output_error

_TEXT_BYTES = 1 << 22
_GROUP_ROWS = 100_000
_CURRENCY_CELL = b",CDS,"
TIMES = ("received_at", "exchange_time", "last_trade_time")
_DICTIONARIES = ("exchange", "symbol", "mode")
_DOUBLES = ("total_buy_quantity", "total_sell_quantity", "oi_change_percent")
INTEGERS = ("sequence", "volume", "open_interest")
RAW = "_raw"
"""The suffix of a column with the integers of times that are not valid times."""
_PAISE_DIGITS, _CURRENCY_DIGITS = price_digits(1), price_digits(CURRENCY_EXCHANGE_TYPE)


def import_pyarrow() -> Any:
    """pyarrow. Raises UsageError where it is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError(
            "Parquet files need pyarrow, which is not installed",
            kind="extra-missing",
            extra="parquet",
        ) from error
    return pa


def _raw_times(mode: Mode) -> list[str]:
    """The columns whose times may be invalid."""
    return [column for column in columns(mode) if column in TIMES[1:]]


def _schema(pa: Any, mode: Mode, digits: int, *, has_raw_times: bool, has_floats: bool) -> Any:
    """The columns of a file for ticks of up to `mode`; prices have `digits` digits."""
    # 64 bits of paise have 19 digits; the same amount with seven of them after the point, 24.
    price = pa.float64() if has_floats else pa.decimal128(19 if digits == 2 else 24, digits)

    def type_of(column: str) -> Any:
        if column in TIMES:
            return pa.timestamp("us", "Asia/Kolkata")
        if column in _DICTIONARIES:
            return pa.dictionary(pa.int32(), pa.string())
        if column == "token":
            return pa.string()
        if column in _DOUBLES:
            return pa.float64()
        if column.endswith("_orders"):
            return pa.int32()
        return pa.int64() if column in INTEGERS or column.endswith("_quantity") else price

    fields = [(column, type_of(column)) for column in columns(mode)]
    if has_raw_times:
        fields += [(column + RAW, pa.int64()) for column in _raw_times(mode)]
    return pa.schema(fields)


class ParquetOutput:
    """Takes the text of CSV rows of up to `mode`; the file is there after `finish` and `close`.

    `name`: its path. `rows`: those taken. The methods raise OutputError.
    """

    is_rotating = False

    def __init__(self, path: str, mode: Mode, *, has_floats: bool) -> None:
        self.name = path
        self.rows = 0
        self._mode = mode
        self._has_floats = has_floats
        self._digits = _PAISE_DIGITS
        self._has_raw_times = False
        self._texts: list[bytes] = []
        self._text_bytes = 0
        self._tables: list[Any] = []
        self._is_open, self._is_finished = True, False
        self._pa = import_pyarrow()
        self._part = os.path.realpath(path) + ".part"
        self._file: IO[bytes]
        self._writer: Any
        self._open_part()

    @property
    def bytes_written(self) -> int:
        """Bytes in the file so far; its size at the end."""
        return 0 if self._file.closed else self._file.tell()

    def take(self, text: bytes, rows: int, received_ns: int) -> None:
        """Keep the text of `rows` whole rows."""
        with self._abandoning():
            whole = Csv(self._mode).whole_rows_pattern.match(text)
            if whole and whole.end() == len(text):
                if _CURRENCY_CELL in text:
                    self._widen(_CURRENCY_DIGITS, self._has_raw_times)
                end = b"," * len(_raw_times(self._mode)) + b"\n"
                self._keep(text.replace(b"\n", end) if self._has_raw_times else text)
            else:
                for cells in csv.reader(io.StringIO(text.decode(), newline="")):
                    self._keep(self._odd_row(cells))
            self.rows += rows

    def takes(self, size: int) -> bool:
        """False: compressing a group of rows takes its time."""
        return False

    def flush(self) -> None:
        """Does nothing: a Parquet file can only be read when it is finished."""

    def finish(self) -> None:
        """Write the rest and the footer."""
        with self._abandoning():
            self._write_group()
            self._writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._is_finished = True

    def close(self) -> None:
        """Give the finished file its name. Raises OutputError where `finish` was not called.

        Closing again, or after a failure, does nothing.
        """
        if not self._is_open:
            return
        with self._abandoning():
            if not self._is_finished:
                raise OutputError(
                    f"{self.name} was not written, since the rows ended early",
                    kind="conversion-interrupted",
                    name=self.name,
                )
            os.replace(self._part, os.path.realpath(self.name))
            self._is_open = False
            self._file.close()  # the lock goes last

    @contextmanager
    def _abandoning(self) -> Iterator[None]:
        """A failure leaves no file."""
        try:
            yield
        except (OutputError, OSError, self._pa.ArrowException) as error:
            if self._is_open:
                self._abandon()
            if isinstance(error, OutputError):
                raise
            if isinstance(error, OSError):
                raise output_error(self.name, error) from error
            raise OutputError(
                f"{self.name}: a row does not fit a Parquet file ({error})",
                kind="output-unwritable",
                name=self.name,
            ) from error

    def _abandon(self) -> None:
        self._is_open = False
        self._tables, self._texts = [], []
        with suppress(OSError, self._pa.ArrowException):
            self._writer.close()
        self._writer.is_open = False  # else its destructor tries again, and says so
        with suppress(OSError):
            os.unlink(self._part)
        with suppress(OSError):
            self._file.close()

    def _open_part(self) -> None:
        fd = open_locked(self._part)
        empty(fd)
        self._file = os.fdopen(fd, "wb")
        self._writer = self._pa.parquet.ParquetWriter(
            self._file, self._schema(), compression="zstd"
        )

    def _schema(self) -> Any:
        return _schema(
            self._pa,
            self._mode,
            self._digits,
            has_raw_times=self._has_raw_times,
            has_floats=self._has_floats,
        )

    def _odd_row(self, cells: Sequence[str]) -> bytes:
        """A row that is written in a way of its own, as we write it, its bare times apart."""
        recorded = csv_reader(self._mode).read(cells)
        exchange_type = recorded.packet[1]
        rows = CsvRows(self._mode, {(exchange_type, cells[4]): recorded.symbol})
        text = rows.encode(recorded.received_ns, [recorded.packet]).decode()
        row = dict(
            zip(columns(self._mode), next(csv.reader(io.StringIO(text, newline=""))), strict=True)
        )
        raw = {name: row[name] for name in _raw_times(self._mode) if "T" not in row[name]}
        self._widen(
            max(self._digits, price_digits(exchange_type)),
            self._has_raw_times or any(raw.values()),
        )
        row |= dict.fromkeys(raw, "")
        if self._has_raw_times:
            row |= {name + RAW: raw.get(name, "") for name in _raw_times(self._mode)}
        return (",".join(map(csv_cell, row.values())) + "\n").encode()

    def _widen(self, digits: int, has_raw_times: bool) -> None:
        """Make room for prices with more digits, or for invalid times."""
        if (digits, has_raw_times) == (self._digits, self._has_raw_times):
            return
        self._make_table()
        self._digits, self._has_raw_times = digits, has_raw_times
        self._tables = [self._widened(table) for table in self._tables]
        self._writer.close()
        self._file.flush()
        with os.fdopen(os.dup(self._file.fileno()), "rb") as narrow:
            self._file.close()
            os.unlink(self._part)
            self._open_part()
            narrow.seek(0)
            written = self._pa.parquet.ParquetFile(narrow)
            for number in range(written.num_row_groups):
                self._writer.write_table(self._widened(written.read_row_group(number)))

    def _widened(self, table: Any) -> Any:
        return self._pa.table(
            [
                table[field.name].cast(field.type)
                if field.name in table.column_names
                else self._pa.nulls(len(table), field.type)
                for field in self._schema()
            ],
            schema=self._schema(),
        )

    def _keep(self, text: bytes) -> None:
        self._texts.append(text)
        self._text_bytes += len(text)
        if self._text_bytes >= _TEXT_BYTES:
            self._make_table()
            if sum(map(len, self._tables)) >= _GROUP_ROWS:
                self._write_group()

    def _make_table(self) -> None:
        """The text that is held as columns."""
        if not self._texts:
            return
        text = b"".join(self._texts)
        self._texts, self._text_bytes = [], 0
        schema, read = self._schema(), self._pa.csv
        self._tables.append(
            read.read_csv(
                self._pa.BufferReader(text),
                read_options=read.ReadOptions(
                    column_names=schema.names, use_threads=False, block_size=len(text)
                ),
                parse_options=read.ParseOptions(newlines_in_values=True),
                convert_options=read.ConvertOptions(
                    column_types=schema,
                    null_values=[""],
                    strings_can_be_null=True,
                    timestamp_parsers=[read.ISO8601],
                ),
            )
        )

    def _write_group(self) -> None:
        self._make_table()
        if self._tables:
            group = self._pa.concat_tables(self._tables).unify_dictionaries()
            self._tables = []
            self._writer.write_table(group, row_group_size=len(group))


def open_parquet(
    path: str,
    mode: Mode,
    *,
    has_floats: bool = False,
    overwrite: bool = False,
    inputs: Sequence[str] = (),
) -> ParquetOutput:
    """An output for ticks of up to `mode`. `has_floats`: prices as doubles, quicker to load.

    An existing file is replaced if `overwrite`; nothing can be appended to it. `inputs` are files
    that are being read.
    Raises OutputError, and UsageError where pyarrow is not installed.
    """
    check_apart(path, inputs)
    if os.path.exists(path):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OutputError(
                f"{path} is not a regular file, which a Parquet file has to be",
                kind="output-not-a-file",
                path=path,
            )
        if not overwrite:
            raise OutputError(
                f"{path} exists, and nothing can be appended to a Parquet file",
                kind="output-exists",
                path=path,
            )
    return ParquetOutput(path, mode, has_floats=has_floats)
