"""The least that a recorder in Python can do: one thread, one wake-up a drain, no life around it.

    python benchmarks/minimal_loop.py PORT TOKEN...

subscribes QUOTE and writes CSV on stdout: select, recv, frames, vetting, rows, write. It neither
reconnects nor watches anything; it is the floor that `real_load.py` compares with.
"""

from __future__ import annotations

import os
import selectors
import sys
import time

from ticks.adapter.feed.link import Handshake
from ticks.adapter.feed.tracker import PacketTracker
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.market.state import MarketWatch
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.encode import CsvRows
from ticks.adapter.tick import Mode
from ticks.adapter.wire.frames import FrameReader
from ticks.adapter.wire.subscription import SubscribeAction, Unit, requests


def main() -> None:
    port, tokens = sys.argv[1], sys.argv[2:]
    link = Handshake(f"ws://127.0.0.1:{port}/smart-stream", {}).run()
    market = MarketWatch(MarketCalendar(), silence_after_s=30.0, stable_after_s=5.0)
    frames, tracker = FrameReader(), PacketTracker(set(), market.segment)
    rows = CsvRows(Mode.QUOTE, {(1, token): token for token in tokens})
    units = [Unit(1, token, Mode.QUOTE) for token in tokens]
    tracker.carry(units)
    for request in requests(units, SubscribeAction.SUBSCRIBE, 1):
        link.send_text(request.text)
    os.write(1, csv_header(Mode.QUOTE))
    with selectors.DefaultSelector() as selector:
        selector.register(link, selectors.EVENT_READ)
        while True:
            selector.select()
            data = link.receive()
            packets, _ = frames.read(data)
            if packets:
                good = tracker.take(packets, time.monotonic(), sys.maxsize)
                os.write(1, rows.encode(time.time_ns(), good))


if __name__ == "__main__":
    main()
