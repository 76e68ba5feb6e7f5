"""Messages to a descriptor that nobody may be reading."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from waits import until

from ticks.cli.terminal import outlet as outlet_module
from ticks.cli.terminal.outlet import END_S, MOST_BYTES, Outlet, outlet_of, unblocked_stderr

DEADLINE_S = 20.0


class Pipe:
    """A pipe that can be filled; `read_all` empties it."""

    def __init__(self) -> None:
        self.reads, self.writes = os.pipe()

    def fill(self) -> int:
        """Bytes that it took."""
        os.set_blocking(self.writes, False)
        size = 0
        try:
            while True:
                size += os.write(self.writes, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(self.writes, True)
            return size

    def read(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            got += os.read(self.reads, size - len(got))
        return got

    def close(self) -> None:
        for fd in (self.reads, self.writes):
            os.close(fd)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_a_message_is_out_when_the_call_returns(pipe: Pipe) -> None:
    outlet = Outlet(pipe.writes)
    assert outlet.write(b"one\n") == 4
    assert pipe.read(4) == b"one\n"
    assert not outlet.is_stuck


def test_a_full_pipe_is_waited_for_once_and_then_no_more(pipe: Pipe) -> None:
    filled = pipe.fill()
    outlet = Outlet(pipe.writes)
    began_s = time.monotonic()
    for _ in range(100):
        outlet.write(b"later\n")
    assert time.monotonic() - began_s < 1.0
    assert outlet.is_stuck
    assert not outlet.drain(0.0)
    pipe.read(filled)
    assert outlet.drain(DEADLINE_S)
    assert not outlet.is_stuck
    assert pipe.read(600) == b"later\n" * 100


def test_what_does_not_fit_is_counted_and_the_count_is_written_when_it_flows_again(
    pipe: Pipe,
) -> None:
    filled = pipe.fill()
    outlet = Outlet(pipe.writes)
    line = b"y" * 999 + b"\n"
    for _ in range(MOST_BYTES // 1000 + 5):
        outlet.write(line)
    got = pipe.read(filled + MOST_BYTES // 1000 * 1000)
    assert got.count(b"\n") == MOST_BYTES // 1000
    note = b"ticks: 5 lines were left out here, because nothing was being read\n"
    assert pipe.read(len(note)) == note
    outlet.write(b"next\n")
    assert pipe.read(5) == b"next\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_stderr_that_cannot_be_written_is_no_error() -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        outlet = Outlet(full.fileno())
        outlet.write(b"lost\n")
        assert outlet.drain(DEADLINE_S)


def test_a_reader_that_left_is_no_error(pipe: Pipe) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    assert Outlet(writes).write(b"lost\n") == 5
    os.close(writes)


def test_the_thread_ends_when_nothing_is_written_and_the_next_message_starts_another(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlet_module, "_IDLE_S", 0.01)
    outlet = Outlet(pipe.writes)
    for _ in range(2):
        outlet.write(b"one\n")
        assert pipe.read(4) == b"one\n"
        until(lambda: all(thread.name != "messages" for thread in threading.enumerate()))


def test_a_file_is_written_without_a_thread(tmp_path: Path) -> None:
    threads = threading.active_count()
    with open(tmp_path / "log", "wb", buffering=0) as file:
        Outlet(file.fileno()).write(b"one\n")
    assert (tmp_path / "log").read_bytes() == b"one\n"
    assert threading.active_count() == threads


def test_a_descriptor_that_somebody_made_non_blocking_is_waited_for(pipe: Pipe) -> None:
    filled = pipe.fill()
    os.set_blocking(pipe.writes, False)
    outlet = Outlet(pipe.writes)
    outlet.write(b"later\n")
    pipe.read(filled)
    assert pipe.read(6) == b"later\n"


def test_at_the_limit_of_threads_messages_are_written_by_the_caller(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    Outlet(pipe.writes).write(b"one\n")
    assert pipe.read(4) == b"one\n"


def test_all_that_is_printed_on_stderr_goes_through_the_outlet(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.dup(pipe.writes), "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with unblocked_stderr():
            assert outlet_of(sys.stderr) is outlet_of(sys.stderr)
            print("one ✓ \udcff", file=sys.stderr)
            assert pipe.read(14) == "one ✓ \\udcff\n".encode()[:14]
        assert sys.stderr is stream
        assert outlet_of(stream) is not outlet_of(stream)


def test_the_end_waits_for_a_stuck_stderr_only_for_a_moment(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe.fill()
    with open(os.dup(pipe.writes), "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        began_s = time.monotonic()
        with unblocked_stderr():
            print("lost", file=sys.stderr)
        assert time.monotonic() - began_s < END_S + 1.0
        assert fcntl.fcntl(pipe.writes, fcntl.F_GETFL) & os.O_NONBLOCK == 0, "shared with others"
