"""Futures and options, made for the expiries that follow a date (`expiries.py`).

Which contracts exist changes daily, so their tokens are made up; symbols are spelled as each
exchange's are in the real file (protocol.md, "Instrument master"). Lot sizes and strikes are
plausible, not checked. Near the money an option trades as a share does; farther away seldom, and
the far strikes of far expiries have not traded at all.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count, product

from ..instrument import BFO, CDS, MCX, NCO, NFO, Instrument
from .expiries import (
    EVERY_MONTH,
    FRIDAY,
    QUARTERS,
    THURSDAY,
    TUESDAY,
    currency_month_ends,
    days_of_months,
    last_weekdays,
    next_weekdays,
    previous_weekday,
    working_day,
)
from .listings import Liquidity, Listing

CURRENCY_UNIT = 10_000_000
"""Prices and strikes of the currency segment, in the feed and in the master, for one rupee."""
_NEAR_EXPIRIES, _LIQUID_STRIKES, _TRADED_STRIKES = 2, 5, 10
_MONTH_SIGNS = "123456789OND"


@dataclass(frozen=True, slots=True)
class Underlying:
    """What futures and options are written on.

    `rupees` is its price, `step` the distance of strikes in paise, `wing` the number of strikes
    on each side of the price. `day` is the day of the month on which MCX's futures end, in those
    of `months`.
    """

    exchange: int
    name: str
    rupees: float
    lot_size: int
    step: int = 0
    wing: int = 0
    tick_size: int = 5
    day: int = 31
    months: Collection[int] = field(default=EVERY_MONTH)


INDICES = (
    (Underlying(NFO, "NIFTY", 26000, 65, 5000, 15), 4),
    (Underlying(NFO, "BANKNIFTY", 58000, 30, 10000, 12), 0),
    (Underlying(NFO, "FINNIFTY", 27500, 60, 5000, 10), 0),
    (Underlying(NFO, "MIDCPNIFTY", 13800, 120, 2500, 10), 0),
    (Underlying(BFO, "SENSEX", 85000, 20, 10000, 12), 4),
    (Underlying(BFO, "BANKEX", 65200, 30, 10000, 10), 0),
    (Underlying(BFO, "SENSEX50", 27300, 70), 0),
)
"""Each with the number of weekly expiries besides the monthly ones."""

STOCKS = (
    Underlying(NFO, "RELIANCE", 1500, 500, 1000, 5),
    Underlying(NFO, "HDFCBANK", 1000, 550, 500, 5),
    Underlying(NFO, "SBIN", 970, 750, 500, 5),
    Underlying(NFO, "ITC", 405, 1600, 250, 5),
    Underlying(NFO, "M&M", 3700, 200, 5000, 5),
    Underlying(NFO, "BAJAJ-AUTO", 9050, 75, 10000, 5),
    Underlying(NFO, "360ONE", 1110, 500, 2000, 5),
    Underlying(NFO, "ETERNAL", 302, 2425, 500, 5),
    Underlying(NFO, "TMPV", 410, 800, 500, 5),
    Underlying(NFO, "BSE", 2500, 375, 5000, 5),
    Underlying(NFO, "MCX", 8000, 125, 10000, 5),
    Underlying(BFO, "RELIANCE", 1500, 500, 1000, 2),
    Underlying(BFO, "TITAN", 3850, 175),
)

_EVEN_MONTHS, _SILVER_MONTHS = (2, 4, 6, 8, 10, 12), (3, 5, 7, 9, 12)
COMMODITIES = (
    Underlying(MCX, "GOLD", 125000, 100, 100000, 5, 100, 5, _EVEN_MONTHS),
    Underlying(MCX, "GOLDM", 125000, 10, tick_size=100, day=5),
    Underlying(MCX, "GOLDPETAL", 12500, 1, tick_size=100),
    Underlying(MCX, "SILVER", 155000, 30, tick_size=100, day=5, months=_SILVER_MONTHS),
    Underlying(MCX, "CRUDEOIL", 5400, 100, 5000, 8, 100, 19),
    Underlying(MCX, "CRUDEOILM", 5400, 10, 5000, 5, 100, 19),
    Underlying(MCX, "NATURALGAS", 310, 1250, 500, 5, 10, 26),
    Underlying(MCX, "COPPER", 980, 2500, tick_size=5),
    Underlying(MCX, "MENTHAOIL", 960, 360, tick_size=10),
    Underlying(MCX, "COTTON", 54000, 25, tick_size=10),
    Underlying(MCX, "MCXBULLDEX", 31700, 30, tick_size=100, day=25),
)


def contracts(today: date) -> list[Listing]:
    """Everything that ends on `today` or later, and a few contracts that ended before."""
    return [
        *_expired(today),
        *_index_contracts(today),
        *_stock_contracts(today),
        *_spot_rows(),
        *_commodity_contracts(today),
        *_ncdex_contracts(today),
        *_currency_contracts(today),
    ]


def _expired(today: date) -> Iterator[Listing]:
    """What has ended and is still listed; expiry dates as some days' files spelled them."""
    tokens = count(30001)
    nifty = Underlying(NFO, "NIFTY", 26000, 65, 5000, 1)
    sensex = Underlying(BFO, "SENSEX", 85000, 20, 10000, 1)
    month = last_weekdays(today - timedelta(days=45), TUESDAY, 1)
    tuesday, thursday = previous_weekday(today, TUESDAY), previous_weekday(today, THURSDAY)
    for each in (
        *_futures(tokens, "FUTIDX", nifty, [day for day in month if day < today]),
        *_options(tokens, "OPTIDX", nifty, [tuesday], today),
        *_options(tokens, "OPTIDX", sensex, [thursday], today),
    ):
        expiry = date.fromisoformat(each.instrument.expiry)
        yield Listing(each.instrument, 0, Liquidity.NONE, {"expiry": f"{expiry:%d%b%Y}"})


