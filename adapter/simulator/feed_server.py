"""The streaming feed: checks handshakes, keeps subscriptions, sends packets.

Source: protocol.md, "Streaming feed". The package `websockets` implements RFC 6455 (its sans-I/O
part: bytes in, events out); the socket is ours, so that packets go out as ready-made frames, many
to one write, and a test can make the socket behave as a bad network does.

Rules
- Headers are checked in the order Authorization, client code, API key, feed token; the first wrong
  one is named in `x-error-message`. The limit of connections is judged after that.
- Text `ping` is answered with text `pong`, a control ping with a control pong. Any other text is a
  request; a good one is not answered.
- Nothing outlives a connection.
- The limit of connections counts per client code.
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
from .bad_frames import packet_of
from .connection_faults import ConnectionFaults
from .fault_injector import FaultInjector
from .faults import CONNECT, OF_MARKET, ON_CONNECTION, Fault, What
from .journal import ConnectionLog, Handshake, Injection, Journal, SentPacket, Timestamp
from .requests import RequestRefusedError, parse_request
from .subscribers import Market, MarketState, Subscribers
from .throttle import ThrottledTransport

FEED_PATH = "/smart-stream"
CONNECTIONS_PER_CLIENT = 3
LIMIT_MESSAGE = "Invalid Request. Connection Limit Exceeded."
LIMIT_PAGE = f"<html><head><title>429</title></head><body><h1>{LIMIT_MESSAGE}</h1></body></html>"
REFUSED_WITH = {
    401: ("Invalid Header - Invalid Auth token", ""),
    403: ("", "<html><head><title>Request Rejected</title></head></html>"),
    429: (LIMIT_MESSAGE, LIMIT_PAGE),
    503: ("", "<html><body><h1>503 Service Unavailable</h1></body></html>"),
}
"""What a fault refuses with: `x-error-message` and page."""
MARKET_STATES = {
    What.HALT: MarketState.HALTED,
    What.HOLIDAY: MarketState.HOLIDAY,
    What.SNAPSHOTS: MarketState.SNAPSHOTS,
}
CLOSE_S, STOP_S, TLS_S = 1.0, 0.2, 5.0
"""How long a client may take: to answer a close frame, the same when the server stops, for TLS."""


_ACCEPT_ROUNDS = 3
"""Of the event loop, until a client that was accepted a moment ago is a connection: asyncio makes
it one in two, and one that the end of the loop overtakes would never be closed."""


class FeedServer:
    """Accepts feed connections until `stop`.

    `check_headers` gives the client code that a handshake is for, or raises HeaderRefusedError.
    `wall_s` is the broker's time in seconds since the epoch.
    """

    def __init__(
        self,
        subscribers: Subscribers,
        market: Market,
        journal: Journal,
        fault_injector: FaultInjector,
        check_headers: Callable[[Mapping[str, str]], str],
        wall_s: Callable[[], float],
    ) -> None:
        self.subscribers = subscribers
        self.market = market
        self.journal = journal
        self.fault_injector = fault_injector
        self.connections: dict[FeedConnection, None] = {}
        self.draw = Random(0)
        self.wall_s = wall_s
        self._check_headers = check_headers
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
        for _ in range(_ACCEPT_ROUNDS):
            await asyncio.sleep(0)
        for connection in list(self.connections):
            connection.close(1001, give_up_s=STOP_S)
        while self.connections:
            self._all_gone.clear()
            await self._all_gone.wait()
        await self._server.wait_closed()

    def answer(self, protocol: ServerProtocol, request: Request) -> tuple[Response, str, str]:
        """The reply to a handshake, the `x-error-message` in it or "", and the client code."""
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        if request.path.partition("?")[0] != FEED_PATH:
            return protocol.reject(404, "Not Found\n"), "", ""
        refused = self.fault_injector.take(CONNECT, {What.REFUSE})
        if refused is not None:
            return refusal(protocol, refused.number, *REFUSED_WITH[refused.number])
        try:
            client_code = self._check_headers(headers)
        except HeaderRefusedError as error:
            return refusal(protocol, 401, str(error), "")
        if len(self.journal.open_connections(client_code)) >= CONNECTIONS_PER_CLIENT:
            return refusal(protocol, 429, LIMIT_MESSAGE, LIMIT_PAGE)
        return protocol.accept(request), "", client_code

    def open_connections(self) -> list[FeedConnection]:
        """Those whose handshake was accepted, and that are not closing."""
        return [each for each in self.connections if each.log is not None and each.log.is_open]

    def strike(self, fault: Fault) -> None:
        """Apply a fault to the open connections, or the one that it names, or to the market."""
        self.apply(
            fault,
            [
                each
                for each in self.open_connections()
                if each.log is not None and fault.connection in (None, each.log.number)
            ],
        )

    def apply(self, fault: Fault, connections: Sequence[FeedConnection]) -> None:
        """Apply a fault to these connections, or to the market, and record it."""
        struck = () if fault.what in OF_MARKET else connections
        numbers = tuple(each.log.number for each in struck if each.log is not None)
        self.journal.injections.append(Injection(Timestamp.now(), fault, numbers))
        if fault.what is What.BURST:
            self.market.burst(fault.number)
        elif fault.what in MARKET_STATES:
            self.market.set_state(
                MARKET_STATES[fault.what], fault.exchanges, duration_s=fault.duration_s
            )
        for each in struck:
            each.inject(fault)
        self.journal.changed()

    def gone(self, connection: FeedConnection) -> None:
        """A connection ended."""
        self.connections.pop(connection, None)
        self._all_gone.set()


def refusal(
    protocol: ServerProtocol, status: int, message: str, page: str
) -> tuple[Response, str, str]:
    """A refused handshake with an HTML page as body, its `x-error-message`, no client code."""
    response = protocol.reject(status, page)
    if message:
        response.headers["x-error-message"] = message
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "text/html"
    return response, message, ""


class FeedConnection(asyncio.Protocol):
    """One client's socket, from accept to end."""

    def __init__(self, server: FeedServer) -> None:
        self._server = server
        self._journal = server.journal
        self._protocol = ServerProtocol()
        self._units: dict[bytes, None] = {}
        self._text: list[bytes] = []
        self._unread: list[bytes] = []
        self._transport: asyncio.Transport
        self._out: ThrottledTransport
        self._alarms: list[asyncio.TimerHandle] = []
        self._faults: ConnectionFaults | None = None
        self.log: ConnectionLog | None = None
        """None until the handshake is accepted; so are its faults."""

    # --- asyncio's calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._out = ThrottledTransport(self._transport)
        self._server.connections[self] = None

    def data_received(self, data: bytes) -> None:
        if self._is_held(What.STALL):
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

    def eof_received(self) -> bool:
        """Whether the socket stays open, although the client sends no more."""
        if not self._is_held(What.STALL):  # else what came before is still unread
            self._protocol.receive_eof()
        return self._is_held(What.IGNORE_CLOSE)

    def connection_lost(self, error: Exception | None) -> None:
        for alarm in self._alarms:
            alarm.cancel()
        self._out.abort()
        if self._faults is not None:
            self._faults.end()
        self._ended("lost", None)
        self._server.gone(self)
        self._journal.changed()

    def pause_writing(self) -> None:
        self._out.pause(True)

    def resume_writing(self) -> None:
        self._out.pause(False)

    # --- the market's calls ---

    @property
    def is_ready(self) -> bool:
        return self._out.is_ready

    async def wait_ready(self) -> None:
        await self._out.wait_ready()

    def send_packets(self, frames: Sequence[bytes]) -> None:
        log, faults = self.log, self._faults
        if log is None or faults is None or not log.is_open or not frames:
            return
        if not faults.sends_packets:
            return
        frames = faults.redated(frames)
        log.packet_count += len(frames)
        if self._journal.keep_packets:
            now = Timestamp.now().wall_ns
            log.packets += [SentPacket(now, packet_of(frame)) for frame in frames]
        self._out.write(b"".join(faults.split(frames)))
        self._server.fault_injector.ticked(len(frames))
        self._journal.changed()

    # --- the simulator's calls ---

    def close(self, code: int, reason: str = "", *, give_up_s: float = CLOSE_S) -> None:
        """Send a close frame; the socket is cut when the client does not answer in `give_up_s`."""
        if self._protocol.state is State.CONNECTING:
            self._out.abort()
            return
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._ended("server", code)
            self._flush()
        self._later(give_up_s, self._out.abort)

    def drop(self) -> None:
        """Reset the connection: an RST, no close frame."""
        self._ended("dropped", None)
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._out.abort()

    def send_text(self, text: str) -> None:
        """Send a text message, unless the connection is closing."""
        self._queue_text(text)
        self._flush()

    def inject(self, fault: Fault) -> None:
        """Apply a fault, unless the connection is closing."""
        if self._faults is None or self.log is None or not self.log.is_open:
            return
        if fault.what is What.DROP:
            self.drop()
        elif fault.what is What.CLOSE:
            self.close(fault.number)
        else:
            self._faults.inject(fault, self._units)
            self._flush()

    def _is_held(self, what: What) -> bool:
        return self._faults is not None and self._faults.holds(what)

    def _read_on(self) -> None:
        """Read what came in a stall."""
        unread, self._unread = self._unread, []
        for data in unread:
            self.data_received(data)
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
        response, message, client_code = self._server.answer(self._protocol, request)
        self._protocol.send_response(response)
        now = Timestamp.now()
        self._journal.handshakes.append(
            Handshake(now, response.status_code, message, _lowered(request.headers))
        )
        if response.status_code == 101:
            self._accept(ConnectionLog(len(self._journal.connections) + 1, now, client_code))
        self._flush()
        if self.log is not None:
            for fault in self._server.fault_injector.take_all(CONNECT, ON_CONNECTION):
                self._server.apply(fault, [self])
        self._journal.changed()

    def _accept(self, log: ConnectionLog) -> None:
        self.log = log
        self._journal.connections.append(log)
        self._faults = ConnectionFaults(
            log,
            self._out,
            draw=self._server.draw,
            wall_s=self._server.wall_s,
            send_text=self.send_text,
            read_on=self._read_on,
        )

    def _take(self, frame: Frame) -> None:
        if frame.opcode is FrameOpcode.CLOSE:
            code = self._protocol.close_rcvd.code if self._protocol.close_rcvd else None
            self._ended("client", code)
            if self._faults is not None and self._faults.holds(What.IGNORE_CLOSE):
                self._protocol.data_to_send()  # the answer, which is not sent
                self._faults.flood()
        elif self.log is not None and frame.opcode not in (FrameOpcode.PING, FrameOpcode.PONG):
            self._text.append(bytes(frame.data))
            if frame.fin:
                message = b"".join(self._text).decode(errors="replace")
                self._text.clear()
                self._answer(message, self.log)

    def _queue_text(self, text: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(text.encode())

    def _answer(self, text: str, log: ConnectionLog) -> None:
        if text == "ping":
            log.ping_count += 1
            self._queue_text("pong")
            return
        log.texts.append(text)
        try:
            request = parse_request(text)
            units = request.added_to(self._units)
        except RequestRefusedError as error:
            log.errors.append(error.code)
            self._queue_text(error.text())
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
            for span in self.log.spans:
                span.ended = span.ended or self.log.closed

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data == SEND_EOF:
                self._out.close()
            else:
                self._out.write(data)


def _lowered(headers: Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.raw_items()}
