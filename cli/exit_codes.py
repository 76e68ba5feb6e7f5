"""The one place that turns an error into an exit code, words and a remedy.

What a user reads: what happened, which value was involved, what to do next. A traceback is shown
with `-v` only, and never for an error that explains itself. Everything shown passes `printable`: a
message may quote a server, a file or a folder.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from enum import IntEnum
from itertools import takewhile

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
from .view.figures import printable


class ExitCode(IntEnum):
    """How a command ended, for supervisors and scripts."""

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
    # --- simulator
    # --- this machine: disk, clock, port
}
"""What to do about each kind of error that the adapter raises; `{name}` is one of its values."""

_NOT_WRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EBADF, errno.EIO}
"""What a write to standard output fails with; our own files report their errors themselves."""


def exit_code_of(error: TicksError) -> ExitCode:
    """The exit code of an error's class."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.UNEXPECTED)


def message_for(error: TicksError) -> str:
    """What a user reads of an error: what happened, and what to do."""
    remedy = remedy_of(error)
    words = f"ticks: {error.message}" + (f"\n  try: {remedy}" if remedy else "")
    return "\n".join(map(printable, words.split("\n")))


def remedy_of(error: TicksError) -> str:
    """What to do about an error, one sentence, or "" where nothing helps."""
    return error.remedy or REMEDIES.get(error.kind, "").format_map(error.values)


def run_guarded(run: Callable[[Sequence[str]], object], arguments: Sequence[str]) -> int:
    """Run the program with `arguments`; its exit code. Every way out of it ends here."""
    try:
        _run_and_flush(run, arguments)
        return ExitCode.OK
    except typer.Exit as ended:
        return ended.exit_code
    except TicksError as error:
        if isinstance(error, ReaderLeftError):
            return _without_reader()
        print(message_for(error), file=sys.stderr)
        return exit_code_of(error)
    except (KeyboardInterrupt, typer.Abort):
        print("ticks: interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  (this is the boundary)
        if _is_verbose(arguments):
            traceback.print_exc()
        reason = printable(f"{type(error).__name__}: {error}")
        print(f"ticks: unexpected: {reason}", file=sys.stderr)
        print(
            "  try: run it again with TICKS_VERBOSE=1, and report what it prints", file=sys.stderr
        )
        return ExitCode.UNEXPECTED


def _is_verbose(arguments: Sequence[str]) -> bool:
    own = takewhile(lambda argument: argument != "--", arguments)
    return "TICKS_VERBOSE" in os.environ or not {"-v", "--verbose"}.isdisjoint(own)


def _run_and_flush(run: Callable[[Sequence[str]], object], arguments: Sequence[str]) -> None:
    """Run, and raise OutputError where standard output cannot be written."""
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
            remedy="check that it is open and that its disk has space",
        ) from error


def _without_reader() -> int:
    """The reader of standard output has left: send the interpreter's own last flush nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return ExitCode.OK
