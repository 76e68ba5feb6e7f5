"""The disconnects of a recording, from the events that its stream wrote along with it.

Rules
- A connection that was lost is lost again at its own distance from the recording's first row,
  divided by the speed: with the close code it had, else by a reset; one whose link was dead stalls.
- A connect that failed is refused again, with the status it had, else with 503.
- Silence needs no fault: the recording is silent there, and the client notices by itself.
- Events of other runs in the same file, before the recording begins, are skipped, and so are events
  that this version does not know.
- A fault affects all connections that are open then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..errors import (
    ClosedByServerError,
    LinkDeadError,
    RateLimitedError,
    RecordingError,
    SilenceError,
    UsageError,
)
from ..events import Connected, FeedEvent, Lost, read_event
from ..files.recording import read_recording
from ..wire.frames import is_legal_close_code
from .faults import CONNECT, REFUSALS, Fault, What
from .playback import HEAD_START_S

_BEFORE_S = 60.0
"""How long before its first row a recording's own connects come at most."""
_UNHEARD_S = 30.0
"""How long nothing had come before a link counted as dead."""


def recorded_faults(events: Path, recording: Path, speed: float | None) -> list[Fault]:
    """The faults that bring the disconnects of `recording` back while it is played at `speed`.

    Raises UsageError (kind `disconnects-at-full-speed`) at full speed, where nothing has a time,
    and RecordingError (kinds `events-unreadable`, `not-an-event`) for a file that cannot be read
    or holds something else than events.
    """
    if speed is None:
        raise UsageError(
            "at full speed a recording has no times at which its disconnects could be repeated",
            kind="disconnects-at-full-speed",
        )
    first = next(read_recording(recording), None)
    if first is None:
        return []
    faults: list[Fault] = []
    is_live = False
    for after_s, event in _events_after(events, first.received_ns / 1e9):
        if isinstance(event, Connected):
            is_live = True
        elif isinstance(event, Lost) and is_live:
            is_live = False
            fault = _loss(event, after_s)
            faults.append(replace(fault, after_s=HEAD_START_S + max(0.0, fault.after_s) / speed))
        elif isinstance(event, Lost):
            _add_refusal(faults, event)
    return [fault for fault in faults if fault.what is not What.SILENCE or fault.then]


def _events_after(events: Path, first_s: float) -> Iterator[tuple[float, FeedEvent]]:
    """The events of the recording, each with its seconds after the first row."""
    try:
        with events.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    entry = read_event(line)
                except ValueError as error:
                    raise RecordingError(
                        f"{events}, line {number}: not an event of a stream",
                        kind="not-an-event",
                        path=str(events),
                        line=number,
                    ) from error
                if entry is not None and entry.at_ns / 1e9 - first_s >= -_BEFORE_S:
                    yield entry.at_ns / 1e9 - first_s, entry.event
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RecordingError(
            f"{events} cannot be read: {reason}",
            kind="events-unreadable",
            path=str(events),
            reason=reason,
        ) from error


def _loss(event: Lost, after_s: float) -> Fault:
    match event.cause:
        case SilenceError.label:  # not a fault by itself, but refusals may follow it
            return Fault(What.SILENCE, after_s=after_s, duration_s=0.0)
        case LinkDeadError.label:
            return Fault(What.STALL, after_s=after_s - _UNHEARD_S)
        case ClosedByServerError.label if event.code is not None and is_legal_close_code(
            event.code
        ):
            return Fault(What.CLOSE, after_s=after_s, number=event.code)
    return Fault(What.DROP, after_s=after_s)


def _add_refusal(faults: list[Fault], event: Lost) -> None:
    """Refuse the connect that follows what was lost last; the first ones from the beginning."""
    status = event.code if event.code in REFUSALS else 503
    if event.cause == RateLimitedError.label:
        status = 429
    refusal = Fault(What.REFUSE, call=CONNECT, number=status)
    if faults and not faults[-1].call:
        faults[-1] = replace(faults[-1], then=(*faults[-1].then, refusal))
    else:
        faults.append(refusal)
