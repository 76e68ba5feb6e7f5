"""The watch screen of a stream: a snapshot becomes a frame that fits. Pure: no clock, no I/O.

Rules
- The first line is the verdict (verdict.py), at its end the time in India.
- Then four figures (tiles.py), the instruments or a chain of options (table.py, chain_view.py), the
  last events (recent_events.py) and the foot (foot.py); layout.py says how many lines each has.
- The figures are of the last minute, but for those that say "so far" and the counts of losses.
- A word carries each meaning; sign and colour only repeat it.
- Nothing is wider than `width` or longer than `height`. While a stream runs its screen is filled;
  the last frame, which stays, is as short as what it says.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...adapter.feed.lifecycle import FINAL
from ...adapter.selection import Selection
from ...adapter.snapshot import FeedSnapshot
from . import chain_view, table
from .figures import brief_s, clock_s, counted
from .foot import calm_items, output_items
from .frame import Frame, Line, Span, cells, cropped_line, flowed, width_of
from .key_bindings import scene_of
from .layout import Layout, layout_of
from .recent_events import event_lines
from .screen_frame import Parts, framed, with_clock
from .tiles import Tile, feed_tiles
from .verdict import Verdict, verdict_of
from .view_state import UNTOUCHED, ViewState


def render(
    snapshot: FeedSnapshot,
    view: ViewState = UNTOUCHED,
    now: FeedSnapshot | None = None,
    *,
    width: int,
    height: int,
) -> Frame:
    """The snapshot, looked at as `view` says, in `height` lines of `width` columns at most.

    On a held screen the verdict is of `now`: trouble is seen there too.
    """
    now = now or snapshot
    layout = layout_of(width, height, has_keys=_has_keys(view))
    shows_chain = view.shows_chain and bool(snapshot.chains)
    if shows_chain:
        first = view.chain_number % len(snapshot.chains)
        chains = (*snapshot.chains[first:], *snapshot.chains[:first])
        body = chain_view.chain_lines(chains, snapshot.at.date(), layout)
        status = chain_view.status(chains, layout)
    else:
        body, status = table.table_lines(snapshot, layout), table.status(snapshot, view)
    parts = Parts(
        severity=severity_of(now),
        head=_head(now, view, layout),
        tiles=feed_tiles(snapshot),
        body=body,
        status=status,
        events=lambda room, lines: event_lines(
            snapshot.events, room, lines, is_one_of_several=len(snapshot.connections) > 1
        ),
        calm=calm_items(snapshot),
        scene=scene_of(snapshot),
        is_over=snapshot.phase in FINAL,
    )
    return framed(parts, view, layout, height)


def selection_of(view: ViewState, width: int, height: int) -> Selection:
    """The instruments that a frame of this size shows, looked at as `view` says."""
    layout = layout_of(width, height, has_keys=_has_keys(view))
    return Selection(
        most=layout.capacity,
        first=view.first_row,
        sort=view.sort,
        text=view.filter_text,
        chain_rows=layout.chain_rows if view.shows_chain else 0,
        chain_offset=view.chain_offset,
    )


def is_counting_down(snapshot: FeedSnapshot) -> bool:
    """Whether a second matters now: something is awaited that a person watches for."""
    return verdict_of(snapshot).is_urgent


def severity_of(snapshot: FeedSnapshot) -> str:
    """One word for the whole: good, calm (nothing to expect now), warn, bad, faint (it is over)."""
    return verdict_of(snapshot).severity


def compact_lines(snapshot: FeedSnapshot, width: int, *, is_short: bool = False) -> list[Line]:
    """The feed in few lines of at most `width` columns, for where it is one of several.

    `is_short`: only what shows whether it can be trusted.
    """
    tick_rate, silence, backoff, blind = feed_tiles(snapshot)
    figures = [
        *([] if is_short else [Span(tick_rate.brief)]),
        Span(f"silence {silence.figure}", _kept(silence)),
        Span(backoff.brief, _kept(backoff)),
        Span(blind.brief, _kept(blind)),
        Span(counted(snapshot.reconnects, "reconnect")),
    ]
    if snapshot.attempts:
        figures.append(Span(f"{counted(snapshot.attempts, 'attempt')} so far"))
    lines = [*_head(snapshot, UNTOUCHED, Layout(width, head=1)), *flowed("now", figures, width)]
    if not is_short:
        lines += flowed("output", output_items(snapshot.outputs), width)
    return [cropped_line(line, width) for line in lines]


def _kept(tile: Tile) -> str:
    """The style of a figure within a line of text: only what is not well has any."""
    return tile.style if tile.style.startswith("warn") else ""


def _has_keys(view: ViewState) -> bool:
    return view.has_keys or view.is_filtering


def _head(snapshot: FeedSnapshot, view: ViewState, layout: Layout) -> list[Line]:
    """The verdict, with as many of its facts as fit, and the time in India."""
    verdict = verdict_of(snapshot)
    word = Span(f"{verdict.sign} {verdict.word}", f"{verdict.severity} strong")
    time = f"{snapshot.at:%H:%M:%S}"
    clocks = (f"up {clock_s(snapshot.uptime_s)} · {time} IST", f"{time} IST", time)
    if view.is_held:
        held = f"held {brief_s(view.held_s)}"
        clocks = (f"{held} · {time} IST", f"{held} · {time}", held)
    width = layout.width
    if layout.head == 2:
        facts = fitting(verdict, width)
        return [
            with_clock((word,), clocks[1:], width),
            cropped_line((Span(facts, "strong"),), width),
        ]
    return [_one_line(word, verdict, clocks, width)]


def _one_line(word: Span, verdict: Verdict, clocks: Sequence[str], width: int) -> Line:
    """The facts matter more than the form of the clock, and the clock more than the last facts."""
    room = width - width_of((word,)) - 2
    whole = "".join((*verdict.fragments, verdict.end))
    for clock in clocks:
        if cells(whole) <= room - cells(clock) - 2:
            return with_clock((word, Span(f"  {whole}", "strong")), (clock,), width)
    reserved = cells(clocks[-2]) + 2 if width >= 40 else 0
    return with_clock(
        (word, Span(f"  {fitting(verdict, room - reserved)}", "strong")), clocks, width
    )


def fitting(verdict: Verdict, room: int) -> str:
    """As many fragments as fit, from the first on; where not even that one fits, without its first
    clause."""
    first, *more = verdict.fragments
    for beginning in (first, first.partition(", ")[2]):
        for count in range(len(more), -1, -1):
            text = "".join((beginning, *more[:count], verdict.end))
            if beginning and cells(text) <= room:
                return text
    return first
