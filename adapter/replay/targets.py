"""Where the rows of a recording go: as they lie there, as another format, or as candles.

Rows that are written as the target writes them go through as text, byte for byte; rows of a lower
mode get their empty cells; only what is in another format is read and written anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Protocol

from ..errors import OutputError, PacketError
from ..files.outputs import Output
from ..instrument import InstrumentKey
from ..rows.block import RowBlock
from ..rows.columns import columns
from ..rows.decode import received_ns_of
from ..rows.encode import CsvRows, JsonRows
from ..rows.scan import Form
from ..sinks.candles import CandleWriter
from ..tick import Mode
from ..wire.packet import token_text


class Target(Protocol):
    """Takes runs, in order. Raises OutputError."""

    @property
    def output(self) -> Output:
        """What it writes to."""
        ...

    def take(self, run: RowBlock) -> None: ...

    def flush(self) -> None:
        """Write what was taken."""
        ...

    def close(self) -> None:
        """Write the rest and let go."""
        ...


class RowTarget:
    """Rows of `form`. With `keeps_headers`, those in the midst of a recording are passed on, unless
    the output rotates and begins files of its own."""

    def __init__(self, form: Form, output: Output, *, keeps_headers: bool) -> None:
        self.output = output
        self.flush = output.flush
        self.close = output.close
        self._form = form
        self._keeps_headers = keeps_headers and not output.is_rotating
        self._symbols: dict[InstrumentKey, str] = {}
        self._encoder = JsonRows(self._symbols) if form is None else CsvRows(form, self._symbols)

    def take(self, run: RowBlock) -> None:
        if run.count:
            for part in _by_second(run) if self.output.is_rotating else (run,):
                self.output.take(self._text(part), part.count, received_ns_of(part.times[0]))
        elif self._keeps_headers and self._form is not None:
            self.output.take(run.text, 0, 0)

    def _text(self, run: RowBlock) -> bytes:
        if run.form == self._form or (self._keeps_headers and None not in (run.form, self._form)):
            return run.text
        if run.form is None or self._form is None:
            return b"".join(self._written_anew(run))
        if run.form > self._form:
            raise _too_rich(run.form, self._form)
        surplus = b"," * (len(columns(self._form)) - len(columns(run.form))) + b"\n"
        return b"".join([line.rstrip(b"\r\n") + surplus for line in run.lines])

    def _written_anew(self, run: RowBlock) -> Iterator[bytes]:
        for received_ns, symbol, packet in run.recorded():
            key = packet[1], token_text(packet[2:27])
            if self._symbols.setdefault(key, symbol) != symbol:
                self._symbols[key] = symbol
                self._encoder.forget_symbols()
            try:
                yield self._encoder.encode(received_ns, [packet])
            except PacketError as error:
                raise _too_rich(Mode(packet[0]), self._form) from error


class CandleTarget:
    """Bars of the rows, each written when the recording is past its end."""

    def __init__(self, writer: CandleWriter) -> None:
        self.output = writer.output
        self.close = writer.finish
        self._writer = writer

    @property
    def late(self) -> int:
        """Ticks that are in no bar."""
        return self._writer.maker.late

    def take(self, run: RowBlock) -> None:
        if run.count:
            self._writer.add_run(run)

    def flush(self) -> None:
        self._writer.write(self._writer.maker.take_due())
        self.output.flush()


def _by_second(run: RowBlock) -> Iterator[RowBlock]:
    """The parts of a run that were received within one second each."""
    start = 0
    for _, times in groupby(run.times, key=lambda time: time[:19]):
        end = start + sum(1 for _ in times)
        yield run.part(start, end)
        start = end


def _too_rich(found: Mode, form: Form) -> OutputError:
    had = form.label if form is not None else "jsonl"
    return OutputError(
        f"a {found.label} row has more columns than the {had} rows to write",
        remedy=f"give the output all columns with --mode {found.label}",
    )
