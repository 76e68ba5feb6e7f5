"""How many rows a second `ticks replay` plays: `python benchmarks/replay.py [--rows 1000000]`.

The targets: a million rows a second at full speed to a file or a pipe, and memory that does not
grow with the recording. Every row is checked cell by cell on the way. Rates are over CPU time
(user + system) and over the wall's, each less that of the same command for a hundred rows, so that
starting up does not count; the best of some rounds is shown. What must be read and written anew
(another format, candles) is slower, and shown too.
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
TOKENS = [str(number) for number in range(1000, 1050)]
SYMBOLS = {(1, token): f"SYMBOL{token}-EQ" for token in TOKENS}
TARGET = 1_000_000
DRAIN = 10
DISTINCT = 100_000
FEW = 100


def record(folder: str, rows_format: str, mode: str, rows: int) -> None:
    """A recording of a hundred thousand unique packets, again and again, and one of a few."""
    packets = list(unique_packets(Mode[mode.upper()], TOKENS, min(rows, DISTINCT)))
    for name, count in (("all", rows), ("few", FEW)):
        path = Path(folder) / f"{name}.{rows_format}"
        path.unlink(missing_ok=True)
        row_format = Jsonl() if rows_format == "jsonl" else Csv(Mode[mode.upper()])
        sink = open_sink(str(path), row_format, symbols=SYMBOLS, note=print)
        for number, start in enumerate(range(0, count, DRAIN)):
            at = start % len(packets)
            sink.write(START_NS + number * 1_000_000, packets[at : at + DRAIN])
            sink.flush()
        sink.close()


def recorded(folder: Path, rows_format: str, mode: str, rows: int) -> str:
    """The path of a recording, made by another process: a child's peak memory begins with ours."""
    arguments = ["--record", str(folder), rows_format, mode, "--rows", str(rows)]
    subprocess.run([sys.executable, __file__, *arguments], check=True)
    return str(folder / f"all.{rows_format}")


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


def show(
    label: str, path: str, rows: int, rounds: int, *arguments: str, to_pipe: bool = False
) -> None:
    """One line of the table."""
    few = path.replace("/all.", "/few.")
    runs = [measure([path, *arguments], to_pipe=to_pipe) for _ in range(rounds)]
    starts = [measure([few, *arguments], to_pipe=to_pipe) for _ in range(rounds)]
    cpu_s, wall_s = (min(run[i] for run in runs) - min(run[i] for run in starts) for i in (0, 1))
    memory = max(run[2] for run in runs) / 1024
    print(
        f"{label:<28}{rows:>12,}{rows / cpu_s:>14,.0f}{rows / wall_s:>14,.0f}{memory:>10.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.record:
        record(*asked.record, asked.rows)
        return
    rows, rounds = asked.rows, asked.rounds
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"target: {TARGET:,} rows/s at full speed; best of {rounds} rounds")
    print(f"{'replay':<28}{'rows':>12}{'rows/CPU s':>14}{'rows/s':>14}{'MiB':>10}")
    with tempfile.TemporaryDirectory(prefix="ticks-benchmark-") as name:
        folder = Path(name)
        out = str(folder / "out")
        to_csv, to_json = ("--csv", out, "--overwrite"), ("--jsonl", out, "--overwrite")
        for mode in ("ltp", "quote", "snap"):
            path = recorded(folder, "csv", mode, rows)
            show(f"{mode} csv to a file", path, rows, rounds, *to_csv)
            show(f"{mode} csv to a pipe", path, rows, rounds, to_pipe=True)
        path = recorded(folder, "csv", "quote", rows)
        show("quote csv, one symbol", path, rows, rounds, *to_csv, "--symbol", "SYMBOL1001")
        show("quote csv to candles", path, rows, rounds, *to_csv, "--candles", "1m")
        parquet = str(folder / "all.parquet")
        to_parquet = ("--parquet", parquet, "--overwrite")
        show("quote csv to parquet", path, rows, 1, *to_parquet)
        measure([str(folder / "few.csv"), "--parquet", str(folder / "few.parquet"), "--overwrite"])
        measure([path, *to_parquet])
        show("quote parquet to csv", parquet, rows, 1, *to_csv)
        path = recorded(folder, "jsonl", "quote", rows)
        show("quote json lines to a file", path, rows, rounds, *to_json)
        tenth = rows // 10
        path = recorded(folder, "csv", "quote", tenth)
        show("quote csv, a tenth", path, tenth, rounds, *to_csv)
        show("quote csv to json lines", path, tenth, 1, *to_json)


if __name__ == "__main__":
    main()
