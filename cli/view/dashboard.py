"""The dashboard: a snapshot becomes a frame that fits. Pure: no clock, no I/O, no terminal.

Rules
- What a person must know first comes first: the phase, whether ticks come, what happens next.
- A word carries each meaning; sign and colour only repeat it.
- Nothing is wider than `width` or longer than `height`. What does not fit beside its label goes
  on below it; instruments get the lines that are left, the most active first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...adapter.feed.lifecycle import FINAL, Phase
from ...adapter.snapshot import ConnectionSnapshot, FeedSnapshot
from ..printable import printable
from .figures import (
    age,
    bar,
    brief_s,
    clock_s,
    counted,
    latency,
    moment,
    rate,
    size,
    sparkline,
)
from .frame import (
    LABEL_WIDTH,
    Frame,
    Line,
    Span,
    cells,
    cropped,
    cropped_line,
    flowed,
    padded,
    width_of,
)
from .instrument_table import instrument_lines

_SIDE_BY_SIDE_WIDTH = 140
"""From here on the instruments stand beside the figures, else below them."""
_FIGURES_WIDTH = 76
_LONGEST_BAR = 40
_SHORTEST_BAR = 8
_MOST_OUTPUTS = 4
_SIGNS = {
    Phase.LIVE: "●",
    Phase.CONNECTING: "◌",
    Phase.WAITING: "◔",
    Phase.LOST: "✕",
    Phase.STOPPED: "■",
    Phase.IDLE: "○",
}
_PHASE_STYLES = {Phase.LIVE: "good", Phase.LOST: "bad", Phase.WAITING: "warn"}
_SOON_S = 600.0
_SILENT_SHARE = 1 / 3
"""Silence worth a warning, as a share of what counts as a fault."""


def render(snapshot: FeedSnapshot, *, width: int, height: int) -> Frame:
    """The snapshot in at most `height` lines of at most `width` columns."""
    severity = severity_of(snapshot)
    head = [_header(snapshot, severity, width), (Span("─" * width, severity),)]
    is_wide = width >= _SIDE_BY_SIDE_WIDTH
    figures = list(_figures(snapshot, severity, _FIGURES_WIDTH if is_wide else width))
    left = height - len(head)
    if is_wide:
        table = instrument_lines(snapshot, width - _FIGURES_WIDTH - 3, left)
        body = _side_by_side(figures, table)
    else:
        table = instrument_lines(snapshot, width, left - len(figures) - 1)
        body = [*figures, (), *table] if table else figures
    lines = [cropped_line(line, width) for line in (*head, *body)]
    return Frame(tuple(lines[: max(0, height)]))


def compact_lines(snapshot: FeedSnapshot, width: int, *, is_short: bool = False) -> list[Line]:
    """The feed in few lines of at most `width` columns, for where it is one of several.

    `is_short`: only what shows whether it can be trusted.
    """
    severity = severity_of(snapshot)
    lines = [_header(snapshot, severity, width)]
    has_backoff = _backoff_connection(snapshot) is not None
    if not is_short:
        lines += _rates(snapshot, width)
    if not (is_short and has_backoff):
        lines += _silence(snapshot, severity, width)
    if has_backoff:
        lines += _backoff(snapshot, width)
    lines += _blind(snapshot, width)
    if not is_short:
        lines += _outputs(snapshot, width)
    return [cropped_line(line, width) for line in lines]


def most_instruments(width: int, height: int) -> int:
    """How many instruments a frame of this size can show at most."""
    return height * max(1, width // 60)


def is_counting_down(snapshot: FeedSnapshot) -> bool:
    """Whether a second matters now: something is awaited that a person watches for."""
    return snapshot.phase is Phase.CONNECTING or severity_of(snapshot) == "warn"


def severity_of(snapshot: FeedSnapshot) -> str:
    """One word for the whole: good, calm (nothing to expect now), warn, bad, faint (it is over)."""
    if snapshot.phase is Phase.LOST:
        return "bad"
    if snapshot.phase is Phase.WAITING or any(
        c.attempt and c.phase is not Phase.LIVE for c in _open(snapshot)
    ):
        return "warn"
    if snapshot.phase is Phase.LIVE:
        if not snapshot.is_market_open:
            return "calm"
        return "warn" if snapshot.silence_s >= _SILENT_SHARE * snapshot.silence_after_s else "good"
    return "faint" if snapshot.phase is Phase.STOPPED else "calm"


def _open(snapshot: FeedSnapshot) -> Iterator[ConnectionSnapshot]:
    return (c for c in snapshot.connections if c.phase not in FINAL)


# --- the first line -------------------------------------------------------------------------------


def _header(snapshot: FeedSnapshot, severity: str, width: int) -> Line:
    phase = Span(f"{_SIGNS[snapshot.phase]} {snapshot.phase}", f"{severity} strong")
    headline = _headline(snapshot)
    while len(headline) > 1 and width_of((phase,)) + 2 + cells(" · ".join(headline)) > width:
        headline.pop()
    time = f"{snapshot.at:%H:%M:%S}"
    return with_clock(
        (phase, Span("  " + " · ".join(headline), "strong")),
        (f"up {clock_s(snapshot.uptime_s)} · {time}", time),
        width,
    )


def _headline(snapshot: FeedSnapshot) -> list[str]:
    """What to know beside the phase, the most important first."""
    if snapshot.phase is Phase.LIVE:
        return _live_headline(snapshot)
    if snapshot.phase is Phase.LOST:
        return _lost_headline(snapshot)
    backing_off = _backoff_connection(snapshot)
    if snapshot.phase is Phase.STOPPED or backing_off is None:
        words = {Phase.STOPPED: "the end", Phase.IDLE: "about to connect"}
        return [words.get(snapshot.phase, "first attempt")]
    headline = [_attempt(backing_off)]
    if backing_off.next_try_s is not None:
        headline.append(f"next try in {brief_s(backing_off.next_try_s)}")
    return headline


def _live_headline(snapshot: FeedSnapshot) -> list[str]:
    if not snapshot.is_market_open:
        return ["market closed", *_opening(snapshot)]
    if severity_of(snapshot) == "warn":
        return [f"silent for {brief_s(snapshot.silence_s)}"]
    wanted = counted(snapshot.instruments_total, "instrument")
    return [f"receiving {wanted}"] if snapshot.ticks else [wanted, "no tick yet"]


def _lost_headline(snapshot: FeedSnapshot) -> list[str]:
    lost = [c for c in snapshot.connections if c.phase is Phase.LOST]
    attempts = max((c.attempt for c in lost), default=0)
    gave_up = [f"gave up after {counted(attempts, 'attempt')}"] if attempts else []
    return [*gave_up, printable(snapshot.last_cause) or "for good"]


def _opening(snapshot: FeedSnapshot) -> list[str]:
    if snapshot.market_opens_at is None:
        return []
    return [f"opens {moment(snapshot.market_opens_at, snapshot.at)}"]


def _backoff_connection(snapshot: FeedSnapshot) -> ConnectionSnapshot | None:
    """The connection whose back-off is shown: the next to try, else the one with most attempts."""
    waiting = [c for c in snapshot.connections if c.next_try_s is not None]
    if waiting:
        return min(waiting, key=lambda connection: connection.next_try_s or 0.0)
    tried = [c for c in snapshot.connections if c.attempt]
    return max(tried, key=lambda connection: connection.attempt, default=None)


def _attempt(connection: ConnectionSnapshot) -> str:
    most = connection.max_attempts
    return f"attempt {connection.attempt}" + (", no limit" if most is None else f" of {most}")


# --- the figures ----------------------------------------------------------------------------------


def _figures(snapshot: FeedSnapshot, severity: str, width: int) -> Iterator[Line]:
    yield from _rates(snapshot, width)
    yield from _silence(snapshot, severity, width)
    yield from _backoff(snapshot, width)
    yield from _blind(snapshot, width)
    yield from _buffer(snapshot, width)
    yield from _latency(snapshot, width)
    yield from _session(snapshot, width)
    if len(snapshot.connections) > 1:
        for connection in snapshot.connections:
            yield _connection(connection, width)
    yield from _outputs(snapshot, width)
    if snapshot.phase is Phase.LOST:
        yield from flowed("next", [Span("ticks health shows what is wrong", "strong")], width)


def _rates(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    lines = flowed(
        "rate",
        [
            Span(rate(snapshot.rate_now), "strong"),
            Span(f"mean {rate(snapshot.rate_mean)}"),
            Span(f"peak {rate(snapshot.rate_peak)}"),
            Span(counted(snapshot.ticks, "tick")),
        ],
        width,
    )
    room = width - width_of(lines[-1]) - 2
    if snapshot.rates and room >= _SHORTEST_BAR:
        spark = sparkline(snapshot.rates, min(room, _LONGEST_BAR))
        lines[-1] = (*lines[-1], Span("  "), Span(spark, "calm"))
    yield from lines


def _silence(snapshot: FeedSnapshot, severity: str, width: int) -> Iterator[Line]:
    silence_s, limit_s = snapshot.silence_s, snapshot.silence_after_s
    if snapshot.phase is not Phase.LIVE and silence_s == 0.0:
        yield from flowed("silence", [Span("– not connected", "faint")], width)
        return
    of_limit = Span(
        f"{brief_s(silence_s)} of {limit_s:g} s", "" if severity == "good" else severity
    )
    if not snapshot.is_market_open:
        calm = Span("no fault while the market is closed", "faint")
        yield from flowed("silence", [of_limit, calm], width)
        return
    parts = [of_limit]
    if silence_s >= limit_s:
        parts.append(Span("reconnects at the next check", severity))
    elif silence_s >= _SILENT_SHARE * limit_s:
        parts.append(Span(f"{brief_s(limit_s - silence_s)} left", severity))
    share = silence_s / limit_s if limit_s > 0 else 1.0
    yield from with_bar("silence", parts, share, severity, width)


def _backoff(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    backing_off = _backoff_connection(snapshot)
    if backing_off is None or snapshot.phase in FINAL:
        word = "over" if snapshot.phase in FINAL else "none"
        yield from flowed("backoff", [Span(word)], width)
        return
    parts = [Span(_attempt(backing_off), "strong")]
    if len(snapshot.connections) > 1:
        parts.insert(0, Span(f"feed {backing_off.number}"))
    if backing_off.next_try_s is None:
        word = "forgiven once it is stable" if backing_off.phase is Phase.LIVE else "under way"
        yield from flowed("backoff", [*parts, Span(word)], width)
        return
    parts.append(Span(f"next try in {brief_s(backing_off.next_try_s)}", "warn"))
    parts.append(Span(f"delay {brief_s(backing_off.delay_s)}"))
    share = 1 - backing_off.next_try_s / backing_off.delay_s if backing_off.delay_s > 0 else 1.0
    yield from with_bar("backoff", parts, share, "warn", width)


def _blind(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    parts = [
        Span(brief_s(snapshot.blind_s), "warn" if snapshot.blind_s else ""),
        Span(counted(snapshot.reconnects, "reconnect")),
    ]
    if snapshot.last_cause:
        parts.append(Span(f"last cause {printable(snapshot.last_cause)}"))
    yield from flowed("blind", parts, width)


def _buffer(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    fill = snapshot.buffered / snapshot.buffer_limit if snapshot.buffer_limit else 0.0
    parts = [
        Span(f"{snapshot.buffered:,} of {snapshot.buffer_limit:,}", "warn" if fill > 0.5 else ""),
        Span(f"{snapshot.dropped:,} dropped", "bad" if snapshot.dropped else ""),
        Span(f"{snapshot.malformed:,} malformed", "warn" if snapshot.malformed else ""),
    ]
    if snapshot.out_of_order:
        parts.append(Span(f"{snapshot.out_of_order:,} out of order", "warn"))
    if snapshot.duplicates:
        parts.append(Span(counted(snapshot.duplicates, "duplicate"), "warn"))
    yield from flowed("buffer", parts, width)


def _latency(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    parts = [
        Span(f"p50 {latency(snapshot.latency_p50_us)}"),
        Span(f"p99 {latency(snapshot.latency_p99_us)}"),
        Span("receive to write", "faint"),
    ]
    yield from flowed("latency", parts, width)


def _session(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    market = ["market open"] if snapshot.is_market_open else ["market closed", *_opening(snapshot)]
    parts = [*_expiry(snapshot), *map(Span, market)]
    yield from flowed("session", parts, width)


def _expiry(snapshot: FeedSnapshot) -> list[Span]:
    now, ends = snapshot.at, snapshot.session_expires_at
    if ends is None:
        return [Span("not yet known", "faint")]
    left_s = (ends - now).total_seconds()
    if left_s <= 0:
        return [Span(f"expired {moment(ends, now)}", "bad")]
    style = "warn" if left_s < _SOON_S else ""
    return [Span(f"until {moment(ends, now)}", style), Span(f"{brief_s(left_s)} left", style)]


def _connection(connection: ConnectionSnapshot, width: int) -> Line:
    """One line for one connection: what does not fit is in the figures above."""
    style = _PHASE_STYLES.get(connection.phase, "")
    parts = [Span(f"{_SIGNS[connection.phase]} {connection.phase}", style)]
    if connection.next_try_s is not None:
        parts.append(Span(f"next try in {brief_s(connection.next_try_s)}", style))
    elif connection.phase is Phase.LIVE:
        parts.append(Span(f"silence {age(connection.silence_s)}"))
    if connection.blind_s:
        parts.append(Span(f"blind {brief_s(connection.blind_s)}", "warn"))
    parts.append(Span(counted(connection.instruments, "instrument")))
    parts.append(Span(counted(connection.ticks, "tick")))
    return flowed(f"feed {connection.number}", parts, width)[0]


def _outputs(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    return output_lines([(o.name, o.rows, o.bytes_written) for o in snapshot.outputs], width)


def output_lines(outputs: Sequence[tuple[str, int, int]], width: int) -> Iterator[Line]:
    """The name, rows and bytes of each output; of many, the first."""
    if not outputs:
        yield from flowed("output", [Span("this dashboard alone", "faint")], width)
    for index, (name, rows, written) in enumerate(outputs[:_MOST_OUTPUTS]):
        figures = f"{counted(rows, 'row')} · {size(written)}"
        room = max(20, width - LABEL_WIDTH - cells(figures) - 3)
        shown = end_of(printable(name), room)
        label = "output" if index == 0 else ""
        yield from flowed(label, [Span(shown, "strong"), Span(figures)], width)
    more = len(outputs) - _MOST_OUTPUTS
    if more > 0:
        yield from flowed("", [Span(f"+{more} more", "faint")], width)


def end_of(path: str, width: int) -> str:
    """A path in `width` columns; its end says more than its beginning."""
    return path if cells(path) <= width else cropped(path[::-1], width)[::-1]


# --- how lines are set ----------------------------------------------------------------------------


def with_clock(head: Line, clocks: Sequence[str], width: int) -> Line:
    """A first line with the first of the `clocks` that fits at its right end."""
    for clock in clocks:
        room = width - width_of(head) - cells(clock)
        if room >= 2:
            return *head, Span(" " * room), Span(clock, "faint")
    return head


def with_bar(label: str, parts: Sequence[Span], share: float, style: str, width: int) -> list[Line]:
    """Parts, and a bar in the rest of their last line where it is long enough for one."""
    lines = flowed(label, parts, width)
    room = min(_LONGEST_BAR, width - width_of(lines[-1]) - 2)
    if room >= _SHORTEST_BAR:
        full, rest = bar(share, room)
        lines[-1] = (*lines[-1], Span("  "), Span(full, style), Span(rest, "faint"))
    return lines


def _side_by_side(left: Sequence[Line], right: Sequence[Line]) -> list[Line]:
    """Two columns; the left one has the width of the figures."""
    joint = Span(" " * 3)
    return [
        (
            *padded(left[row] if row < len(left) else (), _FIGURES_WIDTH),
            joint,
            *(right[row] if row < len(right) else ()),
        )
        for row in range(max(len(left), len(right)))
    ]
