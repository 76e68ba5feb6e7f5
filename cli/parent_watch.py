"""Runs a command that ends, with what it started, when we die, even by SIGKILL.

A small process of its own holds the reading end of a pipe, of which we hold the writing end: when
that closes without a byte, we have died. It sends SIGTERM, and SIGKILL to what is left after
`GRACE_S`. The command itself stays an ordinary child, in our process group and on our terminal. It
begins only when it is watched: until then a shell in its place waits at a pipe of the same kind.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_S = 2.0
_LOOK_EVERY_S = 0.05
_WATCH = "from ticks.cli.parent_watch import watch; watch({pid})"
_ENDED = b"."
_WAIT_AND_RUN = 'read -r _ < "$0" && exec "$@"'


@contextmanager
def ends_with_us(
    command: Sequence[str],
    environ: Mapping[str, str],
    began: Callable[[subprocess.Popen[bytes]], None],
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command; while entered, the death of this process ends it too.

    `began` gets its process before it begins, so that no signal is missed. Raises OSError for what
    cannot be run.
    """
    program = _runnable(command[0])
    gate, opener = os.pipe()
    try:
        child = subprocess.Popen(  # noqa: S603  (the user's own command)
            ["/bin/sh", "-c", _WAIT_AND_RUN, f"/dev/fd/{gate}", program, *command[1:]],
            env=environ,
            pass_fds=(gate,),
        )
        began(child)
        with subprocess.Popen(  # noqa: S603  (our own interpreter, a constant program)
            [sys.executable, "-c", _WATCH.format(pid=child.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # what a terminal sends to us is not for it
        ) as watcher:
            try:
                os.write(opener, b"\n")
                yield child
            finally:
                with suppress(BrokenPipeError):
                    watcher.communicate(_ENDED)
    finally:
        os.close(gate)
        os.close(opener)


def _runnable(name: str) -> str:
    """The path of a program. Raises OSError as running it would."""
    found = shutil.which(name)
    if found is None:
        number = errno.EACCES if os.path.exists(name) and os.sep in name else errno.ENOENT
        raise OSError(number, os.strerror(number), name)
    return found


def watch(pid: int) -> None:
    """What the watcher runs: wait for the pipe, and end `pid` if it closes without a byte."""
    if os.read(0, 1) == _ENDED:
        return
    remaining = [*descendants(pid), pid]
    _send(signal.SIGTERM, remaining)
    until_s = time.monotonic() + GRACE_S
    while time.monotonic() < until_s and (remaining := [*filter(_is_running, remaining)]):
        time.sleep(_LOOK_EVERY_S)
    _send(signal.SIGKILL, remaining)


def _send(number: signal.Signals, pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def descendants(pid: int) -> list[int]:
    """The processes that `pid` started, and theirs."""
    children: dict[int, list[int]] = defaultdict(list)
    for child, parent in _processes():
        children[parent].append(child)
    found = [*children[pid]]
    for each in found:  # grows as it goes
        found += children[each]
    return found


def _processes() -> Iterator[tuple[int, int]]:
    """Each process and its parent: from /proc where there is one, else from `ps`."""
    folders = [*Path("/proc").glob("[0-9]*/stat")]
    for file in folders:
        with suppress(OSError, ValueError, IndexError):
            # The second field is the command in parentheses, which may hold spaces.
            yield int(file.parent.name), int(file.read_text().rpartition(")")[2].split()[1])
    if not folders:
        ran = subprocess.run(
            ["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False
        )
        for line in ran.stdout.splitlines():
            child, parent = line.split()
            yield int(child), int(parent)
