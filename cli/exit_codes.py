"""The one place that turns an error into an exit code, words and a remedy.

What a user reads: what happened, which value was involved, what to do next. A traceback is shown
with `-v` only, and never for a fault that has words of its own. Whatever is shown passes
`printable`: a message may hold what a server, a file or a folder is called.
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
    words = f"ticks: {error.message}" + (f"\n  try: {remedy}" if remedy else "")
    return "\n".join(map(printable, words.split("\n")))


def remedy_of(error: TicksError) -> str:
    """What to do about a fault, one sentence, or "" where nothing helps."""
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


def _without_reader() -> int:
    """Nobody reads standard output any more: let the interpreter's own last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return ExitCode.OK
