"""CPU of `ticks stream` with its dashboard against the same without: 3,000 instruments x 5 QUOTE/s.

    python benchmarks/dashboard.py [--seconds 20] [--instruments 3000] [--rate 5] [--rounds 3]

A simulated broker in another process feeds one stream at a time, whose stderr is a pseudo-terminal
of 80x24 (and of 200x60) that is read and thrown away. CPU is user + system time of the stream, less
that of the same command for one second, so that starting up does not count.
"""

from __future__ import annotations

import argparse
import ast
import fcntl
import os
import platform
import pty
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SHORT_S = 1
SIZES = [(80, 24), (200, 60)]


@contextmanager
def simulator(instruments: int, rate: float) -> Iterator[dict[str, str]]:
    """A broker in a process of its own; the variables that lead to it."""
    code = (
        "import sys; from ticks.adapter.simulator.simulator import Simulator\n"
        f"with Simulator(rate={rate}, extra_instruments={instruments}) as s:\n"
        "    print(repr(dict(s.environment())), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        text = process.stdout.readline()
        yield ast.literal_eval(text)
        process.stdin.close()


def drain(master: int) -> None:
    """Read a terminal until its last writer is gone."""
    with suppress(OSError):
        while os.read(master, 65_536):
            pass


def cpu_s(command: list[str], environ: dict[str, str], size: tuple[int, int]) -> float:
    """User + system seconds of a command whose stderr is a terminal of this size."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    reader = threading.Thread(target=drain, args=(master,))
    reader.start()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    os.close(master)
    if process.returncode:
        raise SystemExit(f"{command[:4]} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def measure(stream: list[str], environ: dict[str, str], asked: argparse.Namespace) -> None:
    """One row for each kind of display."""
    kinds = [("--no-dashboard", SIZES[0]), *(("--dashboard", size) for size in SIZES)]
    spent: dict[tuple[str, tuple[int, int]], list[float]] = {kind: [] for kind in kinds}
    for _ in range(asked.rounds):
        for kind in kinds:
            command = [*stream, kind[0], "--duration"]
            short = cpu_s([*command, f"{SHORT_S}s"], environ, kind[1])
            whole = cpu_s([*command, f"{asked.seconds}s"], environ, kind[1])
            spent[kind].append((whole - short) / (asked.seconds - SHORT_S))
    bare = statistics.median(spent[kinds[0]])
    for kind, shares in spent.items():
        share = statistics.median(shares)
        size = f"{kind[1][0]}x{kind[1][1]}" if kind != kinds[0] else ""
        print(f"{kind[0]:<16}{size:>8}{share * 100:>9.1f} %{share / bare:>8.2f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--instruments", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{asked.instruments:,} instruments x {asked.rate:g} QUOTE/s, CSV to /dev/null")
    print(f"{'display':<24}{'of one core':>11}{'ratio':>9}")
    folder = Path(tempfile.mkdtemp(prefix="ticks-benchmark-"))
    watch_list = folder / "watch-list.txt"
    watch_list.write_text("\n".join(f"SIM{n:05}" for n in range(1, asked.instruments + 1)))
    try:
        with simulator(asked.instruments, asked.rate) as variables:
            environ = {**os.environ, **variables, "TICKS_HOME": str(folder), "TERM": "xterm"}
            environ.pop("NO_COLOR", None)
            stream = [sys.executable, "-m", "ticks.cli", "stream", "--from", str(watch_list)]
            measure([*stream, "--csv", "/dev/null"], environ, asked)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
