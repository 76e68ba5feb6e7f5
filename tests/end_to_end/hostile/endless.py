"""Attacks on one stream in random order, for as long as you like.

    python tests/end_to_end/hostile/endless.py [--seconds 3600] [--seed N] [--only NAME]

Prints the highest memory in each attack (Linux), and fails as the suite does.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.end_to_end.conftest import UNMISTAKABLE
from tests.end_to_end.hostile.attacks import ATTACKS, Attack, Peer, serve_well
from tests.end_to_end.hostile.client import Client
from tests.end_to_end.hostile.server import HostileFeed
from ticks.adapter.simulator.simulator import Simulator


class Watched:
    """Draws attacks, and looks at the client's memory between them."""

    def __init__(self, seed: int, only: str | None) -> None:
        self._draw = random.Random(seed)
        self._names = [only] if only else sorted(ATTACKS)
        self.client: Client | None = None
        self.count = 0

    def __iter__(self) -> Iterator[tuple[str, Attack]]:
        first = 1
        for self.count in itertools.count(1):
            name = self._draw.choice(self._names)
            yield name, ATTACKS[name]
            self._report(name)
            first += 100
            sequences = range(first, first + 100)

            def good(peer: Peer, sequences: range = sequences) -> None:
                peer.end_s = time.monotonic() + 1.0
                serve_well(peer, sequences)

            yield "good", good

    def _report(self, name: str) -> None:
        if self.client is None or not Path("/proc").is_dir():
            return
        proc = Path(f"/proc/{self.client.process.pid}")
        peak = next(line for line in (proc / "status").open() if line.startswith("VmHWM"))
        (proc / "clear_refs").write_text("5")  # the peak is measured from here on
        descriptors = len(os.listdir(proc / "fd"))
        print(
            f"{self.count:6} {name:45} {int(peak.split()[1]) // 1024:5} MB {descriptors:3}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Attacks on one stream.")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", choices=sorted(ATTACKS))
    asked = parser.parse_args()
    print(f"seed {asked.seed}")
    watched = Watched(asked.seed, asked.only)
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(rate=1, seed=asked.seed, credentials=UNMISTAKABLE) as simulator,
        HostileFeed(iter(watched), seed=asked.seed) as feed,
    ):
        environ = {**os.environ, **simulator.environment(), "TICKS_FEED_URL": feed.url}
        environ["TICKS_HOME"] = str(Path(folder) / "home")
        with Client(environ, Path(folder)) as client:
            watched.client = client
            end_s = time.monotonic() + asked.seconds
            client.wait_until(
                lambda: time.monotonic() > end_s or bool(feed.failures), asked.seconds + 60
            )
            client.check_resources()
            code = client.ends()
    if code or feed.failures:
        raise SystemExit(f"exit code {code}, {feed.failures}")
    print(f"{watched.count} attacks: all well")


if __name__ == "__main__":
    main()
