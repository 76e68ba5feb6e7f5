"""`ticks find`: what the instrument master holds under a name, or a part of one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

import typer

from ...adapter.clock import SystemClock
from ...adapter.config import Config
from ...adapter.errors import UnknownSymbolError, UsageError
from ...adapter.instrument import EXCHANGE_TYPES, Instrument, price_digits
from ...adapter.instruments import InstrumentCatalog, open_catalog
from ..options import options, parsers
from ..options.aliases_table import aliases
from ..terminal.progress import byte_progress

FIELDS = (
    *("exchange", "symbol", "token", "name", "expiry"),
    *("strike", "lot_size", "tick_size", "kind"),
)
_NUMBERS = ("strike", "lot_size", "tick_size")
_WIDE_COLUMNS = 110
"""From this width on there is room for the name, which mostly repeats the symbol."""

Words = Annotated[
    list[str],
    typer.Argument(metavar="TEXT", help="A symbol, a name, a token, or parts of them."),
]
Exchange = Annotated[
    str | None,
    typer.Option(metavar="|".join(EXCHANGE_TYPES), help="Only what trades there."),
]
Limit = Annotated[
    int,
    typer.Option(parser=options.parsed(parsers.count), metavar="N", help="At most so many."),
]
AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV with a header.")]
AsJson = Annotated[bool, typer.Option("--json", help="As a JSON array.")]


def find(
    text: Words,
    exchange: Exchange = None,
    limit: Limit = 20,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List the instruments that fit TEXT, the best first.

    Prices are in rupees. Nothing found: exit code 4, naming what is spelled nearly so.

    Examples:
      ticks find reliance
      ticks find nifty 24400 ce --exchange NFO --limit 5
      ticks find gold --csv
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", remedy="leave one of them out")
    words = " ".join(text)
    with _open_book() as book:
        found = book.find(words, exchange, limit)
        if not found:
            raise _nothing_found(book, words, exchange)
    if as_json:
        _print_json(found)
    elif as_csv:
        _print_csv(found)
    elif sys.stdout.isatty():
        _print_table(found)
    else:
        _print_aligned(found)


def _open_book() -> InstrumentCatalog:
    surroundings = Config.from_env(os.environ)
    with byte_progress("instrument master") as progress:
        return open_catalog(
            surroundings.paths,
            surroundings.endpoints.instruments_url,
            clock=SystemClock(),
            progress=progress,
            note=lambda words: print(f"ticks: {words}", file=sys.stderr),
            aliases=aliases(os.environ),
        )


def _nothing_found(book: InstrumentCatalog, text: str, exchange: str | None) -> UnknownSymbolError:
    where = f" on {exchange}" if exchange else ""
    nearest = tuple(book.nearest(text))
    return UnknownSymbolError(
        f"nothing fits {text!r}{where}"
        + (f"; the nearest: {', '.join(map(str, nearest))}" if nearest else ""),
        remedy="less of the name, or another exchange",
        candidates=nearest,
    )


def _cells(one: Instrument) -> tuple[str, ...]:
    """The texts of FIELDS; an absent strike is empty."""
    return (
        one.exchange,
        one.symbol,
        one.token,
        one.name,
        one.expiry,
        "" if one.strike_rupees is None else f"{one.strike_rupees:f}",
        str(one.lot_size),
        _price(one.tick_size, one.exchange_type),
        one.kind,
    )


def _price(units: int, exchange_type: int) -> str:
    return f"{Decimal(units).scaleb(-price_digits(exchange_type)):f}"


def _print_json(found: Sequence[Instrument]) -> None:
    """Numbers are written digit by digit as in CSV, so that no price becomes a binary fraction."""
    objects = []
    for one in found:
        members = []
        for field, cell in zip(FIELDS, _cells(one), strict=True):
            value = (cell or "null") if field in _NUMBERS else json.dumps(cell)
            members.append(f'"{field}": {value}')
        objects.append(f"  {{{', '.join(members)}}}")
    print("[", ",\n".join(objects), "]", sep="\n")


def _print_csv(found: Sequence[Instrument]) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(_cells(one) for one in found)


def _print_aligned(found: Sequence[Instrument]) -> None:
    rows = [FIELDS, *(_cells(one) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(FIELDS))]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def _print_table(found: Sequence[Instrument]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    rows = [dict(zip(FIELDS, _cells(one), strict=True)) for one in found]
    shown = [field for field in FIELDS if field != "name" or console.width >= _WIDE_COLUMNS]
    for field in shown:
        side: Literal["left", "right"] = "right" if field in _NUMBERS else "left"
        table.add_column(field.replace("_", "\n"), justify=side, overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[field]) for field in shown))
    console.print(table)
