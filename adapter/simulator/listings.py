"""One row of the instrument master, and how its instrument trades here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto

from ..instrument import MCX, NFO, NSE, Instrument


class Liquidity(Enum):
    """How often an instrument trades."""

    USUAL = auto()
    """At the market's rate."""
    RARE = auto()
    """Last some minutes ago, and seldom."""
    UNTRADED = auto()
    """Not yet: its packets have a price of 0. Then seldom."""
    NONE = auto()
    """Never: a row of the master of which the feed sends nothing."""


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument and the price it starts a simulated day with, in the feed's unit.

    `fields` are those of its record that differ from what the others have; None leaves one out.
    """

    instrument: Instrument
    price: int
    liquidity: Liquidity = Liquidity.USUAL
    fields: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_index(self) -> bool:
        return self.instrument.is_index

    def record(self) -> dict[str, object]:
        """The record of the master: nearly every value a string, as in the real file."""
        each = self.instrument
        strike = each.strike
        if strike is None:
            strike = 0 if each.exchange_type == MCX else -1
        record: dict[str, object] = {
            "token": each.token,
            "symbol": each.symbol,
            "name": each.name,
            "expiry": f"{date.fromisoformat(each.expiry):%d%b%Y}".upper() if each.expiry else "",
            "strike": f"{strike}.000000",
            "lotsize": str(each.lot_size),
            "instrumenttype": each.kind,
            "exch_seg": each.exchange,
            "tick_size": f"{0 if self.is_index else each.tick_size}.000000",
        }
        if each.exchange_type in (NSE, NFO):
            record |= {"freeze_qty": "0", "is_cas_enabled": False}
        record |= self.fields
        return {key: value for key, value in record.items() if value is not None}
