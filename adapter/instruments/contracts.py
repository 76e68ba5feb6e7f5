"""The listed contracts that a reading of a name fits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ..instrument import CURRENCY_EXCHANGE_TYPE, EXCHANGE_TYPES, Instrument
from .expiries import chosen, distance_days
from .index import InstrumentIndex, Listed
from .naming import Wanted, loose_key
from .renames import Note, Rename, index_keys, renamed
from .roles import Role, exchange_rank, likely_first, role
from .spellings import Reading

_FAMILIES = {
    EXCHANGE_TYPES["NSE"]: (EXCHANGE_TYPES["NFO"], EXCHANGE_TYPES["CDS"]),
    EXCHANGE_TYPES["BSE"]: (EXCHANGE_TYPES["BFO"],),
}
"""Other platforms say NSE of its derivatives too."""

_GIVES_WAY_TO = {
    EXCHANGE_TYPES["BFO"]: EXCHANGE_TYPES["NFO"],
    EXCHANGE_TYPES["NCO"]: EXCHANGE_TYPES["MCX"],
    EXCHANGE_TYPES["BSE"]: EXCHANGE_TYPES["NSE"],
}
_OPTIONS = (Role.CALL, Role.PUT, Role.OPTION)
_ROLES = {
    "FUT": (Role.FUTURE,),
    "CE": (Role.CALL,),
    "PE": (Role.PUT,),
    "": (Role.FUTURE, *_OPTIONS),
}


@dataclass(frozen=True, slots=True)
class Underlying:
    """What contracts are written on, and which expiries they have, where; `listed` may be empty."""

    listed: tuple[Listed, ...]
    notes: tuple[Note, ...] = ()
    parts: tuple[str, ...] = ()
    """The companies that it was split into: then none of its contracts is meant for sure."""

    @property
    def name(self) -> str:
        return self.listed[0].name_key if self.listed else ""

    def on(self, exchanges: Sequence[int] | None) -> Underlying:
        """With the contracts of these exchanges alone; None is all."""
        if exchanges is None:
            return self
        return replace(self, listed=tuple(e for e in self.listed if e.exchange_type in exchanges))


def contract_exchanges(wanted: Wanted) -> Sequence[int] | None:
    """Where a contract may lie that `wanted` names; None is anywhere."""
    if wanted.kind:
        return ()
    if wanted.exchange_type is None:
        return None
    return _FAMILIES.get(wanted.exchange_type, (wanted.exchange_type,))


def preferred(found: list[Instrument]) -> list[Instrument]:
    """Without those of BFO where NFO has some, of NCO where MCX, of BSE where NSE."""
    there = {one.exchange_type for one in found}
    return [one for one in found if _GIVES_WAY_TO.get(one.exchange_type) not in there]


def underlying_of(index: InstrumentIndex, name: str, today: str) -> Underlying:
    """What `name` (a `name_key`) means as an underlying: itself, an index, a share, or renamed."""
    loose = loose_key(name)
    passed: Underlying | None = None
    for keys in ([loose], _as_index(index, loose), [loose_key(name.removesuffix("-EQ"))]):
        listed = index.expiries(keys) if keys else []
        spelled_so = [each for each in listed if each.name_key == name]
        if listed:
            found = Underlying(tuple(spelled_so or listed))
            if any(not each.expiry or each.expiry >= today for each in listed):
                return found
            passed = passed or found
    if rename := renamed(name):
        found = _under_new_name(index, rename, today)
        if found.listed:
            return found
    return passed or Underlying(())


def matching(
    index: InstrumentIndex,
    underlying: Underlying,
    reading: Reading,
    today: str,
    *,
    passed: bool = False,
) -> list[Instrument]:
    """The contracts of `underlying` that `reading` fits, as they are offered, on all exchanges."""
    groups: defaultdict[tuple[str, int, bool], list[str]] = defaultdict(list)
    for name_key, exchange_type, is_future, expiry in underlying.listed:
        groups[name_key, exchange_type, bool(is_future)].append(expiry)
    found: list[Instrument] = []
    for (name_key, exchange_type, is_future), listed in groups.items():
        if is_future == (reading.right in ("CE", "PE")) and reading.right:
            continue
        if is_future and reading.strike is not None:
            continue
        expiries = chosen(reading.expiry, listed, today, passed=passed)
        if expiries:
            roles = [each for each in _ROLES[reading.right] if (each is Role.FUTURE) == is_future]
            found += _select(index, name_key, exchange_type, roles, expiries, reading.strike)
    return sorted(found, key=likely_first)


def nearest_contracts(
    index: InstrumentIndex, underlying: Underlying, reading: Reading, today: str, limit: int
) -> list[Instrument]:
    """The contracts that come nearest to a reading that fits none.

    The same right; the expiry that was meant, else the nearest to it; then the strike's distance,
    the lower first. Those of another right only where the underlying has none of this.
    """
    living = Reading(reading.underlying, None, None, reading.right)
    found = matching(index, underlying, living, today)
    if not found:
        found = matching(index, underlying, replace(living, right=""), today)
    meant = meant_expiries(underlying, reading, today)
    kept = {one.key for one in preferred(found)}

    def distance(one: Instrument) -> tuple[object, ...]:
        is_meant = (one.exchange_type, role(one) is Role.FUTURE, one.expiry) in meant
        days = 0 if is_meant else 1 + distance_days(reading.expiry, one.expiry, today)
        rupees = abs((one.strike_rupees or 0) - reading.strike) if reading.strike else Decimal(0)
        by_expiry = (days,) if reading.expiry else ()
        gives_way = is_meant and one.key not in kept
        expiry = one.expiry or "9999"
        rank = exchange_rank(one.exchange_type)
        return (*by_expiry, gives_way, rupees, expiry, one.strike or 0, rank, role(one))

    return sorted(found, key=distance)[:limit]


def meant_expiries(
    underlying: Underlying, reading: Reading, today: str
) -> set[tuple[int, bool, str]]:
    """(exchange type, of futures, expiry) of the listed expiries that the reading names."""
    if reading.expiry is None:
        return set()
    groups: defaultdict[tuple[int, bool], list[str]] = defaultdict(list)
    for _, exchange_type, is_future, expiry in underlying.listed:
        groups[exchange_type, bool(is_future)].append(expiry)
    return {
        (exchange_type, is_future, expiry)
        for (exchange_type, is_future), listed in groups.items()
        if not reading.right or is_future == (reading.right == "FUT")
        for expiry in chosen(reading.expiry, listed, today)
    }


def _as_index(index: InstrumentIndex, loose: str) -> list[str]:
    """The loose keys of the contracts' names of an index that is called so."""
    found: list[str] = []
    for key in index_keys(loose):
        found.append(key)
        for name_key in index.keys_like(key):
            rows = index.select("role = 0 AND symbol_key = :key", key=name_key)
            found += [loose_key(row.name) for row in rows]
    return list(dict.fromkeys(found))


