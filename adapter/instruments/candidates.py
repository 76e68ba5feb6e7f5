"""What may be meant by a name that nothing is called: the candidates of a refusal, in order.

Names spelled nearly alike (indices, shares, futures, options), then names that begin so, then what
else is like it. Of a contract the underlying is what is put right, or the month. What has expired
or is hidden is no candidate; odd series come last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache

from ..instrument import EXCHANGE_TYPES, Instrument
from .contracts import matching, nearest_contracts, underlying_of
from .index import InstrumentIndex
from .naming import MONTHS, Wanted, loose_key
from .near_names import MOST_WRONG, NearNames, distance
from .renames import OLD_NAMES, renamed
from .roles import CONTRACTS, SERIES, Role, likely_first, preferred, role
from .spellings import readings

NEAREST_OPTIONS = 5
"""Of the options of one name so many are candidates."""

_LETTERS = re.compile(r"[A-Z]+")
_LETTERS_BEHIND_A_NUMBER = re.compile(r"(?<=[0-9])[A-Z]{1,3}$|(?<=[0-9] )[A-Z]{1,3}$")
_BEFORE_A_NUMBER = re.compile(r"[ -]?[0-9]")
_NEAR_NAMES = 12
_TYPO_READINGS = 8
_SHORTEST_PART = 3
_MOST_ALIKE = 200
_ENDING = 6
"""Letters: of so many symbols with one beginning those count that end alike as well (24500CE)."""
_SERIES_BEHIND = re.compile(rf"(?<=.)({'|'.join(SERIES)})$")


def nearest(index: InstrumentIndex, wanted: Wanted, today: str, limit: int) -> list[Instrument]:
    """What the user may have meant when nothing is called `wanted`, on its exchange or another."""
    if not wanted.name or wanted.is_too_long:
        return []
    loose = loose_key(wanted.name)
    if without := _without_exchange(wanted):
        return nearest(index, without, today, limit)
    found = (
        _of_token_elsewhere(index, wanted)
        or _misspelled_contracts(index, wanted, today, limit)
        or _called_nearly(index, wanted, loose, today, limit)
        or _with_symbol_like(index, wanted.name, today, limit)
        or _on_what_it_begins_with(index, wanted.name, today, limit)
        or _called_with(index, loose, today, limit)
    )
    return list({one.key: one for one in found}.values())[:limit]


def _without_exchange(wanted: Wanted) -> Wanted | None:
    """`BSE RELIANCE` and `RELIANCE BSE` as BSE:RELIANCE; None where no exchange is named so."""
    for place in (0, -1):
        exchange_type = EXCHANGE_TYPES.get(wanted.words[place])
        rest = wanted.words[1:] if place == 0 else wanted.words[:-1]
        if exchange_type and rest and wanted.exchange_type in (None, exchange_type):
            return replace(wanted, name=" ".join(rest), exchange_type=exchange_type)
    return None


def _misspelled_contracts(
    index: InstrumentIndex, wanted: Wanted, today: str, limit: int
) -> list[Instrument]:
    """`NIFTI 22SEP 24500 CE`: the contracts that fit once one word of it is put right.

    Where none does, those that come nearest; where nothing is written on it, the share itself.
    """
    found: list[Instrument] = []
    second_best: list[Instrument] = []
    for name in _put_right(wanted.name):
        fitting, nearly = _of_underlyings_like(index, name, today, limit)
        found += fitting
        second_best = second_best or nearly
    return (found or second_best)[:limit]


def _put_right(name: str) -> list[str]:
    """`NIFTY 22 SPE 24500 CE` with SEP, `NIFTY2692224500XE` with CE and with PE; `name` itself
    where neither month nor right is misspelled."""
    words = _LETTERS.findall(name)
    if not any(word in MONTHS for word in words):
        near = {word: month for word in words for month in MONTHS if distance(word, month, 1) == 1}
        name = _LETTERS.sub(lambda found: near.get(found[0], found[0]), name)
    right = _LETTERS_BEHIND_A_NUMBER.search(name)
    if right is None or {"CE", "PE", "FUT"}.intersection(words):
        return [name]
    rights = [each for each in ("CE", "PE") if distance(right[0], each, 1) <= 1]
    return [name[: right.start()] + each for each in rights] or [name]


def _of_underlyings_like(
    index: InstrumentIndex, name: str, today: str, limit: int
) -> tuple[list[Instrument], list[Instrument]]:
    """The contracts that `name` means once its underlying is spelled right, or to its end: `CRUDE
    OCT FUT`; and those that come nearest to them."""
    tried: set[str] = set()
    found: list[Instrument] = []
    second_best: list[Instrument] = []
    for reading in readings(name, date.fromisoformat(today)):
        if reading.expiry is None and not reading.right:
            continue
        loose = loose_key(reading.underlying)
        if found or (loose not in tried and len(tried) == _TYPO_READINGS):
            break
        tried.add(loose)
        for other in _names_like(index, reading.underlying):
            underlying = underlying_of(index, other, today)
            fitting = matching(index, underlying, reading, today)
            found += sorted(fitting, key=preferred(fitting).__contains__, reverse=True)
            second_best = (
                second_best
                or nearest_contracts(index, underlying, reading, today, limit)
                or sorted(of_name(index, other, today), key=likely_first)
            )
    return found, second_best


def _names_like(index: InstrumentIndex, underlying: str) -> Iterable[str]:
    """Loose keys of names that are spelled nearly so, then of names that begin so."""
    loose = loose_key(underlying)
    found = [name for _, name in index.near_names.near(loose, len(underlying))[:_NEAR_NAMES]]
    if loose in found:
        return [loose]
    if len(loose) >= _SHORTEST_PART:
        found += index.near_names.beginning_with(loose, _NEAR_NAMES)
    return dict.fromkeys(found)


def _of_token_elsewhere(index: InstrumentIndex, wanted: Wanted) -> list[Instrument]:
    if wanted.exchange_type is None or not wanted.name.isdigit():
        return []
    return index.select(f"token = :token AND role < {Role.HIDDEN:d}", token=wanted.name)


def _called_nearly(
    index: InstrumentIndex, wanted: Wanted, loose: str, today: str, limit: int
) -> list[Instrument]:
    """Instruments of names spelled like `loose`, then of names that begin so."""
    found = [
        (wrong, one)
        for wrong, name in _near(index, loose, len(wanted.name))
        for one in of_name(index, name, today)
    ]

    def likeness(each: tuple[int, Instrument]) -> tuple[object, ...]:
        wrong, one = each
        is_odd, *rest = likely_first(one)
        is_elsewhere = wanted.exchange_type not in (None, one.exchange_type)
        return is_odd, wrong, is_elsewhere, *rest

    ordered = [one for _, one in sorted(found, key=likeness)]
    if len(ordered) < limit and len(loose) > 1:
        ordered += of_names(index, index.near_names.beginning_with(loose, limit), today, limit)
    return ordered


def _called_with(index: InstrumentIndex, loose: str, today: str, limit: int) -> list[Instrument]:
    """Instruments of names that hold `loose` somewhere."""
    if len(loose) < _SHORTEST_PART:
        return []
    return of_names(index, index.near_names.containing(loose, limit), today, limit)


def of_names(
    index: InstrumentIndex, names: Iterable[str], today: str, limit: int
) -> list[Instrument]:
    found: list[Instrument] = []
    for name in names:
        found += sorted(of_name(index, name, today), key=likely_first)
        if len(found) >= limit:
            break
    return found


@cache
def _old_names() -> NearNames:
    return NearNames(loose_key(name) for name in OLD_NAMES)


def _near(index: InstrumentIndex, loose: str, typed: int) -> Iterable[tuple[int, str]]:
    """(letters wrong, loose key) of names spelled nearly so; of what was renamed the new name.

    `typed`: how many letters `loose` had with its separators.
    """
    found = dict.fromkeys(index.near_names.near(loose, typed)[:_NEAR_NAMES])
    base = _SERIES_BEHIND.sub("", loose)
    if base != loose:
        found |= dict.fromkeys(index.near_names.near(base, typed)[:_NEAR_NAMES])
    for wrong, old in _old_names().near(loose):
        rename = renamed(old)
        new = (*rename.names, *rename.parts) if rename else ()
        found |= dict.fromkeys((wrong, loose_key(name)) for name in new)
    return found


def of_name(index: InstrumentIndex, loose: str, today: str) -> list[Instrument]:
    """Index, shares, futures and the nearest options of one name that have not expired."""
    found: list[Instrument] = []
    for key in index.keys_like(loose):
        by_name = "name_key = :key AND role {0} AND (expiry = '' OR expiry >= :today)"
        found += index.select(
            f"role = {Role.INDEX:d} AND (name_key = :key OR symbol_key = :key)", key=key
        )
        found += index.select(
            by_name.format(f"IN ({Role.SHARE:d}, {Role.FUTURE:d})"), key=key, today=today
        )
        found += index.select(
            by_name.format(f"IN ({Role.CALL:d}, {Role.PUT:d})"),
            key=key, today=today, order="expiry, strike, role", limit=NEAREST_OPTIONS,
        )  # fmt: skip
    indices = [one for one in found if role(one) is Role.INDEX]
    shadowed = {one.key for one in indices if one.exchange not in ("NSE", "BSE")}
    if len(shadowed) < len(indices):
        found = [one for one in found if one.key not in shadowed]
    return found


def _with_symbol_like(
    index: InstrumentIndex, name: str, today: str, limit: int
) -> list[Instrument]:
    """Those whose symbol begins as at least half of `name` does, or as less of it and has two
    letters wrong at most; the most alike first, odd series last."""
    name = name.replace(" ", "")
    for length in range(len(name) - 1, _SHORTEST_PART - 1, -1):
        beginning = name[:length]
        found = index.select(
            "symbol_key >= :key AND symbol_key < :end"
            f" AND role < {Role.HIDDEN:d} AND (expiry = '' OR expiry >= :today)",
            order=f"substr(symbol_key, {-_ENDING}) = :ending DESC, symbol_key",
            limit=_MOST_ALIKE,
            today=today,
            key=beginning,
            end=beginning + "\U0010ffff",
            ending=name[-_ENDING:],
        )
        if found:
            most = len(name) if length * 2 >= len(name) else MOST_WRONG
            return _most_alike(found, name, most)[:limit]
    return []


def _on_what_it_begins_with(
    index: InstrumentIndex, name: str, today: str, limit: int
) -> list[Instrument]:
    """`BHEL26O27277.P5E`: what is written on BHEL, or BHEL itself, where more cannot be read."""
    ends = [found.start() for found in _BEFORE_A_NUMBER.finditer(name, 2)]
    for end in reversed(ends):
        if found := of_names(index, [loose_key(name[:end])], today, limit):
            return [one for one in found if role(one) in CONTRACTS] or found
    return []


def _most_alike(found: list[Instrument], name: str, most: int) -> list[Instrument]:
    """Those that have at most `most` letters wrong, the most alike first."""
    # Up to four are told apart: the year that a symbol has and a user leaves out is two of them.
    wrong = {one.key: distance(one.symbol.upper(), name, MOST_WRONG + 2) for one in found}

    def likeness(one: Instrument) -> tuple[object, ...]:
        is_odd, *rest = likely_first(one)
        return is_odd, wrong[one.key], *rest

    return sorted((one for one in found if wrong[one.key] <= most), key=likeness)
