"""`ticks stream`: name symbols, get every tick."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime

from ...adapter.aliases_table import aliases_of
from ...adapter.api import checking_session, ensure_session
from ...adapter.auth.authenticator import Authenticator
from ...adapter.broker import DEFAULT_BUFFER, BrokerAdapter
from ...adapter.clock import IST
from ...adapter.config import Config
from ...adapter.errors import UsageError
from ...adapter.events import LogEntry
from ...adapter.feed.lifecycle import Policy
from ...adapter.instrument import Instrument
from ...adapter.jetstream.address import NatsOptions, StreamLimits
from ...adapter.market.calendar import MarketCalendar
from ...adapter.market.hours import segments_of
from ...adapter.market_table import calendar_of
from ...adapter.paths import Paths
from ...adapter.recorder import Limits, Recorder
from ...adapter.rows.candle_text import COLUMNS as CANDLE_COLUMNS
from ...adapter.rows.columns import columns as columns_of
from ...adapter.status_file import StatusFile
from ...adapter.subscriptions import Subscriptions, controlled
from ...adapter.tick import Mode
from ..demo import environment
from ..exit_codes import ExitCode
from ..extras import check_extras, serving_metrics
from ..options import options
from ..options.closing_time import closing_ns
from ..options.config_file import ConfigFile
from ..options.parsers import CLOSE_NS, checked_symbols
from ..options.paths import checked_outputs, csv_view
from ..stream_names import StreamNames, Wanted, resolved
from ..stream_outputs import StreamOutputs, opened_sinks
from ..terminal.console import Console
from ..terminal.observer import Observer
from ..terminal.signals import StopRequestedError, StopSignals
from ..terminal.terminal import Terminal
from ..view.summary_text import stream_summary


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What one stream is to do."""

    names: StreamNames
    mode: Mode
    limits: Limits
    outputs: StreamOutputs
    events: str | None
    on_event: str | None
    metrics: tuple[str, int] | None
    buffer_limit: int
    stops_when_full: bool
    policy: Policy
    calendar: MarketCalendar
    is_demo: bool = False


