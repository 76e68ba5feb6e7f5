"""What `ticks inspect` found, as lines for a person and as values for a program. Pure.

The first line is the verdict on what the exit code says; what is well takes one line each, and what
is not comes with its first examples.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from ...adapter.clock import IST, ist_time
from ...adapter.history import GapKind
from ...adapter.inspection.report import Gap, Inspection, Rate, Session
from ...adapter.inspection.tally import Freeze
from ..printable import printable
from .figures import brief_s, counted, limit_text, sparkline
from .frame import LABEL_WIDTH, Frame, Line, Span, cells, cropped_line, flowed, width_of

MOST_GAPS = 10
MOST_FREEZES = 3
MOST_DAYS = 5
_SECOND_US = 1_000_000
_GAP_STYLES = {GapKind.BLIND: "warn", GapKind.QUIET: "calm", GapKind.UNEXPLAINED: "bad"}
_WELL_COVERED = 0.999


# --- for a program --------------------------------------------------------------------------------


def as_dict(found: Inspection) -> dict[str, object]:
    """All of it as JSON values; times are ISO 8601 in India, durations seconds."""
    return {
        "ok": not found.has_long_gap,
        "files": list(found.files),
        "complete": found.is_complete,
        "from": _iso(found.from_us),
        "to": _iso(found.to_us),
        "seconds": _s(found.to_us - found.from_us),
        "rows": found.rows,
        "instruments": found.instruments,
        "duplicates": found.duplicates,
        "backwards": {
            "received": found.back_received,
            "exchange": found.back_exchange,
            "volume": found.back_volume,
        },
        "damaged": found.damaged,
        "damage": [each._asdict() for each in found.damage],
        "max_gap_s": _s(found.max_gap_us),
        "longest_gap_s": _s(found.longest_gap_us),
        "gaps": [
            {
                "from": _iso(gap.from_us),
                "to": _iso(gap.to_us),
                "seconds": _s(gap.us),
                "kind": gap.kind.value,
                "cause": gap.cause,
            }
            for gap in found.gaps
        ],
        "gaps_not_listed": found.gaps_not_listed,
        "sessions": [_session_dict(session) for session in found.sessions],
        "frozen": [
            {
                "exchange": freeze.exchange,
                "symbol": freeze.symbol,
                "token": freeze.token,
                "price": freeze.price,
                "from": _iso(freeze.from_us),
                "to": _iso(freeze.to_us),
                "seconds": _s(freeze.us),
                "rows": freeze.rows,
            }
            for freeze in found.freezes
        ],
        "delay": {
            "rows": found.delays,
            **{f"p{percent:g}_s": delay for percent, delay in found.delay_percentiles_s.items()},
            "max_s": found.delay_most_s,
        },
        "rate": [
            {"from": _minute_of(rate).isoformat(), "rows_a_minute": list(rate.rows)}
            for rate in found.rates
        ],
    }


def _session_dict(session: Session) -> dict[str, object]:
    covered = session.covered
    return {
        "exchange": session.exchange,
        "from": _iso(session.from_us),
        "to": _iso(session.to_us),
        "listed": session.is_listed,
        "covered_from": _iso(covered[0]) if covered else None,
        "covered_to": _iso(covered[1]) if covered else None,
        "missing_before_s": _s(session.missing_before_us),
        "missing_after_s": _s(session.missing_after_us),
    }


def _iso(at_us: int) -> str:
    return ist_time(at_us * 1000).isoformat(timespec="microseconds")


def _s(us: int) -> float:
    return us / _SECOND_US


# --- for a person ---------------------------------------------------------------------------------


def report_frame(found: Inspection, width: int) -> Frame:
    """The report in lines of at most `width` columns."""
    lines = [
        *_verdict(found, width),
        *_what(found, width),
        *_sessions(found, width),
        *_gaps(found, width),
        *_rows(found, width),
        *_freezes(found),
        *_delays(found, width),
        *_rates(found.rates, width),
        *_damage(found),
    ]
    return Frame(tuple(cropped_line(line, width) for line in lines))


def _verdict(found: Inspection, width: int) -> Iterator[Line]:
    limit = limit_text(_s(found.max_gap_us))
    long = [gap for gap in found.gaps if gap.us > found.max_gap_us]
    count = len(long) + found.gaps_not_listed
    if found.has_long_gap:
        kinds = [gap.kind for gap in long]
        parts = [f"{kinds.count(kind)} {kind.value}" for kind in GapKind if kind in kinds]
        words = f"✗ {counted(count, 'gap')} longer than {limit}: {', '.join(parts)}"
        yield from ((Span(part, "bad strong"),) for part in textwrap.wrap(words, max(8, width)))
    else:
        yield (Span(f"✓ no gap longer than {limit}", "good strong"),)
    if not found.is_complete:
        yield (Span("  stopped: the rest of it was not read", "warn"),)


def _what(found: Inspection, width: int) -> Iterator[Line]:
    names = [Span(printable(name)) for name in found.files[:MOST_DAYS]]
    if len(found.files) > len(names):
        names.append(Span(f"{len(found.files) - len(names):,} more", "faint"))
    yield from flowed("files", names, width)
    span = f"{_moment(found.from_us)} to {_end_moment(found.to_us, found.from_us)}"
    parts = [
        span,
        brief_s(_s(found.to_us - found.from_us)),
        counted(found.rows, "row"),
        counted(found.instruments, "instrument"),
    ]
    yield from flowed("span", [Span(part) for part in parts], width)


def _sessions(found: Inspection, width: int) -> Iterator[Line]:
    """By day; the days in the middle of a long recording are summed up."""
    days = [
        list(each)
        for _, each in groupby(found.sessions, key=lambda session: _date(session.from_us))
    ]
    label = "sessions"
    for number, day in enumerate(days):
        if number == MOST_DAYS:
            whole = sum(_share(each) >= _WELL_COVERED for each in found.sessions)
            words = f"of {len(found.sessions):,} in {len(days):,} days {whole:,} whole"
            yield from flowed("", [Span(words, "faint")], width)
            return
        parts = [Span(f"{ist_time(day[0].from_us * 1000):%a %d %b}"), *map(_session_part, day)]
        yield from flowed(label, parts, width)
        label = ""
    if not days:
        words = "none listed on these days, and nothing moved: no gap is judged"
        yield from flowed(label, [Span(words, "warn")], width)


def _session_part(session: Session) -> Span:
    hours = f"{_clock(session.from_us)[:5]}-{_clock(session.to_us)[:5]}"
    if not session.is_listed:
        return Span(f"{session.exchange} {hours}, not a listed session")
    covered = session.covered
    if covered is None:
        return Span(f"{session.exchange} {hours} no row", "bad")
    missing = [
        f"{words} {_clock(at_us)[:8]}"
        for us, words, at_us in (
            (session.missing_before_us, "from", covered[0]),
            (session.missing_after_us, "to", covered[1]),
        )
        if us >= 60 * _SECOND_US
    ]
    share = _share(session)
    words = f"{session.exchange} {hours} {_percent(share)}"
    return Span(", ".join([words, *missing]), "" if share >= _WELL_COVERED else "warn")


def _share(session: Session) -> float:
    if session.covered is None:
        return 0.0
    return (session.covered[1] - session.covered[0]) / max(1, session.to_us - session.from_us)


def _percent(share: float) -> str:
    """Never 100 where a visible part is missing."""
    return "100 %" if share >= _WELL_COVERED else f"{min(share, 0.998) * 100:.1f} %"


def _gaps(found: Inspection, width: int) -> Iterator[Line]:
    longest = sorted(found.gaps, key=lambda gap: -gap.us)[:MOST_GAPS]
    label = "gaps"
    for gap in sorted(longest):
        yield from _gap_lines(label, gap, found.from_us, width)
        label = ""
    more = len(found.gaps) - len(longest) + found.gaps_not_listed
    if more:
        yield (Span(" " * LABEL_WIDTH), Span(f"and {more:,} shorter", "faint"))
    elif not found.gaps:
        words = "none of a second or more"
        if found.longest_gap_us:
            words = f"the longest {brief_s(_s(found.longest_gap_us))}"
        yield (Span(f"{label:<{LABEL_WIDTH}}", "label"), Span(words))


def _gap_lines(label: str, gap: Gap, first_us: int, width: int) -> Iterator[Line]:
    """From, to, length, kind; the cause on the same line where there is room, else below."""
    day = "" if _date(gap.from_us) == _date(first_us) else f"{ist_time(gap.from_us * 1000):%d %b} "
    line: Line = (
        Span(f"{label:<{LABEL_WIDTH}}", "label"),
        Span(f"{day}{_clock(gap.from_us)[:-2]} to {_clock(gap.to_us)[:-2]}"),
    )
    what = (
        Span(f"{brief_s(_s(gap.us)):>13}  "),
        Span(f"{gap.kind.value:<11}", _GAP_STYLES[gap.kind]),
    )
    if width_of((*line, *what)) > width:
        yield line
        line = (Span(" " * LABEL_WIDTH),)
    line = (*line, *what)
    cause = printable(gap.cause or "")
    if width_of(line) + 2 + cells(cause) <= width:
        yield (*line, Span(f"  {cause}"))
        return
    yield line
    for part in textwrap.wrap(cause, max(8, width - LABEL_WIDTH - 2)):
        yield (Span(" " * (LABEL_WIDTH + 2)), Span(part))


def _rows(found: Inspection, width: int) -> Iterator[Line]:
    parts = [
        _count(found.duplicates, counted(found.duplicates, "duplicate")),
        _count(found.damaged, f"{found.damaged:,} damaged"),
    ]
    yield from flowed("rows", parts, width)
    parts = [
        _count(steps, f"{name} {counted(steps, 'step')} back" if steps else f"{name} in order")
        for name, steps in (
            ("received time", found.back_received),
            ("exchange time", found.back_exchange),
            ("volume", found.back_volume),
        )
    ]
    yield from flowed("order", parts, width)


def _count(value: int, text: str) -> Span:
    return Span(text, "warn" if value else "")


def _freezes(found: Inspection) -> Iterator[Line]:
    label = "frozen"
    for freeze in found.freezes[:MOST_FREEZES]:
        yield (Span(f"{label:<{LABEL_WIDTH}}", "label"), Span(_freeze_text(freeze), "warn"))
        label = ""
    more = len(found.freezes) - MOST_FREEZES
    if more > 0:
        words = f"and {counted(more, 'instrument')} more"
        yield (Span(" " * LABEL_WIDTH), Span(words, "faint"))


def _freeze_text(freeze: Freeze) -> str:
    name = printable(freeze.symbol or freeze.token)
    return (
        f"{freeze.exchange}:{name} at {freeze.price} for {brief_s(_s(freeze.us))}"
        f" from {_clock(freeze.from_us)[:8]}, {counted(freeze.rows, 'row')}"
    )


def _delays(found: Inspection, width: int) -> Iterator[Line]:
    if not found.delays:
        yield from flowed("delay", [Span("no exchange time moved", "faint")], width)
        return
    figures = [
        *((f"p{percent:g}", delay) for percent, delay in found.delay_percentiles_s.items()),
        ("max", found.delay_most_s),
    ]
    parts = [Span(f"{name} {_delay(delay)}") for name, delay in figures if delay is not None]
    yield from flowed("delay", [*parts, Span("exchange times are whole seconds", "faint")], width)


def _delay(seconds: float) -> str:
    if abs(seconds) < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:,.2f} s" if seconds < 60 else brief_s(seconds)


def _rates(rates: Sequence[Rate], width: int) -> Iterator[Line]:
    """A line of blocks a day, each block as many minutes as make it fit."""
    label = "rate"
    for rate in rates[:MOST_DAYS]:
        room = max(1, width - LABEL_WIDTH)
        minutes = -(-len(rate.rows) // room)
        sums = [
            sum(rate.rows[start : start + minutes]) for start in range(0, len(rate.rows), minutes)
        ]
        last = -(len(rate.rows) % minutes) or None
        if last is not None and len(sums) > 1:  # the last block may hold fewer minutes
            sums[-1] = sums[-1] * minutes // (len(rate.rows) % minutes)
        yield (Span(f"{label:<{LABEL_WIDTH}}", "label"), Span(sparkline(sums, room), "calm"))
        begins = _minute_of(rate)
        words = (
            f"{begins:%a %d %b %H:%M}, {counted(len(rate.rows), 'minute')},"
            f" at most {max(rate.rows):,} rows a minute"
        )
        yield (Span(" " * LABEL_WIDTH), Span(words, "faint"))
        label = ""
    if len(rates) > MOST_DAYS:
        words = f"and {counted(len(rates) - MOST_DAYS, 'day')} more"
        yield (Span(" " * LABEL_WIDTH), Span(words, "faint"))


def _damage(found: Inspection) -> Iterator[Line]:
    for each in found.damage:
        words = f"{each.file}, line {each.line:,}: {each.reason}"
        yield (Span(printable(words), "warn"),)
    more = found.damaged - len(found.damage)
    if more > 0:
        yield (Span(f"and {more:,} damaged rows more", "faint"),)


def _minute_of(rate: Rate) -> datetime:
    midnight = datetime(rate.day.year, rate.day.month, rate.day.day, tzinfo=IST)
    return midnight + timedelta(minutes=rate.first_minute)


def _date(at_us: int) -> date:
    return ist_time(at_us * 1000).date()


def _moment(at_us: int) -> str:
    return f"{ist_time(at_us * 1000):%a %d %b %Y %H:%M:%S}"


def _end_moment(at_us: int, first_us: int) -> str:
    return _moment(at_us) if _date(at_us) != _date(first_us) else _clock(at_us)[:8]


def _clock(at_us: int) -> str:
    """`09:15:00.123`."""
    return ist_time(at_us * 1000).strftime("%H:%M:%S.%f")[:-3]
