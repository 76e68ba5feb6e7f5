"""From what a user typed to the one instrument it names, with no guess but those written here.

The first of these that finds something decides; an exchange, where one was given, restricts all:

1. only digits: the token, or a symbol of that spelling
2. the symbol, spelled in full. BSE's shares and BFO's contracts wait where no exchange is named:
   their spelling is NSE's bare name, or Kite's name of an NFO contract
3. an index by name, symbol or alias; NSE and BSE before MCX and CDS
4. a share of that name on NSE: its -EQ series, else -BE, -SM, -BZ, -ST, else the only one; then an
   index, then a share, when hyphens, ampersands and spaces do not count
5. a share of that symbol or name on BSE; then what is hidden, by a symbol that is not its name
6. the new name of what was renamed, where nothing has the old one any more
7. the fields of a contract, by the first reading (`spellings.py`) that is listed; NFO before BFO,
   MCX before NCO
8. the symbol of a contract on BFO, spelled in full
9. the contracts of that underlying

What has expired is never an answer, and looked for only when nothing else is found. Several
instruments in the step that decides is an error that names them. Hidden rows (`roles.py`) are
found by 1 and 5 alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from ..instrument import BFO, BSE, MCX, NCO, NSE, Instrument, exchange_name
from .index import LONGEST_TOKEN, InstrumentIndex
from .naming import Wanted, loose_key, name_key
from .renames import Note, Rename, index_keys, renamed
from .roles import SERIES, Role, exchange_rank, likely_first, living, preferred, series_of

_COMMODITIES = (MCX, NCO)
_ENDS_IN_SERIES = re.compile(r"(.+)[ -]([A-Z0-9]{2})")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The instrument that a name means, and what the user should know of that."""

    instrument: Instrument
    notes: tuple[Note, ...] = ()


def resolve(index: InstrumentIndex, wanted: Wanted, today: str) -> Resolved:
    """The one instrument that `wanted` names on `today` (ISO date).

    Raises UnknownSymbolError, AmbiguousSymbolError or ExpiredSymbolError, each with the candidates
    that are the likeliest to be meant, in order.
    """
    if wanted.is_a_name:
        for step in _STEPS:
            if found := step(index, wanted, today):
                notes = _also_a_commodity(index, wanted, found, today) or _hidden(index, found[0])
                return _only(wanted, found, notes)
        if answer := _by_new_name(index, wanted, today):
            return answer
    # Imported here: a plain name needs none of it, and it takes as long as all the rest.
    from . import contract_names, refusals

    if not wanted.is_a_name:
        raise refusals.not_a_name(index, wanted, today)
    symbols = partial(_of_symbol, index, wanted)
    found, underlying, reading = contract_names.by_fields(
        index, wanted, today, on_bfo=living(symbols(f"exchange_type = {BFO}"), today)
    )
    if found and underlying.parts:
        raise refusals.split(wanted, underlying.parts, found)
    if len(found) > 1:
        raise refusals.ambiguous(wanted, found, reading)
    if found:
        return _only(wanted, found, underlying.notes)
    passed = _of_token(index, wanted) or symbols("1")
    passed = passed or contract_names.by_fields_passed(index, wanted, today)
    if passed:
        raise refusals.expired(index, wanted, passed, today)
    raise refusals.unknown(index, wanted, today)


def _only(wanted: Wanted, found: list[Instrument], notes: tuple[Note, ...] = ()) -> Resolved:
    if len(found) > 1:
        from .refusals import ambiguous

        raise ambiguous(wanted, found)
    one = found[0]
    if len(one.token.encode()) > LONGEST_TOKEN:
        notes = (*notes, Note("long-token", str(one), one.token))
    return Resolved(one, notes)


# --- 1 to 5: tokens, symbols and names -----------------------------------------------------------


