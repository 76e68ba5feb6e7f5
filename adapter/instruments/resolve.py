"""From what a user typed to the one instrument it names, with no guess but those written here.

The first of these that finds something decides; an exchange, where one was given, restricts all:

1. only digits: the token, or a symbol of that spelling
2. the symbol, spelled in full (a BSE share has the bare name as its symbol: it waits for 5)
3. an index of that name: NIFTY, SENSEX
4. a share of that name on NSE: its -EQ series, else -BE, -SM, -BZ, -ST, else the only one
5. a share of that symbol or name on BSE
6. the fields of a contract. A date without a year is its nearest that has not passed, and no date
   is any that has not passed; what has expired (an old copy has it) counts if nothing else fits.

Several instruments in the step that decides is an error that names them. Source: protocol.md,
"Instrument master".
"""

from __future__ import annotations

from ..errors import AmbiguousSymbolError, SymbolError, UnknownSymbolError
from ..instrument import EXCHANGE_NAMES, EXCHANGE_TYPES, Instrument
from .index import INDEX_KIND, InstrumentIndex
from .naming import Contract, Wanted, read_name
from .search import contracts, nearest

NSE = EXCHANGE_TYPES["NSE"]
BSE = EXCHANGE_TYPES["BSE"]
SERIES = ("EQ", "BE", "SM", "BZ", "ST")
"""NSE's series of shares, the preferred first: rolling, trade to trade, small companies, ..."""

_NAMED_CANDIDATES = 5
_MOST_CANDIDATES = 20


def resolve(index: InstrumentIndex, wanted: Wanted, today: str) -> Instrument:
    """The one instrument that `wanted` names on `today` (ISO date).

    Raises UnknownSymbolError or AmbiguousSymbolError, each with the nearest candidates.
    """
    if wanted.key:
        for step in _STEPS:
            found = step(index, wanted, today)
            if len(found) == 1:
                return found[0]
            if found:
                raise _ambiguous(wanted, found)
    raise _unknown(index, wanted, today)


def _by_token(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    if not wanted.key.isdecimal():
        return []
    return index.select(
        "token = :key OR symbol_key = :key", key=wanted.key, exchange_type=wanted.exchange_type
    )


def _by_symbol(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    where = "symbol_key = :key"
    if wanted.exchange_type is None:
        where += f" AND NOT (exchange_type = {BSE} AND kind = '')"
    found = index.select(where, key=wanted.key, exchange_type=wanted.exchange_type, today=today)
    spelled_so = [one for one in found if one.symbol.upper().split() == list(wanted.words)]
    return spelled_so or found


def _by_index_name(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    return index.select(
        f"name_key = :key AND kind = '{INDEX_KIND}'",
        key=wanted.key,
        exchange_type=wanted.exchange_type,
    )


def _by_nse_share(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    if wanted.exchange_type not in (None, NSE):
        return []
    shares = index.select("name_key = :key AND kind = ''", key=wanted.key, exchange_type=NSE)
    for series in SERIES:
        preferred = [one for one in shares if one.symbol.upper().endswith(f"-{series}")]
        if preferred:
            return preferred
    return shares


def _by_bse_share(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    if wanted.exchange_type not in (None, BSE):
        return []
    for column in ("symbol_key", "name_key"):
        found = index.select(f"{column} = :key AND kind = ''", key=wanted.key, exchange_type=BSE)
        if found:
            return found
    return []


def _by_contract(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    contract = wanted.contract or Contract(wanted.key)
    found = contracts(index, contract, wanted.exchange_type, today)
    if contract.has_year or not found:
        return found
    alive = [one for one in found if one.expiry >= today]
    if contract.expiry == "%":
        return alive or found
    year = min(one.expiry[:4] for one in alive) if alive else max(one.expiry[:4] for one in found)
    return [one for one in found if one.expiry.startswith(year)]


_STEPS = (_by_token, _by_symbol, _by_index_name, _by_nse_share, _by_bse_share, _by_contract)


def _ambiguous(wanted: Wanted, found: list[Instrument]) -> SymbolError:
    named = [str(one) for one in found]
    more = len(named) - _NAMED_CANDIDATES
    return AmbiguousSymbolError(
        f"{wanted.text!r} names {len(named):,} instruments: {', '.join(named[:_NAMED_CANDIDATES])}"
        + (f" and {more:,} more" if more > 0 else ""),
        remedy="name one of them",
        candidates=tuple(named[:_MOST_CANDIDATES]),
    )


def _unknown(index: InstrumentIndex, wanted: Wanted, today: str) -> SymbolError:
    if not wanted.key.strip(":|"):
        return UnknownSymbolError(
            f"{wanted.text!r} names no instrument", remedy="type a name, such as NIFTY or NSE:SBIN"
        )
    if wanted.exchange_type is None and ":" in wanted.text:
        text = wanted.text
        exchange, _, name = text.partition(":")
        wanted = read_name(name)
        known = ", ".join(EXCHANGE_NAMES.values())
        message = f"{text!r}: {exchange!r} is no exchange; there are {known}"
    else:
        message = f"no instrument is called {wanted.text!r}"
    candidates = tuple(str(one) for one in nearest(index, wanted, today, _NAMED_CANDIDATES))
    return UnknownSymbolError(
        f"{message}; the nearest: {', '.join(candidates)}" if candidates else message,
        remedy="look for it with `ticks find TEXT`",
        candidates=candidates,
    )
