"""Where a stream goes, opened all or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.clock import SystemClock
from ticks.adapter.errors import OutputError
from ticks.adapter.event_log import EventLog
from ticks.adapter.events import Rotated
from ticks.adapter.feed.lifecycle import Policy
from ticks.adapter.jetstream.address import NatsOptions
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.rows.candle_text import COLUMNS as CANDLE_COLUMNS
from ticks.adapter.rows.columns import columns, csv_header
from ticks.adapter.rows.view import CsvView
from ticks.adapter.sinks.sink import PacketSink
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.packet import encode_packet
from ticks.cli.stream_outputs import StreamOutputs, opened_sinks
from ticks.cli.terminal.console import Console

NOTHING = StreamOutputs(Mode.LTP, None, None, None, False, False, None, False, None, NatsOptions())
PACKET = encode_packet(Tick(0, Mode.LTP, 1, "2885", "", 7, 0, 100))
SECOND_NS = 1_000_000_000
Open = Callable[[StreamOutputs], Sequence[PacketSink]]


@pytest.fixture
def log() -> EventLog:
    return EventLog(SystemClock())


@pytest.fixture
def opened(log: EventLog) -> Open:
    broker = cast(BrokerAdapter, SimpleNamespace(events=log, symbols={(1, "2885"): "RELIANCE-EQ"}))

    def open_them(outputs: StreamOutputs) -> Sequence[PacketSink]:
        console, calendar = Console(is_quiet=True), MarketCalendar()
        return opened_sinks(outputs, broker, console, Policy(), calendar)

    return open_them


def test_each_path_is_an_output_and_without_one_there_is_none(tmp_path: Path, opened: Open) -> None:
    paths = [str(tmp_path / name) for name in ("a.csv", "a.jsonl")]
    sinks = opened(replace(NOTHING, csv=paths[0], jsonl=paths[1]))
    assert [sink.name for sink in sinks] == paths
    for sink in sinks:
        sink.close()
    assert opened(NOTHING) == []


def test_where_one_cannot_be_opened_none_is_left_open(tmp_path: Path, opened: Open) -> None:
    missing = tmp_path / "missing" / "a.jsonl"
    with pytest.raises(OutputError):
        opened(replace(NOTHING, csv=str(tmp_path / "a.csv"), jsonl=str(missing)))
    for sink in opened(replace(NOTHING, csv=str(tmp_path / "a.csv"))):  # its lock is free
        sink.close()


def test_a_rotation_is_an_event(tmp_path: Path, opened: Open, log: EventLog) -> None:
    (sink,) = opened(replace(NOTHING, csv=str(tmp_path / "%H%M%S.csv")))
    for second in (1, 2):
        sink.write(second * SECOND_NS, [PACKET])
    sink.close()
    (entry,) = log.take()
    assert entry.event == Rotated(str(tmp_path / "053001.csv"), 1, str(tmp_path / "053002.csv"))


@pytest.mark.parametrize("candles_s", [None, 60])
def test_some_columns_are_shown_on_stdout(
    capfdbinary: pytest.CaptureFixture[bytes], opened: Open, candles_s: int | None
) -> None:
    whole = columns(Mode.LTP) if candles_s is None else CANDLE_COLUMNS
    view = CsvView(tuple(whole), ("symbol",))
    (sink,) = opened(replace(NOTHING, csv="-", view=view, candles_s=candles_s))
    sink.close()
    assert capfdbinary.readouterr().out == b"symbol\n"


def test_candles_take_the_place_of_rows(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "bars.csv"
    (sink,) = opened(replace(NOTHING, csv=str(path), candles_s=60))
    sink.close()
    assert path.read_bytes() != csv_header(Mode.LTP)
    assert path.read_text().split(",")[0] == "bar_time"
