"""The streaming feed: handshakes judged, subscriptions kept, packets put on sockets.

Source: protocol.md, "Streaming feed". The package `websockets` speaks RFC 6455 (its sans-I/O part:
bytes in, events out); the socket is ours, so that packets go out as ready-made frames, many to one
write, and a test can do to a socket what networks do.

Rules
- Headers are checked in the order Authorization, client code, API key, feed token; the first wrong
  one is named in `x-error-message`. The limit of connections is judged after that.
- Text `ping` is answered with text `pong`, a control ping with a control pong. Any other text is a
  request; a good one is not answered.
- Nothing outlives a connection.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import cast

from websockets.datastructures import Headers
from websockets.frames import Frame
from websockets.frames import Opcode as FrameOpcode
from websockets.http11 import Request, Response
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol

from .accounts import HeaderRefusedError
from .bad_frames import fragmented, garbage, oversize, packet_of, truncated
from .fault_injector import FaultInjector
from .faults import CONNECT, ON_CONNECTION, Fault, What
from .journal import ConnectionLog, Handshake, Injection, Journal, SentPacket, Span, Timestamp
from .requests import RequestRefusedError, parse_request
from .subscribers import Market, Subscribers
from .throttle import ThrottledTransport

FEED_PATH = "/smart-stream"
CONNECTIONS_PER_CLIENT = 3
HOLDS = (What.SILENCE, What.STALL, What.SLOW)
LIMIT_MESSAGE = "Invalid Request. Connection Limit Exceeded."
LIMIT_PAGE = f"<html><head><title>429</title></head><body><h1>{LIMIT_MESSAGE}</h1></body></html>"
REFUSED_WITH = {
    401: ("Invalid Header - Invalid Auth token", ""),
    403: ("", "<html><head><title>Request Rejected</title></head></html>"),
    429: (LIMIT_MESSAGE, LIMIT_PAGE),
    503: ("", "<html><body><h1>503 Service Unavailable</h1></body></html>"),
}
"""What a fault refuses with: `x-error-message` and page."""
CLOSE_S, STOP_S, TLS_S = 1.0, 0.2, 5.0
"""How long a client may take: to answer a close frame, the same when the server stops, for TLS."""


class FeedServer:
    """Accepts feed connections until `stop`; `check_headers` raises HeaderRefusedError."""

    def __init__(
        self,
        subscribers: Subscribers,
        market: Market,
        journal: Journal,
        fault_injector: FaultInjector,
        check_headers: Callable[[Mapping[str, str]], None],
    ) -> None:
        self.subscribers = subscribers
        self.market = market
        self.journal = journal
        self.fault_injector = fault_injector
        self.connections: dict[FeedConnection, None] = {}
        self._check_headers = check_headers
        self.draw = Random(0)
        self._server: asyncio.Server | None = None
        self._all_gone = asyncio.Event()

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> int:
        """The port that it listens on (`port`, or a free one for 0). Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: FeedConnection(self),
            host,
            port,
            ssl=context,
            ssl_handshake_timeout=TLS_S if context else None,
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Close the port, and every connection with 1001."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self.connections):
            connection.close(1001, give_up_s=STOP_S)
        while self.connections:
            self._all_gone.clear()
            await self._all_gone.wait()
        await self._server.wait_closed()

    def answer(self, protocol: ServerProtocol, request: Request) -> tuple[Response, str]:
        """The reply to a handshake, and the `x-error-message` in it ("" when there is none)."""
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        if request.path.partition("?")[0] != FEED_PATH:
            return protocol.reject(404, "Not Found\n"), ""
        refused = self.fault_injector.take(CONNECT, {What.REFUSE})
        if refused is not None:
            return refusal(protocol, refused.number, *REFUSED_WITH[refused.number])
        try:
            self._check_headers(headers)
        except HeaderRefusedError as error:
            return refusal(protocol, 401, str(error), "")
        if len(self.journal.open_connections()) >= CONNECTIONS_PER_CLIENT:
            return refusal(protocol, 429, LIMIT_MESSAGE, LIMIT_PAGE)
        return protocol.accept(request), ""

    def open_connections(self) -> list[FeedConnection]:
        """Those whose handshake was accepted, and that are not closing."""
        return [each for each in self.connections if each.log is not None and each.log.is_open]

    def strike(self, fault: Fault) -> None:
        """Let a fault strike the open connections, or the one that it names."""
        self.struck(
            fault,
            [
                each
                for each in self.open_connections()
                if each.log is not None and fault.connection in (None, each.log.number)
            ],
        )

    def struck(self, fault: Fault, connections: Sequence[FeedConnection]) -> None:
        """Let a fault strike these, and write it down."""
        numbers = tuple(each.log.number for each in connections if each.log is not None)
        self.journal.strikes.append(Injection(Timestamp.now(), fault, numbers))
        for each in connections:
            each.inject(fault)
        self.journal.changed()

    def gone(self, connection: FeedConnection) -> None:
        """A connection ended."""
        self.connections.pop(connection, None)
        self._all_gone.set()


