"""`ticks stream`: name symbols, get every tick."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...adapter.auth.authenticator import Authenticator
from ...adapter.broker import DEFAULT_BUFFER, BrokerAdapter
from ...adapter.clock import SystemClock
from ...adapter.config import Config
from ...adapter.errors import OutputError, TicksError, UsageError
from ...adapter.feed.lifecycle import Policy
from ...adapter.instrument import Instrument
from ...adapter.instruments import open_catalog, read_watch_list
from ...adapter.market.calendar import MarketCalendar
from ...adapter.paths import Paths
from ...adapter.recorder import Limits, Recorder
from ...adapter.sinks.candles import open_candle_sink
from ...adapter.sinks.file import Sink, open_sink
from ...adapter.status_file import StatusFile
from ...adapter.tick import Mode
from ...adapter.wire.subscription import shard as shard_of
from ..demo import environment
from ..exit_codes import ExitCode
from ..options import options
from ..options.market_table import market_calendar
from ..options.parsers import checked_outputs, checked_symbols
from ..terminal.console import Console
from ..terminal.observer import Observer
from ..terminal.signals import StopRequestedError, StopSignals
from ..terminal.terminal import Terminal


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What one stream is to do."""

    symbols: tuple[str, ...]
    watch_lists: tuple[str, ...]
    mode: Mode
    shard: tuple[int, int] | None
    limits: Limits
    csv: str | None
    jsonl: str | None
    events: str | None
    overwrites: bool
    syncs: bool
    candles_s: int | None
    buffer_limit: int
    stops_when_full: bool
    policy: Policy
    calendar: MarketCalendar


