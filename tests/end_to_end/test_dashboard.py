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

from .window import Window, is_whole

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
def test_it_draws_on_stderr_beside_pure_csv_and_leaves_the_terminal_clean(
    drawn: Callable[..., subprocess.Popen[bytes]],
    window: Window,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    process = drawn("NIFTY", "RELIANCE")
    window.read_until(lambda: "receiving 2 instruments" in window.text)
    process.send_signal(number)
    window.read_until(lambda: process.poll() is not None and "ticks ·" in window.text[-200:])
    assert process.returncode == 0
    rows = (tmp_path / "stdout").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("received_at,exchange_time,")
    assert len(rows) > 1
    assert {row.count(",") for row in rows} == {rows[0].count(",")}
    assert "received_at" not in window.text
    last_frame = window.text[window.text.rindex("■ stopped") :].splitlines()
    assert last_frame[-1].endswith("malformed · stdout " + f"{len(rows) - 1:,} rows")
    assert is_whole(window.raw)
    assert termios.tcgetattr(window.tty) == window.modes


def test_even_a_killed_stream_leaves_the_terminal_clean(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window
) -> None:
    process = drawn("NIFTY")
    window.read_until(lambda: window.text.count("● live") >= 2)
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
    assert "output   this dashboard alone" in window.text
    assert "received_at" not in window.text
    assert window.text.splitlines()[-1].startswith("100 ticks · 1 instrument · ")


@pytest.mark.parametrize(
    ("arguments", "more"),
    [((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (("--no-dashboard",), {})],
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
    assert window.text.startswith("10 ticks · 1 instrument · ")
    assert window.text.count("\n") == 1


def test_asked_for_without_colour_it_is_drawn_without_colour(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window
) -> None:
    process = drawn("NIFTY", "--count", "10", "--dashboard", more={"NO_COLOR": "1"})
    window.read_until(lambda: process.poll() is not None and "malformed" in window.text[-200:])
    assert "■ stopped" in window.text
    assert not re.search(r"\x1b\[[0-9;]*m", window.raw)


def test_a_lost_feed_is_told_above_the_dashboard_and_in_it(
    drawn: Callable[..., subprocess.Popen[bytes]], window: Window
) -> None:
    nowhere = {"TICKS_FEED_URL": "ws://127.0.0.1:1/feed"}
    process = drawn("NIFTY", "--max-attempts", "2", more=nowhere)
    window.read_until(lambda: process.poll() is not None and "ticks: " in window.text)
    assert process.returncode == 5
    for words in (
        " waiting: attempt 2 of 2 in 2.",
        "◔ waiting  attempt 2 of 2 · next try in ",
        " lost: gave up after 2 attempts · network: ",
        "✕ lost  gave up after 2 attempts · network",
    ):
        assert words in window.text
    assert is_whole(window.raw)
