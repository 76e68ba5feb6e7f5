"""`ticks health`: is everything there that a stream needs?"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ...adapter.clock import SystemClock
from ...adapter.config import Config
from ...adapter.errors import TicksError
from ...adapter.health import Check, CheckStatus, Checkup
from ...adapter.paths import Paths
from ...adapter.waker import Waker
from ..demo import environment
from ..exit_codes import ExitCode, exit_code_of
from ..options import options
from ..options.aliases_table import aliases
from ..options.market_table import market_calendar
from ..terminal.check_thread import CheckThread
from ..terminal.console import StopRequestedError, StopSignals, can_draw_on, has_color, held
from ..terminal.health_watch import Show, Watch, drawn_on, show_changes, show_json
from ..terminal.screen import Screen
from ..view.frame import Frame, Line
from ..view.health_view import as_dict, finding, finding_text, running, verdict

_CODES = {ExitCode.SESSION, ExitCode.SYMBOL, ExitCode.BROKER}
_DRAW_EVERY_S = 0.25

Watching = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Stay: repeat the checks and follow the running streams until told to stop.",
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="The findings as JSON on stdout; with --watch a line of it each second."
    ),
]
Timeout = Annotated[
    options.Seconds,
    typer.Option(
        "--timeout",
        parser=options.parsed(options.Seconds),
        envvar="TICKS_TIMEOUT",
        metavar="DURATION",
        help="Longest wait for the feed in each check.",
    ),
]
DEFAULT_TIMEOUT = options.Seconds("15s")


def health(
    symbols: options.Symbols = None,
    *,
    watch: Watching = False,
    as_json: AsJson = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
    demo: options.Demo = False,
    always_open: options.AlwaysOpen = False,
) -> int:
    """Check login, network, instruments and feed, and say what to do about each fault.

    Ends with 0 when nothing failed, else with 3, 4 or 5 by the first failure; a watch that is
    told to stop ends with 0. A watch asks the broker once a minute, and the feed only while no
    stream runs here.

    Examples:
      ticks health
      ticks health NIFTY --json --timeout 30s
      ticks health --watch
      ticks health --demo
    """
    screen = Screen(sys.stdout.fileno()) if can_draw_on(sys.stdout) and not as_json else None

    def checkup_in(environ: Mapping[str, str]) -> Checkup:
        config = replace(Config.from_env(environ), aliases=aliases(os.environ))
        return Checkup(
            config,
            config.authenticator(screen.say if screen else _say),
            clock=SystemClock(),
            calendar=market_calendar(os.environ, is_always_open=always_open or demo),
            run_folder=_run_folder(),
            symbols=symbols or (),
            timeout_s=timeout,
            spares_feed=watch,
        )

    if watch:
        return _watched(checkup_in, screen, is_demo=demo, as_json=as_json)
    with environment(demo) as environ:
        checkup = checkup_in(environ)
        checks = _drawn(checkup, screen) if screen else _listed(checkup, is_silent=as_json)
    if as_json:
        typer.echo(json.dumps(as_dict(checks, checkup.streams), indent=2))
    return exit_code(checks)


def exit_code(checks: Sequence[Check]) -> ExitCode:
    """0 when nothing failed, else 3, 4 or 5 by the first failure."""
    first = next((check.error for check in checks if check.status is CheckStatus.FAILED), None)
    if first is None:
        return ExitCode.OK
    code = exit_code_of(first) if isinstance(first, TicksError) else ExitCode.BROKER
    return code if code in _CODES else ExitCode.BROKER


def _listed(checkup: Checkup, *, is_silent: bool) -> list[Check]:
    """A line for each check as it is done."""
    checks: list[Check] = []
    for check in checkup.run():
        checks.append(check)
        if not is_silent:
            typer.echo(finding_text(check))
    return checks


def _drawn(checkup: Checkup, screen: Screen) -> list[Check]:
    """The same on a terminal: below what was found, the check that is under way."""
    checks: list[Check] = []
    clock, waker = SystemClock(), Waker()
    began_s = clock.now_s()
    with held(screen), CheckThread(checkup, waker, clock, repeats=False) as thread:
        is_over = False
        while not is_over:
            waker.wait(_DRAW_EVERY_S)
            is_over = thread.is_over
            width, _ = screen.size()
            for check in thread.take():
                checks.append(check)
                began_s = clock.now_s()
                _say_on(screen, finding(check, width))
            if is_over:
                _say_on(screen, verdict(checks, width))
            pending = [] if is_over else checkup.names[len(checks) :][:1]
            _draw(screen, [running(name, clock.now_s() - began_s, width) for name in pending])
    return checks


def _watched(
    checkup_in: Callable[[Mapping[str, str]], Checkup],
    screen: Screen | None,
    *,
    is_demo: bool,
    as_json: bool,
) -> int:
    """Until a signal, which is a good end."""
    show: Show = show_json if as_json else show_changes
    with ExitStack() as stack:
        signals = stack.enter_context(StopSignals().installed())
        if screen is not None:
            stack.enter_context(held(screen))
            show = drawn_on(screen, has_color=has_color())
        with suppress(StopRequestedError), environment(is_demo) as environ:
            watch = Watch(checkup_in(environ), _run_folder(), SystemClock(), is_steady=as_json)
            signals.hand_to(watch.stop)
            watch.run(show)
    return ExitCode.OK


def _run_folder() -> Path:
    """Where the user's streams tell how they are; a demo's streams too."""
    return Paths.from_env(os.environ).run_folder


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _say_on(screen: Screen, lines: Sequence[Line]) -> None:
    for line in Frame(tuple(lines)).ansi(has_color=has_color()):
        screen.say(line)


def _draw(screen: Screen, lines: Sequence[Line]) -> None:
    frame = Frame(tuple(lines))
    screen.draw(frame.ansi(has_color=has_color()), frame.widths())
