"""Work that is repeated while a block of code runs, on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .limits import start_thread


@contextmanager
def every(
    seconds: float | Callable[[], float],
    look: Callable[[], object],
    *,
    name: str,
    join_s: float | None = None,
    sooner: threading.Event | None = None,
) -> Iterator[None]:
    """While the block lasts, call `look` at once and then `seconds` after each call has returned,
    or as soon as `sooner` is set.

    `seconds` may be a function that is asked before each wait. `look` is not called again once it
    has returned True, or raised; what it raised is raised at the end of the block, unless the block
    itself raises. The end waits for a call that is under way, `join_s` seconds at most (None: as
    long as it takes), and for nothing else. The thread is called `name`.
    Raises ResourceLimitError where there can be no further thread.
    """
    end, due = threading.Event(), sooner or threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            while look() is not True:
                due.wait(seconds() if callable(seconds) else seconds)
                if end.is_set():
                    return
                due.clear()  # before the look: what is set during it is looked at again
        except BaseException as failure:  # noqa: BLE001  (raised below, where it can be handled)
            failures.append(failure)

    thread = start_thread(run, name=name)
    try:
        yield
    finally:
        end.set()
        due.set()
        thread.join(join_s)
    if failures:
        raise failures[0]
