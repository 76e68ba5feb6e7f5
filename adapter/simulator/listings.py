"""The instrument master: what can be traded here, in the spellings of the broker's file.

Source: protocol.md, "Instrument master"; for the tokens see `names.py`. Derivatives are made for
the next expiries of a date, with tokens of their own: which contracts exist changes daily. Their
symbols are regular on NFO and irregular elsewhere, as in the real file. Expiry days (NSE Tuesday,
BSE Thursday, the month's last for monthly contracts; fixed days on MCX and CDS), most lot sizes
and the spelling on MCX, CDS and of BFO's weekly options are plausible, not checked; holidays move
nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, product
from typing import NamedTuple

from ..instrument import Instrument
from .listings_data import BSE_EQUITIES, BSE_INDICES, NSE_EQUITIES, NSE_INDICES, NSE_OTHERS

NSE, NFO, BSE, BFO, MCX, CDS = 1, 2, 3, 4, 5, 13
TUESDAY, THURSDAY = 1, 3
INDEX = "AMXIDX"


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument and the price it starts a simulated day with, in the feed's unit."""

    instrument: Instrument
    price: int

    @property
    def is_index(self) -> bool:
        return self.instrument.kind == INDEX

    def record(self) -> dict[str, object]:
        """The record of the master: every value a string, as in the real file."""
        each = self.instrument
        strike = "-1.000000" if each.strike is None else f"{each.strike}.000000"
        record: dict[str, object] = {
            "token": each.token,
            "symbol": each.symbol,
            "name": each.name,
            "expiry": _master_date(each.expiry),
            "strike": strike,
            "lotsize": str(each.lot_size),
            "instrumenttype": each.kind,
            "exch_seg": each.exchange,
            "tick_size": f"{0 if self.is_index else each.tick_size}.000000",
        }
        if each.exchange_type in (NSE, NFO):
            record |= {"freeze_qty": "0", "is_cas_enabled": False}
        return record


def listings(today: date, *, extra: int = 0) -> list[Listing]:
    """Everything listed on `today`, a few hundred, and `extra` made-up equities (SIM00001-EQ)."""
    return [
        *_indices(),
        *_equities(),
        *_index_derivatives(today),
        *_stock_derivatives(today),
        *_commodities(today),
        *_currencies(today),
        *(_equity(NSE, str(5_000_000 + n), f"SIM{n:05}", "-EQ", 100) for n in range(1, extra + 1)),
    ]


def master_json(listed: Iterable[Listing]) -> bytes:
    """The file that the broker publishes."""
    return json.dumps([each.record() for each in listed]).encode()


def _master_date(iso: str) -> str:
    return f"{date.fromisoformat(iso):%d%b%Y}".upper() if iso else ""


def _indices() -> Iterator[Listing]:
    for exchange, rows in ((NSE, NSE_INDICES), (BSE, BSE_INDICES)):
        for token, symbol, name, rupees in rows:
            instrument = Instrument(exchange, token, symbol, name, INDEX, strike=0, tick_size=5)
            yield Listing(instrument, rupees * 100)


def _equities() -> Iterator[Listing]:
    for token, name, rupees in NSE_EQUITIES:
        yield _equity(NSE, token, name, "-EQ", rupees)
    for token, name, series, lot, rupees in NSE_OTHERS:
        yield _equity(NSE, token, name, series, rupees, lot)
    rupees_of = {name: rupees for _, name, rupees in NSE_EQUITIES}
    for token, name in BSE_EQUITIES:
        yield _equity(BSE, token, name, "", rupees_of[name])


def _equity(
    exchange: int, token: str, name: str, series: str, rupees: int, lot_size: int = 1
) -> Listing:
    tick_size = 5 if rupees >= 250 else 1
    return Listing(
        Instrument(exchange, token, name + series, name, lot_size=lot_size, tick_size=tick_size),
        rupees * 100,
    )


class Underlying(NamedTuple):
    """What futures and options are written on: their exchange, lot size and distance of strikes."""

    exchange: int
    name: str
    rupees: int
    lot_size: int
    step: int


def _index_derivatives(today: date) -> Iterator[Listing]:
    nfo, bfo = count(40001), count(850001)
    monthly = _last_of_months(today, TUESDAY, 3)
    for underlying, weeks in (
        (Underlying(NFO, "NIFTY", 26000, 65, 50), 2),
        (Underlying(NFO, "BANKNIFTY", 58000, 30, 100), 0),
        (Underlying(NFO, "FINNIFTY", 27500, 60, 50), 0),
        (Underlying(NFO, "MIDCPNIFTY", 13800, 120, 25), 0),
    ):
        yield from _futures(nfo, "FUTIDX", underlying, monthly)
        expiries = sorted({*_next_weekdays(today, TUESDAY, weeks), monthly[0]})
        yield from _options(nfo, "OPTIDX", underlying, expiries, today)
    sensex = Underlying(BFO, "SENSEX", 85000, 20, 100)
    monthly = _last_of_months(today, THURSDAY, 3)
    yield from _futures(bfo, "FUTIDX", sensex, monthly)
    expiries = sorted({*_next_weekdays(today, THURSDAY, 2), monthly[0]})
    yield from _options(bfo, "OPTIDX", sensex, expiries, today)


