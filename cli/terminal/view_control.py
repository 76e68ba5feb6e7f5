"""The view of a screen, as keys have changed it.

Rules
- The thread that reads keys changes the view; the one that draws looks at it, and is woken by
  `sooner`. Both hold values that are replaced, never changed, so neither waits for the other.
- A held screen shows the figures of one moment, and says for how long. A key that asks for other
  rows takes them again.
- The last frame shows how it ended, held or not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

from ..view.key_bindings import NO_ROWS, Action, Extent, Scene, press
from ..view.view_state import UNTOUCHED, ViewState
from .keys import Keys, keys_of_stdin
from .screen import Screen

Shown = TypeVar("Shown")


class Sight(NamedTuple):
    """What a frame depends on besides what it shows. `size` is None where nothing is drawn;
    `redraws` counts how often the screen was to be drawn afresh."""

    size: tuple[int, int] | None
    view: ViewState
    redraws: int = 0


class ViewControl(Generic[Shown]):
    """The view of one screen. `end` is called for the key that ends, and must not wait.

    `keys` are None where nothing is drawn, stdin is no terminal, or not ours to read
    (`reads_stdin`). `scene` and `extent` are those of the last frame, set by what draws.
    """

    def __init__(
        self,
        screen: Screen | None,
        scene: Scene,
        end: Callable[[], None],
        *,
        reads_stdin: bool = True,
    ) -> None:
        self._screen = screen
        self.scene = scene
        self._end = end
        self._view = UNTOUCHED
        self._redraws = self._redrawn = 0
        self._held: tuple[Shown, ViewState, float] | None = None
        self.extent: Extent = NO_ROWS
        self.sooner = threading.Event()
        """Set when there is something else to draw."""
        self.keys: Keys | None = None
        if reads_stdin and screen is not None:
            self.keys = keys_of_stdin(self.press, self.sooner.set)

    def press(self, keys: Sequence[str]) -> None:
        """Do what keys mean that came at once."""
        self._view, actions = press(self._view, keys, self.extent, self.scene)
        if Action.REDRAW in actions:
            self._redraws += 1
        self.sooner.set()
        if Action.QUIT in actions:
            self._end()

    def look(self) -> Sight:
        """The present view."""
        view, redraws = self._view, self._redraws
        if self.keys is not None:
            self.keys.look()
            view = replace(view, has_keys=self.keys.is_reading)
        return Sight(None if self._screen is None else self._screen.size(), view, redraws)

    def draws_afresh(self, sight: Sight) -> None:
        """Before a draw: whatever is on the terminal, all of it is drawn, where that was asked."""
        if sight.redraws != self._redrawn and self._screen is not None:
            self._screen.refresh()
        self._redrawn = sight.redraws

    def held(
        self, now: Shown, view: ViewState, now_s: float, *, is_last: bool
    ) -> tuple[Shown, ViewState]:
        """What to show at `now_s`, and how: what is true now, or what is held."""
        if not view.is_held or is_last:
            self._held = None
            view = replace(view, is_held=False)
            return now, _without_keys(view) if is_last else view
        asked = _without_keys(view)
        if self._held is None or self._held[1] != asked:
            self._held = now, asked, now_s
        shown, _, since_s = self._held
        return shown, replace(view, held_s=now_s - since_s)


def _without_keys(view: ViewState) -> ViewState:
    """What is shown of what keys have asked for, and nothing of the keys themselves."""
    return replace(view, has_keys=False, is_filtering=False, shows_help=False)
