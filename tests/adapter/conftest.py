"""What the tests share: a simulated broker, a user of it, a snapshot, a scripted HTTP server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.config import Config
from ticks.adapter.events import LogEntry, Lost
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.snapshot import (
    ConnectionSnapshot,
    FeedSnapshot,
    InstrumentSnapshot,
    OutputSnapshot,
)

AT = datetime(2026, 11, 20, 9, 15, 0, 123_000, IST)


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that dial reach their servers directly, whatever this machine is set to."""
    for name in ("https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A broker with a market of two hundred packets a second an instrument, from a fixed seed."""
    with Simulator(rate=200, seed=7, keep_packets=True) as running:
        yield running


@pytest.fixture
def environ(simulator: Simulator, tmp_path: Path) -> dict[str, str]:
    """The environment of a user of that broker, with a home of their own."""
    return {**simulator.environment(), "TICKS_HOME": str(tmp_path / "home")}


@pytest.fixture
def config(environ: dict[str, str]) -> Config:
    """What that environment says."""
    return Config.from_env(environ)


@pytest.fixture(scope="session")
def snapshot() -> FeedSnapshot:
    """A stream of two instruments that waits to reconnect."""
    connection = ConnectionSnapshot(
        number=1,
        phase=Phase.WAITING,
        is_quiet=False,
        instruments=2,
        attempt=2,
        max_attempts=None,
        delay_s=2.1,
        next_try_s=1.5,
        silence_s=0.0,
        reconnects=1,
        blind_s=3.5,
        last_cause="silence",
        ticks=7,
    )
    return FeedSnapshot(
        at=AT,
        started_at=AT - timedelta(minutes=15),
        uptime_s=900.0,
        phase=Phase.WAITING,
        connections=(connection,),
        ticks=7,
        rate_now=0.0,
        rate_mean=0.1,
        rate_peak=2.0,
        rates=(1.0, 2.0),
        silence_s=0.0,
        silence_after_s=30.0,
        reconnects=1,
        blind_s=3.5,
        last_cause="silence",
        dropped=0,
        malformed=0,
        out_of_order=0,
        duplicates=0,
        buffered=0,
        buffer_limit=100,
        session_expires_at=None,
        is_market_open=True,
        market_opens_at=None,
        instruments=(
            InstrumentSnapshot("NSE", "Nifty 50", "99926000", Decimal("1.00"), ticks=7, age_s=0.5),
        ),
        instruments_total=2,
        never_ticked=1,
        outputs=(OutputSnapshot("out.csv", 7, 512),),
        events=(LogEntry(1_795_146_300_000_001_000, 1, Lost("silence", "no data")),),
    )


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
