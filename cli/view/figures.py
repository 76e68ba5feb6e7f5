"""Numbers as a person reads them at a glance. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

_SPARKS = "▁▂▃▄▅▆▇█"
_BYTE_UNITS = ("kB", "MB", "GB", "TB", "PB")


def brief_s(seconds: float) -> str:
    """A duration in its two largest units: `3.2 s`, `1 min 5 s`, `14 h 44 min`, `2 d 3 h`."""
    if seconds < 59.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    for unit_s, unit, part_s, part in (
        (60, "min", 1, "s"),
        (3600, "h", 60, "min"),
        (86_400, "d", 3600, "h"),
    ):
        if whole < unit_s * (60 if unit == "min" else 24) or unit == "d":
            return f"{whole // unit_s} {unit} {whole % unit_s // part_s} {part}"
    raise AssertionError("the last unit holds every duration")


def age(seconds: float) -> str:
    """How long ago, in one unit: `0.1 s`, `42 s`, `3 min`, `5 h`, `2 d`."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    for below_s, unit_s, unit in ((59.5, 1, "s"), (3570, 60, "min"), (84_600, 3600, "h")):
        if seconds < below_s:
            return f"{round(seconds / unit_s)} {unit}"
    return f"{round(seconds / 86_400):,} d"


def clock_s(seconds: float) -> str:
    """A running time as `0:42`, `12:07` or `1:02:03`."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def rate(per_second: float) -> str:
    """Ticks per second; a decimal only below 10."""
    return f"{per_second:,.1f}/s" if 0 < per_second < 10 else f"{per_second:,.0f}/s"


def latency(microseconds: float | None) -> str:
    """`65 µs`, `1.2 ms`, `3.4 s`, or `–` without ticks."""
    if microseconds is None:
        return "–"
    if microseconds < 1000:
        return f"{microseconds:.0f} µs"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.1f} ms"
    return f"{microseconds / 1_000_000:.1f} s"


def size(count: int) -> str:
    """Bytes in decimal units: `512 B`, `1.2 MB`."""
    if count < 1000:
        return f"{count} B"
    scaled = float(count)
    for unit in _BYTE_UNITS:
        scaled /= 1000
        if scaled < 999.95 or unit == _BYTE_UNITS[-1]:
            return f"{scaled:,.1f} {unit}"
    raise AssertionError("the last unit holds every size")


def counted(count: int, noun: str) -> str:
    """`1 tick`, `12,345 ticks`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def moment(at: datetime, now: datetime) -> str:
    """A wall time, with the day where it is not today: `15:30`, `Tue 24 Nov 09:15`."""
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%a %d %b %H:%M}"


def sparkline(values: Sequence[float], width: int) -> str:
    """The last `width` values as a row of blocks from nothing to the largest of them."""
    shown = values[-width:] if width > 0 else ()
    top = max(shown, default=0.0)
    if top <= 0:
        return _SPARKS[0] * len(shown)
    return "".join(_SPARKS[min(7, int(max(0.0, value) / top * 7.999))] for value in shown)


def bar(share: float, width: int) -> tuple[str, str]:
    """The full and the empty part of a bar; together `width` cells."""
    full = min(width, max(0, round(min(1.0, max(0.0, share)) * width)))
    return "━" * full, "─" * (width - full)
