"""Snapshots of made-up feeds: one for each thing that can be true of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from ticks.adapter.clock import IST
from ticks.adapter.events import (
    Added,
    Connected,
    FeedEvent,
    FirstTick,
    GaveUp,
    LogEntry,
    Lost,
    Quiet,
    ReaderLeft,
    Recovered,
    Renewed,
    Silent,
    Waiting,
)
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.market.evidence import MarketState
from ticks.adapter.snapshot import (
    ChainSnapshot,
    ConnectionSnapshot,
    FeedSnapshot,
    InstrumentSnapshot,
    MarketSnapshot,
    OutputSnapshot,
    StrikeSnapshot,
)

AT = datetime(2026, 11, 20, 9, 27, 42, 123_000, IST)
"""A Friday."""
OPENED = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
MONDAY = datetime(2026, 11, 23, 9, 15, tzinfo=IST)


def told(event: FeedEvent, at: datetime, connection: int = 1) -> LogEntry:
    """An event of that time."""
    return LogEntry(int(at.timestamp() * 1e9), connection, event)


def quote(
    symbol: str, ltp: str, change: str, volume: int, ticks: int, age_s: float, **more: object
) -> InstrumentSnapshot:
    """An instrument as a quote packet tells of it."""
    price, points = Decimal(ltp), Decimal(change)
    whole = InstrumentSnapshot(
        *("NSE", symbol, str(abs(hash(symbol)) % 100_000), price),
        change_percent=float(points / (price - points) * 100),
        volume=volume,
        ticks=ticks,
        age_s=age_s,
        change=points,
        low=price - abs(points) - Decimal("4.20"),
        high=price + Decimal("6.35"),
    )
    return replace(whole, **more)  # type: ignore[arg-type]


CONNECTION = ConnectionSnapshot(
    number=1,
    phase=Phase.LIVE,
    is_quiet=False,
    instruments=4,
    attempt=0,
    max_attempts=3,
    delay_s=0.0,
    next_try_s=None,
    silence_s=0.2,
    reconnects=0,
    blind_s=0.0,
    last_cause="",
    ticks=6_204,
)
INSTRUMENTS = (
    quote("Nifty 50", "24150.35", "32.10", 0, 3_120, 0.12, move=1),
    quote("RELIANCE-EQ", "1402.10", "-17.05", 12_345_678, 2_044, 2.14, move=-1),
    quote("SBIN-EQ", "801.00", "0.00", 4_020_118, 1_040, 44.7),
    quote("NIFTY24NOV2624400CE", "118.25", "-5.20", 75, 3, 190.0, exchange="NFO"),
)
NSE_OPEN = MarketSnapshot("NSE", MarketState.LIVE, AT, closes_at=OPENED.replace(hour=15, minute=30))
NFO_OPEN = MarketSnapshot("NFO", MarketState.LIVE, AT, closes_at=OPENED.replace(hour=15, minute=40))
BEGINNING = (
    told(Renewed(datetime(2026, 11, 21, tzinfo=IST)), OPENED - timedelta(seconds=2)),
    told(Connected(), OPENED - timedelta(seconds=1)),
    told(FirstTick(0.4), OPENED),
)
LIVE = FeedSnapshot(
    at=AT,
    started_at=OPENED,
    uptime_s=762.1,
    phase=Phase.LIVE,
    connections=(CONNECTION,),
    ticks=6_204,
    rate_now=12.0,
    rate_mean=8.14,
    rate_peak=19.0,
    rates=tuple(float(second * 7 % 20) for second in range(60)),
    silence_s=0.2,
    silence_after_s=30.0,
    reconnects=0,
    blind_s=0.0,
    last_cause="",
    dropped=0,
    malformed=0,
    out_of_order=0,
    duplicates=0,
    buffered=3,
    buffer_limit=100_000,
    latency_p50_us=65.0,
    latency_p99_us=1210.0,
    session_expires_at=datetime(2026, 11, 21, tzinfo=IST),
    is_market_open=True,
    market_opens_at=None,
    instruments=INSTRUMENTS,
    instruments_total=4,
    never_ticked=0,
    outputs=(OutputSnapshot("out.csv", 6_201, 941_223),),
    market=(NSE_OPEN, NFO_OPEN),
    events=BEGINNING,
)


def ago(seconds: float, event: FeedEvent, connection: int = 1) -> LogEntry:
    """An event so many seconds before `AT`."""
    return told(event, AT - timedelta(seconds=seconds), connection)


def with_connection(feed: FeedSnapshot, **more: object) -> FeedSnapshot:
    """A feed whose only connection is changed; what both hold is changed in both."""
    connection = replace(feed.connections[0], **more)  # type: ignore[arg-type]
    both = {name: value for name, value in more.items() if hasattr(feed, name) and name != "ticks"}
    return replace(feed, connections=(connection,), **both)  # type: ignore[arg-type]


DEMO = replace(LIVE, is_demo=True, outputs=(), session_expires_at=None)
PARTIAL = replace(
    LIVE,
    instruments=(*INSTRUMENTS[:3], InstrumentSnapshot("NFO", "NIFTY24NOV2624400CE", "43854")),
    never_ticked=1,
)
LOSING = replace(
    LIVE,
    outputs=(OutputSnapshot("stdout", 6_201, 941_223),),
    buffered=100_000,
    dropped=93_015,
    recent_dropped=93_015,
    behind_s=2.1,
    slow_output="stdout",
)
BEHIND = replace(LIVE, buffered=63_000, behind_s=4.0, slow_output="out.csv")
READER_LEFT = replace(
    LIVE,
    outputs=(*LIVE.outputs, OutputSnapshot("stdout", 10, 1_410, is_left=True)),
    events=(*BEGINNING, ago(600, ReaderLeft("stdout"), 0)),
)
FOREIGN = replace(LIVE, foreign=131, recent_foreign=12, malformed=40, recent_malformed=3)
SILENT = replace(with_connection(LIVE, silence_s=21.4), rate_now=0.0)
_WAITS = Waiting("broker busy", "the broker is busy", 503, attempt=2, max_attempts=3, delay_s=4.1)
WAITING = replace(
    with_connection(
        LIVE,
        phase=Phase.WAITING,
        attempt=2,
        delay_s=4.1,
        next_try_s=3.2,
        blind_s=37.5,
        last_cause="silence",
        silence_s=0.0,
        attempts=2,
    ),
    rate_now=0.0,
    events=(
        *BEGINNING,
        ago(3.0, Silent(30.4)),
        ago(3.0, Lost("silence", "no data for 30.4 s")),
        ago(1.2, _WAITS),
    ),
)
UNDER_WAY = with_connection(WAITING, phase=Phase.CONNECTING, next_try_s=None)
LOST = replace(
    with_connection(
        WAITING, phase=Phase.LOST, attempt=3, next_try_s=None, blind_s=61.8, attempts=3
    ),
    events=(
        *WAITING.events,
        ago(0.1, GaveUp("network", "connection refused", attempts=3, blind_s=61.8)),
    ),
)
LOGGING_IN = replace(
    with_connection(LIVE, phase=Phase.CONNECTING, silence_s=0.0, ticks=0),
    ticks=0,
    rate_now=0.0,
    rates=(),
    instruments=tuple(InstrumentSnapshot(i.exchange, i.symbol, i.token) for i in INSTRUMENTS),
    never_ticked=4,
    uptime_s=5.0,
    login_wait_s=26.4,
    session_expires_at=None,
    outputs=(OutputSnapshot("out.csv", 0, 0),),
    latency_p50_us=None,
    latency_p99_us=None,
    market=(),
    events=(),
)
CONNECTING = replace(LOGGING_IN, login_wait_s=None)
QUIET = replace(
    with_connection(LIVE, silence_s=1_330.0),
    at=AT.replace(hour=15, minute=52, second=10),
    is_market_open=False,
    market_opens_at=MONDAY,
    rate_now=0.0,
    rates=(0.0,) * 60,
    market=(
        MarketSnapshot("NSE", MarketState.RESTING, AT),
        MarketSnapshot("NFO", MarketState.RESTING, AT),
    ),
)
STANDING = replace(
    with_connection(LIVE, silence_s=310.0),
    at=AT.replace(hour=13, minute=9, second=10),
    rate_now=0.0,
    rates=(0.0,) * 60,
    uncertain_s=300.0,
    market=(MarketSnapshot("NSE", MarketState.STANDING, AT.replace(hour=13, minute=4, second=0)),),
    events=(
        *BEGINNING,
        ago(0, Quiet(310.0, AT.replace(hour=13, minute=4), "the market stands still", "NSE")),
    ),
)
STOPPED = replace(
    LIVE, phase=Phase.STOPPED, connections=(replace(CONNECTION, phase=Phase.STOPPED),)
)
RECOVERED = replace(
    with_connection(LIVE, reconnects=4, blind_s=12.4, attempts=7, episodes=3),
    events=(
        *WAITING.events,
        ago(0.9, Connected(2)),
        ago(0.4, Recovered("broker busy", "the broker is busy", blind_s=12.4)),
    ),
)

_BOOKS = (("24149.90", 75, "24150.80", 150), ("1402.05", 1_250, "1402.15", 310))
SNAP = replace(
    LIVE,
    instruments=(
        replace(INSTRUMENTS[0], open_interest=0),
        replace(
            INSTRUMENTS[1],
            bid=Decimal("1402.05"),
            bid_quantity=1_250,
            ask=Decimal("1402.15"),
            ask_quantity=310,
            open_interest=12_000_000,
        ),
        replace(
            quote("NIFTY29DEC26FUT", "24212.00", "30.00", 1_204_125, 310, 0.1, exchange="NFO"),
            bid=Decimal("24211.50"),
            bid_quantity=75,
            ask=Decimal("24212.90"),
            ask_quantity=150,
            open_interest=12_804_450,
            oi_change_percent=1.24,
        ),
        replace(
            INSTRUMENTS[3],
            ask=Decimal("118.40"),
            ask_quantity=2_250,
            open_interest=1_204_125,
            oi_change_percent=-12.4,
        ),
    ),
)

_NAMES = ("RELIANCE", "HDFCBANK", "INFY", "TCS", "ITC", "SBIN", "BHARTIARTL", "KOTAKBANK", "LT")


def _one_of_many(number: int) -> InstrumentSnapshot:
    one = INSTRUMENTS[number % 3]
    return replace(
        one,
        symbol=f"{_NAMES[number % 9]}{number // 9 or ''}-EQ",
        ticks=9_000 - number,
        age_s=number % 70 / 10,
        move=(1, 0, 0, -1)[number % 4],
    )


def many(page: int, total: int = 423, first: int = 0) -> FeedSnapshot:
    """A feed of `total` instruments, of which a page is shown."""
    shown = tuple(map(_one_of_many, range(first, min(total, first + page))))
    return replace(
        LIVE,
        instruments=shown,
        instruments_total=total,
        matching=total,
        first_row=first,
        order="activity" if page < total else "typed",
        connections=(replace(CONNECTION, instruments=total),),
        rate_now=12_480.0,
    )


def crowded(page: int = 100) -> FeedSnapshot:
    """2,500 instruments over three connections, the third of which reconnects."""
    connections = tuple(
        replace(CONNECTION, number=number, instruments=units, ticks=units * 700)
        for number, units in ((1, 1000), (2, 1000), (3, 500))
    )
    third = replace(
        connections[2],
        phase=Phase.WAITING,
        attempt=1,
        delay_s=1.0,
        next_try_s=0.4,
        blind_s=0.6,
        last_cause="network",
    )
    return replace(
        many(page, 2_500),
        phase=Phase.WAITING,
        connections=(*connections[:2], third),
        ticks=1_750_000,
        rate_mean=14_962.2,
        rate_peak=16_220.0,
        blind_s=0.6,
        last_cause="network",
        never_ticked=12,
        outputs=(*LIVE.outputs, OutputSnapshot("ticks.jsonl.gz", 1_749_998, 90_112_000)),
        events=(*BEGINNING, ago(0.6, Lost("network", "the link broke: reset by peer"), 3)),
    )


def _option(strike: int, side: str, spot: float, *, has_book: bool) -> InstrumentSnapshot:
    inside = max(0.0, spot - strike if side == "CE" else strike - spot)
    near = 220 / (1 + abs(strike - spot) / 150)
    worth = Decimal(round(inside + near, 1)).quantize(Decimal("0.05"))
    change = (Decimal(strike % 300 - 140) / 10).quantize(Decimal("0.05"))
    volume = int(8_000_000 / (1 + abs(strike - spot) / 40))
    name = f"NIFTY29DEC26{strike}{side}"
    one = quote(name, str(worth), str(change), volume, 40, 0.4, exchange="NFO")
    if not has_book:
        return one
    interest = int(volume * 1.7)
    return replace(
        one,
        bid=worth - Decimal("0.10"),
        bid_quantity=75,
        ask=worth + Decimal("0.15"),
        ask_quantity=150,
        open_interest=interest,
        oi_change_percent=float(change) / 2,
    )


def chain(rows: int = 21, *, has_book: bool = True, name: str = "NIFTY chain 10") -> ChainSnapshot:
    """A chain of 21 strikes, of which so many are shown around the money."""
    first = max(0, 10 - rows // 2)
    strikes = [23_650 + 50 * number for number in range(21)][first : first + rows]
    return ChainSnapshot(
        name=name,
        underlying=name.partition(" ")[0],
        expiry=date(2026, 12, 29).isoformat(),
        spot=INSTRUMENTS[0],
        money=Decimal(24_150),
        strikes=tuple(
            StrikeSnapshot(
                Decimal(strike),
                _option(strike, "CE", 24_150.35, has_book=has_book),
                _option(strike, "PE", 24_150.35, has_book=has_book),
            )
            for strike in strikes
        ),
        first=first,
        strikes_total=21,
    )


def chained(rows: int = 21) -> FeedSnapshot:
    """A feed that follows a chain, as it is when the chain is looked at."""
    return replace(
        LIVE,
        chains=(chain(rows),),
        events=(*BEGINNING, ago(700, Added(("NFO:NIFTY29DEC2624150CE",) * 42), 0)),
    )
