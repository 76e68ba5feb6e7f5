"""`ticks config`: every setting, its value and its source; or a first config.toml."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperOption

from ...adapter.aliases_table import aliases_of
from ...adapter.errors import OutputError, UsageError
from ...adapter.market_table import HOLIDAYS, HOURS, SESSIONS, calendar_of, own_tables
from ...adapter.paths import Paths
from ...adapter.tick import Mode
from ..options import options
from ..options.config_file import ALIASES, MARKET, TABLES, ConfigFile, checked, settable
from ..printable import printable
from ..registry import load
from ..usage_errors import variable_error

Init = Annotated[
    bool,
    options.option(
        "--init", None, "Write a config.toml with every key, commented out.", has_variable=False
    ),
]
Overwrite = Annotated[
    bool,
    options.option(
        "--overwrite", None, "With --init: replace an existing file.", has_variable=False
    ),
]
AsJson = Annotated[
    bool, options.option("--json", None, "Print the settings as JSON.", has_variable=False)
]

_BEGINNING = """\
# Defaults of ticks. Precedence: option, environment variable, this file, built-in default.
# `ticks config` shows every value in effect and where it comes from.
# Secrets are never read from this file: set TICKS_API_KEY, TICKS_PIN and TICKS_TOTP_SECRET.
"""
_MARKET = f"""
[{MARKET}]
# Holidays that the built-in calendar does not have yet.
# {HOLIDAYS} = ["2026-11-09"]
# Special sessions in Indian time; without an exchange they apply to all.
# {SESSIONS} = ["2026-11-08 18:00-19:00 NSE,BSE"]

# A table for one exchange: its ordinary hours, and holidays and sessions of its own.
# [{MARKET}.NFO]
# {HOURS} = "09:15-15:40"
# {HOLIDAYS} = ["2026-11-09"]
# {SESSIONS} = ["2026-11-08 18:00-19:00"]
"""
_ALIASES = f"""
[{ALIASES}]
# Names of your own for symbols.
# bn = "BANKNIFTY"
"""
_EXAMPLES = {
    "URL": "nats://127.0.0.1:4222/TICKS",
    "HOST:PORT": "127.0.0.1:9100",
    "SIZE": "20GB",
    "N": 1,
    "I/N": "1/2",
    "N|max": 10,
    "DURATION": "1h30m",
    "TIME": "15:40",
    "WHEN:WHAT": "20s:silence:45s",
}
"""What to show for an option without a default whose metavar is not an example itself."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key. `source`: default, file or variable; `place`: the file's line where it is certain,
    or the variable."""

    table: str
    key: str
    value: object
    source: str = "default"
    place: str = ""


def config(init: Init = False, overwrite: Overwrite = False, as_json: AsJson = False) -> None:
    """Show every setting and where its value comes from, or write a config.toml.

    Precedence: option, environment variable, config.toml, default.

    Examples:
      ticks config
      ticks config --init
    """
    path = Paths.from_env(os.environ).config_file
    if init:
        _write(path, overwrites=overwrite)
        print(printable(f"wrote {path}"), file=sys.stderr)
        return
    file = ConfigFile.of(os.environ)
    settings = list(in_effect(file, os.environ))
    if as_json:
        document = {"file": str(path), "exists": path.exists()}
        print(json.dumps(document | {"settings": [asdict(one) for one in settings]}, indent=2))
        return
    there = "" if path.exists() else " (does not exist; ticks config --init writes it)"
    print(printable(f"{path}{there}"))
    _print_table(settings)


def in_effect(file: ConfigFile, environ: Mapping[str, str]) -> Iterator[Setting]:
    """Every setting as the next command would use it. Raises UsageError for an invalid one."""
    for name in TABLES:
        if name not in (MARKET, ALIASES):
            yield from _of_command(file, load(name), environ)
    calendar_of(file)
    for key in (HOLIDAYS, SESSIONS):
        value = [str(one) for one in _list(file.table(MARKET).get(key))]
        yield _from_file(file, value, MARKET, key) if value else Setting(MARKET, key, value)
    for name in own_tables(file):
        for key, given in file.table(MARKET, name).items():
            yield _from_file(file, shown(given), MARKET, name, key)
    aliases_of(file)
    for name, spelling in file.table(ALIASES).items():
        yield _from_file(file, spelling, ALIASES, name)


def commented_file() -> str:
    """A config.toml with every key commented out, with its default or an example."""
    parts = [_BEGINNING]
    for name in TABLES:
        if name in (MARKET, ALIASES):
            continue
        parts.append(f"\n[{name}]\n")
        for key, option in settable(load(name)).items():
            variable = f" ({option.envvar})" if option.envvar else ""
            parts.append(f"# {option.help}{variable}\n# {key} = {_example(option)}\n")
    return "".join([*parts, _MARKET, _ALIASES])


def shown(value: object) -> object:
    """A parsed value as the user would write it."""
    if isinstance(value, Mode):
        return value.label
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, list | tuple):
        return [shown(one) for one in value]
    return value if type(value) in (int, float) else str(value)


def _of_command(
    file: ConfigFile, command: TyperCommand, environ: Mapping[str, str]
) -> Iterator[Setting]:
    name = str(command.name)
    ctx = typer.Context(command, info_name=name)
    in_file = checked(file, command, ctx)
    for key, option in settable(command).items():
        variable = str(option.envvar or "")
        if environ.get(variable):
            yield Setting(name, key, _of_variable(ctx, option), "variable", variable)
        elif option.name in in_file:
            yield _from_file(file, in_file[option.name], name, key)
        else:
            yield Setting(name, key, _default(option))


def _of_variable(ctx: typer.Context, option: TyperOption) -> object:
    try:
        return shown(option.process_value(ctx, option.value_from_envvar(ctx)))
    except typer.BadParameter as error:
        raise variable_error(option, error.message) from error


def _from_file(file: ConfigFile, value: object, *keys: str) -> Setting:
    line = file.line_of(*keys)
    place = "" if line is None else f"line {line}"
    return Setting(".".join(keys[:-1]), keys[-1], value, "file", place)


def _default(option: TyperOption) -> object:
    return option.show_default if isinstance(option.show_default, str) else shown(option.default)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _example(option: TyperOption) -> str:
    """A valid TOML value for the key: its default, else an example by its metavar."""
    if option.is_flag:
        return str(bool(option.default)).lower()
    example = shown(option.default)
    if example is None:
        words = str(option.metavar or option.name)
        example = _EXAMPLES.get(words, words.split("|", maxsplit=1)[0])
    return json.dumps([example] if option.multiple else example)


def _write(path: Path, *, overwrites: bool) -> None:
    if path.exists() and not overwrites:
        raise UsageError(f"{path} exists already", remedy="edit it, or add --overwrite")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(commented_file(), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}", remedy="check the folder's permissions"
        ) from error


def _print_table(settings: list[Setting]) -> None:
    rows = [
        [
            printable(text)
            for text in (one.key, _as_text(one.value), f"{one.source} {one.place}".rstrip())
        ]
        for one in settings
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    table = ""
    for setting, (key, value, source) in zip(settings, rows, strict=True):
        if setting.table != table:
            table = setting.table
            print(f"\n[{table}]")
        print(f"{key:<{widths[0]}}  {value:<{widths[1]}}  {source}")


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)
