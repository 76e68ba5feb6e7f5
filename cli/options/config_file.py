"""config.toml: the user's own defaults. A flag beats a variable, a variable this file.

    [stream]                      # a table for each command, its options by their long names
    silence-after = "45s"         # what the flag takes, as text or as a TOML number
    keep-trying = true            # flags are true or false
    from = ["watch.txt"]          # what can be given several times is a list

    [market]                      # what the exchanges announced: see market.py
    holidays = ["2026-11-09"]

    [aliases]                     # names of the user's own
    bn = "BANKNIFTY"

What stands there for a command is checked whenever it runs, and all of it by `ticks config`. Each
fault names file, line, value and reason. Secrets are refused: a file is copied and shown around.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import typer
from typer.core import TyperCommand, TyperOption

from ...adapter.errors import UsageError
from ...adapter.paths import Paths
from ..registry import SUMMARIES, long_name, options_of

if TYPE_CHECKING:
    from typer._click import Context

Value: TypeAlias = bool | str | list[str]
"""What an option's parser takes."""

MARKET = "market"
ALIASES = "aliases"
TABLES = (
    *(name for name in SUMMARIES if name not in ("logout", "config", "completion")),
    MARKET,
    ALIASES,
)
FLAG_ONLY = {
    "demo": "made-up ticks are asked for on the command line, or nobody may notice",
    "status": "it would be all that `ticks login` ever does",
}
"""Options that no file sets, each with the reason."""

_MEND = "mend that line; `ticks config` checks the whole file"
_SECRETS = re.compile(
    r"(^|[-_])(pin|mpin|password|secret|totp|api[-_]?key|tokens?|jwt)($|[-_])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The file as read: its tables, and its text for the sake of the line numbers."""

    path: Path
    text: str = ""
    tables: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> ConfigFile:
        """The file of this user, empty where there is none. Raises UsageError."""
        path = Paths.from_env(environ).config_file
        try:
            text = path.read_bytes().decode()
            return cls(path, text, tomllib.loads(text))._checked()
        except FileNotFoundError:
            return cls(path)
        except OSError as error:
            reason = f"{path} cannot be read: {error.strerror}"
            raise UsageError(reason, remedy="make it a file that you may read") from error
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            reason = f"{path}, line {line}: this is no UTF-8 text"
            raise UsageError(reason, remedy="save the file as UTF-8") from error
        except tomllib.TOMLDecodeError as error:
            raise _broken(path, text, str(error)) from error

    def table(self, name: str) -> Mapping[str, object]:
        """The keys of a table; none where it is not there."""
        found = self.tables.get(name, {})
        assert isinstance(found, dict)  # noqa: S101  (`of` checked it)
        return found

    def line_of(self, *keys: str) -> int:
        """The line on which a table or a key begins: after the last line that lacks it."""
        lines = self.text.split("\n")
        begin = 0
        for end in range(1, len(lines) + 1):
            try:
                at: object = tomllib.loads("\n".join(lines[:end]))
            except tomllib.TOMLDecodeError:
                continue  # in the middle of a value of several lines
            for key in keys:
                at = at.get(key) if isinstance(at, dict) else None
            if at is not None:
                return begin + 1
            begin = end
        return max(begin, 1)

    def refuse(self, reason: str, *keys: str, remedy: str = _MEND) -> NoReturn:
        """Raise UsageError for what stands at `keys`."""
        raise UsageError(f"{self.path}, line {self.line_of(*keys)}: {reason}", remedy=remedy)

    def refuse_value(self, reason: str, *keys: str) -> NoReturn:
        """Raise UsageError for the value at `keys`, which is shown."""
        value = self.table(keys[0])[keys[1]]
        self.refuse(f"{'.'.join(keys)} = {json.dumps(value, default=str)}: {reason}", *keys)

    def check_keys(self, table: str, known: Collection[str]) -> None:
        """Raises UsageError for a key of a table that is not `known`, naming the nearest."""
        for key in self.table(table):
            if key in known:
                continue
            self._refuse_secret(table, key)
            if key in FLAG_ONLY:
                self.refuse(f"{key!r} cannot stand here: {FLAG_ONLY[key]}", table, key)
            self.refuse(f"[{table}] has no key {key!r}{_nearest(key, known)}", table, key)

    def _checked(self) -> ConfigFile:
        for name, table in self.tables.items():
            if name not in TABLES:
                self._refuse_secret(name)
                kind = "table" if isinstance(table, dict) else "key"
                self.refuse(f"there is no {kind} {name!r}{_nearest(name, TABLES)}", name)
            if not isinstance(table, dict):
                self.refuse(f"{name!r} is a table; write [{name}]", name)
        return self

    def _refuse_secret(self, *keys: str) -> None:
        if _SECRETS.search(keys[-1]):
            self.refuse(
                f"{keys[-1]!r} is a secret, and secrets are never read from this file",
                *keys,
                remedy="delete it there, and set TICKS_API_KEY, TICKS_PIN, TICKS_TOTP_SECRET",
            )


def settable(command: TyperCommand) -> dict[str, TyperOption]:
    """The options of a command that the file can set, by their keys there."""
    named = {long_name(option): option for option in options_of(command)}
    return {key: option for key, option in named.items() if key not in FLAG_ONLY}


def defaults_of(command: TyperCommand, ctx: Context) -> dict[str, Value]:
    """What the user's file says for a command, by parameter, checked. Raises UsageError."""
    if command.name not in TABLES:
        return {}
    return checked(ConfigFile.of(os.environ), command, ctx)


def checked(file: ConfigFile, command: TyperCommand, ctx: Context) -> dict[str, Value]:
    """The command's table as values for its parsers, by parameter. Raises UsageError."""
    name = str(command.name)
    options = settable(command)
    file.check_keys(name, options)
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
        file.refuse_value("write a list of texts", *keys)
    if isinstance(given, bool | list | dict):
        file.refuse_value("write one text or number", *keys)
    return str(given)


def _nearest(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word.replace("_", "-").lower(), known, 1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"


def _broken(path: Path, text: str, reason: str) -> UsageError:
    """What tomllib says of a text that is no TOML, the line first; its end is the last line."""
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", reason)
    line = (place and place[1]) or text.rstrip("\n").count("\n") + 1
    words = reason.replace(place[0], "") if place else reason
    return UsageError(f"{path}, line {line}: this is no TOML: {words}", remedy=_MEND)
