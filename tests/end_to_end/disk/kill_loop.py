"""SIGKILL at random moments, over and over, in one home and into the same files.

    python tests/end_to_end/disk/kill_loop.py [--seconds 3600] [--seed N]

After each kill: every recorded row is whole and was sent, in order. After the next start: what was
torn is repaired, no draft with tokens is left, and no dead stream is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ticks.adapter.files.recording import read_recording
from ticks.adapter.simulator.simulator import Simulator

TICKS = str(Path(sys.executable).with_name("ticks"))
OUTPUTS = ("o.csv", "o.jsonl", "o.csv.gz")
STREAM = ("stream", "NIFTY", "RELIANCE", "--mode", "snap", "--events", "e.jsonl")
LONGEST_S = 4.0


class Victim:
    """A user's folder and home, and a broker that remembers what it sent."""

    def __init__(self, simulator: Simulator, folder: Path, seed: int) -> None:
        self.kills = 0
        self._simulator = simulator
        self._folder = folder
        self._home = folder / "home"
        self._draw = random.Random(seed)
        bare = {name: text for name, text in os.environ.items() if not name.startswith("TICKS_")}
        self._environ = {**bare, **simulator.environment(), "TICKS_HOME": str(self._home)}

    def kill_one(self) -> None:
        """Start a stream, kill it after a while, and check what it leaves."""
        output = self._draw.choice(OUTPUTS)
        for name in ("session.json", "instruments.sqlite"):
            if self._draw.random() < 0.3:  # so that logins and new indices are hit too
                (self._home / name).unlink(missing_ok=True)
        option = "--jsonl" if "jsonl" in output else "--csv"
        with subprocess.Popen(
            [TICKS, *STREAM, option, output],
            env=self._environ,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            time.sleep(self._draw.uniform(0.2, LONGEST_S))
            assert process.poll() is None, process.communicate()[1]
            process.kill()
            _, said = process.communicate()
        assert "Traceback" not in said
        assert "unexpected" not in said
        self.kills += 1
        for name in OUTPUTS:
            self._check_rows(self._folder / name, most_damage=1)

    def end_well(self) -> None:
        """One run that is not killed for each output; then all is repaired and swept."""
        for output in OUTPUTS:
            option = "--jsonl" if "jsonl" in output else "--csv"
            subprocess.run(
                [TICKS, *STREAM, option, output, "--count", "20"],
                env=self._environ,
                cwd=self._folder,
                check=True,
                capture_output=True,
                timeout=60,
            )
            self._check_rows(self._folder / output, most_damage=0)
        for line in (self._folder / "e.jsonl").read_text().splitlines():
            assert json.loads(line)["event"]
        shown = subprocess.run(
            [TICKS, "status", "--json"],
            env=self._environ,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert json.loads(shown.stdout) in ([], {"streams": []})
        left = {each.name for each in self._home.iterdir()}
        assert left <= {"session.json", "session.lock", "instruments.sqlite", "run"}, left
        assert list((self._home / "run").glob("*.json")) == []

    def _check_rows(self, path: Path, most_damage: int) -> None:
        if not path.exists() or path.stat().st_size == 0:
            return
        damage: list[str] = []
        rows = read_recording(path, on_damage=lambda *told: damage.append(told[2]))
        rest = iter(
            each.packet for log in self._simulator.journal.connections for each in log.packets
        )
        for row in rows:
            assert row.packet in rest, "a row that nobody sent, or not in this order"
        assert len(damage) <= most_damage, damage


def main() -> None:
    parser = argparse.ArgumentParser(description="Kills streams at random moments.")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    asked = parser.parse_args()
    print(f"seed {asked.seed}")
    end_s = time.monotonic() + asked.seconds
    while time.monotonic() < end_s:
        # A new broker now and then: it remembers every packet that it sent.
        with (
            tempfile.TemporaryDirectory() as folder,
            Simulator(rate=200, seed=asked.seed, keep_packets=True) as simulator,
        ):
            victim = Victim(simulator, Path(folder), asked.seed)
            while victim.kills < 50 and time.monotonic() < end_s:
                victim.kill_one()
            victim.end_well()
        print(f"{victim.kills} kills: all well", flush=True)
        asked.seed += 1


if __name__ == "__main__":
    main()
