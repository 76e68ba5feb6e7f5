"""Where rows end in what was written of them."""

from __future__ import annotations

import pytest

from ticks.adapter.rows.format import RowFormat

CSV, JSON = RowFormat(header=b"a,b\n"), RowFormat(line_start=b'{"a":')


@pytest.mark.parametrize(
    ("kind", "text", "rows", "size"),
    [
        (CSV, b"1,2\n3,4\n5", 2, 8),
        (CSV, b"1,2", 0, 0),
        (CSV, b'1,"two\nlines"\n3,"', 1, 14),
        (CSV, b'1,"two\nli', 0, 0),
        (JSON, b'{"a":"b"}\n{"a":"', 1, 10),
        (JSON, b"", 0, 0),
    ],
)
def test_only_whole_rows_count(kind: RowFormat, text: bytes, rows: int, size: int) -> None:
    assert kind.whole_rows(text) == (rows, size)
