"""Paths that a user typed, for what is read and what is written: each is checked, with a reason."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from ...adapter.clock import IST
from ...adapter.errors import UsageError
from ...adapter.files.append import STDOUT_FD
from ...adapter.jetstream.address import is_nats_address
from ...adapter.rows.columns import columns as columns_of
from ...adapter.rows.view import CsvView
from ...adapter.rows.view import csv_view as csv_view_of
from ...adapter.settings_file import quoted
from ...adapter.tick import Mode

_PERCENT = re.compile(r"%[-_0^#]?[EO]?.?", re.DOTALL)
_TIME_FIELD = re.compile(r"%[-_0^#]?[EO]?[aAbBcCdDeFfgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%]")
_OTHER_FORMATS = {
    ".parquet": "Parquet, record first and convert with: ticks replay FILE --parquet PATH",
    ".xlsx": "a spreadsheet, open a .csv in it",
    ".xls": "a spreadsheet, open a .csv in it",
    **dict.fromkeys((".zip", ".bz2", ".xz", ".zst", ".7z"), "a compressed file, use .gz"),
}
"""What a file's name promises and no output is, and what to do instead."""
_TEXT_SUFFIXES = (".csv", ".jsonl", ".json", ".gz")


def input_path(text: str) -> str:
    """A path, `~` expanded as where no shell did it. Raises ValueError with the reason."""
    if not text.strip():
        raise ValueError(f"{quoted(text)} is not a path")
    if "://" in text:
        raise ValueError(f"{quoted(text)} is an address, not a path")
    expanded = os.path.expanduser(text)
    if expanded == text and re.match("~[^/]*/", text):
        raise ValueError(f"{quoted(text)} begins with a user who does not exist on this machine")
    return expanded


def recording_path(text: str) -> str:
    """A recording to read: a path, - for stdin, or the address of a NATS stream.

    Raises ValueError with the reason.
    """
    return text if is_nats_address(text) else input_path(text)


def check_stdin_once(inputs: Sequence[str]) -> None:
    """Raises UsageError where `-` is among the inputs of a command more than once."""
    if [*inputs].count("-") > 1:
        raise UsageError("stdin is given twice", remedy="name a file instead of one -")


def readable_file(text: str) -> Path:
    """A file that can be read. Raises ValueError with the reason."""
    path = Path(input_path(text))
    if path.is_dir():
        reason = "it is a folder"
    elif not path.exists():
        reason = "it does not exist"
    elif not os.access(path, os.R_OK):
        reason = "permission denied"
    else:
        return path
    raise ValueError(f"{quoted(text)} cannot be read: {reason}")


def csv_path(text: str) -> str:
    """A path for CSV. Raises ValueError with the reason."""
    return _output_path(text, "CSV", {".jsonl": "JSON lines, use --jsonl", **_OTHER_FORMATS})


def events_path(text: str) -> str:
    """A path for events. Raises ValueError with the reason."""
    return _output_path(input_path(text), "events", _OTHER_FORMATS)


def parquet_path(text: str) -> str:
    """A path for Parquet. Raises ValueError with the reason."""
    if text == "-" or "%" in text or text.lower().endswith(_TEXT_SUFFIXES):
        raise ValueError(
            f"{'stdout' if text == '-' else quoted(text)} cannot be a Parquet file: that is one"
            " file, compressed, and complete only at its end; name one, such as --parquet"
            " day.parquet (--csv and --jsonl write text)"
        )
    return input_path(text)


def jsonl_path(text: str) -> str:
    """A path for JSON lines. Raises ValueError with the reason."""
    return _output_path(text, "JSON lines", {".csv": "CSV, use --csv", **_OTHER_FORMATS})


def _output_path(path: str, written: str, others: Mapping[str, str]) -> str:
    """`path`, unless its ending names another format or one of its %-fields does not exist."""
    if is_nats_address(path):
        reason = "is an address, not a path; ticks are published with: ticks stream --nats"
        raise ValueError(f"{quoted(path)} {reason}")
    path = input_path(path)
    ending = os.path.splitext(path.removesuffix(".gz"))[1].lower()
    if ending in others:
        raise ValueError(f"{quoted(path)} would hold {written}; for {others[ending]}")
    for field in _PERCENT.findall(path):
        if not _TIME_FIELD.fullmatch(field):
            raise ValueError(
                f"{quoted(path)}: {field!r} is not a time field"
                " (examples: %Y-%m-%d, %H%M; %% is a percent sign)"
            )
    return path


def csv_view(
    shown: Sequence[str] | None, csv: str | None, whole: Sequence[str], *, has_header: bool
) -> CsvView | None:
    """What standard output shows of the CSV rows with the columns `whole`; None: all of them.

    `csv` is where they go. Raises UsageError where that is a file: it would not be a recording.
    """
    if shown is None and has_header:
        return None
    option = "--no-header" if shown is None else "--columns"
    if csv is None:
        raise UsageError(
            f"{option} is for CSV on stdout, and none goes there", remedy="add --csv -"
        )
    if csv != "-":
        raise UsageError(
            f"{option} is for CSV on stdout: {csv} would not be a recording,"
            " which needs its header and every column",
            remedy=f"leave {option} out, or record with --jsonl and show with --csv -",
        )
    try:
        return csv_view_of(whole, shown, has_header=has_header)
    except UsageError as error:
        error.message = f"--columns: {error.message}"
        richer = [m for m in (Mode.QUOTE, Mode.SNAP) if set(shown or ()) <= set(columns_of(m))]
        if richer and "ltp" in whole:
            error.remedy = f"use --mode {richer[0].label}, whose rows have it"
        raise


def checked_outputs(*paths: str | None) -> None:
    """Raises UsageError when two outputs go to one place."""
    given = [path for path in paths if path is not None]
    places = [_place(path) for path in given]
    for path, place in zip(given, places, strict=True):
        if places.count(place) > 1:
            shown = "stdout" if path == "-" else path
            raise UsageError(f"two outputs go to {shown}", remedy="give each its own place")


def _place(path: str) -> object:
    """Where an output goes, by whatever name: equal for two that go to one place."""
    name = datetime.now(IST).strftime(path) if "%" in path and path.isascii() else path
    try:
        found = os.fstat(STDOUT_FD) if path == "-" else os.stat(name)
    except (OSError, ValueError):  # a file that is yet to be made
        return os.path.realpath(name)
    if stat.S_ISCHR(found.st_mode):
        is_null = found.st_rdev == os.stat(os.devnull).st_rdev
        return path if is_null else found.st_rdev
    return found.st_dev, found.st_ino
