"""A client that speaks to the simulator with nothing but websocket-client, to see the bare wire."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import websocket

from ticks.adapter.simulator.accounts import Tokens
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.tick import Mode

RELIANCE, NIFTY = "2885", "99926000"


class FeedClient:
    """One feed connection; every wait in it ends after five seconds."""

    def __init__(self, simulator: Simulator, tokens: Tokens, **headers: str) -> None:
        given = {
            "Authorization": f"Bearer {tokens.jwt}",
            "x-api-key": simulator.credentials.api_key,
            "x-client-code": simulator.credentials.client_code,
            "x-feed-token": tokens.feed,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        self.link = websocket.create_connection(simulator.feed_url, timeout=5, header=given)

    def ask(
        self, *tokens: str, mode: Mode = Mode.LTP, exchange_type: int = 1, action: int = 1
    ) -> None:
        """Subscribe (or with action 0 unsubscribe)."""
        groups = [{"exchangeType": exchange_type, "tokens": tokens}]
        params = {"mode": int(mode), "tokenList": groups}
        self.link.send(json.dumps({"correlationID": "abc", "action": action, "params": params}))

    def packets(self, count: int) -> list[bytes]:
        """The next binary messages; texts between them are skipped."""
        found: list[bytes] = []
        while len(found) < count:
            message = self.link.recv()
            if isinstance(message, bytes):
                found.append(message)
        return found

    def text(self) -> str:
        """The next text message; packets before it are skipped."""
        while not isinstance(message := self.link.recv(), str):
            pass
        return message

    def close_code(self) -> int:
        """The code of the server's close frame; packets before it are skipped."""
        while True:
            opcode, payload = self.link.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                code: int = struct.unpack(">H", payload[:2])[0]
                return code


OpenFeed = Callable[..., FeedClient]


@pytest.fixture
def open_feed() -> Iterator[OpenFeed]:
    """Connects to a simulator's feed with a session of its own; closes at the end of the test."""
    with ExitStack() as open_links:

        def connect(
            simulator: Simulator, tokens: Tokens | None = None, **headers: str
        ) -> FeedClient:
            client = FeedClient(simulator, tokens or simulator.new_session(), **headers)
            open_links.callback(client.link.shutdown)
            return client

        yield connect
