"""The one place that turns an error into an exit code, words and a remedy.

What a user reads: what happened, which value was involved, what to do next. A traceback is shown
only with `-v`.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from enum import IntEnum

import typer

from ..adapter.errors import (
    BrokerError,
    DiskError,
    LocalFaultError,
    OutputError,
    PortTakenError,
    ReaderLeftError,
    RecordingError,
    SessionError,
    SymbolError,
    TicksError,
    UsageError,
)


class ExitCode(IntEnum):
    """What a supervisor or a script can tell from the end of a command."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    SESSION = 3
    SYMBOL = 4
    BROKER = 5
    OUTPUT = 6
    INTERRUPTED = 130


_CODES: tuple[tuple[type[TicksError], ExitCode], ...] = (
    (ReaderLeftError, ExitCode.OK),
    (UsageError, ExitCode.USAGE),
    (SessionError, ExitCode.SESSION),
    (SymbolError, ExitCode.SYMBOL),
    (BrokerError, ExitCode.BROKER),
    (DiskError, ExitCode.OUTPUT),
    (PortTakenError, ExitCode.OUTPUT),
    (LocalFaultError, ExitCode.BROKER),
    (OutputError, ExitCode.OUTPUT),
    (RecordingError, ExitCode.OUTPUT),
)

REMEDIES: dict[str, str] = {
    # --- config, paths, urls
    # --- auth: session, login, REST
    # --- instruments: names, master, index
    # --- feed: handshake, subscription, a feed that is lost
    # --- files, rows, sinks, replay: outputs and recordings
    "output-in-use": "stop the other one, or choose another path",
    "output-is-input": "write to another file",
    "output-other-header": "choose another path, --mode as it was recorded, or --overwrite",
    "output-other-content": "choose another path, or --overwrite",
    "output-not-gzip": "choose another path, or --overwrite",
    "output-torn-gzip": "choose another path, or --overwrite",
    "output-torn-text": "repair it by hand (gzip -dc {path}), or choose another path",
    "output-disk-full": "free some space; the file can be appended to",
    "output-no-folder": "create it: mkdir -p {folder}",
    "output-is-folder": "name a file in it",
    "output-no-rights": "change its permissions, or choose another path",
    "output-unwritable": "choose another path",
    "output-too-few-columns": "give the output more columns with --mode {mode}",
    "recording-unreadable": "check its path and its permissions",
    "recording-without-rows": "check that it is the right file, and that ticks came while it was"
    " recorded",
    "not-a-recording": "a CSV recording begins with received_at,exchange_time,exchange,symbol,..."
    ' and a JSON one with {{"received_at":',
    "damaged-row": "fix that line, or make a copy without it:"
    " ticks replay {name} --speed max --csv repaired.csv",
    # --- simulator
    # --- this machine: disk, clock, port
}
"""What to do about each kind of error that the adapter raises; `{name}` is one of its values."""

_NOT_WRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EBADF, errno.EIO}
"""What a write to standard output fails with; files of ours name their faults themselves."""


def exit_code_of(error: TicksError) -> ExitCode:
    """The exit code of a fault's kind."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.UNEXPECTED)


def message_for(error: TicksError) -> str:
    """What a user reads of a fault, one or two lines."""
    remedy = remedy_of(error)
    return f"ticks: {error.message}" + (f"\n  try: {remedy}" if remedy else "")


def remedy_of(error: TicksError) -> str:
    """What to do about a fault, one sentence, or "" where nothing helps."""
    return error.remedy or REMEDIES.get(error.kind, "").format_map(error.values)


def run_guarded(run: Callable[[Sequence[str]], object], arguments: Sequence[str]) -> int:
    """Run the program with `arguments`; its exit code. Every way out of it ends here."""
    is_verbose = any(argument in ("-v", "--verbose") for argument in arguments)
    try:
        _run_and_flush(run, arguments)
        return ExitCode.OK
    except typer.Exit as ended:
        return ended.exit_code
    except TicksError as error:
        if isinstance(error, ReaderLeftError):
            return _without_reader()
        _say(message_for(error), is_verbose)
        return exit_code_of(error)
    except (KeyboardInterrupt, typer.Abort):
        _say("ticks: interrupted", with_traceback=False)
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  (this is the boundary)
        reason = f"{type(error).__name__}: {error}"
        _say(f"ticks: unexpected: {reason}\n  try: the same with -v, and report it", is_verbose)
        return ExitCode.UNEXPECTED


def _run_and_flush(run: Callable[[Sequence[str]], object], arguments: Sequence[str]) -> None:
    """Run, and name what keeps words from standard output. Raises OutputError."""
    try:
        try:
            run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError as error:
        raise ReaderLeftError("the reader of stdout has left") from error
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # Rich, printing a help
            raise ReaderLeftError("the reader of stdout has left") from ended
        raise
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        _without_reader()
        raise OutputError(
            f"stdout cannot be written: {error.strerror}",
            remedy="send it to a place that is open and has room",
        ) from error


def _say(words: str, with_traceback: bool) -> None:
    if with_traceback:
        traceback.print_exc()
    print(words, file=sys.stderr)


def _without_reader() -> int:
    """Nobody reads standard output any more: let the interpreter's own last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return ExitCode.OK
