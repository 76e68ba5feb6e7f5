"""Numbers as a person reads them at a glance. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

_SPARKS = "▁▂▃▄▅▆▇█"
_MINUTE = 60
_COUNT_UNITS = ("k", "M", "B", "T", "Q")
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


def limit_text(seconds: float) -> str:
    """A limit as it was set: `7.5 s`, from a minute on as `brief_s` has it."""
    return f"{seconds:g} s" if seconds < 60 else brief_s(seconds)


def age(seconds: float) -> str:
    """How long ago, in one unit: `0.1 s`, `42 s`, `3 min`, `5 h`, `2 d`."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    for below_s, unit_s, unit in ((59.5, 1, "s"), (3570, 60, "min"), (84_600, 3600, "h")):
        if seconds < below_s:
            return f"{round(seconds / unit_s)} {unit}"
    return f"{round(seconds / 86_400):,} d"


def short_age(seconds: float) -> str:
    """The same where room is short: `0.1 s`, `42 s`, `3 m`, `5 h`, `2 d`."""
    return age(seconds).replace("min", "m")


def clock_s(seconds: float) -> str:
    """A running time as `0:42`, `12:07` or `1:02:03`."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def rate(per_second: float) -> str:
    """Ticks per second; a decimal only below 10."""
    return f"{per_second:,.1f}/s" if 0 < per_second < 10 else f"{per_second:,.0f}/s"


def number(per_second: float) -> str:
    """A rate without its unit, with three digits that count: `0.4`, `48`, `12,500`."""
    if 0 < per_second < 9.95:
        return f"{per_second:.1f}"
    rounded = round(per_second)
    return f"{round(rounded, 3 - len(str(rounded))):,}"


def short_count(count: int) -> str:
    """A count in at most three digits and a unit: `950`, `310 k`, `1.20 M`, `12.4 B`."""
    if abs(count) < 1000:
        return str(count)
    power, scaled = 0, count / 1000
    while abs(scaled) >= 999.5 and power < len(_COUNT_UNITS) - 1:
        power, scaled = power + 1, scaled / 1000
    return f"{scaled:,.{_digits(scaled)}f} {_COUNT_UNITS[power]}"


def _digits(value: float) -> int:
    """The decimals that make three digits of a value."""
    return 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0


def price(rupees: Decimal) -> str:
    """With separators; of the seven digits of a currency the zeros after the fourth are left
    out."""
    text = f"{rupees:,f}"
    whole, point, digits = text.partition(".")
    return whole + point + digits[:4] + digits[4:].rstrip("0")


def signed(rupees: Decimal) -> str:
    """A change in points: `+32.10`, `-1.05`, `0.00`."""
    return f"+{price(rupees)}" if rupees > 0 else price(rupees or abs(rupees))


def percent(share: float) -> str:
    """A change in per cent, three digits that count: `+0.13`, `-12.4`, `+312`, `0.00`."""
    digits = _digits(share)
    rounded = round(share, digits)
    return f"{rounded:+,.{digits}f}" if rounded else "0.00"


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
    """A wall time, with the day where it is not today: `15:30`, `Mon 09:15`, `24 Dec 09:15`."""
    days = (at.date() - now.date()).days
    if days == 0:
        return f"{at:%H:%M}"
    return f"{at:%a %H:%M}" if -7 < days < 7 else f"{at.day} {at:%b %H:%M}"


def minute_line(rates: Sequence[float], width: int) -> str:
    """Rates of up to 60 seconds, the newest at the right, in `width` cells for one minute;
    blank where there are none yet."""
    seconds = [None] * (_MINUTE - len(rates)) + list(rates[-_MINUTE:])
    edges = [round(cell * _MINUTE / width) for cell in range(width + 1)] if width > 0 else [0]
    cells = [
        [rate for rate in seconds[start:end] if rate is not None] for start, end in pairwise(edges)
    ]
    means = [sum(cell) / len(cell) if cell else None for cell in cells]
    top = max((mean for mean in means if mean is not None), default=0.0)
    return "".join(" " if mean is None else _spark(mean, top) for mean in means)


def sparkline(values: Sequence[float], width: int) -> str:
    """The last `width` values as a row of blocks from nothing to the largest of them."""
    shown = values[-width:] if width > 0 else ()
    top = max(shown, default=0.0)
    return "".join(_spark(value, top) for value in shown)


def _spark(value: float, top: float) -> str:
    return _SPARKS[min(7, int(max(0.0, value) / top * 7.999))] if top > 0 else _SPARKS[0]


def bar(share: float, width: int) -> tuple[str, str]:
    """The full and the empty part of a bar; together `width` cells."""
    full = min(width, max(0, round(min(1.0, max(0.0, share)) * width)))
    return "█" * full, "░" * (width - full)
