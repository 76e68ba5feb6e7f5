"""What a running stream shows to other processes, and what a dead one leaves behind."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from processes import gone_pid

from ticks.adapter.errors import OutputError
from ticks.adapter.snapshot import FeedSnapshot
from ticks.adapter.status_file import (
    STALE_AFTER_S,
    RunningStream,
    StatusFile,
    running_streams,
)


def test_a_running_stream_is_seen_with_its_snapshot(tmp_path: Path, snapshot: FeedSnapshot) -> None:
    folder = tmp_path / "state" / "run"
    StatusFile(folder).replace(snapshot)
    assert running_streams(folder, time.time()) == [RunningStream(os.getpid(), snapshot)]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_each_replacement_is_whole_and_leaves_no_draft(
    tmp_path: Path, snapshot: FeedSnapshot
) -> None:
    status = StatusFile(tmp_path)
    for ticks in range(3):
        status.replace(replace(snapshot, ticks=ticks))
        assert json.loads(status.path.read_text(encoding="utf-8"))["ticks"] == ticks
    assert list(tmp_path.iterdir()) == [status.path]


def test_at_the_end_nothing_is_left(tmp_path: Path, snapshot: FeedSnapshot) -> None:
    status = StatusFile(tmp_path)
    status.replace(snapshot)
    status.remove()
    status.remove()
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_a_dead_process_is_not_a_stream_and_is_removed(
    tmp_path: Path, snapshot: FeedSnapshot
) -> None:
    dead = StatusFile(tmp_path, pid=gone_pid())
    dead.replace(snapshot)
    assert running_streams(tmp_path, time.time()) == []
    assert not dead.path.exists()


def test_a_file_that_nobody_replaces_is_not_a_stream(
    tmp_path: Path, snapshot: FeedSnapshot
) -> None:
    StatusFile(tmp_path).replace(snapshot)
    assert running_streams(tmp_path, time.time() + STALE_AFTER_S + 1) == []


def test_files_of_others_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}", encoding="utf-8")
    assert running_streams(tmp_path, time.time()) == []
    assert running_streams(tmp_path / "absent", time.time()) == []


@pytest.mark.parametrize(
    "text", ["", "{half", "[]", "{}", '{"phase": "dancing"}', "[" * 100_000, "\xff"]
)
def test_a_status_that_cannot_be_read_is_a_stream_without_one(tmp_path: Path, text: str) -> None:
    (tmp_path / f"{os.getpid()}.json").write_text(text, encoding="latin-1")
    assert running_streams(tmp_path, time.time()) == [RunningStream(os.getpid(), None)]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, snapshot: FeedSnapshot) -> None:
    (tmp_path / "run").write_text("a file where a folder should be", encoding="utf-8")
    status = StatusFile(tmp_path / "run")
    with pytest.raises(OutputError, match="run") as caught:
        status.replace(snapshot)
    assert caught.value.kind == "status-unwritable"
    assert caught.value.values == {"path": str(status.path)}


def test_what_is_not_a_file_is_waited_for_by_nobody(tmp_path: Path, snapshot: FeedSnapshot) -> None:
    status = StatusFile(tmp_path)
    os.mkfifo(status.path.with_suffix(".tmp"))
    status.replace(snapshot)
    assert running_streams(tmp_path, time.time()) == [RunningStream(os.getpid(), snapshot)]
    status.remove()
    os.mkfifo(status.path)
    assert running_streams(tmp_path, time.time()) == []


@pytest.mark.parametrize(
    "damage", ["[" * 100_000, '{"ticks": %s}' % ("9" * 5_000), "\ud800", "null", "1e999"]
)
def test_a_status_that_nobody_can_read_is_a_stream_without_one(tmp_path: Path, damage: str) -> None:
    (tmp_path / f"{os.getpid()}.json").write_text(damage, errors="surrogatepass")
    assert running_streams(tmp_path, time.time()) == [RunningStream(os.getpid(), None)]


def test_whatever_a_dead_process_left_is_removed_and_nothing_else(
    tmp_path: Path, snapshot: FeedSnapshot
) -> None:
    pid = gone_pid()
    for name in (f"{pid}.json", f"{pid}.tmp", f"{pid}.sock", f"{pid}.txt", "a.sock", "٣.json"):
        (tmp_path / name).write_text("")
    StatusFile(tmp_path).replace(snapshot)
    (tmp_path / f"{os.getpid()}.sock").write_text("")
    assert [each.pid for each in running_streams(tmp_path, time.time())] == [os.getpid()]
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"{os.getpid()}.json", f"{os.getpid()}.sock"),
        *(f"{pid}.txt", "a.sock", "٣.json"),
    }
