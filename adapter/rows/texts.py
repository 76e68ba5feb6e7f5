"""Texts of values that come again, kept in bounded memories; a new one is made without a detour.

How much is kept was measured (benchmarks/encode.py). With less, the texts of a busy market are
forgotten before they come again; with more, they leave the processor's cache, which costs a
drain of one packet more than making them again. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from ..clock import IST

CALENDAR_END_S = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=IST).timestamp()) + 1
"""The first second that no calendar holds."""

_MOST_OF_INSTRUMENTS = 1 << 15
_MOST_NUMBERS = 1 << 14
_MOST_TIMES = 1 << 10

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Memory(dict[_Key, _Value]):
    """What `make` made of a key: for what each instrument has one of, or the day few of."""

    def __init__(self, make: Callable[[_Key], _Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: _Key) -> _Value:
        if len(self) >= _MOST_OF_INSTRUMENTS:
            self.clear()
        value = self[key] = self._make(key)
        return value


class Prices(dict[int, str]):
    """The texts of prices in the broker's unit: exact, with `digits` digits after the point."""

    def __init__(self, digits: int) -> None:
        super().__init__()
        self._unit, self._width = 10**digits, f"0{digits}d"

    def __missing__(self, price: int) -> str:
        if len(self) >= _MOST_NUMBERS:
            self.clear()
        whole, fraction = divmod(abs(price), self._unit)
        text = f"{'-' if price < 0 else ''}{whole}.{fraction:{self._width}}"
        self[price] = text
        return text


class Wrapped(dict[int, str]):
    """The texts of integers between two others."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__()
        self._before, self._after = before, after

    def __missing__(self, number: int) -> str:
        if len(self) >= _MOST_NUMBERS:
            self.clear()
        text = self[number] = f"{self._before}{number}{self._after}"
        return text


class ExchangeTimes(dict[int, str]):
    """The texts of exchange times in milliseconds. `make` makes any, at the cost of the calendar.

    Almost every small drain brings a new one, and only a new second asks the calendar.
    """

    def __init__(self, make: Callable[[int], str]) -> None:
        super().__init__()
        self._make = make
        self._second: int | None = None
        self._before = self._after = ""

    def __missing__(self, time_ms: int) -> str:
        if len(self) >= _MOST_TIMES:
            self.clear()
        second, rest_ms = divmod(time_ms, 1000)
        if second != self._second:
            if not 0 < second < CALENDAR_END_S:
                return self._make(time_ms)
            self._before, _, self._after = self._make(second * 1000).rpartition("000")
            self._second = second
        text = self[time_ms] = f"{self._before}{rest_ms:03d}{self._after}"
        return text
