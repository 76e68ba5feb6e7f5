"""A block of lines in place, words above it that stay, and a terminal left as it was."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticks.cli.terminal import screen
from ticks.cli.terminal.outlet import Outlet
from ticks.cli.terminal.screen import Screen

Paper = Callable[[int, int], Any]


class Pane:
    """A pseudo-terminal of a given size with a screen on it, shown on paper."""

    def __init__(self, paper: Paper, width: int = 20, height: int = 6) -> None:
        self._master, self._slave = pty.openpty()
        self.paper = paper(width, height)
        self.resize(width, height)
        self.screen = Screen(Outlet(self._slave))

    def resize(self, width: int, height: int) -> None:
        size = struct.pack("HHHH", height, width, 0, 0)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, size)

    def draw(self, *lines: str) -> None:
        self.screen.draw(lines, [len(line) for line in lines])

    def shown(self) -> list[str]:
        """What the terminal shows now, without blank lines at the end."""
        os.write(self._slave, b"\0")
        written = b""
        while not written.endswith(b"\0"):
            written += os.read(self._master, 65_536)
        self.paper.write(written[:-1].decode().replace("\r\r\n", "\r\n"))
        rows: list[str] = self.paper.shown
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def close(self) -> None:
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def pane(paper: Paper) -> Iterator[Pane]:
    made = Pane(paper)
    yield made
    made.close()


def test_a_block_is_replaced_in_place(pane: Pane) -> None:
    pane.draw("one", "two", "three")
    pane.draw("ONE", "2")
    assert pane.shown() == ["ONE", "2"]


def test_words_stay_above_the_block_in_their_order(pane: Pane) -> None:
    pane.draw("block")
    pane.screen.print_line("first")
    pane.screen.print_line("second")
    assert pane.shown() == ["block"]
    pane.draw("block")
    pane.screen.print_line("third, which is longer than a line")
    pane.draw("BLOCK")
    assert pane.shown() == ["first", "second", "third, which is long", "er than a line", "BLOCK"]


def test_what_is_said_last_stands_below_the_block(pane: Pane) -> None:
    pane.draw("block")
    pane.screen.print_line("the end")
    pane.screen.close()
    assert pane.shown() == ["block", "the end"]


def test_a_block_as_tall_as_the_terminal_scrolls_nothing_away(pane: Pane) -> None:
    width, height = pane.screen.size()
    assert (width, height) == (20, 5)
    for digit in "123":
        pane.draw(*[digit * width] * height)
    assert pane.shown() == ["3" * width] * height


def test_a_narrower_terminal_keeps_nothing_of_the_wider_block(pane: Pane) -> None:
    pane.screen.print_line("words")
    pane.draw("a" * 20, "b" * 11)
    pane.shown()
    pane.paper.narrow(10)
    pane.resize(10, 8)
    pane.draw("A" * 10, "B")
    assert pane.shown() == ["words", "A" * 10, "B"]


def test_a_line_that_is_wider_than_it_says_does_not_wrap(pane: Pane) -> None:
    pane.screen.draw(["x" * 25, "y"], [20, 1])
    assert pane.shown() == ["x" * 20, "y"]


def test_a_shorter_block_leaves_nothing_of_what_the_terminal_echoed_below(pane: Pane) -> None:
    pane.draw("one", "two", "three")
    pane.shown()
    pane.paper.write("^C")
    pane.draw("over")
    assert pane.shown() == ["over"]


def test_after_a_suspension_the_block_starts_afresh(pane: Pane) -> None:
    pane.draw("block")
    pane.shown()
    pane.paper.write("$ fg\r\n")
    pane.screen.forget()
    pane.draw("block")
    assert pane.shown() == ["block", "$ fg", "block"]


def test_the_same_frame_is_not_written_twice(pane: Pane) -> None:
    pane.draw("block")
    pane.shown()
    pane.paper.write("something else")
    pane.draw("block")
    assert pane.shown() == ["block", "something else"]


def test_a_terminal_without_a_size_has_the_usual_one(pane: Pane) -> None:
    pane.resize(0, 0)
    assert pane.screen.size() == (80, 23)
    assert Screen(Outlet(-1)).size() == (80, 23)


def test_a_terminal_that_went_away_is_no_reason_to_stop(paper: Paper) -> None:
    pane = Pane(paper)
    pane.close()
    pane.screen.print_line("to nobody")
    pane.draw("block")
    pane.screen.close()


LINES = st.lists(st.text("abc ", max_size=20), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # it only makes terminals
@given(st.lists(st.tuples(LINES, st.lists(st.text("xyz", min_size=1, max_size=30), max_size=2))))
def test_words_and_the_last_block_are_all_that_is_left(
    paper: Paper, draws: list[tuple[list[str], list[str]]]
) -> None:
    pane = Pane(paper)
    wanted: list[str] = []
    for block, words in draws:
        for word in words:
            pane.screen.print_line(word)
            wanted += [word[at : at + 20] for at in range(0, len(word), 20)]
        pane.draw(*block)
    if draws:
        wanted += [line.rstrip() for line in draws[-1][0]]
    while wanted and not wanted[-1]:
        wanted.pop()
    shown = pane.shown()
    pane.close()
    assert shown == wanted
    assert pane.paper.modes == set()


def test_what_others_wrote_over_the_block_is_drawn_over(pane: Pane) -> None:
    pane.draw("one", "two")
    os.write(pane.screen._descriptor, b"\x1b[2A\rgarbage\r\ngarb\r\n")
    pane.draw("one", "two")
    assert pane.shown() == ["garbage", "garb"]
    pane.screen.refresh()
    pane.draw("one", "two")
    assert pane.shown() == ["one", "two"]


def test_nothing_is_drawn_while_it_is_to_stand_and_afterwards_it_starts_afresh(pane: Pane) -> None:
    pane.draw("one")
    drawn = threading.Thread(target=pane.draw, args=("two",))
    with pane.screen.standing():
        drawn.start()
        drawn.join(0.05)
        assert drawn.is_alive()
        assert pane.shown() == ["one"]
    drawn.join(20.0)
    assert pane.shown() == ["one", "two"]


def test_in_the_background_words_are_lines_and_the_foreground_starts_afresh(
    pane: Pane, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane.draw("one", "two")
    monkeypatch.setattr(screen, "is_in_foreground", lambda _descriptor: False)
    pane.screen.print_line("a word")
    pane.draw("three", "four")
    assert pane.shown() == ["one", "two", "a word"]
    monkeypatch.setattr(screen, "is_in_foreground", lambda _descriptor: True)
    pane.draw("five", "six")
    assert pane.shown() == ["one", "two", "a word", "five", "six"]
