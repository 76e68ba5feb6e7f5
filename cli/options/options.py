"""Every option once: its name, variable, words and parser, for all commands that take it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer

from ...adapter.clock import IST
from ...adapter.jetstream.address import NatsAddress
from ...adapter.rows.candles import DAY_S, check_width
from ...adapter.settings_file import quoted
from ...adapter.tick import Mode as TickMode
from . import parsers, paths

T = TypeVar("T")
_DURATION_WORDS = (
    "duration (examples: 90s, 5m, 1h30m)",
    "width (examples: 1m, 5m, 15m, 75m, 1h, 1d)",
)
_DAYS = re.compile(r"(\d{1,3})d", re.ASCII)


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


def option(
    flag: str,
    panel: str | None,
    text: str,
    parse: Callable[[str], object] | None = None,
    *,
    metavar: str | None = None,
    shows: bool | str = True,
    has_variable: bool = True,
) -> Any:
    """An option as Typer takes it: the second half of an `Annotated`.

    `flag` holds every spelling, the long one last (`-q --quiet`); the variable is that one in
    capitals (`TICKS_QUIET`). `parse` raises ValueError with the reason. A flag has no `metavar`.
    `shows`: what the help prints as the default, where the default itself would not explain it.
    """
    spellings = flag.split()
    long_name = spellings[-1].partition("/")[0].removeprefix("--")
    variable = f"TICKS_{long_name.replace('-', '_').upper()}"
    return typer.Option(
        *spellings,
        parser=parsed(parse) if parse else None,
        envvar=variable if has_variable else None,
        metavar=metavar,
        show_default=shows,
        help=text,
        rich_help_panel=panel,
    )


class Seconds(float):
    """A duration in seconds; the type that marks a duration option."""

    def __new__(cls, text: str) -> Seconds:
        return super().__new__(cls, parsers.duration_s(text))

    def __str__(self) -> str:
        return f"{float(self):g}s"


class BarWidth(int):
    """Seconds; the type that marks an option for the width of bars."""

    def __new__(cls, text: str) -> BarWidth:
        days = _DAYS.fullmatch(text.strip().lower())
        try:
            seconds = int(days[1]) * DAY_S if days else parsers.duration_s(text)
        except ValueError as error:
            raise ValueError(str(error).replace(*_DURATION_WORDS)) from None
        try:
            return super().__new__(cls, check_width(seconds))
        except ValueError as error:
            raise ValueError(f"{quoted(text)} is not a valid width: {error}") from error


class Timestamp(int):
    """Nanoseconds since the epoch; the type that marks a wall time option."""

    def __new__(cls, text: str) -> Timestamp:
        return super().__new__(cls, parsers.until_ns(text, datetime.now(IST)))


class Shard(tuple[int, int]):
    """(I, N) of a shard option."""

    __slots__ = ()

    def __new__(cls, text: str) -> Shard:
        return super().__new__(cls, parsers.shard(text))


class Columns(tuple[str, ...]):
    """Names; the type that marks a choice of columns."""

    __slots__ = ()

    def __new__(cls, text: str) -> Columns:
        return super().__new__(cls, parsers.columns(text))


class HostPort(tuple[str, int]):
    """(host, port) of an address to listen on."""

    __slots__ = ()

    def __new__(cls, text: str) -> HostPort:
        return super().__new__(cls, parsers.host_port(text))


DRAIN_TIMEOUT = Seconds("10s")
SILENCE_AFTER, CHECK_EVERY, BACKOFF_MAX = Seconds("30s"), Seconds("10s"), Seconds("60s")

WHAT, WHERE, _CONNECTION, _DISPLAY = "What", "Where to", "Connection", "Display"

Symbols = Annotated[
    list[str] | None,
    typer.Argument(metavar="SYMBOL", help="NIFTY, RELIANCE, NSE:SBIN, nse_cm|2885, ..."),
]
From = Annotated[
    list[str] | None,
    option(
        "--from",
        WHAT,
        "Watch list: one symbol a line, # starts a comment; - is stdin.",
        paths.input_path,
        metavar="FILE",
    ),
]
Strict = Annotated[
    bool,
    option(
        "--strict",
        WHAT,
        "Exit when a name of a watch list cannot be subscribed; otherwise it is skipped.",
    ),
]
Mode = Annotated[
    TickMode,
    option(
        "--mode",
        WHAT,
        "Fields per tick: ltp, quote or snap.",
        parsers.mode,
        metavar="ltp|quote|snap",
        shows="quote",
    ),
]
ShardOf = Annotated[
    Shard | None,
    option("--shard", WHAT, "Only the I-th of N parts of the watch list.", Shard, metavar="I/N"),
]
Duration = Annotated[
    Seconds | None,
    option(
        "--duration", WHAT, "Stop after this long: 90s, 5m, 1h30m.", Seconds, metavar="DURATION"
    ),
]
Until = Annotated[
    Timestamp | None,
    option(
        "--until",
        WHAT,
        "Stop at this time (IST): 15:40, 2026-11-23T15:40, or close: after the last session.",
        Timestamp,
        metavar="TIME",
    ),
]
Count = Annotated[
    int | None, option("--count", WHAT, "Stop after N ticks.", parsers.count, metavar="N")
]
Demo = Annotated[
    bool,
    option(
        "--demo",
        WHAT,
        "Use a simulated broker on this machine; no account needed."
        " Cannot be set by a variable or config.toml.",
        has_variable=False,
    ),
]
Csv = Annotated[
    str | None,
    option(
        "--csv",
        WHERE,
        "Write CSV to PATH; - is stdout. %-fields are the IST time and rotate the file,"
        " .gz compresses.",
        paths.csv_path,
        metavar="PATH",
    ),
]
Jsonl = Annotated[
    str | None,
    option(
        "--jsonl",
        WHERE,
        "Write JSON lines to PATH; - is stdout.",
        paths.jsonl_path,
        metavar="PATH",
    ),
]
ColumnNames = Annotated[
    Columns | None,
    option(
        "--columns",
        WHERE,
        "Only these columns, for CSV on stdout; a file always gets them all.",
        Columns,
        metavar="NAME,NAME",
        has_variable=False,
    ),
]
NoHeader = Annotated[
    bool, option("--no-header", WHERE, "No header, for CSV on stdout.", has_variable=False)
]
Overwrite = Annotated[
    bool,
    option("--overwrite", WHERE, "Replace an existing file instead of appending to it."),
]
Fsync = Annotated[
    bool,
    option(
        "--fsync", WHERE, "fsync after every write, so that a power cut cannot lose written rows."
    ),
]
Candles = Annotated[
    BarWidth | None,
    option(
        "--candles",
        WHERE,
        "Write bars of this width instead of ticks: open, high, low, close, volume.",
        BarWidth,
        metavar="1m|5m|15m|75m|1h|1d",
    ),
]
Nats = Annotated[
    NatsAddress | None,
    option(
        "--nats",
        WHERE,
        "Publish to NATS JetStream at nats://HOST:PORT/STREAM (port 4222 and stream TICKS by"
        " default); the stream is created if missing.",
        parsers.nats_address,
        metavar="URL",
    ),
]
NatsMaxAge = Annotated[
    Seconds | None,
    option(
        "--nats-max-age",
        WHERE,
        "How long a stream that is created keeps ticks: 7d, 90d.",
        Seconds,
        metavar="DURATION",
        shows="no limit",
    ),
]
NatsMaxBytes = Annotated[
    int | None,
    option(
        "--nats-max-bytes",
        WHERE,
        "How much a stream that is created keeps, the newest: 500MB, 20GB.",
        parsers.size,
        metavar="SIZE",
        shows="no limit",
    ),
]
DrainTimeout = Annotated[
    Seconds,
    option(
        "--drain-timeout",
        WHERE,
        "How long to wait at the end for NATS to acknowledge.",
        Seconds,
        metavar="DURATION",
    ),
]
Metrics = Annotated[
    HostPort | None,
    option(
        "--metrics",
        _DISPLAY,
        "Serve metrics for Prometheus on this address; without HOST on 127.0.0.1.",
        HostPort,
        metavar="HOST:PORT",
    ),
]
PreOpen = Annotated[
    bool,
    option("--pre-open", WHERE, "Candles: keep ticks from before the opening."),
]
Events = Annotated[
    str | None,
    option(
        "--events",
        WHERE,
        "Write the connection's history to PATH as JSON lines.",
        paths.events_path,
        metavar="PATH",
    ),
]
OnEvent = Annotated[
    str | None,
    option(
        "--on-event",
        WHERE,
        "Run CMD when the feed is lost, silent, back or given up; the event is JSON on its stdin.",
        parsers.command,
        metavar="CMD",
    ),
]
Buffer = Annotated[
    int,
    option(
        "--buffer",
        WHERE,
        "Ticks held between socket and outputs; when full, the oldest are dropped and counted.",
        parsers.count,
        metavar="N",
    ),
]
OnFull = Annotated[
    str,
    option(
        "--on-full",
        WHERE,
        "When the buffer is full: drop the oldest ticks, or stop with exit code 6.",
        parsers.on_full,
        metavar="drop|stop",
    ),
]
SilenceAfter = Annotated[
    Seconds,
    option(
        "--silence-after",
        _CONNECTION,
        "Silence that counts as a fault in market hours.",
        Seconds,
        metavar="DURATION",
    ),
]
CheckEvery = Annotated[
    Seconds,
    option(
        "--check-every",
        _CONNECTION,
        "How often the feed's health is checked.",
        Seconds,
        metavar="DURATION",
    ),
]
MaxAttempts = Annotated[
    int,
    option(
        "--max-attempts",
        _CONNECTION,
        "Reconnect attempts before giving up.",
        parsers.whole_number,
        metavar="N",
    ),
]
BackoffMax = Annotated[
    Seconds,
    option(
        "--backoff-max",
        _CONNECTION,
        "Longest wait between attempts.",
        Seconds,
        metavar="DURATION",
    ),
]
KeepTrying = Annotated[
    bool, option("--keep-trying", _CONNECTION, "Never give up: no limit on attempts.")
]
AlwaysOpen = Annotated[
    bool, option("--always-open", _CONNECTION, "Treat silence as a fault at any hour.")
]
Dashboard = Annotated[
    bool | None,
    option(
        "--dashboard/--no-dashboard",
        _DISPLAY,
        "Draw a live dashboard on stderr.",
        shows="on a terminal, unless ticks go into a pipe",
    ),
]
Color = Annotated[
    str,
    option(
        "--color",
        _DISPLAY,
        "When to use colour; auto: on a terminal, unless NO_COLOR is set.",
        parsers.color,
        metavar="auto|always|never",
    ),
]
Quiet = Annotated[bool, option("-q --quiet", _DISPLAY, "Print errors only.")]
Verbose = Annotated[
    bool, option("-v --verbose", _DISPLAY, "Log every event; show tracebacks of unexpected errors.")
]
