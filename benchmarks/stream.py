"""CPU a tick of `ticks stream` against what a user does today, mode by mode, in one run.

    python benchmarks/stream.py [--packets 300000] [--modes ltp quote snap] [--rounds 3]

A separate process blasts unique packets (blaster.py). The tool and the baseline (the official
SDK's client and decoder with csv.DictWriter, sdk_baseline.py) write them as CSV with exact times
and rupees. CPU is user + system time of the whole process, less that of the same command for a
hundred packets, so that starting up does not count. The tool's rows are then read back and
compared with the packets, byte for byte.
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
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blaster import unique_packets

from ticks.adapter.clock import SystemClock
from ticks.adapter.files.recording import read_recording
from ticks.adapter.instruments import open_copy
from ticks.adapter.paths import Paths
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.tick import Mode

HERE = Path(__file__).parent
FEW = 100
INSTRUMENTS = 50


def cpu_s(
    command: list[str], environ: dict[str, str], output: Path | None = None
) -> tuple[float, float]:
    """User + system seconds and wall seconds of a command that must succeed."""
    sink = output.open("wb") if output else subprocess.DEVNULL
    began = time.monotonic()
    process = subprocess.Popen(command, env=environ, stdout=sink, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:3]} ended with {process.returncode}: {said}")
    if " 0 dropped" not in said and "stream" in command:
        raise SystemExit(f"ticks were dropped: {said}")
    return used.ru_utime + used.ru_stime, time.monotonic() - began


@contextmanager
def blaster(mode: Mode, packets: int, tokens: list[str]) -> Iterator[int]:
    """A blasting process; its port."""
    command = [sys.executable, str(HERE / "blaster.py"), "--mode", mode.label]
    process = subprocess.Popen(
        [*command, "--packets", str(packets), *tokens], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def prepared(simulator: Simulator, folder: Path) -> tuple[dict[str, str], list[str], list[str]]:
    """An environment with a session and an index, and the symbols and tokens of 50 equities."""
    environ = {**os.environ, **simulator.environment(), "TICKS_HOME": str(folder)}
    ticks = [sys.executable, "-m", "ticks.cli"]
    subprocess.run([*ticks, "login"], env=environ, check=True, stderr=subprocess.DEVNULL)
    subprocess.run([*ticks, "find", "NIFTY"], env=environ, check=True, stdout=subprocess.DEVNULL)
    book = open_copy(Paths.from_env(environ), clock=SystemClock())
    assert book is not None
    with book:
        found = [i for i in book.find("EQ", exchange="NSE", limit=500) if i.symbol.endswith("-EQ")]
    chosen = found[:INSTRUMENTS]
    return environ, [i.symbol for i in chosen], [i.token for i in chosen]


def measure(mode: Mode, packets: int, rounds: int, simulator: Simulator, folder: Path) -> None:
    """One row of the table."""
    environ, symbols, tokens = prepared(simulator, folder / "home")
    out = folder / f"{mode.label}.csv"
    ours: list[float] = []
    theirs: list[float] = []
    rates: list[float] = []
    with blaster(mode, packets, tokens) as port:
        environ["TICKS_FEED_URL"] = f"ws://127.0.0.1:{port}/smart-stream"
        for _ in range(rounds):
            stream = [sys.executable, "-m", "ticks.cli", "stream", *symbols, "--mode", mode.label]
            stream += ["--csv", str(out), "--overwrite", "--count"]
            few, few_wall = cpu_s([*stream, str(FEW)], environ)
            all_of_them, wall = cpu_s([*stream, str(packets)], environ)
            ours.append((all_of_them - few) / (packets - FEW) * 1e6)
            rates.append((packets - FEW) / (wall - few_wall))
            check(out, mode, tokens, packets)
            few_theirs = max(2000, packets // 10)
            baseline = [sys.executable, str(HERE / "sdk_baseline.py"), str(port)]
            few, _ = cpu_s([*baseline, str(FEW), *tokens], environ)
            some, _ = cpu_s([*baseline, str(few_theirs), *tokens], environ)
            theirs.append((some - few) / (few_theirs - FEW) * 1e6)
    our, their = statistics.median(ours), statistics.median(theirs)
    rate = statistics.median(rates)
    print(
        f"{mode.label:<6}{their:>10.2f}{our:>10.2f}{their / our:>9.1f}x{rate:>14,.0f}", flush=True
    )


def check(out: Path, mode: Mode, tokens: list[str], packets: int) -> None:
    """Every row is its packet, in order, and none is missing."""
    rows = read_recording(out)
    for number, packet in enumerate(unique_packets(mode, tokens, packets), 1):
        row = next(rows, None)
        if row is None or row.packet != packet:
            raise SystemExit(f"{out}: row {number} is not packet {number}")
    if next(rows, None) is not None:
        raise SystemExit(f"{out}: more rows than packets")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=300_000)
    parser.add_argument("--modes", nargs="+", default=["ltp", "quote", "snap"])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(
        f"{asked.packets:,} packets of {INSTRUMENTS} instruments, median of {asked.rounds} rounds"
    )
    print(f"{'mode':<6}{'SDK us':>10}{'ticks us':>10}{'ratio':>10}{'ticks/s':>14}")
    folder = Path(tempfile.mkdtemp(prefix="ticks-benchmark-"))
    try:
        with Simulator() as simulator:
            for mode in asked.modes:
                measure(Mode[mode.upper()], asked.packets, asked.rounds, simulator, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
