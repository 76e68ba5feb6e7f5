"""Steps 7 to 9 of `resolve.py`: a contract by fields, by its symbol on BFO, by its underlying."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from ..instrument import Instrument
from .contracts import Underlying, matching, underlying_of
from .index import InstrumentIndex
from .naming import Wanted
from .roles import preferred
from .spellings import Reading, readings

NOTHING = Underlying(())


class ByFields(NamedTuple):
    """The contracts that a name means, what they are written on, and how the name was read."""

    contracts: list[Instrument]
    underlying: Underlying = NOTHING
    reading: Reading | None = None
    """None where only the underlying was given, or where the whole is a symbol."""


def by_fields(
    index: InstrumentIndex, wanted: Wanted, today: str, *, on_bfo: list[Instrument]
) -> ByFields:
    """The contracts of the first reading that is listed.

    `on_bfo`: those of BFO that have this symbol, which count where no reading finds any; after them
    come all the contracts of an underlying of that name.
    """
    for reading, underlying in _read(index, wanted, today):
        if found := preferred(matching(index, underlying, reading, today)):
            return ByFields(found, underlying, reading)
    if on_bfo:
        return ByFields(on_bfo)
    alone = underlying_of(index, wanted.name, today).on(wanted.contract_exchanges)
    return ByFields(preferred(matching(index, alone, Reading(wanted.name), today)), alone)


def by_fields_passed(index: InstrumentIndex, wanted: Wanted, today: str) -> list[Instrument]:
    """The same of contracts that have expired."""
    for reading, underlying in _read(index, wanted, today):
        if found := preferred(matching(index, underlying, reading, today, passed=True)):
            return found
    alone = underlying_of(index, wanted.name, today).on(wanted.contract_exchanges)
    return preferred(matching(index, alone, Reading(wanted.name), today, passed=True))


def _read(
    index: InstrumentIndex, wanted: Wanted, today: str
) -> Iterator[tuple[Reading, Underlying]]:
    for reading in readings(wanted.name, date.fromisoformat(today)):
        underlying = underlying_of(index, reading.underlying, today)
        yield reading, underlying.on(wanted.contract_exchanges)
