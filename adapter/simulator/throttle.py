"""The way out of a feed connection, which faults can narrow or shut.

Slow: what is written leaves `DRIBBLE_BYTES` at a time, every `DRIBBLE_EVERY_S`. Stalled: nothing
leaves at all; what is written meanwhile waits. Order is kept, and nothing is lost but what a
closed socket takes with it.
"""

from __future__ import annotations

import asyncio

DRIBBLE_BYTES, DRIBBLE_EVERY_S = 5, 0.002
WAITING_BYTES = 4096
"""With more than that waiting here the outlet is full: the market conflates."""
WRITE_BUFFER_BYTES = 1 << 18


class ThrottledTransport:
    """Writes to a transport."""

    def __init__(self, transport: asyncio.Transport) -> None:
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._transport = transport
        self._waiting = bytearray()
        self._is_paused = self._is_stalled = self._is_slow = self._is_shut = False
        self._dribble: asyncio.TimerHandle | None = None
        self._ready = asyncio.Event()
        self._ready.set()

    @property
    def is_ready(self) -> bool:
        """Whether it takes more now without piling it up."""
        return self._ready.is_set()

    async def wait_ready(self) -> None:
        """Wait until it takes more."""
        await self._ready.wait()

    def pause(self, is_paused: bool) -> None:
        """The transport has enough for now, or no longer."""
        self._is_paused = is_paused
        self._update_ready()

    def write(self, data: bytes) -> None:
        if self._is_shut:
            return
        if self._is_stalled or self._is_slow:
            self._waiting += data
            self._update_ready()
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Close the socket when what was written has left."""
        if not self._is_stalled:
            self._let_out()
        self._forget()
        self._transport.close()

    def abort(self) -> None:
        """Close the socket at once; what is written from now on goes nowhere."""
        self._is_shut = True
        self._forget()
        self._transport.abort()

    def stall(self) -> None:
        self._is_stalled = True

    def end_stall(self) -> None:
        self._is_stalled = False
        if not self._is_slow:
            self._let_out()

    def slow(self) -> None:
        self._is_slow = True
        if self._dribble is None:
            self._let_some_out()

    def end_slow(self) -> None:
        self._is_slow = False
        if not self._is_stalled:
            self._let_out()

    def _let_some_out(self) -> None:
        if not self._is_stalled and self._waiting:
            self._transport.write(bytes(self._waiting[:DRIBBLE_BYTES]))
            del self._waiting[:DRIBBLE_BYTES]
            self._update_ready()
        loop = asyncio.get_running_loop()
        self._dribble = loop.call_later(DRIBBLE_EVERY_S, self._let_some_out)

    def _let_out(self) -> None:
        if self._waiting:
            self._transport.write(bytes(self._waiting))
        self._forget()

    def _forget(self) -> None:
        self._waiting.clear()
        if self._dribble is not None:
            self._dribble.cancel()
            self._dribble = None
        self._update_ready()

    def _update_ready(self) -> None:
        if self._is_paused or len(self._waiting) >= WAITING_BYTES:
            self._ready.clear()
        else:
            self._ready.set()
