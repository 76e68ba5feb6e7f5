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
from typing import cast

from websockets.datastructures import Headers
from websockets.frames import Frame
from websockets.frames import Opcode as FrameOpcode
from websockets.http11 import Request, Response
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol

from .accounts import HeaderRefusedError
from .audience import Audience, Market
from .journal import ConnectionLog, Handshake, Journal, Moment, SentPacket
from .subscription import RequestRefusedError, parse_request

FEED_PATH = "/smart-stream"
CONNECTIONS_PER_CLIENT = 3
LIMIT_MESSAGE = "Invalid Request. Connection Limit Exceeded."
LIMIT_PAGE = f"<html><head><title>429</title></head><body><h1>{LIMIT_MESSAGE}</h1></body></html>"
CLOSE_S, STOP_S = 1.0, 0.2
"""How long a client may take to answer our close frame; the same when the server stops."""
WRITE_BUFFER_BYTES = 1 << 18


class FeedServer:
    """Accepts feed connections until `stop`; `check_headers` raises HeaderRefusedError."""

    def __init__(
        self,
        audience: Audience,
        market: Market,
        journal: Journal,
        check_headers: Callable[[Mapping[str, str]], None],
    ) -> None:
        self.audience = audience
        self.market = market
        self.journal = journal
        self.connections: set[FeedConnection] = set()
        self._check_headers = check_headers
        self._server: asyncio.Server | None = None
        self._all_gone = asyncio.Event()

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> int:
        """The port that it listens on (`port`, or a free one for 0). Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: FeedConnection(self), host, port, ssl=context
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

    def gone(self, connection: FeedConnection) -> None:
        """A connection ended."""
        self.connections.discard(connection)
        self._all_gone.set()


def refusal(protocol: ServerProtocol, status: int, message: str, page: str) -> tuple[Response, str]:
    """A refused handshake with its `x-error-message`, and an HTML page as body."""
    response = protocol.reject(status, page)
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
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport
        self._give_up: asyncio.TimerHandle | None = None
        self.log: ConnectionLog | None = None
        """None until the handshake is accepted."""

    # --- asyncio's calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, Frame):
                self._take(event)
        self._flush()
        self._journal.changed()

    def eof_received(self) -> None:
        self._protocol.receive_eof()

    def connection_lost(self, error: Exception | None) -> None:
        if self._give_up is not None:
            self._give_up.cancel()
        self._ended("lost", None)
        self._writable.set()
        self._server.gone(self)
        self._journal.changed()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # --- the audience's calls ---

    @property
    def is_ready(self) -> bool:
        return self._writable.is_set()

    async def wait_ready(self) -> None:
        await self._writable.wait()

    def send_packets(self, frames: Sequence[bytes]) -> None:
        log = self.log
        if log is None or not frames or self._protocol.state is not State.OPEN:
            return
        log.packet_count += len(frames)
        if self._journal.keep_packets:
            now = Moment.now().wall_ns
            log.packets += [
                SentPacket(now, frame[2 if frame[1] < 126 else 4 :]) for frame in frames
            ]
        self._transport.write(b"".join(frames))
        self._journal.changed()

    # --- the simulator's calls ---

    def close(self, code: int, reason: str = "", *, give_up_s: float = CLOSE_S) -> None:
        """Send a close frame; the socket is cut when the client does not answer in `give_up_s`."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._ended("server", code)
            self._flush()
            loop = asyncio.get_running_loop()
            self._give_up = loop.call_later(give_up_s, self._transport.abort)
        elif self._protocol.state is State.CONNECTING:
            self._transport.abort()

    def drop(self) -> None:
        """Reset the connection: an RST, no close frame."""
        self._ended("dropped", None)
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._transport.abort()

    def send_text(self, text: str) -> None:
        """Send a text message."""
        self._protocol.send_text(text.encode())
        self._flush()

    # --- the client's messages ---

    def _shake_hands(self, request: Request) -> None:
        response, message = self._server.answer(self._protocol, request)
        self._protocol.send_response(response)
        now = Moment.now()
        self._journal.handshakes.append(
            Handshake(now, response.status_code, message, _lowered(request.headers))
        )
        if response.status_code == 101:
            self.log = ConnectionLog(len(self._journal.connections) + 1, now)
            self._journal.connections.append(self.log)

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

    def _answer(self, text: str, log: ConnectionLog) -> None:
        if text == "ping":
            log.ping_count += 1
            self._protocol.send_text(b"pong")
            return
        log.texts.append(text)
        try:
            request = parse_request(text)
            units = request.added_to(self._units)
        except RequestRefusedError as error:
            log.errors.append(error.code)
            self._protocol.send_text(error.text().encode())
            return
        before, self._units = self._units, units
        log.units = len(units)
        self._server.audience.remove([unit for unit in before if unit not in units], self)
        new = [unit for unit in units if unit not in before]
        for unit in new:
            self._server.audience.add(unit, self)
        self._server.market.joined(new, self)

    def _ended(self, by: str, code: int | None) -> None:
        self._server.audience.remove(self._units, self)
        self._units = {}
        if self.log is not None and self.log.closed is None:
            self.log.ended_by, self.log.close_code = by, code
            self.log.closed = Moment.now()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data == SEND_EOF:
                self._transport.close()
            else:
                self._transport.write(data)


def _lowered(headers: Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.raw_items()}
