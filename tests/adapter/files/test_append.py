"""Outputs are opened, locked and written without harm."""

from __future__ import annotations

import errno
import fcntl
import os
import queue
import threading
from pathlib import Path

import pytest

from ticks.adapter.errors import OutputError, ReaderLeftError
from ticks.adapter.files import append
from ticks.adapter.files.append import (
    FileOutput,
    PartlyWrittenError,
    check_header,
    open_locked,
    output_error,
)
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.tick import Mode


def test_a_failed_write_says_how_much_went_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fd = os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    output = FileOutput(fd)
    real_write = os.write

    def two_bytes_then_full(target: int, data: memoryview) -> int:
        if output_size() >= 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(target, data[:2])

    def output_size() -> int:
        return os.fstat(fd).st_size

    monkeypatch.setattr(append.os, "write", two_bytes_then_full)
    with pytest.raises(PartlyWrittenError) as caught:
        output.write(b"abcdefgh")
    assert caught.value.written == output.bytes_written == 4
    output.cut(3)
    assert (tmp_path / "a").read_bytes() == b"a"
    assert output.bytes_written == 1
    output.close()


def test_an_output_that_would_block_is_waited_for() -> None:
    read_fd, write_fd = os.pipe()
    os.set_blocking(write_fd, False)
    capacity = fcntl.fcntl(write_fd, fcntl.F_GETPIPE_SZ)
    os.write(write_fd, bytes(capacity))
    output = FileOutput(write_fd)
    waits = 0

    def drain() -> None:
        nonlocal waits
        waits += 1
        assert len(os.read(read_fd, capacity)) == capacity

    output._wait_until_writable = drain  # type: ignore[method-assign]
    output.write(b"x" * (capacity + 10))
    assert waits == 2
    assert os.read(read_fd, 100) == b"x" * 10
    output.close()
    os.close(read_fd)


def test_where_no_locks_are_known_files_are_opened_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(append.fcntl, "flock", no_locks)
    os.close(open_locked(str(tmp_path / "a")))
    assert (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EISDIR, "is a folder"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "cannot be written"),
    ],
)
def test_a_system_error_names_output_and_reason(number: int, words: str) -> None:
    error = output_error("out.csv", OSError(number, os.strerror(number)))
    assert str(error).startswith("out.csv: ")
    assert words in str(error)
    assert os.strerror(number) in str(error)
    assert error.kind.startswith("output-")
    assert type(error) is OutputError


def test_a_link_that_leads_nowhere_names_the_folder_it_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "day.csv"
    link.symlink_to(tmp_path / "gone" / "day.csv")
    missing = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    error = output_error(str(link), missing)
    assert (error.kind, error.values["folder"]) == ("output-no-folder", str(tmp_path / "gone"))
    assert output_error("/proc/day.csv", missing).kind == "output-unwritable"


def test_a_broken_pipe_is_a_reader_that_left() -> None:
    assert isinstance(output_error("stdout", BrokenPipeError(errno.EPIPE, "")), ReaderLeftError)


def test_a_fifo_is_waited_for_and_that_is_said(tmp_path: Path) -> None:
    path, notes = tmp_path / "fifo", queue.Queue[str]()
    os.mkfifo(path)
    opened: list[int] = []
    waiting = threading.Thread(target=lambda: opened.append(open_locked(str(path), notes.put)))
    waiting.start()
    assert notes.get(timeout=20) == f"{path} has no reader yet; waiting for one"
    reader = os.open(path, os.O_RDONLY)
    waiting.join(20)
    again = open_locked(str(path), notes.put)  # a reader is there now
    assert notes.empty()
    assert os.get_blocking(again)
    for fd in (*opened, again, reader):
        os.close(fd)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (csv_header(Mode.LTP) + b"rows", "has the columns of mode ltp, not of mode quote"),
        (csv_header(Mode.SNAP), "has the columns of mode snap, not of mode quote"),
        (csv_header(Mode.LTP)[:-1], "has another header than the one to write: received_at"),
        (b"time,price\n1,2\n", "has another header than the one to write: time,price"),
    ],
)
def test_a_file_with_other_columns_is_refused_and_says_which(start: bytes, words: str) -> None:
    with pytest.raises(OutputError) as refused:
        check_header("day.csv", start, csv_header(Mode.QUOTE))
    assert refused.value.message.startswith(f"day.csv {words}")
    assert refused.value.kind == "output-other-header"
