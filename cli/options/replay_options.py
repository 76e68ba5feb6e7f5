"""The options that only `ticks replay` has."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from ...adapter.clock import IST
from ...adapter.settings_file import quoted
from ...adapter.tick import Mode
from . import parsers, paths
from .options import WHAT, WHERE, option, parsed

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
        parser=parsed(paths.recording_path),
        help="Recordings: CSV or JSON lines, also compressed (.gz), or Parquet; - is stdin;"
        " nats://HOST:PORT/STREAM is a stream of NATS JetStream.",
    ),
]
Start = Annotated[
    str | None,
    option(
        "--start",
        WHAT,
        "Skip ticks received before this time (IST): 09:15 on each day, or 2026-11-20T09:15.",
        bound,
        metavar="TIME",
        has_variable=False,
    ),
]
End = Annotated[
    str | None,
    option(
        "--end",
        WHAT,
        "Skip ticks received at this time or later.",
        bound,
        metavar="TIME",
        has_variable=False,
    ),
]
SymbolsOnly = Annotated[
    list[str] | None,
    option(
        "--symbol",
        WHAT,
        "Only this instrument; can be repeated.",
        parsers.symbol,
        metavar="SYMBOL",
        has_variable=False,
    ),
]
Strict = Annotated[
    bool,
    option(
        "--strict",
        WHAT,
        "Stop at the first damaged row, with exit code 6.",
        has_variable=False,
    ),
]
Speed = Annotated[
    float | None,
    option(
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
    option("--skip-idle", _PACE, "Skip silences of more than a minute.", has_variable=False),
]
Follow = Annotated[
    bool,
    option(
        "--follow",
        WHAT,
        "Keep reading new ticks; for one nats:// stream.",
        has_variable=False,
    ),
]
Loop = Annotated[bool, option("--loop", _PACE, "Repeat forever.", has_variable=False)]
Columns = Annotated[
    Mode | None,
    option(
        "--mode",
        WHERE,
        "The columns of CSV output.",
        parsers.mode,
        metavar="ltp|quote|snap",
        shows="those of the richest recording",
        has_variable=False,
    ),
]
Unique = Annotated[
    bool,
    option(
        "--unique",
        WHAT,
        "Merge recordings of one feed: each tick once, from whichever recorder had it first.",
        has_variable=False,
    ),
]
Parquet = Annotated[
    str | None,
    option(
        "--parquet",
        WHERE,
        "Convert to a Parquet file (needs pyarrow).",
        paths.parquet_path,
        metavar="PATH",
        has_variable=False,
    ),
]
FloatPrices = Annotated[
    bool,
    option(
        "--float-prices",
        WHERE,
        "Parquet: prices as doubles, which load faster, instead of exact decimals.",
        has_variable=False,
    ),
]
Events = Annotated[
    list[str] | None,
    option(
        "--events",
        WHERE,
        "Candles: events of the stream that wrote a recording, for blind_s; can be repeated. With"
        " those of several recorders, blind is what was blind in all of them.",
        paths.input_path,
        metavar="FILE",
        has_variable=False,
    ),
]
AlwaysOpen = Annotated[
    bool,
    option(
        "--always-open",
        WHERE,
        "Candles: count no tick as from before the opening, as for the recording of a demo.",
    ),
]
