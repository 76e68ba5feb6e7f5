"""What outputs promise whatever the rows are; as sinks they are tested in test_file.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ticks.adapter.errors import OutputError
from ticks.adapter.files.outputs import open_event_file, open_output
from ticks.adapter.rows.candle_text import CsvCandles, JsonCandles
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.format import Csv, RowFormat
from ticks.adapter.tick import Mode

from ..rows.recordings import START_NS

HEADER = csv_header(Mode.LTP)
CSV = Csv(Mode.LTP)


def test_text_is_written_at_a_flush_in_its_order(tmp_path: Path) -> None:
    output = open_output(str(tmp_path / "a"), CSV, note=pytest.fail)
    output.take(b"1,2\n", 1, 0)
    output.take(b"3,4\n5,6\n", 2, 0)
    assert ((tmp_path / "a").read_bytes(), output.rows) == (HEADER, 0)
    output.flush()
    assert (tmp_path / "a").read_bytes() == HEADER + b"1,2\n3,4\n5,6\n"
    assert (output.rows, output.bytes_written) == (3, len(HEADER) + 12)
    output.close()


def test_the_time_of_the_rows_names_the_file_where_it_rotates(tmp_path: Path) -> None:
    notes: list[str] = []
    output = open_output(str(tmp_path / "%H%M.csv"), CSV, note=notes.append)
    assert output.is_rotating
    output.take(b"1,2\n", 1, START_NS)
    output.take(b"3,4\n", 1, START_NS + 60 * 10**9)
    output.close()
    assert (tmp_path / "0915.csv").read_bytes() == HEADER + b"1,2\n"
    assert (tmp_path / "0916.csv").read_bytes() == HEADER + b"3,4\n"
    assert len(notes) == 1


def test_a_terminal_gets_no_character_that_it_would_obey(tmp_path: Path) -> None:
    row = "a\x1b[2J\x07\x9b2J\t\u0915\u00e9\u0080,1\n".encode()
    ours, terminal = os.openpty()
    path = tmp_path / "file"
    for name in (os.ttyname(terminal), str(path)):
        output = open_output(name, CSV, note=pytest.fail)
        output.take(row, 1, 0)
        output.close()
    shown = os.read(ours, 4096).replace(b"\r\n", b"\n")
    os.close(ours)
    os.close(terminal)
    assert shown.expandtabs() == (HEADER + "a?[2J??2J\t\u0915\u00e9?,1\n".encode()).expandtabs()
    assert path.read_bytes() == HEADER + row


@pytest.mark.parametrize("pattern", ["a.csv", "link.csv", "a%%.csv"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_is_being_read_is_not_written(
    tmp_path: Path, pattern: str, overwrite: bool
) -> None:
    read = tmp_path / ("a%.csv" if "%%" in pattern else "a.csv")
    read.write_bytes(HEADER + b"1,2\n")
    (tmp_path / "link.csv").symlink_to(read)
    path, inputs = str(tmp_path / pattern), ["-", str(tmp_path / "missing"), str(read)]
    with pytest.raises(OutputError, match="is being read"):
        open_output(path, CSV, note=pytest.fail, overwrite=overwrite, inputs=inputs).take(b"", 0, 0)
    assert read.read_bytes() == HEADER + b"1,2\n"


@pytest.mark.parametrize("candles", [CsvCandles(), JsonCandles()])
def test_candles_are_not_appended_to_ticks_nor_to_anything_else(
    tmp_path: Path, candles: RowFormat
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b'{"received_at":"2026-11-20T09:15:00.000000+05:30"}\n')
    with pytest.raises(OutputError):
        open_output(str(path), candles, note=pytest.fail)


def test_a_file_of_events_is_repaired_locked_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    lines = [b'{"at":"2026-11-20T09:15:00.000000+05:30","connection":%d}\n' % n for n in range(3)]
    path.write_bytes(lines[0] + lines[1][:-9])
    notes: list[str] = []
    output = open_event_file(str(path), note=notes.append)
    with pytest.raises(OutputError, match="another recorder") as caught:
        open_event_file(str(path), note=pytest.fail)
    assert caught.value.kind == "output-in-use"
    output.take(lines[2], 1, START_NS)
    output.close()
    assert path.read_bytes() == lines[0] + lines[2]
    assert notes == [f"{path}: a torn last line ({len(lines[1]) - 9} bytes) was cut off"]


def test_events_are_not_appended_to_a_recording(tmp_path: Path) -> None:
    for content in (HEADER, b'{"received_at":"2026-11-20T09:15:00.000000+05:30"}\n'):
        (tmp_path / "a").write_bytes(content)
        with pytest.raises(OutputError):
            open_event_file(str(tmp_path / "a"), note=pytest.fail)
        assert (tmp_path / "a").read_bytes() == content


def test_rows_at_the_end_of_a_file_can_be_taken_back_and_written_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(HEADER + b"1,2\n3,4\n")
    appended: list[str] = []
    output = open_output(str(path), CSV, note=pytest.fail, appended=appended.append)
    assert appended == [str(path)]
    output.take_back(4)
    output.take(b"5,6\n", 1, 0)
    output.flush()
    assert (output.rows, output.bytes_written) == (1, 4)
    output.close()
    assert path.read_bytes() == HEADER + b"1,2\n5,6\n"


def test_a_file_that_rotates_can_be_begun_before_its_rows(tmp_path: Path) -> None:
    appended: list[str] = []
    (tmp_path / "0916").write_bytes(HEADER + b"1,2\n")
    pattern = str(tmp_path / "%H%M")
    output = open_output(pattern, CSV, note=lambda text: None, appended=appended.append)
    output.take_back(4)
    output.begin(START_NS)
    output.begin(START_NS + 60 * 10**9)
    assert appended == [str(tmp_path / "0916")]
    output.take_back(4)
    output.close()
    assert (tmp_path / "0916").read_bytes() == HEADER
