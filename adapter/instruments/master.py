"""The broker's instrument master: a JSON array of records, read tolerantly and judged strictly.

Every value is a string; unknown fields are ignored, a record that cannot be read is skipped and
counted, and a file of which less than half can be read is not taken as a master. It has been served
as `null` and as an HTML page. Records are decoded one at a time from the one text, because 180
thousand of them at once would take 100 MB. A symbol or name with control characters gets
"\ufffd" in their place; a token with such is unusable. Source: protocol.md, "Instrument master".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache

import msgspec

from ..errors import InstrumentMasterError
from .index import Row
from .naming import MONTHS, exchange_type_of

_LARGEST = 2**63 - 1
_MOST_COMMAS = 10_000_000
_SPACES = "\u00a0\t"
_DATE = re.compile(r"([0-9]{1,2})[ -]?([A-Z]{3})[ -]?([0-9]{4})")


class _Record(msgspec.Struct, gc=False):
    token: str
    symbol: str
    exch_seg: str
    name: str | None = None
    instrumenttype: str | None = None
    expiry: str | None = None
    strike: str | None = None
    lotsize: str | None = None
    tick_size: str | None = None
    is_cas_enabled: bool | int | float | str | None = None


class Master:
    """One downloaded master. `usable` and `skipped` count what `rows`, taken once, made of it."""

    def __init__(self, body: bytes | bytearray) -> None:
        """Raises InstrumentMasterError when `body` is not a JSON array, or an empty one."""
        self.usable = 0
        self.skipped = 0
        # Millions of small values would fill memory: each becomes an object. The broker's
        # master has 2.4 million commas.
        if body.count(b",") > _MOST_COMMAS:
            raise InstrumentMasterError("it has too many values to be a master", kind="no-master")
        try:
            self._raws = msgspec.json.decode(body, type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InstrumentMasterError(f"it is not a JSON array but {_start(body)}") from error
        if not self._raws:
            raise InstrumentMasterError("it is an empty array")

    def rows(self) -> Iterator[Row]:
        """The usable records. Raises InstrumentMasterError at the end when they are too few."""
        decode = msgspec.json.Decoder(_Record).decode
        for raw in self._raws:
            try:
                row = _row(decode(raw))
            except (msgspec.DecodeError, ValueError):
                self.skipped += 1
                continue
            self.usable += 1
            yield row
        if self.usable <= self.skipped:
            raise InstrumentMasterError(
                f"only {self.usable:,} of its {len(self._raws):,} records can be used"
            )


def _row(record: _Record) -> Row:
    exchange_type = _exchange_type(record.exch_seg)
    if exchange_type is None or not record.token or not record.symbol:
        raise ValueError("a record needs a known segment, a token and a symbol")
    if not record.token.isprintable():
        raise ValueError("a token with control characters")
    symbol, name = record.symbol, record.name or record.symbol
    if not (symbol.isprintable() and name.isprintable()):
        symbol, name = _shown(symbol), _shown(name)
    strike = _whole(record.strike or "0")
    return (
        exchange_type,
        record.token,
        symbol,
        name,
        _kind(record.instrumenttype or ""),
        _iso_date(record.expiry or ""),
        strike if strike > 0 else None,
        _whole(record.lotsize or "1"),
        _whole(record.tick_size or "0"),
        _is_set(record.is_cas_enabled),
    )


@cache
def _exchange_type(name: str) -> int | None:
    return exchange_type_of(name)


@cache
def _whole(number: str) -> int:
    """`2440000.000000` as 2440000. Raises ValueError for no number, or one beyond SQLite's."""
    whole = int(number.partition(".")[0])
    if abs(whole) > _LARGEST:
        raise ValueError("too large a number")
    return whole


@cache
def _kind(text: str) -> str:
    return _shown(text)


@cache
def _is_set(flag: float | str | None) -> bool:
    """A boolean in today's files; every other value was a string once, so a string is taken too."""
    return flag is not None and str(flag).lower() in ("true", "1", "y", "yes")


@cache
def _iso_date(expiry: str) -> str:
    """`28OCT2025` or `04Apr2024` as `2025-10-28`; "" when there is none or it is no date."""
    found = _DATE.fullmatch(expiry.upper())
    if not found or found.group(2) not in MONTHS:
        return ""
    day, month, year = found.groups()
    try:
        return date(int(year), MONTHS.index(month) + 1, int(day)).isoformat()
    except ValueError:
        return ""


def _shown(text: str) -> str:
    """`text` without what a terminal would interpret or could not show."""
    return "".join(
        each if each.isprintable() else " " if each in _SPACES else "\ufffd" for each in text
    )


def _start(body: bytes | bytearray) -> str:
    if not body:
        return "empty"
    shown = " ".join(bytes(body[:60]).decode("utf-8", "replace").split())
    return f"{len(body):,} bytes that begin with {shown!r}"
