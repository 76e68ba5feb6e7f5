"""Inputs give their text in blocks, whatever they are packed in, and end when they are woken."""

from __future__ import annotations

import gzip
import os
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from ticks.adapter.errors import RecordingError
from ticks.adapter.files import inputs
from ticks.adapter.files.inputs import BLOCK, Input, TornInputError
from ticks.adapter.waker import Waker

TEXT = b"".join(b"line %d of a text that is long enough\n" % number for number in range(50_000))


@pytest.mark.parametrize(
    "packed",
    [
        lambda text: text,
        gzip.compress,
        lambda text: gzip.compress(text[:999]) + gzip.compress(text[999:]),
        lambda text: gzip.compress(text) + bytes(700),
    ],
    ids=["plain", "gzip", "two members", "padded"],
)
def test_the_text_comes_in_bounded_blocks(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a"
    path.write_bytes(packed(TEXT))
    source = Input(str(path))
    blocks = list(source.blocks())
    assert b"".join(blocks) == TEXT
    assert max(map(len, blocks)) <= BLOCK
    assert source.bytes_read == source.size() == path.stat().st_size


def test_a_torn_gzip_file_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content in (gzip.compress(TEXT)[:-9], gzip.compress(TEXT) + gzip.compress(TEXT)[:5]):
        path.write_bytes(content)
        blocks = []
        with pytest.raises(TornInputError, match="torn"):
            blocks.extend(Input(str(path)).blocks())
    path.write_bytes(gzip.compress(TEXT)[:900] + bytes(900))
    with pytest.raises(TornInputError, match="torn"):
        list(Input(str(path)).blocks())


@pytest.mark.parametrize("kept", [600, BLOCK + 17, -9, -1])
def test_a_torn_member_costs_nothing_of_what_is_joined_to_it(tmp_path: Path, kept: int) -> None:
    noise = os.urandom(200_000).hex().encode()
    torn = gzip.compress(noise)[:kept]
    path = tmp_path / "a"
    path.write_bytes(torn + gzip.compress(TEXT) + gzip.compress(b"end"))
    blocks: list[bytes] = []
    with pytest.raises(TornInputError, match="torn"):
        blocks.extend(Input(str(path)).blocks())
    found = b"".join(blocks)
    assert found.endswith(TEXT + b"end")
    assert noise.startswith(found.removesuffix(TEXT + b"end"))


@pytest.mark.parametrize("before_the_edge", [0, 1, 2, 3, 12, 60, 100])
def test_a_member_behind_a_torn_one_is_known_at_the_edge_of_a_block(
    tmp_path: Path, before_the_edge: int
) -> None:
    torn = gzip.compress(os.urandom(200_000).hex().encode())[: BLOCK - before_the_edge]
    path = tmp_path / "a"
    path.write_bytes(torn + gzip.compress(TEXT))
    blocks: list[bytes] = []
    with pytest.raises(TornInputError, match="torn"):
        blocks.extend(Input(str(path)).blocks())
    assert b"".join(blocks).endswith(TEXT)
    assert b"".join(blocks).count(TEXT[:100]) == 1


def test_a_compressed_text_that_is_written_in_small_pieces_is_read_as_it_comes() -> None:
    reading, writing = os.pipe()
    stdin = os.dup(inputs.STDIN_FD)
    os.dup2(reading, inputs.STDIN_FD)
    try:
        packer = zlib.compressobj(wbits=31)
        head = packer.compress(b"short\n") + packer.flush(zlib.Z_SYNC_FLUSH)
        blocks = Input("-").blocks()
        os.write(writing, head)
        assert next(blocks) == b"short\n"
        os.write(writing, packer.compress(b"more\n") + packer.flush())
        os.close(writing)
        assert b"".join(blocks) == b"more\n"
    finally:
        os.dup2(stdin, inputs.STDIN_FD)
        os.close(stdin)
        os.close(reading)


def test_plain_text_may_be_joined_to_a_compressed_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(TEXT) + b"plain\n" + TEXT)
    assert b"".join(Input(str(path)).blocks()) == TEXT + b"plain\n" + TEXT


def test_an_empty_file_has_no_size_and_no_text(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    source = Input(str(tmp_path / "a"))
    assert b"".join(source.blocks()) == b""
    assert source.size() is None


def test_what_cannot_be_read_is_reported_with_its_name(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(RecordingError, match=f"{path.name} cannot be read"):
            list(Input(str(path)).blocks())
    assert Input(str(tmp_path / "missing")).size() is None


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> int:
    """The writing end of what stands for standard input."""
    read_fd, write_fd = os.pipe()
    monkeypatch.setattr(inputs, "STDIN_FD", read_fd)
    return write_fd


def test_standard_input_is_given_as_it_comes(stdin: int) -> None:
    source = Input("-", waker=Waker())
    blocks = source.blocks()
    os.write(stdin, b"a")
    os.write(stdin, b"b")
    assert next(blocks) == b"ab"
    os.write(stdin, b"more")
    assert next(blocks) == b"more"
    os.close(stdin)
    assert list(blocks) == []
    assert (source.name, source.size(), source.bytes_read) == ("stdin", None, 6)


class Stop:
    """Asks for the end of a reading, as a signal handler does."""

    def __init__(self) -> None:
        self.waker = Waker()
        self.is_asked = False

    def __call__(self) -> None:
        self.is_asked = True
        self.waker.wake()

    def input(self, path: str) -> Input:
        return Input(path, waker=self.waker, is_stopping=lambda: self.is_asked)


def test_a_stop_ends_the_wait_for_standard_input(stdin: int) -> None:
    stop = Stop()
    os.write(stdin, b"some")
    blocks = stop.input("-").blocks()
    assert next(blocks) == b"some"
    threading.Timer(0.02, stop).start()
    assert list(blocks) == []
    os.close(stdin)


def test_a_wake_up_that_is_no_stop_does_not_end_standard_input(stdin: int) -> None:
    stop = Stop()
    blocks = stop.input("-").blocks()
    stop.waker.wake()  # as a stream of NATS does that is read with it
    threading.Timer(0.02, os.write, (stdin, b"some")).start()
    assert next(blocks) == b"some"
    os.close(stdin)
    assert list(blocks) == []


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_stop_ends_a_file_at_the_next_block(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = bytes(inputs.BLOCK * 20)
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    stop = Stop()
    blocks = stop.input(str(path)).blocks()
    next(blocks)
    stop()
    assert list(blocks) == []


def test_a_fifo_is_read_from_the_moment_that_somebody_writes_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    blocks = Input(str(tmp_path / "a"), waker=Waker()).blocks()
    thread = threading.Thread(target=(tmp_path / "a").write_bytes, args=(TEXT,))
    thread.start()
    assert b"".join(blocks) == TEXT
    thread.join()


@pytest.mark.parametrize("is_open", [False, True])
def test_a_stop_ends_the_wait_for_a_fifo(tmp_path: Path, is_open: bool) -> None:
    path = tmp_path / "a"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR) if is_open else None
    stop = Stop()
    threading.Timer(0.02, stop).start()
    assert b"".join(stop.input(str(path)).blocks()) == b""
    if writer is not None:
        os.close(writer)


def test_a_fifo_without_a_waker_is_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    thread = threading.Thread(target=(tmp_path / "a").write_bytes, args=(TEXT,))
    thread.start()
    assert b"".join(Input(str(tmp_path / "a")).blocks()) == TEXT
    thread.join()
