"""Events to a file at once, to a FIFO when it has a reader, to nobody without a wait."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ticks.adapter.clock import SystemClock
from ticks.adapter.errors import OutputError
from ticks.adapter.event_log import EventLog
from ticks.adapter.events import Connected, Malformed, Stopped
from ticks.cli.terminal import event_writer
from ticks.cli.terminal.event_writer import EventWriter

DEADLINE_S = 20.0


@pytest.fixture
def log() -> EventLog:
    return EventLog(SystemClock(), most_events=5)


@pytest.fixture
def said() -> list[str]:
    return []


Made = Callable[[str], EventWriter]


@pytest.fixture
def writer(log: EventLog, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    monkeypatch.setattr(event_writer, "_WRITES_APART_S", 0.001)
    begun: list[EventWriter] = []

    def made(path: str) -> EventWriter:
        begun.append(EventWriter(path, log.reader(), said.append))
        begun[-1].begin()
        return begun[-1]

    yield made
    for each in begun:
        each.end()


def ended(writer: EventWriter, within_s: float = DEADLINE_S) -> None:
    writer.end()
    writer.join(within_s)


def test_what_is_logged_until_the_end_is_written(
    writer: Made, log: EventLog, said: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    running = writer(str(path))
    log.add(Connected())
    log.add(Stopped())
    ended(running)
    assert [line.split('"')[9] for line in path.read_text().splitlines()] == [
        "connected",
        "stopped",
    ]
    assert (said, running.failure) == ([], None)


def test_a_file_that_cannot_be_opened_ends_the_command_before_it_begins(
    writer: Made, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="its folder does not exist"):
        writer(str(tmp_path / "nowhere" / "events.jsonl"))


def test_a_full_disk_is_reported_at_once_and_is_the_failure(
    writer: Made, log: EventLog, said: list[str]
) -> None:
    running = writer("/dev/full")
    log.add(Connected())
    ended(running)
    assert running.failure is not None
    assert len(said) == 1
    assert said[0].startswith("the events can no longer be written: /dev/full: the disk is full")


def test_a_fifo_that_nobody_opens_is_reported_and_not_waited_for(
    writer: Made, log: EventLog, said: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    running = writer(str(path))
    log.add(Connected())
    began_s = time.monotonic()
    ended(running, within_s=0.1)
    assert time.monotonic() - began_s < 2.0
    waiting, end = said
    assert waiting == f"{path} has no reader yet; waiting for one"
    assert end == f"{path} is not being read: 1 event not written"
    os.close(os.open(path, os.O_RDONLY))  # lets the thread go


def test_a_fifo_gets_all_events_once_it_is_read_and_the_count_of_those_that_did_not_fit(
    writer: Made, log: EventLog, said: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    running = writer(str(path))
    for number in range(8):
        log.add(Malformed(number))
    reading = os.open(path, os.O_RDONLY)
    assert select.select([reading], [], [], DEADLINE_S)[0]
    ended(running)
    lines = os.read(reading, 65_536).decode().splitlines()
    os.close(reading)
    assert [line.count('"malformed"') > 0 for line in lines] == [True] * 5 + [False]
    assert '"events_dropped","events":3' in lines[-1]
    assert all("has no reader yet" in line for line in said)  # unless the reader was faster


def test_a_mistake_of_ours_is_raised_and_not_hidden_in_the_thread(
    writer: Made, log: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = writer(str(tmp_path / "events.jsonl"))

    def fail(_event: Connected) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(event_writer.EventWriter, "_write", fail)
    with pytest.raises((ZeroDivisionError, TypeError)):
        ended(running)
