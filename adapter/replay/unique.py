"""Several recordings of one feed as one, without the rows that another holds already. Pure.

Rules
- Rows are the same tick when their packets are equal: all cells but `received_at` and `symbol`.
- A packet with a sequence number is one tick, however often it comes, in whichever recording: a
  feed that restarts sends the last packet of each instrument once more.
- Where the sequence is 0 (an index), the n-th of equal packets in one recording is the n-th in
  another: as many are kept as the recording with the most has.
- Rows come in the order of `received_at`, and the first one of a tick is kept. So the recorders'
  clocks have to agree better than an instrument's ticks follow each other.
- Memory is bounded by `WINDOW_S`: a packet is recognized when its equal came within that time (of
  the recordings), and the last packet of an instrument however long ago it came; the instruments
  have a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

from ..rows.block import RecordedBlock, RowBlock, check_number_of_instruments
from ..rows.decode import received_ns_of
from ..rows.format import Csv
from ..tick import Mode

WINDOW_S = 60

_Counts: TypeAlias = dict[int, int] | None
"""How often each recording had a packet; None for one with a sequence number."""
_NEW = object()
_NOT_AS_WE_WRITE = re.compile(rb",0[0-9]|\.0[,\n]|[0-9]e[-+]")
"""Numbers that may be written otherwise elsewhere: such rows are compared by their packets."""


class UniqueFilter:
    """Keeps what no earlier row held. Rows of several recordings, merged, each with its number."""

    def __init__(self) -> None:
        self._encoder = Csv(Mode.SNAP).encoder({})
        # Packets by their hash, in two generations: `_older` is forgotten when `_recent` is full.
        self._recent: dict[int, _Counts] = {}
        self._older: dict[int, _Counts] = {}
        self._last: dict[tuple[bytes, ...], tuple[int, _Counts]] = {}
        self._second = b""
        self._forget_at_s = 0

    @property
    def remembered(self) -> int:
        """Packets of the window that are remembered."""
        return len(self._recent) + len(self._older)

    def of(self, block: RowBlock, recording: int) -> RowBlock:
        """The rows of `block` that are new. Raises RecordingError for too many instruments."""
        if not block.count:
            return block
        self._forget(block.times[0])
        return block.where([self._is_new(line, recording) for line in self._lines(block)])

    def _lines(self, block: RowBlock) -> Iterable[bytes]:
        """The rows as this program writes them in CSV: equal where the packets are."""
        is_text = isinstance(block.format, Csv) and not isinstance(block, RecordedBlock)
        if is_text and not _NOT_AS_WE_WRITE.search(block.text):
            return block.lines
        encode = self._encoder.encode
        return [encode(each.received_ns, [each.packet]) for each in block.recorded()]

    def _is_new(self, line: bytes, recording: int) -> bool:
        _, time, exchange, _, token, mode, sequence, rest = line.split(b",", 7)
        # The empty cells at the end depend on the columns of the file, not on the packet.
        key = hash((time, exchange, token, mode, sequence, rest.rstrip(b",\n")))
        instrument = exchange, token, mode
        known = self._recent.get(key, _NEW)
        if known is _NEW:
            known = self._older.get(key, _NEW)
        if known is _NEW:
            last_key, last = self._last.get(instrument, (None, None))
            known = last if last_key == key else _NEW
        counts: _Counts = None
        is_new = known is _NEW
        if sequence == b"0":
            counts = known if isinstance(known, dict) else {}
            count = counts.get(recording, 0) + 1
            is_new = all(count > other for other in counts.values())
            counts[recording] = count
        self._recent[key] = counts
        self._last[instrument] = key, counts
        check_number_of_instruments(len(self._last))
        return is_new

    def _forget(self, time: bytes) -> None:
        second = time[:19]
        if second == self._second:
            return
        self._second = second
        now_s = received_ns_of(time) // 10**9
        left_s = self._forget_at_s - now_s
        if 0 < left_s <= WINDOW_S:
            return
        is_long_ago = not -WINDOW_S < left_s <= 0  # a gap, or a clock that was set back
        self._older = {} if is_long_ago else self._recent
        self._recent = {}
        self._forget_at_s = now_s + WINDOW_S
