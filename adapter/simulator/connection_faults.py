"""What faults do to one feed connection: hold it, change its packets, put messages among them.

A hold (silence, stall, slow, pongs, ignore-close) lasts for its duration or until the connection
ends; the journal has each as a span. A second hold of one kind during the first changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from random import Random

from .bad_frames import dated_ahead, foreign, fragmented, garbage, oversize, truncated
from .faults import Fault, What
from .instrument_model import HEADERS, unit_prefix
from .journal import ConnectionLog, Span, Timestamp
from .requests import RequestRefusedError
from .throttle import ThrottledTransport

HOLDS = frozenset({What.SILENCE, What.STALL, What.SLOW, What.PONGS, What.IGNORE_CLOSE})
PONG_EVERY_S = 0.01
FLOOD_EVERY_S, FLOOD_FRAMES = 0.001, 200
"""How fast packets come after a close frame that is ignored: as fast as the socket takes them."""


class ConnectionFaults:
    """The faults of one accepted connection; lives in the running event loop.

    `send_text` sends one text message, `read_on` goes on reading after a stall. `wall_s` is the
    broker's time in seconds since the epoch.
    """

    def __init__(
        self,
        log: ConnectionLog,
        transport: ThrottledTransport,
        *,
        draw: Random,
        wall_s: Callable[[], float],
        send_text: Callable[[str], None],
        read_on: Callable[[], None],
    ) -> None:
        self._log = log
        self._transport = transport
        self._draw = draw
        self._wall_s = wall_s
        self._send_text = send_text
        self._read_on = read_on
        self._holds: dict[What, Span] = {}
        self._alarms: dict[What, asyncio.TimerHandle] = {}
        self._repeating: dict[What, asyncio.TimerHandle] = {}
        self._last_frame: bytes | None = None
        self._ahead_ms = 0
        self._fragments_next = False

    def holds(self, what: What) -> bool:
        """Whether this hold is on."""
        return what in self._holds

    @property
    def sends_packets(self) -> bool:
        """Whether packets go out; they are left out otherwise, as the real feed conflates."""
        return What.SILENCE not in self._holds and What.STALL not in self._holds

    def inject(self, fault: Fault, units: Collection[bytes]) -> None:
        """Let a fault happen; `units` are those that the client has subscribed to."""
        what = fault.what
        if what in HOLDS:
            self._hold(what, fault.duration_s)
        elif what is What.FRAGMENT:
            self._fragments_next = True
        elif what is What.AHEAD:
            self._ahead_ms = int((fault.duration_s or 0) * 1000)
        elif what is What.TEXT:
            self._send_text(RequestRefusedError(fault.code, "").text())
        elif what is What.FLOOD:
            for number in range(fault.number):
                self._send_text(f'{{"notice": {number}}}')
        else:
            self._transport.write(self._bad_frames(fault, units))

    def _bad_frames(self, fault: Fault, units: Collection[bytes]) -> bytes:
        if fault.what is What.GARBAGE:
            return garbage(self._draw)
        if fault.what is What.TRUNCATE:
            return truncated(self._last_frame, self._draw)
        if fault.what is What.OVERSIZE:
            return oversize()
        time_ms = int(self._wall_s()) * 1000
        return b"".join(foreign(units, number, time_ms) for number in range(fault.number))

    def redated(self, frames: Sequence[bytes]) -> Sequence[bytes]:
        """The frames of packets, the first of them dated ahead if a fault says so."""
        self._last_frame = frames[-1]
        if not self._ahead_ms:
            return frames
        ahead_ms, self._ahead_ms = self._ahead_ms, 0
        return [dated_ahead(frames[0], ahead_ms), *frames[1:]]

    def split(self, frames: Sequence[bytes]) -> Sequence[bytes]:
        """The frames of packets, the first of them in two if a fault says so."""
        if not self._fragments_next:
            return frames
        self._fragments_next = False
        return [fragmented(frames[0]), *frames[1:]]

    def flood(self) -> None:
        """Send packets without an end, the client's close frame notwithstanding."""
        frame = self._last_frame or HEADERS[1] + unit_prefix(1, 1, "2885") + bytes(24)
        frames = frame * FLOOD_FRAMES

        def send_many() -> None:
            if self._transport.is_ready:
                self._transport.write(frames)

        self._repeat(What.IGNORE_CLOSE, FLOOD_EVERY_S, send_many)

    def _hold(self, what: What, duration_s: float | None) -> None:
        if what in self._holds:
            return
        self._holds[what] = span = Span(what, Timestamp.now())
        self._log.spans.append(span)
        if what is What.STALL:
            self._transport.stall()
        elif what is What.SLOW:
            self._transport.slow()
        elif what is What.PONGS:
            self._repeat(what, PONG_EVERY_S, lambda: self._send_text("pong"))
        if duration_s is not None:
            loop = asyncio.get_running_loop()
            self._alarms[what] = loop.call_later(duration_s, self.release, what)

    def release(self, what: What) -> None:
        """End a hold, if it is on."""
        span = self._holds.pop(what, None)
        if span is None:
            return
        if span.ended is None:
            span.ended = Timestamp.now()
        if what in self._repeating:
            self._repeating.pop(what).cancel()
            if what is What.IGNORE_CLOSE:
                self._transport.abort()
        if what is What.STALL:
            self._transport.end_stall()
            self._read_on()
        elif what is What.SLOW:
            self._transport.end_slow()

    def end(self) -> None:
        """The connection is over: no hold goes on, and what a stall left unread is read."""
        for alarm in (*self._alarms.values(), *self._repeating.values()):
            alarm.cancel()
        self._repeating.clear()
        self.release(What.STALL)

    def _repeat(self, what: What, every_s: float, act: Callable[[], None]) -> None:
        act()
        loop = asyncio.get_running_loop()
        self._repeating[what] = loop.call_later(every_s, self._repeat, what, every_s, act)
