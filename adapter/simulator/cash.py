"""The rows of the master that do not change: indices, their second rows, and equities.

Source: protocol.md, "Instrument master"; for the tokens see `listings_data.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..instrument import BSE, CDS, INDEX_KIND, MCX, NSE, Instrument
from .listings import Liquidity, Listing
from .listings_data import (
    BSE_EQUITIES,
    BSE_INDICES,
    BSE_OTHERS,
    CDS_INDICES,
    MCX_INDICES,
    NSE_EQUITIES,
    NSE_INDICES,
    NSE_OTHERS,
    SECOND_ROWS,
    WITHOUT_AUCTION,
)


def cash_listings(extra: int = 0) -> list[Listing]:
    """Indices and equities, and `extra` made-up equities (SIM00001-EQ)."""
    return [
        *_second_rows(),
        *_indices(),
        *_nse_equities(),
        *_bse_equities(),
        *(_equity(NSE, str(5_000_000 + n), f"SIM{n:05}", "-EQ", 100) for n in range(1, extra + 1)),
    ]


def _second_rows() -> Iterator[Listing]:
    """The bare rows that some indices have besides their own."""
    for exchange, token, name in SECOND_ROWS:
        yield Listing(
            Instrument(exchange, token, name, name, tick_size=0),
            price=0,
            liquidity=Liquidity.NONE,
            fields={"freeze_qty": None, "is_cas_enabled": None},
        )


def _indices() -> Iterator[Listing]:
    for exchange, rows, liquidity in (
        (CDS, CDS_INDICES, Liquidity.NONE),
        (NSE, NSE_INDICES, Liquidity.USUAL),
        (BSE, BSE_INDICES, Liquidity.USUAL),
        (MCX, MCX_INDICES, Liquidity.USUAL),
    ):
        for token, symbol, name, rupees in rows:
            instrument = Instrument(
                exchange, token, symbol, name, INDEX_KIND, strike=0, tick_size=5
            )
            yield Listing(instrument, rupees * 100, liquidity)


def _nse_equities() -> Iterator[Listing]:
    for token, name, series, lot, rupees in NSE_OTHERS:
        liquidity = Liquidity.USUAL if series in ("-EQ", "-BE") else Liquidity.RARE
        yield _equity(NSE, token, name, series, rupees, lot_size=lot, liquidity=liquidity)
    for token, name, rupees in NSE_EQUITIES:
        auction = name not in WITHOUT_AUCTION
        fields: dict[str, object] = {"freeze_qty": "100000", "is_cas_enabled": auction}
        if name == "360ONE":  # so in the real file of April 2026
            fields |= {"strike": "0", "tick_size": "5"}
        yield _equity(NSE, token, name, "-EQ", rupees, fields=fields)


def _bse_equities() -> Iterator[Listing]:
    """Bare symbols, and a key that no reader of the file knows."""
    for token, name, rupees in BSE_OTHERS:
        yield _equity(BSE, token, name, "", rupees, liquidity=Liquidity.RARE)
    rupees_of = {name: rupees for _, name, rupees in NSE_EQUITIES}
    for token, name in BSE_EQUITIES:
        yield _equity(BSE, token, name, "", rupees_of[name], fields={"surveillance": []})


def _equity(
    exchange: int,
    token: str,
    name: str,
    series: str,
    rupees: int,
    *,
    lot_size: int = 1,
    liquidity: Liquidity = Liquidity.USUAL,
    fields: Mapping[str, object] | None = None,
) -> Listing:
    tick_size = 5 if rupees >= 250 else 1
    return Listing(
        Instrument(exchange, token, name + series, name, lot_size=lot_size, tick_size=tick_size),
        rupees * 100,
        liquidity,
        fields or {},
    )
