"""The lines that begin and end a run, as text for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapter.clock import ist_time
from ...adapter.events import Summary
from ...adapter.recorder import Limits
from ...adapter.snapshot import FeedSnapshot
from .figures import brief_s, counted, moment

if TYPE_CHECKING:
    from ...adapter.replay.replay import ReplaySnapshot

_MOST_NAMED = 3


def live_text(snapshot: FeedSnapshot, limits: Limits) -> str:
    """What has begun: how many instruments and which, where they go, and when it will end."""
    named = [f"{i.exchange}:{i.symbol or i.token}" for i in snapshot.instruments[:_MOST_NAMED]]
    if more := snapshot.instruments_total - len(named):
        named[-1:] = [f"{named[-1]} and {more:,} more"] if named else []
    parts = ["demo"] if snapshot.is_demo else []
    parts.append(f"{counted(snapshot.instruments_total, 'instrument')} ({', '.join(named)})")
    parts += [output.name for output in snapshot.outputs]
    if limits.until_ns is not None:
        parts.append(f"until {moment(ist_time(limits.until_ns), snapshot.at)}")
    if limits.duration_s is not None:
        parts.append(f"for {brief_s(limits.duration_s)}")
    if limits.count is not None:
        parts.append(f"up to {counted(limits.count, 'tick')}")
    return f"live: {', '.join(parts)}"


def stream_summary(summary: Summary) -> str:
    """The totals of a stream; what is rare is shown only where it is not 0."""
    rare = (
        (summary.out_of_order, f"{summary.out_of_order:,} out of order"),
        (summary.duplicates, counted(summary.duplicates, "duplicate")),
        (summary.foreign, f"{summary.foreign:,} foreign"),
        (round(summary.uncertain_s), f"uncertain {summary.uncertain_s:,.0f} s"),
        (summary.names_skipped, f"{counted(summary.names_skipped, 'name')} skipped"),
        (summary.is_demo, "demo"),
    )
    parts = [
        counted(summary.ticks, "tick"),
        counted(summary.instruments, "instrument"),
        f"{summary.seconds:.1f} s",
        _mean_rate(summary.ticks, summary.seconds),
        counted(summary.reconnects, "reconnect"),
        f"blind {summary.blind_s:.1f} s",
        f"{summary.dropped:,} dropped",
        f"{summary.malformed:,} malformed",
        *(text for value, text in rare if value),
        *(f"{name} {counted(rows, 'row')}" for name, rows in summary.outputs.items()),
    ]
    return " · ".join(parts)


def replay_summary(played: ReplaySnapshot) -> str:
    """The totals of a replay."""
    shown = f"{played.ticks:,} of " if played.read > played.ticks else ""
    parts = [
        f"{shown}{counted(played.read, 'tick')}",
        f"{played.seconds:.1f} s",
        _mean_rate(played.ticks, played.seconds),
        f"{played.damaged:,} damaged",
        *([counted(played.duplicates, "duplicate")] if played.duplicates else []),
        *([f"{played.late:,} late"] if played.late else []),
        *(f"{output.name} {counted(output.rows, 'row')}" for output in played.outputs),
    ]
    return " · ".join(parts)


def _mean_rate(count: int, seconds: float) -> str:
    return f"{count / seconds if seconds > 0 else 0.0:,.0f}/s"
