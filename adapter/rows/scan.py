"""A row as this program writes it, as one regular expression over many rows. Pure.

Rules
- What matches is a whole row that decode.py reads: its cells are counted, typed and in range.
  A test holds that, and that the rows of encode.py match.
- What does not match may still be a row (quoted cells, a sign, `nan`, 19 digits): decode.py
  decides. So a recording is checked cell by cell at the speed of one match for a block of it.
- A line may end with CRLF: a recording that passed through Windows is read as fast as any other.

How it is fast: alternatives differ in their first character where they can, nothing is tried twice
(possessive repeats, atomic groups), and `[0-9]` is a tenth faster than a named class.

What is repeated possessively is one character or an atomic group. Up to Python 3.11.4 (Debian 12
has 3.11.2) any other group keeps what it matched before it failed (CPython gh-106052).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

from ..tick import Mode
from ..wire.packet import LEVELS
from .columns import DEPTH_COLUMNS, columns

Head: TypeAlias = tuple[bytes, ...]
"""Cells of a row: exchange_time, exchange, symbol, token, ltp, volume; b"" for none."""

_RECEIVED_AT = len("2026-11-20T09:15:00.123456")
CSV_RECEIVED_AT = slice(0, _RECEIVED_AT)
"""Where a CSV row that matched has its `received_at`, without the offset: text that sorts."""
JSON_RECEIVED_AT = slice(len('{"received_at":"'), len('{"received_at":"') + _RECEIVED_AT)
"""The same in a JSON line."""

_LONG_MONTHS = r"(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])"
_SHORT_MONTHS = r"(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
_DATE = (
    rf"(?:(?:19[7-9]\d|[2-9]\d{{3}})-(?:{_LONG_MONTHS}|{_SHORT_MONTHS}|02-(?:0[1-9]|1\d|2[0-8]))"
    r"|20(?:[02468][048]|[13579][26])-02-29)"
)
_SECOND = _DATE + r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
_ZERO_FIRST = r"(?!0\d)"
_INTEGER = r"[0-9]{1,18}+"
_DOUBLE = r"[0-9]{1,18}+(?>\.[0-9]{1,30}+|)(?>e[-+][0-9]{1,3}+|)"
_ORDERS = r"[0-9]{1,4}+"
_LINE_END = r"\r?+\n"
_TEXT = r"[ !#-+\-./0-\[\]-~]*+"
_SHORT_TEXT = r"[ !#-+\-./0-\[\]-~]{0,25}+"
_TWO_DIGITS = r"NSE|NFO|BSE|BFO|MCX|NCO"
_SEVEN_DIGITS = r"CDS"
_MODES = (Mode.SNAP, Mode.QUOTE, Mode.LTP)
_INTEGERS = ("sequence", "last_quantity", "volume", "open_interest")
_DOUBLES = ("total_buy_quantity", "total_sell_quantity", "oi_change_percent")


def _number(number: str, is_json: bool) -> str:
    """A number; JSON has no zeros before others."""
    return (_ZERO_FIRST if is_json else "") + number


def _price(digits: int) -> str:
    """A price with `digits` digits after the point, at most 18 in all."""
    return rf"[0-9]{{1,{18 - digits}}}+\." + "[0-9]" * digits


def _time(digits: int) -> str:
    return _SECOND + (rf"\.\d{{{digits}}}" if digits else "") + r"\+05:30"


def _value(column: str, digits: int, is_json: bool) -> str:
    """The pattern of the value of a column after the exchange, for prices with `digits` digits."""
    if column == "last_trade_time":
        return _packet_time(0, is_json)
    if column in _INTEGERS:
        return _number(_INTEGER, is_json)
    return _number(_DOUBLE if column in _DOUBLES else _price(digits), is_json)


def _packet_time(digits: int, is_json: bool) -> str:
    return f'(?:"{_time(digits)}"|null)' if is_json else f"(?>{_time(digits)}|)"


def _tail(mode: Mode, digits: int, is_json: bool) -> str:
    """A row from its mode on."""
    names = columns(mode)[columns(mode).index("mode") + 1 :]
    plain = [name for name in names if name not in DEPTH_COLUMNS]
    depth = _depth(digits, is_json) if mode is Mode.SNAP else ""
    if is_json:
        values = "".join(f',"{name}":{_value(name, digits, is_json)}' for name in plain)
        return f'{mode.label}"{values}{depth}'
    return mode.label + "".join(f",{_value(name, digits, is_json)}" for name in plain) + depth


def _depth(digits: int, is_json: bool) -> str:
    price, quantity = (_number(each, is_json) for each in (_price(digits), _INTEGER))
    if not is_json:
        return f"(?:,{price},{quantity},{_ORDERS}|,,,)" * (2 * LEVELS)
    orders = _ZERO_FIRST + _ORDERS
    level = rf'(?:\{{"price":{price},"quantity":{quantity},"orders":{orders}\}}|null)'
    side = rf"\[{','.join([level] * LEVELS)}\]"
    return f',"bids":{side},"asks":{side}'


def _by_exchange(rest: Callable[[int], str]) -> str:
    """The exchange, and what follows it, by the digits of its prices."""
    return f"(?>(?:{_TWO_DIGITS}){rest(2)}|{_SEVEN_DIGITS}{rest(7)})"


def _csv_row(widest: Mode) -> str:
    def after_exchange(digits: int) -> str:
        rows = (
            _tail(mode, digits, is_json=False) + "," * (len(columns(widest)) - len(columns(mode)))
            for mode in _MODES
            if mode <= widest
        )
        return f",{_TEXT},{_SHORT_TEXT},(?>{'|'.join(rows)})"

    cells = (_time(6), _packet_time(3, is_json=False), _by_exchange(after_exchange))
    return ",".join(cells) + _LINE_END


def _json_row() -> str:
    def after_exchange(digits: int) -> str:
        text, token = (pattern.replace("#-+", "#-,") for pattern in (_TEXT, _SHORT_TEXT))
        rows = "|".join(_tail(mode, digits, is_json=True) for mode in _MODES)
        return f'","symbol":"{text}","token":"{token}","mode":"(?>{rows})'

    return (
        rf'\{{"received_at":"{_time(6)}","exchange_time":{_packet_time(3, is_json=True)}'
        rf',"exchange":"{_by_exchange(after_exchange)}\}}{_LINE_END}'
    )


@cache
def csv_rows(widest: Mode) -> re.Pattern[bytes]:
    """Matches as many rows as there are, each with its line end, of this mode and lower ones."""
    return re.compile(f"(?:(?>{_csv_row(widest)}))*+".encode())


@cache
def json_rows() -> re.Pattern[bytes]:
    """Matches as many JSON lines as there are, of any mode."""
    return re.compile(f"(?:(?>{_json_row()}))*+".encode())


@cache
def csv_heads() -> re.Pattern[bytes]:
    """Its `findall` over rows that matched gives the `Head` of each."""
    cells: Sequence[str] = [r"[^,]*", *[r"([^,]*)"] * 4, r"[^,]*", r"[^,]*", r"([^,\r\n]*)"]
    return re.compile((",".join(cells) + r"(?:,[^,\r\n]*,[^,\r\n]*,([^,\r\n]*))?[^\n]*\n").encode())


@cache
def json_heads() -> re.Pattern[bytes]:
    """As `csv_heads`, over JSON lines."""
    volume = r',"last_quantity":[^,]*,"average_price":[^,]*,"volume":([^,]*)'
    return re.compile(
        (
            r'\{"received_at":"[^"]*","exchange_time":(?:null|"([^"]*)"),"exchange":"([^"]*)"'
            r',"symbol":"([^"]*)","token":"([^"]*)","mode":"[^"]*","sequence":[^,]*'
            rf',"ltp":([^,}}]*)(?:{volume})?[^\n]*\n'
        ).encode()
    )
