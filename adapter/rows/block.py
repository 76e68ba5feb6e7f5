"""A run of rows that lie one behind another in a recording: the unit that a replay moves.

Whoever needs the text takes the text; lines, times and cells are made when they are asked for.
Every row in it has been checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import compress

from ..clock import ist_time
from ..instrument import exchange_name
from ..wire.packet import decode_packet
from . import scan
from .decode import JsonReader, Recorded, csv_reader
from .scan import Form, Head


class RowBlock:
    """Rows as we write them; or, with `read`, one row that is written otherwise; or a header.

    `form` says how they are written; `text` is what lies in the file, line ends included.
    """

    def __init__(
        self,
        form: Form,
        text: bytes,
        *,
        read: Recorded | None = None,
        is_header: bool = False,
    ) -> None:
        self.form = form
        self.text = text
        self.is_header = is_header
        self._read = read

    @cached_property
    def count(self) -> int:
        """How many rows; a header is none."""
        if self.is_header:
            return 0
        return self.text.count(b"\n") if self._read is None else 1

    @cached_property
    def lines(self) -> list[bytes]:
        """The text of each row."""
        if self.is_header:
            return []
        return self.text.splitlines(keepends=True) if self._read is None else [self.text]

    @cached_property
    def times(self) -> list[bytes]:
        """`received_at` of each row without its offset: text that sorts as time."""
        if self._read is not None:
            received_at = ist_time(self._read.received_ns).replace(tzinfo=None)
            return [received_at.isoformat(timespec="microseconds").encode()]
        at = scan.received_at_of(self.form)
        return [line[at] for line in self.lines]

    @property
    def last_time(self) -> bytes:
        """`received_at` of the last row, without making the others."""
        if self._read is not None or "times" in self.__dict__:
            return self.times[-1]
        start = self.text.rfind(b"\n", 0, -1) + 1
        at = scan.received_at_of(self.form)
        return self.text[start + at.start : start + at.stop]

    @cached_property
    def heads(self) -> list[Head]:
        """The cells of each row that say which instrument it is, and its price."""
        if self._read is not None:
            return [_head(self._read)]
        return scan.heads(self.form).findall(self.text) if self.count else []

    def recorded(self) -> Iterator[Recorded]:
        """Each row as a tick."""
        if self._read is not None:
            yield self._read
        elif self.form is None:
            yield from map(JsonReader().read, self.lines)
        else:
            for line in self.lines:
                yield csv_reader(self.form).read(line.decode().rstrip("\r\n").split(","))

    def part(self, start: int, end: int) -> RowBlock:
        """The rows from number `start` up to before `end`."""
        if start <= 0 and end >= self.count:
            return self
        return self._with(self.lines[start:end], self.times[start:end])

    def where(self, wanted: Sequence[bool]) -> RowBlock:
        """The rows that are wanted."""
        if all(wanted) and not self.is_header:
            return self
        return self._with(list(compress(self.lines, wanted)), list(compress(self.times, wanted)))

    def _with(self, lines: list[bytes], times: list[bytes]) -> RowBlock:
        run = RowBlock(self.form, b"".join(lines), read=self._read if lines else None)
        run.lines, run.times, run.count = lines, times, len(lines)
        return run


def _head(read: Recorded) -> Head:
    tick = decode_packet(read.packet)
    time = tick.exchange_time
    shown = time.isoformat(timespec="milliseconds") if time is not None else ""
    volume = "" if tick.volume is None else str(tick.volume)
    cells = (shown, exchange_name(tick.exchange_type), read.symbol, tick.token, str(tick.ltp))
    return tuple(cell.encode() for cell in (*cells, volume))
