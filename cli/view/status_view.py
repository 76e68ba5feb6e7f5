"""The streams that run, in a table and as JSON values. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ...adapter.snapshot import FeedSnapshot
from ...adapter.status_file import RunningStream
from .figures import brief_s, rate

_HEADINGS = (
    *("PID", "PHASE", "RUNNING", "INSTRUMENTS", "TICKS", "RATE", "SILENCE"),
    *("BLIND", "OUTPUTS"),
)
_LEFT = {"PHASE", "OUTPUTS"}
_UNREAD = "status unreadable"


def status_lines(streams: Sequence[RunningStream]) -> list[str]:
    """A heading, and a line for each stream, in columns."""
    rows = [_HEADINGS, *map(_cells, streams)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(_aligned, _HEADINGS, row, widths)).rstrip() for row in rows]


def as_list(streams: Sequence[RunningStream]) -> list[dict[str, object]]:
    """As `ticks status --json` gives it: of a stream whose status cannot be read only its PID."""
    return [
        {"pid": pid} if snapshot is None else {"pid": pid, **snapshot.to_dict()}
        for pid, snapshot in streams
    ]


def _cells(stream: RunningStream) -> tuple[str, ...]:
    pid, snapshot = stream
    if snapshot is None:
        return (str(pid), _UNREAD, *[""] * (len(_HEADINGS) - 2))
    return (
        str(pid),
        _phase(snapshot),
        brief_s(snapshot.uptime_s),
        f"{snapshot.instruments_total:,}",
        f"{snapshot.ticks:,}",
        rate(snapshot.rate_now),
        brief_s(snapshot.silence_s),
        brief_s(snapshot.blind_s),
        ", ".join(output.name for output in snapshot.outputs),
    )


def _phase(snapshot: FeedSnapshot) -> str:
    attempts = [each.attempt for each in snapshot.connections]
    words = [str(snapshot.phase)]
    if snapshot.phase == "waiting" and any(attempts):
        words.append(f"attempt {max(attempts)}")
    if snapshot.is_demo:
        words.append("demo")
    return ", ".join(words)


def _aligned(heading: str, cell: str, width: int) -> str:
    return cell.ljust(width) if heading in _LEFT else cell.rjust(width)
