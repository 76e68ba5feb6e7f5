"""The dashboard: what it says in each state, and that it always fits.

The looks are kept under `snapshots/` as text. After a change that is meant:
`TICKS_UPDATE_SNAPSHOTS=1 pytest tests/cli/view/test_dashboard.py`, and read the difference.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import IST
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.market.evidence import MarketState
from ticks.adapter.snapshot import (
    ConnectionSnapshot,
    FeedSnapshot,
    InstrumentSnapshot,
    MarketSnapshot,
    OutputSnapshot,
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
from ticks.cli.view.view_state import UNTOUCHED

SNAPSHOTS = Path(__file__).parent / "snapshots"
LIVE_AT = datetime(2026, 11, 20, 9, 27, 42, 123_000, IST)
LOOKS = ["live", "partial", "losing", "silent", "waiting", "lost", "crowded"]
SIZES = [(80, 24), (40, 24), (120, 35), (200, 60)]


def words(snapshot: FeedSnapshot, width: int = 80, height: int = 24) -> str:
    return "\n".join(render(snapshot, width=width, height=height).plain())


def line(snapshot: FeedSnapshot, label: str) -> str:
    """The line that begins with `label`, without it."""
    return next(
        text.removeprefix(label).strip()
        for text in words(snapshot).splitlines()
        if text.startswith(label)
    )


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", LOOKS)
def test_a_look_is_the_one_that_was_designed(
    look: str, size: tuple[int, int], request: pytest.FixtureRequest
) -> None:
    file = SNAPSHOTS / f"{look}-{size[0]}x{size[1]}.txt"
    drawn = words(request.getfixturevalue(look), *size) + "\n"
    if os.environ.get("TICKS_UPDATE_SNAPSHOTS"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


def test_silence_counts_down_to_its_limit(silent: FeedSnapshot) -> None:
    assert line(silent, "silence").startswith("21.4 s of 30 s · 8.6 s left")
    over = replace(silent, silence_s=33.0)
    assert "reconnects at the next check" in line(over, "silence")


def test_silence_is_no_fault_while_the_market_is_closed(silent: FeedSnapshot) -> None:
    monday = datetime(2026, 11, 23, 9, 15, tzinfo=IST)
    closed = replace(silent, is_market_open=False, market_opens_at=monday, silence_s=400.0)
    assert line(closed, "silence") == "6 min 40 s of 30 s · no fault while the market is closed"
    assert severity_of(closed) == "calm"
    assert not is_counting_down(closed)


def test_a_wait_says_which_attempt_comes_when_and_why(waiting: FeedSnapshot) -> None:
    assert line(waiting, "backoff").startswith(
        "attempt 2 of 3 · next try in 3.2 s · delay 4.1 s  ━━━━"
    )
    assert line(waiting, "blind") == "37.5 s · 0 reconnects · last cause silence"


def test_attempts_without_a_limit_are_counted(waiting: FeedSnapshot) -> None:
    endless = replace(waiting, connections=(replace(waiting.connections[0], max_attempts=None),))
    assert line(endless, "backoff").startswith("attempt 2, no limit · next try")


def test_a_lost_feed_says_so_and_what_to_do(lost: FeedSnapshot) -> None:
    assert line(lost, "next") == "ticks health shows what is wrong"


def test_of_several_connections_each_has_its_line(crowded: FeedSnapshot) -> None:
    assert line(crowded, "feed 1").startswith("● live · silence 0.2 s · 1,000 instruments")
    assert line(crowded, "feed 3").startswith("◔ waiting · next try in 0.4 s · blind 0.6 s · 500")
    assert line(crowded, "backoff").startswith("feed 3 · attempt 1 of 3")


def test_attempts_and_losses_of_the_whole_run_stay_shown(live: FeedSnapshot) -> None:
    connection = replace(live.connections[0], attempts=7, episodes=3)
    assert line(live, "backoff") == "none"
    after = replace(live, connections=(connection,), attempts=7)
    assert line(after, "backoff") == "none · 7 attempts in 3 losses so far"
    assert "7 attempts in 3 losses so far" in "\n".join(
        Frame(tuple(compact_lines(after, 80, is_short=True))).plain()
    )


def test_rates_are_those_of_the_last_minute(live: FeedSnapshot) -> None:
    assert line(replace(live, rates=(10.0, 30.0)), "rate").startswith(
        "12/s · mean 20/s · peak 30/s · 6,204 ticks so far"
    )


def test_silence_is_measured_against_the_limit_that_counts(silent: FeedSnapshot) -> None:
    rare = MarketSnapshot("NSE", MarketState.EXPECTED, None, silence_limit_s=300.0)
    assert line(replace(silent, market=(rare,)), "silence").startswith("21.4 s of 300 s  ━")


def test_a_single_connection_is_not_named(live: FeedSnapshot) -> None:
    assert "feed 1" not in words(live)


def test_what_went_wrong_with_packets_is_named(live: FeedSnapshot) -> None:
    assert line(live, "buffer") == "3 of 100,000 · 0 dropped · 0 malformed"
    bad = replace(live, dropped=1_200, malformed=3, out_of_order=2, duplicates=1)
    assert (
        words(bad, width=120).count("1,200 dropped · 3 malformed · 2 out of order · 1 duplicate")
        == 1
    )


@pytest.mark.parametrize(
    ("expires_at", "said"),
    [
        (None, "not yet known"),
        (datetime(2026, 11, 20, 23, 59, tzinfo=IST), "until 23:59 · 14 h 31 min left"),
        (datetime(2026, 11, 20, 9, 20, tzinfo=IST), "expired 09:20"),
    ],
)
def test_the_session_says_how_long_it_lasts(
    live: FeedSnapshot, expires_at: datetime | None, said: str
) -> None:
    shown = line(replace(live, session_expires_at=expires_at), "session")
    assert shown == f"{said} · market open"


def test_a_stream_without_outputs_says_so(live: FeedSnapshot) -> None:
    assert line(replace(live, outputs=()), "output") == "this dashboard alone"


def test_of_a_long_path_the_end_is_shown(live: FeedSnapshot) -> None:
    output = OutputSnapshot("/srv/recordings/" + "deep/" * 20 + "2026-11-20.csv", 1, 100)
    shown = line(replace(live, outputs=(output,)), "output")
    assert shown.startswith("…")
    assert shown.endswith("deep/2026-11-20.csv · 1 row · 100 B")


@pytest.mark.parametrize(
    ("look", "is_watched"),
    [("live", False), ("silent", True), ("waiting", True), ("lost", False)],
)
def test_seconds_matter_only_while_something_is_awaited(
    look: str, is_watched: bool, request: pytest.FixtureRequest
) -> None:
    assert is_counting_down(request.getfixturevalue(look)) is is_watched


# --- whatever happens, it fits ------------------------------------------------------------------

TEXT = st.text(max_size=40)
COUNT = st.integers(0, 10**15)
SECONDS = st.floats(0, 1e9)
MAYBE_SECONDS = st.none() | SECONDS
PHASE = st.sampled_from(Phase)
MOMENT = st.sampled_from([LIVE_AT, datetime(2026, 11, 24, tzinfo=IST)])
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
)
INSTRUMENTS = st.builds(
    InstrumentSnapshot,
    exchange=TEXT,
    symbol=TEXT,
    token=TEXT,
    ltp=st.decimals(-(10**12), 10**12, places=2),
    change_percent=st.none() | st.floats(-1e9, 1e9),
    volume=st.none() | COUNT,
    ticks=COUNT,
    age_s=MAYBE_SECONDS,
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
    silence_after_s=st.floats(0.001, 1e6),
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
    outputs=st.lists(st.builds(OutputSnapshot, TEXT, COUNT, COUNT), max_size=6).map(tuple),
)


@pytest.mark.slow
@given(FEEDS, st.integers(1, 220), st.integers(0, 70))
def test_no_frame_is_larger_than_its_terminal(feed: FeedSnapshot, width: int, height: int) -> None:
    frame = render(feed, width=width, height=height)
    assert len(frame.lines) <= height
    assert max(frame.widths(), default=0) <= width
    assert all(text.isprintable() for text in frame.plain())


@given(FEEDS)
def test_the_verdict_and_the_figures_are_always_named(feed: FeedSnapshot) -> None:
    shown = words(feed)
    assert verdict_of(feed).word in shown.splitlines()[0]
    for label in ("rate", "silence", "backoff", "blind", "buffer", "latency", "session", "output"):
        assert f"\n{label} " in shown


@given(st.integers(1, 400), st.integers(1, 200))
def test_as_many_instruments_are_asked_for_as_could_be_shown(width: int, height: int) -> None:
    assert selection_of(UNTOUCHED, width, height).most >= height


def test_the_compact_lines_show_state_silence_backoff_and_blind_seconds(
    live: FeedSnapshot, waiting: FeedSnapshot
) -> None:
    well = Frame(tuple(compact_lines(live, 80))).plain()
    assert [text[:8].rstrip() for text in well] == ["● LIVE", "rate", "silence", "blind", "output"]
    ailing = Frame(tuple(compact_lines(waiting, 80, is_short=True))).plain()
    assert ailing[0].startswith("◔ WAITING  attempt 2 of 3, next try in 3.2 s")
    assert [text[:8].rstrip() for text in ailing[1:]] == ["backoff", "blind"]


def test_a_silence_limit_of_zero_is_drawn_too(live: FeedSnapshot) -> None:
    assert words(replace(live, silence_after_s=0.0))
