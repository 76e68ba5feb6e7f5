"""The errors for a name that is not one instrument: why, how it was read, candidates.

The order of candidates: where several fit, as `roles.likely_first` sorts them; where a strike or an
expiry is not listed, by their distance from it; where nothing is called so, names spelled nearly
alike (indices, shares, futures, options), then names that begin so. Expired contracts are named
only where there is nothing else, hidden rows never.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache

from ..errors import AmbiguousSymbolError, ExpiredSymbolError, SymbolError, UnknownSymbolError
from ..instrument import EXCHANGE_NAMES, Instrument
from .contracts import (
    Underlying,
    matching,
    meant_expiries,
    nearest_contracts,
    underlying_of,
)
from .expiries import in_words, wanted_in_words
from .index import InstrumentIndex
from .naming import LONGEST, Wanted, loose_key, read_name
from .near_names import MOST_WRONG, NearNames, distance
from .renames import OLD_NAMES, renamed
from .roles import CONTRACTS, SERIES, Role, likely_first, role
from .spellings import OnDay, Reading, readings

SHOWN = 5
MOST_CANDIDATES = 20

_ISIN = re.compile(r"IN[A-Z0-9]{9}[0-9]")
_NEAR_NAMES = 12
_TYPO_READINGS = 8
_SHORTEST_PART = 3
_MOST_ALIKE = 200
_SERIES_BEHIND = re.compile(rf"(?<=.)({'|'.join(SERIES)})$")
_PLAUSIBLE = 4
"""A strike this many times over the highest, or under the lowest, is not taken as a strike."""


def shown(candidates: Sequence[Instrument]) -> str:
    """`NFO:NIFTY29SEP26FUT (29 Sep 2026), ...`: the first five, and how many more there are."""
    named = [f"{each} ({in_words(each.expiry)})" if each.expiry else str(each)
             for each in candidates[:SHOWN]]  # fmt: skip
    more = len(candidates) - SHOWN
    return ", ".join(named) + (f" and {more:,} more" if more > 0 else "")


def not_a_name(index: InstrumentIndex, wanted: Wanted, today: str) -> UnknownSymbolError:
    """Why a text that is no name (`Wanted.is_a_name`) cannot be looked for at all."""
    text = wanted.text
    if wanted.is_too_long:
        return UnknownSymbolError(
            f"{text[:LONGEST] + '...'!r} is too long: a name has at most {LONGEST} characters",
            kind="symbol-too-long",
            typed=text,
        )
    if not wanted.name.strip(":|"):
        return UnknownSymbolError(
            f"{wanted.quoted} names no instrument", kind="symbol-empty", typed=text
        )
    name = re.split(r"[:|]", text, maxsplit=1)[-1]
    candidates = nearest(index, read_name(name), today, SHOWN)
    return UnknownSymbolError(
        f"{wanted.quoted}: {wanted.unknown_exchange!r} is not an exchange; known are "
        f"{', '.join(EXCHANGE_NAMES.values())}" + _nearest_are(candidates),
        kind="exchange-unknown",
        candidates=tuple(candidates),
        typed=text,
        exchange=wanted.unknown_exchange,
    )


def named_by(error: SymbolError) -> list[Instrument]:
    """The instruments that a name fits which fits several, or that have expired; else none."""
    found: Sequence[object] = ()
    if isinstance(error, AmbiguousSymbolError):
        found = error.candidates
    elif isinstance(error, ExpiredSymbolError):
        found = error.expired
    return [one for one in found if isinstance(one, Instrument)]


def ambiguous(
    wanted: Wanted, found: Sequence[Instrument], reading: Reading | None = None
) -> AmbiguousSymbolError:
    """Several fit, and no rule decides. `found` is in the order in which they are offered."""
    understood = _read_as(found, reading) if reading else ""
    so = f" is read as {understood}, and" if understood else ""
    return AmbiguousSymbolError(
        f"{wanted.quoted}{so} matches {len(found):,} instruments: {shown(found)}",
        kind="symbol-ambiguous",
        candidates=tuple(found[:MOST_CANDIDATES]),
        typed=wanted.text,
        understood=understood,
        found=len(found),
    )


def _read_as(found: Sequence[Instrument], reading: Reading) -> str:
    expiries = {one.expiry for one in found}
    is_one = reading.expiry is not None and len(expiries) == 1
    expiry = in_words(expiries.pop()) if is_one else wanted_in_words(reading.expiry)
    return _in_words(found[0].name, expiry, reading.strike, reading.right)


def split(
    wanted: Wanted, parts: Sequence[str], found: Sequence[Instrument]
) -> AmbiguousSymbolError:
    """The company was split into `parts`, and either may be meant; the first kept the token."""
    places = {loose_key(part): place for place, part in enumerate(parts)}

    def order(one: Instrument) -> tuple[object, ...]:
        *rest, symbol = likely_first(one)
        return *rest, places.get(loose_key(one.name), len(places)), symbol

    found = sorted(found, key=order)
    return AmbiguousSymbolError(
        f"{wanted.quoted}: the company was split into {' and '.join(parts)}: {shown(found)}",
        kind="symbol-split",
        candidates=tuple(found[:MOST_CANDIDATES]),
        typed=wanted.text,
        parts=tuple(parts),
    )


def expired(
    index: InstrumentIndex, wanted: Wanted, found: Sequence[Instrument], today: str
) -> ExpiredSymbolError:
    """Only contracts are meant that have expired; the nearest that have not are the candidates."""
    last = max(found, key=lambda one: one.expiry)
    candidates = _living_instead_of(index, wanted, last, today) or list(found[:MOST_CANDIDATES])
    return ExpiredSymbolError(
        f"{wanted.quoted}: {last} expired on {in_words(last.expiry)}"
        + _nearest_are([each for each in candidates if each.expiry >= today]),
        kind="symbol-expired",
        candidates=tuple(candidates),
        typed=wanted.text,
        understood=_in_words(last.name, in_words(last.expiry), last.strike_rupees, _right_of(last)),
        expired_on=last.expiry,
        expired=tuple(found[:MOST_CANDIDATES]),
    )


def unknown(index: InstrumentIndex, wanted: Wanted, today: str) -> UnknownSymbolError:
    """Nothing is called so: a contract that is not listed, or no name at all."""
    if (listed := _understood(index, wanted, today)) is not None:
        return _unlisted(index, wanted, *listed, today)
    text = wanted.text
    kind, message = "symbol-unknown", f"no instrument is called {wanted.quoted}"
    candidates: list[Instrument] = []
    rename = renamed(wanted.name)
    if _ISIN.fullmatch(wanted.name):
        kind, message = (
            "symbol-isin",
            f"{wanted.quoted} is an ISIN; name the instrument by its symbol",
        )
    elif rename is not None and rename.merged_into:
        kind, message = "symbol-merged", f"{rename.old} was merged into {rename.merged_into}"
        candidates = _of_names(index, [loose_key(rename.merged_into)], today, MOST_CANDIDATES)
    elif rename is not None and rename.names:
        message = f"{rename.old} is {rename.names[-1]} now, and not listed here"
    elif candidates := _without_contracts(index, wanted, today):
        name = candidates[0].name
        kind, message = "contracts-unlisted", f"{wanted.quoted}: there are no contracts on {name}"
    candidates = candidates or nearest(index, wanted, today, MOST_CANDIDATES)
    return UnknownSymbolError(
        message + _nearest_are(candidates), kind=kind, candidates=tuple(candidates), typed=text
    )


def nearest(index: InstrumentIndex, wanted: Wanted, today: str, limit: int) -> list[Instrument]:
    """What the user may have meant when nothing is called `wanted`, on its exchange or another."""
    if not wanted.name or wanted.is_too_long:
        return []
    loose = loose_key(wanted.name)
    found = (
        _of_token_elsewhere(index, wanted)
        or _misspelled_contracts(index, wanted, today, limit)
        or _called_nearly(index, wanted, loose, today, limit)
        or _with_symbol_like(index, wanted.name, today, limit)
        or _called_with(index, loose, today, limit)
    )
    return list({one.key: one for one in found}.values())[:limit]


def _nearest_are(candidates: Sequence[Instrument]) -> str:
    return f"; the nearest: {shown(candidates[:SHOWN])}" if candidates else ""


# --- contracts that are not listed ---------------------------------------------------------------


def _understood(
    index: InstrumentIndex, wanted: Wanted, today: str
) -> tuple[Underlying, Reading] | None:
    """The likeliest reading whose underlying has contracts, though not this one."""
    exchanges = wanted.contract_exchanges
    best: tuple[int, Underlying, Reading] | None = None
    for reading in readings(wanted.name, date.fromisoformat(today)):
        underlying = underlying_of(index, reading.underlying, today).on(exchanges)
        if not underlying.listed:
            continue
        is_plausible = _is_plausible(index, underlying, reading.strike)
        if reading.expiry is None and not reading.right and not is_plausible:
            continue  # NIFTY 501 is no strike, but a misspelled index
        has_expiry = bool(meant_expiries(underlying, reading, today))
        rank = (0 if has_expiry else 1) if is_plausible else 2
        if best is None or rank < best[0]:
            best = rank, underlying, reading
    return best[1:] if best else None


def _is_plausible(index: InstrumentIndex, underlying: Underlying, strike: Decimal | None) -> bool:
    """Whether the strike is of the size of those that are listed."""
    if strike is None:
        return True
    ranges = [index.strike_range(name) for name in {each.name_key for each in underlying.listed}]
    return any(
        lowest / _PLAUSIBLE <= strike <= highest * _PLAUSIBLE
        for lowest, highest in ranges
        if highest
    )


def _without_contracts(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    """`NIFTY IT FUT`: the index or share that a reading names, where nothing is written on it."""
    for reading in readings(wanted.name, date.fromisoformat(today)):
        if reading.expiry is not None or reading.right:
            found = _of_name(index, loose_key(reading.underlying), today)
            if found and not any(role(one) in CONTRACTS for one in found):
                return sorted(found, key=likely_first)
    return []


def _unlisted(
    index: InstrumentIndex, wanted: Wanted, underlying: Underlying, reading: Reading, today: str
) -> UnknownSymbolError:
    candidates = nearest_contracts(index, underlying, reading, today, MOST_CANDIDATES)
    meant = {expiry for _, _, expiry in meant_expiries(underlying, reading, today)}
    first = candidates[0].expiry if candidates else ""
    has_right = any(_right_of(one) == reading.right for one in candidates)
    if reading.right and not has_right:
        kind, reason = "right-unlisted", "no such contracts"
    elif reading.expiry is not None and not meant:
        kind, reason = "expiry-unlisted", "no such expiry"
    else:
        kind, reason = "strike-unlisted", "no such strike"
    expiry = in_words(first) if first in meant else wanted_in_words(reading.expiry)
    understood = _in_words(underlying.name, expiry, reading.strike, reading.right)
    return UnknownSymbolError(
        f"{wanted.quoted} is read as {understood}: {reason}" + _nearest_are(candidates),
        kind=kind,
        candidates=tuple(candidates),
        typed=wanted.text,
        understood=understood,
    )


def _in_words(name: str, expiry: str, strike: Decimal | None, right: str) -> str:
    """`NIFTY, 22 Sep 2026, 24600 CE`."""
    number = "" if strike is None else f"{strike.normalize():f}"
    return ", ".join(part for part in (name, expiry, f"{number} {right}".strip()) if part)


def _right_of(one: Instrument) -> str:
    return {Role.FUTURE: "FUT", Role.CALL: "CE", Role.PUT: "PE"}.get(role(one), "")


def _living_instead_of(
    index: InstrumentIndex, wanted: Wanted, gone: Instrument, today: str
) -> list[Instrument]:
    underlying = underlying_of(index, gone.name, today)
    year, month, day = map(int, gone.expiry.split("-"))
    fields = Reading(gone.name, OnDay(month, day, year), gone.strike_rupees, _right_of(gone))
    return nearest_contracts(index, underlying, fields, today, MOST_CANDIDATES)


# --- names that are misspelled -------------------------------------------------------------------


def _misspelled_contracts(
    index: InstrumentIndex, wanted: Wanted, today: str, limit: int
) -> list[Instrument]:
    """`NIFTI 22SEP 24500 CE`: the contracts that fit once the underlying is spelled right.

    Where none does, those that come nearest; where nothing is written on it, the share itself.
    """
    tried: set[str] = set()
    second_best: list[Instrument] = []
    for reading in readings(wanted.name, date.fromisoformat(today)):
        if reading.expiry is None and not reading.right:
            continue
        loose = loose_key(reading.underlying)
        if loose not in tried and len(tried) == _TYPO_READINGS:
            break
        tried.add(loose)
        for _, name in index.near_names.near(loose)[:_NEAR_NAMES]:
            underlying = underlying_of(index, name, today)
            if found := matching(index, underlying, reading, today):
                return found[:limit]
            second_best = (
                second_best
                or nearest_contracts(index, underlying, reading, today, limit)
                or sorted(_of_name(index, name, today), key=likely_first)
            )
    return second_best


def _of_token_elsewhere(index: InstrumentIndex, wanted: Wanted) -> list[Instrument]:
    if wanted.exchange_type is None or not wanted.name.isdigit():
        return []
    return index.select(f"token = :token AND role < {Role.HIDDEN:d}", token=wanted.name)


def _called_nearly(
    index: InstrumentIndex, wanted: Wanted, loose: str, today: str, limit: int
) -> list[Instrument]:
    """Instruments of names spelled like `loose`, then of names that begin so."""
    found = [
        (wrong, one) for wrong, name in _near(index, loose) for one in _of_name(index, name, today)
    ]

    def likeness(each: tuple[int, Instrument]) -> tuple[object, ...]:
        wrong, one = each
        is_odd, *rest = likely_first(one)
        is_elsewhere = wanted.exchange_type not in (None, one.exchange_type)
        return is_odd, wrong, is_elsewhere, *rest

    ordered = [one for _, one in sorted(found, key=likeness)]
    if len(ordered) < limit and len(loose) > 1:
        ordered += _of_names(index, index.near_names.beginning_with(loose, limit), today, limit)
    return ordered


def _called_with(index: InstrumentIndex, loose: str, today: str, limit: int) -> list[Instrument]:
    """Instruments of names that hold `loose` somewhere."""
    if len(loose) < _SHORTEST_PART:
        return []
    return _of_names(index, index.near_names.containing(loose, limit), today, limit)


def _of_names(
    index: InstrumentIndex, names: Iterable[str], today: str, limit: int
) -> list[Instrument]:
    found: list[Instrument] = []
    for name in names:
        found += sorted(_of_name(index, name, today), key=likely_first)
        if len(found) >= limit:
            break
    return found


@cache
def _old_names() -> NearNames:
    return NearNames(loose_key(name) for name in OLD_NAMES)


def _near(index: InstrumentIndex, loose: str) -> Iterable[tuple[int, str]]:
    """(letters wrong, loose key) of names spelled nearly so; of what was renamed the new name."""
    found = dict.fromkeys(index.near_names.near(loose)[:_NEAR_NAMES])
    base = _SERIES_BEHIND.sub("", loose)
    if base != loose:
        found |= dict.fromkeys(index.near_names.near(base)[:_NEAR_NAMES])
    for wrong, old in _old_names().near(loose):
        rename = renamed(old)
        new = (*rename.names, *rename.parts) if rename else ()
        found |= dict.fromkeys((wrong, loose_key(name)) for name in new)
    return found


def _of_name(index: InstrumentIndex, loose: str, today: str) -> list[Instrument]:
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
            key=key, today=today, order="expiry, strike, role", limit=SHOWN,
        )  # fmt: skip
    indices = [one for one in found if role(one) is Role.INDEX]
    shadowed = {one.key for one in indices if one.exchange not in ("NSE", "BSE")}
    if len(shadowed) < len(indices):
        found = [one for one in found if one.key not in shadowed]
    return found


def _with_symbol_like(
    index: InstrumentIndex, name: str, today: str, limit: int
) -> list[Instrument]:
    """Those whose symbol begins as `name` does and has two letters wrong at most, or that begin
    as half of it does; the most alike first."""
    name = name.replace(" ", "")
    for length in range(len(name) - 1, _SHORTEST_PART - 1, -1):
        beginning = name[:length]
        found = index.select(
            "symbol_key >= :key AND symbol_key < :end"
            f" AND role < {Role.HIDDEN:d} AND (expiry = '' OR expiry >= :today)",
            order="symbol_key",
            limit=_MOST_ALIKE,
            today=today,
            key=beginning,
            end=beginning + "\U0010ffff",
        )
        if found:
            most = len(name) if length * 2 >= len(name) else MOST_WRONG
            wrong = {one.key: distance(one.symbol.upper(), name, most) for one in found}
            alike = [one for one in found if wrong[one.key] <= most]
            return sorted(alike, key=lambda one: (wrong[one.key], str(one)))[:limit]
    return []
