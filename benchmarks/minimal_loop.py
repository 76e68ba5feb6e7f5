"""The least that a recorder in Python can do: one wake-up a drain, no life around it.

    python benchmarks/minimal_loop.py [--threads] PORT TOKEN...

subscribes QUOTE and writes CSV on stdout: poll, recv, frames, vetting, rows, write. It neither
reconnects nor watches anything; it is the floor that `real_load.py` compares with. More than 1,000
tokens take several connections: one loop serves them all, or with `--threads` a thread each.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Sequence

from ticks.adapter.feed.link import Handshake, Link
from ticks.adapter.feed.tracker import PacketTracker
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.market.state import MarketWatch
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.encode import CsvRows
from ticks.adapter.tick import Mode
from ticks.adapter.wire.frames import FrameReader
from ticks.adapter.wire.subscription import UNITS_PER_CONNECTION, SubscribeAction, Unit, requests


class Connection:
    """One socket with its subscriptions."""

    def __init__(self, port: str, tokens: Sequence[str]) -> None:
        self.link: Link = Handshake(f"ws://127.0.0.1:{port}/smart-stream", {}).run()
        market = MarketWatch(MarketCalendar(), silence_after_s=30.0, stable_after_s=5.0)
        self._frames, self._tracker = FrameReader(), PacketTracker(set(), market.segment)
        self._units = [Unit(1, token, Mode.QUOTE) for token in tokens]
        self._tracker.carry(self._units)

    def subscribe(self) -> None:
        for request in requests(self._units, SubscribeAction.SUBSCRIBE, 1):
            self.link.send_text(request.text)

    def drain(self) -> list[bytes]:
        packets, _ = self._frames.read(self.link.receive())
        return self._tracker.take(packets, time.monotonic(), sys.maxsize)


def record(connections: Sequence[Connection], rows: CsvRows, lock: threading.Lock) -> None:
    """Write what comes on these, one write a drain."""
    poll = select.poll()
    for each in connections:
        poll.register(each.link, select.POLLIN)
    by_descriptor = {each.link.fileno(): each for each in connections}
    while True:
        for descriptor, _ in poll.poll():
            packets = by_descriptor[descriptor].drain()
            if packets:
                with lock:
                    os.write(1, rows.encode(time.time_ns(), packets))


def main() -> None:
    arguments = sys.argv[1:]
    has_threads = arguments[0] == "--threads"
    port, *tokens = arguments[has_threads:]
    connections = [
        Connection(port, tokens[start : start + UNITS_PER_CONNECTION])
        for start in range(0, len(tokens), UNITS_PER_CONNECTION)
    ]
    rows = CsvRows(Mode.QUOTE, {(1, token): token for token in tokens})
    lock = threading.Lock()
    os.write(1, csv_header(Mode.QUOTE))
    for each in connections:
        each.subscribe()
    if has_threads:
        for each in connections[1:]:
            threading.Thread(target=record, args=([each], rows, lock), daemon=True).start()
        del connections[1:]
    record(connections, rows, lock)


if __name__ == "__main__":
    main()
