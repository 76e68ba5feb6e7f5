"""`ticks health`: check that everything needed to stream works."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ...adapter.aliases_table import aliases_of
from ...adapter.clock import SystemClock
from ...adapter.config import Config
from ...adapter.errors import TicksError
from ...adapter.health import Check, CheckStatus, Checkup
from ...adapter.market_table import calendar_of
from ...adapter.paths import Paths
from ...adapter.waker import Waker
from ..demo import environment
from ..exit_codes import ExitCode, exit_code_of
from ..options import options
from ..options.config_file import ConfigFile
from ..options.parsers import checked_symbols
from ..printable import printable
from ..terminal.check_thread import CheckThread
from ..terminal.health_watch import Show, Watch, drawn_on, show_changes, show_json
from ..terminal.keys import Keys, keys_of_stdin
from ..terminal.outlet import Outlet
from ..terminal.screen import Screen
from ..terminal.signals import StopRequestedError, StopSignals, held
from ..terminal.terminal import can_draw_on, has_color
from ..view.frame import Frame, Line
from ..view.health_view import as_dict, finding, finding_text, running, verdict
from ..view.key_bindings import NO_ROWS, Action, Scene, press
from ..view.view_state import UNTOUCHED

_CODES = {ExitCode.SESSION, ExitCode.SYMBOL, ExitCode.BROKER}
_DRAW_EVERY_S = 0.25

Watching = Annotated[
    bool,
    options.option(
        "--watch",
        None,
        "Keep running: repeat the checks and follow the running streams until stopped.",
        has_variable=False,
    ),
]
AsJson = Annotated[
    bool,
    options.option(
        "--json",
        None,
        "Print the results as JSON; with --watch, one line of it every second.",
        has_variable=False,
    ),
]
Timeout = Annotated[
    options.Seconds,
    options.option(
        "--timeout",
        None,
        "Longest wait for the feed in each check.",
        options.Seconds,
        metavar="DURATION",
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
    color: options.Color = "auto",
) -> int:
    """Check login, network, instruments and feed, and say how to fix each fault.

    Exit code 0 if nothing failed, else 3, 4 or 5 by the first failure; 0 when --watch is stopped.
    --watch asks the broker once a minute, and the feed only while no stream runs here.

    Examples:
      ticks health
      ticks health NIFTY --json --timeout 30s
      ticks health --watch
      ticks health --demo
    """
    wanted = checked_symbols(symbols or (), "health")
    colored = has_color(color)
    draws = can_draw_on(sys.stdout) and not as_json
    screen = Screen(Outlet(sys.stdout.fileno())) if draws else None

    note: Callable[[str], None] = screen.print_line if screen else partial(typer.echo, err=True)

    def checkup_in(environ: Mapping[str, str]) -> Checkup:
        file = ConfigFile.of(os.environ)  # a demo has a home of its own, and no config.toml there
        config = replace(Config.from_env(environ), aliases=aliases_of(file))
        return Checkup(
            config,
            config.authenticator(lambda line: note(printable(line))),
            clock=SystemClock(),
            calendar=calendar_of(file, is_always_open=always_open or demo),
            run_folder=_run_folder(),
            symbols=wanted,
            timeout_s=timeout,
            spares_feed=watch,
        )

    if demo:
        note("demo: a simulated broker on this machine")
    if watch:
        return _watched(checkup_in, screen, is_demo=demo, as_json=as_json, has_color=colored)
    with environment(demo) as environ:
        checkup = checkup_in(environ)
        if screen is not None:
            checks = _drawn(checkup, screen, is_demo=demo, has_color=colored)
        elif as_json:
            checks = list(checkup.run())
            owners = {stream.pid: checkup.owner_of(stream) for stream in checkup.streams}
            typer.echo(json.dumps(as_dict(checks, checkup.streams, owners), indent=2))
        else:
            checks = _listed(checkup, has_color=color == "always")
    return exit_code(checks)


def exit_code(checks: Sequence[Check]) -> ExitCode:
    """0 when nothing failed, else 3, 4 or 5 by the first failure."""
    first = next((check.error for check in checks if check.status is CheckStatus.FAILED), None)
    if first is None:
        return ExitCode.OK
    code = exit_code_of(first) if isinstance(first, TicksError) else ExitCode.BROKER
    return code if code in _CODES else ExitCode.BROKER


def _listed(checkup: Checkup, *, has_color: bool) -> list[Check]:
    """A line for each check as it is done."""
    checks: list[Check] = []
    for check in checkup.run():
        typer.echo(finding_text(check, checks, has_color=has_color), color=has_color)
        checks.append(check)
    return checks


def _drawn(checkup: Checkup, screen: Screen, *, is_demo: bool, has_color: bool) -> list[Check]:
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
                _print(screen, finding(check, width, checks), has_color=has_color)
                checks.append(check)
                began_s = clock.now_s()
            if is_over:
                _print(screen, verdict(checks, width, is_demo=is_demo), has_color=has_color)
            pending = [] if is_over else checkup.names[len(checks) :][:1]
            frame = Frame(tuple(running(name, clock.now_s() - began_s, width) for name in pending))
            screen.draw(frame.ansi(has_color=has_color), frame.widths())
    return checks


def _watched(
    checkup_in: Callable[[Mapping[str, str]], Checkup],
    screen: Screen | None,
    *,
    is_demo: bool,
    as_json: bool,
    has_color: bool,
) -> int:
    """Until a signal or `q`, which is a good end."""
    show: Show = show_json if as_json else show_changes
    keys: Keys | None = None
    with ExitStack() as stack:
        signals = stack.enter_context(StopSignals().installed())
        if screen is not None:
            keys = keys_of_stdin(partial(_ended_by, signals.request_stop))
            stack.enter_context(held(screen, keys))
            show = drawn_on(screen, has_color=has_color, keys=keys)
        with suppress(StopRequestedError), environment(is_demo) as environ:
            watch = Watch(checkup_in(environ), _run_folder(), SystemClock(), is_steady=as_json)
            signals.hand_to(watch.stop)
            watch.run(show)
    if signals.is_interrupted and keys is None and sys.stdout.isatty():
        typer.echo()  # with keys the terminal does not echo `^C`
    return ExitCode.OK


def _ended_by(stop: Callable[[], None], keys: Sequence[str]) -> None:
    if Action.QUIT in press(UNTOUCHED, keys, NO_ROWS, Scene.HEALTH).actions:
        stop()


def _run_folder() -> Path:
    """The status files of the user's streams, also of a demo's."""
    return Paths.from_env(os.environ).run_folder


def _print(screen: Screen, lines: Sequence[Line], *, has_color: bool) -> None:
    """Lines above what is drawn, to stay."""
    for line in Frame(tuple(lines)).ansi(has_color=has_color):
        screen.print_line(line)
