"""`ticks find`: search the instrument master by symbol, name or token, or a part of one."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated

import typer

from ...adapter.aliases_table import aliases_of
from ...adapter.clock import SystemClock
from ...adapter.config import Config
from ...adapter.errors import UnknownSymbolError, UsageError
from ...adapter.instrument import EXCHANGE_TYPES, Instrument, price_digits
from ...adapter.instruments import InstrumentCatalog, open_catalog
from ..demo import environment
from ..exit_codes import remedy_of
from ..options import options, parsers
from ..options.config_file import ConfigFile
from ..printable import printable
from ..terminal.progress import byte_progress

FIELDS = (
    *("exchange", "symbol", "token", "name", "expiry"),
    *("strike", "lot_size", "tick_size", "kind"),
)
_GAP = 2
_NUMBERS = ("strike", "lot_size", "tick_size")
_GIVEN_UP_FIRST = ("name", "tick_size", "lot_size", "kind", "strike", "expiry", "token")
"""The columns that a narrow terminal does without, in this order. A symbol is never cut or wrapped:
it is what the reader came to copy."""

Words = Annotated[
    list[str],
    typer.Argument(metavar="TEXT", help="A symbol, a name, a token, or parts of them."),
]
Exchange = Annotated[
    str | None,
    options.option(
        "--exchange",
        None,
        "Only instruments on this exchange.",
        parsers.exchange,
        metavar="|".join(EXCHANGE_TYPES),
        has_variable=False,
    ),
]
Limit = Annotated[
    int,
    options.option(
        "--limit",
        None,
        "Maximum number of results.",
        parsers.count,
        metavar="N",
        has_variable=False,
    ),
]
AsCsv = Annotated[
    bool, options.option("--csv", None, "Print CSV with a header.", has_variable=False)
]
AsJson = Annotated[bool, options.option("--json", None, "Print a JSON array.", has_variable=False)]


def find(
    text: Words,
    exchange: Exchange = None,
    limit: Limit = 20,
    demo: options.Demo = False,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """List the instruments that match TEXT, best match first.

    Prices are in rupees. If nothing matches, the nearest names are suggested; exit code 4.

    Examples:
      ticks find reliance
      ticks find nifty fut --exchange NFO --limit 5
      ticks find banknifty ce --demo
      ticks find bank --csv
    """
    words = " ".join(text)
    if not words.strip():
        raise UsageError("there is no text to look for", remedy="ticks find nifty")
    with environment(demo) as environ, _open_catalog(environ) as catalog:
        found = _found(catalog, words, exchange, limit)
    if as_json:
        _print_json(found)
    elif as_csv:
        _print_csv(found)
    elif sys.stdout.isatty():
        _print_table(found, shutil.get_terminal_size().columns)
    else:
        _print_aligned(found)


def _open_catalog(environ: Mapping[str, str]) -> InstrumentCatalog:
    config = Config.from_env(environ)
    with byte_progress("instrument master") as progress:
        return open_catalog(
            config.paths,
            config.endpoints.instruments_url,
            clock=SystemClock(),
            progress=progress,
            note=_note,
            aliases=aliases_of(ConfigFile.of(os.environ)),
        )


def _found(
    catalog: InstrumentCatalog, text: str, exchange: str | None, limit: int
) -> list[Instrument]:
    try:
        return catalog.find(text, exchange, limit, note=_note)
    except UnknownSymbolError as error:
        if "ticks find" in remedy_of(error):  # which the reader has just done
            error.remedy = "type a part of its symbol or name" + (
                ", or leave --exchange out" if exchange else ""
            )
        raise


def _note(words: str) -> None:
    print(printable(f"ticks: {words}"), file=sys.stderr)


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

    is_terminal = sys.stdout.isatty()  # elsewhere CSV is data, each name byte for byte
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(map(printable, _cells(one)) if is_terminal else _cells(one) for one in found)


def _print_aligned(found: Sequence[Instrument]) -> None:
    rows = [FIELDS, *(tuple(map(printable, _cells(one))) for one in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(FIELDS))]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def _print_table(found: Sequence[Instrument], width: int) -> None:
    """For a terminal of `width` columns: as many fields as fit next to the symbols."""
    columns = {
        field: [field.replace("_", " "), *(printable(_cells(one)[number]) for one in found)]
        for number, field in enumerate(FIELDS)
    }
    widths = {field: max(map(len, cells)) for field, cells in columns.items()}
    for field in _GIVEN_UP_FIRST:
        if sum(widths.values()) + _GAP * (len(widths) - 1) <= width:
            break
        del widths[field]
    lines = [
        (" " * _GAP).join(_aligned(field, columns[field][row], widths[field]) for field in widths)
        for row in range(len(found) + 1)
    ]
    lines.insert(1, "─" * max(map(len, lines)))
    print("\n".join(line.rstrip() for line in lines))


def _aligned(field: str, cell: str, width: int) -> str:
    return cell.rjust(width) if field in _NUMBERS else cell.ljust(width)
