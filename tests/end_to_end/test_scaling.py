"""Three shards, two recorders each, one stream: nothing is lost while one of each pair lives.

    PYTHONPATH=tests python tests/end_to_end/test_scaling.py --seconds 600 [--seed N]

runs it as long as you like; the suite runs a short one. Recorders and the NATS server are killed
(kill -9) at moments drawn from the seed, which is printed, and started again as a service manager
would. What is known of each recorder is its own CSV file, and the number of acknowledged ticks in
the status that it leaves behind; what the stream must hold follows from the two:

- everything that was acknowledged, and all that a recorder received that was not killed;
- nothing that no recorder received;
- each tick once: of equal packets with a sequence one, of others as many as one recorder received.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from nats_server import NatsServer
from waits import until

from ticks.adapter.files.recording import read_recording
from ticks.adapter.paths import Paths
from ticks.adapter.rows.decode import Recorded
from ticks.adapter.simulator.simulator import Simulator

TICKS = str(Path(sys.executable).with_name("ticks"))
SHARDS = 3
SYMBOLS = [
    *("NIFTY", "BANKNIFTY", "SENSEX", "RELIANCE", "SBIN", "INFY"),
    *("TCS", "HDFCBANK", "ICICIBANK", "ITC", "LT", "AXISBANK"),
]
RATE = 10.0
STOP_S = 40.0
Packets = Counter[bytes]


@dataclass
class Run:
    """One life of a recorder: its process, its own file, and whether it was killed."""

    process: subprocess.Popen[bytes]
    csv: Path
    status: Path
    was_killed: bool = False
    acknowledged: int = 0

    def packets(self) -> list[bytes]:
        """What it received, in order; the row that a kill tore is none."""
        if not self.csv.exists() or self.csv.stat().st_size == 0:
            return []
        return [row.packet for row in read_recording(self.csv, on_damage=lambda *_damage: None)]

    def must_be_stored(self) -> list[bytes]:
        received = self.packets()
        return received[: self.acknowledged] if self.was_killed else received


@dataclass
class Recorder:
    """One of the pair that records a shard; it is started again whenever it has ended."""

    shard: int
    environ: dict[str, str]
    folder: Path
    url: str
    runs: list[Run] = field(default_factory=list)

    def start(self) -> None:
        name = f"shard{self.shard}-{self.environ['TICKS_CLIENT_CODE']}-{len(self.runs)}"
        csv = self.folder / f"{name}.csv"
        command = [TICKS, "stream", *SYMBOLS, "--shard", f"{self.shard}/{SHARDS}"]
        command += ["--csv", str(csv), "--nats", self.url, "--keep-trying", "--no-dashboard"]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=self.environ,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        status = Paths.from_env(self.environ).run_folder / f"{process.pid}.json"
        self.runs.append(Run(process, csv, status))

    @property
    def run(self) -> Run:
        return self.runs[-1]

    @property
    def is_recording(self) -> bool:
        """Whether ticks are in its file."""
        return self.run.csv.exists() and self.run.csv.read_bytes().count(b"\n") > 1

    def kill(self) -> None:
        self.run.process.kill()
        self.run.process.wait()
        self.run.was_killed = True
        self.run.acknowledged = acknowledged(self.run.status)

    def stop(self) -> None:
        self.run.process.send_signal(signal.SIGTERM)


def acknowledged(status: Path) -> int:
    """The ticks that a recorder that is no more knew to be in the stream."""
    try:
        outputs = json.loads(status.read_text(encoding="utf-8"))["outputs"]
    except (OSError, ValueError):
        return 0
    return sum(each["rows"] for each in outputs if each["name"].startswith("nats://"))


def struck(
    recorders: list[Recorder], server: NatsServer, draw: random.Random, seconds: float
) -> Counter[str]:
    """Kill something now and then, and start it again; what was killed how often."""
    pause = threading.Event()
    end_s = time.monotonic() + seconds
    kills: Counter[str] = Counter()
    while time.monotonic() < end_s:
        pause.wait(draw.uniform(0.3, 2.0))
        if draw.random() < 0.3:
            server.kill()
            pause.wait(draw.uniform(0.0, 1.5))
            server.start()
            kills["server"] += 1
        else:
            victim = draw.choice(recorders)
            victim.kill()
            pause.wait(draw.uniform(0.0, 1.0))
            victim.start()
            kills["recorder"] += 1
    return kills


def run_scaling(seed: int, seconds: float, folder: Path) -> str:
    """One run; raises AssertionError where a promise is broken. What happened, in a line."""
    draw = random.Random(seed)
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TICKS_")}
    with (
        NatsServer(folder / "nats") as server,
        Simulator(
            rate=RATE, seed=seed, accounts=2 * SHARDS, accepts_code_once=False, keep_packets=True
        ) as simulator,
    ):
        recorders = []
        for number in range(2 * SHARDS):
            home = {"TICKS_HOME": str(folder / f"home{number}")}
            environ = {**bare, **simulator.environment(account=number), **home}
            recorders.append(Recorder(number % SHARDS + 1, environ, folder, server.url))
        try:
            for each in recorders:
                each.start()
            until(lambda: all(each.is_recording for each in recorders), within_s=60)
            kills = struck(recorders, server, draw, seconds)
            until(lambda: all(each.is_recording for each in recorders), within_s=60)
            for each in recorders:
                each.stop()
            for each in recorders:
                each.run.process.wait(STOP_S)
        finally:
            for each in recorders:
                each.run.process.kill()
                each.run.process.wait()
        codes = [each.run.process.returncode for each in recorders]
        assert codes == [0] * len(recorders), codes
        stored = replayed(server.url, folder)
        counts = server.count()
    assert len(stored) == counts
    checked = check(stored, recorders)
    sent = {sent.packet for log in simulator.journal.connections for sent in log.packets}
    assert {row.packet for row in stored} <= sent
    return f"{dict(kills)}, {len(stored):,} ticks in the stream; {checked}"


def replayed(url: str, folder: Path) -> list[Recorded]:
    """The whole stream, by the command."""
    out = folder / "whole.csv"
    command = [TICKS, "replay", url, "--speed", "max", "--csv", str(out)]
    environ = {**os.environ, "TICKS_HOME": str(folder / "reader")}
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert " 0 damaged" in ran.stderr
    return list(read_recording(out))


def check(stored: list[Recorded], recorders: list[Recorder]) -> str:
    """The three promises of the head of this file."""
    runs = [run for recorder in recorders for run in recorder.runs]
    received = [Counter(run.packets()) for run in runs]
    in_stream = Counter(row.packet for row in stored)
    lost: Packets = Counter()
    for run, packets in zip(runs, received, strict=True):
        missing = Counter(run.must_be_stored()) - in_stream
        assert not missing, f"{run.csv.name}: {missing.total()} ticks that must be there"
        lost |= packets - in_stream
    for packet, count in in_stream.items():
        most = max(packets[packet] for packets in received)
        wanted = min(1, most) if has_sequence(packet) else most
        assert count <= wanted, f"{packet.hex()}: {count} times, not {wanted}"
    everything: Packets = Counter()
    for packets in received:
        everything |= packets
    assert all(run.packets() for recorder in recorders for run in recorder.runs[-1:])
    return f"{everything.total():,} received, {lost.total()} lost with those that were killed"


def has_sequence(packet: bytes) -> bool:
    return packet[27:35] != bytes(8)


@pytest.mark.timeout(240)
def test_recorders_and_server_are_killed_and_the_stream_is_whole(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    print(run_scaling(seed, 15.0, tmp_path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int)
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        print(run_scaling(seed, asked.seconds, Path(folder)))


if __name__ == "__main__":
    main()
