"""Which key does what on a screen: one table, which the foot and the help show too. Pure.

Rules
- While a filter is typed, characters are its letters; the other keys work as usual.
- A screen never scrolls past its last row: `Extent` is what the last frame had.
- A page keeps one row of the page before.
- `q` in the middle of characters that came all at once is part of a text that was pasted into the
  wrong window: a recording does not end by that. One that nothing but Enter follows ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Flag, StrEnum, auto
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ...adapter.snapshot import FeedSnapshot
from .view_state import Sort, ViewState

if TYPE_CHECKING:  # a stream does not load the code of a replay
    from ...adapter.replay.replay import ReplaySnapshot

_LONGEST_FILTER = 40
_QUIT = "q"


class Key(StrEnum):
    """The keys that are no characters."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    PAGE_UP = "page up"
    PAGE_DOWN = "page down"
    HOME = "home"
    END = "end"
    ENTER = "enter"
    BACKSPACE = "backspace"
    ESCAPE = "escape"
    REDRAW = "redraw"
    ERASE_LINE = "erase line"


class Extent(NamedTuple):
    """What the last frame had: `rows` at a time, of instruments or of a chain's strikes; the scroll
    may be from `least` to `most`."""

    rows: int
    least: int
    most: int
    is_chain: bool = False


NO_ROWS = Extent(0, 0, 0)


class Scene(Flag):
    """What is shown: not every key means something everywhere."""

    STREAM = auto()
    REPLAY = auto()
    CHAIN = auto()
    """A stream that follows an option chain."""
    HEALTH = auto()


def scene_of(shown: FeedSnapshot) -> Scene:
    """What a stream shows: a chain too, where it follows one."""
    return Scene.STREAM | Scene.CHAIN if shown.chains else Scene.STREAM


def extent_of(shown: FeedSnapshot | ReplaySnapshot, view: ViewState) -> Extent:
    """How far what is shown can be scrolled."""
    if view.shows_chain and isinstance(shown, FeedSnapshot) and shown.chains:
        chain = shown.chains[view.chain_number % len(shown.chains)]
        least = view.chain_offset - chain.first
        most = chain.strikes_total - len(chain.strikes)
        return Extent(len(chain.strikes), least, least + max(0, most), is_chain=True)
    rows = len(shown.instruments)
    total = shown.instruments_total if shown.matching is None else shown.matching
    return Extent(rows, 0, max(0, total - rows))


class Action(StrEnum):
    """What a key asks for besides a change of the view."""

    QUIT = "quit"
    REDRAW = "redraw"


class Binding(NamedTuple):
    """Keys that do one thing. `shown` names them; `word` is for the foot ("" where it has no room
    for them), `help` for the help. `change` gives the new view; `action` is what is asked for."""

    keys: tuple[str, ...]
    shown: str
    word: str
    help: str
    change: Callable[[ViewState, str, Extent], ViewState] | None = None
    action: Action | None = None
    scenes: Scene = Scene.STREAM | Scene.REPLAY


class Pressed(NamedTuple):
    """The view after some keys, and what they asked for."""

    view: ViewState
    actions: frozenset[Action] = frozenset()


def _scroll(view: ViewState, key: str, extent: Extent) -> ViewState:
    page = max(1, extent.rows - 1)
    now = view.chain_offset if extent.is_chain else view.first_row
    wanted = {
        Key.UP: now - 1,
        Key.DOWN: now + 1,
        Key.PAGE_UP: now - page,
        Key.PAGE_DOWN: now + page,
        Key.HOME: extent.least,
        Key.END: extent.most,
    }[Key(key)]
    at = max(extent.least, min(extent.most, wanted))
    return replace(view, chain_offset=at) if extent.is_chain else replace(view, first_row=at)


def _sort(view: ViewState, _key: str, _extent: Extent) -> ViewState:
    orders = list(Sort)
    following = orders[(orders.index(view.sort) + 1) % len(orders)]
    return replace(view, sort=following, first_row=0)


def _filter(view: ViewState, _key: str, _extent: Extent) -> ViewState:
    return replace(view, is_filtering=True, shows_help=False)


def _hold(view: ViewState, _key: str, _extent: Extent) -> ViewState:
    return replace(view, is_held=not view.is_held)


