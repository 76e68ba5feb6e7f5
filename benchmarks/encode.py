"""What it costs to make a row, by mode, instruments and packets in a drain.

    python benchmarks/encode.py [--packets 30000]

CPU microseconds a packet, the better of two passes over unique packets of that many instruments.
The sizes of the text memories in `adapter/rows/texts.py` were chosen with it.
"""

from __future__ import annotations

import argparse
import os
import platform
import time

from blaster import unique_packets

from ticks.adapter.rows.encode import CsvRows
from ticks.adapter.tick import Mode

DRAINS = (1, 10, 1000)
INSTRUMENTS = (50, 500, 1000, 3000)


def microseconds(mode: Mode, instruments: int, drain: int, packets: int) -> float:
    """CPU time a packet."""
    tokens = [str(5_000_001 + n) for n in range(instruments)]
    sent = list(unique_packets(mode, tokens, packets))
    rows = CsvRows(mode, {(1, token): f"SIM{token}-EQ" for token in tokens})
    passes: list[float] = []
    for _ in range(2):
        began_s = time.process_time()
        for start in range(0, packets, drain):
            rows.encode(1_763_610_300_000_000_000 + start * 1000, sent[start : start + drain])
        passes.append((time.process_time() - began_s) / packets * 1e6)
    return min(passes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=30_000)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'mode':<6}{'names':>6}" + "".join(f"{f'{drain} a drain':>14}" for drain in DRAINS))
    for mode in (Mode.LTP, Mode.QUOTE, Mode.SNAP):
        for names in INSTRUMENTS:
            cells = [microseconds(mode, names, drain, asked.packets) for drain in DRAINS]
            print(f"{mode.label:<6}{names:>6}" + "".join(f"{cell:>11.2f} us" for cell in cells))


if __name__ == "__main__":
    main()
