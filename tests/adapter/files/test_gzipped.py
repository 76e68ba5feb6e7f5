"""A gzip recording survives being torn anywhere."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from random import Random

import pytest

from ticks.adapter.errors import OutputError
from ticks.adapter.files.append import FileOutput
from ticks.adapter.files.gzipped import GzipOutput, repair_gzip
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.format import Csv
from ticks.adapter.tick import Mode

HEADER = csv_header(Mode.LTP)
DRAINS = [b"row %d of this drain, and no more\n" % number for number in range(8)]


def written(path: Path, texts: list[bytes], *, is_closed: bool) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    output = GzipOutput(FileOutput(fd))
    for text in texts:
        output.write(text)
    output.close() if is_closed else os.close(fd)


def repaired(path: Path) -> tuple[bool, list[str]]:
    notes: list[str] = []
    fd = os.open(path, os.O_RDWR | os.O_APPEND)
    try:
        return repair_gzip(fd, str(path), Csv(Mode.LTP), notes.append), notes
    finally:
        os.close(fd)


def test_a_member_torn_at_any_byte_keeps_every_flush_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    written(path, [HEADER, DRAINS[0]], is_closed=True)
    first_member = path.stat().st_size
    written(path, DRAINS[1:], is_closed=False)
    content = path.read_bytes()
    kept_rows = 1
    for size in range(first_member + 1, len(content) + 1):
        path.write_bytes(content[:size])
        is_new, notes = repaired(path)
        assert not is_new
        text = gzip.decompress(path.read_bytes())
        rows = text.splitlines(keepends=True)[1:]
        assert rows == DRAINS[: len(rows)]
        assert len(rows) >= kept_rows
        kept_rows = len(rows)
        is_at_flush = content[:size].endswith(b"\0\0\xff\xff")
        assert len(notes) == (0 if is_at_flush else 1)
        written(path, [b"more\n"], is_closed=True)
        assert gzip.decompress(path.read_bytes()) == text + b"more\n"
    assert kept_rows == len(DRAINS)


def test_a_file_torn_before_its_first_flush_is_new(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    written(path, [HEADER], is_closed=False)
    path.write_bytes(path.read_bytes()[:-1])
    is_new, [note] = repaired(path)
    assert is_new
    assert "a torn end" in note
    assert path.read_bytes() == b""


def test_flush_marks_in_the_rows_themselves_do_not_mislead(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    random = Random(1)
    first, second = (
        random.randbytes(3000) + b"\0\0\xff\xff" * 9 + random.randbytes(3000) + b"\n"
        for _ in range(2)
    )
    written(path, [HEADER, first, second], is_closed=False)
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    repaired(path)
    assert gzip.decompress(path.read_bytes()) == HEADER + first


def test_a_torn_file_of_another_writer_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    content = gzip.compress(HEADER + Random(1).randbytes(3 << 20))[:-9]
    content = content.replace(b"\0\0\xff\xff", b"\0\0\xff\xfe")
    path.write_bytes(content)
    with pytest.raises(OutputError, match="is torn"):
        repaired(path)
    assert path.read_bytes() == content
