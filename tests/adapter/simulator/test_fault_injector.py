from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from ticks.adapter.simulator.fault_injector import FaultInjector
from ticks.adapter.simulator.faults import Fault, What, parse_fault


class Plot:
    """The mischief of some faults, and what has struck."""

    def __init__(self, *faults: str) -> None:
        self.struck: list[Fault] = []
        self.changed = asyncio.Event()
        self.fault_injector = FaultInjector([parse_fault(each) for each in faults], self._strike)

    def _strike(self, fault: Fault) -> None:
        self.struck.append(fault)
        self.changed.set()

    async def strikes(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.struck) < count:
                self.changed.clear()
                await self.changed.wait()

    def whats(self) -> list[What]:
        return [fault.what for fault in self.struck]


def plot(play: Callable[[Plot], Coroutine[None, None, None]], *faults: str) -> None:
    async def run() -> None:
        await play(Plot(*faults))

    asyncio.run(run())


def test_the_clock_starts_with_the_first_subscription() -> None:
    async def play(plot: Plot) -> None:
        loop = asyncio.get_running_loop()
        assert plot.struck == []
        start_s = loop.time()
        plot.fault_injector.begin()
        plot.fault_injector.begin()
        await plot.strikes(2)
        assert loop.time() - start_s >= 0.03
        assert plot.whats() == [What.SILENCE, What.DROP]

    plot(play, "30ms:drop", "0s:silence")


def test_a_count_strikes_when_it_is_reached_and_once() -> None:
    async def play(plot: Plot) -> None:
        plot.fault_injector.begin()
        for packets in (4, 5):
            plot.fault_injector.ticked(packets)
        assert plot.struck == []
        for packets in (1, 1):
            plot.fault_injector.ticked(packets)
        await plot.strikes(1)
        assert plot.whats() == [What.DROP]

    plot(play, "10ticks:drop")


def test_a_fault_armed_late_strikes_at_once_where_its_time_has_come() -> None:
    async def play(plot: Plot) -> None:
        plot.fault_injector.begin()
        plot.fault_injector.ticked(100)
        plot.fault_injector.arm(parse_fault("0s:drop"))
        plot.fault_injector.arm(parse_fault("50ticks:silence"))
        await plot.strikes(2)

    plot(play)


def test_a_call_takes_its_fault_as_often_as_it_says() -> None:
    async def play(plot: Plot) -> None:
        taken = [plot.fault_injector.take("login", {What.SHAPE_C}) for _ in range(3)]
        assert [fault is not None for fault in taken] == [True, True, False]
        assert plot.fault_injector.take("refresh", {What.SHAPE_C}) is None

    plot(play, "login:Cx2")


def test_a_handshake_takes_each_of_its_faults_once() -> None:
    async def play(plot: Plot) -> None:
        kinds = {What.SILENCE, What.DROP}
        first = plot.fault_injector.take_all("connect", kinds)
        second = plot.fault_injector.take_all("connect", kinds)
        assert [[fault.what for fault in each] for each in (first, second)] == [
            [What.SILENCE, What.DROP],
            [What.SILENCE],
        ]

    plot(play, "connect:silencex2", "connect:drop")


def test_after_a_stop_nothing_strikes() -> None:
    async def play(plot: Plot) -> None:
        plot.fault_injector.begin()
        plot.fault_injector.stop()
        witness = Plot("2ms:drop")
        witness.fault_injector.begin()
        await witness.strikes(1)
        plot.fault_injector.ticked(1000)
        assert plot.struck == []

    plot(play, "1ms:drop", "5ticks:drop")


def test_what_follows_a_fault_is_armed_when_it_strikes() -> None:
    async def play(plot: Plot) -> None:
        refusal = Fault(What.REFUSE, call="connect", number=429)
        plot.fault_injector.arm(Fault(What.DROP, after_ticks=3, then=(refusal,)))
        assert plot.fault_injector.take("connect", {What.REFUSE}) is None
        plot.fault_injector.ticked(3)
        await plot.strikes(1)
        assert plot.fault_injector.take("connect", {What.REFUSE}) == refusal

    plot(play)
