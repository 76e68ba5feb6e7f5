"""Which rows of a recording are wanted: from a time, up to a time, of some instruments. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..instrument import exchange_number
from ..instruments.naming import Wanted, folded, read_name
from ..rows.block import RowBlock
from ..rows.scan import Head

_DAY = len("2026-11-20T")
_EQUITY = "-EQ"
_INDEX_NAMES = {
    "99926000": "NIFTY",
    "99926009": "BANKNIFTY",
    "99926037": "FINNIFTY",
    "99926074": "MIDCPNIFTY",
    "99926017": "INDIAVIX",
    "99919000": "SENSEX",
}
"""What people call an index by its token: its symbol is another. Source: protocol.md, section 4."""


class RowFilter:
    """`start` (inclusive) and `end` (exclusive) are Indian times as text, "" for none: a full
    `2026-11-20T09:15:00.000000`, or a time of day `09:15:00.000000`, which counts on each day.

    `names` holds what is wanted with its spellings: `NSE:SBIN`, `sbin`, `SBIN-EQ`, `3045`.
    """

    def __init__(
        self, *, start: str = "", end: str = "", names: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._start, self._end = start.encode(), end.encode()
        self._wanted = {
            name: [read_name(spelling) for spelling in spellings]
            for name, spellings in (names or {}).items()
        }
        self._unseen = dict.fromkeys(self._wanted)
        self._known: dict[Head, bool] = {}

    @property
    def takes_all(self) -> bool:
        """Whether no row is filtered out."""
        return not (self._start or self._end or self._wanted)

    @property
    def unseen(self) -> list[str]:
        """The names that no row had so far."""
        return list(self._unseen)

    def of(self, block: RowBlock) -> RowBlock:
        """The rows of `block` that are wanted."""
        if self._start:
            start, cut = self._start, self._cut(self._start)
            block = block.where([time[cut:] >= start for time in block.times])
        if self._end:
            end, cut = self._end, self._cut(self._end)
            block = block.where([time[cut:] < end for time in block.times])
        if self._wanted:
            block = block.where([self._is_named(head) for head in block.heads])
        return block

    @staticmethod
    def _cut(bound: bytes) -> int:
        """Where in a full time the part begins that is compared."""
        return 0 if b"T" in bound else _DAY

    def _is_named(self, head: Head) -> bool:
        named = head[1:4]
        known = self._known.get(named)
        if known is None:
            known = self._known[named] = self._matches(*(cell.decode() for cell in named))
        return known

    def _matches(self, exchange: str, symbol: str, token: str) -> bool:
        keys = {folded(symbol), folded(symbol.upper().removesuffix(_EQUITY)), folded(token)}
        keys.add(_INDEX_NAMES.get(token, ""))
        exchange_type = exchange_number(exchange)
        matching = [
            name
            for name, spellings in self._wanted.items()
            if any(each.key in keys and _is_on(each, exchange_type) for each in spellings)
        ]
        for name in matching:
            self._unseen.pop(name, None)
        return bool(matching)


def _is_on(wanted: Wanted, exchange_type: int | None) -> bool:
    return wanted.exchange_type in (None, exchange_type)
