"""The history in a file that a stream wrote its events to, compressed or not.

A torn last line is what a crash leaves, and is skipped; any other line that is not an event is
reported and skipped. A file that begins with many such lines is refused: it is another file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import RecordingError
from ..history import EventFacts, History, event_facts, history_of
from ..waker import Waker
from .inputs import Input, OnDamage, TornInputError

_MOST_BEFORE_THE_FIRST = 10
_LONGEST_LINE = 1 << 20
"""An event names a few thousand instruments at most; a longer line is not an event, and may never
end."""


def read_history(
    path: str,
    *,
    on_damage: OnDamage,
    waker: Waker | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> History:
    """What the events file at `path` says of its stream; an empty file, that nothing happened.

    The reading ends, and the history with it, once `is_stopping`; `waker` ends a wait for a FIFO.
    Raises RecordingError: `recording-unreadable`, or `not-an-event` where the lines are not events.
    """
    return history_of(_events(Input(path, waker=waker, is_stopping=is_stopping), on_damage))


def _events(source: Input, on_damage: OnDamage) -> Iterator[EventFacts]:
    damaged: list[int] = []
    has_begun = False
    for number, line in _lines(source):
        try:
            event = event_facts(line)
        except ValueError:
            damaged.append(number)
            if not has_begun and len(damaged) > _MOST_BEFORE_THE_FIRST:
                break
            continue
        has_begun = True
        while damaged:
            on_damage(source.name, damaged.pop(0), "not an event of a stream")
        yield event
    if damaged and not has_begun:
        raise _no_event(source, damaged[0])
    for each in damaged[:-1]:
        on_damage(source.name, each, "not an event of a stream")


def _no_event(source: Input, line: int) -> RecordingError:
    return RecordingError(
        f"{source.name}, line {line}: not an event of a stream",
        kind="not-an-event",
        path=source.name,
        line=line,
    )


def _lines(source: Input) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their numbers from 1; the last may be torn."""
    rest = b""
    number = 0
    try:
        for block in source.blocks():
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                raise _no_event(source, number + len(lines) + 1)
            for line in lines:
                number += 1
                if line.strip():
                    yield number, line
    except TornInputError:
        pass
    if rest.strip():
        yield number + 1, rest
