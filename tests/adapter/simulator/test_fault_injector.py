from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from ticks.adapter.simulator.fault_injector import FaultInjector
from ticks.adapter.simulator.faults import Fault, What, parse_fault


class Scene:
    """An injector with some faults, and what has struck."""

    def __init__(self, *faults: str) -> None:
        self.struck: list[Fault] = []
        self.changed = asyncio.Event()
        self.injector = FaultInjector([parse_fault(each) for each in faults], self._strike)

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


def run(play: Callable[[Scene], Coroutine[None, None, None]], *faults: str) -> None:
    async def played() -> None:
        await play(Scene(*faults))

    asyncio.run(played())


def test_the_clock_starts_with_the_first_subscription() -> None:
    async def play(scene: Scene) -> None:
        loop = asyncio.get_running_loop()
        assert scene.struck == []
        start_s = loop.time()
        scene.injector.begin()
        scene.injector.begin()
        await scene.strikes(2)
        assert loop.time() - start_s >= 0.03
        assert scene.whats() == [What.SILENCE, What.DROP]

    run(play, "30ms:drop", "0s:silence")


def test_a_fault_at_a_count_happens_when_it_is_reached_and_once() -> None:
    async def play(scene: Scene) -> None:
        scene.injector.begin()
        for packets in (4, 5):
            scene.injector.ticked(packets)
        assert scene.struck == []
        for packets in (1, 1):
            scene.injector.ticked(packets)
        await scene.strikes(1)
        assert scene.whats() == [What.DROP]

    run(play, "10ticks:drop")


def test_a_fault_armed_late_happens_at_once_where_its_time_has_come() -> None:
    async def play(scene: Scene) -> None:
        scene.injector.begin()
        scene.injector.ticked(100)
        scene.injector.arm(parse_fault("0s:drop"))
        scene.injector.arm(parse_fault("50ticks:silence"))
        await scene.strikes(2)

    run(play)


def test_a_call_takes_its_fault_as_often_as_it_says() -> None:
    async def play(scene: Scene) -> None:
        taken = [scene.injector.take("login", {What.SHAPE_C}) for _ in range(3)]
        assert [fault is not None for fault in taken] == [True, True, False]
        assert scene.injector.take("refresh", {What.SHAPE_C}) is None

    run(play, "login:Cx2")


def test_a_handshake_takes_each_of_its_faults_once() -> None:
    async def play(scene: Scene) -> None:
        kinds = {What.SILENCE, What.DROP}
        first = scene.injector.take_all("connect", kinds)
        second = scene.injector.take_all("connect", kinds)
        assert [[fault.what for fault in each] for each in (first, second)] == [
            [What.SILENCE, What.DROP],
            [What.SILENCE],
        ]

    run(play, "connect:silencex2", "connect:drop")


def test_after_a_stop_nothing_strikes() -> None:
    async def play(scene: Scene) -> None:
        scene.injector.begin()
        scene.injector.stop()
        witness = Scene("2ms:drop")
        witness.injector.begin()
        await witness.strikes(1)
        scene.injector.ticked(1000)
        assert scene.struck == []

    run(play, "1ms:drop", "5ticks:drop")


def test_what_follows_a_fault_is_armed_when_it_strikes() -> None:
    async def play(scene: Scene) -> None:
        refusal = Fault(What.REFUSE, call="connect", number=429)
        scene.injector.arm(Fault(What.DROP, after_ticks=3, then=(refusal,)))
        assert scene.injector.take("connect", {What.REFUSE}) is None
        scene.injector.ticked(3)
        await scene.strikes(1)
        assert scene.injector.take("connect", {What.REFUSE}) == refusal

    run(play)
