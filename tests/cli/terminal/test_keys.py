"""Keys are read from a terminal, whose mode is put back whatever happens."""

from __future__ import annotations

import os
import pty
import queue
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import cast

import pytest
from waits import until

from ticks.cli.terminal import keys as keys_module
from ticks.cli.terminal.keys import CbreakMode, Keys, keys_of_stdin
from ticks.cli.terminal.screen import Screen
from ticks.cli.terminal.signals import held
from ticks.cli.view.key_bindings import Key

DEADLINE_S = 20.0


class Pty:
    """A terminal that controls no process: it is in everybody's foreground."""

    def __init__(self) -> None:
        self.master, self.tty = pty.openpty()
        self.before = termios.tcgetattr(self.tty)
        self.taken: queue.Queue[list[str]] = queue.Queue()
        self.changes = threading.Semaphore(0)

    def type(self, sent: bytes) -> None:
        os.write(self.master, sent)

    def is_cbreak(self) -> bool:
        return not termios.tcgetattr(self.tty)[3] & (termios.ICANON | termios.ECHO)

    def next_keys(self) -> list[str]:
        return self.taken.get(timeout=DEADLINE_S)


@pytest.fixture
def terminal() -> Iterator[Pty]:
    opened = Pty()
    yield opened
    for descriptor in (opened.master, opened.tty):
        try:
            os.close(descriptor)
        except OSError:
            continue


@pytest.fixture
def keys(terminal: Pty) -> Iterator[Keys]:
    reading = Keys(terminal.tty, terminal.taken.put, terminal.changes.release)
    reading.begin()
    until(lambda: reading.is_reading)
    yield reading
    reading.end()


