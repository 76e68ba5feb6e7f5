"""What runs beside a replay: its dashboard, once a second and when the terminal's size changed.

A thread of its own, so that a slow terminal holds up no row and a blocked output hides nothing.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from types import TracebackType

from ...adapter.periodic import every
from ...adapter.replay.replay import Replay, ReplaySnapshot
from .console import Console

_LOOK_EVERY_S = 0.25
_LOOKS_PER_DRAW = 4
_DRAWS_OF_NOW = 5
"""The figures of now are of this many frames."""


class ReplayWatch:
    """A context manager around `Replay.run`; the last frame stays."""

    def __init__(self, playing: Replay, console: Console) -> None:
        self._playing = playing
        self._console = console
        self._past: deque[ReplaySnapshot] = deque(maxlen=_DRAWS_OF_NOW)
        self._looks = 0
        self._drawn_size: tuple[int, int] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> ReplayWatch:
        self._stack.enter_context(self._console.showing())
        self._stack.callback(self._draw, is_over=True)
        self._stack.enter_context(every(_LOOK_EVERY_S, self._look, name="replay watch"))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(exc_type, exc, traceback)

    def _look(self) -> None:
        size = None if self._console.screen is None else self._console.screen.size()
        if self._looks % _LOOKS_PER_DRAW == 0 or size != self._drawn_size:
            self._draw(is_over=False)
            self._drawn_size = size
        self._looks += 1

    def _draw(self, *, is_over: bool) -> None:
        from ..view.replay_view import render  # Rich: only those pay for it who look at it

        now = self._playing.snapshot()
        before = self._past[0] if self._past else None
        self._past.append(now)
        self._console.draw(
            lambda width, height: render(now, before, width=width, height=height, is_over=is_over)
        )
