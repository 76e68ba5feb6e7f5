"""`ticks replay`: play a recording at any pace, to a pipe, to a file or as candles."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import inf
from typing import Annotated, TypedDict

import typer

from ...adapter.clock import IST, SystemClock
from ...adapter.errors import TicksError, UsageError
from ...adapter.files.event_file import read_history
from ...adapter.files.outputs import Note, ViewOutput, open_output
from ...adapter.files.parquet import open_parquet
from ...adapter.jetstream.address import is_nats_address
from ...adapter.paths import Paths
from ...adapter.replay.replay import Replay, ReplayOptions, ReplayStart
from ...adapter.replay.row_filter import RowFilter
from ...adapter.rows.candle_text import COLUMNS as CANDLE_COLUMNS
from ...adapter.rows.columns import columns as columns_of
from ...adapter.rows.format import Csv, Jsonl, TickFormat
from ...adapter.rows.view import CsvView
from ...adapter.settings_file import quoted
from ...adapter.sinks.blindness import Blindness
from ...adapter.sinks.candles import (
    BarPlan,
    CandleSink,
    open_recorded_candle_sink,
    recorded_candle_sink_into,
)
from ...adapter.sinks.file import RowSink
from ...adapter.sinks.sink import BlockSink, FanOut, open_all
from ...adapter.tick import Mode
from ...adapter.waker import Waker
from ..exit_codes import ExitCode
from ..extras import nats_sources
from ..options import options, parsers
from ..options.market_table import market_calendar
from ..terminal.console import Console
from ..terminal.progress import Progress
from ..terminal.replay_watch import ReplayWatch
from ..terminal.signals import StopRequestedError, StopSignals
from ..terminal.terminal import Terminal, is_pipe
from ..view.summary_text import replay_summary

_MOST_DAMAGE_PRINTED = 10
_PACE = "Pace"


def bound(text: str) -> str:
    """`09:15` as `09:15:00.000000`, `2026-11-20T09:15` (or with an offset) alike, Indian time.

    Raises ValueError with the reason.
    """
    text = text.strip()
    is_time_of_day = ":" in text[:3]
    day = "2000-01-01T0" if text[1:2] == ":" else "2000-01-01T"
    try:
        moment = datetime.fromisoformat(day + text if is_time_of_day else text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(IST).replace(tzinfo=None)
    except (ValueError, OverflowError):  # the years 1 and 9999 have days that no other zone has
        raise ValueError(
            f"{quoted(text)} is not a valid time (examples: 09:15, 2026-11-20T09:15)"
        ) from None
    shown = moment.isoformat(timespec="microseconds")
    return shown.partition("T")[2] if is_time_of_day else shown


Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        parser=options.parsed(parsers.recording_path),
        help="Recordings: CSV or JSON lines, also compressed (.gz), or Parquet; - is stdin;"
        " nats://HOST:PORT/STREAM is a stream of NATS JetStream.",
    ),
]
Start = Annotated[
    str | None,
    options.option(
        "--start",
        options.WHAT,
        "Skip what was received before this time (IST): 09:15 on each day, or 2026-11-20T09:15.",
        bound,
        metavar="TIME",
        has_variable=False,
    ),
]
End = Annotated[
    str | None,
    options.option(
        "--end",
        options.WHAT,
        "Skip what was received at this time or later.",
        bound,
        metavar="TIME",
        has_variable=False,
    ),
]
SymbolsOnly = Annotated[
    list[str] | None,
    options.option(
        "--symbol",
        options.WHAT,
        "Only this instrument; can be repeated.",
        parsers.symbol,
        metavar="SYMBOL",
        has_variable=False,
    ),
]
Strict = Annotated[
    bool,
    options.option(
        "--strict",
        options.WHAT,
        "Stop at the first damaged row, with exit code 6.",
        has_variable=False,
    ),
]
Speed = Annotated[
    float | None,
    options.option(
        "--speed",
        _PACE,
        "N times as fast as it was received, or max: as fast as it can be written.",
        parsers.speed,
        metavar="N|max",
        shows="1, for candles and Parquet max",
        has_variable=False,
    ),
]
SkipIdle = Annotated[
    bool,
    options.option(
        "--skip-idle", _PACE, "Skip silences of more than a minute.", has_variable=False
    ),
]
Follow = Annotated[
    bool,
    options.option(
        "--follow",
        options.WHAT,
        "Keep reading new ticks; for one nats:// stream.",
        has_variable=False,
    ),
]
Loop = Annotated[bool, options.option("--loop", _PACE, "Repeat forever.", has_variable=False)]
Columns = Annotated[
    Mode | None,
    options.option(
        "--mode",
        options.WHERE,
        "The columns of CSV output.",
        parsers.mode,
        metavar="ltp|quote|snap",
        shows="those of the richest recording",
        has_variable=False,
    ),
]
Unique = Annotated[
    bool,
    options.option(
        "--unique",
        options.WHAT,
        "Merge recordings of one feed: each tick once, from whichever recorder had it first.",
        has_variable=False,
    ),
]
Parquet = Annotated[
    str | None,
    options.option(
        "--parquet",
        options.WHERE,
        "Convert to a Parquet file (needs pyarrow).",
        parsers.parquet_path,
        metavar="PATH",
        has_variable=False,
    ),
]
FloatPrices = Annotated[
    bool,
    options.option(
        "--float-prices",
        options.WHERE,
        "Parquet: prices as doubles, which load faster, instead of exact decimals.",
        has_variable=False,
    ),
]
Events = Annotated[
    list[str] | None,
    options.option(
        "--events",
        options.WHERE,
        "Candles: events of the stream that wrote a recording, for blind_s; can be repeated. With"
        " those of several recorders, blind is what was blind in all of them.",
        parsers.input_path,
        metavar="FILE",
        has_variable=False,
    ),
]
AlwaysOpen = Annotated[
    bool,
    options.option(
        "--always-open",
        options.WHERE,
        "Candles: nothing is from before the opening, as in the recording of a demo.",
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
    parquet: str | None = None
    has_float_prices: bool = False
    keeps_pre_open: bool = False
    events: tuple[str, ...] = ()
    is_always_open: bool = False
    columns: Sequence[str] | None = None
    has_header: bool = True

    @property
    def use_stdout(self) -> bool:
        """Whether rows go there, asked for or not."""
        return "-" in (self.csv, self.jsonl) or self.csv is self.jsonl is self.parquet is None


def replay(
    files: Files,
    start: Start = None,
    end: End = None,
    symbols: SymbolsOnly = None,
    follow: Follow = False,
    count: options.Count = None,
    strict: Strict = False,
    unique: Unique = False,
    speed: Speed = None,
    skip_idle: SkipIdle = False,
    loop: Loop = False,
    candles: options.Candles = None,
    pre_open: options.PreOpen = False,
    events: Events = None,
    always_open: AlwaysOpen = False,
    csv: options.Csv = None,
    jsonl: options.Jsonl = None,
    parquet: Parquet = None,
    float_prices: FloatPrices = False,
    mode: Columns = None,
    columns: options.ColumnNames = None,
    no_header: options.NoHeader = False,
    overwrite: options.Overwrite = False,
    fsync: options.Fsync = False,
    dashboard: options.Dashboard = None,
    color: options.Color = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Play recordings to stdout or files, at their own pace or any other.

    Several recordings are merged by time. At full speed and without a filter the output equals the
    recording byte for byte. Damaged rows are reported and skipped. On a terminal a paced replay
    has a dashboard; rows go to that same terminal only with --csv -.

    Examples:
      ticks replay day.csv
      ticks replay day.csv --speed max --symbol NIFTY --csv nifty.csv
      ticks replay day.csv --start 09:15 --end 10:00 --speed 10
      ticks replay day.csv --candles 1m --csv candles.csv
      ticks replay day.csv.gz --parquet day.parquet
      ticks replay one.csv two.csv --unique --speed max --csv day.csv
    """
    if (columns or no_header) and csv is jsonl is parquet is None:
        csv = "-"  # asked for as good as by name
    parsers.checked_outputs(csv, jsonl, parquet)
    _check_inputs(files, loop)
    if parquet is not None:
        _check_parquet(
            candles, None if count else "--loop" if loop else "--follow" if follow else None
        )
    if start and end and start >= end and ("T" in start) == ("T" in end):
        raise UsageError(
            f"--start {start[:-7]} is not before --end {end[:-7]}",
            remedy="swap them, or leave one out",
        )
    settings = ReplayOptions(
        paths=tuple(files),
        speed=_pace(speed, is_unpaced=bool(candles or parquet or follow)),
        skips_idle=skip_idle,
        loops=loop,
        count=count,
        is_strict=strict,
        is_unique=unique,
        streams=nats_sources(files, start or "", end or "", symbols or (), follows=follow),
    )
    is_paced = settings.speed is not None
    if skip_idle and not is_paced:
        raise UsageError(
            "--skip-idle has no effect at full speed", remedy="leave it out, or add --speed 10"
        )
    console = Console.on(
        Terminal.here(),
        dashboard if dashboard is not None or is_paced else False,
        paths=(csv, jsonl),
        uses_stdout=csv is jsonl is None,
        color=color,
        is_quiet=quiet,
        is_verbose=verbose,
    )
    outputs = Outputs(
        csv,
        jsonl,
        mode,
        candles,
        overwrite,
        fsync,
        parquet,
        float_prices,
        keeps_pre_open=pre_open,
        events=tuple(events or ()),
        is_always_open=always_open,
        columns=columns,
        has_header=not no_header,
    )
    row_filter = RowFilter(start=start or "", end=end or "", names=_spellings(symbols or ()))
    with StopSignals().installed() as signals:
        try:
            return run_replay(settings, row_filter, outputs, console, signals)
        except StopRequestedError:
            return ExitCode.OK


