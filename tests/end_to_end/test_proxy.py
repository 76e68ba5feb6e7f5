"""Login, instrument master and feed through one proxy, which stands before a simulated broker."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ticks.adapter.simulator.simulator import Simulator

from .conftest import Ticks

CERTIFICATE = Path(__file__).with_name("broker.pem")
PASSWORD = "pass word#1"


class Proxy:
    """Grants a tunnel to any host that it knows, ends TLS there, and passes the rest on."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(CERTIFICATE)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _peer = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += client.recv(65536)
        self.requests.append(request.decode())
        host = request.split()[1].decode().partition(":")[0]
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            with (
                self._context.wrap_socket(client, server_side=True) as secured,
                socket.create_connection(("127.0.0.1", self._ports[host])) as onward,
            ):
                threading.Thread(target=pump, args=(onward, secured), daemon=True).start()
                pump(secured, onward)
        except OSError:
            pass


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass


@pytest.fixture
def proxy(simulator: Simulator) -> Iterator[Proxy]:
    port = urlsplit(simulator.rest_url).port or 0
    feed_port = urlsplit(simulator.feed_url).port or 0
    running = Proxy({"rest.example": port, "master.example": port, "feed.example": feed_port})
    yield running
    running.stop()


@pytest.fixture
def behind_proxy(simulator: Simulator) -> dict[str, str]:
    """Addresses that only the proxy knows the way to."""
    master = urlsplit(simulator.environment()["TICKS_INSTRUMENTS_URL"]).path
    return {
        "TICKS_REST_URL": "https://rest.example",
        "TICKS_FEED_URL": "wss://feed.example/smart-stream",
        "TICKS_INSTRUMENTS_URL": f"https://master.example{master}",
        "SSL_CERT_FILE": str(CERTIFICATE),
        **dict.fromkeys(("https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"), ""),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), ""),
    }


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_login_master_and_feed_go_through_the_proxy_by_one_variable(
    ticks: Ticks, proxy: Proxy, behind_proxy: dict[str, str], scheme: str
) -> None:
    value = f"{scheme}me:pass%20word%231@{proxy.address}"
    ran = ticks(
        *("stream", "NIFTY", "--csv", "-", "--count", "3"),
        more={**behind_proxy, "https_proxy": value},
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("\n") == 4
    asked = [request.split()[1] for request in proxy.requests]
    assert set(asked) == {"rest.example:443", "master.example:443", "feed.example:443"}
    pair = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    assert all(f"Proxy-Authorization: Basic {pair}\r\n" in each for each in proxy.requests)
    assert "pass" not in ran.stderr


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        ("http://me:hunter2#word@127.0.0.1:3128", 2, "does not name a proxy"),
        ("socks5://me:hunter2@127.0.0.1:1080", 5, "socks5 proxies are not supported"),
        ("me:hunter2@127.0.0.1:9", 5, "the proxy 127.0.0.1:9 (named by https_proxy) cannot be"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    ticks: Ticks, behind_proxy: dict[str, str], value: str, code: int, words: str
) -> None:
    for command in (("login",), ("stream", "NIFTY", "--max-attempts", "0", "--csv", "-")):
        ran = ticks(*command, more={**behind_proxy, "https_proxy": value})
        assert (ran.returncode, ran.stdout) == (code, "")
        assert words in ran.stderr
        assert "proxy" in ran.stderr.partition("try: ")[2]
        assert "hunter2" not in ran.stderr
