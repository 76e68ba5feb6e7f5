"""The parts of a screen in their places."""

from __future__ import annotations

from dataclasses import replace

from ticks.cli.view.frame import Frame, Line, Span
from ticks.cli.view.key_bindings import Scene
from ticks.cli.view.layout import layout_of
from ticks.cli.view.screen_frame import Parts, framed, with_clock
from ticks.cli.view.tiles import Tile, words
from ticks.cli.view.view_state import ViewState

KEYS = ViewState(has_keys=True)


def line(text: str) -> Line:
    return (Span(text),)


PARTS = Parts(
    severity="good",
    head=[line("● LIVE")],
    tiles=[Tile(title, "1", "strong", words("below"), f"{title} 1") for title in "ABCD"],
    body=[line("row 1"), line("row 2")],
    status=["rows 1-2 of 9", "by symbol"],
    events=lambda _width, height: [line("an event")][:height],
    calm=[Span("calm")],
    scene=Scene.STREAM,
    is_over=False,
)


def drawn(width: int, height: int, parts: Parts = PARTS, view: ViewState = KEYS) -> list[str]:
    return framed(parts, view, layout_of(width, height, has_keys=True), height).plain()


def test_a_whole_screen_has_its_parts_from_top_to_bottom() -> None:
    lines = drawn(80, 20)
    assert [text.split()[0] for text in lines[:8] if not text.startswith("──")] == [
        *("●", "A", "1", "below", "row", "row"),
    ]
    assert lines[5].startswith("── rows 1-2 of 9 · by symbol ──")
    assert lines[-4:-1] == ["an event", "─" * 80, "calm"]
    assert lines[-1].startswith("q quit")


def test_a_wide_screen_has_the_events_at_the_right() -> None:
    lines = drawn(200, 49)
    assert lines[6].rstrip().endswith("│ LAST EVENTS")
    assert lines[7].endswith("│ an event")
    assert len(lines) == 49


def test_the_last_frame_is_short_and_names_no_keys() -> None:
    lines = drawn(80, 40, PARTS._replace(is_over=True))
    assert len(lines) < 15
    assert not any("quit" in text for text in lines)


def test_what_is_said_of_the_table_is_said_as_far_as_it_fits() -> None:
    narrow = drawn(40, 20, PARTS._replace(status=["rows 1-2 of 9", "x" * 30]))
    assert "── rows 1-2 of 9 ───────────────────────" in narrow
    wide = drawn(60, 20, PARTS._replace(status=["x" * 90]))[5]
    assert len(wide) == 60
    assert "…" in wide


def test_the_help_covers_the_table_and_nothing_else() -> None:
    lines = drawn(80, 24, view=replace(KEYS, shows_help=True))
    assert "row 1" not in lines
    assert lines[0] == "● LIVE"
    assert any("as Ctrl-C does" in text for text in lines)


def test_the_first_clock_that_fits_stands_at_the_right_end() -> None:
    clocks = ("09:15:00 IST", "09:15")
    assert Frame((with_clock(line("ab"), clocks, 20),)).plain() == ["ab      09:15:00 IST"]
    assert Frame((with_clock(line("ab"), clocks, 12),)).plain() == ["ab     09:15"]
    assert with_clock(line("ab"), clocks, 6) == line("ab")
