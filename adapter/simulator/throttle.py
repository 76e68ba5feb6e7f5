"""A transport whose writes faults can slow down or hold back.

Slow: `SLOW_BYTES` are sent at a time, every `SLOW_EVERY_S`. Stalled: nothing is sent; what is
written meanwhile waits. Order is kept, and nothing is lost but what a closed socket takes with it.
"""

from __future__ import annotations

import asyncio

SLOW_BYTES, SLOW_EVERY_S = 5, 0.002
WAITING_BYTES = 4096
"""With more than that waiting the connection is not ready: the market conflates."""
WRITE_BUFFER_BYTES = 1 << 18


class ThrottledTransport:
    """Writes to a transport, at once unless a fault slows or stalls it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._transport = transport
        self._waiting = bytearray()
        self._is_paused = self._is_stalled = self._is_slow = self._is_closed = False
        self._next_write: asyncio.TimerHandle | None = None
        self._ready = asyncio.Event()
        self._ready.set()

    @property
    def is_ready(self) -> bool:
        """Whether it takes more now without buffering it."""
        return self._ready.is_set()

    async def wait_ready(self) -> None:
        """Wait until it takes more."""
        await self._ready.wait()

    def pause(self, is_paused: bool) -> None:
        """The transport's own buffer is full, or no longer."""
        self._is_paused = is_paused
        self._update_ready()

    def write(self, data: bytes) -> None:
        if self._is_closed:
            return
        if self._is_stalled or self._is_slow:
            self._waiting += data
            self._update_ready()
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Close the socket when what was written has been sent."""
        if not self._is_stalled:
            self._write_waiting()
        self._clear()
        self._transport.close()

    def abort(self) -> None:
        """Close the socket at once; what is written from now on is dropped."""
        self._is_closed = True
        self._clear()
        self._transport.abort()

    def stall(self) -> None:
        self._is_stalled = True

    def end_stall(self) -> None:
        self._is_stalled = False
        if not self._is_slow:
            self._write_waiting()

    def slow(self) -> None:
        self._is_slow = True
        if self._next_write is None:
            self._write_some()

    def end_slow(self) -> None:
        self._is_slow = False
        if not self._is_stalled:
            self._write_waiting()

    def _write_some(self) -> None:
        if not self._is_stalled and self._waiting:
            self._transport.write(bytes(self._waiting[:SLOW_BYTES]))
            del self._waiting[:SLOW_BYTES]
            self._update_ready()
        loop = asyncio.get_running_loop()
        self._next_write = loop.call_later(SLOW_EVERY_S, self._write_some)

    def _write_waiting(self) -> None:
        if self._waiting:
            self._transport.write(bytes(self._waiting))
        self._clear()

    def _clear(self) -> None:
        self._waiting.clear()
        if self._next_write is not None:
            self._next_write.cancel()
            self._next_write = None
        self._update_ready()

    def _update_ready(self) -> None:
        if self._is_paused or len(self._waiting) >= WAITING_BYTES:
            self._ready.clear()
        else:
            self._ready.set()
