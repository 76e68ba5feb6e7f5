"""Keys on a real terminal: what they do, and that no mode is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recorded import sent_by

from ticks.adapter.files.recording import read_recording
from ticks.adapter.simulator.simulator import Simulator
from ticks.cli.view.figures import counted

from .window import Shell, Window, is_whole

TICKS = str(Path(sys.executable).with_name("ticks"))
FRAME = "\x1b[?2026h"
ECHO = termios.ECHO | termios.ICANON


@pytest.fixture
def drawn(
    environ: dict[str, str], window: Window, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `ticks` on the window, with the keyboard; stdin may be something else."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, stdin: int | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [TICKS, *arguments],
            env={**environ, "TERM": "xterm"},
            cwd=tmp_path,
            stdin=window.tty if stdin is None else stdin,
            stdout=window.tty,
            stderr=window.tty,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


def reads_keys(window: Window) -> bool:
    return not termios.tcgetattr(window.tty)[3] & ECHO


def rows_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else []


def has_ended(process: subprocess.Popen[bytes], window: Window) -> Callable[[], bool]:
    return lambda: process.poll() is not None and " dropped · " in window.text[-400:]


def test_q_ends_a_stream_as_ctrl_c_does_and_the_terminal_is_as_before(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window, tmp_path: Path
) -> None:
    process = drawn("stream", "NIFTY", "--csv", "day.csv")
    window.read_until(lambda: "LIVE" in window.text and reads_keys(window))
    window.type("q")
    window.read_until(has_ended(process, window))
    assert process.returncode == 0
    assert "■ STOPPED" in window.text
    rows = counted(len(rows_of(tmp_path / "day.csv")), "row")
    assert f"day.csv {rows}" in window.text.splitlines()[-1]
    assert termios.tcgetattr(window.tty) == window.modes
    assert is_whole(window.raw)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_no_signal_that_can_be_caught_leaves_the_mode_behind(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window, number: signal.Signals
) -> None:
    process = drawn("stream", "NIFTY", "--csv", "day.csv")
    window.read_until(lambda: "LIVE" in window.text and reads_keys(window))
    process.send_signal(number)
    window.read_until(lambda: process.poll() is not None)
    assert process.returncode == (-number if number is signal.SIGQUIT else 0)
    assert termios.tcgetattr(window.tty) == window.modes


def test_a_second_ctrl_c_leaves_no_mode_behind_either(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window, tmp_path: Path
) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)  # and never reads
    process = drawn("stream", "NIFTY", "--csv", "pipe", "--dashboard")
    window.read_until(lambda: "LOSING" in window.text or "behind" in window.text)
    window.type("q")  # it waits for the reader, as after a Ctrl-C
    window.read_until(lambda: "STOPPED" in window.text or process.poll() is not None)
    process.send_signal(signal.SIGINT)  # the second way to say so ends at once
    window.read_until(lambda: process.poll() is not None)
    os.close(reader)
    assert process.returncode == 130
    assert termios.tcgetattr(window.tty) == window.modes


def test_keys_scroll_sort_filter_hold_and_explain(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window, tmp_path: Path
) -> None:
    process = drawn("stream", "NIFTY", "RELIANCE", "SBIN", "--csv", "day.csv")
    window.read_until(lambda: "SBIN-EQ" in window.text and reads_keys(window))

    def frame_with(*words: str, without: str = "\0") -> None:
        """Wait for a frame that has these words in it."""

        def is_so() -> bool:
            last = window.raw[window.raw.rfind(FRAME) :]
            return all(word in last for word in words) and without not in last

        window.read_until(is_so)

    def press(keys: str) -> None:
        window.type(keys)

    press("/rel")
    frame_with("RELIANCE-EQ", without="SBIN-EQ")
    press("\r")
    frame_with("RELIANCE-EQ", without="SBIN-EQ")
    press("\x1b")
    frame_with("RELIANCE-EQ", "SBIN-EQ")
    press("p")
    frame_with("held")
    rows = len(rows_of(tmp_path / "day.csv"))
    window.read_until(lambda: len(rows_of(tmp_path / "day.csv")) > rows)
    press("?")
    frame_with("Ctrl-C", "PgUp")
    press("?")
    frame_with("SBIN-EQ", without="PgUp")
    window.type("q")
    window.read_until(has_ended(process, window))
    assert process.returncode == 0


def test_where_stdin_is_not_a_terminal_no_key_is_read_or_named(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window
) -> None:
    process = drawn(
        "stream", "NIFTY", "--csv", "day.csv", "--count", "400", stdin=subprocess.DEVNULL
    )
    window.read_until(lambda: "LIVE" in window.text)
    window.type("q")
    assert not reads_keys(window)
    window.read_until(has_ended(process, window))
    assert "400 ticks · " in window.text
    assert "q quit" not in window.text


def test_a_flood_of_keys_loses_no_tick(
    drawn: Callable[..., subprocess.Popen[bytes]],
    window: Window,
    tmp_path: Path,
    simulator: Simulator,
) -> None:
    process = drawn("stream", "NIFTY", "RELIANCE", "--csv", "day.csv")
    window.read_until(lambda: "LIVE" in window.text and reads_keys(window))
    some_keys = "s/abc\x1b\x1b[A\x1b[6~?p€"
    typist = threading.Thread(target=lambda: [window.type(some_keys) for _ in range(6_000)])
    typist.start()
    while typist.is_alive():
        window.raw = ""
        window.read_until(lambda: bool(window.raw) or not typist.is_alive())
    typist.join()
    window.type("q")
    window.read_until(has_ended(process, window))
    assert process.returncode == 0
    assert " 0 dropped · 0 malformed" in window.text[-400:]
    sent = sent_by(simulator)
    recorded = [row.packet for row in read_recording(tmp_path / "day.csv")]
    assert len(recorded) > 100
    assert recorded == sent[: len(recorded)]


def test_q_ends_a_health_watch(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window
) -> None:
    process = drawn("health", "--watch")
    window.read_until(lambda: FRAME in window.raw and reads_keys(window))
    window.type("q")
    window.read_until(lambda: process.poll() is not None)
    assert process.returncode == 0
    assert termios.tcgetattr(window.tty) == window.modes


# --- jobs ----------------------------------------------------------------------------------------


@pytest.fixture
def shell(environ: dict[str, str], tmp_path: Path) -> Iterator[Shell]:
    """An interactive bash on a terminal, with `ticks` and its broker."""
    opened = Shell({**environ, "PATH": f"{Path(TICKS).parent}:{environ['PATH']}"}, tmp_path)
    yield opened
    opened.close()


def same_mode(shell: Shell) -> None:
    """What a program sees of the terminal that bash starts."""
    shell.run("stty -a > after; cmp before after; echo cmp=$?")
    shell.read_until(lambda: "cmp=" in shell.text.replace("echo cmp=", ""))
    assert "cmp=0" in shell.text


def test_a_suspended_stream_leaves_the_mode_to_the_shell_and_takes_it_back(shell: Shell) -> None:
    shell.run("stty -a > before; ticks stream NIFTY --csv day.csv")
    shell.read_until(lambda: "LIVE" in shell.text)
    shell.read_until(lambda: reads_keys(shell))
    shell.type("\x1a")
    shell.read_until(lambda: "Stopped" in shell.text and shell.text.endswith("$ "))
    same_mode(shell)
    shell.run("bg; sleep 1; echo a quick q")
    shell.read_until(lambda: "\na quick q" in shell.text and shell.text.endswith("$ "))
    assert FRAME not in shell.raw
    same_mode(shell)
    shell.run("kill -0 %1; echo alive=$?")
    shell.read_until(lambda: "alive=0" in shell.text)
    shell.run("fg")
    shell.read_until(lambda: "LIVE" in shell.text)
    shell.raw = ""
    shell.type("?")
    shell.read_until(lambda: "PgUp" in shell.text)
    shell.type("q")
    shell.read_until(lambda: " reconnects · " in shell.text and shell.text.endswith("$ "))
    same_mode(shell)


def test_what_begins_in_the_background_reads_no_key_until_it_is_brought_forward(
    ticks: Callable[..., object], shell: Shell
) -> None:
    ticks("find", "NIFTY")
    shell.run("stty -a > before; ticks stream NIFTY --csv day.csv & sleep 2; jobs")
    shell.read_until(lambda: "Running" in shell.text)
    shell.run("echo q q q")
    shell.read_until(lambda: "\nq q q" in shell.text)
    same_mode(shell)
    shell.run("fg")
    shell.read_until(lambda: "LIVE" in shell.text)
    shell.read_until(lambda: reads_keys(shell))
    shell.type("q")
    shell.read_until(lambda: " reconnects · " in shell.text and shell.text.endswith("$ "))
    same_mode(shell)


def test_after_a_kill_the_shell_puts_its_mode_back(shell: Shell) -> None:
    shell.run("stty -a > before; ticks stream NIFTY --csv day.csv")
    shell.read_until(lambda: "LIVE" in shell.text)
    found = subprocess.run(
        ["pgrep", "-s", str(shell.session), "-f", "ticks stream"],
        capture_output=True,
        text=True,
        check=True,
    )
    os.kill(int(found.stdout.split()[0]), signal.SIGKILL)
    shell.read_until(lambda: "Killed" in shell.text and shell.text.endswith("$ "))
    same_mode(shell)


# --- replay --------------------------------------------------------------------------------------


@pytest.fixture
def day(ticks: Callable[..., object], tmp_path: Path) -> Path:
    """Some seconds of two instruments."""
    ticks("stream", "NIFTY", "RELIANCE", "--csv", "day.csv", "--count", "2000")
    return tmp_path / "day.csv"


def test_a_replay_shows_its_table_pauses_and_ends_by_keys(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window, day: Path
) -> None:
    process = drawn("replay", "day.csv", "--speed", "0.5")
    window.read_until(lambda: "RELIANCE-EQ" in window.text and reads_keys(window))
    window.type(" ")
    window.read_until(lambda: "paused" in window.text.lower())
    window.type(" ")
    window.type("q")
    window.read_until(lambda: process.poll() is not None and " damaged" in window.text[-40:])
    assert process.returncode == 0
    assert termios.tcgetattr(window.tty) == window.modes
    assert is_whole(window.raw)


def test_a_paused_replay_ends_at_once(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window, day: Path
) -> None:
    process = drawn("replay", "day.csv", "--speed", "0.01", "--loop")
    window.read_until(lambda: reads_keys(window))
    window.type(" ")
    window.read_until(lambda: "paused" in window.text.lower())
    process.send_signal(signal.SIGTERM)
    window.read_until(lambda: process.poll() is not None)
    assert process.returncode == 0
    assert termios.tcgetattr(window.tty) == window.modes


def test_a_recording_on_stdin_is_not_a_keyboard(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window, day: Path
) -> None:
    rows = day.read_text(encoding="utf-8").splitlines(keepends=True)
    process = drawn("replay", "-")
    window.type("".join(rows[:3]))
    window.read_until(lambda: FRAME in window.raw)
    window.type("q")
    assert not reads_keys(window)
    process.send_signal(signal.SIGINT)
    window.read_until(lambda: process.poll() is not None)
    assert process.returncode == 0
    assert termios.tcgetattr(window.tty) == window.modes
