"""--from FILE: the watch lists of a command, from files and stdin."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ...adapter.errors import UsageError
from ...adapter.instruments.watch_list import Entry, read_limited, read_watch_list
from .paths import check_stdin_once


def listed_names(paths: Sequence[str]) -> list[tuple[str, Entry]]:
    """The entries of each list, with the file that they are in; `-` is stdin. Raises UsageError."""
    check_stdin_once(paths)
    return [(shown(path), entry) for path in paths for entry in read_watch_list(_content(path))]


def shown(path: str) -> str:
    """How a message names a list."""
    return "stdin" if path == "-" else path


def _content(path: str) -> bytes:
    try:
        if path == "-":
            return read_limited(sys.stdin.buffer, shown(path))
        with Path(path).open("rb") as file:
            return read_limited(file, path)
    except OSError as error:
        raise UsageError(
            f"the watch list {shown(path)} cannot be read: {error.strerror}",
            remedy="give a text file with one symbol per line",
        ) from error