def stream(
    symbols: options.Symbols = None,
    watch_lists: options.From = None,
    mode: options.Mode = Mode.QUOTE,
    shard: options.ShardOf = None,
    duration: options.Duration = None,
    until: options.Until = None,
    count: options.Count = None,
    demo: options.Demo = False,
    csv: options.Csv = None,
    jsonl: options.Jsonl = None,
    candles: options.Candles = None,
    overwrite: options.Overwrite = False,
    fsync: options.Fsync = False,
    events: options.Events = None,
    buffer: options.Buffer = DEFAULT_BUFFER,
    on_full: options.OnFull = "drop",
    silence_after: options.SilenceAfter = options.SILENCE_AFTER,
    check_every: options.CheckEvery = options.CHECK_EVERY,
    max_attempts: options.MaxAttempts = 3,
    backoff_max: options.BackoffMax = options.BACKOFF_MAX,
    keep_trying: options.KeepTrying = False,
    always_open: options.AlwaysOpen = False,
    dashboard: options.Dashboard = None,
    color: options.Color = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Stream ticks of SYMBOL... to stdout or files until stopped.

    Without an output option: CSV on stdout. Messages and the dashboard go to stderr.

    Examples:
      ticks stream NIFTY BANKNIFTY --csv day.csv --until 15:30
      ticks stream RELIANCE NSE:SBIN --mode snap --jsonl - --count 100
      ticks stream NIFTY --demo --csv 'ticks-%Y-%m-%d.csv.gz' --duration 10s
      ticks stream --from watch.txt --shard 1/2 --keep-trying
    """
    checked_outputs(csv, jsonl, events)
    console = Console.on(
        Terminal.here(),
        dashboard,
        paths=(csv, jsonl, events),
        uses_stdout=csv is jsonl is None and events != "-",
        color=color,
        is_quiet=quiet,
        is_verbose=verbose,
    )
    settings = StreamSettings(
        symbols=checked_symbols(symbols or (), "stream"),
        watch_lists=tuple(watch_lists or ()),
        mode=mode,
        shard=shard,
        limits=Limits(duration, until, count),
        csv=_csv_path(csv, jsonl, events, console),
        jsonl=jsonl,
        events=events,
        overwrites=overwrite,
        syncs=fsync,
        candles_s=candles,
        buffer_limit=buffer,
        stops_when_full=on_full == "stop",
        policy=Policy(
            silence_after_s=float(silence_after),
            check_every_s=float(check_every),
            max_attempts=None if keep_trying else max_attempts,
            backoff_max_s=float(backoff_max),
        ),
        calendar=market_calendar(os.environ, is_always_open=always_open or demo),
    )
    with StopSignals().installed() as signals:
        try:
            with environment(demo) as environ:
                return run_stream(settings, environ, console, signals)
        except StopRequestedError:
            console.say("stopped before the first tick")
            return ExitCode.OK


def run_stream(
    settings: StreamSettings, environ: Mapping[str, str], console: Console, signals: StopSignals
) -> int:
    """Log in, resolve, record. Raises TicksError; the summary is printed in either case."""
    config = Config.from_env(environ)
    names = wanted_names(settings.symbols, settings.watch_lists)
    sessions = config.authenticator(console.say)
    _log_in(sessions)
    instruments = resolved(names, settings.shard, config, console)
    broker = BrokerAdapter(
        sessions,
        feed_url=config.endpoints.feed_url,
        policy=settings.policy,
        calendar=settings.calendar,
        buffer_limit=settings.buffer_limit,
    )
    broker.subscribe(instruments, settings.mode)
    with ExitStack() as stack:
        sinks = _opened_sinks(settings, broker, console)
        recorder = Recorder(
            broker,
            sinks,
            settings.limits,
            stops_when_full=settings.stops_when_full,
            break_off=signals.break_off,
        )
        status = StatusFile(Paths.from_env(os.environ).run_folder)
        observer = Observer(broker, recorder, console, status, events=settings.events)
        signals.hand_to(recorder.stop)
        try:
            stack.enter_context(observer)
            recorder.run()
        finally:
            stack.close()
            console.say(str(recorder.summary()))
        if observer.failure is not None:
            raise observer.failure
    return ExitCode.OK


def wanted_names(symbols: Sequence[str], watch_lists: Sequence[str]) -> list[str]:
    """The names given and those in the watch lists. Raises UsageError when there are none."""
    names = [name for name in symbols if name.strip()]
    for path in watch_lists:
        names += _watch_list(path)
    if not names:
        place = (
            f"{' and '.join(watch_lists)} contains no symbols" if watch_lists else "no symbol given"
        )
        raise UsageError(place, remedy="name one, such as NIFTY, or give a list with --from FILE")
    return names


def _watch_list(path: str) -> list[str]:
    try:
        if path == "-":
            return read_watch_list(sys.stdin)
        with Path(path).open(encoding="utf-8") as file:
            return read_watch_list(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(
            f"the watch list {path} cannot be read: {reason}",
            remedy="give a text file with one symbol per line",
        ) from error


def _csv_path(
    csv: str | None, jsonl: str | None, events: str | None, console: Console
) -> str | None:
    """CSV goes to stdout when no output is named, unless something else has stdout."""
    has_output = csv is not None or jsonl is not None
    return csv if has_output or events == "-" or console.owns_stdout else "-"


def _log_in(sessions: Authenticator) -> None:
    """A session before any file is touched; a broker out of reach is the connection's to retry."""
    try:
        sessions.session()
    except TicksError as error:
        if not error.can_retry:
            raise


def resolved(
    names: Sequence[str],
    shard: tuple[int, int] | None,
    config: Config,
    console: Console,
) -> list[Instrument]:
    """The instruments that the names mean, or this shard's part of them."""
    with (
        console.progress("instrument master") as progress,
        open_catalog(
            config.paths,
            config.endpoints.instruments_url,
            clock=SystemClock(),
            progress=progress,
            note=console.say,
        ) as book,
    ):
        instruments = book.resolve_all(names)
    if shard is None:
        return instruments
    mine = shard_of(instruments, lambda instrument: instrument.key, *shard)
    if not mine:
        part = "/".join(map(str, shard))
        raise UsageError(
            f"--shard {part} contains none of the {len(instruments)} symbols",
            remedy="name more symbols, or use fewer parts",
        )
    return mine


def _tell_rotation(broker: BrokerAdapter, finished: str, rows: int, next_path: str) -> None:
    broker.report("rotated", {"finished": finished, "rows": rows, "next": next_path})


def _opened_sinks(settings: StreamSettings, broker: BrokerAdapter, console: Console) -> list[Sink]:
    """All outputs, or none: those opened before one that fails are closed again."""
    opened: Callable[[str, str], Sink] = partial(
        partial(open_candle_sink, width_s=settings.candles_s)
        if settings.candles_s is not None
        else partial(open_sink, mode=settings.mode),
        symbols=broker.symbols,
        overwrite=settings.overwrites,
        fsync=settings.syncs,
        note=console.say,
        rotated=partial(_tell_rotation, broker),
    )
    sinks: list[Sink] = []
    try:
        for path, rows_format in ((settings.csv, "csv"), (settings.jsonl, "jsonl")):
            if path is not None:
                sinks.append(opened(path, rows_format))
    except OutputError:
        for sink in sinks:
            sink.close()
        raise
    return sinks