def refusal(protocol: ServerProtocol, status: int, message: str, page: str) -> tuple[Response, str]:
    """A refused handshake with its `x-error-message`, and an HTML page as body."""
    response = protocol.reject(status, page)
    if message:
        response.headers["x-error-message"] = message
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "text/html"
    return response, message


class FeedConnection(asyncio.Protocol):
    """One client's socket, from accept to end."""

    def __init__(self, server: FeedServer) -> None:
        self._server = server
        self._journal = server.journal
        self._protocol = ServerProtocol()
        self._units: dict[bytes, None] = {}
        self._text: list[bytes] = []
        self._unread: list[bytes] = []
        self._holds: dict[What, Span] = {}
        self._last_frame: bytes | None = None
        self._fragments_next = False
        self._transport: asyncio.Transport
        self._outlet: ThrottledTransport
        self._alarms: list[asyncio.TimerHandle] = []
        self.log: ConnectionLog | None = None
        """None until the handshake is accepted."""

    # --- asyncio's calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._outlet = ThrottledTransport(self._transport)
        self._server.connections[self] = None

    def data_received(self, data: bytes) -> None:
        if What.STALL in self._holds:
            self._unread.append(data)
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, Frame):
                self._take(event)
        if self._protocol.close_sent is not None:
            self._ended("server", self._protocol.close_sent.code)
        self._flush()
        self._journal.changed()

    def eof_received(self) -> None:
        if What.STALL not in self._holds:  # else what came before is still unread
            self._protocol.receive_eof()

    def connection_lost(self, error: Exception | None) -> None:
        for alarm in self._alarms:
            alarm.cancel()
        self._outlet.abort()
        self._release(What.STALL)
        self._ended("lost", None)
        self._server.gone(self)
        self._journal.changed()

    def pause_writing(self) -> None:
        self._outlet.pause(True)

    def resume_writing(self) -> None:
        self._outlet.pause(False)

    # --- the audience's calls ---

    @property
    def is_ready(self) -> bool:
        return self._outlet.is_ready

    async def wait_ready(self) -> None:
        await self._outlet.wait_ready()

    def send_packets(self, frames: Sequence[bytes]) -> None:
        log = self.log
        if log is None or not log.is_open or not frames:
            return
        if What.SILENCE in self._holds or What.STALL in self._holds:
            return
        log.packet_count += len(frames)
        if self._journal.keep_packets:
            now = Timestamp.now().wall_ns
            log.packets += [SentPacket(now, packet_of(frame)) for frame in frames]
        self._last_frame = frames[-1]
        if self._fragments_next:
            self._fragments_next = False
            frames = [fragmented(frames[0]), *frames[1:]]
        self._outlet.write(b"".join(frames))
        self._server.fault_injector.ticked(len(frames))
        self._journal.changed()

    # --- the simulator's calls ---

    def close(self, code: int, reason: str = "", *, give_up_s: float = CLOSE_S) -> None:
        """Send a close frame; the socket is cut when the client does not answer in `give_up_s`."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._ended("server", code)
            self._flush()
            self._later(give_up_s, self._outlet.abort)
        elif self._protocol.state is State.CONNECTING:
            self._outlet.abort()

    def drop(self) -> None:
        """Reset the connection: an RST, no close frame."""
        self._ended("dropped", None)
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._outlet.abort()

    def send_text(self, text: str) -> None:
        """Send a text message; one that is closing has said its last word."""
        self._say(text)
        self._flush()

    def inject(self, fault: Fault) -> None:
        """What a fault does to a connection."""
        if self.log is None or not self.log.is_open:
            return
        what, draw = fault.what, self._server.draw
        if what in HOLDS:
            self._hold(what, fault.duration_s)
        elif what is What.DROP:
            self.drop()
        elif what is What.CLOSE:
            self.close(fault.number)
        elif what is What.FRAGMENT:
            self._fragments_next = True
        elif what is What.TEXT:
            self.send_text(RequestRefusedError(fault.code, "").text())
        elif what is What.GARBAGE:
            self._outlet.write(garbage(draw))
        elif what is What.TRUNCATE:
            self._outlet.write(truncated(self._last_frame, draw))
        elif what is What.OVERSIZE:
            self._outlet.write(oversize())

    def _hold(self, what: What, duration_s: float | None) -> None:
        """Silence, stall or slow it, and write down from when; one after another, not twice."""
        if what in self._holds or self.log is None:
            return
        self._holds[what] = span = Span(what, Timestamp.now())
        self.log.spans.append(span)
        if what is What.STALL:
            self._outlet.stall()
        elif what is What.SLOW:
            self._outlet.slow()
        if duration_s is not None:
            self._later(duration_s, self._release, what)

    def _release(self, what: What) -> None:
        span = self._holds.pop(what, None)
        if span is None:
            return
        if span.ended is None:
            span.ended = Timestamp.now()
        if what is What.STALL:
            self._outlet.end_stall()
            unread, self._unread = self._unread, []
            for data in unread:
                self.data_received(data)
        elif what is What.SLOW:
            self._outlet.end_slow()
        self._journal.changed()

    def _later(self, delay_s: float, act: Callable[..., None], *args: object) -> None:
        self._alarms.append(asyncio.get_running_loop().call_later(delay_s, act, *args))

    # --- the client's messages ---

    def _shake_hands(self, request: Request) -> None:
        late = self._server.fault_injector.take(CONNECT, {What.DELAY})
        if late is not None and late.duration_s is not None:
            self._later(late.duration_s, self._answer_handshake, request)
        else:
            self._answer_handshake(request)

    def _answer_handshake(self, request: Request) -> None:
        response, message = self._server.answer(self._protocol, request)
        self._protocol.send_response(response)
        now = Timestamp.now()
        self._journal.handshakes.append(
            Handshake(now, response.status_code, message, _lowered(request.headers))
        )
        if response.status_code == 101:
            self.log = ConnectionLog(len(self._journal.connections) + 1, now)
            self._journal.connections.append(self.log)
        self._flush()
        if self.log is not None:
            for fault in self._server.fault_injector.take_all(CONNECT, ON_CONNECTION):
                self._server.struck(fault, [self])
        self._journal.changed()

    def _take(self, frame: Frame) -> None:
        if frame.opcode is FrameOpcode.CLOSE:
            code = self._protocol.close_rcvd.code if self._protocol.close_rcvd else None
            self._ended("client", code)
        elif self.log is not None and frame.opcode not in (FrameOpcode.PING, FrameOpcode.PONG):
            self._text.append(bytes(frame.data))
            if frame.fin:
                message = b"".join(self._text).decode(errors="replace")
                self._text.clear()
                self._answer(message, self.log)

    def _say(self, text: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(text.encode())

    def _answer(self, text: str, log: ConnectionLog) -> None:
        if text == "ping":
            log.ping_count += 1
            self._say("pong")
            return
        log.texts.append(text)
        try:
            request = parse_request(text)
            units = request.added_to(self._units)
        except RequestRefusedError as error:
            log.errors.append(error.code)
            self._say(error.text())
            return
        before, self._units = self._units, units
        log.units = len(units)
        self._server.subscribers.remove([unit for unit in before if unit not in units], self)
        new = [unit for unit in units if unit not in before]
        for unit in new:
            self._server.subscribers.add(unit, self)
        if new:
            self._server.market.joined(new, self)
            self._server.fault_injector.begin()

    def _ended(self, by: str, code: int | None) -> None:
        self._server.subscribers.remove(self._units, self)
        self._units = {}
        if self.log is not None and self.log.closed is None:
            self.log.ended_by, self.log.close_code = by, code
            self.log.closed = Timestamp.now()
            for span in self._holds.values():
                span.ended = self.log.closed

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data == SEND_EOF:
                self._outlet.close()
            else:
                self._outlet.write(data)


def _lowered(headers: Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.raw_items()}