def _under_new_name(index: InstrumentIndex, rename: Rename, today: str) -> Underlying:
    listed: list[Listed] = []
    for name in rename.parts or rename.names:
        new = underlying_of(index, name, today) if name != rename.old else Underlying(())
        if new.listed and not rename.parts:
            return replace(new, notes=(rename.note(name), *new.notes))
        listed += new.listed
    return Underlying(tuple(listed), parts=rename.parts)


def _select(
    index: InstrumentIndex,
    name_key: str,
    exchange_type: int,
    roles: Sequence[Role],
    expiries: Sequence[str],
    strike: Decimal | None,
) -> list[Instrument]:
    where = (
        f"name_key = :name AND role IN ({', '.join(f'{each:d}' for each in roles)})"
        f" AND expiry IN ({', '.join(repr(each) for each in expiries)})"
    )
    if strike is not None:
        where += f" AND strike IN ({', '.join(map(str, _in_units(strike, exchange_type)))})"
    found = index.select(where, exchange_type=exchange_type, order="rowid", name=name_key)
    # Of a currency a number may be two strikes, in two of its units.
    return [one for one in found if strike is None or one.strike_rupees == strike]


def _in_units(strike: Decimal, exchange_type: int) -> list[int]:
    """What the master may write for a strike in rupees; none where no unit holds its digits."""
    digits = (2, 6, 7) if exchange_type == CURRENCY_EXCHANGE_TYPE else (2,)
    scaled = [strike.scaleb(each) for each in digits]
    return [int(each) for each in scaled if each == int(each)]
