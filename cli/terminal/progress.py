"""Progress of long work on stderr: a bar on a terminal, else a plain line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeAlias

from .terminal import can_draw_on, is_in_foreground

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes done and, where it is known, the bytes in all."""

LINES_APART_S = 5.0
"""Work that takes less than this ends before a line about it could be read."""


@contextmanager
def byte_progress(
    label: str, *, draws: bool = True, has_color: bool | None = None
) -> Iterator[Progress]:
    """A function to report bytes to; the bar appears with the first report, and is removed.

    Where stderr is not a terminal, is a dumb one or is another job's now, and without `draws`
    (another process of the pipeline may write there too), a line is printed every `LINES_APART_S`.
    `has_color` None: as the environment says.
    """
    if not (draws and can_draw_on(sys.stderr) and _has_terminal()):
        yield _printed_lines(label)
        return
    with ExitStack() as stack:
        bar: Progress | None = None

        def report(done: int, total: int | None) -> None:
            nonlocal bar
            if bar is None:
                bar = _shown_bar(label, stack, has_color)
            bar(done, total)

        yield report


def _has_terminal() -> bool:
    try:
        return is_in_foreground(sys.stderr.fileno())
    except (OSError, ValueError):  # a stream without a descriptor
        return True


def _printed_lines(label: str) -> Progress:
    printed_at_s = time.monotonic()

    def report(done: int, total: int | None) -> None:
        nonlocal printed_at_s
        now_s = time.monotonic()
        if now_s - printed_at_s < LINES_APART_S:
            return
        printed_at_s = now_s
        of_all = "" if total is None else f" of {total / 1e6:.1f}"
        print(f"{label}: {done / 1e6:.1f}{of_all} MB", file=sys.stderr, flush=True)

    return report


def _shown_bar(label: str, stack: ExitStack, has_color: bool | None) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    progress = stack.enter_context(
        RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, no_color=None if has_color is None else not has_color),
            transient=True,
        )
    )
    task = progress.add_task(label, total=None)

    def report(done: int, total: int | None) -> None:
        progress.update(task, completed=done, total=total)

    return report
