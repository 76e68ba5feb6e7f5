"""The instruments of a replay at one moment: what a dashboard shows of them.

Of each one its last row is kept, as it came; only what is shown is decoded. A block costs two
updates of a dictionary, and a replay without a dashboard does not pay for them. Of a recording with
more than `MOST_INSTRUMENTS` the first ones are shown.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from itertools import repeat
from typing import NamedTuple

from ..instrument import InstrumentKey, exchange_number
from ..quotes import Page, Quotes
from ..rows.block import MOST_INSTRUMENTS, RowBlock
from ..rows.decode import Recorded
from ..rows.format import TickFormat
from ..rows.scan import Head
from ..selection import Selection


class _LastRow(NamedTuple):
    """The last row of an instrument; it is decoded when its packet is asked for."""

    ticks: int
    row: bytes | Recorded
    row_format: TickFormat | None

    @property
    def recorded(self) -> Recorded:
        if isinstance(self.row, Recorded):
            return self.row
        assert self.row_format is not None  # noqa: S101  (text has a format)
        return self.row_format.decode(self.row)

    @property
    def packet(self) -> bytes:
        return self.recorded.packet

    @property
    def at_s(self) -> float:
        return self.recorded.received_ns / 1e9


class SeenInstruments:
    """The thread that plays adds blocks; another takes pages, without a lock: what it reads is
    copied in one step."""

    def __init__(self) -> None:
        self._ticks: Counter[Head] = Counter()
        self._last: dict[Head, tuple[bytes | Recorded, TickFormat | None]] = {}
        self._keys: dict[Head, InstrumentKey] = {}
        self._symbols: dict[InstrumentKey, str] = {}
        self._quotes = Quotes(self._symbols)

    def add(self, block: RowBlock) -> None:
        """Take note of rows, in their order."""
        if not block.count:
            return
        keys = [head[1:4] for head in block.heads]
        rows = list(zip(keys, zip(block.originals, repeat(block.format)), strict=False))
        if len(self._last) >= MOST_INSTRUMENTS:
            rows = [row for row in rows if row[0] in self._last]
            keys = [key for key, _ in rows]
        self._ticks.update(keys)
        self._last.update(rows)

    @property
    def total(self) -> int:
        """How many there are so far."""
        return len(self._last)

    def page(self, selection: Selection, now_ns: int, looked_at_s: float) -> Page:
        """Those that are selected, in the order in which they came. Ages are those at `now_ns`, in
        the time of the recording; `looked_at_s` is the viewer's."""
        seen = {
            self._key(head): _LastRow(self._ticks[head], *last)
            for head, last in self._last.copy().items()
        }
        return self._quotes.page(list(seen), seen, selection, now_ns / 1e9, looked_at_s)

    def _key(self, head: Head) -> InstrumentKey:
        key = self._keys.get(head)
        if key is None:
            exchange, symbol, token = (cell.decode() for cell in head)
            key = self._keys[head] = (exchange_number(exchange) or 0, token)
            self._symbols[key] = _unescaped(symbol)
        return key


def _unescaped(cell: str) -> str:
    """A cell of JSON lines has escapes, if with any; one of CSV has none."""
    with suppress(ValueError):
        return str(json.loads(f'"{cell}"')) if "\\" in cell else cell
    return cell
