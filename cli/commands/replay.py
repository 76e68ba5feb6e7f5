"""`ticks replay`: play a recording, at any pace, to a pipe, a file or as candles."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated

import typer

from ...adapter.clock import IST, SystemClock
from ...adapter.errors import TicksError, UsageError
from ...adapter.files.outputs import open_output
from ...adapter.jetstream.address import access_from_env, is_nats_address, parse_address
from ...adapter.jetstream.link import check_installed
from ...adapter.paths import Paths
from ...adapter.replay.nats import NatsSource, read_range
from ...adapter.replay.replay import Replay, ReplayOptions, ReplayStart
from ...adapter.replay.row_filter import RowFilter
from ...adapter.rows.candles import candle_format
from ...adapter.rows.decode import received_ns_of
from ...adapter.rows.format import Csv, Jsonl, TickFormat
from ...adapter.sinks.candles import CandleSink
from ...adapter.sinks.file import RowSink
from ...adapter.sinks.sink import BlockSink, FanOut, open_all
from ...adapter.tick import Mode
from ...adapter.waker import Waker
from ..exit_codes import ExitCode
from ..options import options, parsers
from ..terminal.console import Console, StopRequestedError, StopSignals, Terminal
from ..terminal.progress import Progress, byte_progress
from ..terminal.replay_watch import ReplayWatch
from ..view.summary_text import replay_summary
from .simulate import parse_speed

_MOST_DAMAGE_PRINTED = 10
_WHAT, _PACE, _WHERE = "What", "Pace", "Where to"


def bound(text: str) -> str:
    """`09:15` as `09:15:00.000000`, `2026-11-20T09:15` (or with an offset) likewise, Indian time.

    Raises ValueError with the reason.
    """
    text = text.strip()
    is_time_of_day = ":" in text[:3]
    day = "2000-01-01T0" if text[1:2] == ":" else "2000-01-01T"
    try:
        moment = datetime.fromisoformat(day + text if is_time_of_day else text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write 09:15 or 2026-11-20T09:15") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(IST).replace(tzinfo=None)
    shown = moment.isoformat(timespec="microseconds")
    return shown.partition("T")[2] if is_time_of_day else shown


Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Recordings, CSV or JSON lines, .gz or not; - is stdin; nats://HOST[:PORT][/STREAM].",
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        parser=options.parsed(bound),
        metavar="TIME",
        help="Leave out what was received before this time, in India: 09:15 on each day,"
        " or 2026-11-20T09:15.",
        rich_help_panel=_WHAT,
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        parser=options.parsed(bound),
        metavar="TIME",
        help="Leave out what was received at this time or later.",
        rich_help_panel=_WHAT,
    ),
]
SymbolsOnly = Annotated[
    list[str] | None,
    typer.Option(
        "--symbol",
        metavar="SYMBOL",
        help="Only this instrument; may be given several times.",
        rich_help_panel=_WHAT,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Stop at the first damaged row, with exit code 6.",
        rich_help_panel=_WHAT,
    ),
]
Speed = Annotated[
    str | None,
    typer.Option(
        metavar="N|max",
        help="N times as fast as it was received; max: as fast as it is taken.",
        show_default="1, for candles max",
        rich_help_panel=_PACE,
    ),
]
SkipIdle = Annotated[
    bool,
    typer.Option(
        "--skip-idle", help="Spend no time on silence over a minute.", rich_help_panel=_PACE
    ),
]
Follow = Annotated[
    bool,
    typer.Option(
        "--follow",
        help="Go on with the ticks that come; of one nats:// stream.",
        rich_help_panel=_WHAT,
    ),
]
Loop = Annotated[
    bool,
    typer.Option("--loop", help="Begin again at the end, for ever.", rich_help_panel=_PACE),
]
Columns = Annotated[
    Mode | None,
    typer.Option(
        "--mode",
        parser=options.parsed(parsers.mode),
        metavar="ltp|quote|snap",
        help="The columns of CSV output.",
        show_default="those of the richest recording",
        rich_help_panel=_WHERE,
    ),
]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a replay goes, and as what."""

    csv: str | None
    jsonl: str | None
    mode: Mode | None
    candles_s: int | None
    overwrites: bool
    syncs: bool

    @property
    def use_stdout(self) -> bool:
        """Whether rows go there, asked or not."""
        return "-" in (self.csv, self.jsonl) or self.csv is self.jsonl is None