def _index_contracts(today: date) -> Iterator[Listing]:
    tokens = {NFO: count(35001), BFO: count(850001)}
    for underlying, weeks in INDICES:
        weekday = TUESDAY if underlying.exchange == NFO else THURSDAY
        monthly = last_weekdays(today, weekday, 3)
        own_tokens = tokens[underlying.exchange]
        yield from _futures(own_tokens, "FUTIDX", underlying, monthly)
        expiries = {*monthly[: 3 if weeks else 2], *next_weekdays(today, weekday, weeks)}
        if weeks:
            expiries |= {*last_weekdays(today, weekday, 2, QUARTERS)}
        yield from _options(own_tokens, "OPTIDX", underlying, sorted(expiries), today)


def _stock_contracts(today: date) -> Iterator[Listing]:
    tokens = {NFO: count(60001), BFO: count(890001)}
    for underlying in STOCKS:
        weekday = TUESDAY if underlying.exchange == NFO else THURSDAY
        monthly = last_weekdays(today, weekday, 3)
        own_tokens = tokens[underlying.exchange]
        yield from _futures(own_tokens, "FUTSTK", underlying, monthly)
        yield from _options(own_tokens, "OPTSTK", underlying, monthly[:1], today)


def _spot_rows() -> Iterator[Listing]:
    """The rows of goods and pairs themselves. One of them lacks three keys, as in the real file."""
    for exchange, token, symbol, name, kind in (
        (MCX, "116", "GOLDCOM", "GOLD", "COMDTY"),
        (MCX, "117", "GOLDMCOM", "GOLDM", "COMDTY"),
        (MCX, "119", "CRUDEOIL", "CRUDEOIL", "COMDTY"),
        (MCX, "565000", "CRUDEOILM", "CRUDEOILM", "COMDTY"),
        (NCO, "104", "GOLD", "GOLD", "UNDCOM"),
        (CDS, "1", "USDINR", "USDINR", "UNDCUR"),
        (CDS, "16", "CCIL-USDINR", "USDINR", "UNDCUR"),
        (CDS, "1952", "MIBOR", "MIBOR", "UNDIRT"),
    ):
        fields: dict[str, object] = {"exch_seg": "NCDEX"} if exchange == NCO else {}
        if symbol == "CRUDEOILM":
            fields = {"strike": None, "lotsize": None, "tick_size": None}
        instrument = Instrument(exchange, token, symbol, name, kind)
        yield Listing(instrument, 0, Liquidity.NONE, fields)