def stream(
    symbols: options.Symbols = None,
    watch_lists: options.From = None,
    strict: options.Strict = False,
    mode: options.Mode = Mode.QUOTE,
    shard: options.ShardOf = None,
    duration: options.Duration = None,
    until: options.Until = None,
    count: options.Count = None,
    demo: options.Demo = False,
    csv: options.Csv = None,
    jsonl: options.Jsonl = None,
    columns: options.ColumnNames = None,
    no_header: options.NoHeader = False,
    candles: options.Candles = None,
    pre_open: options.PreOpen = False,
    overwrite: options.Overwrite = False,
    fsync: options.Fsync = False,
    nats: options.Nats = None,
    nats_max_age: options.NatsMaxAge = None,
    nats_max_bytes: options.NatsMaxBytes = None,
    drain_timeout: options.DrainTimeout = options.DRAIN_TIMEOUT,
    events: options.Events = None,
    on_event: options.OnEvent = None,
    buffer: options.Buffer = DEFAULT_BUFFER,
    on_full: options.OnFull = "drop",
    silence_after: options.SilenceAfter = options.SILENCE_AFTER,
    check_every: options.CheckEvery = options.CHECK_EVERY,
    max_attempts: options.MaxAttempts = 3,
    backoff_max: options.BackoffMax = options.BACKOFF_MAX,
    keep_trying: options.KeepTrying = False,
    always_open: options.AlwaysOpen = False,
    metrics: options.Metrics = None,
    dashboard: options.Dashboard = None,
    color: options.Color = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> int:
    """Stream ticks of SYMBOL... to stdout or files until stopped.

    Without an output option: CSV on stdout. Messages and the dashboard go to stderr.
    'NIFTY chain 10' is the index and the options of 10 strikes on each side, followed as it moves.

    Examples:
      ticks stream NIFTY BANKNIFTY --csv day.csv --until close
      ticks stream RELIANCE NSE:SBIN --mode snap --jsonl - --count 100
      ticks stream NIFTY --demo --csv 'ticks-%Y-%m-%d.csv.gz' --duration 10s
      ticks stream --from watch.txt --shard 1/2 --keep-trying
      ticks stream 'NIFTY chain 10' --columns symbol,ltp,volume
    """
    if (columns or no_header) and csv is jsonl is None and events != "-":
        csv = "-"  # implied by these options
    view = csv_view(
        columns,
        csv,
        columns_of(mode) if candles is None else CANDLE_COLUMNS,
        has_header=not no_header,
    )
    checked_outputs(csv, jsonl, events)
    check_extras(nats, metrics)
    if nats and candles and csv is jsonl is None:
        raise UsageError(
            "--nats carries ticks, so --candles has no output",
            remedy="write the candles with --csv or --jsonl, or leave --candles out",
        )
    console = Console.on(
        Terminal.here(),
        dashboard,
        paths=(csv, jsonl, events),
        uses_stdout=csv is jsonl is None and not nats and events != "-",
        color=color,
        is_quiet=quiet,
        is_verbose=verbose,
    )
    settings = StreamSettings(
        names=StreamNames(
            checked_symbols(symbols or (), "stream"), tuple(watch_lists or ()), strict, shard
        ),
        mode=mode,
        limits=Limits(duration, until, count),
        outputs=StreamOutputs(
            mode,
            csv=csv if nats else _csv_path(csv, jsonl, events, console),
            jsonl=jsonl,
            view=view,
            overwrites=overwrite,
            syncs=fsync,
            candles_s=candles,
            keeps_pre_open=pre_open,
            nats=nats,
            nats_options=NatsOptions(
                limits=StreamLimits(nats_max_age, nats_max_bytes),
                buffer_limit=buffer,
                drain_timeout_s=float(drain_timeout),
                stops_when_full=on_full == "stop",
                keeps_trying=keep_trying,
            ),
        ),
        events=events,
        on_event=on_event,
        metrics=metrics,
        buffer_limit=buffer,
        stops_when_full=on_full == "stop",
        policy=Policy(
            silence_after_s=float(silence_after),
            check_every_s=float(check_every),
            max_attempts=None if keep_trying else max_attempts,
            backoff_max_s=float(backoff_max),
        ),
        calendar=calendar_of(ConfigFile.of(os.environ), is_always_open=always_open or demo),
        is_demo=demo,
    )
    with StopSignals().installed() as signals:
        try:
            with environment(demo) as environ:
                return run_stream(settings, environ, console, signals)
        except StopRequestedError:
            if signals.is_interrupted:
                console.end_line()
            console.print_line("stopped before the first tick")
            return ExitCode.OK


def run_stream(
    settings: StreamSettings, environ: Mapping[str, str], console: Console, signals: StopSignals
) -> int:
    """Log in, resolve, record. Raises TicksError; the summary is printed in either case."""
    config = replace(Config.from_env(environ), aliases=aliases_of(ConfigFile.of(os.environ)))
    sessions = config.authenticator(console.print_line)
    with checking_session(sessions):
        wanted = resolved(settings.names, config, console)  # a typo needs no login
    limits = dated(settings.limits, settings.calendar, wanted.instruments)
    with console.waiting_for_login(lambda: sessions.totp_wait_s):
        ensure_session(sessions)
    broker = _subscribed_broker(settings, config, sessions, wanted)
    with ExitStack() as stack:
        stack.enter_context(serving_metrics(settings.metrics, broker, console.print_line))
        sinks = opened_sinks(settings.outputs, broker, console, settings.policy, settings.calendar)
        recorder = Recorder(
            broker,
            sinks,
            limits,
            stops_when_full=settings.stops_when_full,
            names_skipped=wanted.names_skipped,
            is_demo=settings.is_demo,
            break_off=signals.break_off,
        )
        run_folder = Paths.from_env(os.environ).run_folder
        on_event = _event_command(settings.on_event, console, stack)
        observer = Observer(
            broker,
            recorder,
            console,
            StatusFile(run_folder),
            events=settings.events,
            on_event=on_event,
            end=signals.request_stop,
        )
        signals.hand_to(recorder.stop)
        subscriptions = Subscriptions(broker, settings.mode, config)
        with controlled(run_folder, recorder, subscriptions, console.print_line):
            stack.enter_context(observer)  # raises where the events cannot go: nothing has begun
            try:
                recorder.run()
            finally:
                stack.close()
                if signals.is_interrupted:
                    console.end_line()
                console.print_line(stream_summary(recorder.summary()))
            if observer.failure is not None:
                raise observer.failure
    return ExitCode.OK


def _subscribed_broker(
    settings: StreamSettings, config: Config, sessions: Authenticator, wanted: Wanted
) -> BrokerAdapter:
    """The feed, with what is wanted of it; it is not connected yet. Raises TicksError."""
    broker = BrokerAdapter(
        sessions,
        feed_url=config.endpoints.feed_url,
        policy=settings.policy,
        calendar=settings.calendar,
        buffer_limit=settings.buffer_limit,
    )
    broker.subscribe(wanted.instruments, settings.mode)
    for chain in wanted.chains:
        broker.follow(chain, settings.mode, is_mine=settings.names.is_mine)
    return broker


def _event_command(
    command: str | None, console: Console, stack: ExitStack
) -> Callable[[LogEntry], None]:
    """What runs the user's command for an event, until the stack is closed."""
    if command is None:
        return lambda _entry: None
    from ...adapter.event_command import EventCommand  # needed only with --on-event

    return stack.enter_context(EventCommand(command, console.print_line)).enqueue


def _csv_path(
    csv: str | None, jsonl: str | None, events: str | None, console: Console
) -> str | None:
    """CSV goes to stdout when no output is named, unless something else has stdout."""
    has_output = csv is not None or jsonl is not None
    return csv if has_output or events == "-" or console.owns_stdout else "-"


def dated(limits: Limits, calendar: MarketCalendar, instruments: Sequence[Instrument]) -> Limits:
    """The limits with the time that `--until close` means for what is subscribed."""
    if limits.until_ns != CLOSE_NS:
        return limits
    try:
        until_ns = closing_ns(calendar, segments_of(instruments), datetime.now(IST))
    except ValueError as error:
        raise UsageError(f"--until: {error}", remedy="name a time in the future") from error
    return replace(limits, until_ns=until_ns)
