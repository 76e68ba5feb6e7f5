"""What the tests share: a simulated broker, a user who may talk to it, a scripted HTTP server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ticks.adapter.config import Config
from ticks.adapter.simulator.simulator import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A broker with a market of two hundred packets a second an instrument, from a fixed seed."""
    with Simulator(rate=200, seed=7, keep_packets=True) as running:
        yield running


@pytest.fixture
def config(simulator: Simulator, tmp_path: Path) -> Config:
    """The surroundings of a user of that broker, with a home of his own."""
    return Config.from_env({**simulator.environment(), "TICKS_HOME": str(tmp_path / "home")})


class ScriptedServer:
    """Answers each connection with the next of `answers` (raw bytes), and keeps requests."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.answers: list[bytes | Callable[[socket.socket], None]] = []
        self.requests: list[bytes] = []
        self.read_first = True
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def reply(self, body: bytes | str, status: str = "200 OK", headers: str = "") -> None:
        """Queue a whole reply."""
        data = body.encode() if isinstance(body, str) else body
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n{headers}\r\n"
        self.answers.append(head.encode() + data)

    def stop(self) -> None:
        self._stopped.set()
        with socket.create_connection(("127.0.0.1", self.port), 5):
            pass
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            connection, _peer = self._listener.accept()
            with connection:
                if self._stopped.is_set():
                    return
                if self.read_first:
                    self.requests.append(self._read(connection))
                answer = self.answers.pop(0)
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)

    def _read(self, connection: socket.socket) -> bytes:
        connection.settimeout(5)
        text = b""
        while b"\r\n\r\n" not in text:
            text += connection.recv(65536)
        head, _, body = text.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                while len(body) < int(line.split(b":")[1]):
                    body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()
    yield scripted
    scripted.stop()
