"""The dashboard on a real pseudo-terminal: where it draws, and what it leaves behind."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from ticks.cli.view.figures import counted

from .window import Shell, Window, is_whole

TICKS = str(Path(sys.executable).with_name("ticks"))


@pytest.fixture
def drawn(
    environ: dict[str, str], window: Window, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `ticks stream` with stderr on the window; stdout goes to a file, or there too."""
    bare = {name: value for name, value in environ.items() if name != "NO_COLOR"}
    running: list[subprocess.Popen[bytes]] = []

    def start(
        *arguments: str, on_window: bool = False, more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with (tmp_path / "stdout").open("wb") as file:
            process = subprocess.Popen(
                [TICKS, "stream", *arguments],
                env={**bare, "TERM": "xterm", **(more or {})},
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
                stdout=window.tty if on_window else file,
                stderr=window.tty,
            )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_draws_on_stderr_with_pure_csv_on_stdout_and_leaves_the_terminal_clean(
    drawn: Callable[..., subprocess.Popen[bytes]],
    window: Window,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    process = drawn("NIFTY", "RELIANCE")
    window.read_until(lambda: "● LIVE  2 instruments" in window.text)
    window.read_until(lambda: (tmp_path / "stdout").read_bytes().count(b"\n") > 1)
    process.send_signal(number)
    window.read_until(lambda: process.poll() is not None and "ticks ·" in window.text[-200:])
    assert process.returncode == 0
    rows = (tmp_path / "stdout").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("received_at,exchange_time,")
    assert len(rows) > 1
    assert {row.count(",") for row in rows} == {rows[0].count(",")}
    assert "received_at" not in window.text
    last_frame = window.text[window.text.rindex("■ STOPPED") :].splitlines()
    assert last_frame[-1].endswith("malformed · stdout " + counted(len(rows) - 1, "row"))
    assert is_whole(window.raw)
    assert termios.tcgetattr(window.tty) == window.modes


def test_even_a_killed_stream_leaves_the_terminal_clean(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window
) -> None:
    process = drawn("NIFTY")
    window.read_until(lambda: window.text.count("● LIVE") >= 2)
    process.kill()
    window.read_until(lambda: process.poll() is not None)
    assert is_whole(window.raw)
    assert termios.tcgetattr(window.tty) == window.modes


def test_on_one_terminal_there_is_the_dashboard_alone(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window
) -> None:
    process = drawn("NIFTY", "--count", "100", on_window=True)
    window.read_until(lambda: process.poll() is not None and "malformed" in window.text[-200:])
    assert process.returncode == 0
    assert "this dashboard alone" in window.text
    assert "received_at" not in window.text
    assert window.text.splitlines()[-1].startswith("100 ticks · 1 instrument · ")


@pytest.mark.parametrize(
    ("arguments", "more"),
    [((), {"TERM": "dumb"}), (("--no-dashboard",), {}), ((), {"TICKS_DASHBOARD": "0"})],
)
def test_without_a_dashboard_words_are_plain_lines(
    ticks: Callable[..., object],
    drawn: Callable[..., subprocess.Popen[bytes]],
    window: Window,
    arguments: tuple[str, ...],
    more: dict[str, str],
) -> None:
    ticks("stream", "NIFTY", "--count", "1")  # fetches the instrument master, which has a bar
    process = drawn("NIFTY", "--count", "10", *arguments, more=more)
    window.read_until(lambda: process.poll() is not None and "malformed" in window.text)
    assert "\x1b" not in window.raw
    begun, summary, _ = window.text.split("\n")
    assert " live: 1 instrument (NSE:Nifty 50), " in begun
    assert summary.startswith("10 ticks · 1 instrument · ")


@pytest.mark.parametrize(
    ("arguments", "more", "colors"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
    ],
)
def test_it_is_drawn_with_or_without_colour(
    drawn: Callable[..., subprocess.Popen[bytes]],
    window: Window,
    arguments: tuple[str, ...],
    more: dict[str, str],
    colors: bool,
) -> None:
    process = drawn("NIFTY", "--count", "10", *arguments, more=more)
    window.read_until(lambda: process.poll() is not None and "malformed" in window.text[-200:])
    assert "■ STOPPED" in window.text
    assert bool(re.search(r"\x1b\[[0-9;]*[34][0-9]m", window.raw)) is colors


FRAME = "\x1b[?2026h"
"""How every frame begins."""


@pytest.fixture
def shell(environ: dict[str, str], tmp_path: Path) -> Iterator[Shell]:
    """An interactive bash on a terminal, with `ticks` and its broker."""
    path = f"{Path(TICKS).parent}:{environ['PATH']}"
    bare = {name: value for name, value in environ.items() if name != "NO_COLOR"}
    opened = Shell({**bare, "PATH": path}, tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "reader", ["awk -F, 'END { print NR }'", "head -3", "tee copy.csv", "cat", "wc -l"]
)
def test_with_a_reader_on_the_pipe_nothing_is_drawn(
    ticks: Callable[..., object], shell: Shell, reader: str
) -> None:
    ticks("find", "NIFTY")  # fetches the instrument master, which has a bar
    shell.run(f"ticks stream NIFTY --count 50 | {reader}; echo done=$?")
    shell.read_until(lambda: "done=0" in shell.text)
    assert FRAME not in shell.raw
    assert "50 ticks · 1 instrument" in shell.text or "head" in reader


@pytest.mark.parametrize(
    "line",
    [
        "ticks stream NIFTY --count 50 --dashboard | wc -l",
        "ticks stream NIFTY --count 50 --csv day.csv | cat",
        "ticks stream NIFTY --count 50 > day.csv",
        "ticks stream NIFTY --count 50",
    ],
)
def test_where_no_tick_goes_into_a_pipe_or_it_is_asked_for_it_is_drawn(
    shell: Shell, line: str
) -> None:
    shell.run(f"{line}; echo done=$?")
    shell.read_until(lambda: "done=0" in shell.text)
    assert "■ STOPPED" in shell.text
    assert is_whole(shell.raw)


def test_a_process_substitution_is_a_pipe(ticks: Callable[..., object], shell: Shell) -> None:
    ticks("find", "NIFTY")
    shell.run("ticks stream NIFTY --count 50 --csv >(wc -l) --jsonl day.jsonl; echo done=$?")
    shell.read_until(lambda: "done=0" in shell.text)
    assert FRAME not in shell.raw


def test_in_the_background_nothing_is_drawn_and_fg_brings_it_back(
    ticks: Callable[..., object], shell: Shell
) -> None:
    ticks("find", "NIFTY")
    shell.run(
        "ticks stream NIFTY --csv day.csv & until [ -s day.csv ]; do sleep .1; done; wc -l day*"
    )
    shell.read_until(lambda: " day.csv\n" in shell.text)
    assert FRAME not in shell.raw
    shell.run("fg")
    shell.read_until(lambda: "● LIVE" in shell.text)
    shell.raw = ""
    shell.type("\x1a")  # Ctrl-Z
    shell.read_until(lambda: "Stopped" in shell.text and shell.text.endswith("$ "))
    shell.run("bg; sleep 1.5; echo and=$?")
    shell.read_until(lambda: "and=0" in shell.text)
    assert FRAME not in shell.raw
    shell.run("fg")
    shell.read_until(lambda: "● LIVE" in shell.text)
    shell.type("\x03")
    shell.read_until(lambda: " reconnects · " in shell.text)
    assert is_whole(shell.raw)


def test_a_lost_feed_is_reported_above_the_dashboard_and_in_it(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window
) -> None:
    nowhere = {"TICKS_FEED_URL": "ws://127.0.0.1:1/feed"}
    process = drawn("NIFTY", "--max-attempts", "2", more=nowhere)
    window.read_until(lambda: process.poll() is not None and "ticks: " in window.text)
    assert process.returncode == 5
    for words in (
        " waiting: attempt 2 of 2 in 2.",
        "◔ WAITING  attempt 2 of 2, next try in ",
        " lost: gave up after 2 attempts · network: ",
        "✕ LOST  2 attempts failed: ",
    ):
        assert words in window.text
    assert is_whole(window.raw)
