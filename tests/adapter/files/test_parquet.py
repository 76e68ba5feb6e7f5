"""A Parquet file holds what its CSV rows hold, or is not there at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.errors import OutputError, UsageError
from ticks.adapter.files import parquet
from ticks.adapter.files.append import open_locked
from ticks.adapter.files.parquet import ParquetOutput, open_parquet
from ticks.adapter.files.recording import Recorded, read_recording
from ticks.adapter.rows.columns import columns
from ticks.adapter.rows.format import Csv
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.packet import encode_packet

from ..rows.recordings import csv_text
from ..rows.test_decode import canonical, ticks


def text_of(tick: Tick) -> bytes:
    encoder = Csv(Mode.SNAP).encoder({(tick.exchange_type, tick.token): tick.symbol})
    return encoder.encode(tick.received_ns, [encode_packet(tick)])


def converted(path: Path, texts: Sequence[bytes], mode: Mode = Mode.SNAP, **options: bool) -> Path:
    output = open_parquet(str(path), mode, **options)
    for text in texts:
        output.take(text, 1, 0)
    output.finish()
    output.close()
    return path


@given(st.lists(ticks(), max_size=5), st.sampled_from([1, 2, 100]))
def test_any_packets_come_back_byte_for_byte_however_the_schema_has_to_grow(
    tmp_path_factory: pytest.TempPathFactory, all_ticks: list[Tick], group_rows: int
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "_GROUP_ROWS", group_rows)
        patch.setattr(parquet, "_TEXT_BYTES", 1)
        converted(path, [text_of(tick) for tick in all_ticks])
    assert list(read_recording(path)) == [
        Recorded(tick.received_ns, tick.symbol, canonical(tick)) for tick in all_ticks
    ]


@pytest.mark.parametrize("mode", [Mode.LTP, Mode.QUOTE, Mode.SNAP])
def test_the_columns_are_those_of_csv_and_have_the_types_of_what_they_hold(
    tmp_path: Path, mode: Mode
) -> None:
    schema = pq.read_schema(converted(tmp_path / "a.parquet", [], mode))
    assert tuple(schema.names) == columns(mode)
    time, price = pa.timestamp("us", "Asia/Kolkata"), pa.decimal128(19, 2)
    label = pa.dictionary(pa.int32(), pa.string())
    expected = {
        "received_at": time,
        "exchange_time": time,
        "exchange": label,
        "symbol": label,
        "token": pa.string(),
        "mode": label,
        "sequence": pa.int64(),
        "ltp": price,
        "volume": pa.int64(),
        "total_buy_quantity": pa.float64(),
        "close": price,
        "last_trade_time": time,
        "oi_change_percent": pa.float64(),
        "low_52w": price,
        "bid1_price": price,
        "ask5_quantity": pa.int64(),
        "ask5_orders": pa.int32(),
    }
    assert {name: schema.field(name).type for name in schema.names if name in expected} == {
        name: dtype for name, dtype in expected.items() if name in schema.names
    }


def ltp_tick(**changed: object) -> Tick:
    return Tick(10**18, Mode.LTP, 1, "1", "ONE", 1, 10**12, 12345)._replace(**changed)  # type: ignore[arg-type]


def test_prices_have_seven_digits_only_where_a_currency_is_among_the_rows(tmp_path: Path) -> None:
    currency = ltp_tick(exchange_type=13, last_price=835_012_500)
    path = converted(tmp_path / "a.parquet", [text_of(ltp_tick()), text_of(currency)])
    table = pq.read_table(path)
    assert table.schema.field("ltp").type.scale == 7
    assert [str(price) for price in table["ltp"].to_pylist()] == ["123.4500000", "83.5012500"]


def test_a_time_that_is_none_is_an_integer_in_a_column_of_its_own(tmp_path: Path) -> None:
    texts = [text_of(ltp_tick(exchange_time_ms=time)) for time in (10**12, -5, 0)]
    table = pq.read_table(converted(tmp_path / "a.parquet", texts, Mode.SNAP))
    assert table.column_names[-2:] == ["exchange_time_raw", "last_trade_time_raw"]
    assert table["exchange_time_raw"].to_pylist() == [None, -5, None]
    assert table["exchange_time"].is_valid().to_pylist() == [True, False, False]


def test_prices_can_be_doubles(tmp_path: Path) -> None:
    path = converted(tmp_path / "a.parquet", [text_of(ltp_tick())], has_floats=True)
    assert pq.read_table(path)["ltp"].to_pylist() == [123.45]
    assert [each.packet for each in read_recording(path)] == [encode_packet(ltp_tick())]


def test_rows_are_in_groups_of_a_hundred_thousand_compressed_by_zstd(tmp_path: Path) -> None:
    text = csv_text(range(60_000), header=False)
    path = converted(tmp_path / "a.parquet", [text] * 4, Mode.LTP)
    metadata = pq.read_metadata(path)
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    assert sum(group.num_rows for group in groups) == 240_000
    assert all(100_000 <= group.num_rows < 160_000 for group in groups[:-1])
    assert groups[0].column(0).compression == "ZSTD"


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    text = csv_text(range(10_000), header=False)
    output = open_parquet(str(tmp_path / "a.parquet"), Mode.LTP)
    held = []
    for _ in range(60):
        output.take(text, 10_000, 0)
        held.append(pa.total_allocated_bytes())
    output.finish()
    output.close()
    assert max(held[30:]) < 1.5 * max(held[:30])


# --- the file ------------------------------------------------------------------------------------


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_conversion_that_ends_early_leaves_what_was_there(tmp_path: Path) -> None:
    path = converted(tmp_path / "a.parquet", [text_of(ltp_tick())])
    before = path.read_bytes()
    output = open_parquet(str(path), Mode.SNAP, overwrite=True)
    output.take(text_of(ltp_tick()), 1, 0)
    with pytest.raises(OutputError, match="ended early") as caught:
        output.close()
    output.close()
    assert caught.value.kind == "conversion-interrupted"
    assert (names_in(tmp_path), path.read_bytes()) == (["a.parquet"], before)


def test_what_a_killed_conversion_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "a.parquet.part").write_bytes(b"half")
    path = converted(tmp_path / "a.parquet", [text_of(ltp_tick())])
    assert names_in(tmp_path) == ["a.parquet"]
    assert len(list(read_recording(path))) == 1


def test_two_conversions_into_one_file_do_not_mix(tmp_path: Path) -> None:
    output = open_parquet(str(tmp_path / "a.parquet"), Mode.LTP)
    with pytest.raises(OutputError, match="another recorder"):
        open_parquet(str(tmp_path / "a.parquet"), Mode.LTP)
    output.finish()
    output.close()
    assert names_in(tmp_path) == ["a.parquet"]


def test_an_existing_file_is_replaced_only_if_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"something")
    with pytest.raises(OutputError) as caught:
        open_parquet(str(path), Mode.LTP)
    assert caught.value.kind == "output-exists"
    assert path.read_bytes() == b"something"
    converted(path, [text_of(ltp_tick())], overwrite=True)
    assert len(list(read_recording(path))) == 1


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.parquet").symlink_to(tmp_path / "real.parquet")
    converted(tmp_path / "link.parquet", [text_of(ltp_tick())])
    assert (tmp_path / "link.parquet").is_symlink()
    assert len(list(read_recording(tmp_path / "real.parquet"))) == 1


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_not_a_file_or_is_being_read_is_refused(tmp_path: Path, overwrite: bool) -> None:
    os.mkfifo(tmp_path / "fifo")
    read = converted(tmp_path / "read.parquet", [])
    for path in (tmp_path / "fifo", Path("/dev/null"), tmp_path, read):
        with pytest.raises(OutputError):
            open_parquet(str(path), Mode.LTP, overwrite=overwrite, inputs=[str(read)])
    with pytest.raises(OutputError, match="its folder does not exist"):
        open_parquet(str(tmp_path / "no" / "a.parquet"), Mode.LTP)
    assert names_in(tmp_path) == ["fifo", "read.parquet"]


def test_a_disk_that_is_full_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(parquet, "open_locked", lambda path: (os.close(open_locked(path)), full)[1])
    monkeypatch.setattr(parquet, "empty", lambda fd: None)
    output: ParquetOutput = open_parquet(str(tmp_path / "a.parquet"), Mode.LTP)
    output.take(csv_text(range(10), header=False), 10, 0)
    with pytest.raises(OutputError, match="the disk is full"):
        output.finish()
    output.close()
    assert names_in(tmp_path) == []


def test_without_pyarrow_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="need pyarrow, which is not installed") as caught:
        open_parquet(str(tmp_path / "a.parquet"), Mode.LTP)
    assert (caught.value.kind, caught.value.values) == ("extra-missing", {"extra": "parquet"})
    assert names_in(tmp_path) == []
