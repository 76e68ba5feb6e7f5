"""The bars that a file has already: none is written twice, and the current one is continued.

Rules
- A bar that a file has (start and instrument) is not written there again. The file is read once,
  when it is opened.
- Where a stream is started again within a bar, the rows of that bar at the end of the file are
  taken back with the first bar that leaves, and are written again as one bar with what the stream
  has seen: its open is the first run's, its volume and ticks are those of both. Rows in a
  compressed file stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ..errors import RecordingError
from ..files.inputs import Input, TornInputError
from ..instrument import InstrumentKey
from ..rows.candle_text import CandleFormat
from ..rows.candles import DAY_MS, IST_MS, Candle

_LONGEST_LINE = 1 << 16


class WrittenBars:
    """What the files of one output hold. `goes_on_at_ms`: bars that end later go on; None: none."""

    def __init__(self, width_s: int, candles: CandleFormat, goes_on_at_ms: int | None) -> None:
        self.skipped = 0
        """Bars that were not written again."""
        self.surplus = 0
        """Bytes at the end of the file whose bars go on."""
        self.begun: dict[tuple[int, InstrumentKey], Candle] = {}
        """Those bars."""
        self.between: list[Candle] = []
        """Complete bars in those bytes."""
        self._width_ms = width_s * 1000
        self._format = candles
        self._goes_on_at_ms = goes_on_at_ms
        self._starts: defaultdict[tuple[int, InstrumentKey], int] = defaultdict(int)
        """By day and instrument: a bit for each bar of the day."""

    def read(self, path: str) -> None:
        """Take note of the bars in a file that is appended to. Raises RecordingError."""
        can_go_on = not path.endswith(".gz")
        last: list[bytes] = []
        for line in _lines(path):
            try:
                start_ms, key = self._format.place(line)
            except RecordingError:  # the header, or a line of something else
                last = []
                continue
            self._mark(start_ms, key)
            if last or (can_go_on and self._goes_on(start_ms)):
                last.append(line)
        for candle in map(self._format.candle, last):
            if self._goes_on(candle.start_ms):
                self.begun[candle.start_ms, candle.key] = candle
            else:
                self.between.append(candle)
        self.surplus = sum(map(len, last))
        self._goes_on_at_ms = None  # of the first file alone

    def taken_back(self) -> list[Candle]:
        """The complete bars of the surplus, which is taken back now."""
        between, self.between, self.surplus = self.between, [], 0
        return between

    def untouched(self, candles: Sequence[Candle]) -> list[Candle]:
        """The bars that were taken back, but for those that go on in `candles`, the last ones."""
        if self.surplus and not candles:
            return []
        going_on = {(candle.start_ms, candle.key) for candle in candles}
        left = sorted(self.begun.keys() - going_on)
        return [self.begun.pop(place) for place in left]

    def new(self, candles: Sequence[Candle]) -> list[Candle]:
        """Those that are to be written, as they are to be."""
        rows = []
        for candle in candles:
            place = candle.start_ms, candle.key
            begun = self.begun.pop(place, None)
            if begun is not None:
                rows.append(_joined(begun, candle))
            elif self._has(*place):
                self.skipped += 1
            else:
                self._mark(*place)
                rows.append(candle)
        return rows

    def _has(self, start_ms: int, key: InstrumentKey) -> bool:
        day, number = self._place(start_ms)
        return bool(self._starts.get((day, key), 0) >> number & 1)

    def _mark(self, start_ms: int, key: InstrumentKey) -> None:
        day, number = self._place(start_ms)
        self._starts[day, key] |= 1 << number

    def _place(self, start_ms: int) -> tuple[int, int]:
        day, in_day_ms = divmod(start_ms + IST_MS, DAY_MS)
        return day, in_day_ms // self._width_ms

    def _goes_on(self, start_ms: int) -> bool:
        next_day_ms = (self._place(start_ms)[0] + 1) * DAY_MS - IST_MS
        end_ms = next_day_ms if self._width_ms == DAY_MS else start_ms + self._width_ms
        return self._goes_on_at_ms is not None and end_ms > self._goes_on_at_ms


def _lines(path: str) -> Iterator[bytes]:
    rest = b""
    with suppress(TornInputError):
        for block in Input(path).blocks():
            *lines, rest = (rest + block).split(b"\n")
            rest = rest[-_LONGEST_LINE:]  # what is longer is no bar
            yield from (line + b"\n" for line in lines)


def _joined(begun: Candle, now: Candle) -> Candle:
    """A bar of two runs."""
    return now._replace(
        open=begun.open,
        high=max(begun.high, now.high),
        low=min(begun.low, now.low),
        volume=_sum(begun.volume, now.volume),
        ticks=begun.ticks + now.ticks,
        blind_ms=_sum(begun.blind_ms, now.blind_ms),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
