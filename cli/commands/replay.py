"""`ticks replay`: play a recording at any pace, to a pipe, to a file or as candles."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from math import inf

from ...adapter.aliases_table import aliases_of
from ...adapter.clock import SystemClock
from ...adapter.errors import TicksError, UsageError
from ...adapter.jetstream.address import is_nats_address
from ...adapter.paths import Paths
from ...adapter.replay.replay import Replay, ReplayOptions
from ...adapter.replay.row_filter import RowFilter
from ...adapter.sinks.candles import CandleSink
from ...adapter.waker import Waker
from ..exit_codes import ExitCode
from ..extras import nats_sources
from ..options import options, paths
from ..options import replay_options as own
from ..options.config_file import ConfigFile
from ..replay_outputs import DamageReport, Outputs, open_sinks
from ..terminal.console import Console
from ..terminal.progress import Progress
from ..terminal.replay_watch import ReplayWatch
from ..terminal.signals import StopRequestedError, StopSignals
from ..terminal.terminal import Terminal, is_pipe, is_piped_in
from ..view.summary_text import replay_summary


def replay(
    files: own.Files,
    start: own.Start = None,
    end: own.End = None,
    symbols: own.SymbolsOnly = None,
    follow: own.Follow = False,
    count: options.Count = None,
    strict: own.Strict = False,
    unique: own.Unique = False,
    speed: own.Speed = None,
    skip_idle: own.SkipIdle = False,
    loop: own.Loop = False,
    candles: options.Candles = None,
    pre_open: options.PreOpen = False,
    events: own.Events = None,
    always_open: own.AlwaysOpen = False,
    csv: options.Csv = None,
    jsonl: options.Jsonl = None,
    parquet: own.Parquet = None,
    float_prices: own.FloatPrices = False,
    mode: own.Columns = None,
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
        csv = "-"  # implied by these options
    paths.checked_outputs(csv, jsonl, parquet)
    paths.check_stdin_once([*files, *(events or ())])
    if loop:
        _check_repeatable(files)
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
    summary = ""
    try:
        with _progress(settings, outputs, console) as progress:
            clock, draws = SystemClock(), console.screen is not None
            playing = Replay(
                settings,
                row_filter,
                clock=clock,
                waker=Waker(),
                on_damage=DamageReport(console),
                progress=progress,
                keeps_instruments=draws,
            )
            signals.hand_to(playing.stop)
            opening = playing.open()
            signals.hand_to(None)  # an output may wait for its reader, and the events be a FIFO
            if playing.is_stopping:
                raise StopRequestedError
            sinks = open_sinks(outputs, opening, settings, console)
            signals.hand_to(playing.stop)
            watch = ReplayWatch(
                playing,
                console,
                clock,
                end=signals.request_stop,
                reads_stdin="-" not in settings.paths,
            )
            try:
                with watch if draws else nullcontext():
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
        console.print_line("ticks from before the opening were left out; --pre-open keeps them")
    for name in row_filter.unseen:
        console.print_line(f"no rows of {name} found")
    return ExitCode.OK


def _progress(
    settings: ReplayOptions, outputs: Outputs, console: Console
) -> AbstractContextManager[Progress | None]:
    """A bar, unless there is a dashboard, or the rows go to the terminal that it would be on.

    Nothing is drawn of a replay in a pipeline, whose other commands write to the same terminal.
    """
    if console.screen is not None or (Terminal.here().is_shared and outputs.use_stdout):
        return nullcontext()
    is_piped = (outputs.use_stdout and is_pipe("-")) or any(map(is_piped_in, settings.paths))
    return console.progress("replay", draws=not is_piped)


def _check_repeatable(files: Sequence[str]) -> None:
    if "-" in files:
        raise UsageError("stdin can be read only once", remedy="leave --loop out, or name a file")
    if any(map(is_nats_address, files)):
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
    """What each name may be in a recording: as it was typed (of an alias, what that stands for),
    and its token, where the index of instruments on this machine has it. Raises UsageError."""
    if not names:
        return {}
    from ...adapter.instruments import open_copy

    aliases = aliases_of(ConfigFile.of(os.environ))
    spellings = {name: [aliases.spelling_of(name)] for name in names}
    catalog = None
    with suppress(TicksError):
        catalog = open_copy(Paths.from_env(os.environ), clock=SystemClock(), aliases=aliases)
    if catalog is not None:
        with catalog:
            for name, known in spellings.items():
                with suppress(TicksError):
                    instrument = catalog.resolve(name)
                    known.append(f"{instrument.exchange}:{instrument.token}")
    return spellings
