"""Which instruments of many are shown, and in which order. Pure.

Rules
- A page is cut before any packet is decoded: filter and order need names and counts alone, and the
  order by change two fields of each packet. A look at 3,000 instruments must cost next to nothing.
- `auto` is the order typed while all that match fit a page, else the most active first.
- What never ticked comes last where the order is by activity or by change.
- A page is full where there is enough to fill it: one that begins too far down is moved up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from .instrument import InstrumentKey, exchange_name
from .wire.packet import price_and_close


class Sort(StrEnum):
    """How instruments are ordered. `auto`: as typed while all fit, else the most active first."""

    AUTO = "auto"
    SYMBOL = "symbol"
    CHANGE = "change"
    ACTIVITY = "activity"


TYPED = "typed"
"""The order of a page where `auto` is the order typed."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A page of instruments: `most` of them from number `first` on, of those that match `text`.

    `chain_rows`: strikes of each option chain, `chain_offset` rows from the money.
    """

    most: int = 20
    first: int = 0
    sort: Sort = Sort.AUTO
    text: str = ""
    chain_rows: int = 0
    chain_offset: int = 0


SOME, NONE = Selection(), Selection(most=0)
"""A few instruments, by default; and none."""


class Seen(Protocol):
    """An instrument so far: how many packets, the last one, and when it came (monotonic)."""

    @property
    def ticks(self) -> int: ...
    @property
    def packet(self) -> bytes: ...
    @property
    def at_s(self) -> float: ...


class SeenNow(NamedTuple):
    """The same as values."""

    ticks: int
    packet: bytes
    at_s: float


class Chosen(NamedTuple):
    """A page of keys, the number of its first, how many match, and the order they are in."""

    keys: Sequence[InstrumentKey]
    first: int
    matching: int
    order: str


def chosen(
    keys: Sequence[InstrumentKey],
    seen: Mapping[InstrumentKey, Seen],
    symbols: Mapping[InstrumentKey, str],
    selection: Selection,
) -> Chosen:
    """The page of `keys` (in the order typed) that `selection` asks for."""
    words = selection.text.upper().split()
    found = [key for key in keys if _matches(key, symbols, words)] if words else list(keys)
    order: str = selection.sort
    if selection.sort is Sort.AUTO:
        order = TYPED if len(found) <= selection.most else Sort.ACTIVITY
    if order == Sort.ACTIVITY:
        levels = {key: -activity(one.ticks) for key, one in seen.items()}
        found.sort(key=lambda key: levels.get(key, 1))
    elif order == Sort.SYMBOL:
        found.sort(key=lambda key: (symbols.get(key) or key[1]).upper())
    elif order == Sort.CHANGE:
        found.sort(key=lambda key: -_change(seen.get(key)))
    first = max(0, min(selection.first, len(found) - selection.most))
    return Chosen(found[first : first + selection.most], first, len(found), order)


def activity(ticks: int) -> int:
    """A count in steps of a fifth or so: what is sorted by it keeps its place from look to look."""
    return (ticks * ticks * ticks * ticks).bit_length()


def _matches(
    key: InstrumentKey, symbols: Mapping[InstrumentKey, str], words: Sequence[str]
) -> bool:
    """Whether every word is part of the name, such as `NSE:RELIANCE-EQ`."""
    name = f"{exchange_name(key[0])}:{symbols.get(key) or key[1]}".upper()
    return all(word in name for word in words)


def _change(seen: Seen | None) -> float:
    """The change since the last close; minus infinity where none is known."""
    price, close = price_and_close(seen.packet) if seen is not None and seen.ticks else (0, 0)
    return price / close if close else -math.inf
