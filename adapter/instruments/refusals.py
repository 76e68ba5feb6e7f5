"""The errors for a name that is not one instrument: why, how it was read, candidates.

The order of candidates: where several fit, as `roles.likely_first` sorts them; where a strike or an
expiry is not listed, by their distance from it; where nothing is called so, as `candidates.py`
says. Expired contracts are named only where there is nothing else, hidden rows never.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from ..errors import AmbiguousSymbolError, ExpiredSymbolError, SymbolError, UnknownSymbolError
from ..instrument import EXCHANGE_NAMES, Instrument
from .candidates import nearest, of_name, of_names
from .contracts import (
    Underlying,
    matching,
    meant_expiries,
    nearest_contracts,
    underlying_of,
)
from .expiries import distance_days, in_words, wanted_in_words
from .index import InstrumentIndex
from .naming import LONGEST, Wanted, loose_key, read_name
from .renames import Rename, renamed
from .roles import CONTRACTS, Role, likely_first, preferred, role
from .spellings import OnDay, Reading, readings

SHOWN = 5
MOST_CANDIDATES = 20

_ISIN = re.compile(r"IN[A-Z0-9]{9}[0-9]")
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
    rename, reading = _became(wanted, today)
    if _ISIN.fullmatch(wanted.name):
        kind, message = (
            "symbol-isin",
            f"{wanted.quoted} is an ISIN; name the instrument by its symbol",
        )
    elif rename is not None and rename.merged_into:
        kind, message = "symbol-merged", f"{rename.old} was merged into {rename.merged_into}"
        candidates = _on_the_other(index, rename.merged_into, reading, today)
    elif rename is not None and rename.names:
        message = f"{rename.old} is {rename.names[-1]} now, and not listed here"
    elif candidates := _without_contracts(index, wanted, today):
        name = candidates[0].name
        kind, message = "contracts-unlisted", f"{wanted.quoted}: there are no contracts on {name}"
    candidates = candidates or nearest(index, wanted, today, MOST_CANDIDATES)
    return UnknownSymbolError(
        message + _nearest_are(candidates), kind=kind, candidates=tuple(candidates), typed=text
    )


def _became(wanted: Wanted, today: str) -> tuple[Rename | None, Reading | None]:
    """What became of the company that a name, or the contract that it is read as, is of."""
    rename = renamed(wanted.name) or renamed(wanted.name.removesuffix("-EQ"))
    if rename is not None:
        return rename, None
    for reading in readings(wanted.name, date.fromisoformat(today)):
        rename = renamed(reading.underlying)
        if rename is not None and (reading.expiry is not None or reading.right):
            return rename, reading
    return None, None


def _on_the_other(
    index: InstrumentIndex, name: str, reading: Reading | None, today: str
) -> list[Instrument]:
    """What of the company `name` fits a reading, else all that is listed of it."""
    found: list[Instrument] = []
    if reading is not None:
        found = preferred(matching(index, underlying_of(index, name, today), reading, today))
    return found[:MOST_CANDIDATES] or of_names(index, [loose_key(name)], today, MOST_CANDIDATES)


def _nearest_are(candidates: Sequence[Instrument]) -> str:
    return f"; the nearest: {shown(candidates[:SHOWN])}" if candidates else ""


# --- contracts that are not listed ---------------------------------------------------------------


def _understood(
    index: InstrumentIndex, wanted: Wanted, today: str
) -> tuple[Underlying, Reading] | None:
    """The likeliest reading whose underlying has contracts, though not this one."""
    exchanges = wanted.contract_exchanges
    best: tuple[tuple[int, int], Underlying, Reading] | None = None
    for reading in readings(wanted.name, date.fromisoformat(today)):
        underlying = underlying_of(index, reading.underlying, today).on(exchanges)
        if not underlying.listed:
            continue
        is_plausible = _is_plausible(index, underlying, reading.strike)
        if reading.expiry is None and not reading.right and not is_plausible:
            continue  # NIFTY 501 is no strike, but a misspelled index
        rank = _unlikeliness(underlying, reading, today, is_plausible=is_plausible)
        if best is None or rank < best[0]:
            best = rank, underlying, reading
    return best[1:] if best else None


def _unlikeliness(
    underlying: Underlying, reading: Reading, today: str, *, is_plausible: bool
) -> tuple[int, int]:
    """A key by which the likeliest of several readings comes first.

    15SEP is the 15th rather than September 2015, from which all that is listed is farther.
    """
    if meant_expiries(underlying, reading, today):
        days, rank = 0, 0
    else:
        listed = (each.expiry for each in underlying.listed if each.expiry >= today)
        days = min((distance_days(reading.expiry, each, today) for each in listed), default=0)
        rank = 1
    if reading.strike is not None and not reading.right:
        rank = 2  # 28OCT28 is a year rather than a strike
    return (rank if is_plausible else 3), days


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
            found = of_name(index, loose_key(reading.underlying), today)
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
