"""Parquet recordings are read a batch at a time, damage apart, also when others wrote them over."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ticks.adapter.errors import RecordingError
from ticks.adapter.files import parquet_reader
from ticks.adapter.files.inputs import Input
from ticks.adapter.files.parquet import open_parquet
from ticks.adapter.files.recording import Recorded, open_recording, raise_damage, read_recording
from ticks.adapter.rows.format import Csv
from ticks.adapter.tick import Mode

from ..rows.recordings import START_NS, SYMBOLS, csv_text, packet


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Twenty quotes and, without a symbol, an LTP tick of the index."""
    path = tmp_path / "day.parquet"
    output = open_parquet(str(path), Mode.QUOTE)
    output.take(csv_text(range(20), mode=Mode.QUOTE, header=False), 20, 0)
    ltp = csv_text([20], "99926000", header=False).replace(b"Nifty 50", b"")
    output.take(ltp.replace(b"\n", b"," * 9 + b"\n"), 1, 0)
    output.finish()
    output.close()
    return path


EXPECTED = [
    *(Recorded(START_NS + n * 10**9, "ONE-EQ", packet(n, mode=Mode.QUOTE)) for n in range(20)),
    Recorded(START_NS + 20 * 10**9, "", packet(20, "99926000")),
]


def read(path: Path) -> tuple[list[Recorded], list[tuple[int, str]]]:
    damage: list[tuple[int, str]] = []
    rows = read_recording(path, on_damage=lambda _, row, reason: damage.append((row, reason)))
    return list(rows), damage


@pytest.mark.parametrize("batch_rows", [3, 8192])
def test_rows_come_back_in_their_order_a_batch_at_a_time(
    recording: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    monkeypatch.setattr(parquet_reader, "_BATCH_ROWS", batch_rows)
    assert read(recording) == (EXPECTED, [])
    reader = open_recording(Input(str(recording)), raise_damage)
    assert reader.format == Csv(Mode.QUOTE)
    assert max(block.count for block in reader.blocks()) == min(batch_rows, 21)
    assert reader.rows == 21
    assert reader.source.bytes_read == recording.stat().st_size


def test_what_pandas_and_polars_have_written_over_is_read(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "over.parquet"
    pd.read_parquet(recording).to_parquet(path)
    assert read(path) == (EXPECTED, [])
    pl.read_parquet(recording).write_parquet(path)
    assert read(path) == (EXPECTED, [])
    prices = ["ltp", "average_price", "open", "high", "low", "close"]
    pl.read_parquet(recording).with_columns(pl.col(prices).cast(pl.Float64)).write_parquet(path)
    assert read(path) == (EXPECTED, [])


def test_rows_that_cannot_be_read_are_reported_by_number_and_skipped(
    recording: Path, tmp_path: Path
) -> None:
    table = pq.read_table(recording)
    exchanges = ["NSE"] * 21
    exchanges[4] = "NYSE"
    tokens = table["token"].to_pylist()
    tokens[9] = "x" * 26
    for name, values in (("exchange", exchanges), ("token", tokens)):
        index = table.column_names.index(name)
        table = table.set_column(index, name, pa.array(values))
    pq.write_table(table, tmp_path / "bad.parquet")
    rows, damage = read(tmp_path / "bad.parquet")
    assert rows == [row for number, row in enumerate(EXPECTED) if number not in (4, 9)]
    assert [number for number, _ in damage] == [5, 10]
    assert "'NYSE' is not an exchange" in damage[0][1]
    with pytest.raises(RecordingError, match="line 5"):
        list(read_recording(tmp_path / "bad.parquet"))


def test_a_group_of_rows_that_is_damaged_costs_no_other(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.parquet"
    pq.write_table(pq.read_table(recording), path, row_group_size=7)
    column = pq.read_metadata(path).row_group(1).column(7)
    content = bytearray(path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    content[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    path.write_bytes(content)
    rows, [(row, reason)] = read(path)
    assert rows == EXPECTED[:7] + EXPECTED[14:]
    assert row == 8
    assert reason.startswith("7 rows cannot be read")


@pytest.mark.parametrize("lost", [1, 100])
def test_a_file_without_its_end_is_no_recording(recording: Path, tmp_path: Path, lost: int) -> None:
    path = tmp_path / "torn.parquet"
    path.write_bytes(recording.read_bytes()[:-lost])
    with pytest.raises(RecordingError, match="not a recording") as caught:
        list(read_recording(path))
    assert caught.value.kind == "not-a-recording"


def test_other_columns_are_no_recording(tmp_path: Path) -> None:
    pq.write_table(pa.table({"time": [1], "price": [2]}), tmp_path / "a.parquet")
    with pytest.raises(RecordingError, match="time,price"):
        list(read_recording(tmp_path / "a.parquet"))


def test_in_gzip_it_is_refused_in_words(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet.gz"
    path.write_bytes(gzip.compress(recording.read_bytes()))
    with pytest.raises(RecordingError, match="from a plain file only"):
        list(read_recording(path))


def test_a_recording_of_every_kind_of_symbol(tmp_path: Path) -> None:
    output = open_parquet(str(tmp_path / "a.parquet"), Mode.LTP)
    output.take(csv_text(range(3), "33", header=False), 3, 0)
    output.finish()
    output.close()
    assert {row.symbol for row in read_recording(tmp_path / "a.parquet")} == {SYMBOLS[1, "33"]}