def _pace(speed: float | None, *, is_unpaced: bool) -> float | None:
    """The speed that was asked for, or the default; None for as fast as it goes."""
    if speed is None:
        speed = inf if is_unpaced else 1.0
    return None if speed == inf else speed


def run_replay(
    settings: ReplayOptions,
    row_filter: RowFilter,
    outputs: Outputs,
    console: Console,
    signals: StopSignals,
) -> int:
    """Play it. Raises TicksError; the summary is printed in either case."""
    bar: AbstractContextManager[Progress | None] = nullcontext()
    if console.screen is None and not (Terminal.here().is_shared and outputs.use_stdout):
        feeds_pipe = outputs.use_stdout and is_pipe("-")
        bar = console.progress("replay", draws=not feeds_pipe)
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
            signals.hand_to(None)  # a FIFO waits for its other end, and only an error ends that
            sinks = open_sinks(outputs, opening, settings, console)
            signals.hand_to(playing.stop)
            draws = console.screen is not None
            try:
                with ReplayWatch(playing, console) if draws else nullcontext():
                    playing.run(sinks)
            finally:
                summary = replay_summary(playing.snapshot())
    finally:  # when the bar is gone
        if signals.is_interrupted:
            console.end_line()
        if summary:
            console.print_line(summary)
    bars = [sink for sink in sinks.sinks if isinstance(sink, CandleSink)]
    if any(sink.pre_open and not sink.rows for sink in bars):
        console.print_line("--pre-open keeps what is from before the opening")
    for name in row_filter.unseen:
        console.print_line(f"no rows of {name} found")
    return ExitCode.OK


