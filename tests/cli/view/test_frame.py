"""Lines that know their width, with style and without."""

from __future__ import annotations

import io
import re

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ticks.cli.view.frame import (
    STYLES,
    Frame,
    Span,
    cells,
    cropped,
    cropped_line,
    flowed,
    padded,
    width_of,
)

LINE = (Span("● live", "good strong"), Span("  "), Span("receiving", "strong"))
FRAME = Frame((LINE, (), (Span("blind", "label"),)))


def test_without_colour_a_price_that_moved_is_bold_and_nothing_else() -> None:
    assert FRAME.ansi(has_color=False) == FRAME.plain()
    for name in STYLES:
        (line,) = Frame(((Span("x", name),),)).ansi(has_color=False)
        assert line == ("\x1b[1mx\x1b[0m" if name in ("up strong", "down strong") else "x")


def test_with_colour_only_codes_are_added() -> None:
    colored = FRAME.ansi(has_color=True)
    assert colored[0].startswith("\x1b[32m● live\x1b[0m")
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in colored] == FRAME.plain()


def test_every_style_reads_on_a_dark_and_on_a_light_background() -> None:
    """What names a background names what stands on it; yellow on white is next to nothing,
    and so is bold green where bold text has the bright shade of its colour."""
    for name, style in STYLES.items():
        front, _, back = style.partition(" on ")
        words = {*front.split()} - {"bold", "dim"}
        assert words <= ({"black", "white"} if back else {"green", "red", "yellow"}), name
        assert "yellow" not in words or name.endswith("rule"), name
        assert back or not ({"bold", "green"} <= {*front.split()}), f"{name}: bright where bold is"


def test_neighbours_of_one_style_share_their_codes() -> None:
    frame = Frame(((Span("a", "good"), Span("b", "good"), Span("", "bad"), Span("c")),))
    assert frame.ansi(has_color=True) == ["\x1b[32mab\x1b[0mc"]


def test_rich_prints_a_frame_as_it_is() -> None:
    file = io.StringIO()
    Console(file=file, width=40, color_system=None).print(FRAME, end="")
    assert file.getvalue() == "● live  receiving\n\nblind\n"


def test_a_text_is_cut_with_an_ellipsis() -> None:
    assert cropped("RELIANCE", 8) == "RELIANCE"
    assert cropped("RELIANCE", 5) == "RELI…"
    assert cropped("RELIANCE", 0) == ""


@given(
    st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N", "S"]))), st.integers(0, 40)
)
def test_a_cropped_line_never_exceeds_its_width(texts: list[str], width: int) -> None:
    assert width_of(cropped_line([Span(text) for text in texts], width)) <= width


@given(st.text(st.characters(codec="utf-8", categories=["L"])), st.integers(0, 40))
def test_a_padded_line_has_at_least_its_width(text: str, width: int) -> None:
    assert width_of(padded([Span(text)], width)) == max(width, cells(text))


def test_parts_that_do_not_fit_after_their_label_continue_below() -> None:
    parts = [Span("one"), Span("two"), Span("three")]
    assert Frame(tuple(flowed("label", parts, 80))).plain() == ["label    one · two · three"]
    narrow = Frame(tuple(flowed("label", parts, 20))).plain()
    assert narrow == ["label    one · two", "         three"]
