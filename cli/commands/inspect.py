"""`ticks inspect`: can a recording be trusted?"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Annotated

import typer

from ...adapter.errors import UsageError
from ...adapter.inspection.inspection import InspectionOptions, Inspector
from ...adapter.inspection.report import Inspection
from ..exit_codes import ExitCode
from ..options import options
from ..options.market_table import market_calendar
from ..terminal.console import Console, StopRequestedError, StopSignals, can_draw_on, has_color
from ..terminal.progress import byte_progress
from ..view.frame import Frame
from ..view.inspection import as_dict, report_frame

_PLAIN_WIDTH = 80
_MOST_WIDTH = 120
_ASCII = str.maketrans("▁▂▃▄▅▆▇█✓✗·…", "_.-:=+*#+x|.")

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...", help="Recordings, inspected as one; CSV or JSON lines, .gz or not."
    ),
]
Events = Annotated[
    list[str] | None,
    typer.Option(
        "--events",
        metavar="FILE",
        help="The events written beside a recording; may be given several times. With those of"
        " several recorders, blind is what was blind in all of them.",
    ),
]
MaxGap = Annotated[
    options.Seconds,
    typer.Option(
        "--max-gap",
        parser=options.parsed(options.Seconds),
        envvar="TICKS_MAX_GAP",
        metavar="DURATION",
        help="Exit code 1 when a gap is longer, explained or not.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")]
DEFAULT_MAX_GAP = options.Seconds("30s")


def inspect(
    files: Files,
    events: Events = None,
    max_gap: MaxGap = DEFAULT_MAX_GAP,
    as_json: AsJson = False,
    always_open: options.AlwaysOpen = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Check whether recordings can be trusted: gaps and why, duplicates, steps back, damage, delay.

    Several recordings are inspected as one, in the order of time. A gap lies between two rows, in
    a trading session; with --events it is blind (the feed was lost), quiet (the market stood still)
    or unexplained. What is missing before the first row or after the last is shown as coverage.

    Examples:
      ticks inspect day.csv
      ticks inspect day.csv --events events.jsonl --max-gap 10s
      ticks inspect a.csv b.csv --events a.jsonl --events b.jsonl --json
    """
    if [*files, *(events or ())].count("-") > 1:
        raise UsageError("stdin is given twice", remedy="name a file instead of one -")
    settings = InspectionOptions(tuple(files), tuple(events or ()), max_gap)
    calendar = market_calendar(os.environ, is_always_open=always_open)
    console = Console(is_quiet=quiet, is_verbose=verbose)
    with StopSignals().installed() as signals:
        try:
            with byte_progress("inspect") as progress:
                inspector = Inspector(
                    settings,
                    calendar,
                    note=lambda name, line, reason: console.say(f"{name}, line {line:,}: {reason}"),
                    progress=progress,
                )
                signals.hand_to(inspector.stop)
                found = inspector.run()
        except StopRequestedError:
            return ExitCode.OK
    _print(found, as_json=as_json)
    return ExitCode.UNEXPECTED if found.has_long_gap else ExitCode.OK


def _print(found: Inspection, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(as_dict(found), indent=2))
        return
    width = _PLAIN_WIDTH
    if is_terminal := can_draw_on(sys.stdout):
        width = min(shutil.get_terminal_size().columns, _MOST_WIDTH)
    frame: Frame = report_frame(found, width)
    for line in frame.ansi(has_color=is_terminal and has_color()):
        typer.echo(_printable_on_stdout(line))


def _printable_on_stdout(line: str) -> str:
    encoding = sys.stdout.encoding or "ascii"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return line.translate(_ASCII).encode(encoding, "replace").decode(encoding)
    return line
