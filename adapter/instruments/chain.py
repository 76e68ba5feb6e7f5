"""Option chains: `NIFTY chain 10` is the underlying and the strikes around the spot.

`chain N` is the listed strike nearest the spot, the lower on a tie, and the N listed strikes on
each side of it: 2N + 1 strikes, calls and puts, of the nearest expiry unless another is named. The
centre follows the spot when another strike has become the nearest and the spot is past the middle
between the two by a quarter of a step, so that a price near the middle does not move it back and
forth. The spot is the index, or the nearest future where the underlying has no index.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ..errors import SymbolError, UnknownSymbolError
from ..instrument import Instrument
from . import refusals
from .contracts import Underlying, matching, underlying_of
from .expiries import distance_days, in_words, wanted_in_words
from .index import InstrumentIndex
from .naming import NO_ALIASES, Aliases, Wanted, name_key, read_name
from .renames import Note
from .resolve import resolve
from .roles import Role, preferred, role
from .spellings import Expiry, Nth, OnDay, Reading, readings

MOST_STRIKES = 250
"""Strikes on each side: their calls and puts fill the 1,000 units of a connection."""

_CHAIN = re.compile(r"(?P<name>.+?) chain(?: (?P<number>\S+))?(?: (?P<expiry>.+))?", re.IGNORECASE)
_QUARTER = Decimal("0.25")


@dataclass(frozen=True, slots=True)
class ChainWanted:
    """A chain as typed: whose, how many strikes on each side, and the text of its expiry."""

    text: str
    underlying: Wanted
    strikes: int
    expiry: str = ""
    """`monthly`, `29DEC`, `next weekly`; "" is the nearest."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What a chain may hold: its spot, its expiry, and the listed contracts by strike in rupees."""

    wanted: ChainWanted
    underlying: str
    spot: Instrument
    expiry: str
    """ISO."""
    contracts: Mapping[Decimal, tuple[Instrument, ...]]
    """The call and the put of each strike, the strikes in order."""
    notes: tuple[Note, ...] = ()

    @property
    def strikes(self) -> list[Decimal]:
        return list(self.contracts)


def read_chain(text: str, aliases: Aliases = NO_ALIASES) -> ChainWanted | None:
    """`BANKNIFTY chain 5 monthly`, read; None where the text does not name a chain.

    Raises UnknownSymbolError (kind "chain-number") when it does not say how many strikes.
    """
    text = " ".join(aliases.spelling_of(text).split())
    found = _CHAIN.fullmatch(text)
    if found is None:
        return None
    number = found["number"] or ""
    strikes = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
    if not 1 <= strikes <= MOST_STRIKES:
        raise UnknownSymbolError(
            f"{text!r}: a chain needs the number of strikes on each side, 1 to {MOST_STRIKES}",
            kind="chain-number",
            typed=text,
        )
    return ChainWanted(text, read_name(found["name"], aliases), strikes, found["expiry"] or "")


def chain_of(index: InstrumentIndex, wanted: ChainWanted, today: str) -> Chain:
    """The spot and the listed contracts of a chain.

    Raises UnknownSymbolError when the underlying has not that expiry (kind "chain-unlisted"), no
    options (kind "chain-without-options") or no spot, and what `resolve` raises when nothing is
    called so.
    """
    if not wanted.underlying.is_a_name:
        raise refusals.not_a_name(index, wanted.underlying, today)
    underlying = underlying_of(index, wanted.underlying.name, today)
    underlying = underlying.on(wanted.underlying.contract_exchanges)
    for expiry in _expiries(wanted, today):
        fields = Reading(wanted.underlying.name, expiry)
        contracts = _by_strike(preferred(matching(index, underlying, fields, today)))
        if contracts and not underlying.parts:
            one = next(iter(contracts.values()))[0]
            return Chain(
                wanted,
                underlying.name,
                spot_of(index, one, today),
                one.expiry,
                contracts,
                underlying.notes,
            )
    raise _unlisted(index, wanted, underlying, today)


