from __future__ import annotations

import gzip
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ticks.adapter.errors import (
    NetworkError,
    NotSmartApiError,
    TicksError,
    UsageError,
)
from ticks.adapter.http import REST_LIMITS, Limits, Reply, exchange

CERTIFICATE = Path(__file__).with_name("loopback.pem")
HEADERS = {"X-PrivateKey": "my-api-key", "Authorization": "Bearer my-jwt"}
SENT = b"pin=2468"
PATIENCE_S = 10.0
SHORT = Limits(total_s=0.3, body_bytes=1 << 20)
BODY = b'[{"token": "1"}]' * 5000


def failure(url: str, limits: Limits = REST_LIMITS) -> TicksError:
    """The error of a call, which shows nothing that was sent, not even in its traceback."""
    with pytest.raises(TicksError) as caught:
        exchange("POST", url, HEADERS, SENT, limits=limits)
    error = caught.value
    assert error.kind
    printed = "".join(traceback.format_exception(error))
    assert not any(secret in printed + repr(error) for secret in ("my-api-key", "my-jwt", "2468"))
    return error


def drip(start: bytes, piece: bytes, hung_up: threading.Event) -> Callable[[socket.socket], None]:
    """Answers `start`, then `piece` again and again, until the client hangs up."""

    def script(connection: socket.socket) -> None:
        connection.settimeout(0.01)
        try:
            connection.sendall(start)
            while True:
                connection.sendall(piece)
                try:
                    if connection.recv(1) == b"":
                        break
                except TimeoutError:
                    pass
        except OSError:
            pass
        hung_up.set()

    return script


# --- a reply --------------------------------------------------------------------------------------


