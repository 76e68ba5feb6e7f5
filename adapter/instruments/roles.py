"""The role of a record of the master: index, share, future, call, put, or spot row. Pure.

Spot rows (gold, the dollar) and the bare second row of an index never tick, or are not known to:
they are hidden, which is to say reached by their token, or by a symbol that is not their name.
"""

from __future__ import annotations

import re
from enum import IntEnum

from ..instrument import BFO, BSE, EXCHANGE_TYPES, INDEX_KIND, MCX, NCO, NFO, NSE, Instrument

EXCHANGE_ORDER = ("NSE", "BSE", "NFO", "BFO", "MCX", "CDS", "NCO")
"""In which order instruments of several exchanges are offered."""

SERIES = ("EQ", "BE", "SM", "BZ", "ST")
"""NSE's series of shares, the preferred first: rolling, trade to trade, small companies, ..."""

_CASH_EXCHANGES = (NSE, BSE)
_EXCHANGE_RANK = {EXCHANGE_TYPES[name]: rank for rank, name in enumerate(EXCHANGE_ORDER)}
_GIVES_WAY_TO = {BFO: NFO, NCO: MCX, BSE: NSE}
_NCDEX_OPTION = re.compile(r"(CE|PE)[0-9]")
_SERIES = re.compile(r".+-([A-Z0-9]{2})")
_NO_EXPIRY = "9999"


class Role(IntEnum):
    """In the order in which instruments are offered."""

    INDEX = 0
    SHARE = 1
    FUTURE = 2
    CALL = 3
    PUT = 4
    OPTION = 5
    """Whether a call or a put cannot be read from its symbol."""
    HIDDEN = 9


_SIDES = {"CE": Role.CALL, "PE": Role.PUT}
CONTRACTS = (Role.FUTURE, Role.CALL, Role.PUT, Role.OPTION)


def role_of(exchange_type: int, symbol: str, kind: str) -> Role:
    """The role by the record alone; the bare second row of an index looks like a share here."""
    if kind.startswith("OPT"):
        return _SIDES.get(symbol[-2:]) or _side_of_ncdex(symbol)
    if kind.startswith("FUT"):
        return Role.FUTURE
    if kind == INDEX_KIND:
        return Role.INDEX
    is_spot = kind.startswith(("UND", "COMDTY")) or exchange_type not in _CASH_EXCHANGES
    return Role.HIDDEN if kind and is_spot else Role.SHARE


def role(one: Instrument) -> Role:
    return role_of(one.exchange_type, one.symbol, one.kind)


def series_of(one: Instrument) -> str:
    """`EQ` of `RELIANCE-EQ`; "" where the symbol names no series."""
    found = _SERIES.fullmatch(one.symbol.upper())
    return found.group(1) if found else ""


def exchange_rank(exchange_type: int) -> int:
    return _EXCHANGE_RANK.get(exchange_type, len(EXCHANGE_ORDER))


def preferred(found: list[Instrument]) -> list[Instrument]:
    """Without those of BFO where NFO has some, of NCO where MCX, of BSE where NSE."""
    there = {one.exchange_type for one in found}
    return [one for one in found if _GIVES_WAY_TO.get(one.exchange_type) not in there]


def living(found: list[Instrument], today: str) -> list[Instrument]:
    """Those that have not expired; a contract lives until midnight."""
    return [one for one in found if not one.expiry or one.expiry >= today]


def likely_first(one: Instrument) -> tuple[int, int, str, int, int, int, int, str]:
    """A key that sorts several instruments of one name as they are offered.

    Indices, shares, futures, options; of these the nearest expiry, then by exchange, series,
    strike, calls before puts. Block-deal, odd and debt series come last of all.
    """
    part = role(one)
    series = series_of(one) if part is Role.SHARE and one.exchange == "NSE" else "EQ"
    return (
        int(series not in SERIES),
        min(part, Role.CALL),
        one.expiry or (_NO_EXPIRY if part in CONTRACTS else ""),
        exchange_rank(one.exchange_type),
        SERIES.index(series) if series in SERIES else len(SERIES),
        one.strike or 0,
        part,
        one.symbol,
    )


def _side_of_ncdex(symbol: str) -> Role:
    """DHANIYA09OCT26CE11300FOCT26 has the side before the strike."""
    found = _NCDEX_OPTION.search(symbol.upper())
    return _SIDES[found.group(1)] if found else Role.OPTION
