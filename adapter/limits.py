"""The limits of this machine: threads, open files, memory.

The limits of a user, a process or a container (`ulimit`, cgroups) can be met anywhere, and Python
raises a bare exception there. Here it becomes an error with a message.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable

from .errors import ResourceLimitError


def start_thread(work: Callable[[], object], *, name: str) -> threading.Thread:
    """A daemon thread called `name` that runs `work`. Raises ResourceLimitError."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise _no_thread() from error
    return thread


def _no_thread() -> ResourceLimitError:
    words = "this machine cannot start another thread for this user"
    return ResourceLimitError(words, kind="threads-limit")


def limit_of(error: BaseException) -> ResourceLimitError | None:
    """The limit of this machine that an exception means; None for any other."""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return _no_thread()
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return ResourceLimitError("this machine is out of memory", kind="memory-limit")
    if number in (errno.EMFILE, errno.ENFILE):
        return ResourceLimitError("too many files are open", kind="files-limit")
    # What fork fails with; a stream that does not block has other words for this number.
    if number == errno.EAGAIN and str(error).endswith(os.strerror(errno.EAGAIN)):
        return ResourceLimitError("this user may start no more processes", kind="threads-limit")
    return None
