"""A file of events is read whole, torn or compressed; another file is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ticks.adapter.errors import RecordingError
from ticks.adapter.files.event_file import read_history
from ticks.adapter.history import History

LOST = b'{"at":"2026-11-20T10:00:00+05:30","connection":1,"event":"lost","cause":"network"}\n'
BACK = b'{"at":"2026-11-20T10:01:00+05:30","connection":1,"event":"recovered","blind_s":60.0}\n'


class Read:
    """Reads a file's history and keeps what was reported as damaged."""

    def __init__(self, folder: Path) -> None:
        self.damage: list[tuple[int, str]] = []
        self._path = folder / "events.jsonl"

    def of(self, content: bytes) -> History:
        self._path.write_bytes(content)
        return read_history(str(self._path), on_damage=self._keep)

    def _keep(self, name: str, line_number: int, reason: str) -> None:
        assert name == str(self._path)
        self.damage.append((line_number, reason))


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return Read(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        LOST + BACK,
        (LOST + BACK).removesuffix(b"\n"),
        (LOST + BACK).replace(b"\n", b"\r\n"),
        b"\n" + LOST + b"\n" + BACK,
        gzip.compress(LOST + BACK),
        gzip.compress(LOST) + gzip.compress(BACK),
        LOST + BACK + BACK[:40],
    ],
    ids=["plain", "no last end", "crlf", "empty lines", "gzip", "gzip members", "torn"],
)
def test_the_history_is_read(read: Read, content: bytes) -> None:
    assert [loss.cause for loss in read.of(content).losses] == ["network"]
    assert read.damage == []


def test_a_torn_gzip_gives_what_can_be_read(read: Read) -> None:
    torn = gzip.compress(LOST + BACK) + gzip.compress(LOST * 100)[:-20]
    assert read.of(torn).losses[0].cause == "network"


def test_a_line_that_is_no_event_is_reported_and_skipped(read: Read) -> None:
    assert len(read.of(b"begin\n" + LOST + b"damaged\n" + BACK).losses) == 1
    assert read.damage == [(1, "not an event of a stream"), (3, "not an event of a stream")]


def test_an_empty_file_is_a_stream_to_which_nothing_happened(read: Read) -> None:
    assert read.of(b"") == History()


@pytest.mark.parametrize("before", [b"", LOST, LOST + BACK])
def test_a_line_that_may_never_end_is_refused_and_not_kept(read: Read, before: bytes) -> None:
    with pytest.raises(RecordingError) as caught:
        read.of(before + b"x" * 1_400_000)
    line = before.count(b"\n") + 1
    assert (caught.value.kind, caught.value.values["line"]) == ("not-an-event", line)


@pytest.mark.parametrize("content", [b"received_at,ltp\n1,2\n", b"x\n" * 100_000, b"{}"])
def test_another_file_is_refused(read: Read, content: bytes) -> None:
    with pytest.raises(RecordingError) as caught:
        read.of(content)
    assert (caught.value.kind, caught.value.values["line"]) == ("not-an-event", 1)
    assert read.damage == []


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingError) as caught:
        read_history(str(tmp_path / "none.jsonl"), on_damage=lambda *_: None)
    assert caught.value.kind == "recording-unreadable"