def test_a_reply_comes_with_its_status_body_and_date(server) -> None:
    server.reply("tea", "418 Teapot", "Date: Fri, 20 Nov 2026 03:30:10 GMT\r\n")
    reply = exchange("POST", f"{server.url}/pot?x", HEADERS, b"body")
    assert (reply.status, reply.reason, reply.body) == (418, "Teapot", b"tea")
    assert reply.server_wall_s == 1_795_145_410
    request = server.requests[0]
    assert request.startswith(b"POST /pot HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n".encode() in request
    assert b"X-PrivateKey: my-api-key\r\n" in request
    assert request.endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize("date", ["", "Date: yesterday\r\n"])
def test_a_date_that_is_none_is_none(server, date: str) -> None:
    server.reply("", headers=date)
    assert exchange("GET", server.url, {}).server_wall_s is None


def test_a_redirect_is_not_followed(server) -> None:
    server.reply("", "302 Found", f"Location: {server.url}/elsewhere\r\n")
    reply = exchange("POST", f"{server.url}/start", HEADERS, b"")
    assert (reply.status, reply.location) == (302, f"{server.url}/elsewhere")
    assert len(server.requests) == 1


def test_gzip_is_unpacked_and_counted_as_it_came(server) -> None:
    packed = gzip.compress(BODY)
    server.reply(packed, headers="Content-Encoding: gzip\r\n")
    counted: list[tuple[int, int | None]] = []
    reply = exchange("GET", server.url, {}, progress=lambda *news: counted.append(news))
    assert reply.body == BODY
    assert counted[-1] == (len(packed), len(packed))


def test_progress_is_reported_on_the_calling_thread(server) -> None:
    server.reply(BODY)
    threads: set[int] = set()
    exchange("GET", server.url, {}, progress=lambda *_: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_a_body_of_unknown_length_comes_whole(server) -> None:
    server.answers.append(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)
    expected: set[int | None] = set()
    reply = exchange("GET", server.url, {}, progress=lambda _, whole: expected.add(whole))
    assert reply.body == BODY
    assert expected == {None}


def test_a_repr_shows_no_body() -> None:
    assert "the-jwt" not in repr(Reply(200, b"the-jwt"))


# --- nobody there ---------------------------------------------------------------------------------


def test_nobody_there_is_named_with_the_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}")
    assert type(error) is NetworkError
    assert (error.kind, error.values["host"]) == ("unreachable", f"127.0.0.1:{port}")
    assert str(error) == f"127.0.0.1:{port} cannot be reached: Connection refused"


def test_a_name_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure("https://broker.invalid/rest")
    assert type(error) is NetworkError
    assert "broker.invalid cannot be reached: the name cannot be found" in str(error)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,[]"])
def test_no_other_scheme_is_opened(url: str) -> None:
    error = failure(url)
    assert (type(error), error.kind) == (UsageError, "url")


@pytest.fixture
def hanging_name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Every look-up waits for the end of the test; the event says that one began."""
    released, asked = threading.Event(), threading.Event()

    def hanging(*_arguments: object, **_options: object) -> None:
        asked.set()
        released.wait(PATIENCE_S)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    yield asked
    released.set()


def test_a_name_look_up_that_hangs_is_given_up(hanging_name_server: threading.Event) -> None:
    error = failure("https://broker.invalid", SHORT)
    assert (type(error), error.kind) == (NetworkError, "unreachable")
    assert "within 0.3 s" in str(error)


def test_a_signal_ends_a_call_at_once(hanging_name_server: threading.Event) -> None:
    class Stopped(Exception):
        pass

    def stop(_number: int, _frame: object) -> None:
        raise Stopped

    def strike() -> None:
        hanging_name_server.wait(PATIENCE_S)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    old = signal.signal(signal.SIGUSR1, stop)
    began_s = time.monotonic()
    killer = threading.Thread(target=strike)
    killer.start()
    try:
        with pytest.raises(Stopped):
            exchange("GET", "https://broker.invalid", {})
    finally:
        killer.join(PATIENCE_S)
        signal.signal(signal.SIGUSR1, old)
    assert time.monotonic() - began_s < REST_LIMITS.total_s / 2


# --- a hostile server: time -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["a header", "headers", "100 Continue", "a body", "chunks"],
)
def test_a_server_that_drips_is_given_up_and_its_socket_closed(
    server, start: bytes, piece: bytes
) -> None:
    hung_up = threading.Event()
    server.answers.append(drip(start, piece, hung_up))
    began_s = time.monotonic()
    error = failure(server.url, SHORT)
    assert time.monotonic() - began_s < PATIENCE_S / 2
    assert type(error) in (NetworkError, NotSmartApiError)  # a hundred headers are no HTTP first
    assert hung_up.wait(PATIENCE_S)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n["])
def test_a_server_that_falls_silent_is_given_up(server, start: bytes) -> None:
    released = threading.Event()

    def fall_silent(connection: socket.socket) -> None:
        connection.sendall(start)
        released.wait(PATIENCE_S)

    server.answers.append(fall_silent)
    error = failure(server.url, Limits(total_s=PATIENCE_S, silence_s=0.1, body_bytes=1000))
    released.set()
    assert type(error) is NetworkError
    assert "sent nothing for 0.1 s" in str(error)
    assert ("1 of 100 bytes" in str(error)) == bool(start)


def test_headers_without_end_count_as_silence(server) -> None:
    hung_up = threading.Event()
    server.answers.append(drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", hung_up))
    error = failure(server.url, Limits(total_s=PATIENCE_S, silence_s=0.1, body_bytes=1000))
    assert "sent nothing for 0.1 s" in str(error)
    assert hung_up.wait(PATIENCE_S)


# --- a hostile server: size -----------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_the_size_is_limited_packed_or_not(server, encoding: str) -> None:
    limits = Limits(total_s=PATIENCE_S, body_bytes=500_000)
    for size in (500_000, 500_001):
        body = bytes(size)
        packed = gzip.compress(body) if encoding == "gzip" else body
        server.reply(packed, headers=f"Content-Encoding: {encoding}\r\n")
    assert len(exchange("GET", server.url, {}, limits=limits).body) == 500_000
    error = failure(server.url, limits)
    assert (type(error), error.kind) == (NotSmartApiError, "reply-too-large")
    assert "500,000 bytes" in str(error)


def test_a_gzip_bomb_is_refused_before_it_unpacks(server) -> None:
    bomb = gzip.compress(bytes(100 << 20))
    server.reply(bomb, headers="Content-Encoding: gzip\r\n")
    error = failure(server.url, Limits(total_s=PATIENCE_S, body_bytes=256 << 20))
    assert (type(error), error.kind) == (NotSmartApiError, "reply-too-large")
    assert "100 times its size" in str(error)


def test_what_only_says_that_it_is_gzip_is_refused(server) -> None:
    server.reply(BODY, headers="Content-Encoding: gzip\r\n")
    error = failure(server.url)
    assert (type(error), error.kind) == (NotSmartApiError, "reply-gzip")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", NetworkError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", NetworkError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", NetworkError),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
            + gzip.compress(BODY, mtime=0)[:-20],
            NetworkError,
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n", NotSmartApiError),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", NotSmartApiError),
        (b"Bearer my-jwt my-api-key pin=2468\r\n\r\n", NotSmartApiError),
    ],
)
def test_a_reply_that_is_cut_off_or_not_http_is_named(
    server, answer: bytes, kind: type[TicksError]
) -> None:
    server.answers.append(answer)
    assert type(failure(server.url)) is kind
