"""Four figures, and what stands under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.market.evidence import MarketState
from ticks.adapter.snapshot import FeedSnapshot, MarketSnapshot
from ticks.cli.view.frame import Frame, Line
from ticks.cli.view.tiles import Tile, brief_lines, feed_tiles, gauge, history, tile_lines, words

from .. import feeds

RATE, SILENCE, BACKOFF, BLIND = range(4)


def plain(lines: Sequence[Line]) -> list[str]:
    return Frame(tuple(lines)).plain()


def told(feed: FeedSnapshot, number: int, width: int = 19) -> tuple[str, str, str]:
    """The figure, its style, and what stands under it."""
    tile = feed_tiles(feed)[number]
    return tile.figure, tile.style, plain([tile.under(width)])[0]


def test_the_rate_stands_over_the_last_minute() -> None:
    assert told(feeds.LIVE, RATE) == ("12", "strong", "▄▇▆█▅▅▇▆▆▆▅█▇ 1 min")
    assert told(feeds.LIVE, RATE, 60)[2].endswith(" 1 min, mean 9.5, peak 19")


def test_silence_counts_down_to_its_limit() -> None:
    assert told(feeds.LIVE, SILENCE) == ("0.2 s of 30 s", "strong", "░" * 19)
    assert told(feeds.SILENT, SILENCE) == (
        *("21.4 s of 30 s", "warn strong"),
        "██████░░ 8.6 s left",
    )
    over = feeds.with_connection(feeds.SILENT, silence_s=33.0)
    assert told(over, SILENCE)[2] == "██████████████ over"


@pytest.mark.parametrize(
    ("feed", "word"),
    [(feeds.QUIET, "no fault: market closed"), (feeds.STANDING, "no fault: market not moving")],
    ids=["quiet", "standing"],
)
def test_silence_that_is_no_fault_says_why(feed: FeedSnapshot, word: str) -> None:
    figure, style, under = told(feed, SILENCE, 30)
    assert (style, under) == ("strong", word)
    assert figure.endswith(" of 30 s")
    assert told(feed, SILENCE, 19)[2] == word.removeprefix("no fault: ")


def test_without_a_connection_there_is_no_silence() -> None:
    assert told(feeds.WAITING, SILENCE) == ("not connected", "strong", "–")


def test_silence_is_measured_against_the_limit_that_counts() -> None:
    rare = MarketSnapshot("NSE", MarketState.EXPECTED, None, silence_limit_s=300.0)
    assert told(replace(feeds.SILENT, market=(rare,)), SILENCE)[0] == "21.4 s of 5 min 0 s"


def test_a_wait_says_how_long_and_which_attempt() -> None:
    assert told(feeds.WAITING, BACKOFF) == ("3.2 s of 4.1 s", "warn strong", "attempt 2 of 3")
    assert told(feeds.UNDER_WAY, BACKOFF) == ("trying now", "warn strong", "attempt 2 of 3")
    endless = feeds.with_connection(feeds.WAITING, max_attempts=None)
    assert told(endless, BACKOFF)[2] == "attempt 2, no limit"
    earlier = feeds.with_connection(feeds.WAITING, attempts=9)
    assert told(earlier, BACKOFF, 30)[2] == "attempt 2 of 3, 9 so far"
    assert told(feeds.LOST, BACKOFF) == ("over", "strong", "3 attempts so far")


def test_attempts_are_forgiven_once_the_feed_has_lasted() -> None:
    settling = feeds.with_connection(feeds.LIVE, attempt=1, attempts=1)
    assert told(settling, BACKOFF, 30) == ("settling", "strong", "attempt 1 of 3, forgiven soon")


def test_of_several_connections_the_one_that_waits_is_named() -> None:
    tile = feed_tiles(feeds.crowded(3))[BACKOFF]
    assert (tile.title, tile.figure) == ("BACKOFF FEED 3", "0.4 s of 1.0 s")


def test_attempts_and_losses_of_the_whole_run_stay_shown() -> None:
    assert told(feeds.LIVE, BACKOFF) == ("none", "strong", "0 attempts so far")
    assert told(feeds.RECOVERED, BACKOFF, 30)[2] == "7 attempts in 3 losses so far"
    assert told(feeds.RECOVERED, BLIND) == ("12.4 s", "strong", "4 reconnects so far")
    one = feeds.with_connection(feeds.LIVE, attempts=1, episodes=1)
    assert told(one, BACKOFF)[2] == "1 attempt, 1 loss"


def test_blind_seconds_have_colour_while_they_run() -> None:
    assert told(feeds.WAITING, BLIND)[:2] == ("37.5 s", "warn strong")
    assert told(feeds.LOST, BLIND)[1] == "strong"


def test_uncertain_seconds_are_shown_with_the_blind_ones() -> None:
    assert told(feeds.STANDING, BLIND, 40)[2] == "0 reconnects, 5 min 0 s uncertain"
    assert told(feeds.STANDING, BLIND, 19)[2] == "5 min 0 s uncertain"


def test_tiles_stand_in_columns_of_equal_width() -> None:
    lines = plain(tile_lines(feed_tiles(feeds.LIVE), 80))
    assert [lines[0][at : at + 7].strip() for at in (0, 20, 40, 60)] == [
        *("TICKS/S", "SILENCE", "BACKOFF", "BLIND"),
    ]
    assert lines[1].split() == ["12", "0.2", "s", "of", "30", "s", "none", "0.0", "s"]


def test_on_a_narrow_terminal_they_are_two_lines() -> None:
    assert plain(brief_lines(feed_tiles(feeds.WAITING), 40)) == [
        "0 ticks/s           silence –",
        "attempt 2 of 3      blind 37.5 s",
    ]


def test_under_a_figure_stands_what_fits() -> None:
    assert plain([words("too long", "short")(5)]) == ["short"]
    assert plain([words("too long")(5)]) == ["too …"]
    assert plain([gauge(0.5, note="left")(20)]) == ["████████░░░░░░░ left"]
    assert plain([gauge(0.5, note="left")(6)]) == ["███░░░"]
    assert plain([history([])(3)]) == [""]


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_its_tiles(phase: Phase) -> None:
    feed = feeds.with_connection(feeds.LIVE, phase=phase)
    assert all(isinstance(tile, Tile) and tile.figure for tile in feed_tiles(feed))


def test_a_silence_limit_of_zero_is_drawn_too() -> None:
    assert told(replace(feeds.LIVE, silence_after_s=0.0), SILENCE)[0] == "0.2 s of 0 s"