def _by_token(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    return sorted(
        living(_of_token(index, wanted), today), key=lambda one: exchange_rank(one.exchange_type)
    )


def _of_token(index: InstrumentIndex, wanted: Wanted) -> list[Instrument]:
    if not (wanted.name.isascii() and wanted.name.isdigit()):
        return []
    return index.select(
        "token = :key OR symbol_key = :key", key=wanted.name, exchange_type=wanted.exchange_type
    )


def _by_symbol(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    where = "1"
    if wanted.exchange_type is None:
        where = f"exchange_type NOT IN ({BSE}, {BFO})"
    return preferred(living(_of_symbol(index, wanted, where), today))


def _of_symbol(index: InstrumentIndex, wanted: Wanted, where: str) -> list[Instrument]:
    if wanted.kind == "index":
        return []
    last = Role.SHARE if wanted.kind == "share" else Role.OPTION
    where += f" AND symbol_key = :key AND role BETWEEN {Role.SHARE:d} AND {last:d}"
    if wanted.exchange_type is not None:
        exchanges = (wanted.exchange_type, *(wanted.contract_exchanges or ()))
        where += f" AND exchange_type IN ({', '.join(map(str, exchanges))})"
    return index.select(where, key=wanted.name)


def _by_index_name(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    found = _indices(index, wanted, wanted.name)
    for key in index_keys(loose_key(wanted.name)):
        found = found or _loosely(index, wanted, key, _indices)
    return found


def _indices(index: InstrumentIndex, wanted: Wanted, name: str) -> list[Instrument]:
    """Those called `name`, on NSE or else BSE or else on any other exchange."""
    if wanted.kind == "share":
        return []
    found = index.select(
        f"role = {Role.INDEX:d} AND (name_key = :key OR symbol_key = :key)",
        key=name,
        exchange_type=wanted.exchange_type,
    )
    for exchange_type in (NSE, BSE):
        if there := [one for one in found if one.exchange_type == exchange_type]:
            return there
    return found


def _by_nse_share(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    return _nse_shares(index, wanted, wanted.name)


def _nse_shares(index: InstrumentIndex, wanted: Wanted, name: str) -> list[Instrument]:
    if wanted.exchange_type not in (None, NSE) or wanted.kind == "index":
        return []
    shares = index.select(f"name_key = :key AND role = {Role.SHARE:d}", key=name, exchange_type=NSE)
    for series in SERIES:
        if there := [one for one in shares if series_of(one) == series]:
            return there
    return shares


def _by_loose_name(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    """An index, then a share of NSE, then a symbol with its series, where separators are off."""
    loose = loose_key(wanted.name)
    found = _loosely(index, wanted, loose, _indices) or _loosely(index, wanted, loose, _nse_shares)
    if not found and (symbol := _ENDS_IN_SERIES.fullmatch(wanted.name)):
        shares = _loosely(index, wanted, loose_key(symbol.group(1)), _all_nse_shares)
        found = [one for one in shares if series_of(one) == symbol.group(2)]
    return found


def _all_nse_shares(index: InstrumentIndex, wanted: Wanted, name: str) -> list[Instrument]:
    if wanted.exchange_type not in (None, NSE) or wanted.kind == "index":
        return []
    return index.select(f"name_key = :key AND role = {Role.SHARE:d}", key=name, exchange_type=NSE)


def _by_bse_share(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    return _bse_shares(index, wanted, wanted.name) or _loosely(
        index, wanted, loose_key(wanted.name), _bse_shares
    )


def _bse_shares(index: InstrumentIndex, wanted: Wanted, name: str) -> list[Instrument]:
    if wanted.exchange_type not in (None, BSE) or wanted.kind == "index":
        return []
    for column in ("symbol_key", "name_key"):
        where = f"{column} = :key AND role = {Role.SHARE:d}"
        if found := index.select(where, key=name, exchange_type=BSE):
            return found
    return []


def _by_hidden_symbol(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    if wanted.kind:
        return []
    return index.select(
        f"symbol_key = :key AND role = {Role.HIDDEN:d} AND name_key != :key",
        key=wanted.name,
        exchange_type=wanted.exchange_type,
    )


_ByName: TypeAlias = Callable[[InstrumentIndex, Wanted, str], list[Instrument]]


def _loosely(
    index: InstrumentIndex, wanted: Wanted, loose: str, by_name: _ByName
) -> list[Instrument]:
    """What `by_name` finds under every name of which `loose` is the loose key."""
    found = [one for key in index.keys_like(loose) for one in by_name(index, wanted, key)]
    return sorted({one.key: one for one in found}.values(), key=likely_first)


_STEPS: tuple[_ByName, ...] = (
    _by_token,
    _by_symbol,
    _by_index_name,
    _by_nse_share,
    _by_loose_name,
    _by_bse_share,
    _by_hidden_symbol,
)


def _also_a_commodity(
    index: InstrumentIndex, wanted: Wanted, found: list[Instrument], today: str
) -> tuple[Note, ...]:
    """That SILVER, a fund's share, has futures of that name elsewhere."""
    one = found[0]
    if wanted.exchange_type is not None or one.exchange_type != NSE or one.kind:
        return ()
    if loose_key(wanted.name) != loose_key(one.name):
        return ()
    there = [
        each.exchange_type
        for each in index.expiries([loose_key(one.name)])
        if each.exchange_type in _COMMODITIES and each.expiry >= today
    ]
    first = next((each for each in _COMMODITIES if each in there), None)
    return () if first is None else (Note("commodity", one.name, exchange_name(first)),)


def _hidden(index: InstrumentIndex, one: Instrument) -> tuple[Note, ...]:
    """That 26000 is the bare second row of the index Nifty 50, or 117 a spot row."""
    where = f"token = :token AND role = {Role.HIDDEN:d}"
    if not index.select(where, token=one.token, exchange_type=one.exchange_type):
        return ()
    where = f"role = {Role.INDEX:d} AND name_key = :key"
    meant = index.select(where, key=name_key(one.name), limit=1)
    # both may have one symbol: BSE's index BANKEX and its second row do
    other = f"{meant[0]} (token {meant[0].token})" if meant else ""
    return (Note("hidden", str(one), other),)


# --- 6: renamed ----------------------------------------------------------------------------------


def _by_new_name(index: InstrumentIndex, wanted: Wanted, today: str) -> Resolved | None:
    old, series = wanted.name, ""
    rename = renamed(old)
    if rename is None and (symbol := _ENDS_IN_SERIES.fullmatch(old)):
        old, series = symbol.group(1), f"-{symbol.group(2)}"
        rename = renamed(old)
    if rename is None or _is_in_use(index, old, today):
        return None
    for name in rename.names:
        if found := _under(index, wanted, name + series, today):
            return _only(wanted, found, (rename.note(name),))
    if rename.parts:
        _refuse_split(index, wanted, rename, series, today)
    return None


def _refuse_split(
    index: InstrumentIndex, wanted: Wanted, rename: Rename, series: str, today: str
) -> None:
    parts = [_under(index, wanted, part + series, today) for part in rename.parts]
    if found := [one for shares in parts for one in shares[:1]]:
        from .refusals import split

        raise split(wanted, rename.parts, found)


def _under(index: InstrumentIndex, wanted: Wanted, name: str, today: str) -> list[Instrument]:
    """What steps 2 to 5 find under another name on the same exchange."""
    other = replace(wanted, name=name)
    return next((found for step in _STEPS[1:] if (found := step(index, other, today))), [])


def _is_in_use(index: InstrumentIndex, name: str, today: str) -> bool:
    where = f"name_key = :name AND role < {Role.HIDDEN:d} AND (expiry = '' OR expiry >= :today)"
    return bool(index.select(where, name=name, today=today, limit=1))
