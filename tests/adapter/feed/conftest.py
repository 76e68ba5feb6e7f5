"""A tiny feed server on this machine, scripted connection by connection."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

Script: TypeAlias = Callable[[socket.socket], None]
CERTIFICATE = Path(__file__).parent.parent / "loopback.pem"
PATIENCE_S = 10.0


class FeedServer:
    """Serves each connection with the next of `scripts`, on a thread of its own.

    A script gets the socket after the handshake's request was read (kept in `requests`), and the
    connection is closed when it returns. `hold` is what a script waits on to stay open.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "ws" if context is None else "wss"
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{scheme}://{self.host}/smart-stream"
        self.scripts: list[Script] = []
        self.requests: list[bytes] = []
        self.received = bytearray()
        self.hung_up = threading.Semaphore(0)
        """One count for every client that ended its connection while a script listened."""
        self.hold = threading.Event()
        self._is_stopped = False
        self._threads: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve, name="scripted feed")
        self._thread.start()

    def opens(self, *then: bytes) -> None:
        """The next connection opens, sends `then`, and listens until the client hangs up."""

        def script(peer: socket.socket) -> None:
            peer.sendall(self.welcome() + b"".join(then))
            self.listen(peer)

        self.scripts.append(script)

    def says(self, *replies: bytes) -> None:
        """The next connections get these bytes instead of a handshake, one each, and a hang-up."""
        for reply in replies:
            self.scripts.append(lambda peer, reply=reply: peer.sendall(reply))  # type: ignore[misc]

    def refuses(self, status: str, headers: str = "", body: str = "") -> None:
        """The next connection is refused with this HTTP status."""
        length = f"Content-Length: {len(body.encode())}\r\n"
        self.says(f"HTTP/1.1 {status}\r\n{length}{headers}\r\n{body}".encode())

    def welcome(self) -> bytes:
        """The answer to the newest request that opens a WebSocket."""
        head = self.requests[-1].decode()
        key = next(line for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Key"))
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = hashlib.sha1((key.split(": ")[1] + guid).encode(), usedforsecurity=False).digest()
        return (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n\r\n"
        ).encode()

    def listen(self, peer: socket.socket) -> None:
        """Keep what the client sends until it hangs up."""
        try:
            while data := peer.recv(65536):
                self.received += data
        except OSError:
            pass
        self.hung_up.release()

    def stay(self, _peer: socket.socket) -> None:
        """Say nothing until the test ends."""
        self.hold.wait(PATIENCE_S)

    def stop(self) -> None:
        self._is_stopped = True
        self.hold.set()
        with socket.create_connection(self._listener.getsockname(), PATIENCE_S):
            pass
        for thread in [self._thread, *self._threads]:
            thread.join(PATIENCE_S)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            peer, _address = self._listener.accept()
            if self._is_stopped:
                peer.close()
                return
            script = self.scripts.pop(0)
            thread = threading.Thread(target=self._play, args=(peer, script), name="scripted peer")
            self._threads.append(thread)
            thread.start()

    def _play(self, peer: socket.socket, script: Script) -> None:
        peer.settimeout(PATIENCE_S)
        try:
            if self._context is not None:
                peer = self._context.wrap_socket(peer, server_side=True)
            request = b""
            while b"\r\n\r\n" not in request:
                part = peer.recv(65536)
                if not part:
                    return
                request += part
            self.requests.append(request)
            script(peer)
        except OSError:
            pass
        finally:
            peer.close()


@pytest.fixture
def server() -> Iterator[FeedServer]:
    scripted = FeedServer()
    yield scripted
    scripted.stop()


@pytest.fixture
def tls_server() -> Iterator[FeedServer]:
    """With a certificate that nobody trusts until SSL_CERT_FILE names it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    scripted = FeedServer(context)
    yield scripted
    scripted.stop()


@pytest.fixture
def certificate() -> Path:
    return CERTIFICATE