def _commodity_contracts(today: date) -> Iterator[Listing]:
    tokens = count(590001)
    for underlying in COMMODITIES:
        futures = days_of_months(today, underlying.day, 3, underlying.months)
        kind = "FUTIDX" if underlying.name == "MCXBULLDEX" else "FUTCOM"
        yield from _futures(tokens, kind, underlying, futures)
        options = [working_day(day - timedelta(days=4)) for day in futures]
        alive = [day for day in options if day >= today]
        yield from _options(tokens, "OPTFUT", underlying, alive[:2], today)


def _ncdex_contracts(today: date) -> Iterator[Listing]:
    """Farm goods, whose tokens are texts (one too long for a packet), and NSE's own gold future."""
    day = days_of_months(today, 20, 2)
    for name, lot, rupees in (("DHANIYA", 5, 11300), ("JEERAUNJHA", 3, 23000)):
        for expiry in day:
            symbol = f"{name}{expiry:%d%b%Y}".upper()
            yield _ncdex(symbol, name, "FUTCOM", expiry, lot, rupees * 100, None)
    symbol = f"DHANIYA{day[0]:%d%b%y}CE11300F{day[0]:%b%y}".upper()
    yield _ncdex(symbol, "DHANIYA", "OPTFUT", day[0], 5, 0, 1130000)
    gold = Underlying(NCO, "GOLD", 125000, 1000, tick_size=100, day=5, months=_EVEN_MONTHS)
    for each in _futures(count(2410), "FUTCOM", gold, days_of_months(today, 5, 1, gold.months)):
        yield Listing(each.instrument, each.price, fields={"trade_unit": 1})


def _ncdex(
    symbol: str, name: str, kind: str, expiry: date, lot: int, price: int, strike: int | None
) -> Listing:
    instrument = Instrument(NCO, symbol, symbol, name, kind, expiry.isoformat(), strike, lot, 200)
    liquidity = Liquidity.RARE if price else Liquidity.NONE
    return Listing(instrument, price, liquidity, {"exch_seg": "NCDEX"})


def _currency_contracts(today: date) -> Iterator[Listing]:
    """Pairs and a bond; for the dollar weekly futures and options too."""
    tokens = count(2001)
    monthly = currency_month_ends(today, 3)
    for name, kind, price in (
        ("USDINR", "FUTCUR", 95_2500000),
        ("EURINR", "FUTCUR", 111_7500000),
        ("GBPINR", "FUTCUR", 127_4000000),
        ("726GS2033", "FUTIRC", 103_1500000),
    ):
        expiries = monthly[:2] if name != "USDINR" else sorted({*monthly, *_weekly(today, monthly)})
        for expiry in expiries:
            symbol = f"{name}{_short_day(expiry, expiry in monthly)}FUT"
            yield _currency(tokens, symbol, name, kind, expiry, price, None)
    quarter = CURRENCY_UNIT // 4
    for expiry, step, right in product(monthly[:2], range(-8, 9), ("CE", "PE")):
        strike = 95 * CURRENCY_UNIT + step * quarter
        digits = f"{strike / CURRENCY_UNIT:.2f}".rstrip("0").replace(".", "")
        symbol = f"USDINR{_short_day(expiry, True)}{digits}{right}"
        inside = max((95_2500000 - strike) * (1 if right == "CE" else -1), 0)
        price = inside + quarter - inside % 25000
        yield _currency(tokens, symbol, "USDINR", "OPTCUR", expiry, price, strike)


def _currency(
    tokens: Iterator[int],
    symbol: str,
    name: str,
    kind: str,
    expiry: date,
    price: int,
    strike: int | None,
) -> Listing:
    iso = expiry.isoformat()
    return Listing(
        Instrument(CDS, str(next(tokens)), symbol, name, kind, iso, strike, 1000, 25000), price
    )


