"""CPU and latency at the loads that users have, not in a flood.

    python benchmarks/real_load.py [--rates 100 500 2000 5000] [--seconds 5] [--rounds 3]
    python benchmarks/real_load.py --rates 15000 --instruments 3000
    python benchmarks/real_load.py --rates 3000 --growth

One run compares, at each rate: the official SDK's client with csv.DictWriter and a flush a line
(sdk_baseline.py), `ticks stream`, and the minimal loop (minimal_loop.py), all writing QUOTE rows
as CSV into a pipe. A process of its own sends (paced_feed.py), a packet or a few to a segment.
CPU is what the kernel says that all threads of a client ran while the load was steady, as a share
of one core; latency is from the sender's `send` to the row's arrival in the pipe. With
`--instruments` over 1,000 it takes several connections: the SDK's client has one, so the minimal
loop is compared with itself on a thread a connection.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from paced_feed import tokens_of

from ticks.adapter.simulator.simulator import Simulator

HERE = Path(__file__).parent
SETTLE_S = 1.5
"""From the first row on: symbols looked up, text memories filled."""
SEQUENCE_COLUMN = 6
MOST_OF_THE_SDK = 1_000
"""Instruments on its one connection."""


class Figures(NamedTuple):
    """CPU as a share of one core, wake-ups a second, latency in microseconds, rows a second."""

    cpu: float
    switches: float
    p50_us: float
    p99_us: float
    rows: float


def cpu_ns(pid: int) -> int:
    """What all threads of a process ran so far."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())


def switches(pid: int) -> int:
    """How often a thread of the process went to sleep by itself, so how often one was woken."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


class Reader(threading.Thread):
    """Takes rows from a pipe; the latency of each while `is_measuring`."""

    def __init__(self, pipe: int) -> None:
        super().__init__(daemon=True)
        self.latencies_us: list[float] = []
        self.rows = 0
        self.is_measuring = False
        self.has_begun = threading.Event()
        self._pipe = pipe

    def run(self) -> None:
        rest = b""
        while data := os.read(self._pipe, 1 << 20):
            now_ns = time.monotonic_ns()
            *lines, rest = (rest + data).split(b"\n")
            self.rows += len(lines)
            if self.rows > 1:
                self.has_begun.set()
            if self.is_measuring:
                for line in lines:
                    sent_ns = int(line.split(b",", SEQUENCE_COLUMN + 1)[SEQUENCE_COLUMN])
                    self.latencies_us.append((now_ns - sent_ns) / 1000)


@contextmanager
def feed(rate: float, instruments: int) -> Iterator[int]:
    """A sending process; its port."""
    command = [sys.executable, str(HERE / "paced_feed.py"), "--rate", str(rate)]
    process = subprocess.Popen(
        [*command, "--instruments", str(instruments)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def measure(command: list[str], environ: dict[str, str], seconds: float) -> Figures:
    """Run a client until the load is steady, look for so long, and end it."""
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    reader = Reader(process.stdout.fileno())
    reader.start()
    try:
        if not reader.has_begun.wait(30):
            raise SystemExit(f"no row from {command[:6]}")
        time.sleep(SETTLE_S)
        rows, cpu, woken, began_s = reader.rows, cpu_ns(process.pid), switches(process.pid), now()
        reader.is_measuring = True
        time.sleep(seconds)
        reader.is_measuring = False
        passed_s = now() - began_s
        used = (cpu_ns(process.pid) - cpu) / 1e9 / passed_s
        woken = switches(process.pid) - woken
        latencies = sorted(reader.latencies_us)
        return Figures(
            used,
            woken / passed_s,
            latencies[len(latencies) // 2],
            latencies[len(latencies) * 99 // 100],
            (reader.rows - rows) / passed_s,
        )
    finally:
        process.kill()
        process.wait()
        reader.join()


def now() -> float:
    return time.monotonic()


def compare(
    rate: float, instruments: int, asked: argparse.Namespace, environ: dict[str, str], folder: Path
) -> None:
    """The rows of one rate."""
    names = folder / f"{instruments}.txt"
    names.write_text("\n".join(f"SIM{n:05}" for n in range(1, instruments + 1)))
    tokens = tokens_of(instruments)
    found: dict[str, list[Figures]] = {}
    with feed(rate, instruments) as port:
        environ["TICKS_FEED_URL"] = f"ws://127.0.0.1:{port}/smart-stream"
        minimal = [sys.executable, str(HERE / "minimal_loop.py")]
        clients = {
            "SDK": [sys.executable, str(HERE / "sdk_baseline.py"), "--flush", str(port), "0"],
            "ticks": [sys.executable, "-m", "ticks.cli", "stream", "--from", str(names)],
            "minimal": [*minimal, str(port), *tokens],
        }
        clients["SDK"] += tokens
        clients["ticks"] += ["--csv", "-", "--no-dashboard", "-q"]
        if instruments > MOST_OF_THE_SDK:
            del clients["SDK"]
            clients["threads"] = [*minimal, "--threads", str(port), *tokens]
        for _ in range(asked.rounds):
            for name, command in clients.items():
                found.setdefault(name, []).append(measure(command, environ, asked.seconds))
    sdk = statistics.median(each.cpu for each in found["SDK"]) if "SDK" in found else None
    for name, rounds in found.items():
        shares = [each.cpu for each in rounds]
        share = statistics.median(shares)
        mid = [statistics.median(column) for column in zip(*rounds, strict=True)]
        ratio = f"{share / sdk:.2f}x" if sdk else ""
        print(
            f"{rate:>8,.0f}{instruments:>7,}  {name:<8}{share * 100:>7.1f} %"
            f"{min(shares) * 100:>7.1f}-{max(shares) * 100:<5.1f}{ratio:>7}{mid[1]:>10,.0f}"
            f"{mid[2]:>9,.0f}{mid[3]:>9,.0f}{mid[4]:>10,.0f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=[100, 500, 2000, 3000, 5000])
    parser.add_argument("--instruments", type=int, default=1000)
    parser.add_argument("--growth", action="store_true", help="also 10, 100 and 500 instruments")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"QUOTE rows as CSV into a pipe, median of {asked.rounds} rounds of {asked.seconds:g} s")
    print(
        f"{'ticks/s':>8}{'names':>7}  {'client':<8}{'CPU':>9}{'spread':>13}{'to SDK':>7}"
        f"{'wakes/s':>10}{'p50 us':>9}{'p99 us':>9}{'rows/s':>10}"
    )
    folder = Path(tempfile.mkdtemp(prefix="ticks-benchmark-"))
    try:
        with Simulator(rate=0, extra_instruments=max(3000, asked.instruments)) as simulator:
            environ = {**os.environ, **simulator.environment(), "TICKS_HOME": str(folder)}
            ticks = [sys.executable, "-m", "ticks.cli"]
            subprocess.run([*ticks, "login"], env=environ, check=True, stderr=subprocess.DEVNULL)
            for instruments in ([10, 100, 500] if asked.growth else []) + [asked.instruments]:
                for rate in asked.rates:
                    compare(rate, instruments, asked, environ, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
