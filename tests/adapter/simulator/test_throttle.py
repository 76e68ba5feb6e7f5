from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from ticks.adapter.simulator.throttle import SLOW_BYTES, WAITING_BYTES, ThrottledTransport


class Wire(asyncio.Transport):
    """Keeps each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False
        self.changed = asyncio.Event()

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))
        self.changed.set()

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    async def has(self, size: int) -> None:
        async with asyncio.timeout(5):
            while len(self.written) < size:
                self.changed.clear()
                await self.changed.wait()


def with_transport(play: Callable[[ThrottledTransport, Wire], Coroutine[None, None, None]]) -> None:
    async def run() -> None:
        wire = Wire()
        out = ThrottledTransport(wire)
        await play(out, wire)
        out.abort()

    asyncio.run(run())


def test_what_is_written_is_sent_at_once() -> None:
    async def play(out: ThrottledTransport, wire: Wire) -> None:
        out.write(b"one")
        assert wire.writes == [b"one"]

    with_transport(play)


def test_stalled_it_keeps_everything_and_sends_it_in_order_later() -> None:
    async def play(out: ThrottledTransport, wire: Wire) -> None:
        out.stall()
        out.write(b"one")
        out.write(b"two")
        assert wire.writes == []
        out.end_stall()
        out.write(b"three")
        assert wire.written == b"onetwothree"

    with_transport(play)


def test_slow_it_sends_a_few_bytes_at_a_time() -> None:
    async def play(out: ThrottledTransport, wire: Wire) -> None:
        out.slow()
        out.write(bytes(range(40)))
        await wire.has(20)
        assert max(len(each) for each in wire.writes) <= SLOW_BYTES
        out.end_slow()
        assert wire.written == bytes(range(40))

    with_transport(play)


def test_a_stall_holds_back_what_is_slow() -> None:
    async def play(out: ThrottledTransport, wire: Wire) -> None:
        out.slow()
        out.stall()
        out.write(bytes(20))
        out.end_slow()
        assert wire.writes == []
        out.end_stall()
        assert wire.written == bytes(20)

    with_transport(play)


def test_it_is_ready_unless_the_socket_or_the_queue_is_full() -> None:
    async def play(out: ThrottledTransport, wire: Wire) -> None:
        out.pause(True)
        assert not out.is_ready
        out.pause(False)
        out.stall()
        out.write(bytes(WAITING_BYTES))
        assert not out.is_ready
        out.end_stall()
        await asyncio.wait_for(out.wait_ready(), 5)

    with_transport(play)


def test_closing_sends_what_was_slow_but_not_what_was_stalled() -> None:
    async def play(out: ThrottledTransport, wire: Wire) -> None:
        out.slow()
        out.write(bytes(40))
        out.close()
        assert (len(wire.written), wire.is_closed) == (40, True)
        stalled = Wire()
        other = ThrottledTransport(stalled)
        other.stall()
        other.write(b"never seen")
        other.close()
        assert (stalled.written, stalled.is_closed) == (b"", True)

    with_transport(play)
