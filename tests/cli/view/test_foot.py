"""The foot: what is calm, and the keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.market.evidence import MarketState
from ticks.adapter.snapshot import FeedSnapshot, MarketSnapshot, OutputSnapshot
from ticks.cli.view.foot import calm_items, calm_lines, end_of, file_items, key_line
from ticks.cli.view.frame import Frame, Span
from ticks.cli.view.key_bindings import Scene
from ticks.cli.view.view_state import Sort, ViewState

from .. import feeds

KEYS = ViewState(has_keys=True)


def texts(feed: FeedSnapshot) -> list[str]:
    return [item.text for item in calm_items(feed)]


def colored(feed: FeedSnapshot) -> dict[str, str]:
    return {item.text: item.style for item in calm_items(feed) if item.style}


def words(feed: FeedSnapshot, width: int, height: int = 1) -> list[str]:
    return Frame(tuple(calm_lines(calm_items(feed), width, height))).plain()


def test_what_is_calm_stands_in_a_line_as_far_as_it_fits() -> None:
    (line,) = words(feeds.LIVE, 200)
    assert line.split("  ") == [
        *("buffer 0 %", "0 dropped", "delay 65 µs, p99 1.2 ms", "session to Sat 00:00"),
        *("NSE open to 15:30, NFO to 15:40", "out.csv 6,201 rows, 941.2 kB"),
        "6,204 ticks in 12 min 42 s",
    ]
    assert words(feeds.LIVE, 40) == ["buffer 0 %  0 dropped"]
    assert (
        words(feeds.LIVE, 80, 2)[1]
        == "NSE open to 15:30, NFO to 15:40  out.csv 6,201 rows, 941.2 kB"
    )
    assert colored(feeds.LIVE) == {}


def test_what_is_not_well_has_colour_and_stands_first() -> None:
    assert words(feeds.LOSING, 80)[0].startswith(
        "buffer 100 %  93,015 dropped  stdout's reader is 2.1 s behind"
    )
    assert colored(feeds.LOSING)["93,015 dropped"] == "bad"
    over = replace(feeds.LOSING, recent_dropped=0, behind_s=0.0, buffered=0)
    assert colored(over) == {"93,015 dropped": "warn"}
    assert list(colored(feeds.FOREIGN)) == ["40 malformed", "131 foreign"]
    assert colored(feeds.READER_LEFT) == {"stdout 10 rows, 1.4 kB, its reader left": "warn"}
    assert colored(feeds.STANDING) == {"NSE stands": "warn"}


def test_packets_that_were_wrong_an_hour_ago_have_no_colour() -> None:
    old = replace(feeds.FOREIGN, recent_foreign=0, recent_malformed=0, out_of_order=2, duplicates=1)
    assert colored(old) == {}
    assert texts(old)[-5:-1] == ["40 malformed", "131 foreign", "2 out of order", "1 twice"]


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ([MarketState.RESTING, MarketState.RESTING], "NSE NFO closed"),
        ([MarketState.LIVE, MarketState.RESTING], "NSE open, NFO closed"),
        ([MarketState.EXPECTED, MarketState.LIVE], "NSE awaited, NFO open"),
    ],
)
def test_segments_say_how_they_stand(states: list[MarketState], text: str) -> None:
    market = tuple(
        MarketSnapshot(exchange, state, None)
        for exchange, state in zip(("NSE", "NFO"), states, strict=True)
    )
    assert text in texts(replace(feeds.LIVE, market=market))


def test_before_the_first_packet_the_calendar_says_it() -> None:
    assert "market open" in texts(feeds.CONNECTING)
    assert "market closed" in texts(replace(feeds.QUIET, market=()))
    assert "delay –" in texts(feeds.CONNECTING)


@pytest.mark.parametrize(
    ("expires_at", "text", "style"),
    [
        (None, "session not yet known", ""),
        (datetime(2026, 11, 20, 23, 59, tzinfo=IST), "session to 23:59", ""),
        (datetime(2026, 11, 20, 9, 30, tzinfo=IST), "session to 09:30", "warn"),
        (datetime(2026, 11, 20, 9, 20, tzinfo=IST), "session expired 09:20", "bad"),
    ],
)
def test_the_session_says_how_long_it_lasts(
    expires_at: datetime | None, text: str, style: str
) -> None:
    feed = replace(feeds.LIVE, session_expires_at=expires_at)
    assert text in texts(feed)
    assert colored(feed) == ({text: style} if style else {})


def test_of_several_connections_those_that_are_not_live_are_named() -> None:
    assert "2 connections live" in texts(feeds.crowded(3))
    assert colored(feeds.crowded(3)) == {"feed 3 waiting": "warn"}
    assert not any("connection" in text for text in texts(feeds.LIVE))


def test_a_stream_without_outputs_says_so() -> None:
    assert "this dashboard alone" in texts(feeds.DEMO)


def test_of_a_long_path_the_end_is_shown() -> None:
    assert end_of("/srv/recordings/2026-11-20.csv", 16) == "…/2026-11-20.csv"
    name = "/srv/recordings/" + "deep/" * 20 + "2026-11-20.csv"
    (item,) = file_items([(name, 1, 100)])
    assert item.text.startswith("…")
    assert item.text.endswith("deep/2026-11-20.csv 1 row, 100 B")
    output = OutputSnapshot(name, 1, 100)
    assert item.text in texts(replace(feeds.LIVE, outputs=(output,)))


def test_an_item_that_is_wider_than_the_screen_is_cut() -> None:
    assert calm_lines([Span("abcdefgh")], 5, 1) == [(Span("abcd…", "faint"),)]
    assert calm_lines([Span("abc")], 5, 0) == []


def keys(view: ViewState, width: int = 100, scene: Scene = Scene.STREAM) -> str:
    return Frame((key_line(view, width, scene),)).plain()[0]


def test_the_keys_are_named_as_far_as_they_fit() -> None:
    assert keys(KEYS) == "q quit  ? help  ↑↓ scroll  s sort  / filter  p hold"
    assert keys(KEYS, 30) == "q quit  ? help  ↑↓ scroll"
    assert keys(KEYS, scene=Scene.STREAM | Scene.CHAIN).endswith("o chain")
    assert "space pause" in keys(KEYS, scene=Scene.REPLAY)


def test_a_key_says_what_it_does_now() -> None:
    view = ViewState(
        has_keys=True,
        sort=Sort.CHANGE,
        filter_text="nifty",
        is_held=True,
        shows_help=True,
        shows_chain=True,
    )
    assert keys(view, scene=Scene.STREAM | Scene.CHAIN) == (
        "q quit  ? table  ↑↓ scroll  s sort change  / filter nifty  p go on  o table"
    )


def test_what_is_typed_into_the_filter_is_seen_to_its_end() -> None:
    typing = ViewState(has_keys=True, is_filtering=True, filter_text="reliance")
    assert keys(typing) == "/reliance▏  Enter keeps it, Esc clears it"
    assert keys(typing, 40) == "/reliance▏"
    long = keys(replace(typing, filter_text="a" * 30 + "reliance" * 2), 40)
    assert long == "/…" + "a" * 21 + "reliance" * 2 + "▏"
    assert keys(typing, 6) == "/…nce▏"
