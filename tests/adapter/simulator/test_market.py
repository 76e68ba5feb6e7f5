from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import date

import pytest

from ticks.adapter.instrument import Instrument
from ticks.adapter.simulator.instrument_model import RARE_STEPS, unit_prefix
from ticks.adapter.simulator.instruments_file import listings
from ticks.adapter.simulator.listings import Liquidity
from ticks.adapter.simulator.market import LAST_TRADE_AGES_S, SyntheticMarket
from ticks.adapter.simulator.subscribers import MarketState, Subscribers
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.frames import FrameReader
from ticks.adapter.wire.packet import decode_packet

LISTED = listings(date(2026, 11, 23))
RELIANCE, NIFTY, NIFTY_SECOND_ROW = "2885", "99926000", "26000"
NOW_S = 1_795_440_600
LAST_CLOSE_S = 1_795_168_799
"""15:29:59 on the Friday before."""


class Client:
    """A subscriber that keeps what it is sent; `is_ready` is for a test to change."""

    def __init__(self) -> None:
        self.is_ready = True
        self.ticks: list[Tick] = []
        self.changed = asyncio.Event()

    async def wait_ready(self) -> None:
        raise AssertionError("a synthetic market does not wait")

    def send_packets(self, frames: Sequence[bytes]) -> None:
        messages, _ = FrameReader().read(b"".join(frames))
        self.ticks += map(decode_packet, messages)
        self.changed.set()

    async def gets(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.ticks) < count:
                self.changed.clear()
                await self.changed.wait()


class Scene:
    """A market and its subscribers; `wall_s` is for a test to change."""

    def __init__(self, rate: float, seed: int = 1) -> None:
        self.wall_s = NOW_S + 0.9
        self.subscribers = Subscribers()
        self.market = SyntheticMarket(
            LISTED, self.subscribers, rate=rate, seed=seed, wall_s=lambda: self.wall_s
        )

    def joins(
        self, client: Client, *tokens: str, mode: Mode = Mode.LTP, exchange_type: int = 1
    ) -> None:
        units = [unit_prefix(mode, exchange_type, token) for token in tokens]
        for unit in units:
            self.subscribers.add(unit, client)
        self.market.joined(units, client)

    def leaves(self, client: Client, token: str) -> None:
        self.subscribers.remove([unit_prefix(Mode.LTP, 1, token)], client)


def run(play: Callable[[Scene], Coroutine[None, None, None]], rate: float = 500) -> None:
    async def played() -> None:
        scene = Scene(rate)
        await play(scene)
        scene.market.stop()

    asyncio.run(played())


def some(liquidity: Liquidity) -> Instrument:
    return next(each.instrument for each in LISTED if each.liquidity is liquidity)


def test_a_subscribe_is_answered_at_once_with_the_last_known_state() -> None:
    async def play(scene: Scene) -> None:
        client = Client()
        scene.joins(client, RELIANCE, NIFTY)
        assert [each.token for each in client.ticks] == [RELIANCE, NIFTY]
        assert {each.exchange_time_ms for each in client.ticks} == {1_795_440_600_000}

    run(play, rate=0)


def test_an_unknown_token_is_met_with_silence() -> None:
    async def play(scene: Scene) -> None:
        client = Client()
        scene.joins(client, "31415926", RELIANCE)
        await client.gets(5)
        assert {each.token for each in client.ticks} == {RELIANCE}

    run(play)


def test_trades_come_at_the_rate() -> None:
    async def play(scene: Scene) -> None:
        loop, client = asyncio.get_running_loop(), Client()
        start_s = loop.time()
        scene.joins(client, RELIANCE)
        await client.gets(51)
        assert loop.time() - start_s >= 0.048
        assert len(client.ticks) < 51 + 30

    run(play, rate=1000)


def test_two_subscribers_get_the_same_market() -> None:
    async def play(scene: Scene) -> None:
        one, other = Client(), Client()
        scene.joins(one, RELIANCE)
        await one.gets(3)
        scene.joins(other, RELIANCE)
        await other.gets(10)
        assert other.ticks == one.ticks[-len(other.ticks) :]

    run(play)


def test_the_packets_of_all_modes_carry_the_same_trade() -> None:
    async def play(scene: Scene) -> None:
        ltp, snap = Client(), Client()
        scene.joins(ltp, RELIANCE)
        scene.joins(snap, RELIANCE, mode=Mode.SNAP)
        await snap.gets(10)
        prices = {each.sequence: each.last_price for each in ltp.ticks}
        assert all(prices[each.sequence] == each.last_price for each in snap.ticks[1:])

    run(play)


def test_an_instrument_without_subscribers_stands_still_and_goes_on_later() -> None:
    async def play(scene: Scene) -> None:
        client, witness = Client(), Client()
        scene.joins(client, RELIANCE)
        await client.gets(5)
        scene.leaves(client, RELIANCE)
        count = len(client.ticks)
        scene.joins(witness, NIFTY)
        await witness.gets(20)
        assert len(client.ticks) == count
        scene.joins(client, RELIANCE)
        assert client.ticks[-1].sequence == client.ticks[-2].sequence + 1

    run(play)


def test_a_subscriber_whose_socket_is_full_misses_packets() -> None:
    async def play(scene: Scene) -> None:
        full, witness = Client(), Client()
        full.is_ready = False
        scene.joins(full, RELIANCE)
        scene.joins(witness, RELIANCE)
        await witness.gets(20)
        assert len(full.ticks) == 1
        full.is_ready = True
        await full.gets(3)

    run(play)


