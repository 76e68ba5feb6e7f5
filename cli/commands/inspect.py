"""`ticks inspect`: can a recording be trusted?"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Annotated

import typer

from ...adapter.inspection.inspection import InspectionOptions, Inspector
from ...adapter.inspection.report import Inspection
from ...adapter.market_table import calendar_of
from ..exit_codes import ExitCode
from ..options import options, paths
from ..options.config_file import ConfigFile
from ..printable import printable
from ..terminal.progress import byte_progress
from ..terminal.signals import StopRequestedError, StopSignals
from ..terminal.terminal import can_draw_on, has_color, is_piped_in
from ..view.inspection import as_dict, report_frame

_PLAIN_WIDTH = 80
_WIDEST = 120
_ASCII = str.maketrans("▁▂▃▄▅▆▇█✓✗·…", "_.-:=+*#+x|.")

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        parser=options.parsed(paths.input_path),
        help="Recordings: CSV or JSON lines, also compressed (.gz), or Parquet; - is stdin.",
    ),
]
Events = Annotated[
    list[str] | None,
    options.option(
        "--events",
        None,
        "Events of the stream that wrote a recording; may be repeated. With those of several"
        " recorders, blind is what was blind in all of them.",
        paths.input_path,
        metavar="FILE",
        has_variable=False,
    ),
]
MaxGap = Annotated[
    options.Seconds,
    options.option(
        "--max-gap",
        None,
        "Exit with code 1 if a gap is longer, explained or not.",
        options.Seconds,
        metavar="DURATION",
    ),
]
AsJson = Annotated[
    bool, options.option("--json", None, "Print the findings as JSON.", has_variable=False)
]
DEFAULT_MAX_GAP = options.Seconds("30s")


def inspect(
    files: Files,
    events: Events = None,
    max_gap: MaxGap = DEFAULT_MAX_GAP,
    as_json: AsJson = False,
    always_open: options.AlwaysOpen = False,
    color: options.Color = "auto",
) -> int:
    """Check whether recordings can be trusted: gaps, duplicates, damage, delay.

    Several recordings are inspected as one, in order of time. A gap lies between two rows, in a
    trading session. With --events it is blind (the feed was lost), quiet (the market stood still)
    or unexplained. What is missing before the first row or after the last is coverage.

    Examples:
      ticks inspect day.csv
      ticks inspect day.csv --events events.jsonl --max-gap 10s
      ticks inspect a.csv b.csv --events a.jsonl --events b.jsonl --json
    """
    paths.check_stdin_once([*files, *(events or ())])
    settings = InspectionOptions(tuple(files), tuple(events or ()), max_gap)
    calendar = calendar_of(ConfigFile.of(os.environ), is_always_open=always_open)
    with StopSignals().installed() as signals:
        try:
            draws = not any(map(is_piped_in, files))
            with byte_progress("inspect", draws=draws, has_color=has_color(color)) as progress:
                inspector = Inspector(settings, calendar, note=_say, progress=progress)
                signals.hand_to(inspector.stop)
                found = inspector.run()
        except StopRequestedError:
            return ExitCode.OK
    if found is None:
        return ExitCode.OK
    _print(found, as_json=as_json, color=color)
    return ExitCode.UNEXPECTED if found.has_long_gap else ExitCode.OK


def _say(name: str, line_number: int, reason: str) -> None:
    typer.echo(printable(f"{name}, line {line_number:,}: {reason}"), err=True)


def _print(found: Inspection, *, as_json: bool, color: str) -> None:
    if as_json:
        typer.echo(json.dumps(as_dict(found), indent=2))
        return
    width, is_colored = _PLAIN_WIDTH, color == "always"
    if can_draw_on(sys.stdout):
        width = min(shutil.get_terminal_size().columns, _WIDEST)
        is_colored = has_color(color)
    for line in report_frame(found, width).ansi(has_color=is_colored):
        typer.echo(_encodable(line), color=is_colored)


def _encodable(line: str) -> str:
    """The line in signs that stdout has: blocks and marks have stand-ins."""
    try:
        line.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return line.translate(_ASCII)
    return line
