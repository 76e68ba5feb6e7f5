"""A recording as the market: its packets, byte for byte, at the pace they were received.

The clock starts shortly after the first subscription, so that a client that subscribes in several
messages misses nothing, and does not stop for any client: one that comes later, or reconnects,
has missed what went by. Each packet is due at its own distance from the first, divided by the
speed, so nothing drifts; at full speed it is due when the sockets have taken the ones before. A
packet goes to those who subscribed to its instrument in its own mode; nothing is derived for
another, and a subscribe is not answered with a packet of its own. After the last packet the feed
stays open and silent.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ..files.recording import Recorded, read_recording
from ..instrument import Instrument
from ..wire.packet import token_text
from .instrument_model import HEADERS, PREFIX
from .listings import Listing
from .subscribers import MarketState, Subscriber, Subscribers

HEAD_START_S = 0.1
BLOCK_PACKETS = 500


def recorded_listings(recording: Path) -> list[Listing]:
    """The instruments of a recording, all of which is read. Raises what `read_recording` raises."""
    found: dict[bytes, Listing] = {}
    for each in read_recording(recording):
        part = each.packet[1 : PREFIX.size]
        if part not in found:
            token = token_text(part[1:])
            name = each.symbol.removesuffix("-EQ")
            found[part] = Listing(Instrument(part[0], token, each.symbol, name), price=0)
    return list(found.values())


class Playback:
    """Plays a recording once to its subscribers; `speed` None is as fast as the sockets take it.

    Lives in the running event loop.
    """

    def __init__(self, recording: Path, subscribers: Subscribers, *, speed: float | None) -> None:
        self._recording = recording
        self._subscribers = subscribers
        self._speed = speed
        self._task: asyncio.Task[None] | None = None

    def joined(self, units: Sequence[bytes], subscriber: Subscriber) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._play())

    def burst(self, packets: int) -> None:
        """Does nothing: a recording is played as it is."""

    def set_state(
        self,
        state: MarketState,
        exchange_types: Collection[int] = (),
        *,
        duration_s: float | None = None,
    ) -> None:
        """Does nothing either."""

    def move_price(self, exchange_type: int, token: str, price: int) -> None:
        """Does nothing either."""

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def finished(self) -> None:
        """Wait until the last packet is sent; raises what ended the playing early."""
        if self._task is not None:
            await self._task

    async def _play(self) -> None:
        await asyncio.sleep(HEAD_START_S)
        now_s = asyncio.get_running_loop().time
        start_s, first_ns = now_s(), None
        block: list[Recorded] = []
        for each in read_recording(self._recording):
            due_s = start_s
            if self._speed is not None:
                first_ns = each.received_ns if first_ns is None else first_ns
                due_s += (each.received_ns - first_ns) / 1e9 / self._speed
            is_early = due_s > now_s()
            if block and (is_early or len(block) == BLOCK_PACKETS):
                await self._send(block)
                block = []
            if is_early:
                await asyncio.sleep(due_s - now_s())
            block.append(each)
        await self._send(block)

    async def _send(self, block: Iterable[Recorded]) -> None:
        outgoing: dict[Subscriber, list[bytes]] = defaultdict(list)
        for each in block:
            packet = each.packet
            for subscriber in self._subscribers.of(packet[: PREFIX.size]):
                outgoing[subscriber].append(HEADERS[packet[0]] + packet)
        for subscriber, frames in outgoing.items():
            await subscriber.wait_ready()
            subscriber.send_packets(frames)
        await asyncio.sleep(0)
