"""Words and dashboard on stderr. Ticks are data and never pass through here."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ...adapter.events import LogEntry
from ...adapter.periodic import every
from ...adapter.snapshot import FeedSnapshot
from ..printable import printable
from ..view.event_text import event_line, is_calm
from ..view.view_state import UNTOUCHED, ViewState
from .keys import Keys
from .outlet import outlet_of
from .progress import Progress, byte_progress
from .screen import Screen
from .signals import held
from .terminal import Terminal, has_color

if TYPE_CHECKING:
    from ..view.frame import Frame  # Rich: loaded only for a dashboard

_COUNT_EVERY_S = 0.25


class Console:
    """What a person sees. `is_quiet` prints errors only; `is_verbose` logs every event.

    With a `screen` there is a dashboard on it while `showing`; `owns_stdout`: stdout leads to that
    terminal too, so no ticks go there unless asked for.
    """

    def __init__(
        self,
        *,
        is_quiet: bool = False,
        is_verbose: bool = False,
        screen: Screen | None = None,
        has_color: bool = True,
        owns_stdout: bool = False,
    ) -> None:
        self.owns_stdout = owns_stdout
        self._is_quiet = is_quiet
        self._is_verbose = is_verbose
        self._screen = screen
        self._has_color = has_color
        self._is_showing = False

    @classmethod
    def on(
        cls,
        terminal: Terminal,
        dashboard: bool | None,
        *,
        paths: Sequence[str | None],
        uses_stdout: bool,
        color: str,
        is_quiet: bool,
        is_verbose: bool,
    ) -> Console:
        """The console of a command with a dashboard, drawn where it is wanted and can be.

        `paths` are the outputs that were named. `uses_stdout`: rows go there unasked, unless the
        dashboard has that terminal.
        """
        written = [path for path in paths if path is not None]
        if uses_stdout and not terminal.is_shared:
            written.append("-")
        draws = terminal.shows_dashboard(dashboard, written, is_quiet=is_quiet)
        return cls(
            is_quiet=is_quiet,
            is_verbose=is_verbose,
            screen=Screen(outlet_of(sys.stderr)) if draws else None,
            has_color=has_color(color),
            owns_stdout=draws and terminal.is_shared,
        )

    @property
    def screen(self) -> Screen | None:
        """Where the dashboard is drawn; None without one."""
        return self._screen

    def print_line(self, line: str) -> None:
        """Print a line on stderr, above the dashboard while there is one; that never blocks.

        A stderr that is no longer read is no reason to stop. Text from elsewhere (a reason, a
        symbol, a file name) cannot move the cursor.
        """
        if self._is_quiet:
            return
        line = printable(line)
        if self._screen is not None and self._is_showing:
            self._screen.print_line(line)
            return
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)

    def end_line(self) -> None:
        """After Ctrl-C: what follows begins on a line of its own. A dashboard does so by itself."""
        if self._screen is None and sys.stderr.isatty():
            self.print_line("")

    def log_event(self, entry: LogEntry, *, is_one_of_several: bool = False) -> None:
        """Print an event as a line: every one with -v, else those that change what to expect, of
        which a dashboard shows the calm ones itself.

        `is_one_of_several`: name the connection, because there are others.
        """
        if self._is_showing and not self._is_verbose and is_calm(entry.event):
            return
        line = event_line(entry, is_one_of_several=is_one_of_several, is_verbose=self._is_verbose)
        if line is not None:
            self.print_line(line)

    @contextlib.contextmanager
    def progress(self, label: str, *, draws: bool = True) -> Iterator[Progress]:
        """A function to report the bytes of long work to; see `byte_progress`."""
        if self._is_quiet:
            yield lambda _done, _total: None
            return
        with byte_progress(label, draws=draws, has_color=self._has_color) as report:
            yield report

    @contextlib.contextmanager
    def showing(self, keys: Keys | None = None) -> Iterator[None]:
        """While the dashboard is drawn. Its last frame stays, with the last messages below it.

        `keys` are read meanwhile: only where it is drawn.
        """
        if self._screen is None:
            yield
            return
        with held(self._screen, keys):
            self._is_showing = True
            try:
                yield
            finally:
                self._is_showing = False

    @contextlib.contextmanager
    def waiting_for_login(self, wait_s: Callable[[], float | None]) -> Iterator[None]:
        """Counts the seconds down to the next TOTP code while the block waits for it.

        Where nothing is drawn, the line that the login prints has to suffice.
        """
        if self._screen is None:
            yield
            return
        from ..view.verdict import login_line  # Rich: loaded only for a dashboard

        def draw() -> None:
            self.draw(lambda width, _height: login_line(wait_s(), width))

        with self.showing():
            try:
                with every(_COUNT_EVERY_S, draw, name="login"):
                    yield
            finally:
                self.draw(lambda width, _height: login_line(None, width))

    def show(
        self,
        snapshot: FeedSnapshot,
        view: ViewState = UNTOUCHED,
        now: FeedSnapshot | None = None,
    ) -> None:
        """Draw a feed where there is a screen; `now` is its present state where `snapshot` is
        held."""
        if self._screen is None:
            return
        from ..view.dashboard import render

        self.draw(lambda width, height: render(snapshot, view, now, width=width, height=height))

    def draw(self, render: Callable[[int, int], Frame]) -> None:
        """Draw what `render` makes for a width and a height, where there is a screen."""
        if self._screen is None:
            return
        frame = render(*self._screen.size())
        self._screen.draw(frame.ansi(has_color=self._has_color), frame.widths())
