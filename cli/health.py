"""`ticks health`: is everything there that a stream needs?"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Annotated

import typer

from ..adapter.clock import SystemClock
from ..adapter.errors import TicksError
from ..adapter.health import Check, Checkup
from ..adapter.home import Home
from ..adapter.surroundings import Surroundings
from . import options
from .boundary import ExitCode, exit_code_of
from .demo import environment
from .market import market_calendar

MARKS = {"ok": "✓", "failed": "✗", "skipped": "-"}
_CODES = {ExitCode.SESSION, ExitCode.SYMBOL, ExitCode.BROKER}

AsJson = Annotated[bool, typer.Option("--json", help="The findings as JSON on stdout.")]
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
    as_json: AsJson = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
    demo: options.Demo = False,
    always_open: options.AlwaysOpen = False,
) -> int:
    """Check login, network, instruments and feed, and say what to do about each fault.

    Ends with 0 when nothing failed, else with 3, 4 or 5 by the first failure.

    Examples:
      ticks health
      ticks health NIFTY --json --timeout 30s
      ticks health --demo
    """
    with environment(demo) as environ:
        checkup = _checkup(environ, symbols or [], timeout, always_open=always_open or demo)
        checks: list[Check] = []
        for check in checkup.run():
            checks.append(check)
            if not as_json:
                typer.echo(told(check))
    if as_json:
        typer.echo(json.dumps(_as_dict(checks, checkup), indent=2))
    return exit_code(checks)


def told(check: Check) -> str:
    """A finding in a line, and the advice in another."""
    line = f"{MARKS[check.status]} {check.name:<18} {check.seconds:6.2f} s  {check.detail}"
    return line + (f"\n{'':30}try: {check.advice}" if check.advice else "")


def exit_code(checks: list[Check]) -> ExitCode:
    """0 when nothing failed, else 3, 4 or 5 by the first failure."""
    first = next((check.error for check in checks if check.status == "failed"), None)
    if first is None:
        return ExitCode.OK
    code = exit_code_of(first) if isinstance(first, TicksError) else ExitCode.BROKER
    return code if code in _CODES else ExitCode.BROKER


def _checkup(
    environ: Mapping[str, str], symbols: list[str], timeout_s: float, *, always_open: bool
) -> Checkup:
    around = Surroundings.of(environ)
    return Checkup(
        around,
        around.session_keeper(lambda line: typer.echo(line, err=True)),
        clock=SystemClock(),
        calendar=market_calendar(os.environ, is_always_open=always_open),
        run_folder=Home.from_environment(os.environ).run_folder,
        symbols=symbols,
        timeout_s=timeout_s,
    )


def _as_dict(checks: list[Check], checkup: Checkup) -> dict[str, object]:
    return {
        "ok": all(check.status != "failed" for check in checks),
        "checks": [check.to_dict() for check in checks],
        "streams": checkup.streams,
    }
