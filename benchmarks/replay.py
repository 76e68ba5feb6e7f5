"""How many rows a second `ticks replay` plays: `python benchmarks/replay.py [--rows 1000000]`.

The targets: a million rows a second at full speed to a file or a pipe, and memory that does not
grow with the recording. Every row is checked cell by cell on the way. Rates are of the whole
command, start included, over its CPU time as well as the wall's, since other work on the machine
shows in the second; the best of some rounds counts. What must be read and written anew (another
format, candles) is slower, and shown too.
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

from ticks.adapter.record.sinks import open_sink
from ticks.adapter.tick import Mode

START_NS = 1_795_146_300_000_000_000
TOKENS = [str(number) for number in range(1000, 1050)]
SYMBOLS = {(1, token): f"SYMBOL{token}-EQ" for token in TOKENS}
TARGET = 1_000_000
DRAIN = 10
DISTINCT = 100_000


def record(path: Path, rows_format: str, mode: Mode, rows: int) -> None:
    """A recording of a hundred thousand unique packets, again and again."""
    path.unlink(missing_ok=True)
    sink = open_sink(str(path), rows_format, mode=mode, symbols=SYMBOLS, note=print)
    packets = list(unique_packets(mode, TOKENS, min(rows, DISTINCT)))
    for number, start in enumerate(range(0, rows, DRAIN)):
        at = start % len(packets)
        sink.write(START_NS + number * 1_000_000, packets[at : at + DRAIN])
        sink.flush()
    sink.close()


def measure(arguments: list[str], *, to_pipe: bool = False) -> tuple[float, float, int]:
    """CPU seconds, wall seconds and the most memory (KiB) of one replay."""
    command = [sys.executable, "-m", "ticks.cli", "replay", *arguments, "--speed", "max"]
    began_s = time.monotonic()
    reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert reader.stdin is not None
    output = reader.stdin if to_pipe else subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE)
    reader.stdin.close()
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.wait()
    if process.returncode or " 0 damaged" not in said:
        raise SystemExit(f"{command} ended with {process.returncode}: {said}")
    return used.ru_utime + used.ru_stime, time.monotonic() - began_s, used.ru_maxrss


def show(label: str, rows: int, rounds: int, arguments: list[str], *, to_pipe: bool) -> None:
    """One line of the table."""
    runs = [measure(arguments, to_pipe=to_pipe) for _ in range(rounds)]
    cpu_s, wall_s = min(run[0] for run in runs), min(run[1] for run in runs)
    memory = max(run[2] for run in runs) / 1024
    print(
        f"{label:<28}{rows:>12,}{rows / cpu_s:>14,.0f}{rows / wall_s:>14,.0f}{memory:>10.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    rows, rounds, few = asked.rows, asked.rounds, asked.rows // 10
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"target: {TARGET:,} rows/s at full speed; best of {rounds} rounds")
    print(f"{'replay':<28}{'rows':>12}{'rows/CPU s':>14}{'rows/s':>14}{'MiB':>10}")
    with tempfile.TemporaryDirectory(prefix="ticks-benchmark-") as folder:
        for mode in (Mode.LTP, Mode.QUOTE, Mode.SNAP):
            path, out = Path(folder) / "a.csv", str(Path(folder) / "out.csv")
            record(path, "csv", mode, rows)
            to_file = [str(path), "--csv", out, "--overwrite"]
            show(f"{mode.label} csv to a file", rows, rounds, to_file, to_pipe=False)
            show(f"{mode.label} csv to a pipe", rows, rounds, [str(path)], to_pipe=True)
            if mode is Mode.QUOTE:
                chosen = [*to_file, "--symbol", "SYMBOL1001", "--start", "09:15"]
                show("quote csv, one symbol", rows, rounds, chosen, to_pipe=False)
                bars = [*to_file, "--candles", "1m"]
                show("quote csv to candles", rows, rounds, bars, to_pipe=False)
                record(path, "csv", mode, few)
                show("quote csv, a tenth", few, rounds, to_file, to_pipe=False)
                as_json = [str(path), "--jsonl", out, "--overwrite"]
                show("quote csv to json lines", few, 1, as_json, to_pipe=False)
                record(path, "jsonl", mode, rows)
                as_json = [str(path), "--jsonl", out, "--overwrite"]
                show("quote json lines to a file", rows, rounds, as_json, to_pipe=False)


if __name__ == "__main__":
    main()
