"""`ticks health` as a person and a script run it, beside a running stream."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import termios
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter.simulator.simulator import Simulator

from .conftest import TICKS, Begun
from .window import Window, is_whole

Until = Callable[[Callable[[], bool]], None]


def test_all_is_well(ticks: Any) -> None:
    ran = ticks("health")
    assert ran.returncode == 0
    lines = [line for line in ran.stdout.splitlines() if not line.startswith(" ")]
    assert len(lines) == 11
    assert all(line.startswith("✓") for line in lines)


def test_a_script_gets_json_and_sees_running_streams(
    ticks: Any, begun: Any, simulator: Simulator, until: Until, tmp_path: Path
) -> None:
    process = begun("stream", "NIFTY", "--csv", "out.csv")
    until(lambda: simulator.journal.packet_count > 10)
    run_folder = tmp_path / "home" / "run"
    until(lambda: any('"live"' in path.read_text() for path in run_folder.glob("*.json")))
    ran = ticks("health", "RELIANCE", "--json")
    found = json.loads(ran.stdout)
    assert (ran.returncode, found["ok"]) == (0, True)
    assert {check["status"] for check in found["checks"]} == {"ok"}
    assert set(found["checks"][0]) == {"name", "status", "detail", "seconds", "advice"}
    assert [stream["pid"] for stream in found["streams"]] == [process.pid]
    assert found["streams"][0]["phase"] == "live"
    process.terminate()
    process.wait(20)
    assert list(run_folder.iterdir()) == []


def test_a_killed_stream_is_recognised_as_gone(
    ticks: Any, begun: Any, simulator: Simulator, until: Until, tmp_path: Path
) -> None:
    process = begun("stream", "NIFTY", "--csv", "out.csv")
    run_folder = tmp_path / "home" / "run"
    until(lambda: bool(list(run_folder.glob("*.json"))))
    process.kill()
    process.wait(20)
    assert json.loads(ticks("health", "--json").stdout)["streams"] == []


def test_exit_codes_follow_the_first_failure(ticks: Any, simulator: Simulator) -> None:
    assert ticks("health", more={"TICKS_PIN": "0000"}).returncode == 3
    assert ticks("health", "NIFTEE").returncode == 4
    simulator.stop()
    ran = ticks("health", "--json", "--timeout", "1s")
    assert ran.returncode == 5
    assert json.loads(ran.stdout)["ok"] is False


def test_a_demo_needs_no_account(ticks: Any) -> None:
    assert ticks("health", "--demo").returncode == 0


# --- on a terminal, and with --watch --------------------------------------------------------------


@pytest.fixture
def on_window(
    environ: dict[str, str], window: Window, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `ticks health` on the window."""
    bare = {name: value for name, value in environ.items() if name != "NO_COLOR"}
    running: list[subprocess.Popen[bytes]] = []

    def start(
        *arguments: str, more: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [TICKS, "health", *arguments],
            env={**bare, "TERM": "xterm", **(more or {})},
            cwd=tmp_path,
            stdin=stdin,
            stdout=window.tty,
            stderr=window.tty,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_a_terminal_shows_the_check_that_is_under_way(
    on_window: Callable[..., subprocess.Popen[bytes]], window: Window, simulator: Simulator
) -> None:
    simulator.inject("connect:delay:1s")
    process = on_window()
    window.read_until(lambda: process.poll() is not None and "all is well" in window.text)
    assert process.returncode == 0
    assert "◌ handshake" in window.text
    assert window.text.index("◌ handshake") < window.text.index("✓ handshake")
    assert window.text.rstrip().splitlines()[-1].startswith("✓ all is well · 11 checks in ")
    assert is_whole(window.raw)


def test_a_terminal_shows_what_to_fix(
    on_window: Callable[..., subprocess.Popen[bytes]], window: Window
) -> None:
    process = on_window(more={"TICKS_PIN": "0000"})
    window.read_until(lambda: process.poll() is not None and "fix session first" in window.text)
    assert process.returncode == 3
    assert "try: check TICKS_CLIENT_CODE and TICKS_PIN" in window.text
    assert "\x1b[31m✗ session" in window.raw


@pytest.mark.parametrize(
    ("more", "has_frames"), [({"NO_COLOR": "1"}, True), ({"TERM": "dumb"}, False)]
)
def test_colour_and_frames_are_left_out_where_nobody_wants_them(
    on_window: Callable[..., subprocess.Popen[bytes]],
    window: Window,
    more: dict[str, str],
    has_frames: bool,
) -> None:
    process = on_window(more=more)
    window.read_until(lambda: process.poll() is not None and "✓ disk" in window.text)
    assert process.returncode == 0
    assert not re.search(r"\x1b\[[0-9;]*m", window.raw)
    assert ("\x1b" in window.raw) is has_frames


def test_a_watch_follows_a_stream_through_a_fault_to_its_end(
    begun: Begun,
    on_window: Callable[..., subprocess.Popen[bytes]],
    window: Window,
    simulator: Simulator,
) -> None:
    quick = ("--silence-after", "2s", "--check-every", "500ms")
    stream = begun("stream", "NIFTY", "--csv", "out.csv", *quick)
    assert simulator.wait_until(lambda: simulator.journal.packet_count > 10)
    watch = on_window("--watch")
    window.read_until(lambda: "● LIVE  1 instrument into " in window.text)
    assert f"stream {stream.pid} · Nifty 50" in window.text
    simulator.inject("connect:refuse:503")
    simulator.inject("0s:silence")
    window.read_until(lambda: f"◔ stream {stream.pid} waiting" in window.text)
    window.read_until(lambda: "attempt 2 of 3, next try in" in window.text)
    window.read_until(lambda: "live: ticks are back · blind " in window.text)
    assert simulator.journal.open_connections()[0].number == len(simulator.journal.connections)
    stream.terminate()
    window.read_until(lambda: f"stream {stream.pid} ended" in window.text)
    watch.send_signal(signal.SIGINT)
    window.read_until(lambda: watch.poll() is not None)
    assert watch.returncode == 0
    assert is_whole(window.raw)
    assert termios.tcgetattr(window.tty) == window.modes


def test_an_interrupted_watch_ends_its_line_where_the_terminal_echoes(
    on_window: Callable[..., subprocess.Popen[bytes]], window: Window
) -> None:
    for stdin, blank_lines in ((subprocess.DEVNULL, 1), (window.tty, 0)):
        window.raw = ""
        watch = on_window("--watch", stdin=stdin)
        window.read_until(lambda: "all is well" in window.text)
        watch.send_signal(signal.SIGINT)
        window.read_until(lambda watch=watch: watch.poll() is not None)
        window.type("end")
        window.read_until(lambda: window.text.endswith("end"))
        assert window.text.endswith(f"machine\n{blank_lines * chr(10)}end")


def test_a_watch_in_a_pipe_reports_changes_and_ends_well(
    begun: Begun, simulator: Simulator
) -> None:
    stream = begun("stream", "NIFTY", "--csv", "out.csv")
    assert simulator.wait_until(lambda: simulator.journal.packet_count > 10)
    watch = begun("health", "--watch")
    assert watch.stdout is not None
    lines = iter(watch.stdout.readline, "")
    assert any("✓ disk" in line for line in lines)
    simulator.drop_connections()
    assert any(f" stream {stream.pid} waiting: attempt 1 of 3 in " in line for line in lines)
    assert any(f" stream {stream.pid} live: ticks are back · blind " in line for line in lines)
    stream.terminate()
    assert any(f" stream {stream.pid} ended · " in line for line in lines)
    watch.terminate()
    assert watch.wait(20) == 0


def test_a_watch_gives_a_line_of_json_a_second(begun: Begun, simulator: Simulator) -> None:
    watch = begun("health", "--watch", "--json")
    assert watch.stdout is not None
    documents = []
    for line in watch.stdout:
        documents.append(json.loads(line))
        if len(documents[-1]["checks"]) == 11 and len(documents) >= 3:
            break
    watch.send_signal(signal.SIGINT)
    assert watch.wait(20) == 0
    assert documents[-1]["ok"] is True
    times = [datetime.fromisoformat(document["at"]) for document in documents]
    assert all((b - a).total_seconds() >= 0.9 for a, b in pairwise(times))


def test_a_stop_while_the_feed_is_waited_for_closes_it(begun: Begun, simulator: Simulator) -> None:
    simulator.inject("connect:silence")
    watch = begun("health", "--watch", "--timeout", "60s")
    journal = simulator.journal
    assert journal.wait_until(lambda: any(log.texts for log in journal.open_connections()))
    watch.terminate()
    assert watch.wait(20) == 0
    assert journal.wait_until(lambda: not journal.open_connections())
    assert journal.connections[0].ended_by == "client"


def test_health_works_while_a_stream_has_a_fault(
    ticks: Any, begun: Begun, simulator: Simulator
) -> None:
    stream = begun("stream", "NIFTY", "--csv", "out.csv")
    assert simulator.wait_until(lambda: simulator.journal.packet_count > 10)
    simulator.inject("0s:silence")
    ran = ticks("health", "--json", "--timeout", "5s")
    found = json.loads(ran.stdout)
    assert (ran.returncode, found["ok"]) == (0, True)
    assert [each["pid"] for each in found["streams"]] == [stream.pid]


def test_the_timeout_bounds_the_handshake(ticks: Any, simulator: Simulator) -> None:
    simulator.inject("connect:delay:30s")
    ran = ticks("health", "--json", "--timeout", "1s")
    seconds = {check["name"]: check["seconds"] for check in json.loads(ran.stdout)["checks"]}
    assert ran.returncode == 5
    assert seconds["handshake"] < 5
