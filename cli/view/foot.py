"""The foot of a screen: a line or two of what is calm, and a line of keys. Pure.

What is not well is coloured and comes first; what there is no room for is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...adapter.feed.lifecycle import Phase
from ...adapter.market.evidence import MarketState
from ...adapter.snapshot import FeedSnapshot, MarketSnapshot, OutputSnapshot
from ..printable import printable
from .figures import brief_s, counted, latency, moment, size
from .frame import Line, Span, cells, cropped, cropped_line, width_of
from .key_bindings import Scene, bindings_of
from .verdict import FULL_SHARE, delay_text
from .view_state import Sort, ViewState

_SOON_S = 600.0
_JOINT = "  "
_LONGEST_NAME = 40
_LEAST_TYPED = 20
"""How much of a filter being typed is shown; the hint has the rest of the line."""
_STATES = {
    MarketState.STANDING: ("stands", "warn"),
    MarketState.RESTING: ("closed", ""),
    MarketState.EXPECTED: ("awaited", ""),
}


def calm_lines(items: Iterable[Span], width: int, height: int) -> list[Line]:
    """As many of the items as fit, those with a colour first."""
    ordered = sorted(items, key=lambda item: item.style not in ("warn", "bad"))
    lines: list[Line] = [()] if height > 0 else []
    for item in ordered:
        if not lines:
            break
        joint = Span(_JOINT) if lines[-1] else Span("")
        if width_of((*lines[-1], joint, item)) <= width:
            lines[-1] = (*lines[-1], joint, _calm(item))
        elif len(lines) < height and cells(item.text) <= width:
            lines.append((_calm(item),))
        elif not lines[-1]:
            lines[-1] = (_calm(Span(cropped(item.text, width), item.style)),)
    return lines


def _calm(item: Span) -> Span:
    return item if item.style else Span(item.text, "faint")


# --- a feed's ------------------------------------------------------------------------------------


def calm_items(snapshot: FeedSnapshot) -> list[Span]:
    """What is worth a glance, the most important first."""
    return [
        *_buffer(snapshot),
        Span(
            f"delay {latency(snapshot.latency_p50_us)}, p99 {latency(snapshot.latency_p99_us)}"
            if snapshot.latency_p50_us is not None
            else "delay –"
        ),
        _session(snapshot),
        *_market(snapshot),
        *output_items(snapshot.outputs),
        *_connections(snapshot),
        *_packets(snapshot),
        Span(f"{counted(snapshot.ticks, 'tick')} in {brief_s(snapshot.uptime_s)}"),
    ]


def _buffer(snapshot: FeedSnapshot) -> list[Span]:
    fill = snapshot.buffered / snapshot.buffer_limit if snapshot.buffer_limit else 0.0
    dropped = "bad" if snapshot.recent_dropped else "warn" if snapshot.dropped else ""
    late = delay_text(snapshot)
    return [
        Span(f"buffer {fill:.0%}".replace("%", " %"), "warn" if fill >= FULL_SHARE else ""),
        Span(f"{snapshot.dropped:,} dropped", dropped),
        *([Span(late, "warn")] if late else []),
    ]


def _market(snapshot: FeedSnapshot) -> list[Span]:
    """Each segment that is known; else what the calendar says of all."""
    if not snapshot.market:
        return [Span("market open" if snapshot.is_market_open else "market closed")]
    states = [_segment(each, snapshot) for each in snapshot.market]
    calm: dict[str, list[str]] = {}
    for exchange, word, style in states:
        if not style:
            calm.setdefault(word, []).append(exchange)
    # `NSE open to 15:30, NFO to 15:40`: what repeats is written once.
    texts = [f"{' '.join(exchanges)} {word}" for word, exchanges in calm.items()]
    texts[1:] = [text.replace(" open to ", " to ") for text in texts[1:]]
    joined = [Span(", ".join(texts))] if texts else []
    return [*joined, *(Span(f"{name} {word}", style) for name, word, style in states if style)]


def _segment(each: MarketSnapshot, snapshot: FeedSnapshot) -> tuple[str, str, str]:
    """Its exchange, its state, and the style of that."""
    word, style = _STATES.get(each.state, ("open", ""))
    if each.closes_at is not None and each.state is not MarketState.STANDING:
        word = f"open to {moment(each.closes_at, snapshot.at)}"
    return printable(each.exchange), word, style


def _session(snapshot: FeedSnapshot) -> Span:
    now, ends = snapshot.at, snapshot.session_expires_at
    if ends is None:
        return Span("session not yet known")
    left_s = (ends - now).total_seconds()
    if left_s <= 0:
        return Span(f"session expired {moment(ends, now)}", "bad")
    return Span(f"session to {moment(ends, now)}", "warn" if left_s < _SOON_S else "")


def output_items(outputs: Sequence[OutputSnapshot]) -> list[Span]:
    """Name, rows and bytes of each; one that nothing is written to any more says so."""
    items = file_items([(each.name, each.rows, each.bytes_written) for each in outputs])
    return [
        Span(f"{item.text}, its reader left", "warn") if is_left else item
        for item, is_left in zip(items, [each.is_left for each in outputs] or [False], strict=True)
    ]


def file_items(outputs: Sequence[tuple[str, int, int]]) -> list[Span]:
    """Outputs with their rows and bytes."""
    if not outputs:
        return [Span("this dashboard alone")]
    return [
        Span(f"{end_of(printable(name), _LONGEST_NAME)} {counted(rows, 'row')}, {size(written)}")
        for name, rows, written in outputs
    ]


def _connections(snapshot: FeedSnapshot) -> list[Span]:
    """Where there are several: those that are well together, the others one by one."""
    if len(snapshot.connections) < 2:
        return []
    live = [each for each in snapshot.connections if each.phase is Phase.LIVE]
    others = [each for each in snapshot.connections if each.phase is not Phase.LIVE]
    return [
        *(Span(f"feed {each.number} {each.phase}", "warn") for each in others),
        *([Span(f"{counted(len(live), 'connection')} live")] if live else []),
    ]


def _packets(snapshot: FeedSnapshot) -> list[Span]:
    """What was wrong with packets in the whole run; what is of the last minute has colour."""
    found = (
        (snapshot.malformed, snapshot.recent_malformed, "malformed"),
        (snapshot.foreign, snapshot.recent_foreign, "foreign"),
        (snapshot.out_of_order, 0, "out of order"),
        (snapshot.duplicates, 0, "twice"),
        (snapshot.names_skipped, 0, f"name{'' if snapshot.names_skipped == 1 else 's'} skipped"),
    )
    return [
        Span(f"{count:,} {what}", "warn" if recent else "")
        for count, recent, what in found
        if count
    ]


def end_of(path: str, width: int) -> str:
    """A path in `width` columns; its end says more than its beginning."""
    return path if cells(path) <= width else cropped(path[::-1], width)[::-1]


# --- keys ----------------------------------------------------------------------------------------


def key_line(view: ViewState, width: int, scene: Scene) -> Line:
    """The keys, or what is being typed into the filter."""
    if view.is_filtering:
        hint = "  Enter keeps it, Esc clears it"
        hint = hint if width >= cells(hint) + _LEAST_TYPED else ""
        typed = cropped(printable(view.filter_text)[::-1], width - cells(hint) - 2)[::-1]
        prompt = (Span("/"), Span(typed, "strong"), Span("▏"), Span(hint, "faint"))
        return cropped_line(prompt, width)
    line: list[Span] = []
    for binding in bindings_of(scene):
        if not binding.word:
            continue
        word, is_on = _word(binding.word, view)
        parts = (
            Span(_JOINT if line else ""),
            Span(binding.shown, "strong"),
            Span(f" {word}", "strong" if is_on else "faint"),
        )
        if width_of((*line, *parts)) <= width:
            line += parts
    return tuple(line)


def _word(word: str, view: ViewState) -> tuple[str, bool]:
    """What a key does now, and whether that is out of the ordinary."""
    states = {
        "help": ("table", view.shows_help),
        "chain": ("table", view.shows_chain),
        "pause": ("go on", view.is_paused),
        "hold": ("go on", view.is_held),
        "sort": (f"sort {view.sort}", view.sort is not Sort.AUTO),
        "filter": (f"filter {printable(view.filter_text)}", bool(view.filter_text)),
    }
    other, is_on = states.get(word, (word, False))
    return (other, True) if is_on else (word, False)
