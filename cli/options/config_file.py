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

import json
import os
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import typer
from typer.core import TyperCommand, TyperOption

from ...adapter.errors import UsageError
from ...adapter.paths import Paths
from ...adapter.redaction import redacted
from ..registry import SUMMARIES, long_name, options_of
from ..usage_errors import similar

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

_FIX = "fix it; `ticks config` checks the whole file"
_MOST_BYTES = 1_000_000
"""A file of settings has a few hundred; what is larger was not meant as one."""
_LONGEST_SHOWN = 60
_TABLE = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
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
            text = _bytes_of(path).decode("utf-8-sig")  # editors on Windows begin it with a mark
        except FileNotFoundError:
            return cls(path)
        except OSError as error:
            reason = f"{path} cannot be read: {error.strerror}"
            raise UsageError(reason, remedy="make it a file that you may read") from error
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            reason = f"{path}, line {line}: this is not UTF-8 text"
            raise UsageError(reason, remedy="save the file as UTF-8") from error
        try:
            return cls(path, text, tomllib.loads(text))._checked()
        except RecursionError as error:
            reason = f"{path}: this is not valid TOML: it is nested too deeply"
            raise UsageError(reason, remedy=_FIX) from error
        except tomllib.TOMLDecodeError as error:
            raise _broken(path, text, str(error)) from error
        except ValueError as error:  # Python reads no number of thousands of digits
            reason = f"{path}: this is not valid TOML: a number is too large"
            raise UsageError(reason, remedy=_FIX) from error

    def table(self, *names: str) -> Mapping[str, object]:
        """The keys of a table, or of one in it; none where it is not there."""
        found: object = self.tables
        for name in names:
            assert isinstance(found, dict)  # noqa: S101  (`of` and whoever asks checked it)
            found = found.get(name, {})
        assert isinstance(found, dict)  # noqa: S101
        return found

    def line_of(self, *keys: str) -> int | None:
        """The line of a table or of a key in it; None where that is not certain.

        TOML has several ways to write a key (quoted, dotted, in an inline table), and the parser
        reports no lines. So this looks for the usual one, and only where it occurs once.
        """
        table, path = ".".join(keys[:-1]), ".".join(keys)
        header = re.compile(rf"\s*\[\s*{re.escape(path)}\s*\]")
        named = re.compile(rf"\s*{re.escape(keys[-1])}\s*=")
        found: list[int] = []
        current = ""
        for number, line in enumerate(self.text.splitlines(), 1):
            if begins := _TABLE.match(line):
                current = begins[1]
            is_key = current == table and named.match(line)
            if is_key or header.match(line):
                found.append(number)
        return found[0] if len(found) == 1 else None

    def place_of(self, *keys: str) -> str:
        """The file, and the line where it is certain, as an error names them."""
        line = self.line_of(*keys)
        return f"{self.path}" if line is None else f"{self.path}, line {line}"

    def refuse(self, reason: str, *keys: str, remedy: str = _FIX) -> NoReturn:
        """Raise UsageError for what is set at `keys`."""
        raise UsageError(f"{self.place_of(*keys)}: {reason}", remedy=remedy)

    def refuse_value(self, reason: str, *keys: str) -> NoReturn:
        """Raise UsageError for the value at `keys`, which is shown."""
        value = _shown(self.table(*keys[:-1])[keys[-1]])
        self.refuse(f"{'.'.join(keys)} = {value}: {reason}", *keys)

    def check_keys(self, known: Collection[str], *table: str) -> None:
        """Raises UsageError for a key of a table that is not `known`, naming the nearest."""
        for key in self.table(*table):
            if key in known:
                continue
            self._refuse_secret(*table, key)
            if key in FLAG_ONLY:
                self.refuse(f"{key!r} cannot be set here: {FLAG_ONLY[key]}", *table, key)
            name = ".".join(table)
            self.refuse(f"[{name}] has no key {key!r}{_nearest(key, known)}", *table, key)

    def _checked(self) -> ConfigFile:
        for name, table in self.tables.items():
            if name not in TABLES:
                self._refuse_secret(name)
                kind = "table" if isinstance(table, dict) else "key"
                self.refuse(f"there is no {kind} {name!r}{_nearest(name, TABLES)}", name)
            if not isinstance(table, dict):
                self.refuse(f"{name!r} must be a table; write [{name}]", name)
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


def _bytes_of(path: Path) -> bytes:
    """The file's content. Raises OSError, and UsageError for what cannot be a file of settings.

    A device or a FIFO is refused before it is opened: reading one may never end.
    """
    if not path.is_file() and path.exists() and not path.is_dir():
        raise UsageError(f"{path} is not a regular file", remedy="write the settings into a file")
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise UsageError(
            f"{path} is larger than {_MOST_BYTES:,} bytes",
            remedy="keep settings there, and symbols in a watch list: from = [FILE]",
        )
    return content


def _shown(value: object) -> str:
    """A value as TOML and JSON write it, no longer than a line."""
    try:
        text = redacted(json.dumps(value, default=str))  # an address may hold a password
    except (ValueError, RecursionError):
        return "..."
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _nearest(word: str, known: Collection[str]) -> str:
    meant = similar(word.replace("_", "-"), known)
    return f"; did you mean {meant!r}?" if meant else f"; there are {', '.join(known)}"


def _broken(path: Path, text: str, reason: str) -> UsageError:
    """The error for invalid TOML, with the line where tomllib reports one.

    "at end of document" is the last line.
    """
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", reason)
    words = reason.replace(place[0], "") if place else reason
    line = (place[1] or text.rstrip("\n").count("\n") + 1) if place else None
    where = f"{path}" if line is None else f"{path}, line {line}"
    return UsageError(f"{where}: this is not valid TOML: {words}", remedy=_FIX)
