"""Looking for instruments by less than their name: by fields, parts, a beginning, or likeness."""

from __future__ import annotations

from dataclasses import replace

from ..instrument import CURRENCY_EXCHANGE_TYPE, Instrument
from .index import INDEX_KIND, LIKELY_FIRST, InstrumentIndex
from .naming import Contract, Wanted

_CASH_KINDS = f"('', '{INDEX_KIND}')"
_UNDERLYING_IS = f"""
    name_key IN (SELECT :underlying UNION SELECT name_key FROM instruments
                 WHERE symbol_key = :underlying AND kind = '{INDEX_KIND}')
    AND kind NOT IN {_CASH_KINDS}
"""
_RIGHTS = {
    "": "1",
    "FUT": "kind LIKE 'FUT%'",
    "CE": "kind LIKE 'OPT%' AND symbol_key LIKE '%CE'",
    "PE": "kind LIKE 'OPT%' AND symbol_key LIKE '%PE'",
}
# Strikes are rupees x 100; in the currency segment, by unverified sources, rupees x 10,000,000.
_STRIKE_IS = f"""
    strike IN (:paise, :currency_units)
    AND (strike = :paise OR exchange_type = {CURRENCY_EXCHANGE_TYPE})
"""
_NO_STRIKE = -1
_SHORTEST_BEGINNING = 3
_LONGEST_TYPO = 2
_LIKENESS = 0.7


def contracts(
    index: InstrumentIndex, contract: Contract, exchange_type: int | None, today: str
) -> list[Instrument]:
    """The derivatives with all the fields of `contract`; an index's symbol names it as well."""
    where = f"{_UNDERLYING_IS} AND expiry LIKE :expiry AND {_RIGHTS[contract.right]}"
    if contract.strike is not None:
        where += f" AND {_STRIKE_IS}"
    return index.select(
        where,
        exchange_type=exchange_type,
        today=today,
        underlying=contract.underlying,
        expiry=contract.expiry,
        paise=_in_units(contract, 2),
        currency_units=_in_units(contract, 7),
    )


def find(index: InstrumentIndex, wanted: Wanted, today: str, limit: int) -> list[Instrument]:
    """Everything that fits, the best first, at most `limit`.

    The token; the fields of a contract; the exact symbol (-EQ or not), the exact name, their
    beginning, all words in any order, and a part of them.
    """
    if not wanted.key:
        return []
    best: list[Instrument] = []
    if wanted.key.isdecimal():
        best += index.select("token = :key", key=wanted.key, exchange_type=wanted.exchange_type)
    if wanted.contract is not None:
        best += contracts(index, wanted.contract, wanted.exchange_type, today)
    return _once(best + _by_parts(index, wanted, today, limit))[:limit]


def beginning_with(index: InstrumentIndex, wanted: Wanted, limit: int) -> list[Instrument]:
    """Those whose symbol begins so, or an index's name: indices, shares, then derivatives.

    Nothing typed: the indices. Fast, for completions.
    """
    if not wanted.key:
        return index.select(
            f"kind = '{INDEX_KIND}'", limit=limit, exchange_type=wanted.exchange_type
        )
    values = {"key": wanted.key, "end": wanted.key + "\U0010ffff"}
    begins = "{0} >= :key AND {0} < :end AND kind {1}"
    found: list[Instrument] = []
    for where, order in (
        (begins.format("name_key", f"= '{INDEX_KIND}'"), "name_key"),
        (begins.format("symbol_key", f"IN {_CASH_KINDS}"), "kind = '', exchange_type, symbol_key"),
        (begins.format("symbol_key", f"NOT IN {_CASH_KINDS}"), "symbol_key"),
    ):
        if len(found) < limit:
            found += index.select(
                where, order=order, limit=limit, exchange_type=wanted.exchange_type, **values
            )
    return _once(found)[:limit]


def nearest(index: InstrumentIndex, wanted: Wanted, today: str, limit: int) -> list[Instrument]:
    """What the user may have meant, on any exchange, when nothing is called `wanted`."""
    anywhere = replace(wanted, exchange_type=None)
    if not wanted.key:
        return []
    found = _nearest_contracts(index, wanted.contract, today, limit) if wanted.contract else []
    if len(found) < limit:
        found += _by_parts(index, anywhere, today, limit)
    if len(found) < limit:
        found += _alike(index, wanted, limit)
    if not found:
        found += _longest_beginning(index, anywhere, limit)
    return _once(found)[:limit]


def _by_parts(index: InstrumentIndex, wanted: Wanted, today: str, limit: int) -> list[Instrument]:
    words = {f"word{number}": word for number, word in enumerate(wanted.words)}
    has_words = " AND ".join(f"instr(symbol_key || ' ' || name_key, :{word})" for word in words)
    rank = """
        CASE WHEN symbol_key IN (:key, :key || '-EQ') THEN 0
             WHEN name_key = :key THEN 1
             WHEN instr(symbol_key, :key) = 1 OR instr(name_key, :key) = 1 THEN 2
             WHEN name_key = :word0 THEN 3
             ELSE 4 END"""
    return index.select(
        f"({has_words}) OR instr(symbol_key, :key) OR instr(name_key, :key)",
        order=f"{rank}, {LIKELY_FIRST}",
        limit=limit,
        exchange_type=wanted.exchange_type,
        today=today,
        key=wanted.key,
        **words,
    )


def _nearest_contracts(
    index: InstrumentIndex, contract: Contract, today: str, limit: int
) -> list[Instrument]:
    """The underlying's other contracts: of that expiry first, then by the strike's distance."""
    return index.select(
        f"{_UNDERLYING_IS} AND {_RIGHTS[contract.right]}",
        order=f"expiry NOT LIKE :expiry, abs(strike - :paise), {LIKELY_FIRST}",
        limit=limit,
        today=today,
        underlying=contract.underlying,
        expiry=contract.expiry,
        paise=_in_units(contract, 2),
    )


def _alike(index: InstrumentIndex, wanted: Wanted, limit: int) -> list[Instrument]:
    """Those whose name is spelled nearly so; a series (-EQ) at the end does not count."""
    from difflib import get_close_matches  # 3 ms that only an error needs

    key = wanted.key.rpartition("-")[0] or wanted.key
    names = index.texts(
        "SELECT DISTINCT name_key FROM instruments WHERE length(name_key) BETWEEN :least AND :most"
        f" UNION SELECT symbol_key FROM instruments WHERE kind = '{INDEX_KIND}'",
        least=len(key) - _LONGEST_TYPO,
        most=len(key) + _LONGEST_TYPO,
    )
    found: list[Instrument] = []
    for name in get_close_matches(key, names, limit, _LIKENESS):
        found += index.select("name_key = :name OR symbol_key = :name", name=name, limit=1)
    return found


def _longest_beginning(index: InstrumentIndex, wanted: Wanted, limit: int) -> list[Instrument]:
    """Those that share the longest beginning with what was typed, half of it at least."""
    shortest = max(_SHORTEST_BEGINNING, len(wanted.key) // 2)
    for length in range(len(wanted.key) - 1, shortest - 1, -1):
        beginning = replace(wanted, words=(wanted.key[:length],))
        if found := beginning_with(index, beginning, limit):
            return found
    return []


def _in_units(contract: Contract, digits: int) -> int:
    """The strike in units of `digits` decimals; a number that no strike has where it has more."""
    if contract.strike is None:
        return _NO_STRIKE
    units = contract.strike.scaleb(digits)
    return int(units) if units == int(units) else _NO_STRIKE


def _once(found: list[Instrument]) -> list[Instrument]:
    return list({one.key: one for one in found}.values())
