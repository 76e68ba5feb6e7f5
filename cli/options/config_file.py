"""config.toml: the user's own defaults. A flag beats a variable, a variable this file.

    [stream]                      # a table for each command, its options by their long names
    silence-after = "45s"         # what the flag takes, as text or as a TOML number
    keep-trying = true            # flags are true or false
    from = ["watch.txt"]          # what can be given several times is a list

    [market]                      # what the exchanges announced: see market_table.py
    holidays = ["2026-11-09"]

    [aliases]                     # your own names for symbols
    bn = "BANKNIFTY"

A command's table is checked whenever that command runs, the whole file by `ticks config`. Each
error names file, key, value and reason, and the line where that is certain. Secrets are refused:
such a file is copied and shown around.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import typer
from typer.core import TyperCommand, TyperOption

from ...adapter.paths import Paths
from ...adapter.settings_file import SettingsFile, nearest
from ..registry import SUMMARIES, long_name, options_of

if TYPE_CHECKING:
    from typer._click import Context

Value: TypeAlias = bool | str | list[str]
"""What an option's parser takes."""

_WITHOUT_TABLE = (
    *("logout", "config", "completion", "help"),
    *("status", "stop", "add", "drop"),
)
MARKET = "market"
ALIASES = "aliases"
TABLES = (
    *(name for name in SUMMARIES if name not in _WITHOUT_TABLE),
    MARKET,
    ALIASES,
)
FLAG_ONLY = {
    "demo": "simulated data could go unnoticed; ask for it on the command line",
    "columns": "no recording could be made; ask for a view on the command line",
    "no-header": "no recording could be made; ask for a view on the command line",
    "status": "`ticks login` would never log in",
}
"""Options that no file sets, each with the reason."""


@dataclass(frozen=True, slots=True)
class ConfigFile(SettingsFile):
    """The file with a table for each command."""

    never_set = FLAG_ONLY

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> ConfigFile:
        """The file of this user, empty where there is none. Raises UsageError."""
        return cls.read(Paths.from_env(environ).config_file)

    def check_tables(self) -> None:
        """Raises UsageError for a table that no command has."""
        for name, table in self.tables.items():
            if name not in TABLES:
                self.refuse_secret(name)
                kind = "table" if isinstance(table, dict) else "key"
                self.refuse(f"there is no {kind} {name!r}{nearest(name, TABLES)}", name)
            if not isinstance(table, dict):
                self.refuse(f"{name!r} must be a table; write [{name}]", name)


def settable(command: TyperCommand) -> dict[str, TyperOption]:
    """The options of a command that the file can set, by their keys there."""
    named = {long_name(option): option for option in options_of(command)}
    return {key: option for key, option in named.items() if key not in FLAG_ONLY}


def defaults_of(command: TyperCommand, ctx: Context) -> dict[str, Value]:
    """The user's defaults for a command, by parameter, checked. Raises UsageError."""
    if command.name not in TABLES:
        return {}
    return checked(ConfigFile.of(os.environ), command, ctx)


def checked(file: ConfigFile, command: TyperCommand, ctx: Context) -> dict[str, Value]:
    """The command's table as values for its parsers, by parameter. Raises UsageError."""
    name = str(command.name)
    options = settable(command)
    file.check_keys(options, name)
    values: dict[str, Value] = {}
    for key, given in file.table(name).items():
        option = options[key]
        value = _as_typed(file, given, option, name, key)
        try:
            option.process_value(ctx, value)
        except typer.BadParameter as error:
            file.refuse_value(error.message, name, key)
        values[option.name] = value
    return values


def _as_typed(file: ConfigFile, given: object, option: TyperOption, *keys: str) -> Value:
    """A TOML value as the option's parser would get it from a command line."""
    if option.is_flag:
        if isinstance(given, bool):
            return given
        file.refuse_value("write true or false", *keys)
    if option.multiple:
        if isinstance(given, list) and all(isinstance(one, str) for one in given):
            return given
        file.refuse_value("write a list of strings", *keys)
    if isinstance(given, bool | list | dict):
        file.refuse_value("write one string or number", *keys)
    try:
        return str(given)
    except ValueError:  # Python writes no number of thousands of digits
        file.refuse_value("this number is too large", *keys)
