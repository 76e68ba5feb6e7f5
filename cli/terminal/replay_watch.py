"""What runs alongside a replay: its dashboard, once a second, and at once when a key was pressed or
the terminal's size changed.

A thread of its own, so that a slow terminal delays no row and a blocked output hides nothing.
While the replay is paused its figures do not change: no speed includes the pause.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import NamedTuple

from ...adapter.clock import Clock
from ...adapter.periodic import every
from ...adapter.replay.replay import Replay, ReplaySnapshot
from ..view.key_bindings import Scene, extent_of
from ..view.view_state import ViewState
from .console import Console
from .view_control import Sight, ViewControl

_LOOK_EVERY_S = 0.25
_DRAW_EVERY_S = 1.0
_NOW_S = 5
"""Current figures are those of so many seconds."""


class _Played(NamedTuple):
    """A replay now, and some seconds of it ago."""

    now: ReplaySnapshot
    before: ReplaySnapshot | None


class ReplayWatch:
    """A context manager around `Replay.run`; the last frame stays.

    `end` is called for the key that ends, and must not wait. `reads_stdin`: stdin is no recording.
    """

    def __init__(
        self,
        playing: Replay,
        console: Console,
        clock: Clock,
        *,
        end: Callable[[], None] = lambda: None,
        reads_stdin: bool = True,
    ) -> None:
        self._playing = playing
        self._console = console
        self._clock = clock
        self._control: ViewControl[_Played] = ViewControl(
            console.screen, Scene.REPLAY, end, reads_stdin=reads_stdin
        )
        self._past: deque[ReplaySnapshot] = deque(maxlen=_NOW_S)
        self._drawn: Sight | None = None
        self._drawn_at_s = self._sampled_at_s = float("-inf")
        self._stack = ExitStack()

    def __enter__(self) -> ReplayWatch:
        self._stack.enter_context(self._console.showing(self._control.keys))
        self._stack.callback(self._look, is_last=True)
        self._stack.enter_context(
            every(_LOOK_EVERY_S, self._look, name="replay watch", sooner=self._control.sooner)
        )
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(exc_type, exc, traceback)

    def _look(self, *, is_last: bool = False) -> None:
        sight, now_s = self._control.look(), self._clock.now_s()
        if sight.size is None:
            return
        if sight.view.is_paused != self._playing.is_paused and not is_last:
            (self._playing.pause if sight.view.is_paused else self._playing.resume)()
        if is_last or sight != self._drawn or now_s - self._drawn_at_s >= _DRAW_EVERY_S:
            self._control.draws_afresh(sight)
            self._drawn, self._drawn_at_s = sight, now_s
            self._draw(sight.view, sight.size, now_s, is_last=is_last)

    def _draw(self, view: ViewState, size: tuple[int, int], now_s: float, *, is_last: bool) -> None:
        from ..view.replay_view import (  # Rich: loaded only for a dashboard
            render,
            selection_of,
        )

        now = self._playing.snapshot(selection_of(view, *size))
        before = self._past[0] if self._past else None
        if not self._playing.is_paused and now_s - self._sampled_at_s >= _DRAW_EVERY_S:
            self._past.append(now)
            self._sampled_at_s = now_s
        shown, view = self._control.held(_Played(now, before), view, now_s, is_last=is_last)
        self._control.extent = extent_of(shown.now, view)
        self._console.draw(
            lambda width, height: render(*shown, view, width=width, height=height, is_over=is_last)
        )
