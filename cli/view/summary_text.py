"""The line that ends a run, in a person's words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...adapter.events import Summary
from .figures import counted

if TYPE_CHECKING:
    from ...adapter.replay.replay import ReplaySnapshot


def stream_summary(summary: Summary) -> str:
    """What a stream came to; what is rare stands only where it is not 0."""
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
    """What a replay came to."""
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
