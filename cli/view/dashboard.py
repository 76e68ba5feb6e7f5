"""The dashboard: a snapshot becomes a frame that fits. Pure: no clock, no I/O, no terminal.

Rules
- The first line is the verdict (verdict.py).
- The figures are of the last minute, but for those that say "so far" and the counts of losses.
- A word carries each meaning; sign and colour only repeat it.
- Nothing is wider than `width` or longer than `height`. What does not fit beside its label goes
  on below it; instruments get the lines that are left, the most active first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...adapter.feed.lifecycle import FINAL, Phase
from ...adapter.selection import Selection
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
from .verdict import (
    FULL_SHARE,
    attempt_text,
    backoff_connection,
    delay_text,
    is_silent,
    silence_limit_s,
    verdict_of,
)
from .view_state import UNTOUCHED, ViewState

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


def render(
    snapshot: FeedSnapshot, view: ViewState = UNTOUCHED, *, width: int, height: int
) -> Frame:
    """The snapshot, looked at as `view` says, in `height` lines of `width` columns at most."""
    severity = severity_of(snapshot)
    head = [_header(snapshot, width), (Span("─" * width, severity),)]
    is_wide = width >= _SIDE_BY_SIDE_WIDTH
    figures = list(_figures(snapshot, _FIGURES_WIDTH if is_wide else width))
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
    lines = [_header(snapshot, width)]
    has_backoff = backoff_connection(snapshot) is not None or snapshot.attempts > 0
    if not is_short:
        lines += _rates(snapshot, width)
    if not (is_short and has_backoff):
        lines += _silence(snapshot, width)
    if has_backoff:
        lines += _backoff(snapshot, width)
    lines += _blind(snapshot, width)
    if not is_short:
        lines += _outputs(snapshot, width)
    return [cropped_line(line, width) for line in lines]


def selection_of(view: ViewState, width: int, height: int) -> Selection:
    """The instruments that a frame of this size shows, looked at as `view` says."""
    return Selection(height * max(1, width // 60), view.first_row, view.sort, view.filter_text)


def is_counting_down(snapshot: FeedSnapshot) -> bool:
    """Whether a second matters now: something is awaited that a person watches for."""
    return verdict_of(snapshot).is_urgent


def severity_of(snapshot: FeedSnapshot) -> str:
    """One word for the whole: good, calm (nothing to expect now), warn, bad, faint (it is over)."""
    return verdict_of(snapshot).severity


# --- the first line -------------------------------------------------------------------------------


def _header(snapshot: FeedSnapshot, width: int) -> Line:
    """The verdict, with as many of its facts as fit, and the time in India."""
    verdict = verdict_of(snapshot)
    word = Span(f"{verdict.sign} {verdict.word}", f"{verdict.severity} strong")
    facts = _fitting(verdict.fragments, width - width_of((word,)) - 2)
    time = f"{snapshot.at:%H:%M:%S}"
    return with_clock(
        (word, Span(f"  {facts}", "strong")),
        (f"up {clock_s(snapshot.uptime_s)} · {time} IST", f"{time} IST", time),
        width,
    )


def _fitting(fragments: Sequence[str], room: int) -> str:
    """As many fragments as fit, from the first on; else the first that fits by itself."""
    for count in range(len(fragments), 0, -1):
        text = "".join(fragments[:count])
        if cells(text) <= room:
            return text
    alone = (fragment.lstrip(" ,:;") for fragment in fragments[1:])
    return next((text for text in alone if cells(text) <= room), fragments[0])


# --- the figures ----------------------------------------------------------------------------------


def _figures(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    yield from _rates(snapshot, width)
    yield from _silence(snapshot, width)
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
    """Of the last minute; the count is of the whole run."""
    rates = snapshot.rates or (0.0,)
    lines = flowed(
        "rate",
        [
            Span(rate(snapshot.rate_now), "strong"),
            Span(f"mean {rate(sum(rates) / len(rates))}"),
            Span(f"peak {rate(max(rates))}"),
            Span(f"{counted(snapshot.ticks, 'tick')} so far"),
        ],
        width,
    )
    room = width - width_of(lines[-1]) - 2
    if snapshot.rates and room >= _SHORTEST_BAR:
        spark = sparkline(snapshot.rates, min(room, _LONGEST_BAR))
        lines[-1] = (*lines[-1], Span("  "), Span(spark, "calm"))
    yield from lines


def _silence(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    silence_s, limit_s = snapshot.silence_s, silence_limit_s(snapshot)
    if snapshot.phase is not Phase.LIVE and silence_s == 0.0:
        yield from flowed("silence", [Span("– not connected", "faint")], width)
        return
    style = "warn" if is_silent(snapshot) else ""
    parts = [Span(f"{brief_s(silence_s)} of {limit_s:g} s", style)]
    if not snapshot.is_market_open:
        calm = Span("no fault while the market is closed", "faint")
        yield from flowed("silence", [*parts, calm], width)
        return
    if style and silence_s >= limit_s:
        parts.append(Span("reconnects at the next check", style))
    elif style:
        parts.append(Span(f"{brief_s(limit_s - silence_s)} left", style))
    share = silence_s / limit_s if limit_s > 0 else 1.0
    yield from with_bar("silence", parts, share, style or "good", width)


def _backoff(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    backing_off = backoff_connection(snapshot)
    so_far = _attempts_so_far(snapshot)
    if backing_off is None or snapshot.phase in FINAL:
        word = "over" if snapshot.phase in FINAL else "none"
        yield from flowed("backoff", [Span(word), *so_far], width)
        return
    parts = [Span(attempt_text(backing_off), "strong")]
    if len(snapshot.connections) > 1:
        parts.insert(0, Span(f"feed {backing_off.number}"))
    if backing_off.next_try_s is None:
        word = "forgiven once it is stable" if backing_off.phase is Phase.LIVE else "under way"
        yield from flowed("backoff", [*parts, Span(word), *so_far], width)
        return
    parts.append(Span(f"next try in {brief_s(backing_off.next_try_s)}", "warn"))
    parts.append(Span(f"delay {brief_s(backing_off.delay_s)}"))
    share = 1 - backing_off.next_try_s / backing_off.delay_s if backing_off.delay_s > 0 else 1.0
    yield from with_bar("backoff", [*parts, *so_far], share, "warn", width)


def _attempts_so_far(snapshot: FeedSnapshot) -> list[Span]:
    """The attempts of the whole run, where there are more than those of the present loss."""
    now = max((c.attempt for c in snapshot.connections), default=0)
    if snapshot.attempts <= now:
        return []
    episodes = sum(connection.episodes for connection in snapshot.connections)
    losses = "1 loss" if episodes == 1 else f"{episodes:,} losses"
    return [Span(f"{counted(snapshot.attempts, 'attempt')} in {losses} so far")]


def _blind(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    parts = [
        Span(brief_s(snapshot.blind_s), "warn" if snapshot.blind_s else ""),
        Span(counted(snapshot.reconnects, "reconnect")),
    ]
    if snapshot.uncertain_s:
        parts.insert(1, Span(f"uncertain {brief_s(snapshot.uncertain_s)}", "warn"))
    if snapshot.last_cause:
        parts.append(Span(f"last cause {printable(snapshot.last_cause)}"))
    yield from flowed("blind", parts, width)


def _buffer(snapshot: FeedSnapshot, width: int) -> Iterator[Line]:
    fill = snapshot.buffered / snapshot.buffer_limit if snapshot.buffer_limit else 0.0
    filling = "warn" if fill >= FULL_SHARE else ""
    parts = [
        Span(f"{snapshot.buffered:,} of {snapshot.buffer_limit:,}", filling),
        Span(f"{snapshot.dropped:,} dropped", "bad" if snapshot.dropped else ""),
        Span(f"{snapshot.malformed:,} malformed", "warn" if snapshot.malformed else ""),
    ]
    if delay := delay_text(snapshot):
        parts.insert(1, Span(delay, "warn"))
    if snapshot.foreign:
        parts.append(Span(f"{snapshot.foreign:,} foreign", "warn"))
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
    market = ["market open"]
    if not snapshot.is_market_open:
        opens = snapshot.market_opens_at
        market = ["market closed", *([f"opens {moment(opens, snapshot.at)}"] if opens else [])]
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
