"""Steps 7 to 9 of `resolve.py`: a contract by fields, by its symbol on BFO, by its underlying."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ..instrument import Instrument
from .contracts import Underlying, matching, underlying_of
from .index import InstrumentIndex
from .naming import Wanted
from .roles import preferred
from .spellings import Reading, readings

NOTHING = Underlying(())


def by_fields(
    index: InstrumentIndex, wanted: Wanted, today: str, *, on_bfo: list[Instrument]
) -> tuple[list[Instrument], Underlying]:
    """The contracts of the first reading that is listed, and what they are written on.

    `on_bfo`: those of BFO that have this symbol, which count where no reading finds any; after them
    come all the contracts of an underlying of that name.
    """
    for reading, underlying in _read(index, wanted, today):
        if found := preferred(matching(index, underlying, reading, today)):
            return found, underlying
    if on_bfo:
        return on_bfo, NOTHING
    alone = underlying_of(index, wanted.name, today).on(wanted.contract_exchanges)
    return preferred(matching(index, alone, Reading(wanted.name), today)), alone


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
