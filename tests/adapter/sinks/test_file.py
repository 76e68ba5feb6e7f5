"""Rows reach files and pipes whole, once, and nothing is destroyed on the way."""

from __future__ import annotations

import errno
import gzip
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ticks.adapter.errors import OutputError, PacketError, ReaderLeftError
from ticks.adapter.files import append
from ticks.adapter.files.recording import read_recording
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.format import Csv, Jsonl, TickFormat
from ticks.adapter.sinks.file import RowSink, open_sink
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.packet import encode_packet

from ..rows.recordings import START_NS, MemoryOutput, blocks_of, csv_text, json_text

RECEIVED_NS = 1_746_171_226_250_123_000
DAY_NS = 86_400 * 10**9
SYMBOLS = {(1, "2885"): "RELIANCE-EQ"}
HEADER = csv_header(Mode.LTP)
CSV, JSON = Csv(Mode.LTP), Jsonl()


def packet(number: int, token: str = "2885") -> bytes:
    return encode_packet(Tick(0, Mode.LTP, 1, token, "", number, 0, 100))


def sink_of(
    path: Path | str,
    row_format: TickFormat = CSV,
    *,
    note: Callable[[str], None] = pytest.fail,
    **options: bool,
) -> RowSink:
    return open_sink(str(path), row_format, symbols=SYMBOLS, note=note, **options)


def record(path: Path, numbers: range, row_format: TickFormat = CSV, **options: bool) -> None:
    sink = sink_of(path, row_format, **options)
    sink.write(RECEIVED_NS, [packet(number) for number in numbers])
    sink.close()


def sequences(path: Path) -> list[int]:
    return [int.from_bytes(each.packet[27:35], "little") for each in read_recording(path)]


FORMATS = pytest.mark.parametrize(
    ("name", "row_format"),
    [("a.csv", CSV), ("a.jsonl", JSON), ("a.csv.gz", CSV), ("a.jsonl.gz", JSON)],
)


@FORMATS
def test_what_is_written_is_read_back_and_a_second_run_appends(
    tmp_path: Path, name: str, row_format: TickFormat
) -> None:
    path = tmp_path / name
    record(path, range(3), row_format)
    record(path, range(3, 5), row_format)
    assert sequences(path) == [0, 1, 2, 3, 4]


@FORMATS
def test_overwrite_replaces(tmp_path: Path, name: str, row_format: TickFormat) -> None:
    path = tmp_path / name
    record(path, range(3), row_format)
    record(path, range(7, 9), row_format, overwrite=True)
    assert sequences(path) == [7, 8]


@FORMATS
def test_rows_can_be_read_after_each_flush(
    tmp_path: Path, name: str, row_format: TickFormat
) -> None:
    path = tmp_path / name
    sink = sink_of(path, row_format)
    sink.write(RECEIVED_NS, [packet(1)])
    sink.write(RECEIVED_NS, [packet(2), packet(3)])
    assert sink.rows == 0
    sink.flush()
    seen = [each.packet for each in read_recording(path, on_damage=lambda *_: None)]
    assert seen == [packet(1), packet(2), packet(3)]
    assert (sink.name, sink.rows, sink.bytes_written) == (str(path), 3, path.stat().st_size)
    sink.close()


def test_a_csv_file_has_one_header_and_exactly_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    record(path, range(1))
    record(path, range(1))
    row = b"2025-05-02T13:03:46.250123+05:30,,NSE,RELIANCE-EQ,2885,ltp,0,1.00\n"
    assert path.read_bytes() == HEADER + row + row


def test_a_recording_without_a_tick_has_its_header(tmp_path: Path) -> None:
    record(tmp_path / "a.csv", range(0))
    assert (tmp_path / "a.csv").read_bytes() == HEADER


