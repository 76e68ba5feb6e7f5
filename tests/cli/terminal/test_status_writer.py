"""The status of a stream on a disk that may hang."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from waits import until

from ticks.adapter.snapshot import FeedSnapshot
from ticks.adapter.status_file import StatusFile
from ticks.cli.terminal.status_writer import StatusWriter

DEADLINE_S = 20.0


def ended(writer: StatusWriter, within_s: float = DEADLINE_S) -> None:
    writer.end()
    writer.join(within_s)


def test_the_newest_snapshot_is_shown_until_the_end(tmp_path: Path, live: FeedSnapshot) -> None:
    writer = StatusWriter(StatusFile(tmp_path, pid=7), [].append)
    writer.begin()
    writer.show(live)
    until((tmp_path / "7.json").exists)
    ended(writer)
    assert not list(tmp_path.iterdir())


def test_where_it_cannot_be_shown_that_is_said_once(tmp_path: Path, live: FeedSnapshot) -> None:
    said: list[str] = []
    (tmp_path / "file").write_text("")
    writer = StatusWriter(StatusFile(tmp_path / "file", pid=7), said.append)
    writer.begin()
    writer.show(live)
    until(lambda: bool(said))
    writer.show(live)
    ended(writer)
    assert len(said) == 1
    assert said[0].startswith("other programs cannot see this stream: the status file")


def test_a_disk_that_hangs_is_not_waited_for(
    tmp_path: Path, live: FeedSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = StatusFile(tmp_path, pid=7)
    os.mkfifo(tmp_path / "hung")
    begun = threading.Event()

    def hang(_snapshot: FeedSnapshot) -> None:
        begun.set()
        os.close(os.open(tmp_path / "hung", os.O_WRONLY))

    monkeypatch.setattr(status, "replace", hang)
    writer = StatusWriter(status, [].append)
    writer.begin()
    writer.show(live)
    assert begun.wait(DEADLINE_S)
    began_s = time.monotonic()
    ended(writer, within_s=0.1)
    assert time.monotonic() - began_s < 2.0
    os.close(os.open(tmp_path / "hung", os.O_RDONLY))  # lets the thread go