def _unlisted(
    index: InstrumentIndex, wanted: ChainWanted, underlying: Underlying, today: str
) -> SymbolError:
    """Why there is no such chain."""
    if not underlying.listed:
        return _without_options(wanted, resolve(index, wanted.underlying, today).instrument.name)
    if underlying.parts:
        contracts = matching(index, underlying, Reading(underlying.name), today)
        return refusals.split(wanted.underlying, underlying.parts, contracts)
    expiries = {
        each.expiry
        for each in underlying.listed
        if not each.is_future and each.expiry and each.expiry >= today
    }
    if not expiries:
        return _without_options(wanted, underlying.name)
    meant = next(iter(_expiries(wanted, today)), None)
    read = repr(wanted.expiry) if meant is None else wanted_in_words(meant)
    nearest = sorted(expiries, key=lambda each: (distance_days(meant, each, today), each))
    return UnknownSymbolError(
        f"{wanted.text!r}: {underlying.name} has no options of {read}; the nearest expiries: "
        + ", ".join(map(in_words, nearest[: refusals.SHOWN])),
        kind="chain-unlisted",
        typed=wanted.text,
        expiries=tuple(nearest),
    )


def _without_options(wanted: ChainWanted, name: str) -> UnknownSymbolError:
    return UnknownSymbolError(
        f"{wanted.text!r}: there are no options on {name}",
        kind="chain-without-options",
        typed=wanted.text,
    )


def spot_of(index: InstrumentIndex, option: Instrument, today: str) -> Instrument:
    """The index that an option's underlying is, else its nearest future on the same exchange.

    Raises UnknownSymbolError (kind "chain-without-spot") when there is neither.
    """
    with suppress(SymbolError):
        return resolve(index, Wanted(option.name, option.name, kind="index"), today).instrument
    underlying = underlying_of(index, option.name, today).on((option.exchange_type,))
    nearest_future = Reading(option.name, Nth(1, monthly=False), right="FUT")
    futures = matching(index, underlying, nearest_future, today)
    if not futures:
        raise UnknownSymbolError(
            f"{option.name} has neither an index nor a future to take the spot from",
            kind="chain-without-spot",
            typed=option.name,
        )
    return futures[0]


def nearest_strike(strikes: Sequence[Decimal], spot: Decimal) -> Decimal:
    """The one of `strikes` (ascending, at least one) nearest the spot; the lower on a tie."""
    at = bisect_left(strikes, spot)
    return min(strikes[max(at - 1, 0) : at + 1], key=lambda each: (abs(each - spot), each))


def strikes_around(strikes: Sequence[Decimal], centre: Decimal, number: int) -> Sequence[Decimal]:
    """`centre`, one of `strikes` (ascending), and those next to it, `number` on each side.

    Fewer where the list ends; the other side does not make up for them.
    """
    at = bisect_left(strikes, centre)
    return strikes[max(at - number, 0) : at + number + 1]


def followed(strikes: Sequence[Decimal], centre: Decimal, spot: Decimal) -> Decimal:
    """The centre for this spot: another than before only when the spot is well past the middle."""
    near = nearest_strike(strikes, spot)
    if near == centre:
        return centre
    at = bisect_left(strikes, near)
    step = abs(near - strikes[at - 1 if near > centre else at + 1])
    past = abs(spot - centre) - abs(near - centre) / 2
    return near if past >= step * _QUARTER else centre


def _expiries(wanted: ChainWanted, today: str) -> list[Expiry]:
    """What the text of the expiry may mean; a day before the month of a year: 29DEC is the 29th."""
    if not wanted.expiry:
        return [Nth(1, monthly=False)]
    of_anything = f"X {name_key(wanted.expiry)}"
    found = [
        each.expiry
        for each in readings(of_anything, date.fromisoformat(today))
        if each.underlying == "X" and each.strike is None and each.expiry is not None
    ]
    return sorted(found, key=lambda each: not isinstance(each, OnDay))


def _by_strike(found: Sequence[Instrument]) -> dict[Decimal, tuple[Instrument, ...]]:
    """The options among them that have a strike, calls first, strikes ascending."""
    strikes: dict[Decimal, tuple[Instrument, ...]] = {}
    for one in sorted(found, key=lambda one: (one.strike_rupees or 0, role(one))):
        strike = one.strike_rupees
        if strike is not None and role(one) in (Role.CALL, Role.PUT):
            strikes[strike] = (*strikes.get(strike, ()), one)
    return strikes