def test_an_empty_file_counts_as_new(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.touch()
    record(path, range(1))
    assert sequences(path) == [0]


@pytest.mark.parametrize(("name", "row_format"), [("a.csv", CSV), ("a.jsonl", JSON)])
def test_a_torn_last_line_is_cut_off_and_noted(
    tmp_path: Path, name: str, row_format: TickFormat
) -> None:
    path = tmp_path / name
    record(path, range(3), row_format)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    notes: list[str] = []
    sink = sink_of(path, row_format, note=notes.append)
    sink.write(RECEIVED_NS, [packet(9)])
    sink.close()
    torn = len(whole.splitlines()[-1]) - 19
    assert notes == [f"{path}: a torn last line ({torn} bytes) was cut off"]
    assert sequences(path) == [0, 1, 9]


@pytest.mark.parametrize(
    ("row_format", "content"),
    [(CSV, HEADER[:30]), (JSON, b'{"received_at":"2025'), (JSON, b'{"r')],
)
def test_a_file_that_is_nothing_but_a_torn_line_starts_afresh(
    tmp_path: Path, row_format: TickFormat, content: bytes
) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    notes: list[str] = []
    sink = sink_of(path, row_format, note=notes.append)
    sink.write(RECEIVED_NS, [packet(9)])
    sink.close()
    assert notes == [f"{path}: a torn last line ({len(content)} bytes) was cut off"]
    assert sequences(path) == [9]


@pytest.mark.parametrize(
    ("name", "row_format", "content"),
    [
        ("a.csv", CSV, csv_header(Mode.QUOTE)),
        ("a.csv", CSV, b"time,price\n1,2\n3"),
        ("a.csv", CSV, b"no line end"),
        ("a.csv", CSV, b'{"received_at":"x"}\n'),
        ("a.jsonl", JSON, HEADER),
        ("a.jsonl", JSON, b'{"time":1}\n'),
        ("a.jsonl", JSON, b"no line end"),
        ("a.csv.gz", CSV, b"no gzip"),
        ("a.csv.gz", CSV, gzip.compress(b"time,price\n", mtime=0)),
        ("a.csv.gz", CSV, gzip.compress(HEADER + b"torn", mtime=0)),
        ("a.jsonl.gz", JSON, gzip.compress(HEADER, mtime=0)),
    ],
)
def test_another_content_is_refused_and_left_alone(
    tmp_path: Path, name: str, row_format: TickFormat, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(OutputError) as caught:
        sink_of(path, row_format)
    assert str(path) in str(caught.value)
    assert caught.value.kind.startswith("output-")
    assert path.read_bytes() == content


def test_a_foreign_end_of_a_json_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    record(path, range(2), JSON)
    content = path.read_bytes() + b"done.\n"
    path.write_bytes(content)
    with pytest.raises(OutputError, match="something other than the JSON lines"):
        sink_of(path, JSON)
    assert path.read_bytes() == content


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_second_recorder_on_a_file_is_refused_and_destroys_nothing(
    tmp_path: Path, overwrite: bool
) -> None:
    path = tmp_path / "a.csv"
    first = sink_of(path)
    first.write(RECEIVED_NS, [packet(1)])
    first.flush()
    with pytest.raises(OutputError, match="another recorder"):
        sink_of(path, overwrite=overwrite)
    first.close()
    assert sequences(path) == [1]


def test_a_closed_sink_lets_the_next_recorder_in(tmp_path: Path) -> None:
    for _ in range(2):
        sink = sink_of(tmp_path / "a.csv")
        sink.close()
        sink.close()


def test_a_folder_is_not_an_output(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder") as caught:
        sink_of(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_folder_is_named_with_what_makes_it(tmp_path: Path) -> None:
    for name in ("a.csv", "%Y.csv"):
        with pytest.raises(OutputError, match="does not exist") as caught:
            sink_of(tmp_path / "no such" / name)
        assert caught.value.values["folder"] == f"'{tmp_path}/no such'"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_place_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    for name in ("a.csv", "%Y.csv"):
        with pytest.raises(OutputError, match="no permission"):
            sink_of(tmp_path / name)


def test_dev_null_takes_everything_again_and_again() -> None:
    for _ in range(2):
        sink = sink_of("/dev/null")
        sink.write(RECEIVED_NS, [packet(1)])
        sink.close()
        assert sink.rows == 1


def test_a_full_disk_is_reported_with_the_name() -> None:
    with pytest.raises(OutputError, match="/dev/full: the disk is full") as caught:
        sink_of("/dev/full")
    assert not isinstance(caught.value, ReaderLeftError)


@pytest.fixture
def file_size_limit() -> Iterator[Callable[[int], None]]:
    """Sets the size past which this process can write no file (EFBIG, after a short write)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@FORMATS
def test_a_write_that_fails_half_way_leaves_whole_rows_and_counts_them(
    tmp_path: Path, name: str, row_format: TickFormat, file_size_limit: Callable[[int], None]
) -> None:
    path = tmp_path / name
    sink = sink_of(path, row_format)
    sink.write(RECEIVED_NS, [packet(1)])
    sink.flush()
    before = path.read_bytes()
    numbers = range(2, 100)
    sink.write(RECEIVED_NS, [packet(number) for number in numbers])
    file_size_limit(len(before) + 200)
    with pytest.raises(OutputError, match="cannot be written"):
        sink.flush()
    assert path.read_bytes().startswith(before)
    written = [each.packet for each in read_recording(path, on_damage=lambda *_: None)]
    assert written == [packet(number) for number in range(1, sink.rows + 1)]
    assert sink.bytes_written == path.stat().st_size
    if not name.endswith(".gz"):
        assert path.read_bytes().endswith(b"\n")
        assert sink.rows > 1
    with pytest.raises(OutputError):
        sink.flush()
    sink.close()
    file_size_limit(resource.RLIM_INFINITY)
    record(path, range(7, 8), row_format)
    assert sequences(path) == [*range(1, sink.rows + 1), 7]


def test_a_reader_that_leaves_a_fifo_is_reported_apart(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    received: list[bytes] = []

    def read_once() -> None:
        with path.open("rb", buffering=0) as file:
            received.append(file.read(len(HEADER)))

    reader = threading.Thread(target=read_once)
    reader.start()
    sink = sink_of(path, note=lambda _text: None)  # whether it had to wait is up to the threads
    reader.join()
    sink.write(RECEIVED_NS, [packet(1)])
    with pytest.raises(ReaderLeftError, match="fifo"):
        sink.flush()
    assert received == [HEADER]
    assert sink.rows == 0


PROGRAM = f"""
import os, sys
from ticks.adapter.errors import ReaderLeftError
from ticks.adapter.rows.format import Csv
from ticks.adapter.sinks.file import open_sink
from ticks.adapter.tick import Mode
os.set_blocking(1, "blocking" in sys.argv)
sink = open_sink("-", Csv(Mode.LTP), symbols={{}}, note=print)
packet = {packet(1)!r}
try:
    for _ in range(400):
        sink.write({RECEIVED_NS}, [packet] * 50)
        sink.flush()
    sink.close()
except ReaderLeftError as error:
    sys.exit(f"{{error}}, {{sink.rows}} rows")
sys.exit(f"{{sink.name}} {{sink.rows}} rows")
"""


@pytest.mark.parametrize("how", ["blocking", "not blocking"])
def test_standard_output_takes_all_rows_whether_it_blocks_or_not(how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], check=False, capture_output=True, timeout=30
    )
    assert done.stderr == b"stdout 20000 rows\n"
    assert done.stdout.startswith(HEADER)
    assert len(done.stdout.splitlines()) == 20_001


def test_a_reader_that_leaves_standard_output_is_reported_apart() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "blocking"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == HEADER
        child.stdout.close()
        assert child.stderr.read().startswith(b"stdout: its reader left")


def test_a_packet_without_a_row_is_refused_before_anything_is_taken(tmp_path: Path) -> None:
    sink = sink_of(tmp_path / "a.csv")
    with pytest.raises(PacketError):
        sink.write(RECEIVED_NS, [packet(1), bytes([2]) + bytes(122)])
    sink.close()
    assert sequences(tmp_path / "a.csv") == []


def test_files_rotate_at_the_indian_midnight_without_losing_a_row(tmp_path: Path) -> None:
    notes: list[str] = []
    sink = sink_of(tmp_path / "%Y" / "day-%d.csv", note=notes.append)
    midnight_ns = 1_746_210_600 * 10**9
    sink.write(midnight_ns - 1000, [packet(1), packet(2)])
    sink.write(midnight_ns, [packet(3)])
    sink.flush()
    sink.write(midnight_ns + 1000, [packet(4)])
    sink.close()
    first, second = tmp_path / "2025" / "day-02.csv", tmp_path / "2025" / "day-03.csv"
    assert sequences(first) == [1, 2]
    assert sequences(second) == [3, 4]
    assert notes == [f"{first} is complete (2 rows), now {second}"]
    assert sink.name == str(tmp_path / "%Y" / "day-%d.csv")
    assert sink.rows == 4
    assert sink.bytes_written == first.stat().st_size + second.stat().st_size


def test_a_clock_that_goes_back_does_not_overwrite_what_it_wrote(tmp_path: Path) -> None:
    stale = tmp_path / "2025-05-02.csv"
    record(stale, range(5))
    sink = sink_of(tmp_path / "%Y-%m-%d.csv", overwrite=True, note=lambda _: None)
    for number, day in enumerate([0, 1, 0]):
        sink.write(RECEIVED_NS + day * DAY_NS, [packet(number)])
    sink.close()
    assert sequences(stale) == [0, 2]
    assert sequences(tmp_path / "2025-05-03.csv") == [1]


def test_fsync_changes_nothing_that_is_read(tmp_path: Path) -> None:
    record(tmp_path / "a.csv", range(3), fsync=True)
    assert sequences(tmp_path / "a.csv") == [0, 1, 2]


# --- rows of recordings --------------------------------------------------------------------------


def written(path: Path, content: bytes, row_format: TickFormat) -> MemoryOutput:
    output = MemoryOutput()
    sink = RowSink(row_format, output, {})
    for block in blocks_of(path, content):
        sink.write_block(block)
    sink.close()
    assert output.is_closed
    return output


@pytest.mark.parametrize("token", ["1", "33"])
def test_rows_of_the_same_format_pass_as_they_are(tmp_path: Path, token: str) -> None:
    rows = csv_text(range(3), token, header=False)
    output = written(tmp_path / "a", csv_text([]) + rows, CSV)
    assert (output.text, output.rows) == (rows, 3)
    assert written(tmp_path / "a", json_text([1], token), JSON).text == json_text([1], token)


def test_joined_recordings_are_written_without_their_headers(tmp_path: Path) -> None:
    content = csv_text([1]) + csv_text([2], mode=Mode.QUOTE) + csv_text([3])
    widened = (
        csv_text([1], header=False).replace(b"\n", b"," * 9 + b"\n")
        + csv_text([2], mode=Mode.QUOTE, header=False)
        + csv_text([3], header=False).replace(b"\n", b"," * 9 + b"\n")
    )
    assert written(tmp_path / "a", content, Csv(Mode.QUOTE)).text == widened


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_rows_of_a_lower_mode_get_empty_cells(tmp_path: Path, line_end: bytes) -> None:
    content = csv_text(range(2)).replace(b"\n", line_end)
    rows = csv_text(range(2), header=False).replace(b"\n", b"," * 9 + b"\n")
    assert written(tmp_path / "a", content, Csv(Mode.QUOTE)).text == rows


@pytest.mark.parametrize("token", ["1", "33"])
@pytest.mark.parametrize("mode", [Mode.LTP, Mode.QUOTE])
def test_rows_of_another_format_are_encoded_again(tmp_path: Path, token: str, mode: Mode) -> None:
    as_csv = csv_text(range(3), token, mode, header=False)
    as_json = json_text(range(3), token, mode)
    header = csv_text([], mode=mode)
    assert written(tmp_path / "a", header + as_csv, JSON).text == as_json
    assert written(tmp_path / "a", as_json, Csv(mode)).text == as_csv


def test_a_symbol_that_changed_is_written_as_it_was(tmp_path: Path) -> None:
    content = json_text([1]) + json_text([2]).replace(b"ONE-EQ", b"ONE-BE") + json_text([3])
    text = written(tmp_path / "a", content, CSV).text.decode()
    assert [line.split(",")[3] for line in text.splitlines()] == ["ONE-EQ", "ONE-BE", "ONE-EQ"]


@pytest.mark.parametrize("make", [csv_text, json_text])
def test_rows_with_more_columns_than_the_output_are_refused(tmp_path: Path, make: object) -> None:
    content = make([1], mode=Mode.QUOTE)  # type: ignore[operator]
    with pytest.raises(OutputError, match="a quote row has more columns than the ltp") as caught:
        written(tmp_path / "a", content, CSV)
    assert caught.value.kind == "output-too-few-columns"
    assert caught.value.values["mode"] == "quote"


def test_a_rotating_output_gets_each_second_apart(tmp_path: Path) -> None:
    output = MemoryOutput(is_rotating=True)
    sink = RowSink(CSV, output, {})
    for block in blocks_of(tmp_path / "a", csv_text([0, 0.5, 1]) + csv_text([3])):
        sink.write_block(block)
    taken = [(rows, (time_ns - START_NS) // 10**9) for _, rows, time_ns in output.taken]
    assert taken == [(2, 0), (1, 1), (1, 3)]


# --- files that change while they are written ----------------------------------------------------


@pytest.fixture
def look_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write looks at the path."""
    monkeypatch.setattr(append, "LOOK_EVERY_S", 0.0)


def write(sink: RowSink, *numbers: int) -> None:
    sink.write(RECEIVED_NS, [packet(number) for number in numbers])
    sink.flush()


@pytest.mark.usefixtures("look_always")
@FORMATS
@pytest.mark.parametrize("is_created", [False, True], ids=["", "create"])
def test_a_renamed_file_is_ended_and_begun_again_under_its_name(
    tmp_path: Path, name: str, row_format: TickFormat, is_created: bool
) -> None:
    path, old = tmp_path / name, tmp_path / f"old-{name}"
    notes: list[str] = []
    sink = sink_of(path, row_format, note=notes.append)
    write(sink, 1, 2)
    path.rename(old)
    if is_created:
        path.touch()
    write(sink, 3)
    write(sink, 4)
    sink.close()
    assert (sequences(old), sequences(path)) == ([1, 2], [3, 4])
    assert (sink.rows, sink.bytes_written) == (4, old.stat().st_size + path.stat().st_size)
    [note] = notes
    assert note.startswith(f"{path} was renamed while it was being written")


@pytest.mark.usefixtures("look_always")
@FORMATS
def test_a_removed_file_is_begun_again(tmp_path: Path, name: str, row_format: TickFormat) -> None:
    path = tmp_path / name
    notes: list[str] = []
    sink = sink_of(path, row_format, note=notes.append)
    write(sink, 1)
    path.unlink()
    write(sink, 2)
    sink.close()
    assert sequences(path) == [2]
    assert "was removed" in notes[0]
    record(path, range(3, 4), row_format)
    assert sequences(path) == [2, 3]


@FORMATS
def test_a_truncated_file_is_begun_again_before_the_next_row_and_appended_to_later(
    tmp_path: Path, name: str, row_format: TickFormat
) -> None:
    path = tmp_path / name
    notes: list[str] = []
    sink = sink_of(path, row_format, note=notes.append)
    for first in (1, 3):  # copytruncate, more than once
        write(sink, first)
        os.truncate(path, 0)
        write(sink, first + 1)
    sink.close()
    assert sequences(path) == [4]
    assert [" was truncated " in note for note in notes] == [True, True]
    record(path, range(5, 7), row_format)
    assert sequences(path) == [4, 5, 6]


def test_a_file_truncated_in_the_middle_of_a_row_keeps_its_whole_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    notes: list[str] = []
    sink = sink_of(path, note=notes.append)
    write(sink, 1)
    whole = path.stat().st_size
    write(sink, 2)
    os.truncate(path, whole + 9)
    write(sink, 3)
    sink.close()
    assert sequences(path) == [1, 3]
    assert len(notes) == 2


def test_rows_that_went_into_a_file_just_truncated_get_their_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    sink = sink_of(path, note=lambda _: None)
    write(sink, *range(1, 9))
    rows = path.read_bytes().splitlines(keepends=True)
    os.truncate(path, 0)
    with path.open("ab") as file:  # as if the last write had come after the truncation
        file.write(rows[-1])
    write(sink, 9)
    sink.close()
    assert sequences(path) == [8, 9]


def test_what_happened_to_a_file_after_its_last_row_is_reported_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    notes: list[str] = []
    sink = sink_of(path, note=notes.append)
    write(sink, 1)
    path.unlink()
    sink.close()
    assert notes == [f"{path} was removed while it was being written"]
    assert not path.exists()


@pytest.mark.usefixtures("look_always")
@pytest.mark.parametrize("place", [Path.mkdir, lambda path: path.symlink_to(path.name)])
def test_what_takes_the_place_of_a_file_and_takes_no_rows_fails_the_output(
    tmp_path: Path, place: Callable[[Path], None]
) -> None:
    path = tmp_path / "a.csv"
    notes: list[str] = []
    sink = sink_of(path, note=notes.append)
    write(sink, 1)
    path.unlink()
    place(path)
    with pytest.raises(OutputError):
        write(sink, 2)
    assert notes == [f"{path} was removed while it was being written"]


@pytest.mark.usefixtures("look_always")
def test_a_file_that_is_moved_away_with_its_folder_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "day"
    folder.mkdir()
    sink = sink_of(folder / "a.csv", note=lambda _: None)
    write(sink, 1)
    folder.rename(tmp_path / "moved")
    folder.touch()
    with pytest.raises(OutputError):
        write(sink, 2)
    assert sequences(tmp_path / "moved" / "a.csv") == [1]


@pytest.mark.usefixtures("look_always")
@pytest.mark.parametrize("call", ["lseek", "fstat"])
def test_a_file_that_another_host_removed_is_begun_again(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    notes: list[str] = []
    sink = sink_of(path, note=notes.append)
    write(sink, 1)
    path.unlink()
    real = getattr(os, call)

    def fails_once(*_: object) -> None:
        monkeypatch.setattr(os, call, real)
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(os, call, fails_once)
    write(sink, 2)
    sink.close()
    assert sequences(path) == [2]
    assert len(notes) == 1


@pytest.mark.usefixtures("look_always")
@pytest.mark.parametrize("place", [os.mkfifo, lambda path: path.symlink_to("/dev/full")])
def test_a_pipe_or_device_in_the_place_of_a_file_is_not_waited_for(
    tmp_path: Path, place: Callable[[Path], None]
) -> None:
    path = tmp_path / "a.csv"
    sink = sink_of(path, note=lambda _: None)
    write(sink, 1)
    path.unlink()
    place(path)
    with pytest.raises(OutputError) as caught:
        write(sink, 2)
    assert caught.value.kind == "output-not-file"
    assert sink.rows == 1


@pytest.mark.usefixtures("look_always")
def test_a_folder_that_vanished_fails_the_output(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    sink = sink_of(folder / "a.csv", note=lambda _: None)
    write(sink, 1)
    (folder / "a.csv").unlink()
    folder.rmdir()
    with pytest.raises(OutputError, match="its folder does not exist"):
        write(sink, 2)
    sink.close()


@pytest.mark.usefixtures("look_always")
def test_what_others_append_is_not_a_change(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    sink = sink_of(path)
    write(sink, 1)
    with path.open("ab") as file:
        file.write(path.read_bytes().splitlines(keepends=True)[-1])
    write(sink, 2)
    sink.close()
    assert sequences(path) == [1, 1, 2]
