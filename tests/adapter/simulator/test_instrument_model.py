from __future__ import annotations

from datetime import date
from itertools import count, pairwise

import pytest

from ticks.adapter.simulator.instrument_model import (
    MODES,
    SimulatedInstrument,
    frame_header,
    unit_prefix,
)
from ticks.adapter.simulator.instruments_file import listings
from ticks.adapter.simulator.listings import Liquidity
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.frames import FrameReader
from ticks.adapter.wire.packet import PACKET_SIZES, decode_packet, encode_packet

LISTED = {
    str(each.instrument): each
    for each in listings(date(2026, 11, 23))
    if each.liquidity is not Liquidity.NONE
}
UNTRADED = next(name for name in LISTED if LISTED[name].liquidity is Liquidity.UNTRADED)
SECOND = 1_795_440_600


def made(symbol: str, seed: int = 1) -> SimulatedInstrument:
    return SimulatedInstrument(LISTED[symbol], seed, count(1), changed_s=SECOND)


def tick(instrument: SimulatedInstrument, mode: Mode = Mode.SNAP) -> Tick:
    messages, signals = FrameReader().read(instrument.frame(mode))
    assert (len(messages), signals) == (1, [])
    return decode_packet(messages[0])


def walk(symbol: str, steps: int = 3000, seed: int = 1) -> list[Tick]:
    instrument = made(symbol, seed)
    ticks = []
    for step in range(steps):
        instrument.trade(SECOND + step // 4)
        ticks.append(tick(instrument))
    return ticks


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("symbol", ["NSE:RELIANCE-EQ", "NSE:Nifty 50", "NSE:RCOM-BE"])
def test_a_frame_carries_the_canonical_packet_of_its_mode(symbol: str, mode: Mode) -> None:
    instrument = made(symbol)
    instrument.trade(SECOND)
    packet = instrument.frame(mode)[len(frame_header(PACKET_SIZES[mode])) :]
    assert len(packet) == PACKET_SIZES[mode]
    assert packet[:27] == unit_prefix(mode, 1, LISTED[symbol].instrument.token)
    assert encode_packet(decode_packet(packet)) == packet


@pytest.mark.parametrize("symbol", list(LISTED)[::29])
def test_a_walk_stays_plausible(symbol: str) -> None:
    listing = LISTED[symbol]
    ticks = walk(symbol, 600)
    for before, now in pairwise(ticks):
        assert now.last_price > 0
        assert now.last_price % listing.instrument.tick_size == 0
        assert now.low_price is not None
        assert now.high_price is not None
        assert now.low_price <= now.last_price <= now.high_price
        assert now.low_price <= (now.open_price or 0) <= now.high_price
        assert now.close_price == before.close_price
        if not listing.is_index:
            assert now.sequence > before.sequence
            assert now.volume == (before.volume or 0) + (now.last_quantity or 0)
            assert now.low_price <= (now.average_traded_price or 0) <= now.high_price
            assert (now.lower_circuit_price or 0) <= now.last_price
            assert now.last_price <= (now.upper_circuit_price or 0)
    assert len({each.last_price for each in ticks}) > 3


def test_depth_is_around_the_price_with_buys_below_and_sells_above() -> None:
    for each in walk("NSE:RELIANCE-EQ", 200):
        bids = [level.price for level in each.bids if level]
        asks = [level.price for level in each.asks if level]
        assert (len(bids), len(asks)) == (5, 5)
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < each.last_price < asks[0]
        assert all(level.quantity > 0 and level.orders > 0 for level in each.bids if level)


def test_an_index_has_no_sequence_volume_or_depth_but_moves() -> None:
    ticks = walk("NSE:Nifty 50", 300)
    assert {each.sequence for each in ticks} == {0}
    assert {(each.volume, each.last_quantity, each.average_traded_price) for each in ticks} == {
        (0, 0, 0)
    }
    assert {(each.total_buy_quantity, each.total_sell_quantity) for each in ticks} == {(0.0, 0.0)}
    assert {each.bids + each.asks for each in ticks} == {(None,) * 10}
    assert len({each.last_price for each in ticks}) > 3


def test_exchange_time_is_whole_seconds() -> None:
    assert walk("NSE:RELIANCE-EQ", 1)[0].exchange_time_ms == SECOND * 1000


def test_a_seed_repeats_the_prices_and_another_does_not() -> None:
    assert walk("NSE:TCS-EQ", 50, seed=7) == walk("NSE:TCS-EQ", 50, seed=7)
    assert walk("NSE:TCS-EQ", 50, seed=7) != walk("NSE:TCS-EQ", 50, seed=8)


def test_the_modes_that_are_watched_do_not_change_the_prices() -> None:
    watched, unwatched = made("NSE:TCS-EQ"), made("NSE:TCS-EQ")
    for _ in range(100):
        watched.trade(SECOND)
        unwatched.trade(SECOND)
        for mode in MODES:
            watched.frame(mode)
    assert watched.frame(Mode.SNAP) == unwatched.frame(Mode.SNAP)


def test_instruments_of_one_exchange_share_one_sequence() -> None:
    sequences = count(1)
    one, other = (
        SimulatedInstrument(LISTED[symbol], 1, sequences, changed_s=SECOND)
        for symbol in ("NSE:TCS-EQ", "NSE:SBIN-EQ")
    )
    assert (tick(one).sequence, tick(other).sequence) == (1, 2)
    one.trade(SECOND)
    assert (tick(one).sequence, tick(other).sequence) == (3, 2)


def test_a_token_that_does_not_fit_a_packet_is_refused() -> None:
    with pytest.raises(ValueError, match="25 bytes"):
        unit_prefix(1, 1, "9" * 26)


def test_before_its_first_trade_an_instrument_has_a_close_and_circuits_and_no_price() -> None:
    instrument = made(UNTRADED)
    before = tick(instrument)
    assert before.exchange_time_ms == SECOND * 1000
    assert before.sequence > 0
    assert {
        before.last_price,
        before.last_quantity,
        before.volume,
        before.average_traded_price,
        before.open_price,
        before.high_price,
        before.low_price,
        before.last_trade_time_s,
    } == {0}
    assert before.bids + before.asks == (None,) * 10
    assert (before.close_price or 0) > 0
    assert (before.upper_circuit_price or 0) > (before.close_price or 0)
    instrument.trade(SECOND + 5)
    first = tick(instrument)
    assert first.last_price == first.open_price == first.high_price == first.low_price > 0
    assert first.last_trade_time_s == SECOND + 5


@pytest.mark.parametrize("symbol", ["NSE:Nifty 50", "NSE:RELIANCE-EQ", UNTRADED])
def test_a_price_that_was_moved_is_where_trading_goes_on(symbol: str) -> None:
    instrument = made(symbol)
    instrument.move_to(2 * LISTED[symbol].price)
    for second in range(50):
        instrument.trade(SECOND + second)
        now = tick(instrument)
        assert now.last_price == pytest.approx(2 * LISTED[symbol].price, rel=0.1)
        assert (now.low_price or 0) <= now.last_price <= (now.high_price or 0)
