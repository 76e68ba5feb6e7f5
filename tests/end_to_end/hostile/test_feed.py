"""One stream meets every attack in a row, and then a good feed: it records that, whole.

    python -m pytest tests/end_to_end/hostile              each attack once
    python tests/end_to_end/hostile/endless.py [--seed N]  without end, in random order

The promises: no attack ends the stream or makes it say "unexpected"; memory, descriptors, threads
and messages stay bounded; no token is shown and no cursor is moved; SIGTERM ends it.
"""

from __future__ import annotations

import random
from itertools import chain, repeat
from pathlib import Path

import pytest

from .attacks import ATTACKS, Peer, serve_well
from .client import Client
from .server import HostileFeed

GOOD = range(7_000_000_000, 7_000_000_300)


def good(peer: Peer) -> None:
    peer.end_s = float("inf")
    serve_well(peer, GOOD)


@pytest.mark.timeout(600)
def test_a_stream_survives_every_attack_and_records_the_good_feed_after_it(
    environ: dict[str, str], tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    order = [*ATTACKS.items()]
    random.Random(seed).shuffle(order)
    with (
        HostileFeed(chain(order, repeat(("good", good))), seed=seed) as feed,
        Client(environ | {"TICKS_FEED_URL": feed.url}, tmp_path) as client,
    ):
        client.wait_until(lambda: "good" in feed.met, 500)
        client.wait_until(lambda: GOOD[-1] in client.sequences(), 60)
        client.check_resources()
        assert client.ends() == 0
    assert feed.failures == []
    assert [name for name in feed.met if name != "good"] == [name for name, _ in order]
    recorded = [each for each in client.sequences() if each in GOOD]
    assert [*dict.fromkeys(recorded)] == [*GOOD]
    names = [event["event"] for event in client.events()]
    assert names.count("lost") >= 1
    assert names[-1] == "summary"
