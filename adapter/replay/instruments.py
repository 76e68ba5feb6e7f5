"""The instruments of a replay as they stand: what a dashboard shows of them.

Of each one its last row is kept, as it came; only what is shown is decoded. A block costs two
updates of a dictionary, and a replay that nobody looks at has none of this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import repeat

from ..rows.block import RowBlock
from ..rows.decode import Recorded
from ..rows.format import TickFormat
from ..rows.scan import Head
from ..snapshot import InstrumentSnapshot, activity, instrument_snapshot


class SeenInstruments:
    """The thread that plays adds blocks; any other takes snapshots, without a lock: what it reads
    is copied in one step."""

    def __init__(self) -> None:
        self._ticks: Counter[Head] = Counter()
        self._last: dict[Head, tuple[bytes | Recorded, TickFormat | None]] = {}

    def add(self, block: RowBlock) -> None:
        """Take note of rows, in their order."""
        if not block.count:
            return
        keys = [head[1:4] for head in block.heads]
        self._ticks.update(keys)
        self._last.update(zip(keys, zip(block.originals, repeat(block.format)), strict=False))

    @property
    def total(self) -> int:
        """How many there are so far."""
        return len(self._last)

    def snapshot(self, most: int, now_ns: int) -> tuple[InstrumentSnapshot, ...]:
        """The `most` active of them; ages are those at `now_ns`, in the time of the recording."""
        last = self._last.copy()
        by_activity = sorted(last, key=lambda key: -activity(self._ticks[key]))
        return tuple(self._shown(by_activity[:most], last, now_ns))

    def _shown(
        self,
        keys: list[Head],
        last: dict[Head, tuple[bytes | Recorded, TickFormat | None]],
        now_ns: int,
    ) -> Iterator[InstrumentSnapshot]:
        for key in keys:
            row, row_format = last[key]
            if not isinstance(row, Recorded):
                assert row_format is not None  # noqa: S101  (text has a format)
                row = row_format.decode(row)
            age_s = max(0.0, (now_ns - row.received_ns) / 1e9)
            yield instrument_snapshot(row.packet, row.symbol, self._ticks[key], age_s)
