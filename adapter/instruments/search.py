"""Looking for instruments by less than their name: by parts or a beginning."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import SymbolError
from ..instrument import Instrument
from .index import LIKELY_FIRST, InstrumentIndex
from .naming import Wanted
from .resolve import resolve
from .roles import Role

_VISIBLE = f"role < {Role.HIDDEN:d}"


def find(
    index: InstrumentIndex,
    wanted: Wanted,
    today: str,
    limit: int,
    note: Callable[[str], None] = lambda _sentence: None,
) -> list[Instrument]:
    """Everything that fits, the best first, at most `limit`; nothing that is hidden.

    `note` gets what the user should know of an answer ("X is Y now").

    First what the name means (`resolve.py`), or what it could mean where that is not one; then the
    exact symbol, the exact name, their beginning, all words in any order, and a part of them.
    """
    if not wanted.is_a_name:
        return []
    best: list[Instrument] = []
    try:
        answer = resolve(index, wanted, today)
    except SymbolError as error:
        from .refusals import named_by

        best = named_by(error)
        if error.kind == "symbol-split":
            note(error.message)
    else:
        best = [answer.instrument]
        for sentence in answer.notes:
            note(str(sentence))
    return _once(best + _by_parts(index, wanted, today, limit))[:limit]


def beginning_with(index: InstrumentIndex, wanted: Wanted, limit: int) -> list[Instrument]:
    """Those whose symbol begins so, or an index's name: indices, shares, then derivatives.

    Nothing typed: the indices. Fast, for completions.
    """
    is_index = f"role = {Role.INDEX:d}"
    if not wanted.name:
        return index.select(is_index, limit=limit, exchange_type=wanted.exchange_type)
    values = {"key": wanted.name, "end": wanted.name + "\U0010ffff"}
    begins = "{0} >= :key AND {0} < :end AND {1}"
    found: list[Instrument] = []
    for where, order in (
        (begins.format("name_key", is_index), "name_key"),
        (
            begins.format("symbol_key", f"role <= {Role.SHARE:d}"),
            "role, exchange_type, symbol_key",
        ),
        (
            begins.format("symbol_key", f"role BETWEEN {Role.FUTURE:d} AND {Role.OPTION:d}"),
            "symbol_key",
        ),
    ):
        if len(found) < limit:
            found += index.select(
                where, order=order, limit=limit, exchange_type=wanted.exchange_type, **values
            )
    return _once(found)[:limit]


def _by_parts(index: InstrumentIndex, wanted: Wanted, today: str, limit: int) -> list[Instrument]:
    words = {f"word{number}": word for number, word in enumerate(wanted.words)}
    has_words = " AND ".join(f"instr(symbol_key || ' ' || name_key, :{word})" for word in words)
    rank = """
        CASE WHEN symbol_key IN (:name, :name || '-EQ') THEN 0
             WHEN name_key = :name THEN 1
             WHEN instr(symbol_key, :name) = 1 OR instr(name_key, :name) = 1 THEN 2
             WHEN name_key = :word0 THEN 3
             ELSE 4 END"""
    return index.select(
        f"({has_words}) AND {_VISIBLE}",
        order=f"{rank}, {LIKELY_FIRST}",
        limit=limit,
        exchange_type=wanted.exchange_type,
        today=today,
        name=wanted.name,
        **words,
    )


def _once(found: list[Instrument]) -> list[Instrument]:
    return list({one.key: one for one in found}.values())
