"""The connection to a server: TLS is always verified, and a proxy is named where it is at fault."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ticks.adapter.dial import Dial, trusted_context
from ticks.adapter.errors import CertificateError, NetworkError, ProxyError, TicksError

CERTIFICATE = Path(__file__).with_name("loopback.pem")
PATIENCE_S = 10.0


def failure(url: str, timeout_s: float = 5.0) -> TicksError:
    """The error of a connection that cannot be opened."""
    dial = Dial(url, timeout_s)
    with pytest.raises((OSError, http.client.HTTPException, TicksError)) as caught:
        dial.open()
    error = dial.failure(caught.value, "gave no answer in time")
    assert error.kind
    return error


def answer(sock: socket.socket) -> bytes:
    """What the server sends back to a request that holds a secret."""
    with sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: my-jwt\r\n\r\n")
        return b"".join(iter(lambda: sock.recv(65536), b""))


# --- certificates ---------------------------------------------------------------------------------


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


def test_certificates_and_host_names_are_always_verified() -> None:
    context = trusted_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_an_unknown_certificate_is_refused_by_name(
    tls_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    error = failure(f"https://127.0.0.1:{tls_server.port}")
    assert (type(error), error.kind) == (CertificateError, "certificate")
    assert error.values["host"] == f"127.0.0.1:{tls_server.port}"
    assert str(error).startswith(
        f"the certificate of 127.0.0.1:{tls_server.port} cannot be trusted"
    )


def test_ssl_cert_file_is_honoured(tls_server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert answer(Dial(f"https://localhost:{tls_server.port}", 5.0).open()).endswith(b"hi")


def test_a_server_without_tls_is_named(server) -> None:
    server.read_first = False
    server.answers.append(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    error = failure(f"https://127.0.0.1:{server.port}")
    assert type(error) is NetworkError
    assert "no TLS connection" in str(error)


def test_a_tls_handshake_that_never_ends_is_given_up_and_its_socket_closed(server) -> None:
    hung_up = threading.Event()

    def says_nothing(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass
        hung_up.set()

    server.read_first = False
    server.answers.append(says_nothing)
    assert "gave no answer in time" in str(failure(f"https://127.0.0.1:{server.port}", 0.3))
    assert hung_up.wait(PATIENCE_S)


# --- the proxy ------------------------------------------------------------------------------------


def tunnel_to(place: tuple[str, int]) -> Callable[[socket.socket], None]:
    """A proxy's part once it was asked: grant the tunnel and pass bytes both ways."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(place, 5) as onward:
            back = threading.Thread(target=pump, args=(onward, connection))
            back.start()
            pump(connection, onward)
            back.join(PATIENCE_S)

    return script


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def proxy(server, monkeypatch: pytest.MonkeyPatch):
    """The scripted server, named as the proxy, with a password that needs decoding."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass%20word%23@127.0.0.1:{server.port}")
    return server


def test_the_way_leads_through_the_proxy_which_sees_no_secret(
    proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with context.wrap_socket(listener.accept()[0], server_side=True) as secured:
                secured.settimeout(5)
                secured.recv(65536)
                secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        thread = threading.Thread(target=serve)
        thread.start()
        proxy.answers.append(tunnel_to(listener.getsockname()))
        # The certificate is for localhost, which is never asked of a proxy by its own name.
        monkeypatch.setattr("ticks.adapter.proxy.is_loopback", lambda _host: False)
        assert answer(Dial("https://localhost:8443/rest", 5.0).open()).endswith(b"hi")
        thread.join(PATIENCE_S)
    (request,) = proxy.requests
    assert request.startswith(b"CONNECT localhost:8443 HTTP/1.1\r\nHost: localhost:8443\r\n")
    assert b"Proxy-Authorization: Basic bWU6cGFzcyB3b3JkIw==\r\n" in request
    assert b"my-" not in request


@pytest.mark.parametrize(
    ("status", "error_type", "kind"),
    [
        ("407 Proxy Authentication Required", ProxyError, "proxy-password"),
        ("403 Forbidden", ProxyError, "proxy-refused"),
        ("502 Bad Gateway", NetworkError, "proxy-target"),
    ],
)
def test_a_proxy_that_refuses_is_named_as_the_hop_that_failed(
    proxy, status: str, error_type: type[TicksError], kind: str
) -> None:
    echo = f"HTTP/1.1 {status} for me:pass word#\r\nContent-Length: 0\r\n\r\n"
    proxy.answers.append(echo.encode())
    error = failure("https://broker.example/rest/login")
    assert (type(error), error.kind) == (error_type, kind)
    assert error.values["proxy"] == f"127.0.0.1:{proxy.port}"
    assert error.values["variable"] == "HTTPS_PROXY"
    assert f"127.0.0.1:{proxy.port} (named by HTTPS_PROXY)" in str(error)
    assert "pass word" not in str(error)


@pytest.mark.parametrize(
    ("schemes", "kind"),
    [
        (["NTLM"], "proxy-authentication"),
        (["Negotiate", "NTLM"], "proxy-authentication"),
        (['Digest realm="basement"'], "proxy-authentication"),
        (["Negotiate", 'Basic realm="x"'], "proxy-password"),
        (['Negotiate, Basic realm="x"'], "proxy-password"),
        ([""], "proxy-password"),
    ],
)
def test_a_proxy_that_wants_what_no_password_helps_with_is_recognized(
    proxy, schemes: list[str], kind: str
) -> None:
    lines = "".join(f"Proxy-Authenticate: {each}\r\n" for each in schemes)
    proxy.answers.append(f"HTTP/1.1 407 No\r\n{lines}Content-Length: 0\r\n\r\n".encode())
    error = failure("https://broker.example/rest/login")
    assert (type(error), error.kind) == (ProxyError, kind)


def test_a_proxy_that_is_down_is_named_as_the_hop_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "me:hunter2@127.0.0.1:9")
    error = failure("https://broker.example/rest/login")
    assert (type(error), error.kind) == (NetworkError, "proxy-unreachable")
    assert "the proxy 127.0.0.1:9 (named by https_proxy) cannot be reached" in str(error)
    assert "hunter2" not in str(error)


def test_a_proxy_that_says_nothing_is_named_as_the_hop_that_failed(proxy) -> None:
    released = threading.Event()
    proxy.answers.append(lambda _connection: released.wait(PATIENCE_S))
    error = failure("https://broker.example/rest/login", 0.3)
    released.set()
    assert error.kind == "proxy-unreachable"
    assert "gave no answer in time" in str(error)


def test_what_is_not_an_http_proxy_is_named_as_that(proxy) -> None:
    proxy.answers.append(b"\x05\xff\r\n")
    error = failure("https://broker.example/rest/login")
    assert (type(error), error.kind) == (ProxyError, "proxy-foreign")


def test_this_machine_is_reached_without_the_proxy(server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.reply("direct")
    assert answer(Dial(server.url, 5.0).open()).endswith(b"direct")
