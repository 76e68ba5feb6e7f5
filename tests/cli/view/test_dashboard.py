"""The watch screen: what it says in each state, and that it always fits.

The looks are kept under `snapshots/` as text. After a change that is meant:
`TICKS_UPDATE_SNAPSHOTS=1 pytest tests/cli/view/test_dashboard.py`, and read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import IST
from ticks.adapter.events import Connected, LogEntry, Lost
from ticks.adapter.feed.lifecycle import FINAL, Phase
from ticks.adapter.market.evidence import MarketState
from ticks.adapter.selection import Sort
from ticks.adapter.snapshot import (
    ChainSnapshot,
    ConnectionSnapshot,
    FeedSnapshot,
    InstrumentSnapshot,
    MarketSnapshot,
    OutputSnapshot,
    StrikeSnapshot,
)
from ticks.cli.view.dashboard import (
    compact_lines,
    is_counting_down,
    render,
    selection_of,
    severity_of,
)
from ticks.cli.view.frame import Frame
from ticks.cli.view.verdict import verdict_of
from ticks.cli.view.view_state import UNTOUCHED, ViewState

from .. import feeds

SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = [(40, 24), (80, 24), (120, 35), (200, 50)]
KEYS = ViewState(has_keys=True)

VERDICTS = {
    "live": feeds.LIVE,
    "demo": feeds.DEMO,
    "recovered": feeds.RECOVERED,
    "never-ticked": feeds.PARTIAL,
    "losing": feeds.LOSING,
    "behind": feeds.BEHIND,
    "waiting": feeds.WAITING,
    "under-way": feeds.UNDER_WAY,
    "logging-in": feeds.LOGGING_IN,
    "connecting": feeds.CONNECTING,
    "silent": feeds.SILENT,
    "quiet": feeds.QUIET,
    "standing": feeds.STANDING,
    "lost": feeds.LOST,
    "stopped": feeds.STOPPED,
    "foreign": feeds.FOREIGN,
    "reader-left": feeds.READER_LEFT,
    "snap": feeds.SNAP,
}


def of(feed: FeedSnapshot, view: ViewState) -> Callable[[int, int], tuple[FeedSnapshot, ViewState]]:
    """The same feed at every size."""
    return lambda _width, _height: (feed, view)


def filled(first: int = 0, **view: object) -> Callable[[int, int], tuple[FeedSnapshot, ViewState]]:
    """423 instruments, as many of them as are asked for at a size."""
    looked_at = replace(KEYS, first_row=first, **view)  # type: ignore[arg-type]

    def look(width: int, height: int) -> tuple[FeedSnapshot, ViewState]:
        return feeds.many(selection_of(looked_at, width, height).most, first=first), looked_at

    return look


def crowded(width: int, height: int) -> tuple[FeedSnapshot, ViewState]:
    return feeds.crowded(selection_of(KEYS, width, height).most), KEYS


def chained(width: int, height: int) -> tuple[FeedSnapshot, ViewState]:
    view = replace(KEYS, shows_chain=True)
    return feeds.chained(min(21, selection_of(view, width, height).chain_rows)), view


NOTHING_MATCHES = replace(feeds.many(0), instruments=(), matching=0)
LOOKS = {
    **{name: of(feed, KEYS) for name, feed in VERDICTS.items()},
    "without-keys": of(feeds.LIVE, UNTOUCHED),
    "help": of(feeds.chained(0), replace(KEYS, shows_help=True)),
    "filtering": of(NOTHING_MATCHES, replace(KEYS, filter_text="xyz", is_filtering=True)),
    "many": filled(),
    "scrolled": filled(60),
    "held": filled(is_held=True, held_s=8.0, sort=Sort.ACTIVITY),
    "crowded": crowded,
    "chain": chained,
}


def words(
    feed: FeedSnapshot, view: ViewState = KEYS, width: int = 80, height: int = 23
) -> list[str]:
    return render(feed, view, width=width, height=height).plain()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", LOOKS)
def test_a_look_is_the_one_that_was_designed(look: str, size: tuple[int, int]) -> None:
    """A terminal's last line is not drawn on."""
    width, height = size[0], size[1] - 1
    feed, view = LOOKS[look](width, height)
    drawn = "\n".join(words(feed, view, width, height)) + "\n"
    file = SNAPSHOTS / f"{look}-{width}x{size[1]}.txt"
    if os.environ.get("TICKS_UPDATE_SNAPSHOTS"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


def test_every_snapshot_belongs_to_a_look() -> None:
    kept = {file.stem.rpartition("-")[0] for file in SNAPSHOTS.glob("*-[0-9]*x[0-9]*.txt")}
    others = {name for name in kept if name.startswith(("health", "replay", "inspection"))}
    assert kept - others == set(LOOKS)


# --- the first line ------------------------------------------------------------------------------


def test_the_first_line_ends_with_the_time_in_india() -> None:
    assert words(feeds.LIVE)[0].endswith("  up 12:42 · 09:27:42 IST")
    assert words(feeds.LOSING)[0].endswith("93,015 dropped     09:27:42 IST")
    assert words(feeds.LIVE, width=60)[0].endswith(" 09:27:42 IST")


def test_a_reason_that_fits_next_to_a_short_clock_is_not_left_out() -> None:
    assert words(feeds.WAITING)[0].endswith("next try in 3.2 s: broker busy (HTTP 503)    09:27:42")


def test_how_a_lost_stream_will_end_is_never_left_out() -> None:
    for width in (40, 60, 80, 200):
        assert any("xit 5" in line for line in words(feeds.LOST, width=width)[:2])


@pytest.mark.parametrize(
    ("feed", "fact"),
    [
        (feeds.STANDING, "NSE has not moved since 13:04: a halt?"),
        (feeds.LOSING, "stdout's reader is 2.1 s behind"),
        (feeds.QUIET, "NSE and NFO closed, opens Mon 09:15"),
        (feeds.FOREIGN, "3 malformed and 12 foreign packets"),
    ],
)
def test_on_a_narrow_terminal_the_facts_have_a_line_of_their_own(
    feed: FeedSnapshot, fact: str
) -> None:
    assert words(feed, width=40)[1] == fact


def test_a_picture_that_is_held_says_so_and_since_when() -> None:
    held = replace(KEYS, is_held=True, held_s=72.0)
    assert words(feeds.LIVE, held)[0].endswith("held 1 min 12 s · 09:27:42 IST")
    assert "held 1 min 12 s" in words(feeds.LIVE, held, width=40)[0]


def test_of_a_tiny_terminal_the_verdict_is_all() -> None:
    for width, height in ((19, 24), (80, 4), (1, 1)):
        assert len(words(feeds.WAITING, KEYS, width, height)) == 1
    assert words(feeds.WAITING, KEYS, 19, 24)[0].startswith("◔ WAITING")


# --- the whole -----------------------------------------------------------------------------------


def test_a_running_stream_fills_its_screen_and_the_last_frame_is_as_short_as_it_can_be() -> None:
    assert len(words(feeds.LIVE)) == 23
    assert len(words(feeds.LOST)) == 17
    assert len(words(feeds.STOPPED, width=200, height=49)) == 13
    assert "q quit" not in "\n".join(words(feeds.LOST))


def test_keys_are_named_only_where_they_are_read() -> None:
    assert words(feeds.LIVE)[-1].startswith("q quit  ? help")
    assert not any("q quit" in line for line in words(feeds.LIVE, UNTOUCHED))
    assert len(words(feeds.LIVE, UNTOUCHED)) == 23


def test_the_chain_is_offered_where_there_is_one() -> None:
    assert "o chain" not in words(feeds.LIVE)[-1]
    chained = feeds.chained()
    assert "o chain" in words(chained)[-1]
    view = replace(KEYS, shows_chain=True)
    assert any("STRIKE" in line for line in words(chained, view))
    assert not any("STRIKE" in line for line in words(feeds.LIVE, view))


def test_several_chains_take_turns() -> None:
    two = replace(feeds.LIVE, chains=(feeds.chain(8), feeds.chain(8, name="BANKNIFTY chain 5")))
    for number, first in ((0, "NIFTY"), (1, "BANKNIFTY"), (2, "NIFTY"), (-1, "BANKNIFTY")):
        view = replace(KEYS, shows_chain=True, chain_number=number)
        assert words(two, view)[6].startswith(f"{first} 24,150.35")
    assert "→ BANKNIFTY chain 5" in words(two, replace(KEYS, shows_chain=True))[5]


def test_the_help_stands_where_the_table_was() -> None:
    shown = words(feeds.LIVE, replace(KEYS, shows_help=True))
    assert any(line.startswith("↑↓ ") for line in shown)
    assert not any("RELIANCE" in line for line in shown)
    assert shown[0].startswith("● LIVE")


def test_what_a_look_asks_for_is_what_it_shows() -> None:
    view = ViewState(True, 7, 0, 3, Sort.CHANGE, "nif", shows_chain=True)
    asked = selection_of(view, 80, 23)
    assert (asked.first, asked.sort, asked.text, asked.chain_offset) == (7, "change", "nif", 3)
    assert (asked.most, asked.chain_rows) == (9, 8)
    assert selection_of(KEYS, 80, 23).chain_rows == 0


@given(st.integers(20, 260), st.integers(5, 80), st.booleans())
def test_of_what_was_asked_for_nothing_is_hidden_and_no_half_screen_is_empty(
    width: int, height: int, has_keys: bool
) -> None:
    view = ViewState(has_keys=has_keys)
    most = selection_of(view, width, height).most
    feed = feeds.many(most)
    lines = words(feed, view, width, height)
    rows = [line for line in lines if "-EQ" in line or "…" in line]
    if most:
        has_status = width >= 40 and height >= (10 if width < 60 else 12)
        assert f"rows 1-{most} of 423" in "\n".join(lines) or not has_status
        assert sum(line.count("-EQ") for line in rows) >= most or width < 60
        assert len(lines) == height


@pytest.mark.parametrize(
    ("feed", "is_watched"),
    [
        (feeds.LIVE, False),
        (feeds.SILENT, True),
        (feeds.WAITING, True),
        (feeds.LOGGING_IN, True),
        (feeds.LOSING, False),
        (feeds.LOST, False),
    ],
    ids=["live", "silent", "waiting", "logging in", "losing", "lost"],
)
def test_seconds_matter_only_while_something_is_awaited(
    feed: FeedSnapshot, is_watched: bool
) -> None:
    assert is_counting_down(feed) is is_watched


# --- whatever happens, it fits ------------------------------------------------------------------

TEXT = st.text(max_size=40)
COUNT = st.integers(0, 10**15)
SECONDS = st.floats(0, 1e9)
MAYBE_SECONDS = st.none() | SECONDS
PHASE = st.sampled_from(Phase)
MOMENT = st.sampled_from([feeds.AT, datetime(2026, 11, 24, tzinfo=IST)])
PRICE = st.none() | st.decimals(-(10**12), 10**12, places=2)
CONNECTIONS = st.builds(
    ConnectionSnapshot,
    number=st.integers(1, 3),
    phase=PHASE,
    is_quiet=st.booleans(),
    instruments=COUNT,
    attempt=st.integers(0, 10**6),
    max_attempts=st.none() | st.integers(0, 10**6),
    delay_s=SECONDS,
    next_try_s=MAYBE_SECONDS,
    silence_s=SECONDS,
    reconnects=COUNT,
    blind_s=SECONDS,
    last_cause=TEXT,
    ticks=COUNT,
    episodes=COUNT,
)
INSTRUMENTS = st.builds(
    InstrumentSnapshot,
    exchange=TEXT,
    symbol=TEXT,
    token=TEXT,
    ltp=PRICE,
    change_percent=st.none() | st.floats(-1e9, 1e9),
    volume=st.none() | COUNT,
    ticks=COUNT,
    age_s=MAYBE_SECONDS,
    change=PRICE,
    bid=PRICE,
    ask=PRICE,
    open_interest=st.none() | COUNT,
    bid_quantity=st.none() | COUNT,
    ask_quantity=st.none() | COUNT,
    oi_change_percent=st.none() | st.floats(-1e5, 1e5),
    low=PRICE,
    high=PRICE,
    move=st.sampled_from([-1, 0, 1]),
)
STRIKES = st.builds(
    StrikeSnapshot,
    strike=st.decimals(1, 10**6, places=2),
    call=st.none() | INSTRUMENTS,
    put=st.none() | INSTRUMENTS,
)
CHAINS = st.builds(
    ChainSnapshot,
    name=TEXT,
    underlying=TEXT,
    expiry=TEXT | st.dates().map(str),
    spot=INSTRUMENTS,
    money=st.none() | st.decimals(1, 10**6, places=2),
    strikes=st.lists(STRIKES, max_size=5).map(tuple),
    first=st.integers(0, 100),
    strikes_total=st.integers(0, 500),
)
EVENTS = st.builds(
    LogEntry,
    at_ns=st.integers(0, 2 * 10**18),
    connection=st.integers(0, 3),
    event=st.builds(Lost, TEXT, TEXT, st.none() | st.integers(0, 9999)) | st.just(Connected()),
)
MARKETS = st.builds(
    MarketSnapshot,
    TEXT,
    st.sampled_from(MarketState),
    st.none() | MOMENT,
    closes_at=st.none() | MOMENT,
)
FEEDS = st.builds(
    FeedSnapshot,
    at=MOMENT,
    started_at=MOMENT,
    uptime_s=SECONDS,
    phase=PHASE,
    connections=st.lists(CONNECTIONS, max_size=3).map(tuple),
    ticks=COUNT,
    rate_now=SECONDS,
    rate_mean=SECONDS,
    rate_peak=SECONDS,
    rates=st.lists(SECONDS, max_size=60).map(tuple),
    silence_s=SECONDS,
    silence_after_s=st.floats(0.0, 1e6),
    reconnects=COUNT,
    blind_s=SECONDS,
    last_cause=TEXT,
    dropped=COUNT,
    malformed=COUNT,
    out_of_order=COUNT,
    duplicates=COUNT,
    buffered=COUNT,
    buffer_limit=COUNT,
    latency_p50_us=MAYBE_SECONDS,
    latency_p99_us=MAYBE_SECONDS,
    session_expires_at=st.none() | MOMENT,
    is_market_open=st.booleans(),
    market_opens_at=st.none() | MOMENT,
    instruments=st.lists(INSTRUMENTS, max_size=30).map(tuple),
    instruments_total=COUNT,
    never_ticked=COUNT,
    outputs=st.lists(st.builds(OutputSnapshot, TEXT, COUNT, COUNT, st.booleans()), max_size=6).map(
        tuple
    ),
    recent_dropped=COUNT,
    recent_foreign=COUNT,
    login_wait_s=MAYBE_SECONDS,
    market=st.lists(MARKETS, max_size=3).map(tuple),
    first_row=COUNT,
    matching=st.none() | COUNT,
    order=st.sampled_from(["typed", *Sort]),
    chains=st.lists(CHAINS, max_size=3).map(tuple),
    events=st.lists(EVENTS, max_size=9).map(tuple),
)
VIEWS = st.builds(
    ViewState,
    has_keys=st.booleans(),
    first_row=COUNT,
    chain_number=st.integers(-5, 5),
    sort=st.sampled_from(Sort),
    filter_text=TEXT,
    is_filtering=st.booleans(),
    is_held=st.booleans(),
    shows_help=st.booleans(),
    shows_chain=st.booleans(),
)


@pytest.mark.slow
@given(FEEDS, VIEWS, st.integers(1, 220), st.integers(0, 70))
def test_no_frame_is_larger_than_its_terminal(
    feed: FeedSnapshot, view: ViewState, width: int, height: int
) -> None:
    frame = render(feed, view, width=width, height=height)
    assert len(frame.lines) <= height
    assert max(frame.widths(), default=0) <= width
    assert all(text.isprintable() for text in frame.plain())
    if feed.phase not in FINAL and width >= 20 and height >= 5:
        assert len(frame.lines) == height


@given(FEEDS)
def test_the_verdict_and_the_figures_are_always_named(feed: FeedSnapshot) -> None:
    lines = words(feed)
    assert verdict_of(feed).word in lines[0]
    for title in ("TICKS/S", "SILENCE", "BACKOFF", "BLIND"):
        assert title in lines[2]


@given(st.integers(1, 3), st.integers(3, 9), st.floats(0, 50), st.floats(0, 3000))
def test_the_facts_can_be_read_back(
    attempt: int, most: int, next_try_s: float, blind_s: float
) -> None:
    facts = {"attempt": attempt, "max_attempts": most, "next_try_s": next_try_s}
    feed = feeds.with_connection(feeds.WAITING, **facts, delay_s=60.0, blind_s=blind_s)
    for width in (40, 80, 120, 200):
        shown = "\n".join(words(feed, width=width)).lower()
        assert f"attempt {attempt} of {most}" in shown
        assert f"next try in {next_try_s:.1f} s" in shown
        for word in ("waiting", "silence", "blind"):
            assert word in shown


# --- in few lines, for where it is one of several -------------------------------------------------


def test_the_compact_lines_show_state_silence_backoff_and_blind_seconds() -> None:
    well = Frame(tuple(compact_lines(feeds.LIVE, 80))).plain()
    assert well == [
        "● LIVE  4 instruments into out.csv, 6,201 rows           up 12:42 · 09:27:42 IST",
        "now      12 ticks/s · silence 0.2 s of 30 s · backoff none · blind 0.0 s",
        "         0 reconnects",
        "output   out.csv 6,201 rows, 941.2 kB",
    ]
    ailing = Frame(tuple(compact_lines(feeds.WAITING, 80, is_short=True))).plain()
    assert ailing[0].startswith("◔ WAITING  attempt 2 of 3, next try in 3.2 s")
    assert ailing[1].split(" · ") == [
        "now      silence not connected",
        "attempt 2 of 3",
        "blind 37.5 s",
        "0 reconnects",
    ]


def test_severity_is_one_word_for_the_whole() -> None:
    found = {name: severity_of(feed) for name, feed in VERDICTS.items()}
    assert {name for name, severity in found.items() if severity == "good"} == {
        *("live", "demo", "recovered", "snap")
    }
    assert {name for name, severity in found.items() if severity == "bad"} == {"losing", "lost"}


def test_a_held_screen_says_for_how_long_and_its_verdict_is_of_now() -> None:
    held = replace(KEYS, is_held=True, held_s=12.0)
    frame = render(feeds.LIVE, held, feeds.LOST, width=80, height=23)
    first, *rest = ("".join(span.text for span in line) for line in frame.lines)
    assert first.startswith("✕ LOST")
    assert "held 12.0 s" in first
    assert any("0.2 s of 30 s" in line for line in rest), "the figures are held"
