"""What can be traded, and where: exchange segments and instruments.

Source: protocol.md, "Streaming feed" (exchange types) and "Instrument master" (records).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

InstrumentKey: TypeAlias = tuple[int, str]
"""(exchange type, token): what identifies an instrument. A token alone does not."""

NSE, NFO, BSE, BFO, MCX, NCO, CDS = 1, 2, 3, 4, 5, 7, 13
EXCHANGE_NAMES: dict[int, str] = {
    NSE: "NSE",
    NFO: "NFO",
    BSE: "BSE",
    BFO: "BFO",
    MCX: "MCX",
    NCO: "NCO",
    CDS: "CDS",
}
EXCHANGE_TYPES: dict[str, int] = {name: number for number, name in EXCHANGE_NAMES.items()}

CURRENCY_EXCHANGE_TYPE = CDS
INDEX_KIND = "AMXIDX"
"""The instrumenttype of an index."""


def exchange_name(exchange_type: int) -> str:
    """The segment's name, or the number as it is where the broker has a new one."""
    return EXCHANGE_NAMES.get(exchange_type) or str(exchange_type)


def exchange_number(name: str) -> int | None:
    """The wire's number of a segment's name (or of a number's text); None for anything else."""
    known = EXCHANGE_TYPES.get(name)
    if known is not None:
        return known
    return int(name) if name.isascii() and name.isdigit() and int(name) < 256 else None


def price_digits(exchange_type: int) -> int:
    """Decimal digits of a price unit: paise have 2, currency pairs 7 (by the docs' text only)."""
    return 7 if exchange_type == CURRENCY_EXCHANGE_TYPE else 2


@dataclass(frozen=True, slots=True)
class Instrument:
    """One record of the broker's instrument master.

    `strike` and `tick_size` are in the master's own unit (rupees x 100, of currencies another);
    `strike` is None where there is none. `expiry` is ISO text (`2025-10-28`) or "". `kind` is the
    master's instrumenttype, "" for cash. `has_closing_auction`: whether it is a share that leaves
    continuous trading for the closing auction (the master's is_cas_enabled).
    """

    exchange_type: int
    token: str
    symbol: str
    name: str
    kind: str = ""
    expiry: str = ""
    strike: int | None = None
    lot_size: int = 1
    tick_size: int = 5
    has_closing_auction: bool = False

    @property
    def key(self) -> InstrumentKey:
        return (self.exchange_type, self.token)

    @property
    def exchange(self) -> str:
        return exchange_name(self.exchange_type)

    @property
    def is_index(self) -> bool:
        return self.kind == INDEX_KIND

    @property
    def strike_rupees(self) -> Decimal | None:
        """The strike in rupees, None where there is none.

        Currency strikes are seen in units of 1/10,000,000 and of 1/1,000,000 of a rupee, and some
        in paise as elsewhere. No pair trades under 10 rupees, which tells one from the other.
        """
        if self.strike is None:
            return None
        digits = 2
        if self.exchange_type == CURRENCY_EXCHANGE_TYPE:
            digits = next((n for n in (7, 6) if self.strike >= 10 ** (n + 1)), 2)
        return Decimal(self.strike).scaleb(-digits)

    def __str__(self) -> str:
        return f"{self.exchange}:{self.symbol}"