def _stock_derivatives(today: date) -> Iterator[Listing]:
    tokens = count(60001)
    monthly = _last_of_months(today, TUESDAY, 3)
    for underlying in (
        Underlying(NFO, "RELIANCE", 1500, 500, 10),
        Underlying(NFO, "HDFCBANK", 1000, 550, 5),
    ):
        yield from _futures(tokens, "FUTSTK", underlying, monthly)
        yield from _options(tokens, "OPTSTK", underlying, monthly[:1], today)


def _commodities(today: date) -> Iterator[Listing]:
    tokens = count(450001)
    for underlying, day in (
        (Underlying(MCX, "GOLD", 125000, 1, 1000), 5),
        (Underlying(MCX, "CRUDEOIL", 5400, 100, 50), 19),
    ):
        futures = _days_of_months(today, day, 3)
        yield from _futures(tokens, "FUTCOM", underlying, futures, tick_size=100)
        options = [day for day in (each - timedelta(days=3) for each in futures) if day >= today]
        yield from _options(tokens, "OPTFUT", underlying, options[:1], today)


def _currencies(today: date) -> Iterator[Listing]:
    """The currency segment: prices, strikes and tick sizes in 1/10,000,000 of a rupee."""
    tokens = count(2001)
    expiries = _days_of_months(today, 26, 2)
    for (name, price), expiry in product(
        (("USDINR", 88_5000000), ("EURINR", 102_7500000)), expiries
    ):
        symbol = f"{name}{expiry:%y%b}FUT".upper()
        iso = expiry.isoformat()
        yield Listing(
            Instrument(CDS, str(next(tokens)), symbol, name, "FUTCUR", iso, None, 1000, 25000),
            price,
        )


def _futures(
    tokens: Iterator[int],
    kind: str,
    underlying: Underlying,
    expiries: Sequence[date],
    *,
    tick_size: int = 5,
) -> Iterator[Listing]:
    exchange, name, rupees, lot, _ = underlying
    for months, expiry in enumerate(expiries, 1):
        day = f"{expiry:%d%b%y}" if exchange == NFO else f"{expiry:%y%b}"
        symbol = f"{name}{day}FUT".upper()
        iso = expiry.isoformat()
        price = round(rupees * 100 * (1 + 0.005 * months))
        yield Listing(
            Instrument(exchange, str(next(tokens)), symbol, name, kind, iso, None, lot, tick_size),
            price - price % tick_size,
        )


def _options(
    tokens: Iterator[int],
    kind: str,
    underlying: Underlying,
    expiries: Sequence[date],
    today: date,
) -> Iterator[Listing]:
    """A chain of eleven strikes around the price, calls and puts."""
    exchange, name, rupees, lot, step = underlying
    middle = round(rupees / step) * step
    strikes = range(middle - 5 * step, middle + 6 * step, step)
    for expiry, strike, right in product(expiries, strikes, ("CE", "PE")):
        symbol = f"{name}{_option_day(exchange, expiry)}{strike}{right}"
        iso = expiry.isoformat()
        years = max((expiry - today).days, 1) / 365
        yield Listing(
            Instrument(exchange, str(next(tokens)), symbol, name, kind, iso, strike * 100, lot, 5),
            _option_price(rupees, strike, right, years),
        )


def _option_day(exchange: int, expiry: date) -> str:
    """The expiry as it stands in an option's symbol: only NFO spells it out."""
    if exchange == NFO:
        return f"{expiry:%d%b%y}".upper()
    if exchange == BFO and (expiry + timedelta(days=7)).month == expiry.month:
        return f"{expiry:%y}{'123456789OND'[expiry.month - 1]}{expiry:%d}"
    return f"{expiry:%y%b}".upper()


def _option_price(rupees: int, strike: int, right: str, years: float) -> int:
    """A plausible premium in paise: its present worth, and time value that fades off the money."""
    spread = rupees * 0.15 * math.sqrt(years)
    inside = max(rupees - strike if right == "CE" else strike - rupees, 0)
    time_value = 0.4 * spread * math.exp(-(((strike - rupees) / spread) ** 2) / 2)
    paise = round((inside + time_value) * 100)
    return max(paise - paise % 5, 5)


def _next_weekdays(today: date, weekday: int, number: int) -> list[date]:
    first = today + timedelta(days=(weekday - today.weekday()) % 7)
    return [first + timedelta(weeks=week) for week in range(number)]


def _last_of_months(today: date, weekday: int, number: int) -> list[date]:
    """The last such weekday of this month and the next ones, from `today` on."""
    found: list[date] = []
    for ending in _month_ends(today):
        day = ending - timedelta(days=(ending.weekday() - weekday) % 7)
        if day >= today:
            found.append(day)
        if len(found) == number:
            break
    return found


def _days_of_months(today: date, day: int, number: int) -> list[date]:
    """That day of this month and the next ones, from `today` on."""
    found: list[date] = []
    for ending in _month_ends(today):
        if ending.replace(day=day) >= today:
            found.append(ending.replace(day=day))
        if len(found) == number:
            break
    return found


def _month_ends(today: date) -> Iterator[date]:
    first = today.replace(day=1)
    while True:
        first = (first + timedelta(days=32)).replace(day=1)
        yield first - timedelta(days=1)