class _DamageReport:
    """Prints the first damaged rows; further ones are in the count of the summary."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed = 0

    def __call__(self, name: str, line_number: int, reason: str) -> None:
        self._printed += 1
        if self._printed <= _MOST_DAMAGE_PRINTED:
            self._console.print_line(f"{name}, line {line_number:,}: {reason}")
        elif self._printed == _MOST_DAMAGE_PRINTED + 1:
            self._console.print_line("further damaged rows are only counted")


class _Opening(TypedDict):
    """How every text output is opened."""

    note: Note
    overwrite: bool
    fsync: bool
    inputs: tuple[str, ...]


def _bar_plan(width_s: int, outputs: Outputs, console: Console) -> BarPlan:
    calendar = market_calendar(os.environ, is_always_open=outputs.is_always_open)
    report = _DamageReport(console)
    histories = [read_history(path, on_damage=report) for path in outputs.events]
    return BarPlan(
        width_s,
        calendar,
        lambda: Blindness(histories, calendar),
        keeps_pre_open=outputs.keeps_pre_open,
    )


def open_sinks(
    outputs: Outputs, opening: ReplayStart, settings: ReplayOptions, console: Console
) -> FanOut[BlockSink]:
    """All outputs, or none. Without any asked for: stdout, in the format of the first recording,
    unless the dashboard has that terminal."""
    mode = outputs.mode or opening.mode
    csv, parquet = Csv(mode), outputs.parquet
    view = _view(outputs, mode)
    wanted: list[tuple[str, TickFormat]] = []
    if outputs.csv is not None:
        wanted.append((outputs.csv, csv))
    if outputs.jsonl is not None:
        wanted.append((outputs.jsonl, Jsonl()))
    if not (wanted or parquet or console.owns_stdout):
        is_json = isinstance(opening.format, Jsonl) and outputs.candles_s is None
        wanted.append(("-", Jsonl() if is_json else csv))
    how = _Opening(
        note=console.print_line,
        overwrite=outputs.overwrites,
        fsync=outputs.syncs,
        inputs=settings.paths,
    )

    plan = None if outputs.candles_s is None else _bar_plan(outputs.candles_s, outputs, console)

    def open_one(path: str, row_format: TickFormat) -> BlockSink:
        if plan is None:
            return RowSink(row_format, open_output(path, row_format, **how), {})
        return open_recorded_candle_sink(path, row_format, plan, **how)

    def open_conversion(path: str) -> BlockSink:
        output = open_parquet(
            path,
            mode,
            has_floats=outputs.has_float_prices,
            overwrite=outputs.overwrites,
            inputs=settings.paths,
        )
        return RowSink(csv, output, {})

    openers = [partial(open_one, *each) for each in wanted]
    if view is not None:
        openers[0] = partial(_shown_sink, view, csv, plan, console)
    if parquet is not None:
        openers.append(partial(open_conversion, parquet))
    return FanOut(
        open_all(openers),
        reader_left=lambda name: console.print_line(
            f"the reader of {name} has left; the others go on"
        ),
    )


def _shown_sink(view: CsvView, csv: Csv, plan: BarPlan | None, console: Console) -> BlockSink:
    """CSV on stdout, of which some columns are shown."""
    output = ViewOutput(view)
    if plan is None:
        return RowSink(csv, output, {})
    return recorded_candle_sink_into(output, csv, plan, note=console.print_line)


def _view(outputs: Outputs, mode: Mode) -> CsvView | None:
    whole = columns_of(mode) if outputs.candles_s is None else CANDLE_COLUMNS
    return parsers.csv_view(outputs.columns, outputs.csv, whole, has_header=outputs.has_header)


def _check_inputs(files: Sequence[str], loop: bool) -> None:
    if files.count("-") > 1:
        raise UsageError("stdin is given twice", remedy="name a file instead of one -")
    if loop and "-" in files:
        raise UsageError("stdin can be read only once", remedy="leave --loop out, or name a file")
    if loop and any(map(is_nats_address, files)):
        raise UsageError("a nats:// stream can be read only once", remedy="leave --loop out")


def _check_parquet(candles: int | None, endless: str | None) -> None:
    """Raises UsageError for what a Parquet file cannot hold; `endless`: what never ends."""
    if candles is not None:
        raise UsageError(
            "a Parquet file is for ticks, not for candles",
            remedy="write the candles with --csv or --jsonl",
        )
    if endless is not None:
        raise UsageError(
            f"{endless} never ends, and a Parquet file is complete only at its end",
            remedy=f"leave {endless} out, or add --count",
        )


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
