from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random

import pytest

from ticks.adapter.simulator.connection_faults import ConnectionFaults
from ticks.adapter.simulator.faults import Fault, What
from ticks.adapter.simulator.instrument_model import HEADERS, unit_prefix
from ticks.adapter.simulator.journal import ConnectionLog, Timestamp
from ticks.adapter.simulator.throttle import ThrottledTransport
from ticks.adapter.wire.frames import FrameReader
from ticks.adapter.wire.packet import malformed_reason

from .transports import Wire

UNIT = unit_prefix(1, 1, "2885")
FRAMES = [HEADERS[1] + UNIT + bytes((n,)) * 24 for n in range(3)]


class Scene:
    """The faults of a connection, and what they made it send and do."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.log = ConnectionLog(1, Timestamp.now())
        self.texts: list[str] = []
        self.reads = 0
        self.faults = ConnectionFaults(
            self.log,
            ThrottledTransport(self.wire),
            draw=Random(1),
            wall_s=lambda: 5.5,
            send_text=self.texts.append,
            read_on=self._read_on,
        )

    def _read_on(self) -> None:
        self.reads += 1

    def injects(self, what: What, **values: object) -> None:
        self.faults.inject(Fault(what, **values), [UNIT])  # type: ignore[arg-type]

    def messages(self) -> list[bytes]:
        return FrameReader(max_message_bytes=1 << 20).read(self.wire.written)[0]

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not is_true():
                await asyncio.sleep(0.001)


def run(play: Callable[[Scene], Coroutine[None, None, None]]) -> None:
    async def played() -> None:
        scene = Scene()
        await play(scene)
        scene.faults.end()

    asyncio.run(played())


@pytest.mark.parametrize("what", [What.SILENCE, What.STALL])
def test_a_hold_stops_the_packets_and_is_a_span_of_the_journal(what: What) -> None:
    async def play(scene: Scene) -> None:
        scene.injects(what, duration_s=0.01)
        scene.injects(what)
        assert scene.faults.holds(what)
        assert not scene.faults.sends_packets
        await scene.until(lambda: scene.faults.sends_packets)
        (span,) = scene.log.spans
        assert span.ended is not None
        assert span.ended.at_s - span.begun.at_s >= 0.01

    run(play)


def test_after_a_stall_reading_goes_on() -> None:
    async def play(scene: Scene) -> None:
        scene.injects(What.STALL)
        scene.faults.release(What.STALL)
        scene.faults.release(What.STALL)
        assert scene.reads == 1

    run(play)


def test_pongs_come_until_they_end() -> None:
    async def play(scene: Scene) -> None:
        scene.injects(What.PONGS)
        await scene.until(lambda: len(scene.texts) > 3)
        scene.faults.release(What.PONGS)
        count = len(scene.texts)
        scene.injects(What.PONGS, duration_s=0.0)
        await scene.until(lambda: not scene.faults.holds(What.PONGS))
        assert set(scene.texts) == {"pong"}
        assert len(scene.texts) == count + 1

    run(play)


def test_a_flood_goes_on_until_its_hold_ends_and_then_the_socket_is_cut() -> None:
    async def play(scene: Scene) -> None:
        scene.injects(What.IGNORE_CLOSE)
        scene.faults.flood()
        await scene.until(lambda: len(scene.messages()) > 500)
        scene.faults.release(What.IGNORE_CLOSE)
        assert scene.wire.is_closed
        assert {malformed_reason(each) for each in scene.messages()} == {None}

    run(play)


def test_only_the_next_packet_is_dated_ahead_or_split() -> None:
    async def play(scene: Scene) -> None:
        scene.injects(What.AHEAD, duration_s=60.0)
        scene.injects(What.FRAGMENT)
        redated = scene.faults.redated(FRAMES)
        assert redated[0] != FRAMES[0]
        assert list(redated[1:]) == FRAMES[1:]
        assert scene.faults.redated(FRAMES) == FRAMES
        split = scene.faults.split(FRAMES)
        assert len(split[0]) > len(FRAMES[0])
        assert scene.faults.split(FRAMES) == FRAMES

    run(play)


def test_bad_messages_and_foreign_packets_go_out_at_once() -> None:
    async def play(scene: Scene) -> None:
        scene.injects(What.GARBAGE)
        scene.injects(What.TRUNCATE)
        scene.injects(What.OVERSIZE)
        scene.injects(What.FOREIGN, number=2)
        garbage, short, long, *foreign = scene.messages()
        assert (malformed_reason(garbage), malformed_reason(short)) == ("mode", "length")
        assert len(long) > 65536
        assert [each[:27] == UNIT for each in foreign] == [False, False]

    run(play)


def test_texts_are_sent_one_by_one() -> None:
    async def play(scene: Scene) -> None:
        scene.injects(What.TEXT, code="E1002")
        scene.injects(What.FLOOD, number=3)
        assert "E1002" in scene.texts[0]
        assert scene.texts[1:] == ['{"notice": 0}', '{"notice": 1}', '{"notice": 2}']

    run(play)


def test_at_the_end_nothing_goes_on() -> None:
    async def play(scene: Scene) -> None:
        scene.injects(What.PONGS)
        scene.injects(What.STALL, duration_s=0.001)
        scene.faults.end()
        count = len(scene.texts)
        witness = Scene()
        witness.injects(What.PONGS)
        await witness.until(lambda: len(witness.texts) > 3)
        witness.faults.end()
        assert (len(scene.texts), scene.reads) == (count, 1)

    run(play)
