"""How many rows a second `ticks inspect` reads: `python benchmarks/inspection.py [--rows 1000000]`.

A part of a day of 1,000 instruments at 1,000 rows a second, every row checked and counted. A whole
day of that is 22.5 million rows; memory must not grow with them. Rates are over CPU time (user +
system) and over the wall's, each less that of the same command for a hundred rows; the best of some
rounds is shown.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from blaster import unique_packets

from ticks.adapter.rows.format import Csv, Jsonl
from ticks.adapter.sinks.file import open_sink
from ticks.adapter.tick import Mode

START_NS = 1_795_146_300_000_000_000
TOKENS = [str(number) for number in range(1000, 2000)]
SYMBOLS = {(1, token): f"SYMBOL{token}-EQ" for token in TOKENS}
DAY_ROWS = 22_500_000
DRAIN = 3
FEW = 100


def record(path: Path, rows: int) -> None:
    """A recording of so many rows; what it is follows from its name."""
    row_format = Jsonl() if ".jsonl" in path.name else Csv(Mode.QUOTE)
    sink = open_sink(str(path), row_format, symbols=SYMBOLS, note=print)
    packets = unique_packets(Mode.QUOTE, TOKENS, rows)
    for start in range(0, rows, DRAIN):
        drain = [packet for packet, _ in zip(packets, range(DRAIN), strict=False)]
        sink.write(START_NS + start * 1_000_000, drain)
        sink.flush()
    sink.close()


def measure(path: Path) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and the most memory (MiB) of one inspection."""
    began_s = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "ticks.cli", "inspect", str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the inspection of {path} ended with {process.returncode}")
    wall_s = time.monotonic() - began_s
    return used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.record:
        record(Path(asked.record), asked.rows)
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'inspect':<12}{'rows':>12}{'rows/CPU s':>13}{'rows/s':>12}{'MiB':>8}{'a day, s':>10}")
    with tempfile.TemporaryDirectory(prefix="ticks-benchmark-") as folder:
        for name in ("quote.csv", "quote.csv.gz", "quote.jsonl"):
            paths = [Path(folder) / f"{rows}-{name}" for rows in (asked.rows, FEW)]
            for path, rows in zip(paths, (asked.rows, FEW), strict=True):
                # Another process: a child's peak memory begins with ours.
                making = [sys.executable, __file__, "--record", str(path), "--rows", str(rows)]
                subprocess.run(making, check=True)
            runs, starts = ([measure(path) for _ in range(asked.rounds)] for path in paths)
            cpu_s, wall_s = (min(r[i] for r in runs) - min(s[i] for s in starts) for i in (0, 1))
            memory = max(run[2] for run in runs)
            print(
                f"{name:<12}{asked.rows:>12,}{asked.rows / cpu_s:>13,.0f}"
                f"{asked.rows / wall_s:>12,.0f}{memory:>8.1f}"
                f"{DAY_ROWS * cpu_s / asked.rows:>10,.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
