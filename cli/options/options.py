"""Every option once: its name, variable, words and parser, for all commands that take it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, TypeVar

import typer

from ...adapter.clock import IST
from ...adapter.jetstream.address import NatsAddress, parse_address
from ...adapter.rows.candles import check_width
from ...adapter.tick import Mode as TickMode
from . import parsers

T = TypeVar("T")


def parsed(parse: Callable[[str], T]) -> Callable[[str | T], T]:
    """A parser whose ValueError becomes a usage error with the same words; defaults pass."""

    def parser(value: str | T) -> T:
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return parser


class Seconds(float):
    """A duration in seconds; the type that marks a duration option."""

    def __new__(cls, text: str) -> Seconds:
        return super().__new__(cls, parsers.duration_s(text))

    def __str__(self) -> str:
        return f"{float(self):g}s"


class BarWidth(int):
    """Seconds; the type that marks an option for the width of bars."""

    def __new__(cls, text: str) -> BarWidth:
        return super().__new__(cls, check_width(parsers.duration_s(text)))


class Timestamp(int):
    """Nanoseconds since the epoch; the type that marks a wall time option."""

    def __new__(cls, text: str) -> Timestamp:
        return super().__new__(cls, parsers.until_ns(text, datetime.now(IST)))


class Shard(tuple[int, int]):
    """(I, N) of a shard option."""

    __slots__ = ()

    def __new__(cls, text: str) -> Shard:
        return super().__new__(cls, parsers.shard(text))


class HostPort(tuple[str, int]):
    """(host, port) of an address to listen on."""

    __slots__ = ()

    def __new__(cls, text: str) -> HostPort:
        return super().__new__(cls, parsers.host_port(text))


DRAIN_TIMEOUT = Seconds("10s")
SILENCE_AFTER, CHECK_EVERY, BACKOFF_MAX = Seconds("30s"), Seconds("10s"), Seconds("60s")

_WHAT, _WHERE, _CONNECTION, _DISPLAY = "What", "Where to", "Connection", "Display"

Symbols = Annotated[
    list[str] | None,
    typer.Argument(metavar="SYMBOL", help="NIFTY, RELIANCE, NSE:SBIN, nse_cm|2885, ..."),
]
From = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        envvar="TICKS_FROM",
        metavar="FILE",
        help="A watch list, one symbol a line, # comments; - is stdin.",
        rich_help_panel=_WHAT,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        envvar="TICKS_STRICT",
        help="Exit when a name of a watch list cannot be subscribed; otherwise it is skipped.",
        rich_help_panel=_WHAT,
    ),
]
Mode = Annotated[
    TickMode,
    typer.Option(
        parser=parsed(parsers.mode),
        envvar="TICKS_MODE",
        metavar="ltp|quote|snap",
        show_default="quote",
        help="How much each tick tells.",
        rich_help_panel=_WHAT,
    ),
]
ShardOf = Annotated[
    Shard | None,
    typer.Option(
        "--shard",
        parser=parsed(Shard),
        envvar="TICKS_SHARD",
        metavar="I/N",
        help="Only the I-th of N parts of the watch list.",
        rich_help_panel=_WHAT,
    ),
]
Duration = Annotated[
    Seconds | None,
    typer.Option(
        parser=parsed(Seconds),
        envvar="TICKS_DURATION",
        metavar="DURATION",
        help="End after this long: 90s, 5m, 1h30m.",
        rich_help_panel=_WHAT,
    ),
]
Until = Annotated[
    Timestamp | None,
    typer.Option(
        parser=parsed(Timestamp),
        envvar="TICKS_UNTIL",
        metavar="TIME",
        help="End at this time, in India: 15:30, 2026-11-23T15:30.",
        rich_help_panel=_WHAT,
    ),
]
Count = Annotated[
    int | None,
    typer.Option(
        parser=parsed(parsers.count),
        envvar="TICKS_COUNT",
        metavar="N",
        help="End after N ticks.",
        rich_help_panel=_WHAT,
    ),
]
Demo = Annotated[
    bool,
    typer.Option(
        "--demo",
        help="Play against a simulated broker on this machine; no account is needed."
        " Neither a variable nor config.toml can set it.",
        rich_help_panel=_WHAT,
    ),
]
Csv = Annotated[
    str | None,
    typer.Option(
        "--csv",
        envvar="TICKS_CSV",
        metavar="PATH",
        help="CSV to PATH; - is stdout. %-fields are the IST time and rotate, .gz compresses.",
        rich_help_panel=_WHERE,
    ),
]
Jsonl = Annotated[
    str | None,
    typer.Option(
        "--jsonl",
        envvar="TICKS_JSONL",
        metavar="PATH",
        help="JSON lines to PATH; - is stdout.",
        rich_help_panel=_WHERE,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        envvar="TICKS_OVERWRITE",
        help="Replace an existing file instead of appending to it.",
        rich_help_panel=_WHERE,
    ),
]
Fsync = Annotated[
    bool,
    typer.Option(
        "--fsync",
        envvar="TICKS_FSYNC",
        help="Have every write on the disk before the next: a power cut takes no written row.",
        rich_help_panel=_WHERE,
    ),
]
Candles = Annotated[
    BarWidth | None,
    typer.Option(
        "--candles",
        parser=parsed(BarWidth),
        envvar="TICKS_CANDLES",
        metavar="1m|5m|1h",
        help="Write bars of this width instead of ticks: open, high, low, close, volume.",
        rich_help_panel=_WHERE,
    ),
]
Nats = Annotated[
    NatsAddress | None,
    typer.Option(
        "--nats",
        parser=parsed(parse_address),
        envvar="TICKS_NATS",
        metavar="nats://HOST[:PORT][/STREAM]",
        help="Publish ticks to a stream of NATS JetStream, made if it is missing.",
        rich_help_panel=_WHERE,
    ),
]
NatsMaxAge = Annotated[
    Seconds | None,
    typer.Option(
        "--nats-max-age",
        parser=parsed(Seconds),
        envvar="TICKS_NATS_MAX_AGE",
        metavar="DURATION",
        help="How long a stream that is made keeps ticks: 7d, 90d.",
        show_default="no limit",
        rich_help_panel=_WHERE,
    ),
]
NatsMaxBytes = Annotated[
    int | None,
    typer.Option(
        "--nats-max-bytes",
        parser=parsed(parsers.size),
        envvar="TICKS_NATS_MAX_BYTES",
        metavar="SIZE",
        help="How much a stream that is made keeps, the newest: 500MB, 20GB.",
        show_default="no limit",
        rich_help_panel=_WHERE,
    ),
]
DrainTimeout = Annotated[
    Seconds,
    typer.Option(
        "--drain-timeout",
        parser=parsed(Seconds),
        envvar="TICKS_DRAIN_TIMEOUT",
        metavar="DURATION",
        help="How long the end waits for NATS to acknowledge.",
        rich_help_panel=_WHERE,
    ),
]
Metrics = Annotated[
    HostPort | None,
    typer.Option(
        "--metrics",
        parser=parsed(HostPort),
        envvar="TICKS_METRICS",
        metavar="[HOST:]PORT",
        help="Serve metrics for Prometheus here; without HOST on 127.0.0.1.",
        rich_help_panel=_DISPLAY,
    ),
]
Events = Annotated[
    str | None,
    typer.Option(
        "--events",
        envvar="TICKS_EVENTS",
        metavar="PATH",
        help="The connection's history as JSON lines.",
        rich_help_panel=_WHERE,
    ),
]
Buffer = Annotated[
    int,
    typer.Option(
        "--buffer",
        parser=parsed(parsers.count),
        envvar="TICKS_BUFFER",
        metavar="N",
        help="Ticks held between socket and outputs before the oldest are dropped, counted.",
        rich_help_panel=_WHERE,
    ),
]
OnFull = Annotated[
    str,
    typer.Option(
        "--on-full",
        envvar="TICKS_ON_FULL",
        metavar="drop|stop",
        parser=parsed(parsers.on_full),
        help="What a full buffer does: drop the oldest, or stop with exit code 6.",
        rich_help_panel=_WHERE,
    ),
]
SilenceAfter = Annotated[
    Seconds,
    typer.Option(
        "--silence-after",
        parser=parsed(Seconds),
        envvar="TICKS_SILENCE_AFTER",
        metavar="DURATION",
        help="Silence that counts as a fault in market hours.",
        rich_help_panel=_CONNECTION,
    ),
]
CheckEvery = Annotated[
    Seconds,
    typer.Option(
        "--check-every",
        parser=parsed(Seconds),
        envvar="TICKS_CHECK_EVERY",
        metavar="DURATION",
        help="How often the feed's health is checked.",
        rich_help_panel=_CONNECTION,
    ),
]
MaxAttempts = Annotated[
    int,
    typer.Option(
        "--max-attempts",
        parser=parsed(parsers.whole_number),
        envvar="TICKS_MAX_ATTEMPTS",
        metavar="N",
        help="Attempts to reconnect before the feed is given up.",
        rich_help_panel=_CONNECTION,
    ),
]
BackoffMax = Annotated[
    Seconds,
    typer.Option(
        "--backoff-max",
        parser=parsed(Seconds),
        envvar="TICKS_BACKOFF_MAX",
        metavar="DURATION",
        help="Longest wait between attempts.",
        rich_help_panel=_CONNECTION,
    ),
]
KeepTrying = Annotated[
    bool,
    typer.Option(
        "--keep-trying",
        envvar="TICKS_KEEP_TRYING",
        help="Never give the feed up.",
        rich_help_panel=_CONNECTION,
    ),
]
AlwaysOpen = Annotated[
    bool,
    typer.Option(
        "--always-open",
        envvar="TICKS_ALWAYS_OPEN",
        help="Silence is a fault at any hour.",
        rich_help_panel=_CONNECTION,
    ),
]
Dashboard = Annotated[
    bool | None,
    typer.Option(
        "--dashboard/--no-dashboard",
        envvar="TICKS_DASHBOARD",
        show_default="on a terminal",
        help="Draw a live dashboard on stderr.",
        rich_help_panel=_DISPLAY,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "-q",
        "--quiet",
        envvar="TICKS_QUIET",
        help="Say nothing but errors.",
        rich_help_panel=_DISPLAY,
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "-v",
        "--verbose",
        envvar="TICKS_VERBOSE",
        help="Tell every event; tracebacks.",
        rich_help_panel=_DISPLAY,
    ),
]
