"""Two terminals: a stream in one, which is shown, changed and ended from the other."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter.simulator.simulator import Simulator
from ticks.cli.view.figures import counted

from .conftest import TICKS, Begun

Until = Callable[[Callable[[], bool]], None]
Live = Callable[[int], None]


def symbols(path: Path) -> set[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["symbol"] for row in csv.DictReader(file)}


def events(path: Path, *names: str) -> list[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [event for event in map(json.loads, lines) if event["event"] in names]


@pytest.fixture
def live(until: Until, tmp_path: Path) -> Live:
    """Wait until a stream has ticks, and others see it."""

    def wait(pid: int) -> None:
        path = tmp_path / "home" / "run" / f"{pid}.json"
        until(lambda: path.exists() and json.loads(path.read_bytes())["ticks"] > 0)

    return wait


@pytest.fixture
def stream(begun: Begun, live: Live) -> subprocess.Popen[str]:
    """NIFTY and RELIANCE into out.csv, live and to be reached."""
    arguments = ("stream", "NIFTY", "RELIANCE", "--csv", "out.csv", "--events", "events.jsonl")
    process = begun(*arguments)
    live(process.pid)
    return process


def test_a_stream_is_seen_and_ended_from_another_terminal(
    stream: subprocess.Popen[str], ticks: Any, tmp_path: Path
) -> None:
    seen = ticks("status")
    assert (seen.returncode, len(seen.stdout.splitlines())) == (0, 2)
    assert str(stream.pid) in seen.stdout
    ended = ticks("stop")
    assert ended.returncode == 0
    assert ended.stdout.startswith(f"stream {stream.pid} has ended: ")
    assert stream.wait(20) == 0
    rows = len((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()) - 1
    assert f"out.csv {counted(rows, 'row')}" in ended.stdout
    assert list((tmp_path / "home" / "run").iterdir()) == []
    assert ticks("status", "--json").stdout == "[]\n"


def test_what_is_added_and_dropped_is_in_the_recording_and_in_the_history(
    stream: subprocess.Popen[str], ticks: Any, until: Until, simulator: Simulator, tmp_path: Path
) -> None:
    out, history = tmp_path / "out.csv", tmp_path / "events.jsonl"
    added = ticks("add", "SBIN", "nifty", "--pid", str(stream.pid))
    assert added.stdout == "added NSE:SBIN-EQ\nalready subscribed: NSE:Nifty 50\n"
    until(lambda: "SBIN-EQ" in symbols(out))
    assert ticks("drop", "RELIANCE").stdout == "dropped NSE:RELIANCE-EQ\n"
    simulator.inject("0s:drop")
    until(lambda: len(simulator.journal.connections) == 2)
    second = simulator.journal.connections[1]
    until(lambda: second.packet_count > 50)
    tokens = {packet.packet[2:27].rstrip(b"\0") for packet in list(second.packets)}
    assert tokens == {b"99926000", b"3045"}
    ended = ticks("stop", str(stream.pid))
    assert " 2 instruments " in ended.stdout
    assert "malformed" in ended.stdout
    assert " 0 malformed" in ended.stdout
    assert "foreign" not in ended.stdout
    told = events(history, "added", "removed")
    assert [(each["event"], each["symbols"]) for each in told] == [
        ("added", ["NSE:SBIN-EQ"]),
        ("removed", ["NSE:RELIANCE-EQ"]),
    ]
    assert symbols(out) == {"Nifty 50", "RELIANCE-EQ", "SBIN-EQ"}


def test_a_refusal_has_its_exit_code_and_leaves_the_stream_unharmed(
    stream: subprocess.Popen[str], ticks: Any, until: Until, tmp_path: Path
) -> None:
    for arguments, code, words in (
        (("add", "SBIN", "RELAINCE"), 4, "NSE:RELIANCE-EQ"),
        (("drop", "SBIN"), 4, "not subscribed"),
        (("drop", "NIFTY", "RELIANCE"), 4, "ticks stop"),
        (("stop", "1"), 5, "1 is not a running stream"),
        (("add", "SBIN", "--pid", str(os.getpid())), 5, "ticks status"),
        (("stop", "ten"), 2, "'ten'"),
        (("add",), 2, "SYMBOL"),
    ):
        ran = ticks(*arguments)
        assert (ran.returncode, ran.stdout) == (code, ""), arguments
        assert words in ran.stderr
    assert stream.poll() is None
    size = (tmp_path / "out.csv").stat().st_size
    until(lambda: (tmp_path / "out.csv").stat().st_size > size)
    assert events(tmp_path / "events.jsonl", "added", "removed") == []


def test_without_a_stream_it_is_reported_and_with_several_one_must_be_named(
    begun: Begun, ticks: Any, live: Live
) -> None:
    assert ticks("status").returncode == 0
    assert [ticks(*each).returncode for each in (("stop",), ("add", "X"), ("drop", "X"))] == [5] * 3
    pids = []
    for name in ("a.csv", "b.csv"):
        pids.append(begun("stream", "NIFTY", "--csv", name).pid)
        live(pids[-1])
    pids.sort()
    for arguments in (("stop",), ("add", "SBIN"), ("drop", "NIFTY")):
        ran = ticks(*arguments)
        assert ran.returncode == 2
        assert f"2 streams are running: {pids[0]}, {pids[1]}" in ran.stderr
    assert ticks("add", "SBIN", "--pid", str(pids[1])).returncode == 0
    assert [ticks("stop", str(pid)).returncode for pid in pids] == [0, 0]


def test_what_a_killed_stream_leaves_is_not_an_obstacle(
    stream: subprocess.Popen[str], begun: Begun, ticks: Any, tmp_path: Path, live: Live
) -> None:
    run = tmp_path / "home" / "run"
    stream.kill()
    stream.wait(20)
    assert {path.suffix for path in run.iterdir()} >= {".json", ".sock"}
    assert ticks("stop", str(stream.pid)).returncode == 5
    assert ticks("stop").returncode == 5
    assert list(run.iterdir()) == []
    other = begun("stream", "NIFTY", "--csv", "other.csv")
    live(other.pid)
    assert ticks("stop").returncode == 0


def test_a_stream_that_ends_with_an_error_makes_stop_fail_with_its_code(
    begun: Begun, ticks: Any, live: Live
) -> None:
    process = begun("stream", "NIFTY", "--csv", "out.csv", "--events", "/dev/full")
    live(process.pid)
    ended = ticks("stop")
    assert (ended.returncode, process.wait(20)) == (6, 6)
    assert "has ended" in ended.stdout


def test_where_the_path_is_too_long_for_a_socket_the_stream_runs_and_says_so(
    begun: Begun, ticks: Any, until: Until, tmp_path: Path
) -> None:
    home = {"TICKS_HOME": str(tmp_path / ("x" * 120))}
    process = begun("stream", "NIFTY", "--csv", "out.csv", more=home)

    path = Path(home["TICKS_HOME"]) / "run" / f"{process.pid}.json"
    until(path.exists)
    assert f"{process.pid} " in ticks("status", more=home).stdout
    ran = ticks("stop", str(process.pid), more=home)
    assert ran.returncode == 5
    assert f"kill {process.pid}" in ran.stderr
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "cannot be controlled" in err


def test_a_stop_ends_a_stream_whose_pipe_nobody_reads_as_soon_as_somebody_does(
    begun: Begun, ticks: Any, environ: dict[str, str], tmp_path: Path, live: Live
) -> None:
    process = begun("stream", "NIFTY", "RELIANCE", "--csv", "-")
    live(process.pid)
    asker = subprocess.Popen(
        [TICKS, "stop"], env=environ, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    out, _ = process.communicate(timeout=30)
    said, _ = asker.communicate(timeout=30)
    assert (process.returncode, asker.returncode) == (0, 0)
    assert f"stdout {counted(len(out.splitlines()) - 1, 'row')}" in said


def test_a_chain_is_streamed_from_the_line_a_list_and_another_terminal(
    begun: Begun, ticks: Any, until: Until, tmp_path: Path, live: Live
) -> None:
    (tmp_path / "list.txt").write_text("SENSEX chain 1\nNIFTI chain 1\n", encoding="utf-8")
    arguments = ("--from", "list.txt", "--csv", "out.csv", "--events", "events.jsonl")
    process = begun("stream", "NIFTY chain 2", *arguments)
    history = tmp_path / "events.jsonl"
    until(lambda: len(events(history, "added")) >= 2)
    live(process.pid)
    told = events(history, "added")
    assert sorted(len(each["symbols"]) for each in told)[:2] == [6, 10]
    subscribed = events(history, "subscribed")
    assert subscribed[0]["instruments"] == 2, "a strike was asked for before the spot was known"
    note = ticks("add", "BANKNIFTY chain 1").stderr
    assert "BANKNIFTY chain 1: the strikes of" in note
    until(lambda: len(events(history, "added")) >= 4)
    dropped = ticks("drop", "nifty chain 2").stdout.splitlines()
    assert len(dropped) >= 10
    assert all(line.startswith("dropped NFO:NIFTY") for line in dropped)
    assert "1 name skipped" in ticks("stop").stdout
    assert {"Nifty 50", "SENSEX", "Nifty Bank"} <= symbols(tmp_path / "out.csv")


def test_the_parts_of_a_chain_are_each_strike_once_and_the_spot_in_each(
    ticks: Any, tmp_path: Path
) -> None:
    added: list[list[str]] = []
    for part in (1, 2):
        arguments = ("--shard", f"{part}/2", "--csv", f"{part}.csv", "--events", f"{part}.jsonl")
        ticks("stream", "NIFTY chain 3", *arguments, "--duration", "2s")
        found = events(tmp_path / f"{part}.jsonl", "added")
        added.append([symbol for event in found for symbol in event["symbols"]])
        assert "Nifty 50" in symbols(tmp_path / f"{part}.csv")
    assert set(added[0]).isdisjoint(added[1])
    assert len(added[0]) + len(added[1]) >= 14


@pytest.fixture
def silent_broker() -> Iterator[Simulator]:
    with Simulator(rate=50, seed=11, faults=["1s:drop", "connect:refuse:503x9"]) as running:
        yield running


def test_a_command_is_run_for_what_happens_to_the_feed(
    ticks: Any, silent_broker: Simulator, tmp_path: Path
) -> None:
    """The last event of all is told too."""
    broker = silent_broker.environment()
    with subprocess.Popen(["true"]):
        pass
    ran = ticks(
        "stream",
        "NIFTY",
        *("--csv", "out.csv", "--max-attempts", "1", "--backoff-max", "100ms"),
        *("--on-event", "cat >> told.jsonl; echo noise; echo noise >&2"),
        more={**broker, "TICKS_HOME": str(tmp_path / "other")},
    )
    assert ran.returncode == 5
    assert "noise" not in ran.stdout + ran.stderr
    told = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    assert [each["event"] for each in told] == ["lost", "lost", "gave_up"]


def test_a_hanging_command_delays_neither_the_ticks_nor_the_end(
    begun: Begun, ticks: Any, until: Until, simulator: Simulator, tmp_path: Path, live: Live
) -> None:
    process = begun(
        *("stream", "NIFTY", "--csv", "out.csv", "--on-event", "echo $$ > pid; exec sleep 1000")
    )
    live(process.pid)
    simulator.inject("0s:drop")
    until(lambda: len(simulator.journal.connections) == 2)
    until((tmp_path / "pid").exists)
    size = (tmp_path / "out.csv").stat().st_size
    until(lambda: (tmp_path / "out.csv").stat().st_size > size)
    assert ticks("stop").returncode == 0
    process.wait(10)
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("more", [(), ("--csv", "-")])
def test_a_pipe_can_have_some_columns_and_no_header(ticks: Any, more: tuple[str, ...]) -> None:
    ran = ticks("stream", "NIFTY", "--count", "3", "--columns", "symbol, LTP,volume", *more)
    head, *rows = ran.stdout.splitlines()
    assert head == "symbol,ltp,volume"
    assert {row.split(",")[0] for row in rows} == {"Nifty 50"}
    assert len(rows) == 3
    ran = ticks("stream", "NIFTY", "--count", "3", "--no-header", "--mode", "ltp", *more)
    assert [len(row.split(",")) for row in ran.stdout.splitlines()] == [8] * 3


def test_with_a_view_on_stdout_the_recording_is_whole(ticks: Any, tmp_path: Path) -> None:
    arguments = ("--columns", "symbol", "--csv", "-", "--jsonl", "day.jsonl", "--count", "5")
    assert ticks("stream", "NIFTY", *arguments).stdout == "symbol\n" + "Nifty 50\n" * 5
    assert ticks("replay", "day.jsonl", "--speed", "max").returncode == 0


def test_a_view_into_a_file_is_refused_with_the_reason(ticks: Any, tmp_path: Path) -> None:
    ran = ticks("stream", "NIFTY", "--count", "1", "--columns", "symbol", "--csv", "day.csv")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "would not be a recording" in ran.stderr
    assert not (tmp_path / "day.csv").exists()


def test_candles_have_columns_too(ticks: Any) -> None:
    arguments = ("--candles", "1s", "--columns", "symbol,close", "--duration", "4s")
    head, *rows = ticks("stream", "NIFTY", *arguments).stdout.splitlines()
    assert head == "symbol,close"
    assert rows
    assert all(len(row.split(",")) == 2 for row in rows)
