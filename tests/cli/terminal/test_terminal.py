"""What the streams lead to, and where a dashboard is drawn."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ticks.cli.terminal.terminal import (
    Terminal,
    has_color,
    is_in_foreground,
    is_pipe,
    is_piped_in,
)

DRAWABLE = Terminal(can_draw=True, is_shared=False)
DUMB = Terminal(can_draw=False, is_shared=False)


@pytest.fixture
def pipe(tmp_path: Path) -> str:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return str(path)


@pytest.mark.parametrize(
    ("terminal", "wanted", "is_quiet", "draws"),
    [
        (DRAWABLE, None, False, True),
        (DRAWABLE, False, False, False),
        (DRAWABLE, None, True, False),
        (DRAWABLE, True, True, True),
        (DUMB, None, False, False),
        (DUMB, True, False, False),
    ],
)
def test_the_dashboard_is_drawn_where_it_can_be_and_is_wanted(
    terminal: Terminal, wanted: bool | None, is_quiet: bool, draws: bool
) -> None:
    assert terminal.shows_dashboard(wanted, ["day.csv"], is_quiet=is_quiet) is draws


def test_what_feeds_a_pipe_is_drawn_only_where_that_is_asked_for(pipe: str) -> None:
    assert not DRAWABLE.shows_dashboard(None, ["day.csv", pipe])
    assert DRAWABLE.shows_dashboard(True, [pipe])


def test_a_pipe_or_a_socket_is_known_by_whatever_name(pipe: str, tmp_path: Path) -> None:
    read, write = os.pipe()
    one, other = socket.socketpair()
    with one, other:
        assert is_pipe(pipe)
        assert is_pipe(f"/dev/fd/{write}")
        assert is_pipe(f"/dev/fd/{one.fileno()}") or sys.platform == "darwin"
    os.close(read)
    os.close(write)
    assert not is_pipe(str(tmp_path / "yet to be made.csv"))
    assert not is_pipe("/dev/null")
    assert not is_pipe("no\0name")


@pytest.mark.parametrize(("stdin", "shown"), [(subprocess.PIPE, True), (None, False)])
def test_stdin_is_a_pipe_where_another_process_writes_it(
    stdin: int | None, shown: bool, pipe: str
) -> None:
    code = "from ticks.cli.terminal.terminal import is_piped_in; print(is_piped_in('-'))"
    with open(os.devnull) as nothing:
        ran = subprocess.run(
            [sys.executable, "-c", code],
            stdin=nothing if stdin is None else stdin,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    assert ran.stdout == f"{shown}\n"
    assert is_piped_in(pipe)


@pytest.mark.parametrize(
    ("plumbing", "shown"),
    [("| cat", "True"), ("> out", "False"), ("> /dev/null", "False")],
)
def test_stdout_is_a_pipe_where_the_shell_made_it_one(
    plumbing: str, shown: str, tmp_path: Path
) -> None:
    code = (
        "import sys; from ticks.cli.terminal.terminal import is_pipe;"
        "print(is_pipe('-'), file=sys.stderr)"
    )
    ran = subprocess.run(
        ["sh", "-c", f'"$1" -c "$2" {plumbing}', "sh", sys.executable, code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert ran.stderr.strip() == shown


class Tty(io.StringIO):
    """A standard stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("name", "can_draw"), [("xterm", True), ("dumb", False)])
def test_the_environment_says_what_a_terminal_takes(
    name: str, can_draw: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Tty())
    monkeypatch.setenv("TERM", name)
    assert Terminal.here().can_draw is can_draw


def test_a_stderr_that_is_no_terminal_is_not_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not Terminal.here().can_draw


@pytest.mark.parametrize(
    ("choice", "no_color", "colors"),
    [
        ("auto", "", True),
        ("auto", "1", False),
        ("always", "1", True),
        ("never", "", False),
    ],
)
def test_a_choice_of_colour_beats_the_environment(
    choice: str, no_color: str, colors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    assert has_color(choice) is colors


def test_a_terminal_that_does_not_control_us_is_always_ours() -> None:
    controller, terminal = os.openpty()
    assert is_in_foreground(terminal)
    os.close(controller)
    os.close(terminal)
