"""A bar for long work, on stderr and only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes done and, where it is known, the bytes in all."""


@contextmanager
def byte_progress(label: str) -> Iterator[Progress]:
    """A function to report bytes to; the bar appears with the first report and goes in the end.

    Where stderr is no terminal, reports are not shown.
    """
    if not sys.stderr.isatty():
        yield _unseen
        return
    with ExitStack() as stack:
        bar: Progress | None = None

        def report(done: int, total: int | None) -> None:
            nonlocal bar
            if bar is None:
                bar = _shown_bar(label, stack)
            bar(done, total)

        yield report


def _unseen(_done: int, _total: int | None) -> None:
    """Nobody looks."""


def _shown_bar(label: str, stack: ExitStack) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    progress = stack.enter_context(
        RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
    )
    task = progress.add_task(label, total=None)

    def report(done: int, total: int | None) -> None:
        progress.update(task, completed=done, total=total)

    return report
