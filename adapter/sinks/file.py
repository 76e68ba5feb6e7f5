"""Where ticks go, as rows of CSV or JSON lines. The outputs themselves: outputs.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..files.outputs import Note, Output, Rotated, open_output
from ..instrument import InstrumentKey
from ..rows.encode import CsvRows, JsonRows
from ..tick import Mode


class Sink(Protocol):
    """Takes the packets of drains, in order.

    `write` raises PacketError for a packet that has no row here; the others OutputError, and
    ReaderLeftError when the reader of a pipe left.
    """

    @property
    def name(self) -> str:
        """What the user called it: the path, or `stdout`."""
        ...

    @property
    def rows(self) -> int:
        """Rows wholly written."""
        ...

    @property
    def bytes_written(self) -> int:
        """Bytes in the file or pipe, as they lie there (compressed, headers included)."""
        ...

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        """Take the packets of one drain (`rows.CsvRows.encode` says which are fit)."""
        ...

    def flush(self) -> None:
        """Write what was taken."""
        ...

    def close(self) -> None:
        """Flush and let go. Closing again, or after a failure, does nothing."""
        ...


class RowSink:
    """A row for each packet, into one output."""

    def __init__(self, rows: CsvRows | JsonRows, output: Output) -> None:
        self._encoder = rows
        self._output = output
        self.flush = output.flush
        self.close = output.close

    @property
    def name(self) -> str:
        return self._output.name

    @property
    def rows(self) -> int:
        return self._output.rows

    @property
    def bytes_written(self) -> int:
        return self._output.bytes_written

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        text = self._encoder.encode(received_ns, packets)
        self._output.take(text, len(packets), received_ns)


def rows_of(
    rows_format: str, mode: Mode, symbols: Mapping[InstrumentKey, str]
) -> CsvRows | JsonRows:
    """The encoder of a format: `csv` (rows of up to `mode`) or `jsonl`."""
    return CsvRows(mode, symbols) if rows_format == "csv" else JsonRows(symbols)


def open_sink(
    path: str,
    rows_format: str,
    *,
    mode: Mode,
    symbols: Mapping[InstrumentKey, str],
    note: Note,
    rotated: Rotated | None = None,
    overwrite: bool = False,
    fsync: bool = False,
) -> Sink:
    """A sink for `csv` or `jsonl` rows of up to `mode`; `symbols` may grow.

    The rest, and what is raised: `outputs.open_output`.
    """
    rows = rows_of(rows_format, mode, symbols)
    output = open_output(
        path, rows.kind, note=note, rotated=rotated, overwrite=overwrite, fsync=fsync
    )
    return RowSink(rows, output)