def replay(
    files: Files,
    start: Start = None,
    end: End = None,
    symbols: SymbolsOnly = None,
    follow: Follow = False,
    count: options.Count = None,
    strict: Strict = False,
    speed: Speed = None,
    skip_idle: SkipIdle = False,
    loop: Loop = False,
    candles: options.Candles = None,
    csv: options.Csv = None,
    jsonl: options.Jsonl = None,
    mode: Columns = None,
    overwrite: options.Overwrite = False,
    fsync: options.Fsync = False,
    dashboard: options.Dashboard = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Play recordings to stdout or files, at the pace they were received or any other.

    Several recordings are merged by time. At full speed, with nothing filtered out, the output is
    the recording byte for byte. Damaged rows are reported and skipped. On a terminal a replay that
    keeps a pace has a dashboard; where stdout is that terminal too, rows go there with --csv -
    only.

    Examples:
      ticks replay day.csv
      ticks replay day.csv --speed max --symbol NIFTY --start 09:15 --end 15:30 --csv nifty.csv
      ticks replay day.csv --candles 1m --csv candles.csv
    """
    parsers.checked_outputs(csv, jsonl)
    _check_inputs(files, loop=loop, follow=follow)
    if start and end and start >= end and ("T" in start) == ("T" in end):
        raise UsageError(f"--start {start[:-7]} is not before --end {end[:-7]}")
    settings = ReplayOptions(
        paths=tuple(files),
        speed=parse_speed(speed or ("max" if candles or follow else "1")),
        skips_idle=skip_idle,
        loops=loop,
        count=count,
        is_strict=strict,
        streams=_streams(files, start or "", end or "", symbols or (), follow=follow),
    )
    is_paced = settings.speed is not None
    console = Console.on(
        Terminal.here(),
        dashboard if dashboard is not None or is_paced else False,
        writes_stdout="-" in (csv, jsonl),
        is_quiet=quiet,
        is_verbose=verbose,
    )
    outputs = Outputs(csv, jsonl, mode, candles, overwrite, fsync)
    row_filter = RowFilter(start=start or "", end=end or "", names=_spellings(symbols or ()))
    with StopSignals().installed() as signals:
        try:
            return run_replay(settings, row_filter, outputs, console, signals)
        except StopRequestedError:
            return ExitCode.OK


def run_replay(
    settings: ReplayOptions,
    row_filter: RowFilter,
    outputs: Outputs,
    console: Console,
    signals: StopSignals,
) -> int:
    """Play it. Raises TicksError; the summary is printed in either case."""
    bar: AbstractContextManager[Progress | None] = byte_progress("replay")
    if console.screen is not None or (Terminal.here().is_shared and outputs.use_stdout):
        bar = nullcontext()
    summary = ""
    try:
        with bar as progress:
            playing = Replay(
                settings,
                row_filter,
                clock=SystemClock(),
                waker=Waker(),
                on_damage=_DamageReport(console),
                progress=progress,
            )
            signals.hand_to(playing.stop)
            opening = playing.open()
            if playing.is_stopping:
                raise StopRequestedError
            sinks = open_sinks(outputs, opening, settings, console)
            draws = console.screen is not None
            try:
                with ReplayWatch(playing, console) if draws else nullcontext():
                    playing.run(sinks)
            finally:
                summary = replay_summary(playing.snapshot())
    finally:  # when the bar is gone
        if summary:
            console.say(summary)
    for name in row_filter.unseen:
        console.say(f"no row of {name} was found")
    return ExitCode.OK


class _DamageReport:
    """Prints the first damaged rows; further ones are in the count of the summary."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed = 0

    def __call__(self, name: str, line_number: int, reason: str) -> None:
        self._printed += 1
        if self._printed <= _MOST_DAMAGE_PRINTED:
            self._console.say(f"{name}, line {line_number:,}: {reason}")
        elif self._printed == _MOST_DAMAGE_PRINTED + 1:
            self._console.say("further damaged rows are only counted")


def open_sinks(
    outputs: Outputs, opening: ReplayStart, settings: ReplayOptions, console: Console
) -> FanOut[BlockSink]:
    """All outputs, or none. Without any asked for: stdout, in the format of the first recording,
    unless the dashboard has that terminal."""
    csv = Csv(outputs.mode or opening.mode)
    wanted: list[tuple[str, TickFormat]] = []
    if outputs.csv is not None:
        wanted.append((outputs.csv, csv))
    if outputs.jsonl is not None:
        wanted.append((outputs.jsonl, Jsonl()))
    if not wanted and not console.owns_stdout:
        is_json = isinstance(opening.format, Jsonl) and outputs.candles_s is None
        wanted.append(("-", Jsonl() if is_json else csv))
    open_file = partial(
        open_output,
        note=console.say,
        overwrite=outputs.overwrites,
        fsync=outputs.syncs,
        inputs=settings.paths,
    )

    def open_one(path: str, row_format: TickFormat) -> BlockSink:
        if outputs.candles_s is None:
            return RowSink(row_format, open_file(path, row_format), {})
        candles = candle_format(row_format)
        return CandleSink(outputs.candles_s, candles, open_file(path, candles))

    return FanOut(
        open_all(partial(open_one, *each) for each in wanted),
        reader_left=lambda name: console.say(f"the reader of {name} has left; the others go on"),
    )


def _check_inputs(files: Sequence[str], *, loop: bool, follow: bool) -> None:
    if files.count("-") > 1:
        raise UsageError("stdin is given twice")
    if loop and "-" in files:
        raise UsageError("stdin can only be read once", remedy="leave --loop out, or name a file")
    streams = [file for file in files if is_nats_address(file)]
    if streams:
        check_installed()
    if loop and streams:
        raise UsageError("a nats:// stream is read once", remedy="leave --loop out")
    if follow and (len(files) > 1 or not streams):
        raise UsageError(
            "--follow needs one nats:// stream and nothing else",
            remedy="leave --follow out, or name one stream",
        )


def _streams(
    files: Sequence[str], start: str, end: str, names: Sequence[str], *, follow: bool
) -> dict[str, NatsSource]:
    """The streams among what is to be read. Raises UsageError for an address that is none."""
    wanted = read_range(_bound_ns(start), _bound_ns(end), names)
    sources = {}
    for file in filter(is_nats_address, files):
        address = parse_address(file)
        access = access_from_env(os.environ, address)
        sources[file] = NatsSource(address, access, wanted, follows=follow)
    return sources


def _bound_ns(text: str) -> int | None:
    """Nanoseconds since the epoch of a bound; None for none, and for a time of each day."""
    return received_ns_of(text.encode()) if "T" in text else None


def _spellings(names: Sequence[str]) -> dict[str, list[str]]:
    """What each name may be in a recording: as it was typed, and its token, where the index of
    instruments on this machine has it."""
    from ...adapter.instruments import open_copy

    spellings = {name: [name] for name in names}
    book = None
    if names:
        with suppress(TicksError):
            book = open_copy(Paths.from_env(os.environ), clock=SystemClock())
    if book is not None:
        with book:
            for name, known in spellings.items():
                with suppress(TicksError):
                    instrument = book.resolve(name)
                    known.append(f"{instrument.exchange}:{instrument.token}")
    return spellings
