"""A minute of the demo, recorded once in each mode and format, is read and written as ever."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from ticks.adapter.files.inputs import Input
from ticks.adapter.files.recording import RecordingReader, raise_damage, read_recording
from ticks.adapter.rows.format import Csv, Jsonl
from ticks.adapter.tick import Mode

MINUTE = Path(__file__).parent / "data" / "demo-minute"
SYMBOLS = {(1, "99926000"): "Nifty 50", (1, "2885"): "RELIANCE-EQ"}
MODES = pytest.mark.parametrize("mode", [Mode.LTP, Mode.QUOTE, Mode.SNAP], ids=lambda m: m.label)


@MODES
def test_both_formats_hold_the_same_packets(mode: Mode) -> None:
    rows = list(read_recording(MINUTE / f"{mode.label}.csv"))
    assert rows == list(read_recording(MINUTE / f"{mode.label}.jsonl"))
    assert len(rows) == 122
    assert {row.packet[0] for row in rows} == {mode}
    assert {row.symbol for row in rows} == set(SYMBOLS.values())


@MODES
def test_packets_become_the_same_bytes_as_when_they_were_recorded(mode: Mode) -> None:
    for row_format, name in ((Csv(mode), "csv"), (Jsonl(), "jsonl")):
        encoder = row_format.encoder(SYMBOLS)
        path = MINUTE / f"{mode.label}.{name}"
        drains = groupby(read_recording(path), key=lambda row: row.received_ns)
        text = [
            encoder.encode(received_ns, [row.packet for row in rows])
            for received_ns, rows in drains
        ]
        assert row_format.header + b"".join(text) == path.read_bytes()


@MODES
def test_every_row_is_checked_in_one_block(mode: Mode) -> None:
    for name in ("csv", "jsonl"):
        reader = RecordingReader(Input(str(MINUTE / f"{mode.label}.{name}")), raise_damage)
        assert [block.count for block in reader.blocks()] == [0, 122]
