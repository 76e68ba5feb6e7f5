"""config.toml as read: tables and keys, and errors that name file, line, key, value and reason.

What the keys mean is defined elsewhere: `market_table.py` and `aliases_table.py` here, the options
of commands in the command line.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NoReturn, Self

from .errors import UsageError
from .redaction import redacted
from .similarity import similar

_MOST_BYTES = 1_000_000
"""A file of settings has a few hundred; what is larger was not meant as one."""
_LONGEST_SHOWN = 60
_TABLE = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_SECRETS = re.compile(
    r"(^|[-_])(pin|mpin|password|secret|totp|api[-_]?key|tokens?|jwt)($|[-_])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The file as read: its tables, and its text for the sake of the line numbers."""

    never_set: ClassVar[Mapping[str, str]] = {}
    """Keys that no file sets, each with the reason."""

    path: Path
    text: str = ""
    tables: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The file, empty where there is none. Raises UsageError."""
        try:
            text = _bytes_of(path).decode("utf-8-sig")  # editors on Windows begin it with a mark
        except FileNotFoundError:
            return cls(path)
        except OSError as error:
            reason = f"{path} cannot be read: {error.strerror}"
            raise UsageError(reason, kind="config-unreadable") from error
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            reason = f"{path}, line {line}: this is not UTF-8 text"
            raise UsageError(reason, kind="config-encoding") from error
        try:
            read = cls(path, text, tomllib.loads(text))
        except RecursionError as error:
            reason = f"{path}: this is not valid TOML: it is nested too deeply"
            raise UsageError(reason, kind="config-invalid") from error
        except tomllib.TOMLDecodeError as error:
            raise _broken(path, text, str(error)) from error
        except ValueError as error:  # Python reads no number of thousands of digits
            reason = f"{path}: this is not valid TOML: a number is too large"
            raise UsageError(reason, kind="config-invalid") from error
        read.check_tables()
        return read

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

    def refuse(self, reason: str, *keys: str, kind: str = "config-invalid") -> NoReturn:
        """Raise UsageError for what is set at `keys`."""
        raise UsageError(f"{self.place_of(*keys)}: {reason}", kind=kind)

    def refuse_value(self, reason: str, *keys: str) -> NoReturn:
        """Raise UsageError for the value at `keys`, which is shown."""
        value = _shown(self.table(*keys[:-1])[keys[-1]])
        self.refuse(f"{'.'.join(keys)} = {value}: {reason}", *keys)

    def check_keys(self, known: Collection[str], *table: str) -> None:
        """Raises UsageError for a key of a table that is not `known`, naming the nearest."""
        for key in self.table(*table):
            if key in known:
                continue
            self.refuse_secret(*table, key)
            if why_not := self.never_set.get(key):
                self.refuse(f"{key!r} cannot be set here: {why_not}", *table, key)
            name = ".".join(table)
            self.refuse(f"[{name}] has no key {key!r}{nearest(key, known)}", *table, key)

    def check_tables(self) -> None:
        """Raises UsageError for what is not a table at the top of the file."""
        for name, table in self.tables.items():
            if not isinstance(table, dict):
                self.refuse_secret(name)
                self.refuse(f"{name!r} must be a table; write [{name}]", name)

    def refuse_secret(self, *keys: str) -> None:
        """Raises UsageError where the last key is a secret's."""
        if _SECRETS.search(keys[-1]):
            self.refuse(
                f"{keys[-1]!r} is a secret, and secrets are never read from this file",
                *keys,
                kind="config-secret",
            )


def _bytes_of(path: Path) -> bytes:
    """The file's content. Raises OSError, and UsageError for what cannot be a file of settings.

    A device or a FIFO is refused before it is opened: reading one may never end.
    """
    if not path.is_file() and path.exists() and not path.is_dir():
        raise UsageError(f"{path} is not a regular file", kind="config-not-a-file")
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise UsageError(f"{path} is larger than {_MOST_BYTES:,} bytes", kind="config-too-large")
    return content


def _shown(value: object) -> str:
    """A value as TOML and JSON write it, no longer than a line."""
    try:
        text = redacted(json.dumps(value, default=str))  # an address may hold a password
    except (ValueError, RecursionError):
        return "..."
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def nearest(word: str, known: Collection[str]) -> str:
    """What to add to a refusal of `word`: the one that was most likely meant, else all."""
    meant = similar(word, known)
    return f"; did you mean {meant!r}?" if meant else f"; there are {', '.join(known)}"


def _broken(path: Path, text: str, reason: str) -> UsageError:
    """The error for invalid TOML, with the line where tomllib reports one.

    "at end of document" is the last line.
    """
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", reason)
    words = reason.replace(place[0], "") if place else reason
    line = (place[1] or text.rstrip("\n").count("\n") + 1) if place else None
    where = f"{path}" if line is None else f"{path}, line {line}"
    return UsageError(f"{where}: this is not valid TOML: {words}", kind="config-invalid")


def quoted(text: str) -> str:
    """A value as an error shows it: printable, and no longer than a line."""
    if len(text) <= _LONGEST_SHOWN:
        return repr(text)
    return f"{text[:_LONGEST_SHOWN]!r}... ({len(text):,} characters)"
