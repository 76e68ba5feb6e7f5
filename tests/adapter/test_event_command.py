"""The command that is run for events: real shells, with limits that a test can wait for."""

from __future__ import annotations

import json
import shlex
import threading
import time
from pathlib import Path

import pytest
from processes import is_running
from waits import until

from ticks.adapter import event_command
from ticks.adapter.event_command import EventCommand
from ticks.adapter.events import (
    Connected,
    FeedEvent,
    GaveUp,
    LogEntry,
    Lost,
    Recovered,
    Silent,
    Waiting,
)

GAVE_UP = GaveUp("silence", "no data", attempts=3, blind_s=9.5)


def entry(event: FeedEvent, number: int = 0) -> LogEntry:
    return LogEntry(1_795_146_300_000_001_000 + number * 1_000_000, 1, event)


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_the_event_comes_as_json_on_standard_input(tmp_path: Path) -> None:
    out, notes = tmp_path / "a b.jsonl", list[str]()
    told = [Lost("silence", "“no data”", 1006), Silent(30.5), Recovered("silence", blind_s=3.25)]
    with EventCommand(f"cat >> {shlex.quote(str(out))}", notes.append) as command:
        for number, event in enumerate([*told, GAVE_UP]):
            command.enqueue(entry(event, number))
    assert lines(out) == [entry(event, n).to_json() for n, event in enumerate([*told, GAVE_UP])]
    assert json.loads(lines(out)[0])["event"] == "lost"
    assert notes == []


def test_other_events_run_no_command(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with EventCommand(f"cat >> {out}", print) as command:
        command.enqueue(entry(Connected(1)))
        command.enqueue(entry(Waiting("silence", attempt=1, max_attempts=3, delay_s=1.0)))
    assert not out.exists()


def test_one_runs_at_a_time_and_telling_never_waits(tmp_path: Path) -> None:
    out, go_on = tmp_path / "out", tmp_path / "go on"
    script = (
        f"echo begun >> {out}; while [ ! -e '{go_on}' ]; do sleep 0.02; done; echo done >> {out}"
    )
    with EventCommand(script, print) as command:
        began_s = time.monotonic()
        for number in range(3):
            command.enqueue(entry(Silent(30.0), number))
        assert time.monotonic() - began_s < 0.5
        until(lambda: lines(out) == ["begun"])
        go_on.touch()
        until(lambda: len(lines(out)) == 6)
    assert lines(out) == ["begun", "done"] * 3


def test_of_too_many_the_oldest_are_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_command, "MOST_WAITING", 3)
    out, go_on, notes = tmp_path / "out", tmp_path / "go", list[str]()
    script = f"cat >> {out}; while [ ! -e {go_on} ]; do sleep 0.02; done"
    with EventCommand(script, notes.append) as command:
        command.enqueue(entry(Silent(0.0)))
        until(lambda: len(lines(out)) == 1)
        for number in range(1, 11):
            command.enqueue(entry(Silent(float(number))))
        go_on.touch()
    assert [json.loads(line)["silence_s"] for line in lines(out)] == [0, 8, 9, 10]
    assert notes == ["the event command was not run for 7 of the events"]


def test_one_that_hangs_is_killed_with_what_it_started_and_the_next_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_command, "LONGEST_S", 0.5)
    pids, notes = tmp_path / "pids", list[str]()
    script = f"echo $$ >> {pids}; sleep 1000 & echo $! >> {pids}; wait"
    with EventCommand(script, notes.append) as command:
        command.enqueue(entry(Lost("silence")))
        command.enqueue(entry(GAVE_UP))
        until(lambda: len(notes) == 2)
    assert notes == [
        "the event command was killed after 0.5 s (lost)",
        "the event command was killed after 0.5 s (gave_up)",
    ]
    assert len(lines(pids)) == 4
    until(lambda: not any(is_running(int(pid)) for pid in lines(pids)))


def test_the_end_waits_for_a_moment_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_command, "GRACE_S", 0.3)
    before = set(threading.enumerate())
    pids, notes = tmp_path / "pids", list[str]()
    with EventCommand(f"echo $$ >> {pids}; sleep 1000", notes.append) as command:
        command.enqueue(entry(Lost("silence")))
        command.enqueue(entry(GAVE_UP))
        until(lambda: len(lines(pids)) == 1)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 2.0
    assert notes == [
        "the event command was killed, as the stream has ended (lost)",
        "the event command was not run for 1 of the events",
    ]
    until(lambda: not is_running(int(lines(pids)[0])))
    until(lambda: set(threading.enumerate()) <= before)


def test_the_last_event_runs_its_command_before_the_end(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with EventCommand(f"sleep 0.3; cat > {out}", print) as command:
        command.enqueue(entry(GAVE_UP))
    assert lines(out) == [entry(GAVE_UP).to_json()]


@pytest.mark.parametrize(
    ("script", "note"),
    [
        ("exit 3", "failed with exit code 3"),
        ("no-such-command-anywhere", "failed with exit code 127"),
        ("a\0b", "could not be started"),
        ("true", None),
        ("exec <&-; sleep 0.05", None),
    ],
)
def test_a_command_that_fails_is_reported_and_the_stream_goes_on(
    script: str, note: str | None
) -> None:
    notes: list[str] = []
    with EventCommand(script, notes.append) as command:
        command.enqueue(entry(Lost("silence", "x" * 10_000)))
    assert len(notes) == (note is not None)
    assert all(note is not None and note in each for each in notes)


def test_what_it_prints_is_not_data(capfd: pytest.CaptureFixture[str]) -> None:
    with EventCommand("echo data; echo words >&2", print) as command:
        command.enqueue(entry(Lost("silence")))
    assert capfd.readouterr() == ("", "")


def test_where_no_thread_is_left_a_command_is_not_run_and_the_next_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, notes = tmp_path / "out", list[str]()

    class NoMore(threading.Timer):
        def start(self) -> None:
            monkeypatch.undo()
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading, "Timer", NoMore)
    with EventCommand(f"cat >> {out}", notes.append) as command:
        command.enqueue(entry(Silent(1)))
        command.enqueue(entry(Silent(2)))
    assert lines(out) == [entry(Silent(2)).to_json()]
    assert notes == ["the event command could not be started: can't start new thread (silent)"]
