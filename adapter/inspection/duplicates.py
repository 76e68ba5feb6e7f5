"""Rows that are equal to an earlier row of the recording. Pure.

Rules
- Rows are equal when all their cells are, `received_at` included; so they are of one instrument.
  A packet that the broker sent again was received at another time, and is a row of its own.
- Equal rows have an equal time, so a row is compared with those of its minute, by 64-bit hashes.
  A minute may come again (a file joined to another, a clock that was set back): the hashes of the
  last `MOST_ROWS` rows are kept, eight bytes each (a minute counts as twenty more rows). A row
  that repeats one from before those is not found; nor, in a flood, one of its minute from more than
  `MOST_OF_A_MINUTE` rows before.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence

MOST_ROWS = 2_000_000
MOST_OF_A_MINUTE = 250_000
_ROWS_FOR_A_MINUTE = 20


class Duplicates:
    """Counts them: `count`."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self.count = 0
        self._most_rows = most_rows
        self._minute = b""
        self._hashes: set[int] = set()
        self._earlier: dict[bytes, array[int]] = {}
        """Hashes by minute, those of the minute that was left last at the end."""
        self._kept = 0

    def add(self, minute: bytes, rows: Sequence[Hashable]) -> None:
        """Take rows of one minute of `received_at`."""
        if minute != self._minute:
            self._turn_to(minute)
        before = len(self._hashes)
        self._hashes.update(map(hash, rows))
        self.count += before + len(rows) - len(self._hashes)
        if len(self._hashes) > MOST_OF_A_MINUTE:
            self._hashes.clear()

    def _turn_to(self, minute: bytes) -> None:
        if self._hashes:
            self._earlier[self._minute] = array("q", self._hashes)
            self._kept += len(self._hashes) + _ROWS_FOR_A_MINUTE
        again = self._forget(minute) if minute in self._earlier else ()
        while self._kept > self._most_rows:
            self._forget(next(iter(self._earlier)))
        self._minute = minute
        self._hashes = set(again)

    def _forget(self, minute: bytes) -> array[int]:
        hashes = self._earlier.pop(minute)
        self._kept -= len(hashes) + _ROWS_FOR_A_MINUTE
        return hashes
