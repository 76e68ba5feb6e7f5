"""The listed contracts that a reading of a name fits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from ..instrument import CURRENCY_EXCHANGE_TYPE, Instrument
from .expiries import chosen, distance_days
from .index import InstrumentIndex, Listed
from .naming import loose_key
from .renames import Note, Rename, index_keys, renamed
from .roles import Role, exchange_rank, likely_first, preferred, role
from .spellings import Reading

_OPTIONS = (Role.CALL, Role.PUT, Role.OPTION)
_ROLES = {
    "FUT": (Role.FUTURE,),
    "CE": (Role.CALL,),
    "PE": (Role.PUT,),
    "": (Role.FUTURE, *_OPTIONS),
}


class _Group(NamedTuple):
    """The futures, or the options, of one underlying on one exchange."""

    name_key: str
    exchange_type: int
    is_future: bool


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
    found: list[Instrument] = []
    for group, listed in _grouped(underlying, reading.right).items():
        if group.is_future and reading.strike is not None:
            continue
        if expiries := chosen(reading.expiry, listed, today, passed=passed):
            found += _select(index, group, reading.right, expiries, strike=reading.strike)
    return sorted(found, key=likely_first)


def nearest_contracts(
    index: InstrumentIndex, underlying: Underlying, reading: Reading, today: str, limit: int
) -> list[Instrument]:
    """The contracts that come nearest to a reading that fits none.

    The same right; the expiry that was meant, else the nearest to it; then the strike's distance,
    the lower first. Those of another right only where the underlying has none of this.
    """
    for right in dict.fromkeys((reading.right, "")):
        wanted = replace(reading, right=right)
        found: list[Instrument] = []
        for expiries in _nearest_expiries(underlying, wanted, today):
            if len(found) < limit:
                found += _nearest_strikes(index, expiries, wanted, limit)
        if found:
            return found[:limit]
    return []


def _nearest_expiries(
    underlying: Underlying, reading: Reading, today: str
) -> Iterator[dict[_Group, list[str]]]:
    """The listed expiries that have not passed, those first that come nearest; all at once where
    the reading says nothing of a day."""
    meant = meant_expiries(underlying, reading, today)
    by_distance: defaultdict[int, defaultdict[_Group, list[str]]]
    by_distance = defaultdict(lambda: defaultdict(list))
    for group, listed in _grouped(underlying, reading.right).items():
        for expiry in chosen(None, listed, today):
            is_meant = (*group[1:], expiry) in meant
            days = 0 if is_meant else 1 + distance_days(reading.expiry, expiry, today)
            by_distance[days][group].append(expiry)
    for days in sorted(by_distance):
        yield by_distance[days]


def _nearest_strikes(
    index: InstrumentIndex, expiries: Mapping[_Group, Sequence[str]], reading: Reading, limit: int
) -> list[Instrument]:
    """The contracts of some expiries, those of the nearest strikes first."""
    strike = reading.strike or Decimal(0)
    found: list[Instrument] = []
    for group, listed in expiries.items():
        found += _select(index, group, reading.right, listed, near=strike, limit=limit)
    kept = {one.key for one in preferred(found)}

    def distance(one: Instrument) -> tuple[object, ...]:
        rupees = abs((one.strike_rupees or 0) - strike) if strike else 0
        rank = exchange_rank(one.exchange_type)
        return (one.key not in kept, rupees, one.expiry or "9999", one.strike or 0, rank, role(one))

    return sorted(found, key=distance)


def meant_expiries(
    underlying: Underlying, reading: Reading, today: str
) -> set[tuple[int, bool, str]]:
    """(exchange type, of futures, expiry) of the listed expiries that the reading names."""
    if reading.expiry is None:
        return set()
    return {
        (*group[1:], expiry)
        for group, listed in _grouped(underlying, reading.right).items()
        for expiry in chosen(reading.expiry, listed, today)
    }


def _grouped(underlying: Underlying, right: str) -> dict[_Group, list[str]]:
    """The expiries of the futures, or of the options, or of both, where these are listed."""
    groups: defaultdict[_Group, list[str]] = defaultdict(list)
    for name_key, exchange_type, is_future, expiry in underlying.listed:
        if not right or bool(is_future) == (right == "FUT"):
            groups[_Group(name_key, exchange_type, bool(is_future))].append(expiry)
    return groups


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
    group: _Group,
    right: str,
    expiries: Sequence[str],
    *,
    strike: Decimal | None = None,
    near: Decimal = Decimal(0),
    limit: int = -1,
) -> list[Instrument]:
    """The contracts of some expiries: of one strike, or all, those near another first."""
    roles = [each for each in _ROLES[right] if (each is Role.FUTURE) == group.is_future]
    where = (
        f"name_key = :name AND role IN ({', '.join(f'{each:d}' for each in roles)})"
        f" AND expiry IN ({', '.join(repr(each) for each in expiries)})"
    )
    if strike is not None:
        where += f" AND strike IN ({', '.join(map(str, _in_units(strike, group.exchange_type)))})"
    if group.exchange_type == CURRENCY_EXCHANGE_TYPE:
        limit = -1  # the distance is known only once the unit of each strike is
    found = index.select(
        where,
        exchange_type=group.exchange_type,
        order="abs(strike - :near), expiry, strike" if near else "expiry, strike",
        limit=limit,
        name=group.name_key,
        near=int(near * 100),
    )
    # Of a currency a number may be two strikes, in two of its units.
    return [one for one in found if strike is None or one.strike_rupees == strike]


def _in_units(strike: Decimal, exchange_type: int) -> list[int]:
    """What the master may write for a strike in rupees; none where no unit holds its digits."""
    digits = (2, 6, 7) if exchange_type == CURRENCY_EXCHANGE_TYPE else (2,)
    scaled = [strike.scaleb(each) for each in digits]
    return [int(each) for each in scaled if each == int(each)]
