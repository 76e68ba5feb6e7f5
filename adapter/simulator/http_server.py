"""HTTP/1.1 in one page: enough of a server for REST calls and one large download.

Source: RFC 9112. Each connection carries one request; `Connection: close` ends every reply. What is
not HTTP is answered with 400; a client that sends nothing is given up after `IDLE_S`, or `TLS_S`
where it must begin with TLS.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

IDLE_S, TLS_S = 30.0, 5.0
_MOST_BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class WebServer:
    """Serves `answer` on a loopback port until `stop`. `wall_s` is the time for the Date header."""

    def __init__(
        self, answer: Callable[[Request], Awaitable[Reply]], wall_s: Callable[[], float]
    ) -> None:
        self._answer = answer
        self._wall_s = wall_s
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> int:
        """The port that it listens on (`port`, or a free one for 0). Raises OSError."""
        self._server = await asyncio.start_server(
            self._accept,
            host,
            port,
            ssl=context,
            ssl_handshake_timeout=TLS_S if context else None,
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await asyncio.wait_for(_read_request(reader), IDLE_S)
            reply = Reply(b"", 400) if request is None else await self._answer(request)
            writer.write(self._head(reply))
            writer.write(reply.body)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass  # The client left, or sent nothing: there is nobody to answer.
        finally:
            writer.transport.abort()

    def _head(self, reply: Reply) -> bytes:
        lines = [
            f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
            f"Date: {formatdate(self._wall_s(), usegmt=True)}",
            f"Content-Type: {reply.content_type}",
            f"Content-Length: {len(reply.body)}",
            "Connection: close",
            *(f"{name}: {value}" for name, value in reply.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    """The request on a connection; None when it is not HTTP."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    size = headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,12}", size) or int(size) > _MOST_BODY_BYTES:
        return None
    body = await reader.readexactly(int(size))
    return Request(words[0], words[1].partition("?")[0], headers, body)
