"""A view is changed by keys, held, and read by the thread that draws."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from ticks.cli.terminal.screen import Screen
from ticks.cli.terminal.view_control import Sight, ViewControl
from ticks.cli.view.key_bindings import Extent, Key, Scene
from ticks.cli.view.view_state import UNTOUCHED


class FakeScreen:
    refreshed = 0

    def size(self) -> tuple[int, int]:
        return 80, 23

    def refresh(self) -> None:
        self.refreshed += 1


@pytest.fixture
def ended() -> list[bool]:
    return []


@pytest.fixture
def screen() -> FakeScreen:
    return FakeScreen()


@pytest.fixture
def control(screen: FakeScreen, ended: list[bool]) -> ViewControl[str]:
    return ViewControl(
        cast(Screen, screen), Scene.STREAM, lambda: ended.append(True), reads_stdin=False
    )


def test_a_key_changes_the_view_and_hurries_the_draw_along(control: ViewControl[str]) -> None:
    control.extent = Extent(10, 0, 5)
    assert (control.look(), control.sooner.is_set()) == (Sight((80, 23), UNTOUCHED), False)
    control.press([Key.DOWN])
    assert control.sooner.is_set()
    assert control.look().view.first_row == 1


def test_q_ends_once_for_each_time(control: ViewControl[str], ended: list[bool]) -> None:
    control.press(["q", "q"])
    assert ended == [True]


def test_a_redraw_is_done_once(control: ViewControl[str], screen: FakeScreen) -> None:
    before = control.look()
    control.press([Key.REDRAW])
    sight = control.look()
    assert sight != before
    for _ in range(2):
        control.draws_afresh(sight)
    assert screen.refreshed == 1


def test_without_a_screen_there_are_no_keys() -> None:
    control: ViewControl[str] = ViewControl(None, Scene.STREAM, lambda: None)
    assert control.keys is None
    assert control.look() == Sight(None, UNTOUCHED)


def test_what_is_held_stands_and_says_for_how_long(control: ViewControl[str]) -> None:
    held = replace(UNTOUCHED, is_held=True)
    assert control.held("one", UNTOUCHED, 10.0, is_last=False) == ("one", UNTOUCHED)
    assert control.held("two", held, 11.0, is_last=False) == ("two", held)
    assert control.held("three", held, 14.0, is_last=False) == ("two", replace(held, held_s=3.0))
    helped = replace(held, shows_help=True)
    assert control.held("four", helped, 15.0, is_last=False)[0] == "two"
    assert control.held("five", UNTOUCHED, 16.0, is_last=False) == ("five", UNTOUCHED)


def test_other_rows_of_what_is_held_are_taken_again(control: ViewControl[str]) -> None:
    held = replace(UNTOUCHED, is_held=True)
    control.held("one", held, 11.0, is_last=False)
    scrolled = replace(held, first_row=3)
    assert control.held("two", scrolled, 14.0, is_last=False) == ("two", scrolled)


def test_the_last_frame_shows_the_end_and_no_keys(control: ViewControl[str]) -> None:
    held = replace(UNTOUCHED, is_held=True, has_keys=True, shows_help=True, first_row=3)
    control.held("one", held, 11.0, is_last=False)
    last = replace(UNTOUCHED, first_row=3)
    assert control.held("two", held, 14.0, is_last=True) == ("two", last)
