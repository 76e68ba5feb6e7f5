"""`ticks config`: every setting, its value and where that comes from; or a file to begin with."""

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

from ...adapter.errors import UsageError
from ...adapter.paths import Paths
from ...adapter.tick import Mode
from ..options.aliases_table import aliases_of
from ..options.config_file import ALIASES, MARKET, TABLES, ConfigFile, checked, settable
from ..options.market_table import HOLIDAYS, SESSIONS, calendar_of
from ..registry import load

Init = Annotated[
    bool, typer.Option("--init", help="Write a config.toml that names and explains every key.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="With --init: replace the file that is there.")
]
AsJson = Annotated[bool, typer.Option("--json", help="The settings as JSON on stdout.")]

_BEGINNING = """\
# Defaults of ticks. A flag beats its variable, a variable this file.
# `ticks config` shows what is in effect and where it comes from.
# Secrets are never read from here: set TICKS_API_KEY, TICKS_PIN and TICKS_TOTP_SECRET.
"""
_MARKET = f"""
[{MARKET}]
# Days without trading that the calendar does not know yet.
# {HOLIDAYS} = ["2026-11-09"]
# Sessions out of the ordinary, in Indian time; no exchange named means all.
# {SESSIONS} = ["2026-11-08 18:00-19:00 NSE,BSE"]
"""
_ALIASES = f"""
[{ALIASES}]
# Names of your own for symbols.
# bn = "BANKNIFTY"
"""
_EXAMPLES = {
    "N": 1,
    "I/N": "1/2",
    "DURATION": "1h30m",
    "TIME": "15:30",
    "WHEN:WHAT": "20s:silence:45s",
}
"""What to show for an option without a default whose metavar is no example itself."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key. `source`: default, file or variable; `place`: the file's line, the variable."""

    table: str
    key: str
    value: object
    source: str = "default"
    place: str = ""


def config(init: Init = False, overwrite: Overwrite = False, as_json: AsJson = False) -> None:
    """Show every setting and where its value comes from, or write a config.toml.

    A flag beats a variable, a variable the file, the file the default.

    Examples:
      ticks config
      ticks config --init
    """
    path = Paths.from_env(os.environ).config_file
    if init:
        _write(path, overwrites=overwrite)
        print(f"wrote {path}", file=sys.stderr)
        return
    if overwrite:
        raise UsageError("--overwrite does nothing here", remedy="give it with --init")
    file = ConfigFile.of(os.environ)
    settings = list(in_effect(file, os.environ))
    if as_json:
        told = {"file": str(path), "exists": path.exists()}
        print(json.dumps(told | {"settings": [asdict(one) for one in settings]}, indent=2))
        return
    print(path if path.exists() else f"{path} (not there; ticks config --init writes it)")
    _print_table(settings)


def in_effect(file: ConfigFile, environ: Mapping[str, str]) -> Iterator[Setting]:
    """Every setting as the next command would find it. Raises UsageError for a bad one."""
    for name in TABLES:
        if name not in (MARKET, ALIASES):
            yield from _of_command(file, load(name), environ)
    calendar_of(file)
    for key in (HOLIDAYS, SESSIONS):
        value = [str(one) for one in _list(file.table(MARKET).get(key))]
        yield _from_file(file, MARKET, key, value) if value else Setting(MARKET, key, value)
    aliases_of(file)
    for name, spelling in file.table(ALIASES).items():
        yield _from_file(file, ALIASES, name, spelling)


def commented_file() -> str:
    """A config.toml in which every key stands as a comment, with its default or an example."""
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
            yield _from_file(file, name, key, in_file[option.name])
        else:
            yield Setting(name, key, _default(option))


def _of_variable(ctx: typer.Context, option: TyperOption) -> object:
    variable = str(option.envvar)
    try:
        return shown(option.process_value(ctx, option.value_from_envvar(ctx)))
    except typer.BadParameter as error:
        raise UsageError(f"{variable}: {error.message}", remedy="mend or unset it") from error


def _from_file(file: ConfigFile, table: str, key: str, value: object) -> Setting:
    return Setting(table, key, value, "file", f"line {file.line_of(table, key)}")


def _default(option: TyperOption) -> object:
    return option.show_default if isinstance(option.show_default, str) else shown(option.default)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _example(option: TyperOption) -> str:
    """A TOML value that the key takes: its default, else what the metavar says or begins with."""
    if option.is_flag:
        return str(bool(option.default)).lower()
    example = shown(option.default)
    if example is None:
        words = str(option.metavar or option.name)
        example = _EXAMPLES.get(words, words.split("|", maxsplit=1)[0])
    return json.dumps([example] if option.multiple else example)


def _write(path: Path, *, overwrites: bool) -> None:
    if path.exists() and not overwrites:
        raise UsageError(f"{path} is there already", remedy="edit it, or add --overwrite")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(commented_file(), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", remedy="check the folder's rights"
        ) from error


def _print_table(settings: list[Setting]) -> None:
    rows = [
        (one.key, _as_text(one.value), f"{one.source} {one.place}".rstrip()) for one in settings
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
