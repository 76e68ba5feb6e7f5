from __future__ import annotations

import io
from contextlib import redirect_stderr

import pytest

from ticks.cli.terminal import progress
from ticks.cli.terminal.progress import byte_progress

LABEL = "instrument master"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


def test_a_terminal_sees_the_bar_with_its_label_and_amounts() -> None:
    terminal = Terminal()
    with redirect_stderr(terminal), byte_progress(LABEL) as report:
        report(10_000_000, 40_000_000)
        report(40_000_000, 40_000_000)
    assert LABEL in terminal.getvalue()
    assert "40.0/40.0 MB" in terminal.getvalue()


def test_work_of_unknown_size_is_shown_too() -> None:
    terminal = Terminal()
    with redirect_stderr(terminal), byte_progress(LABEL) as report:
        report(10_000_000, None)
    assert "10.0/? MB" in terminal.getvalue()


def test_no_bar_appears_for_work_that_never_reports() -> None:
    terminal = Terminal()
    with redirect_stderr(terminal), byte_progress(LABEL):
        pass
    assert terminal.getvalue() == ""


def test_a_pipe_sees_nothing_of_short_work() -> None:
    pipe = io.StringIO()
    with redirect_stderr(pipe), byte_progress(LABEL) as report:
        report(1, 2)
    assert pipe.getvalue() == ""


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_long_work_is_reported_in_plain_lines_to_a_pipe_and_to_a_dumb_terminal(
    stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(progress, "LINES_APART_S", 0.0)
    told = stream()
    with redirect_stderr(told), byte_progress(LABEL) as report:
        report(10_000_000, 40_000_000)
        report(20_500_000, None)
    assert told.getvalue() == ("instrument master: 10.0 of 40.0 MB\ninstrument master: 20.5 MB\n")


def test_the_bar_goes_when_the_work_fails() -> None:
    def fail() -> None:
        with byte_progress(LABEL) as report:
            report(1, 2)
            raise OSError("gone")

    terminal = Terminal()
    with redirect_stderr(terminal), pytest.raises(OSError, match="gone"):
        fail()
    assert terminal.getvalue().endswith("\x1b[1A\x1b[2K")
