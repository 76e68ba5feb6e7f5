"""`ticks status`, `stop`, `add` and `drop`: the streams that run, and what is asked of one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ...adapter.clock import SystemClock
from ...adapter.control import ask, meant_stream
from ...adapter.control_messages import Add, Drop, Reply, Request, Stop, raised_again
from ...adapter.errors import UsageError
from ...adapter.events import Summary
from ...adapter.paths import Paths
from ...adapter.status_file import running_streams
from ..options import options, parsers
from ..printable import printable
from ..view.status_view import as_list, status_lines
from ..view.summary_text import stream_summary

_STOP_WITHIN_S = 60.0
"""A stream ends in a second or two, unless the reader of its pipe is slow."""
_ADD_WITHIN_S = 60.0
"""The stream may have to fetch the day's instruments first, for 30 s at most."""
_DROP_WITHIN_S = 60.0

AsJson = Annotated[bool, options.option("--json", None, "Print a JSON array.", has_variable=False)]
Stream = Annotated[
    int | None,
    typer.Argument(
        metavar="PID",
        parser=options.parsed(parsers.process_number),
        help="The stream's process number; not needed while only one runs.",
        show_default=False,
    ),
]
OfStream = Annotated[
    int | None,
    options.option(
        "--pid",
        None,
        "The stream's process number; not needed while only one runs.",
        parsers.process_number,
        metavar="N",
        has_variable=False,
    ),
]
Names = Annotated[
    list[str],
    typer.Argument(metavar="SYMBOL", help="NIFTY, RELIANCE, NSE:SBIN, 'NIFTY chain 10', ..."),
]


def status(as_json: AsJson = False) -> None:
    """List the streams that run on this machine.

    Those of this user, demos too. With --json what their dashboards show. For more: ticks health.

    Examples:
      ticks status
      ticks status --json
    """
    streams = running_streams(_run_folder(), _now_s())
    if as_json:
        typer.echo(json.dumps(as_list(streams), indent=2))
    elif streams:
        typer.echo("\n".join(map(printable, status_lines(streams))))
    else:
        typer.echo("no stream is running", err=True)


def stop(pid: Stream = None) -> None:
    """End a running stream; everything received is written first.

    Waits for its end and prints its summary. Exit code 5 if no such stream runs.

    Examples:
      ticks stop
      ticks stop 4711
    """
    number, reply = _answer(pid, Stop(), _STOP_WITHIN_S)
    if reply.summary is not None:
        summary = stream_summary(Summary.from_facts(reply.summary))
        typer.echo(printable(f"stream {number} has ended: {summary}"))
    _raise_what_went_wrong(reply)


def add(symbols: Names, pid: OfStream = None) -> None:
    """Subscribe SYMBOL... on a running stream.

    In the stream's mode; all of them or, if one is unknown, none (exit code 4).

    Examples:
      ticks add SBIN
      ticks add 'BANKNIFTY chain 5 monthly' --pid 4711
    """
    names = _checked(symbols, "add")
    _, reply = _answer(pid, Add(names), _ADD_WITHIN_S)
    _raise_what_went_wrong(reply)
    for note in reply.notes:
        typer.echo(printable(f"ticks: {note}"), err=True)
    _print_names("added", reply.symbols)
    _print_names("already subscribed:", reply.unchanged)


def drop(symbols: Names, pid: OfStream = None) -> None:
    """End the subscription of SYMBOL... on a running stream.

    All of them or, if one is not subscribed, none (exit code 4). The last one cannot be dropped.

    Examples:
      ticks drop SBIN
      ticks drop 'BANKNIFTY chain 5 monthly' --pid 4711
    """
    names = _checked(symbols, "drop")
    _, reply = _answer(pid, Drop(names), _DROP_WITHIN_S)
    _raise_what_went_wrong(reply)
    _print_names("dropped", reply.symbols)


def _answer(pid: int | None, request: Request, within_s: float) -> tuple[int, Reply]:
    """The process number of the stream that is meant, and what it answers."""
    folder = _run_folder()
    number = meant_stream(folder, pid, _now_s())
    return number, ask(folder, number, request, within_s)


def _raise_what_went_wrong(reply: Reply) -> None:
    if reply.error is not None:
        raise raised_again(reply.error)


def _checked(symbols: Sequence[str], command: str) -> tuple[str, ...]:
    names = parsers.checked_symbols(symbols, command)
    if not names:
        raise UsageError("no symbol given", kind="no-symbol")
    return names


def _print_names(word: str, names: Sequence[str]) -> None:
    for name in names:
        print(printable(f"{word} {name}"), file=sys.stdout)


def _run_folder() -> Path:
    return Paths.from_env(os.environ).run_folder


def _now_s() -> float:
    return SystemClock().wall_ns() / 1e9
