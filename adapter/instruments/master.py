"""The broker's instrument master: a JSON array of records, read tolerantly and judged strictly.

Every value is a string; unknown fields are ignored, a record that cannot be read is skipped and
counted, and a file of which less than half can be read is no master. It has been served as `null`
and as an HTML page. Records are decoded one at a time from the one text, because 180 thousand
of them at once would take 100 MB. Source: protocol.md, "Instrument master".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import msgspec

from ..errors import InstrumentMasterError
from .index import Row
from .naming import MONTHS, exchange_type_of

_LARGEST = 2**63 - 1
_MOST_COMMAS = 10_000_000
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


class Master:
    """One downloaded master. `usable` and `skipped` count what `rows`, taken once, made of it."""

    def __init__(self, body: bytes | bytearray) -> None:
        """Raises InstrumentMasterError when `body` is no JSON array, or an empty one."""
        self.usable = 0
        self.skipped = 0
        # Small values by the million are made to fill memory: each becomes an object. The broker's
        # master has 2.4 million commas.
        if body.count(b",") > _MOST_COMMAS:
            raise InstrumentMasterError("it has too many values to be a master", kind="no-master")
        try:
            self._raws = msgspec.json.decode(body, type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InstrumentMasterError(f"it is no JSON array but {_start(body)}") from error
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
    strike = _whole(record.strike or "0")
    return (
        exchange_type,
        record.token,
        record.symbol,
        record.name or record.symbol,
        record.instrumenttype or "",
        _iso_date(record.expiry or ""),
        strike if strike > 0 else None,
        _whole(record.lotsize or "1"),
        _whole(record.tick_size or "0"),
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
def _iso_date(expiry: str) -> str:
    """`28OCT2025` or `04Apr2024` as `2025-10-28`; "" when there is none or it cannot be read."""
    found = _DATE.fullmatch(expiry.upper())
    if not found or found.group(2) not in MONTHS:
        return ""
    day, month, year = found.groups()
    return f"{year}-{MONTHS.index(month) + 1:02}-{int(day):02}"


def _start(body: bytes | bytearray) -> str:
    if not body:
        return "empty"
    shown = " ".join(bytes(body[:60]).decode("utf-8", "replace").split())
    return f"{len(body):,} bytes that begin with {shown!r}"
