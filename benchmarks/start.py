"""How long the command takes to start, against a bare program made with Typer and Rich.

    python benchmarks/start.py [--rounds 15]

Each command runs as a process of its own, in turns; the least and the median of wall time and of
CPU time (user + system) are shown. The reference is a Typer program of one command, once with
`--help`, once run. Symbols are completed from a master of 160 thousand made-up records. Run it with
the wheel installed: an editable install adds an import hook to every start.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ticks.adapter.instrument import INDEX_KIND
from ticks.adapter.instruments.index import Row, new_index

TICKS = str(Path(sys.executable).with_name("ticks"))
HELLO = """
import typer
app = typer.Typer()

@app.command()
def hello(name: str) -> None:
    "Say hello."
    print(f"Hello {name}")

app()
"""
OPTIONS_OF_AN_INDEX = 4_000
RECORDS = 160_000


def records() -> Iterator[Row]:
    """An index with many contracts, and shares."""
    yield (1, "99926000", "Nifty 50", "NIFTY", INDEX_KIND, "", None, 1, 5, False)
    for number in range(OPTIONS_OF_AN_INDEX):
        symbol = f"NIFTY28OCT25{10_000 + number // 2 * 50}{'CE' if number % 2 else 'PE'}"
        yield (2, str(number), symbol, "NIFTY", "OPTIDX", "2025-10-28", 2_440_000, 75, 5, False)
    for number in range(RECORDS - OPTIONS_OF_AN_INDEX - 1):
        name = f"SHARE{number:06}"
        yield (1, str(100_000 + number), f"{name}-EQ", name, "", "", None, 1, 5, False)


def run_s(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command that must succeed."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return wall, used.ru_utime + used.ru_stime


def main() -> None:
    """Run the commands in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        hello = Path(folder, "hello.py")
        hello.write_text(HELLO)
        with new_index(Path(folder, "instruments.sqlite")) as draft:
            draft.fill(records(), url="https://example.org", fetched_ns=time.time_ns())
        bare = [sys.executable, str(hello)]
        commands = {
            "bare Typer, --help": [*bare, "--help"],
            "bare Typer, hello": [*bare, "world"],
            "ticks --help": [TICKS, "--help"],
            "ticks --version": [TICKS, "--version"],
            "symbols NIF (4,001)": [TICKS, "__symbols", "NIF"],
            "symbols share00 (1)": [TICKS, "__symbols", "share001234"],
            "ticks stream --help": [TICKS, "stream", "--help"],
            "ticks config": [TICKS, "config"],
        }
        environ = os.environ | {"TICKS_HOME": folder}
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                times[name].append(run_s(command, environ))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {rounds} rounds, ms\n")
    print(f"{'':<22}{'wall least':>11}{'median':>9}{'CPU least':>11}{'median':>9}{'ratio':>8}")
    reference = min(cpu for _, cpu in times["bare Typer, --help"])
    for name, each in times.items():
        wall, cpu = zip(*each, strict=True)
        shown = (min(wall), statistics.median(wall), min(cpu), statistics.median(cpu))
        cells = [f"{value * 1000:.0f}" for value in shown]
        ratio = f"{min(cpu) / reference:.2f}x"
        print(f"{name:<22}{cells[0]:>11}{cells[1]:>9}{cells[2]:>11}{cells[3]:>9}{ratio:>8}")


if __name__ == "__main__":
    main()
