from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime

import pytest

from ticks.adapter.simulator.http_server import Reply, Request, WebServer

SKEWED_S = 1_000_000_000.0


def exchanged(sent: bytes) -> tuple[list[Request], bytes]:
    """What a server saw of these bytes, and all that it answered."""
    seen: list[Request] = []

    async def answer(request: Request) -> Reply:
        seen.append(request)
        return Reply(b"hello", headers={"X-More": "1"})

    async def exchange() -> bytes:
        server = WebServer(answer, lambda: SKEWED_S)
        port = await server.start("127.0.0.1", 0, None)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        writer.write_eof()
        answered = await reader.read()
        writer.close()
        await writer.wait_closed()
        await server.stop()
        return answered

    answered = asyncio.run(exchange())
    return seen, answered


def test_a_request_is_read_with_its_body_and_lower_case_headers() -> None:
    seen, _ = exchanged(b"POST /a/b?c=d HTTP/1.1\r\nX-Key: v\r\nContent-Length: 3\r\n\r\nxyz")
    assert seen == [Request("POST", "/a/b", {"x-key": "v", "content-length": "3"}, b"xyz")]


def test_a_reply_carries_length_date_of_the_brokers_clock_and_ends_the_connection() -> None:
    _, answered = exchanged(b"GET / HTTP/1.1\r\n\r\n")
    head, _, body = answered.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert (first, body) == ("HTTP/1.1 200 OK", b"hello")
    assert (headers["Content-Length"], headers["Connection"], headers["X-More"]) == (
        "5",
        "close",
        "1",
    )
    assert parsedate_to_datetime(headers["Date"]).timestamp() == SKEWED_S


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / FTP/1.0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
    ],
)
def test_what_is_not_http_is_400(sent: bytes) -> None:
    seen, answered = exchanged(sent)
    assert seen == []
    assert answered.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf", b"x" * 100_000]
)
def test_a_client_that_leaves_in_the_middle_gets_nothing(sent: bytes) -> None:
    seen, answered = exchanged(sent)
    assert (seen, answered) == ([], b"")


def test_stopping_does_not_wait_for_a_client_that_says_nothing() -> None:
    async def answer(request: Request) -> Reply:
        return Reply(b"")

    async def stop_early() -> None:
        server = WebServer(answer, lambda: SKEWED_S)
        port = await server.start("127.0.0.1", 0, None)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await server.stop()
        assert await reader.read() == b""
        writer.close()

    asyncio.run(asyncio.wait_for(stop_early(), 5))
