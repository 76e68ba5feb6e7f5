"""A replay as a frame that fits: where it is, how fast it goes, what it wrote. Pure."""

from __future__ import annotations

from ...adapter.replay.replay import ReplaySnapshot
from ..printable import printable
from .dashboard import end_of, output_lines, with_bar, with_clock
from .figures import brief_s, clock_s, counted, rate
from .frame import Frame, Line, Span, cells, cropped_line, flowed
from .view_state import UNTOUCHED, ViewState

_SHORTEST_NAME = 8


def render(
    now: ReplaySnapshot,
    before: ReplaySnapshot | None = None,
    view: ViewState = UNTOUCHED,
    *,
    width: int,
    height: int,
    is_over: bool = False,
) -> Frame:
    """A replay in at most `height` lines of at most `width` columns.

    `before` is how it stood a few seconds ago: figures of now are of what was done since.
    """
    severity = "faint" if is_over else "good"
    lines = [
        _header(now, severity, width, is_over=is_over),
        (Span("─" * width, severity),),
        *_position(now, severity, width),
        *_speed(now, before, width),
        *_rows(now, before, width),
        *_skipped(now, width),
        *output_lines(now.outputs, width),
    ]
    return Frame(tuple(cropped_line(line, width) for line in lines)[: max(0, height)])


def _header(now: ReplaySnapshot, severity: str, width: int, *, is_over: bool) -> Line:
    phase = Span("■ stopped" if is_over else "▶ playing", f"{severity} strong")
    more = f" +{len(now.recordings) - 1} more" if len(now.recordings) > 1 else ""
    room = max(_SHORTEST_NAME, width - cells(phase.text) - cells(more) - 2)
    name = end_of(printable(now.recordings[0]), room)
    clock = clock_s(now.seconds)
    return with_clock((phase, Span(f"  {name}{more}", "strong")), (f"up {clock}", clock), width)


def _position(now: ReplaySnapshot, severity: str, width: int) -> list[Line]:
    if not now.position:
        return flowed("position", [Span("no row yet", "faint")], width)
    day, _, time = now.position.partition("T")
    parts = [Span(f"{day} {time[:8]} IST", "strong")]
    if now.share is None:
        return flowed("position", parts, width)
    return with_bar(
        "position", [*parts, Span(f"{int(now.share * 100)} %")], now.share, severity, width
    )


def _speed(now: ReplaySnapshot, before: ReplaySnapshot | None, width: int) -> list[Line]:
    parts = [Span("max asked" if now.speed is None else f"{now.speed:g}× asked")]
    if before is not None and before.position and now.seconds > before.seconds:
        passed_s = now.seconds - before.seconds
        if now.ticks > before.ticks:
            played_s = now.played_s - before.played_s
            parts.append(Span(f"{_times(played_s / passed_s)} measured", "strong"))
        else:
            parts.append(Span(f"no row for {brief_s(passed_s)}", "faint"))
    return flowed("speed", parts, width)


def _rows(now: ReplaySnapshot, before: ReplaySnapshot | None, width: int) -> list[Line]:
    ticks, seconds = (before.ticks, before.seconds) if before is not None else (0, 0.0)
    parts = [
        Span(rate(_ratio(now.ticks - ticks, now.seconds - seconds)), "strong"),
        Span(f"mean {rate(_ratio(now.ticks, now.seconds))}"),
        Span(counted(now.ticks, "row")),
    ]
    return flowed("rate", parts, width)


def _skipped(now: ReplaySnapshot, width: int) -> list[Line]:
    parts = [
        Span(f"{now.read - now.ticks:,} left out"),
        Span(f"{now.damaged:,} damaged", "warn" if now.damaged else ""),
    ]
    if now.duplicates:
        parts.append(Span(counted(now.duplicates, "duplicate")))
    if now.late:
        parts.append(Span(f"{now.late:,} late", "warn"))
    return flowed("skipped", parts, width)


def _ratio(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0


def _times(speed: float) -> str:
    """A decimal only where it matters."""
    return f"{speed:,.1f}×" if speed < 99.95 else f"{speed:,.0f}×"
