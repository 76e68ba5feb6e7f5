from __future__ import annotations

import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

from ticks.adapter.auth.rest import LONGEST_REPLY, exchange
from ticks.adapter.errors import BrokerError, CertificateError, NetworkError, NotSmartApiError

CERTIFICATE = Path(__file__).with_name("loopback.pem")
HEADERS = {"X-PrivateKey": "my-api-key", "Authorization": "Bearer my-jwt"}


def failure(url: str, timeout_s: float = 10.0) -> BrokerError:
    with pytest.raises(BrokerError) as caught:
        exchange("POST", url, HEADERS, b"pin=2468", timeout_s)
    error = caught.value
    assert error.remedy
    assert not any(secret in f"{error} {error!r}" for secret in ("my-api-key", "my-jwt", "2468"))
    return error


def test_a_reply_comes_with_its_status_body_and_date(server) -> None:
    server.reply("tea", "418 Teapot", "Date: Fri, 20 Nov 2026 03:30:10 GMT\r\n")
    reply = exchange("POST", f"{server.url}/pot?x", HEADERS, b"body")
    assert (reply.status, reply.body) == (418, b"tea")
    assert reply.server_wall_s == 1_795_145_410
    request = server.requests[0]
    assert request.startswith(b"POST /pot HTTP/1.1\r\n")
    assert b"X-PrivateKey: my-api-key\r\n" in request
    assert request.endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize("date", ["", "Date: yesterday\r\n"])
def test_a_date_that_is_none_is_none(server, date: str) -> None:
    server.reply("", headers=date)
    assert exchange("GET", server.url, {}, None).server_wall_s is None


def test_a_redirect_is_not_followed(server) -> None:
    server.reply("", "302 Found", f"Location: {server.url}/elsewhere\r\n")
    reply = exchange("POST", f"{server.url}/start", HEADERS, b"")
    assert (reply.status, reply.location) == (302, f"{server.url}/elsewhere")
    assert len(server.requests) == 1


def test_nobody_there_is_named_with_the_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}")
    assert type(error) is NetworkError
    assert str(error) == f"127.0.0.1:{port} cannot be reached: Connection refused"


def test_a_name_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure("https://broker.invalid/rest")
    assert type(error) is NetworkError
    assert "broker.invalid cannot be reached: the name cannot be found" in str(error)


def test_a_name_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hanging(*_arguments: object, **_options: object) -> None:
        released.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    assert "within 0.2 s" in str(failure("https://broker.invalid", timeout_s=0.2))
    released.set()


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_drips_bytes_is_given_up_and_its_socket_closed(server, start: bytes) -> None:
    hung_up = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        connection.settimeout(0.02)
        try:
            while True:
                connection.sendall(b"x")
                try:
                    if connection.recv(1) == b"":
                        break
                except TimeoutError:
                    pass
        except OSError:
            pass
        hung_up.set()

    server.answers.append(drip)
    began_s = time.monotonic()
    error = failure(server.url, timeout_s=0.3)
    assert time.monotonic() - began_s < 3
    assert type(error) is NetworkError
    assert "no complete answer within 0.3 s" in str(error)
    assert hung_up.wait(5)


def test_a_server_that_says_nothing_is_given_up(server) -> None:
    released = threading.Event()
    server.answers.append(lambda _connection: released.wait(10))
    assert "within 0.2 s" in str(failure(server.url, timeout_s=0.2))
    released.set()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", NetworkError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", NetworkError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", NetworkError),
        (b"SSH-2.0-OpenSSH_9.6\r\n", NotSmartApiError),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", NotSmartApiError),
    ],
)
def test_a_reply_that_is_cut_off_or_no_http_is_named(
    server, answer: bytes, kind: type[BrokerError]
) -> None:
    server.answers.append(answer)
    assert type(failure(server.url)) is kind


def test_a_reply_without_end_is_cut_at_its_limit(server) -> None:
    server.reply(b"x" * LONGEST_REPLY)
    assert len(exchange("GET", server.url, {}, None).body) == LONGEST_REPLY
    server.reply(b"x" * (LONGEST_REPLY + 1))
    error = failure(server.url)
    assert type(error) is NotSmartApiError
    assert "1 MiB" in str(error)


def test_loopback_goes_past_every_proxy(server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.reply("direct")
    assert exchange("GET", server.url, {}, None).body == b"direct"


def test_a_proxy_is_asked_for_a_tunnel_and_sees_no_secret(
    server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", f"http://me:pass%20word@127.0.0.1:{server.port}")
    server.answers.append(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    error = failure("https://broker.example/rest/login")
    assert type(error) is NetworkError
    assert "Tunnel connection failed: 403" in str(error)
    request = server.requests[0]
    assert request.startswith(b"CONNECT broker.example:443 ")
    assert b"Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk\r\n" in request
    assert b"my-" not in request


@pytest.fixture
def tls_server(server):
    """The scripted server behind TLS, with a certificate that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def accepted(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.settimeout(5)
                secured.recv(65536)
                secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        except OSError:
            pass

    server.read_first = False
    server.answers.append(accepted)
    return server


def test_an_unknown_certificate_is_refused_by_name(
    tls_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    error = failure(f"https://127.0.0.1:{tls_server.port}")
    assert type(error) is CertificateError
    assert f"127.0.0.1:{tls_server.port}" in str(error)
    assert "SSL_CERT_FILE" in error.remedy


def test_ssl_cert_file_is_honoured(tls_server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert exchange("GET", f"https://localhost:{tls_server.port}", {}, None).body == b"hi"


def test_a_server_without_tls_is_named(server) -> None:
    server.read_first = False
    server.answers.append(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    error = failure(f"https://127.0.0.1:{server.port}")
    assert type(error) is NetworkError
    assert "no TLS connection" in str(error)
