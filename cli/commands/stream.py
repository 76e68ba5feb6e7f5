"""`ticks stream`: name symbols, get every tick."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ...adapter.api import checking_session, ensure_session, resolve_symbols
from ...adapter.broker import DEFAULT_BUFFER, BrokerAdapter
from ...adapter.clock import IST
from ...adapter.config import Config
from ...adapter.errors import UnknownSymbolError, UsageError
from ...adapter.events import LogEntry, Rotated
from ...adapter.feed.lifecycle import Policy
from ...adapter.files.outputs import ViewOutput
from ...adapter.instrument import Instrument
from ...adapter.instruments.lists import Skipped
from ...adapter.jetstream.address import NatsAddress, NatsOptions, StreamLimits
from ...adapter.market.calendar import MarketCalendar
from ...adapter.market.hours import segments_of
from ...adapter.paths import Paths
from ...adapter.recorder import Limits, Recorder
from ...adapter.rows.candle_text import COLUMNS as CANDLE_COLUMNS
from ...adapter.rows.columns import columns as columns_of
from ...adapter.rows.format import Csv, Jsonl, TickFormat
from ...adapter.rows.view import CsvView
from ...adapter.sinks.blindness import LiveBlindness
from ...adapter.sinks.candles import BarPlan, candle_sink_into, open_candle_sink
from ...adapter.sinks.file import RowSink, open_sink
from ...adapter.sinks.sink import PacketSink, open_all
from ...adapter.status_file import StatusFile
from ...adapter.subscriptions import Subscriptions, controlled
from ...adapter.tick import Mode
from ...adapter.wire.subscription import shard as shard_of
from ..demo import environment
from ..exit_codes import ExitCode
from ..extras import check_extras, open_nats, serving_metrics
from ..options import options
from ..options.aliases_table import aliases
from ..options.market_table import closing_ns, market_calendar
from ..options.parsers import CLOSE_NS, checked_outputs, checked_symbols, csv_view
from ..options.watch_lists import listed_names
from ..terminal.console import Console
from ..terminal.observer import Observer
from ..terminal.signals import StopRequestedError, StopSignals
from ..terminal.terminal import Terminal
from ..view.figures import counted
from ..view.summary_text import stream_summary

if TYPE_CHECKING:
    from ...adapter.instruments.chain import Chain

_REPORTED = 20
"""Names of watch lists that are reported one by one."""
_HOLD_LONGER_S = 2.0
"""What a check takes at most to find a feed silent, once it is due."""


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What one stream is to do."""

    symbols: tuple[str, ...]
    watch_lists: tuple[str, ...]
    is_strict: bool
    mode: Mode
    shard: tuple[int, int] | None
    limits: Limits
    csv: str | None
    jsonl: str | None
    view: CsvView | None
    events: str | None
    on_event: str | None
    overwrites: bool
    syncs: bool
    candles_s: int | None
    nats: NatsAddress | None
    nats_options: NatsOptions
    metrics: tuple[str, int] | None
    keeps_pre_open: bool
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
        csv = "-"  # asked for as good as by name
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
        symbols=checked_symbols(symbols or (), "stream"),
        watch_lists=tuple(watch_lists or ()),
        is_strict=strict,
        mode=mode,
        shard=shard,
        limits=Limits(duration, until, count),
        csv=csv if nats else _csv_path(csv, jsonl, events, console),
        jsonl=jsonl,
        view=view,
        events=events,
        on_event=on_event,
        overwrites=overwrite,
        syncs=fsync,
        candles_s=candles,
        nats=nats,
        nats_options=NatsOptions(
            limits=StreamLimits(nats_max_age, nats_max_bytes),
            buffer_limit=buffer,
            drain_timeout_s=float(drain_timeout),
            stops_when_full=on_full == "stop",
            keeps_trying=keep_trying,
        ),
        metrics=metrics,
        keeps_pre_open=pre_open,
        buffer_limit=buffer,
        stops_when_full=on_full == "stop",
        policy=Policy(
            silence_after_s=float(silence_after),
            check_every_s=float(check_every),
            max_attempts=None if keep_trying else max_attempts,
            backoff_max_s=float(backoff_max),
        ),
        calendar=market_calendar(os.environ, is_always_open=always_open or demo),
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
    config = replace(Config.from_env(environ), aliases=aliases(os.environ))
    sessions = config.authenticator(console.print_line)
    with checking_session(sessions):
        wanted = resolved(settings, config, console)  # a typo needs no login
    limits = dated(settings.limits, settings.calendar, wanted.instruments)
    with console.waiting_for_login(lambda: sessions.totp_wait_s):
        ensure_session(sessions)
    broker = BrokerAdapter(
        sessions,
        feed_url=config.endpoints.feed_url,
        policy=settings.policy,
        calendar=settings.calendar,
        buffer_limit=settings.buffer_limit,
    )
    broker.subscribe(wanted.instruments, settings.mode)
    for chain in wanted.chains:
        broker.follow(chain, settings.mode, is_mine=partial(_is_in, settings.shard))
    with ExitStack() as stack:
        stack.enter_context(serving_metrics(settings.metrics, broker, console.print_line))
        sinks = _opened_sinks(settings, broker, console)
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
        tell = _event_command(settings.on_event, console, stack)
        observer = Observer(
            broker,
            recorder,
            console,
            StatusFile(run_folder),
            events=settings.events,
            tell=tell,
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


def _event_command(
    command: str | None, console: Console, stack: ExitStack
) -> Callable[[LogEntry], None]:
    """What runs the user's command for an event, until the stack is closed."""
    if command is None:
        return lambda _entry: None
    from ...adapter.event_command import EventCommand  # only those pay for it who use it

    return stack.enter_context(EventCommand(command, console.print_line)).tell


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
        raise UsageError(f"--until: {error}", remedy="name a time that is ahead") from error
    return replace(limits, until_ns=until_ns)


class Wanted(NamedTuple):
    """What a stream begins with: the spots of its chains are among the instruments."""

    instruments: list[Instrument]
    chains: list[Chain]
    names_skipped: int


def resolved(settings: StreamSettings, config: Config, console: Console) -> Wanted:
    """The instruments that are wanted, or this shard's part of them.

    Raises UsageError when nothing is named, SymbolError for a name that was typed, for one of a
    list with `--strict`, or when a list leaves none.
    """
    typed = [name for name in settings.symbols if name.strip()]
    listed = listed_names(settings.watch_lists)
    if not typed and not listed:
        lists = " and ".join(settings.watch_lists)
        raise UsageError(
            f"{lists} contains no symbols" if lists else "no symbol given",
            remedy="name one, such as NIFTY, or give a list with --from FILE",
        )
    skipped: list[Skipped] = []
    chains: list[Chain] = []
    try:
        with console.progress("instrument master") as progress:
            instruments = resolve_symbols(
                config,
                typed,
                listed,
                progress=progress,
                note=console.print_line,
                skip=skipped.append,
                follow=chains.append,
            )
    finally:
        _report_skipped(skipped, console)
    if skipped and settings.is_strict:
        raise UnknownSymbolError(
            f"{counted(len(skipped), 'name')} of the watch list cannot be subscribed",
            kind="names-skipped",
        )
    return Wanted(_part(instruments, chains, settings.shard), chains, len(skipped))


def _report_skipped(skipped: Sequence[Skipped], console: Console) -> None:
    for each in skipped[:_REPORTED]:
        console.print_line(f"skipped: {each}")
    if more := skipped[_REPORTED:]:
        console.print_line(f"skipped: {counted(len(more), 'more name')}")


def _part(
    instruments: list[Instrument], chains: Sequence[Chain], shard: tuple[int, int] | None
) -> list[Instrument]:
    """This shard's instruments; each has the spots of all chains, as it follows them by itself."""
    spots = {chain.spot.key for chain in chains}
    mine = [one for one in instruments if one.key in spots or _is_in(shard, one)]
    if shard is not None and not mine:
        part = "/".join(map(str, shard))
        raise UsageError(
            f"--shard {part} contains none of the {len(instruments)} symbols",
            remedy="name more symbols, or use fewer parts",
        )
    return mine


def _bar_plan(width_s: int, settings: StreamSettings, broker: BrokerAdapter) -> BarPlan:
    found_silent_s = settings.policy.silence_after_s + settings.policy.check_every_s
    return BarPlan(
        width_s,
        settings.calendar,
        lambda: LiveBlindness(broker.events.reader(), settings.calendar),
        keeps_pre_open=settings.keeps_pre_open,
        hold_s=found_silent_s + _HOLD_LONGER_S,
    )


def _is_in(shard: tuple[int, int] | None, instrument: Instrument) -> bool:
    return shard is None or bool(shard_of([instrument], lambda one: one.key, *shard))


def _opened_sinks(
    settings: StreamSettings, broker: BrokerAdapter, console: Console
) -> list[PacketSink]:
    """All outputs, or none: those opened before one that fails are closed again."""

    def log_rotation(finished: str, rows: int, next_path: str) -> None:
        broker.events.add(Rotated(finished, rows, next_path))

    opened: Callable[[str, TickFormat], PacketSink] = partial(
        open_sink
        if settings.candles_s is None
        else partial(open_candle_sink, plan=_bar_plan(settings.candles_s, settings, broker)),
        symbols=broker.symbols,
        overwrite=settings.overwrites,
        fsync=settings.syncs,
        note=console.print_line,
        rotated=log_rotation,
    )
    places: tuple[tuple[str | None, TickFormat], ...] = (
        (settings.csv, Csv(settings.mode)),
        (settings.jsonl, Jsonl()),
    )
    openers: list[Callable[[], PacketSink]] = [
        partial(opened, path, row_format) for path, row_format in places if path is not None
    ]
    if settings.view is not None:
        openers[0] = partial(_shown_sink, settings, settings.view, broker, console)
    if settings.nats is not None:
        open_stream = partial(
            open_nats, settings.nats, settings.nats_options, broker.symbols, console.print_line
        )
        openers.insert(0, open_stream)  # a server that is not there is found before a file is made
    sinks = open_all(openers)
    # Its acknowledgements are waited for when the files are closed.
    return sinks if settings.nats is None else [*sinks[1:], sinks[0]]


def _shown_sink(
    settings: StreamSettings, view: CsvView, broker: BrokerAdapter, console: Console
) -> PacketSink:
    """CSV on stdout, of which some columns are shown."""
    output, ticks = ViewOutput(view), Csv(settings.mode)
    if settings.candles_s is None:
        return RowSink(ticks, output, broker.symbols)
    plan = _bar_plan(settings.candles_s, settings, broker)
    return candle_sink_into(output, ticks, plan, symbols=broker.symbols, note=console.print_line)
