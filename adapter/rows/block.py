"""Consecutive rows of a recording: the unit that a replay moves. Pure.

The text is there as it is; lines, times and cells are made when they are asked for.
Every row in a block has been checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import compress

from ..clock import ist_time
from ..errors import RecordingError
from ..instrument import exchange_name
from ..wire.packet import decode_packet
from .decode import Recorded
from .format import TickFormat
from .scan import Head

MOST_INSTRUMENTS = 250_000
"""Of recordings, where something is kept of each, 1 to 3 kB: more than the broker lists at a time,
and eighty times what a client code can record."""


def check_number_of_instruments(number: int) -> None:
    """Raises RecordingError (kind "too-many-instruments") past `MOST_INSTRUMENTS`."""
    if number > MOST_INSTRUMENTS:
        raise RecordingError(
            f"there are rows of more than {MOST_INSTRUMENTS:,} instruments",
            kind="too-many-instruments",
            most=MOST_INSTRUMENTS,
        )


class RowBlock:
    """Rows as we write them in `format`; `text` is all of them, each with its line end."""

    def __init__(self, format: TickFormat, text: bytes) -> None:  # noqa: A002
        self.format: TickFormat | None = format
        self.text = text
        self._format = format

    @cached_property
    def count(self) -> int:
        """How many rows."""
        return self.text.count(b"\n")

    @cached_property
    def lines(self) -> list[bytes]:
        """The text of each row."""
        return self.text.splitlines(keepends=True)

    @cached_property
    def times(self) -> list[bytes]:
        """`received_at` of each row without its offset: text that sorts as time."""
        at = self._format.received_at
        return [line[at] for line in self.lines]

    @property
    def first_time(self) -> bytes:
        """`received_at` of the first row, without making the others."""
        at = self._format.received_at
        return self.text[at.start : at.stop]

    @property
    def last_time(self) -> bytes:
        """`received_at` of the last row, without making the others."""
        if "times" in self.__dict__:
            return self.times[-1]
        start = self.text.rfind(b"\n", 0, -1) + 1
        at = self._format.received_at
        return self.text[start + at.start : start + at.stop]

    @cached_property
    def heads(self) -> list[Head]:
        """The cells of each row that say which instrument it is, and its price."""
        return self._format.heads_pattern.findall(self.text) if self.count else []

    @property
    def originals(self) -> Sequence[bytes | Recorded]:
        """Each row as it came: text in `format`, or a tick."""
        return self.lines

    def recorded(self) -> Iterator[Recorded]:
        """Each row as a tick."""
        return map(self._format.decode, self.lines)

    def part(self, start: int, end: int) -> RowBlock:
        """The rows from number `start` up to before `end`."""
        if start <= 0 and end >= self.count:
            return self
        return self._with(self.lines[start:end], self.times[start:end])

    def where(self, wanted: Sequence[bool]) -> RowBlock:
        """The rows that are wanted."""
        if all(wanted):
            return self
        return self._with(list(compress(self.lines, wanted)), list(compress(self.times, wanted)))

    def _with(self, lines: list[bytes], times: list[bytes]) -> RowBlock:
        block = RowBlock(self._format, b"".join(lines))
        block.lines, block.times, block.count = lines, times, len(lines)
        return block


class RecordedBlock(RowBlock):
    """Rows that came as packets; or, with `format` and `text`, a row that is written in a way of
    its own (quoted cells, a bare integer for a time)."""

    def __init__(
        self,
        recorded: Sequence[Recorded],
        format: TickFormat | None = None,  # noqa: A002
        text: bytes = b"",
    ) -> None:
        self.format = format
        self.text = text
        self._recorded = recorded
        self.count = len(recorded)

    @cached_property
    def times(self) -> list[bytes]:
        return [_time_text(each.received_ns) for each in self._recorded]

    @property
    def first_time(self) -> bytes:
        return _time_text(self._recorded[0].received_ns)

    @property
    def last_time(self) -> bytes:
        return _time_text(self._recorded[-1].received_ns)

    @cached_property
    def heads(self) -> list[Head]:
        return [_head(each) for each in self._recorded]

    @property
    def originals(self) -> Sequence[bytes | Recorded]:
        return self._recorded

    def recorded(self) -> Iterator[Recorded]:
        return iter(self._recorded)

    def part(self, start: int, end: int) -> RowBlock:
        if start <= 0 and end >= self.count:
            return self
        return RecordedBlock(self._recorded[start:end])

    def where(self, wanted: Sequence[bool]) -> RowBlock:
        if all(wanted):
            return self
        return RecordedBlock(list(compress(self._recorded, wanted)))


def _time_text(received_ns: int) -> bytes:
    received_at = ist_time(received_ns).replace(tzinfo=None)
    return received_at.isoformat(timespec="microseconds").encode()


def _head(recorded: Recorded) -> Head:
    tick = decode_packet(recorded.packet)
    time = tick.exchange_time
    shown = time.isoformat(timespec="milliseconds") if time is not None else ""
    volume = "" if tick.volume is None else str(tick.volume)
    cells = (shown, exchange_name(tick.exchange_type), recorded.symbol, tick.token, str(tick.ltp))
    return tuple(cell.encode() for cell in (*cells, volume))
