"""`ticks health --watch`: the checks repeated, and the streams that run, until it is stopped.

Rules
- Once a second everything is shown again; a check whose result changed is shown at once.
- Streams are followed by their status files alone. While one runs, the feed is not asked: that
  stream says more, and every connection counts against the three of a client code.
- On a terminal it is a frame that is redrawn in place; elsewhere a line for each change, or as JSON
  one document a line, once a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import typer

from ...adapter.clock import Clock, ist_time
from ...adapter.health import Check, Checkup
from ...adapter.status_file import running_streams
from ...adapter.waker import Waker
from ..view.health_view import Watched, changes, ends, render
from .check_thread import CheckThread
from .keys import Keys
from .screen import Screen

_SHOW_EVERY_S = 1.0

Show: TypeAlias = Callable[[Watched | None, Watched], None]
"""Shows what is known now; the first argument is what was shown last."""


def drawn_on(screen: Screen, *, has_color: bool, keys: Keys | None = None) -> Show:
    """A frame in place, and above it a line for each stream that is gone.

    `keys` are read from the first frame on that is drawn in the foreground.
    """

    def show(before: Watched | None, now: Watched) -> None:
        if keys is not None:
            keys.look()
        for line in ends(before, now):
            screen.print_line(line)
        width, height = screen.size()
        frame = render(now, width=width, height=height)
        screen.draw(frame.ansi(has_color=has_color), frame.widths())

    return show


def show_changes(before: Watched | None, now: Watched) -> None:
    """A line on stdout for each change."""
    for line in changes(before, now):
        typer.echo(line)


def show_json(_before: Watched | None, now: Watched) -> None:
    """Everything, as one line of JSON on stdout; none before anything was looked at."""
    if now.checks:
        typer.echo(json.dumps(now.to_dict()))


class Watch:
    """Follows a checkup and the streams of `run_folder`.

    `is_steady`: shows what changed with the next second, not at once.
    """

    def __init__(
        self, checkup: Checkup, run_folder: Path, clock: Clock, *, is_steady: bool = False
    ) -> None:
        self._checkup = checkup
        self._run_folder = run_folder
        self._clock = clock
        self._is_steady = is_steady
        self._waker = Waker()
        self._is_stopped = False
        self._began_s = clock.now_s()
        self._checks: dict[str, Check] = {}
        self._shown: Watched | None = None

    def stop(self) -> None:
        """End `run` soon. Safe in a signal handler."""
        self._is_stopped = True
        self._waker.wake()

    def run(self, show: Show) -> None:
        """Show what there is, second by second, until `stop`."""
        with CheckThread(self._checkup, self._waker, self._clock, repeats=True) as thread:
            while not self._is_stopped:
                self._take(thread)
                now = self._look()
                show(self._shown, now)
                self._shown = now
                self._wait(thread, self._clock.now_s() + _SHOW_EVERY_S)

    def _wait(self, thread: CheckThread, until_s: float) -> None:
        while not self._is_stopped and (left_s := until_s - self._clock.now_s()) > 0:
            if self._waker.wait(left_s) and self._take(thread) and not self._is_steady:
                return

    def _take(self, thread: CheckThread) -> bool:
        """Keep what was found; whether any of it is new or has changed."""
        has_turned = False
        for check in thread.take():
            last = self._checks.get(check.name)
            has_turned = has_turned or last is None or last.status != check.status
            self._checks[check.name] = check
        return has_turned

    def _look(self) -> Watched:
        wall_ns = self._clock.wall_ns()
        statuses = running_streams(self._run_folder, wall_ns / 1e9)
        gone = set(self._shown.streams if self._shown else ()) - {stream.pid for stream in statuses}
        return Watched(
            at=ist_time(wall_ns),
            uptime_s=self._clock.now_s() - self._began_s,
            names=self._checkup.names,
            checks=dict(self._checks),
            statuses=statuses,
            unheard=frozenset(p for p in gone if (self._run_folder / f"{p}.json").exists()),
            owners={stream.pid: self._checkup.owner_of(stream) for stream in statuses},
        )