def test_a_rate_that_no_machine_can_keep_leaves_the_loop_alive() -> None:
    async def play(scene: Scene) -> None:
        client = Client()
        scene.joins(client, RELIANCE)
        await client.gets(20_000)

    run(play, rate=1e7)


def test_a_stopped_market_sends_nothing() -> None:
    async def play(scene: Scene) -> None:
        client = Client()
        scene.joins(client, RELIANCE)
        scene.market.stop()
        count, witness, other = len(client.ticks), Client(), Scene(rate=500)
        other.joins(witness, RELIANCE)
        await witness.gets(10)
        other.market.stop()
        assert len(client.ticks) == count

    run(play)


# --- what trades seldom, or never -----------------------------------------------------------------


def test_of_an_index_s_second_row_nothing_is_ever_sent() -> None:
    async def play(scene: Scene) -> None:
        client = Client()
        scene.joins(client, NIFTY_SECOND_ROW, NIFTY)
        await client.gets(5)
        assert {each.token for each in client.ticks} == {NIFTY}

    run(play)


@pytest.mark.parametrize("liquidity", [Liquidity.RARE, Liquidity.UNTRADED])
def test_what_trades_seldom_has_an_old_snapshot_and_then_a_trade_in_many(
    liquidity: Liquidity,
) -> None:
    async def play(scene: Scene) -> None:
        seldom, brisk = Client(), Client()
        instrument = some(liquidity)
        scene.joins(brisk, RELIANCE)
        scene.joins(seldom, instrument.token, exchange_type=instrument.exchange_type)
        await seldom.gets(3)
        first, *later = seldom.ticks
        least, most = LAST_TRADE_AGES_S
        assert NOW_S - most <= first.exchange_time_ms // 1000 <= NOW_S - least
        assert (first.last_price == 0) == (liquidity is Liquidity.UNTRADED)
        assert {each.exchange_time_ms for each in later} == {NOW_S * 1000}
        assert all(each.last_price > 0 for each in later)
        assert len(brisk.ticks) > RARE_STEPS

    run(play, rate=5000)


def test_a_second_subscribe_of_what_trades_seldom_gets_the_same_snapshot() -> None:
    async def play(scene: Scene) -> None:
        instrument = some(Liquidity.RARE)
        clients = [Client(), Client()]
        for client in clients:
            scene.joins(client, instrument.token, exchange_type=instrument.exchange_type)
        assert clients[0].ticks == clients[1].ticks

    run(play, rate=1)


# --- a market that stands -------------------------------------------------------------------------


def test_a_halt_stops_the_packets_and_its_snapshots_keep_their_time() -> None:
    async def play(scene: Scene) -> None:
        client, late, other = Client(), Client(), Client()
        scene.joins(client, RELIANCE)
        await client.gets(5)
        scene.market.set_state(MarketState.HALTED, [1])
        count = len(client.ticks)
        scene.wall_s += 600
        scene.joins(late, RELIANCE, NIFTY)
        scene.joins(other, "500325", exchange_type=3)
        await other.gets(20)
        assert len(client.ticks) == count
        assert late.ticks[0] == client.ticks[-1]
        assert [each.exchange_time_ms for each in late.ticks] == [NOW_S * 1000] * 2
        scene.market.set_state(MarketState.OPEN, [1])
        await client.gets(count + 3)
        assert client.ticks[-1].exchange_time_ms == (NOW_S + 600) * 1000

    run(play)


def test_on_a_holiday_all_there_is_is_a_snapshot_of_the_last_session() -> None:
    async def play(scene: Scene) -> None:
        scene.market.set_state(MarketState.HOLIDAY, [1])
        client, other = Client(), Client()
        scene.joins(client, RELIANCE, NIFTY)
        scene.joins(other, "500325", exchange_type=3)
        await other.gets(20)
        assert [each.exchange_time_ms // 1000 for each in client.ticks] == [LAST_CLOSE_S] * 2
        assert all(each.last_price > 0 for each in client.ticks)

    run(play)


def test_a_feed_that_sends_snapshots_only_has_a_newer_one_for_each_subscribe() -> None:
    async def play(scene: Scene) -> None:
        scene.market.set_state(MarketState.SNAPSHOTS, [])
        clients = [Client() for _ in range(3)]
        for client in clients:
            scene.joins(client, RELIANCE)
            scene.leaves(client, RELIANCE)
            scene.wall_s += 60
        witness = Scene(rate=500)
        seen = Client()
        witness.joins(seen, RELIANCE)
        await seen.gets(20)
        witness.market.stop()
        assert [
            [each.exchange_time_ms // 1000 - NOW_S for each in one.ticks] for one in clients
        ] == [
            [0],
            [60],
            [120],
        ]

    run(play)


def test_a_burst_spares_what_stands() -> None:
    async def play(scene: Scene) -> None:
        client, other = Client(), Client()
        scene.joins(client, RELIANCE)
        scene.joins(other, "500325", exchange_type=3)
        scene.market.set_state(MarketState.HALTED, [1])
        scene.market.burst(10)
        assert (len(client.ticks), len(other.ticks)) == (1, 11)

    run(play, rate=0)


def test_a_price_can_be_moved_before_and_while_it_trades() -> None:
    async def play(scene: Scene) -> None:
        client = Client()
        scene.market.move_price(1, NIFTY, 3_000_000)
        scene.joins(client, NIFTY)
        await client.gets(3)
        assert client.ticks[-1].last_price == pytest.approx(3_000_000, rel=0.001)
        scene.market.move_price(1, NIFTY, 2_000_000)
        await client.gets(len(client.ticks) + 2)
        assert client.ticks[-1].last_price == pytest.approx(2_000_000, rel=0.001)

    run(play)
