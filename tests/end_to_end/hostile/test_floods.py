"""Floods of text: each is accounted for in the events, and few reach the terminal."""

from __future__ import annotations

import json
from itertools import repeat
from pathlib import Path

import pytest

from ticks.adapter.wire.frames import Opcode

from .attacks import Peer, frame, quote
from .client import Client
from .server import HostileFeed

GOOD = range(7_000_000_000, 7_000_000_050)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("count", "size"), [(200_355, 2), (3_000, 60_000)])
def test_every_error_of_a_flood_is_in_the_events_by_number(
    environ: dict[str, str], tmp_path: Path, count: int, size: int
) -> None:
    words = json.dumps({"errorCode": "E1001", "errorMessage": "x" * size}).encode()

    def flood(peer: Peer) -> None:
        peer.accept()
        peer.sock.settimeout(60)
        error, tick = frame(Opcode.TEXT, words), frame(Opcode.BINARY, quote(1))
        together = min(500, 3_000_000 // size)  # so that a tick comes more often than silence does
        for at in range(0, count, together):
            peer.send(tick + error * min(together, count - at))
        peer.end_s += 100.0
        for sequence in GOOD:
            peer.send(frame(Opcode.BINARY, quote(sequence)))
        peer.listen()

    with (
        HostileFeed(repeat(("flood", flood)), seed=1) as feed,
        Client(environ | {"TICKS_FEED_URL": feed.url}, tmp_path) as client,
    ):
        client.wait_until(lambda: GOOD[-1] in client.sequences(), 120)
        client.check_resources()
        assert client.ends() == 0
    assert feed.failures == []
    assert len(client.said) < 200_000
    refused = [event for event in client.events() if event["event"] == "refused"]
    counted = sum(1 + int(str(event.get("others", 0))) for event in refused)
    dropped = [event for event in client.events() if event["event"] == "events_dropped"]
    assert dropped == []
    # On a busy machine a link may be given up before its flood is read; never the last one.
    assert count <= counted <= count * len(feed.met)
