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
    "no-session-no-credentials": "set them, or run: ticks login",
    "session-only-saved": "set them, or log in again each morning: ticks login",
    # --- instruments: names, master, index
    # --- feed: handshake, subscription, a feed that is lost
    "streams-not-live": "look at the ones that are not live",
    "feed-lost": "run ticks health, or use --keep-trying to retry forever",
    "subscription-refused": (
        "ask for fewer symbols (1000 a connection, 3000 in all), or use --shard I/N"
    ),
    "no-such-part": "count parts from 1",
    "subscriptions-over-limit": (
        "take a part of the watch list with --shard I/N,"
        " and the other parts with other client codes"
    ),
    # --- files, rows, sinks, replay: outputs and recordings
    "buffer-full": "read faster, raise --buffer, or accept counted drops: --on-full drop",
    # --- simulator
    # --- this machine: disk, clock, port
    "clock-skew": "set the clock by NTP: timedatectl set-ntp true",
    "folder-unwritable": "set TICKS_HOME to a folder of yours",
    "disk-full": "make room before you record",
    "status-unwritable": "check that the folder is yours and that its disk has room",
}
"""What to do about each kind of error or finding of the adapter; `{name}` is one of its values."""

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
