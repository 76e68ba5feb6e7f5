from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import date

from ticks.adapter.simulator.instrument_model import unit_prefix
from ticks.adapter.simulator.listings import listings
from ticks.adapter.simulator.market import SyntheticMarket
from ticks.adapter.simulator.subscribers import Subscribers
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.frames import FrameReader
from ticks.adapter.wire.packet import decode_packet

LISTED = listings(date(2026, 11, 23))
RELIANCE, NIFTY = "2885", "99926000"


class Ear:
    """A listener that keeps what it hears; `is_ready` is for a test to change."""

    def __init__(self) -> None:
        self.is_ready = True
        self.heard: list[Tick] = []
        self.changed = asyncio.Event()

    async def wait_ready(self) -> None:
        raise AssertionError("a synthetic market does not wait")

    def send_packets(self, frames: Sequence[bytes]) -> None:
        messages, _ = FrameReader().read(b"".join(frames))
        self.heard += map(decode_packet, messages)
        self.changed.set()

    async def hears(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                self.changed.clear()
                await self.changed.wait()


class Floor:
    """A market and its audience."""

    def __init__(self, rate: float, seed: int = 1) -> None:
        self.subscribers = Subscribers()
        self.market = SyntheticMarket(
            LISTED, self.subscribers, rate=rate, seed=seed, wall_s=lambda: 1_795_440_600.9
        )

    def joins(self, ear: Ear, *tokens: str, mode: Mode = Mode.LTP) -> None:
        units = [unit_prefix(mode, 1, token) for token in tokens]
        for unit in units:
            self.subscribers.add(unit, ear)
        self.market.joined(units, ear)


def on_a_floor(play: Callable[[Floor], Coroutine[None, None, None]], rate: float = 500) -> None:
    async def run() -> None:
        floor = Floor(rate)
        await play(floor)
        floor.market.stop()

    asyncio.run(run())


def test_whoever_subscribes_is_told_at_once() -> None:
    async def play(floor: Floor) -> None:
        ear = Ear()
        floor.joins(ear, RELIANCE, NIFTY)
        assert [each.token for each in ear.heard] == [RELIANCE, NIFTY]
        assert {each.exchange_time_ms for each in ear.heard} == {1_795_440_600_000}

    on_a_floor(play, rate=0)


def test_an_unknown_token_is_met_with_silence() -> None:
    async def play(floor: Floor) -> None:
        ear = Ear()
        floor.joins(ear, "31415926", RELIANCE)
        await ear.hears(5)
        assert {each.token for each in ear.heard} == {RELIANCE}

    on_a_floor(play)


def test_trades_come_at_the_rate() -> None:
    async def play(floor: Floor) -> None:
        loop, ear = asyncio.get_running_loop(), Ear()
        start_s = loop.time()
        floor.joins(ear, RELIANCE)
        await ear.hears(51)
        assert loop.time() - start_s >= 0.048
        assert len(ear.heard) < 51 + 30

    on_a_floor(play, rate=1000)


def test_two_listeners_hear_the_same_market() -> None:
    async def play(floor: Floor) -> None:
        one, other = Ear(), Ear()
        floor.joins(one, RELIANCE)
        await one.hears(3)
        floor.joins(other, RELIANCE)
        await other.hears(10)
        assert other.heard == one.heard[-len(other.heard) :]

    on_a_floor(play)


def test_each_mode_tells_of_the_same_trade() -> None:
    async def play(floor: Floor) -> None:
        ltp, snap = Ear(), Ear()
        floor.joins(ltp, RELIANCE)
        floor.joins(snap, RELIANCE, mode=Mode.SNAP)
        await snap.hears(10)
        prices = {each.sequence: each.last_price for each in ltp.heard}
        assert all(prices[each.sequence] == each.last_price for each in snap.heard[1:])

    on_a_floor(play)


def test_an_instrument_that_nobody_listens_to_stands_still_and_goes_on_later() -> None:
    async def play(floor: Floor) -> None:
        ear, witness = Ear(), Ear()
        floor.joins(ear, RELIANCE)
        await ear.hears(5)
        floor.subscribers.remove([unit_prefix(Mode.LTP, 1, RELIANCE)], ear)
        heard = len(ear.heard)
        floor.joins(witness, NIFTY)
        await witness.hears(20)
        assert len(ear.heard) == heard
        floor.joins(ear, RELIANCE)
        assert ear.heard[-1].sequence == ear.heard[-2].sequence + 1

    on_a_floor(play)


def test_a_listener_whose_socket_is_full_misses_packets() -> None:
    async def play(floor: Floor) -> None:
        full, witness = Ear(), Ear()
        full.is_ready = False
        floor.joins(full, RELIANCE)
        floor.joins(witness, RELIANCE)
        await witness.hears(20)
        assert len(full.heard) == 1
        full.is_ready = True
        await full.hears(3)

    on_a_floor(play)


def test_a_rate_that_no_machine_can_keep_leaves_the_loop_alive() -> None:
    async def play(floor: Floor) -> None:
        ear = Ear()
        floor.joins(ear, RELIANCE)
        await ear.hears(20_000)

    on_a_floor(play, rate=1e7)


def test_a_stopped_market_says_nothing() -> None:
    async def play(floor: Floor) -> None:
        ear = Ear()
        floor.joins(ear, RELIANCE)
        floor.market.stop()
        heard, witness, other = len(ear.heard), Ear(), Floor(rate=500)
        other.joins(witness, RELIANCE)
        await witness.hears(10)
        other.market.stop()
        assert len(ear.heard) == heard

    on_a_floor(play)
