"""A real nats-server on this machine, which can be stopped, killed, frozen and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import nats
from waits import until

from ticks.adapter.jetstream.address import NatsAccess, parse_address
from ticks.adapter.jetstream.link import Link, open_link

BINARY = Path(sys.executable).with_name("nats-server")
PATIENCE_S = 20.0

T = TypeVar("T")


def linked(url: str, act: Callable[[Link], Awaitable[T]], access: NatsAccess | None = None) -> T:
    """What `act` does with an open link to `url`."""

    async def run() -> T:
        link = await open_link(parse_address(url), access or NatsAccess(), lambda: None)
        try:
            return await act(link)
        finally:
            await link.close()

    return asyncio.run(run())


class StoredMessage(NamedTuple):
    """A message as the stream holds it."""

    sequence: int
    subject: str
    headers: Mapping[str, str]
    body: bytes


class NatsServer:
    """One port and one folder for its whole life, of which streams may take `max_file_store`;
    `config` is what a configuration file would hold besides."""

    def __init__(
        self,
        folder: Path,
        *,
        config: str = "",
        has_jetstream: bool = True,
        max_file_store: str = "2G",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        store = f'jetstream {{ store_dir: "{folder}", max_file_store: {max_file_store} }}\n'
        (folder / "server.conf").write_text(
            f"listen: 127.0.0.1:{self.port}\n{store if has_jetstream else ''}{config}\n",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        log = self._folder / "server.log"
        log.write_bytes(b"")
        self._process = subprocess.Popen(
            [BINARY, "-c", self._folder / "server.conf", "-l", log],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        process = self._process
        until(lambda: b"Server is ready" in log.read_bytes() or process.poll() is not None)
        assert process.poll() is None, log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """As a power cut of the process: kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """As a partition: the socket stays, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)  # on a busy machine it runs on for a while

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            if number is not signal.SIGKILL:
                self._process.send_signal(signal.SIGCONT)
            self._process.wait(PATIENCE_S)
            self._process = None

    def __enter__(self) -> NatsServer:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end(signal.SIGKILL)

    # --- what it holds, by the official client ---

    def ask(self, question: Callable[[Any], Awaitable[T]], **options: Any) -> T:
        """What `question` finds out with a JetStream context of the official client."""

        async def asked() -> T:
            client = await nats.connect(self.url, **options)
            try:
                return await question(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(asked())

    def count(self, stream: str = "TICKS") -> int:
        """How many messages a stream holds."""

        async def question(jetstream: Any) -> int:
            info = await jetstream.stream_info(stream)
            return int(info.state.messages)

        return self.ask(question)

    def messages(self, stream: str = "TICKS") -> list[StoredMessage]:
        """All messages of a stream, in its order."""

        async def question(jetstream: Any) -> list[StoredMessage]:
            info = await jetstream.stream_info(stream)
            found: list[StoredMessage] = []
            consumer = await jetstream.pull_subscribe("", stream=stream)
            while len(found) < info.state.messages:
                for each in await consumer.fetch(1000, timeout=5):
                    await each.ack()
                    found.append(
                        StoredMessage(
                            each.metadata.sequence.stream, each.subject, each.headers, each.data
                        )
                    )
            return found

        return self.ask(question)


def running(folder: Path) -> Iterator[NatsServer]:
    """For a fixture: a server, killed at the end."""
    with NatsServer(folder) as server:
        yield server
