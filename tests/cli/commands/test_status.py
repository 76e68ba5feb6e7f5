"""`ticks status`, `stop`, `add` and `drop` against a control server of this process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ticks.adapter.control import ControlServer
from ticks.adapter.control_messages import Add, Change, Drop, Reply, sent
from ticks.adapter.errors import (
    NoStreamError,
    OutputError,
    UnknownSymbolError,
    UsageError,
)
from ticks.adapter.events import Summary
from ticks.adapter.snapshot import FeedSnapshot
from ticks.adapter.status_file import StatusFile
from ticks.cli.commands.status import add, drop, status, stop
from ticks.cli.exit_codes import ExitCode, exit_code_of, message_for

SUMMARY = Summary(7, 1, 8.0, 0, 0.0, 0, 0, 0, 0, {"a.csv": 7})


class Stream:
    """A stream that answers what the test says, and ends as soon as it is asked to."""

    def __init__(self, folder: Path, snapshot: FeedSnapshot) -> None:
        self.asked: list[Change] = []
        self.reply: Reply | Callable[[], Reply] = Reply()
        self.last = Reply(summary=SUMMARY.facts())
        StatusFile(folder).replace(snapshot)
        self.server = ControlServer(folder, stop=self.end, change=self.change)
        self.server.open()

    def change(self, change: Change) -> Reply:
        self.asked.append(change)
        return self.reply if isinstance(self.reply, Reply) else self.reply()

    def end(self) -> None:
        """On the server's own thread, which `close` would join."""
        import threading

        threading.Thread(target=self.server.close, args=(self.last,)).start()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TICKS_HOME", str(tmp_path))
    return tmp_path / "run"


@pytest.fixture
def stream(folder: Path, snapshot: FeedSnapshot) -> Iterator[Stream]:
    running = Stream(folder, snapshot)
    yield running
    running.server.close()


@pytest.fixture
def snapshot(live: FeedSnapshot) -> FeedSnapshot:
    return live


def test_status_lists_what_runs(stream: Stream, capsys: pytest.CaptureFixture[str]) -> None:
    status()
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split()[:2] == [str(os.getpid()), "live"]
    assert err == ""
    status(as_json=True)
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["pid"], found["phase"]) == (os.getpid(), "live")


def test_without_a_stream_the_list_is_empty_and_that_is_not_a_fault(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status()
    assert capsys.readouterr() == ("", "no stream is running\n")
    status(as_json=True)
    assert json.loads(capsys.readouterr().out) == []


def test_stop_waits_for_the_end_and_prints_the_summary(
    stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    stop()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"stream {os.getpid()} has ended: 7 ticks · 1 instrument")


def test_a_stream_that_ends_badly_makes_stop_fail_like_the_stream(
    stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = OutputError("the disk is full", kind="output-disk-full")
    stream.last = Reply(summary=SUMMARY.facts(), error=sent(fault))
    with pytest.raises(OutputError) as caught:
        stop(os.getpid())
    assert caught.value.kind == "output-disk-full"
    assert "7 ticks" in capsys.readouterr().out


def test_what_was_added_goes_to_stdout_and_what_to_know_to_stderr(
    stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    stream.reply = Reply(("NSE:SBIN-EQ", "NSE:TCS-EQ"), ("NSE:Nifty 50",), ("ZOMATO is ETERNAL",))
    add(["SBIN", "TCS", " ", "NIFTY"])
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "added NSE:SBIN-EQ",
        "added NSE:TCS-EQ",
        "already subscribed: NSE:Nifty 50",
    ]
    assert err == "ticks: ZOMATO is ETERNAL\n"
    assert stream.asked == [Add(("SBIN", "TCS", "NIFTY"))]


def test_what_was_dropped_is_printed(stream: Stream, capsys: pytest.CaptureFixture[str]) -> None:
    stream.reply = Reply(("NSE:SBIN-EQ",))
    drop(["SBIN"], pid=os.getpid())
    assert capsys.readouterr().out == "dropped NSE:SBIN-EQ\n"
    assert stream.asked == [Drop(("SBIN",))]


@pytest.mark.parametrize("command", [add, drop])
def test_a_refusal_of_the_stream_is_this_command_s(
    stream: Stream, command: Callable[[list[str]], None]
) -> None:
    def refuse() -> Reply:
        raise UnknownSymbolError("nothing is called 'X'", kind="symbol-unknown", typed="X")

    stream.reply = refuse
    with pytest.raises(UnknownSymbolError) as caught:
        command(["X"])
    assert exit_code_of(caught.value) is ExitCode.SYMBOL
    assert "ticks find" in message_for(caught.value)


@pytest.mark.parametrize("command", [add, drop])
@pytest.mark.parametrize("names", [[" "], ["SBIN,TCS"], ["help"]])
def test_names_are_checked_before_anybody_is_asked(
    stream: Stream, command: Callable[[list[str]], None], names: list[str]
) -> None:
    with pytest.raises(UsageError):
        command(names)
    assert stream.asked == []


def test_without_a_stream_there_is_nobody_to_ask(folder: Path) -> None:
    for ask in (stop, lambda: add(["SBIN"]), lambda: drop(["SBIN"]), lambda: stop(1)):
        with pytest.raises(NoStreamError) as caught:
            ask()
        assert exit_code_of(caught.value) is ExitCode.BROKER


def test_of_several_streams_one_must_be_named(stream: Stream, folder: Path) -> None:
    StatusFile(folder, os.getppid()).path.write_text("{}")
    for ask in (stop, lambda: add(["SBIN"]), lambda: drop(["SBIN"])):
        with pytest.raises(UsageError) as caught:
            ask()
        assert exit_code_of(caught.value) is ExitCode.USAGE
        assert str(os.getpid()) in message_for(caught.value)
        assert str(os.getppid()) in message_for(caught.value)
    add(["SBIN"], pid=os.getpid())
    assert stream.asked == [Add(("SBIN",))]
