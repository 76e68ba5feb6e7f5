"""Four figures side by side, each with its limit or its history below it. Pure.

The number stands out: bold, and coloured only where it is not well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...adapter.feed.lifecycle import FINAL, Phase
from ...adapter.market.evidence import MarketState
from ...adapter.snapshot import FeedSnapshot
from .figures import bar, brief_s, counted, limit_text, minute_line, number
from .frame import Line, Span, cells, cropped_line, padded
from .verdict import attempt_text, backoff_connection, is_silent, silence_limit_s

_LONGEST_BAR = 40
_SHORTEST_HISTORY = 6


class Tile(NamedTuple):
    """`title` over `figure` over what `under` makes for a width; `brief` says it in one line."""

    title: str
    figure: str
    style: str
    under: Callable[[int], Line]
    brief: str


def tile_lines(tiles: Sequence[Tile], width: int) -> list[Line]:
    """Title, figure and history of each, in columns of equal width."""
    edges = [number * width // len(tiles) for number in range(len(tiles) + 1)]
    rows: list[Line] = [(), (), ()]
    for tile, start, end in zip(tiles, edges, edges[1:], strict=False):
        room = end - start - 1
        parts: tuple[Line, ...] = (
            (Span(tile.title, "label"),),
            (Span(tile.figure, tile.style),),
            tile.under(room),
        )
        rows = [
            (*padded(row, start), *cropped_line(part, room))
            for row, part in zip(rows, parts, strict=True)
        ]
    return rows


def brief_lines(tiles: Sequence[Tile], width: int) -> list[Line]:
    """All of them in two lines."""
    half = (width + 1) // 2
    lines: list[Line] = []
    for at in range(0, len(tiles), 2):
        line: Line = ()
        for tile in tiles[at : at + 2]:
            text = (Span(tile.brief, tile.style),)
            line = (*padded(line, half if line else 0), *cropped_line(text, half - 1))
        lines.append(line)
    return lines


def words(*texts: str, style: str = "faint") -> Callable[[int], Line]:
    """Words below a figure: the first of the texts that fits."""

    def under(width: int) -> Line:
        text = next((text for text in texts if cells(text) <= width), texts[-1])
        return cropped_line((Span(text, style),), width)

    return under


def gauge(share: float, style: str = "calm rule", note: str = "") -> Callable[[int], Line]:
    """A bar below a figure, and a note after it where there is room for both."""

    def under(width: int) -> Line:
        beside = f" {note}" if note and width >= cells(note) + _SHORTEST_HISTORY + 1 else ""
        full, rest = bar(share, min(_LONGEST_BAR, width - cells(beside)))
        return (Span(full, style), Span(rest, "faint"), Span(beside, "faint"))

    return under


def history(rates: Sequence[float]) -> Callable[[int], Line]:
    """The rates of the last minute as a line of blocks."""

    def under(width: int) -> Line:
        mean, peak = sum(rates) / max(1, len(rates)), max(rates, default=0.0)
        notes = (f" 1 min, mean {number(mean)}, peak {number(peak)}", " 1 min", "")
        note = next(n for n in notes if width - cells(n) >= 2 * _SHORTEST_HISTORY or not n)
        line = minute_line(rates, min(_LONGEST_BAR, width - cells(note)))
        return (Span(line), Span(note, "faint"))

    return under


# --- a feed's ------------------------------------------------------------------------------------


def feed_tiles(snapshot: FeedSnapshot) -> tuple[Tile, ...]:
    """Tick rate, silence, backoff and blind seconds."""
    return (_rate(snapshot), _silence(snapshot), _backoff(snapshot), _blind(snapshot))


def _rate(snapshot: FeedSnapshot) -> Tile:
    now = number(snapshot.rate_now)
    return Tile("TICKS/S", now, "strong", history(snapshot.rates), f"{now} ticks/s")


def _silence(snapshot: FeedSnapshot) -> Tile:
    silence_s, limit_s = snapshot.silence_s, silence_limit_s(snapshot)
    if snapshot.phase is not Phase.LIVE and silence_s == 0.0:
        return Tile("SILENCE", "not connected", "strong", words("–"), "silence –")
    figure = f"{brief_s(silence_s)} of {limit_text(limit_s)}"
    brief = f"silence {brief_s(silence_s)}"
    if not snapshot.is_market_open:
        return Tile(
            "SILENCE", figure, "strong", words("no fault: market closed", "market closed"), brief
        )
    if any(each.state is MarketState.STANDING for each in snapshot.market):
        return Tile(
            "SILENCE",
            figure,
            "strong",
            words("no fault: market not moving", "market not moving"),
            brief,
        )
    share = silence_s / limit_s if limit_s > 0 else 1.0
    if not is_silent(snapshot):
        return Tile("SILENCE", figure, "strong", gauge(share), brief)
    left = f"{brief_s(limit_s - silence_s)} left" if silence_s < limit_s else "over"
    return Tile("SILENCE", figure, "warn strong", gauge(share, "warn rule", left), brief)


def _backoff(snapshot: FeedSnapshot) -> Tile:
    backing_off = backoff_connection(snapshot)
    so_far = _attempts_so_far(snapshot)
    if backing_off is None or snapshot.phase in FINAL:
        word = "over" if snapshot.phase in FINAL else "none"
        return Tile("BACKOFF", word, "strong", _so_far_words(snapshot), f"backoff {word}")
    attempt = attempt_text(backing_off)
    which = f" FEED {backing_off.number}" if len(snapshot.connections) > 1 else ""
    title = f"BACKOFF{which}"
    if backing_off.phase is Phase.LIVE:  # it is up again, and has to stay so for a while
        under = words(f"{attempt}, forgiven soon", attempt)
        return Tile(title, "settling", "strong", under, attempt)
    figure = "trying now"
    if backing_off.next_try_s is not None:
        figure = f"{brief_s(backing_off.next_try_s)} of {brief_s(backing_off.delay_s)}"
    under = words(f"{attempt}, {so_far} so far" if so_far else attempt, attempt, style="")
    return Tile(title, figure, "warn strong", under, attempt)


def _attempts_so_far(snapshot: FeedSnapshot) -> str:
    """The attempts of the whole run, where there are more than those of the present loss."""
    now = max((c.attempt for c in snapshot.connections), default=0)
    return f"{snapshot.attempts:,}" if snapshot.attempts > now else ""


def _so_far_words(snapshot: FeedSnapshot) -> Callable[[int], Line]:
    attempts = counted(snapshot.attempts, "attempt")
    episodes = sum(connection.episodes for connection in snapshot.connections)
    losses = f"{episodes:,} loss{'' if episodes == 1 else 'es'}"
    if not episodes:
        return words(f"{attempts} so far", attempts)
    return words(f"{attempts} in {losses} so far", f"{attempts}, {losses}", attempts)


def _blind(snapshot: FeedSnapshot) -> Tile:
    figure = brief_s(snapshot.blind_s)
    # What was missed an hour ago is not what is wrong now: the colour goes when the feed is back.
    is_running = snapshot.blind_s > 0 and snapshot.phase not in (Phase.LIVE, *FINAL)
    reconnects = counted(snapshot.reconnects, "reconnect")
    texts = [f"{reconnects} so far", reconnects]
    if snapshot.uncertain_s:
        uncertain = f"{brief_s(snapshot.uncertain_s)} uncertain"
        texts = [f"{reconnects}, {uncertain}", uncertain]
    style = "warn strong" if is_running else "strong"
    return Tile("BLIND", figure, style, words(*texts), f"blind {figure}")
