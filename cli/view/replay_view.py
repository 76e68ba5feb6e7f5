"""The watch screen of a replay: where it is, how fast it goes, and the instruments. Pure."""

from __future__ import annotations

from ...adapter.replay.replay import ReplaySnapshot
from ...adapter.selection import Selection
from ..printable import printable
from . import table
from .figures import brief_s, clock_s, counted, number
from .foot import end_of, file_items
from .frame import Frame, Line, Span, cells, cropped, cropped_line, width_of
from .key_bindings import Scene
from .layout import Layout, layout_of
from .screen_frame import Parts, framed, with_clock
from .tiles import Tile, gauge, words
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

    `before` is its state a few seconds ago: current figures are of what was done since.
    """
    layout = _layout(view, width, height)
    severity = "faint" if is_over else "warn" if view.is_paused else "good"
    parts = Parts(
        severity=severity,
        head=_head(now, view, layout, severity, is_over=is_over),
        tiles=(_rate(now, before), _speed(now, before), _position(now), _skipped(now)),
        body=table.table_lines(now, layout),
        status=table.status(now, view),
        events=lambda _width, _height: (),
        calm=file_items([(each.name, each.rows, each.bytes) for each in now.outputs]),
        scene=Scene.REPLAY,
        is_over=is_over,
    )
    return framed(parts, view, layout, height)


def selection_of(view: ViewState, width: int, height: int) -> Selection:
    """The instruments that a frame of this size shows, looked at as `view` says."""
    layout = _layout(view, width, height)
    return Selection(layout.capacity, view.first_row, view.sort, view.filter_text)


def _layout(view: ViewState, width: int, height: int) -> Layout:
    """As for a stream's screen, but without events: the table has their place."""
    layout = layout_of(width, height, has_keys=view.has_keys or view.is_filtering)
    spare = layout.events + max(0, layout.calm - 1)
    return layout._replace(table=layout.table + spare, events=0, side=0, calm=min(1, layout.calm))


def _head(
    now: ReplaySnapshot, view: ViewState, layout: Layout, severity: str, *, is_over: bool
) -> list[Line]:
    """What it does, where it is, and of which recording."""
    speed = "max" if now.speed is None else f"{now.speed:g}x"
    sign, word = (
        ("■", "STOPPED") if is_over else ("‖", "PAUSED") if view.is_paused else ("▶", "REPLAY")
    )
    first: Line = (Span(f"{sign} {word}", f"{severity} strong"), Span(f" {speed}", "strong"))
    where = _place(now)
    clock = f"up {clock_s(now.seconds)}"
    held = f"held {brief_s(view.held_s)}"
    clocks = (held, held) if view.is_held else (clock, clock_s(now.seconds))
    if layout.head == 2:
        second = cropped_line((Span(_of(now, where, layout.width), "strong"),), layout.width)
        return [with_clock(first, clocks, layout.width), second]
    room = layout.width - width_of(first) - 2 - (cells(clocks[-1]) + 2 if layout.width >= 60 else 0)
    return [
        with_clock((*first, Span(f"  {_of(now, where, room)}", "strong")), clocks, layout.width)
    ]


def _place(now: ReplaySnapshot) -> str:
    if not now.position:
        return "no row yet"
    day, _, time = now.position.partition("T")
    return f"{day} {time[:8]}"


def _of(now: ReplaySnapshot, where: str, room: int) -> str:
    """`2022-11-10 11:42:07, 38 % of day.csv.gz`, the name cut short where there is little room."""
    share = "" if now.share is None else f"{int(now.share * 100)} % of "
    more = f" +{len(now.recordings) - 1} more" if len(now.recordings) > 1 else ""
    left = room - cells(f"{where}, {share}{more}")
    if left < _SHORTEST_NAME:
        return cropped(where, max(0, room))
    return f"{where}, {share}{end_of(printable(now.recordings[0]), left)}{more}"


def _rate(now: ReplaySnapshot, before: ReplaySnapshot | None) -> Tile:
    ticks, seconds = (before.ticks, before.seconds) if before is not None else (0, 0.0)
    per_s = number(_ratio(now.ticks - ticks, now.seconds - seconds))
    mean = f"mean {number(_ratio(now.ticks, now.seconds))}"
    return Tile("ROWS/S", per_s, "strong", words(mean), f"{per_s} rows/s")


def _speed(now: ReplaySnapshot, before: ReplaySnapshot | None) -> Tile:
    asked = "max asked" if now.speed is None else f"{now.speed:g}× asked"
    measured, note = "–", asked
    if before is not None and before.position and now.seconds > before.seconds:
        passed_s = now.seconds - before.seconds
        if now.ticks > before.ticks:
            measured = f"{_times((now.played_s - before.played_s) / passed_s)} measured"
        else:
            note = f"no row for {brief_s(passed_s)}"
    return Tile("SPEED", measured, "strong", words(f"{note}", asked), measured)


def _position(now: ReplaySnapshot) -> Tile:
    rows = counted(now.ticks, "row")
    if now.share is None:
        return Tile("POSITION", rows, "strong", words("of standard input"), rows)
    share = f"{int(now.share * 100)} %"
    return Tile("POSITION", f"{share}, {rows}", "strong", gauge(now.share), f"{share}, {rows}")


def _skipped(now: ReplaySnapshot) -> Tile:
    skipped = now.read - now.ticks
    notes = [f"{now.damaged:,} damaged"]
    if now.duplicates:
        notes.append(counted(now.duplicates, "duplicate"))
    if now.late:
        notes.append(f"{now.late:,} late")
    style = "warn" if now.damaged or now.late else "faint"
    return Tile(
        "SKIPPED",
        f"{skipped:,}",
        "strong",
        words(", ".join(notes), notes[0], style=style),
        f"{skipped:,} skipped",
    )


def _ratio(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0


def _times(speed: float) -> str:
    """A decimal only where it matters."""
    return f"{speed:,.1f}×" if speed < 99.95 else f"{speed:,.0f}×"