@pytest.fixture
def foreground(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Whether the terminal is ours."""
    state = {"is_ours": True}
    monkeypatch.setattr(keys_module, "is_in_foreground", lambda _descriptor: state["is_ours"])
    return state


def test_keys_come_at_once_and_without_an_echo(keys: Keys, terminal: Pty) -> None:
    assert terminal.is_cbreak()
    terminal.type(b"s")
    assert terminal.next_keys() == ["s"]
    terminal.type(b"\x1b[A")
    assert terminal.next_keys() == [Key.UP]
    os.set_blocking(terminal.master, False)
    with pytest.raises(BlockingIOError):
        os.read(terminal.master, 1)


def test_signals_are_still_sent_by_their_keys(keys: Keys, terminal: Pty) -> None:
    assert termios.tcgetattr(terminal.tty)[3] & termios.ISIG


def test_an_escape_alone_is_a_key_after_a_moment(keys: Keys, terminal: Pty) -> None:
    terminal.type(b"\x1b")
    assert terminal.next_keys() == [Key.ESCAPE]


def test_the_end_puts_the_mode_back_and_leaves_what_was_not_read(terminal: Pty) -> None:
    keys = Keys(terminal.tty, terminal.taken.put)
    keys.begin()
    until(lambda: keys.is_reading)
    keys.end()
    assert not keys.is_reading
    assert termios.tcgetattr(terminal.tty) == terminal.before
    terminal.type(b"ls\n")
    assert os.read(terminal.tty, 10) == b"ls\n"
    assert terminal.taken.empty()


def test_what_was_typed_before_is_taken(terminal: Pty) -> None:
    terminal.type(b"q")
    keys = Keys(terminal.tty, terminal.taken.put)
    keys.begin()
    assert terminal.next_keys() == ["q"]
    keys.end()


def test_a_suspension_puts_the_mode_back_and_afterwards_keys_are_read_again(
    keys: Keys, terminal: Pty
) -> None:
    keys.suspend()
    assert termios.tcgetattr(terminal.tty) == terminal.before
    keys.look()
    assert termios.tcgetattr(terminal.tty) == terminal.before
    keys.resume()
    until(terminal.is_cbreak)
    terminal.type(b"p")
    assert terminal.next_keys() == ["p"]
    keys.end()
    assert termios.tcgetattr(terminal.tty) == terminal.before


def test_a_mode_that_was_changed_during_a_suspension_is_put_back_at_the_end(
    keys: Keys, terminal: Pty
) -> None:
    keys.suspend()
    changed = termios.tcgetattr(terminal.tty)
    changed[3] &= ~termios.ECHOE
    termios.tcsetattr(terminal.tty, termios.TCSANOW, changed)
    keys.resume()
    until(terminal.is_cbreak)
    keys.end()
    assert termios.tcgetattr(terminal.tty) == changed


def test_a_shell_that_puts_our_mode_back_does_not_make_it_the_old_one(
    keys: Keys, terminal: Pty
) -> None:
    ours = termios.tcgetattr(terminal.tty)
    keys.suspend()
    termios.tcsetattr(terminal.tty, termios.TCSANOW, ours)
    keys.resume()
    terminal.type(b"p")
    assert terminal.next_keys() == ["p"]
    keys.end()
    assert termios.tcgetattr(terminal.tty) == terminal.before


def test_in_the_background_nothing_is_set_or_read_until_the_job_is_brought_back(
    foreground: dict[str, bool], terminal: Pty
) -> None:
    foreground["is_ours"] = False
    keys = Keys(terminal.tty, terminal.taken.put, terminal.changes.release)
    keys.begin()
    terminal.type(b"x\n")
    keys.look()
    assert not keys.is_reading
    assert termios.tcgetattr(terminal.tty) == terminal.before
    foreground["is_ours"] = True
    keys.look()
    assert terminal.next_keys() == ["x", Key.ENTER]
    foreground["is_ours"] = False  # taken away without a word
    terminal.type(b"y")
    until(lambda: not keys.is_reading)
    keys.end()
    assert terminal.taken.empty()
    assert terminal.is_cbreak(), "the mode is another job's now"


def test_a_terminal_that_is_taken_away_while_its_mode_is_set_keeps_its_own(
    monkeypatch: pytest.MonkeyPatch, terminal: Pty
) -> None:
    answers = iter([True, False])
    monkeypatch.setattr(keys_module, "is_in_foreground", lambda _descriptor: next(answers))
    assert not CbreakMode(terminal.tty).set()
    assert termios.tcgetattr(terminal.tty) == terminal.before


def test_a_terminal_that_is_gone_ends_the_reading(keys: Keys, terminal: Pty) -> None:
    os.close(terminal.master)
    until(lambda: not keys.is_reading)
    keys.look()
    keys.end()


def test_a_terminal_that_was_gone_from_the_beginning_has_no_keys(terminal: Pty) -> None:
    os.close(terminal.master)
    keys = Keys(terminal.tty, terminal.taken.put)
    keys.begin()
    assert keys._thread is not None
    keys._thread.join(DEADLINE_S)
    assert not keys._thread.is_alive()
    assert not keys.is_reading
    keys.end()


def test_a_flood_comes_in_a_few_pieces(keys: Keys, terminal: Pty) -> None:
    flood = 20_000
    writer = threading.Thread(
        target=lambda: [terminal.type(b"s" * 100) for _ in range(flood // 100)]
    )
    writer.start()
    pieces = 0
    got = 0
    while got < flood:
        got += len(terminal.next_keys())
        pieces += 1
    writer.join()
    assert pieces < flood / 100


def test_where_no_thread_can_be_started_there_are_no_keys(
    terminal: Pty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", _no_thread)
    keys = Keys(terminal.tty, terminal.taken.put)
    keys.begin()
    keys.end()
    assert termios.tcgetattr(terminal.tty) == terminal.before


def _no_thread(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_only_a_terminal_has_keys(monkeypatch: pytest.MonkeyPatch, terminal: Pty) -> None:
    read_end, write_end = os.pipe()
    monkeypatch.setattr(keys_module, "_STDIN", read_end)
    assert keys_of_stdin(lambda _keys: None) is None
    monkeypatch.setattr(keys_module, "_STDIN", terminal.tty)
    assert keys_of_stdin(lambda _keys: None) is not None
    os.close(read_end)
    os.close(write_end)


class NoScreen:
    def forget(self) -> None: ...

    def close(self) -> None: ...

    def standing(self) -> AbstractContextManager[None]:
        return nullcontext()


def test_a_suspension_that_stops_nothing_goes_on_reading(
    keys: Keys, terminal: Pty, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    modes: list[bool] = []

    def kill(_pid: int, number: int) -> None:
        sent.append(number)
        modes.append(termios.tcgetattr(terminal.tty) == terminal.before)

    with held(cast(Screen, NoScreen()), keys):
        handler = signal.getsignal(signal.SIGTSTP)
        assert callable(handler)
        monkeypatch.setattr(os, "kill", kill)
        handler(signal.SIGTSTP, None)
        assert signal.getsignal(signal.SIGTSTP) is handler
        until(terminal.is_cbreak)
    assert (sent, modes) == ([signal.SIGTSTP], [True])
    assert signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL


CRASH = """
import os, sys
from ticks.cli.terminal.keys import Keys
keys = Keys(int(sys.argv[1]), lambda _keys: None)
keys.begin()
while not keys.is_reading:
    pass
{how}
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["sys.exit(3)", "raise ZeroDivisionError", "pass"])
def test_a_program_that_forgets_the_end_leaves_no_mode_behind(
    terminal: Pty, tmp_path: Path, how: str
) -> None:
    script = tmp_path / "crash.py"
    script.write_text(CRASH.format(how=how), encoding="utf-8")
    subprocess.run(
        [sys.executable, str(script), str(terminal.tty)],
        pass_fds=[terminal.tty],
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert termios.tcgetattr(terminal.tty) == terminal.before
