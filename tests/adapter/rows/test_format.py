"""What a format says of a file and of its rows."""

from __future__ import annotations

import pytest

from ticks.adapter.errors import RecordingError
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.format import Csv, Jsonl, JsonLines, RowFormat
from ticks.adapter.tick import Mode

from .recordings import START_NS, SYMBOLS, packet

CSV, JSON = Csv(Mode.LTP), Jsonl()


@pytest.mark.parametrize(
    ("row_format", "text", "rows", "size"),
    [
        (CSV, b"1,2\n3,4\n5", 2, 8),
        (CSV, b"1,2", 0, 0),
        (CSV, b'1,"two\nlines"\n3,"', 1, 14),
        (CSV, b'1,"two\nli', 0, 0),
        (JSON, b'{"a":"b"}\n{"a":"', 1, 10),
        (JSON, b"", 0, 0),
    ],
)
def test_only_whole_rows_count(row_format: RowFormat, text: bytes, rows: int, size: int) -> None:
    assert row_format.whole_rows(text) == (rows, size)


@pytest.mark.parametrize("row_format", [CSV, JSON])
@pytest.mark.parametrize("token", ["1", "33"])
def test_what_a_format_encodes_it_decodes(row_format: Csv | Jsonl, token: str) -> None:
    row = row_format.encoder(SYMBOLS).encode(START_NS, [packet(7, token)])
    assert tuple(row_format.decode(row)) == (START_NS, SYMBOLS[1, token], packet(7, token))
    assert row_format.whole_rows(row) == (1, len(row))


def test_formats_of_the_same_rows_are_equal() -> None:
    assert (Csv(Mode.LTP), Jsonl()) == (CSV, JSON)
    assert Csv(Mode.QUOTE) != CSV
    assert (CSV.header, JSON.header) == (csv_header(Mode.LTP), b"")


def test_a_line_of_something_else_is_refused() -> None:
    events = JsonLines(b'{"at":')
    events.check_line(b'{"at":"2026-11-20"}')
    assert events.line_start == b'{"at":'
    for row_format in (JSON, events):
        with pytest.raises(RecordingError):
            row_format.check_line(b'{"time":1}')


def test_a_file_with_a_header_asks_nothing_of_its_lines() -> None:
    rows = Csv(Mode.LTP)
    rows.check_line(b"anything")
    assert (rows.line_start, Jsonl().header) == (b"", b"")
