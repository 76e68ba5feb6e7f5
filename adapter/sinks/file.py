"""Ticks as rows of CSV or JSON lines, in one file, pipe or terminal.

The rows of a recording that are written as this sink writes them go through as text, byte for byte;
rows of a lower mode get their empty cells; only what is in another format is read and encoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from ..errors import OutputError, PacketError
from ..files.outputs import Note, Output, Rotated, open_output
from ..instrument import InstrumentKey
from ..rows.block import RowBlock
from ..rows.columns import columns
from ..rows.decode import Recorded, received_ns_of
from ..rows.format import Csv, TickFormat
from ..tick import Mode
from ..wire.packet import token_text
from .sink import TextSink

_MOST_ROW_BYTES = 2_048
"""More than a row has: a snap row of JSON with ten levels of usual size has about 1,300."""


class RowSink(TextSink):
    """A row for each packet. `symbols` may grow; rows of recordings bring their own."""

    def __init__(
        self, row_format: TickFormat, output: Output, symbols: Mapping[InstrumentKey, str]
    ) -> None:
        super().__init__(output)
        self._format = row_format
        self._encoder = row_format.encoder(symbols)
        self._recorded_symbols: dict[InstrumentKey, str] = {}
        self._recorded_encoder = row_format.encoder(self._recorded_symbols)

    def takes(self, packets: int) -> bool:
        """Whether rows of so many packets can be written now without waiting."""
        return self._output.takes(packets * _MOST_ROW_BYTES)

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        """Take the packets of one drain. Raises PacketError for one that has no row here."""
        text = self._encoder.encode(received_ns, packets)
        self._output.take(text, len(packets), received_ns)

    def write_block(self, block: RowBlock) -> None:
        """Take rows. Raises OutputError for rows with more columns than these."""
        if block.count:
            for part in _by_second(block) if self._output.is_rotating else (block,):
                self._output.take(self._text(part), part.count, received_ns_of(part.times[0]))

    def _text(self, block: RowBlock) -> bytes:
        if block.format == self._format:
            return block.text
        if not (isinstance(block.format, Csv) and isinstance(self._format, Csv)):
            return b"".join(map(self._row, block.recorded()))
        if block.format.mode > self._format.mode:
            raise self._too_few_columns(block.format.mode)
        missing = len(columns(self._format.mode)) - len(columns(block.format.mode))
        end = b"," * missing + b"\n"
        return b"".join([line[:-1] + end for line in block.lines])

    def _row(self, recorded: Recorded) -> bytes:
        received_ns, symbol, packet = recorded
        key = packet[1], token_text(packet[2:27])
        if self._recorded_symbols.setdefault(key, symbol) != symbol:
            self._recorded_symbols[key] = symbol
            self._recorded_encoder.forget_symbols()
        try:
            return self._recorded_encoder.encode(received_ns, [packet])
        except PacketError as error:
            raise self._too_few_columns(Mode(packet[0])) from error

    def _too_few_columns(self, found: Mode) -> OutputError:
        return OutputError(
            f"{self.name}: a {found.label} row has more columns than the {self._format.label} rows"
            " to write",
            kind="output-too-few-columns",
            name=self.name,
            mode=found.label,
        )


def _by_second(block: RowBlock) -> Iterator[RowBlock]:
    """The parts of a block that were received within one second each."""
    start = 0
    for _, times in groupby(block.times, key=lambda time: time[:19]):
        end = start + sum(1 for _ in times)
        yield block.part(start, end)
        start = end


def open_sink(
    path: str,
    row_format: TickFormat,
    *,
    symbols: Mapping[InstrumentKey, str],
    note: Note,
    rotated: Rotated | None = None,
    overwrite: bool = False,
    fsync: bool = False,
    inputs: Sequence[str] = (),
) -> RowSink:
    """A sink for rows of `row_format`; `symbols` may grow.

    The rest, and what is raised: `outputs.open_output`.
    """
    output = open_output(
        path,
        row_format,
        note=note,
        rotated=rotated,
        overwrite=overwrite,
        fsync=fsync,
        inputs=inputs,
    )
    return RowSink(row_format, output, symbols)
