"""Recordings are read row by row, and damage is reported without losing what is whole."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.errors import RecordingError
from ticks.adapter.files.inputs import Input
from ticks.adapter.files.recording import (
    Recorded,
    RecordingReader,
    raise_damage,
    read_recording,
    read_ticks,
)
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.encode import CsvRows, JsonRows
from ticks.adapter.rows.format import Csv, Jsonl
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.packet import decode_packet, encode_packet

from ..rows.test_decode import canonical, ticks

RECEIVED_NS = 1_746_171_226_250_123_000
HEADER = csv_header(Mode.LTP)
SYMBOLS = {(1, "1"): "ONE", (1, "2"): 'two\n"lines", 2'}


def packet(number: int, token: str = "1") -> bytes:
    return encode_packet(Tick(0, Mode.LTP, 1, token, "", number, 0, 100))


def csv_row(number: int, token: str = "1") -> bytes:
    return CsvRows(Mode.LTP, SYMBOLS).encode(RECEIVED_NS, [packet(number, token)])


def json_row(number: int, token: str = "1") -> bytes:
    return JsonRows(SYMBOLS).encode(RECEIVED_NS, [packet(number, token)])


def read(path: Path) -> tuple[list[int], list[tuple[int, str]]]:
    """The sequences that are whole, and the damage by line number."""
    damage: list[tuple[int, str]] = []
    found = read_recording(path, on_damage=lambda _, line, reason: damage.append((line, reason)))
    return [int.from_bytes(each.packet[27:35], "little") for each in found], damage


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "content",
    [
        HEADER + csv_row(1) + csv_row(2, "2"),
        json_row(1) + json_row(2, "2"),
    ],
)
def test_the_content_says_what_kind_of_recording_it_is(
    tmp_path: Path, content: bytes, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "recording"
    path.write_bytes(compress(content))
    assert list(read_recording(str(path))) == [
        Recorded(RECEIVED_NS, "ONE", packet(1)),
        Recorded(RECEIVED_NS, SYMBOLS[1, "2"], packet(2, "2")),
    ]


def test_ticks_are_read_with_their_time_and_symbol(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + csv_row(1) + b"rubbish\n" + csv_row(2, "2"))
    damage: list[int] = []
    found = list(read_ticks(path, on_damage=lambda _, line, __: damage.append(line)))
    assert found == [
        decode_packet(packet(number, token), received_ns=RECEIVED_NS, symbol=SYMBOLS[1, token])
        for number, token in ((1, "1"), (2, "2"))
    ]
    assert damage == [3]
    with pytest.raises(RecordingError, match="line 3"):
        list(read_ticks(path))


@pytest.mark.slow
@given(st.lists(ticks(), max_size=5), st.sampled_from(["csv", "jsonl"]))
def test_any_packets_come_back_from_a_file_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, all_ticks: list[Tick], rows_format: str
) -> None:
    path = tmp_path_factory.mktemp("any") / f"a.{rows_format}"
    with path.open("wb") as file:
        for number, tick in enumerate(all_ticks):
            symbols = {(tick.exchange_type, tick.token): tick.symbol}
            row_format = Csv(Mode.SNAP) if rows_format == "csv" else Jsonl()
            file.write(row_format.header if number == 0 else b"")
            encoder = row_format.encoder(symbols)
            file.write(encoder.encode(tick.received_ns, [encode_packet(tick)]))
    expected = [Recorded(tick.received_ns, tick.symbol, canonical(tick)) for tick in all_ticks]
    if all_ticks or rows_format == "jsonl":
        assert list(read_recording(path)) == expected


def test_a_file_that_passed_through_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (HEADER + csv_row(1)).replace(b"\n", b"\r\n"))
    assert read(path) == ([1], [])


def quote_row(number: int) -> bytes:
    tick = Tick(0, Mode.QUOTE, 1, "1", "", number, 0, 100, 1, 1, 1, 1.0, 1.0, 1, 1, 1, 1)
    return CsvRows(Mode.QUOTE, SYMBOLS).encode(RECEIVED_NS, [encode_packet(tick)])


BOM = b"\xef\xbb\xbf"
QUOTE_HEADER = csv_header(Mode.QUOTE)


@pytest.mark.parametrize(
    "content",
    [
        HEADER + csv_row(1) + HEADER + csv_row(2),
        HEADER + csv_row(1) + QUOTE_HEADER + quote_row(2),
        QUOTE_HEADER + quote_row(1) + HEADER + csv_row(2),
        BOM + HEADER + csv_row(1) + BOM + HEADER + csv_row(2),
        HEADER + csv_row(1) + (HEADER + csv_row(2)).replace(b"\n", b"\r\n"),
        HEADER + csv_row(1) + b'"' + HEADER.strip().replace(b",", b'","') + b'"\n' + csv_row(2),
        HEADER + csv_row(1) + json_row(2),
        json_row(1) + HEADER + csv_row(2),
        BOM + json_row(1) + BOM + json_row(2),
        json_row(1).replace(b"\n", b"\r\n") + BOM + QUOTE_HEADER + quote_row(2),
    ],
)
def test_joined_recordings_are_read_each_in_its_format(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert read(path) == ([1, 2], [])


@pytest.mark.parametrize("first", [HEADER + csv_row(1), json_row(1)])
@pytest.mark.parametrize("second", [HEADER + csv_row(3), QUOTE_HEADER + quote_row(3), json_row(3)])
def test_a_recording_joined_to_a_torn_line_costs_that_line_only(
    tmp_path: Path, first: bytes, second: bytes
) -> None:
    path = tmp_path / "a.csv"
    last = first.splitlines(keepends=True)[-1]
    path.write_bytes(first + last[:-30] + second)
    sequences, [(line, _)] = read(path)
    assert (sequences, line) == ([1, 3], first.count(b"\n") + 1)


@pytest.mark.parametrize(
    "content", [BOM + HEADER + csv_row(1) + csv_row(2, "2"), BOM + json_row(1) + json_row(2, "2")]
)
def test_a_byte_order_mark_and_windows_line_ends_are_not_passed_on(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a"
    # a line end that is quoted belongs to the symbol, not to the file
    path.write_bytes(content.replace(b"\n", b"\r\n").replace(b'two\r\n"', b'two\n"'))
    blocks = RecordingReader(Input(str(path)), raise_damage).blocks()
    text = b"".join(block.text for block in blocks)
    assert text == content.removeprefix(BOM).removeprefix(HEADER)


def test_a_damaged_row_is_reported_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + csv_row(1) + csv_row(2)[30:] + csv_row(3))
    sequences, [(line, reason)] = read(path)
    assert sequences == [1, 3]
    assert line == 3
    assert "received_at" in reason


def test_a_damaged_row_ends_the_reading_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json_row(1) + b"{}\n" + json_row(3))
    with pytest.raises(RecordingError, match=r"a\.jsonl, line 2: received_at is missing"):
        list(read_recording(path))


@pytest.mark.parametrize("whole", [HEADER + csv_row(1), json_row(1)])
@pytest.mark.parametrize("lost", [1, 3, 20])
def test_a_torn_last_row_is_damage_even_where_it_could_be_read(
    tmp_path: Path, whole: bytes, lost: int
) -> None:
    path = tmp_path / "a"
    last = whole.splitlines(keepends=True)[-1]
    path.write_bytes(whole + last[:-lost])
    sequences, [(line, reason)] = read(path)
    assert sequences == [1]
    assert line == whole.count(b"\n") + 1
    assert reason == f"a torn last line ({len(last) - lost} bytes)"


def test_an_open_quote_swallows_no_more_than_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    damaged = csv_row(1).replace(b"ONE", b'"ONE')
    path.write_bytes(HEADER + damaged + b"".join(map(csv_row, range(2, 40))))
    sequences, [(line, reason)] = read(path)
    assert sequences == list(range(2, 40))
    assert line == 2
    assert "quotes" in reason


def test_an_open_quote_before_a_quoted_row_loses_neither_line_nor_number(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    damaged = csv_row(1).replace(b"ONE", b'"ONE')
    path.write_bytes(HEADER + damaged + csv_row(2, "2") + csv_row(3) + csv_row(4)[9:])
    sequences, damage = read(path)
    assert sequences == [2, 3]
    assert [line for line, _ in damage] == [2, 6]


def test_bytes_that_are_no_utf8_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + csv_row(1).replace(b"ONE", b"\xffNE") + csv_row(2))
    sequences, [(line, reason)] = read(path)
    assert (sequences, line) == ([2], 2)
    assert reason.startswith("symbol: ")


def test_a_hole_of_zeros_costs_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + csv_row(1) + bytes(300_000) + csv_row(2) + csv_row(3))
    sequences, [(line, reason)] = read(path)
    assert (sequences, line) == ([1, 3], 3)
    assert "over 65,536 bytes" in reason


@pytest.mark.parametrize(
    "damaged",
    [
        csv_row(9).replace(b"ONE", b'"ONE'),
        csv_row(9).replace(b"ONE", b'"' + b"x" * 70_000),
        csv_row(9).replace(b"ONE", b'"' + b"x\n" * 70_000 + b'"'),
    ],
    ids=["a quote", "a long cell", "many lines"],
)
def test_a_quote_that_never_closes_takes_no_row_with_it(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "a.csv"
    good = b"".join(csv_row(number) for number in range(1, 2000))
    path.write_bytes(HEADER + csv_row(0) + damaged + good)
    sequences, damage = read(path)
    assert sequences == list(range(2000))
    assert damage[0][0] == 3


@pytest.mark.parametrize("line_end", [b"", b"\n"])
def test_an_open_quote_before_endless_text_is_read_in_bounded_memory_and_linear_time(
    tmp_path: Path, line_end: bytes
) -> None:
    path = tmp_path / "a.csv.gz"
    line = csv_row(1).replace(b"ONE", b'"ONE').rstrip() + line_end
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(HEADER + csv_row(1) + line)
        for _ in range(64):
            file.write(bytes(1 << 20))
        file.write(b"\n" + csv_row(2))
    tracemalloc.start()
    try:
        sequences, damage = read(path)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    assert sequences == [1, 2]
    assert damage[-1][1] == "a line over 65,536 bytes"


def test_endless_text_is_refused_at_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(1 << 20))
    source = Input(str(path))
    with pytest.raises(RecordingError, match="first line is over 65,536 bytes"):
        list(RecordingReader(source, raise_damage).blocks())
    assert source.bytes_read < 1 << 18


def test_a_compressed_file_without_its_end_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(HEADER + csv_row(1) + csv_row(2))[:-8])
    sequences, [(line, reason)] = read(path)
    assert (sequences, line) == ([1, 2], 4)
    assert "torn" in reason


def test_a_recording_joined_to_a_torn_header_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER[:-9] + QUOTE_HEADER + quote_row(1))
    sequences, [(line, _)] = read(path)
    assert (sequences, line) == ([1], 1)


def test_a_torn_compressed_recording_costs_nothing_of_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    first = gzip.compress(HEADER + csv_row(1) + csv_row(2))
    path.write_bytes(first[:-8] + gzip.compress(HEADER + csv_row(3)))
    assert read(path)[0] == [1, 2, 3]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_blank_line_is_no_row(tmp_path: Path, line_end: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(line_end.join([b"", b"", HEADER + csv_row(1), HEADER + csv_row(2), b"x", b""]))
    sequences, damage = read(path)
    assert (sequences, [line for line, _ in damage]) == ([1, 2], [9])


@pytest.mark.parametrize(("content", "reason"), [(b"\n\n", "empty"), (HEADER[:-1], "whole line")])
def test_why_a_file_has_nothing_that_begins_a_recording(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=reason):
        list(read_recording(path, on_damage=lambda *_: None))


@pytest.mark.parametrize("content", [b"", b"time,price\n1,2\n", b"\0" * 100 + b"\n", b"\n"])
def test_what_is_no_recording_is_refused_with_what_is_expected(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"a\.csv is not a recording") as caught:
        list(read_recording(path))
    assert caught.value.kind == "not-a-recording"


def test_an_empty_json_recording_has_no_ticks(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.jsonl.gz"):
        (tmp_path / name).write_bytes(b"")
        assert list(read_recording(tmp_path / name)) == []


def test_a_missing_file_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(RecordingError, match="cannot be read"):
            list(read_recording(path))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + csv_row(1) * 60_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_recording(path)) == 60_000
        assert tracemalloc.get_traced_memory()[1] < 2_500_000 < path.stat().st_size
    finally:
        tracemalloc.stop()