def _weekly(today: date, monthly: Collection[date]) -> list[date]:
    """The next three Fridays, of weeks in which no monthly contract ends."""
    fridays = next_weekdays(today, FRIDAY, 5)
    weeks = {day.isocalendar()[:2] for day in monthly}
    return [day for day in fridays if day.isocalendar()[:2] not in weeks][:3]


def _futures(
    tokens: Iterator[int], kind: str, underlying: Underlying, expiries: Sequence[date]
) -> Iterator[Listing]:
    exchange, name = underlying.exchange, underlying.name
    for months, expiry in enumerate(expiries, 1):
        symbol = f"{name}{_day(exchange, expiry, is_monthly=True)}FUT"
        price = round(underlying.rupees * 100 * (1 + 0.005 * months))
        yield Listing(
            Instrument(
                exchange,
                str(next(tokens)),
                symbol,
                name,
                kind,
                expiry.isoformat(),
                None,
                underlying.lot_size,
                underlying.tick_size,
            ),
            price - price % underlying.tick_size,
        )


def _options(
    tokens: Iterator[int],
    kind: str,
    underlying: Underlying,
    expiries: Sequence[date],
    today: date,
) -> Iterator[Listing]:
    """Calls and puts around the price; nothing where the underlying has no options."""
    exchange, name, step, wing = (
        underlying.exchange,
        underlying.name,
        underlying.step,
        underlying.wing,
    )
    middle = round(underlying.rupees * 100 / step) * step if step else 0
    for nth, expiry in enumerate(expiries if wing else ()):
        is_monthly = (expiry + timedelta(days=7)).month != expiry.month
        day = _day(exchange, expiry, is_monthly=is_monthly)
        years = max((expiry - today).days, 1) / 365
        for away, right in product(range(-wing, wing + 1), ("CE", "PE")):
            strike = middle + away * step
            symbol = f"{name}{day}{_in_rupees(strike)}{right}"
            iso, lot = expiry.isoformat(), underlying.lot_size
            yield Listing(
                Instrument(exchange, str(next(tokens)), symbol, name, kind, iso, strike, lot, 5),
                _premium(underlying.rupees, strike / 100, right, years),
                _option_liquidity(nth, abs(away)),
            )


def _option_liquidity(nth_expiry: int, strikes_away: int) -> Liquidity:
    is_near = nth_expiry < _NEAR_EXPIRIES
    if strikes_away <= _LIQUID_STRIKES or (is_near and strikes_away <= _TRADED_STRIKES):
        return Liquidity.USUAL
    return Liquidity.RARE if is_near or strikes_away <= _TRADED_STRIKES else Liquidity.UNTRADED


def _in_rupees(paise: int) -> str:
    """`2450000` as 24500, `40250` as 402.5."""
    return f"{paise / 100:.2f}".rstrip("0").rstrip(".")


def _day(exchange: int, expiry: date, *, is_monthly: bool) -> str:
    """The expiry as it is written in a symbol: BFO's is short, the others' is spelled out."""
    if exchange == BFO:
        return _short_day(expiry, is_monthly)
    return f"{expiry:%d%b%y}".upper()


def _short_day(expiry: date, is_monthly: bool) -> str:
    """The year with the month's name, or with one sign for the month and the day."""
    if is_monthly:
        return f"{expiry:%y%b}".upper()
    return f"{expiry:%y}{_MONTH_SIGNS[expiry.month - 1]}{expiry:%d}"


def _premium(rupees: float, strike: float, right: str, years: float) -> int:
    """A plausible premium in paise: its present worth, and time value that fades off the money."""
    spread = rupees * 0.15 * math.sqrt(years)
    inside = max(rupees - strike if right == "CE" else strike - rupees, 0)
    time_value = 0.4 * spread * math.exp(-(((strike - rupees) / spread) ** 2) / 2)
    paise = round((inside + time_value) * 100)
    return max(paise - paise % 5, 5)
