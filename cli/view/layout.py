"""The layout of a screen of a given size: how many lines each part has. Pure.

The numbers depend on the size alone, so that nothing jumps while figures change, and so that a
snapshot can be asked for exactly the rows that will be shown.

Rules
- Below 20 x 5 there is the verdict alone.
- Below 60 columns the verdict has a second line for its facts, the figures two, and the table has
  symbol, price and change.
- The table has what is left. It is set in blocks side by side where its rows do not fit in one.
- The last events are above the foot; on a wide screen in a column at the right.
"""

from __future__ import annotations

from typing import NamedTuple

_NARROW_WIDTH = 60
_SIDE_WIDTH = 170
_LEAST_BLOCK = 47
BLOCK_GAP = 3
"""A line between two blocks, with a blank on each side."""


class Layout(NamedTuple):
    """Lines of each part: `head` (verdict), `tiles`, `table` (its heading included), `events`,
    `calm`; whether there are `rules` and a line of `keys`. `side` is the width of the events'
    column, 0 without one."""

    width: int
    head: int
    tiles: int = 0
    has_rules: bool = False
    table: int = 0
    events: int = 0
    calm: int = 0
    has_keys: bool = False
    side: int = 0

    @property
    def is_narrow(self) -> bool:
        return self.width < _NARROW_WIDTH

    @property
    def table_width(self) -> int:
        return self.width - self.side - BLOCK_GAP if self.side else self.width

    @property
    def blocks(self) -> int:
        """How many blocks of the table fit side by side at most."""
        return max(1, (self.table_width + BLOCK_GAP) // (_LEAST_BLOCK + BLOCK_GAP))

    @property
    def rows(self) -> int:
        """Lines for instruments, below the heading."""
        return max(0, self.table - 1)

    @property
    def capacity(self) -> int:
        """How many instruments can be shown."""
        return self.rows * self.blocks

    @property
    def chain_rows(self) -> int:
        """Lines for strikes, below a title and a heading."""
        return max(0, self.table - 2)


def layout_of(width: int, height: int, *, has_keys: bool) -> Layout:
    """How a screen of this size is divided."""
    if width < 20 or height < 5:
        return Layout(width, head=min(1, max(0, height)))
    if width < _NARROW_WIDTH:
        parts = _narrow(width, height, has_keys=has_keys)
    elif height < 12:
        parts = Layout(width, head=1, tiles=2, has_keys=has_keys and height >= 8)
    elif height < 20:
        parts = Layout(width, head=1, tiles=3, has_rules=True, calm=1, has_keys=has_keys)
    else:
        parts = _whole(width, height, has_keys=has_keys)
    rules = 0 if not parts.has_rules else 3 if parts.calm and height >= 20 else 2
    taken = parts.head + parts.tiles + rules + parts.events + parts.calm + parts.has_keys
    return parts._replace(table=max(0, height - taken))


def _narrow(width: int, height: int, *, has_keys: bool) -> Layout:
    is_tall = height >= 10
    return Layout(
        width,
        head=2 if is_tall else 1,
        tiles=2,
        has_rules=is_tall,
        has_keys=has_keys and is_tall,
    )


def _whole(width: int, height: int, *, has_keys: bool) -> Layout:
    side = width // 4 if width >= _SIDE_WIDTH else 0
    return Layout(
        width,
        head=1,
        tiles=3,
        has_rules=True,
        events=0 if side else 3 if height < 30 else 5 if height < 45 else 8,
        calm=2 if width < 120 else 1,
        has_keys=has_keys,
        side=side,
    )