def _pause(view: ViewState, _key: str, _extent: Extent) -> ViewState:
    return replace(view, is_paused=not view.is_paused)


def _help(view: ViewState, _key: str, _extent: Extent) -> ViewState:
    return replace(view, shows_help=not view.shows_help)


def _chain(view: ViewState, _key: str, _extent: Extent) -> ViewState:
    return replace(view, shows_chain=not view.shows_chain, chain_offset=0)


def _other_chain(view: ViewState, key: str, _extent: Extent) -> ViewState:
    step = 1 if key == Key.RIGHT else -1
    if not view.shows_chain:
        return view
    return replace(view, chain_number=view.chain_number + step, chain_offset=0)


def _leave(view: ViewState, _key: str, _extent: Extent) -> ViewState:
    if view.shows_help:
        return replace(view, shows_help=False)
    return _without_filter(view)


BINDINGS = (
    Binding(
        *((_QUIT,), "q", "quit", "end, as Ctrl-C does"),
        action=Action.QUIT,
        scenes=Scene.STREAM | Scene.REPLAY | Scene.HEALTH,
    ),
    Binding(("?",), "?", "help", "show these keys, or hide them", _help),
    Binding((" ",), "space", "pause", "pause the replay, or go on", _pause, scenes=Scene.REPLAY),
    Binding(
        (Key.UP, Key.DOWN, Key.PAGE_UP, Key.PAGE_DOWN, Key.HOME, Key.END),
        *("↑↓", "scroll", "scroll; PgUp and PgDn by a screen, Home and End to either end"),
        _scroll,
    ),
    Binding(("s",), "s", "sort", "sort: as typed, by symbol, by change, by activity", _sort),
    Binding(("/",), "/", "filter", "filter by symbol; Enter keeps it, Escape clears it", _filter),
    Binding(("p",), "p", "hold", "hold the screen, or let it go on; nothing recorded stops", _hold),
    Binding(("o",), "o", "chain", "the option chain, or the table", _chain, scenes=Scene.CHAIN),
    Binding(
        *((Key.LEFT, Key.RIGHT), "←→", "", "the chain before, the next one", _other_chain),
        scenes=Scene.CHAIN,
    ),
    Binding((Key.ESCAPE,), "Esc", "", "leave the help, clear the filter", _leave),
    Binding((Key.REDRAW,), "Ctrl-L", "", "draw the screen afresh", action=Action.REDRAW),
)


def bindings_of(scene: Scene) -> Sequence[Binding]:
    """The keys that do something there."""
    return [binding for binding in BINDINGS if binding.scenes & scene]


@cache
def _by_key(scene: Scene) -> Mapping[str, Binding]:
    return {key: binding for binding in bindings_of(scene) for key in binding.keys}


def press(view: ViewState, keys: Sequence[str], extent: Extent, scene: Scene) -> Pressed:
    """The view after `keys`, which came at once."""
    by_key = _by_key(scene)
    actions: set[Action] = set()
    for key in keys:
        binding = by_key.get(key)
        if key not in (_QUIT, Key.ENTER):
            actions.discard(Action.QUIT)
        if view.is_filtering and (len(key) == 1 or key in _FILTER_KEYS):
            view = _filtered(view, key)
        elif binding is not None and binding.change is not None:
            view = binding.change(view, key, extent)
        elif binding is not None and binding.action is not None:
            actions.add(binding.action)
    return Pressed(view, frozenset(actions))


_FILTER_KEYS = (Key.BACKSPACE, Key.ENTER, Key.ESCAPE, Key.ERASE_LINE)


def _filtered(view: ViewState, key: str) -> ViewState:
    """The view after a key that belongs to the filter that is being typed."""
    text = view.filter_text
    if key == Key.ENTER:
        return replace(view, is_filtering=False)
    if key == Key.ESCAPE or (key == Key.BACKSPACE and not text):
        return _without_filter(view)
    if key == Key.ERASE_LINE:
        text = ""
    else:
        text = text[:-1] if key == Key.BACKSPACE else (text + key)[:_LONGEST_FILTER]
    return replace(view, filter_text=text, first_row=0)


def _without_filter(view: ViewState) -> ViewState:
    first_row = 0 if view.filter_text else view.first_row
    return replace(view, is_filtering=False, filter_text="", first_row=first_row)
