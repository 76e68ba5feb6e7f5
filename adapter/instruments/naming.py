"""What a user may call an instrument, read into its parts. Pure.

    [EXCHANGE:]TEXT or [EXCHANGE|]TEXT, where EXCHANGE is NSE, NFO, ... or nse_cm, nse_fo, ...
    TEXT  is a token (2885), a symbol (RELIANCE-EQ), a name (NIFTY, bank nifty), or the fields of a
          contract: UNDERLYING, a date (28OCT, 28OCT25, 28-Oct-2025, OCT, 2025-10-28), then
          STRIKE and CE or PE in either order, or FUT.

Case, underscores and the number of spaces never matter: texts are compared by `folded`.
Source: protocol.md, "Instrument master".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ..instrument import EXCHANGE_TYPES, exchange_number

_WIRE_NAMES = {
    "NSE_CM": EXCHANGE_TYPES["NSE"],
    "NSE_FO": EXCHANGE_TYPES["NFO"],
    "BSE_CM": EXCHANGE_TYPES["BSE"],
    "BSE_FO": EXCHANGE_TYPES["BFO"],
    "MCX_FO": EXCHANGE_TYPES["MCX"],
    "NCX_FO": EXCHANGE_TYPES["NCO"],
    "NCDEX": EXCHANGE_TYPES["NCO"],
    "CDE_FO": EXCHANGE_TYPES["CDS"],
}
_LONGEST = 64
"""Characters of a name that are looked at; no symbol of any master is half as long."""

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ISO_DATE = re.compile(r"\b(20[0-9]{2})-([0-9]{2})-([0-9]{2})\b")
# A number apart from the month could be a strike: it is a year if another, FUT or nothing follows.
_DATE = re.compile(
    r"\b(?:(0?[1-9]|[12][0-9]|3[01])[ -]?)?"
    rf"({'|'.join(MONTHS)})"
    r"(?:-?(20[0-9]{2}|[0-9]{2})| (20[0-9]{2})(?= .*[0-9]| FUT\b|$))?\b"
)
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,7})?"
_OPTION = re.compile(rf"\b(?:({_NUMBER}) ?)?(CE|PE)(?: ({_NUMBER}))?\b")
_FUTURE = re.compile(r"\bFUT\b")
_LAST_NUMBER = re.compile(rf" ({_NUMBER})$")


@dataclass(frozen=True, slots=True)
class Contract:
    """The fields of a derivative that the user gave; what was not given matches everything."""

    underlying: str
    """Folded name."""
    expiry: str = "%"
    """A pattern for SQL's LIKE over ISO dates."""
    has_year: bool = False
    strike: Decimal | None = None
    """In rupees."""
    right: str = ""
    """CE, PE, FUT or ""."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One text, read. `text` is what was typed, trimmed; the rest is what to look for."""

    text: str
    exchange_type: int | None
    words: tuple[str, ...]
    contract: Contract | None

    @property
    def key(self) -> str:
        """The name as `folded` makes it, "" when nothing was typed."""
        return "".join(self.words)


def read_name(text: str) -> Wanted:
    """The parts of what a user typed. Any text can be read; that says nothing of its existence."""
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    exchange_type, name = _split_exchange(text)
    words = tuple(name[:_LONGEST].upper().replace("_", " ").split())
    return Wanted(text, exchange_type, words, _read_contract(" ".join(words)))


def folded(text: str) -> str:
    """`text` as names are compared: upper case, without spaces and underscores."""
    if text.isalnum():
        return text.upper()
    return "".join(text.upper().replace("_", " ").split())


def exchange_type_of(name: str) -> int | None:
    """The wire's number of `NSE`, `nse_cm`, `NCDEX` or `1`, in any case; None for anything else."""
    upper = name.strip().upper()
    return _WIRE_NAMES.get(upper) or exchange_number(upper)


def _split_exchange(text: str) -> tuple[int | None, str]:
    for separator in ":|":
        exchange, found, name = text.partition(separator)
        if found and (exchange_type := exchange_type_of(exchange)) is not None:
            return exchange_type, name
    return None, text


def _read_contract(text: str) -> Contract | None:
    text, expiry, has_year = _cut_expiry(text)
    strike = None
    right = ""
    if option := _OPTION.search(text):
        before, right, after = option.groups()
        strike = after or before
        kept = before if before and after else ""
        text = f"{text[: option.start()]} {kept} {text[option.end() :]}"
    elif future := _FUTURE.search(text):
        right = "FUT"
        text = f"{text[: future.start()]} {text[future.end() :]}"
    elif expiry != "%" and (number := _LAST_NUMBER.search(text.rstrip())):
        strike = number.group(1)
        text = text[: number.start()]
    underlying = folded(text)
    if not underlying or (expiry == "%" and not right):
        return None
    return Contract(underlying, expiry, has_year, Decimal(strike) if strike else None, right)


def _cut_expiry(text: str) -> tuple[str, str, bool]:
    """`text` without its date, the date as a LIKE pattern, and whether it names a year."""
    if found := _ISO_DATE.search(text):
        expiry, has_year = found.group(), True
    elif found := _DATE.search(text):
        day, month, near_year, far_year = found.groups()
        year = near_year or far_year
        has_year = year is not None
        expiry = "-".join(
            (
                f"20{year[-2:]}" if year else "____",
                f"{MONTHS.index(month) + 1:02}",
                f"{int(day):02}" if day else "__",
            )
        )
    else:
        return text, "%", False
    return f"{text[: found.start()]} {text[found.end() :]}", expiry, has_year
