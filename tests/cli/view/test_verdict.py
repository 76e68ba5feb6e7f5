"""The first line tells the worst thing that is true."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.events import GaveUp, LogEntry, Lost
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.market.evidence import MarketState
from ticks.adapter.snapshot import FeedSnapshot, MarketSnapshot, OutputSnapshot
from ticks.cli.view.verdict import login_line, verdict_of

FRIDAY = datetime(2026, 11, 20, 9, 15, 4, tzinfo=IST)


def words_of(snapshot: FeedSnapshot) -> tuple[str, str, str]:
    verdict = verdict_of(snapshot)
    return verdict.severity, verdict.word, "".join((*verdict.fragments, verdict.end))


def test_what_is_well_is_green_and_says_how_much_went_where(live: FeedSnapshot) -> None:
    assert words_of(live) == ("good", "LIVE", "4 instruments into out.csv, 6,201 rows")
    two = replace(live, outputs=(*live.outputs, OutputSnapshot("b.jsonl", 1, 1)))
    assert words_of(two)[2] == "4 instruments into out.csv and 1 more output, 6,201 rows"
    assert words_of(replace(live, outputs=()))[2] == "4 instruments"
    assert words_of(replace(live, ticks=0))[2] == "4 instruments, no tick yet"


def test_a_demo_says_so_in_every_state(live: FeedSnapshot, losing: FeedSnapshot) -> None:
    assert words_of(replace(live, is_demo=True))[2].startswith("DEMO, 4 instruments")
    assert words_of(replace(losing, is_demo=True))[2].startswith("DEMO, stdout's reader is")


def test_ticks_that_are_being_lost_win_over_all_but_a_lost_feed(
    losing: FeedSnapshot, lost: FeedSnapshot
) -> None:
    words = "stdout's reader is 2.1 s behind, 93,015 dropped"
    assert words_of(losing) == ("bad", "LOSING TICKS", words)
    assert words_of(replace(losing, phase=Phase.WAITING))[1] == "LOSING TICKS"
    assert words_of(replace(lost, recent_dropped=5, dropped=5))[1] == "LOST"


def test_drops_that_are_over_leave_the_first_line(losing: FeedSnapshot) -> None:
    over = replace(losing, recent_dropped=0, buffered=0, behind_s=0.0)
    assert words_of(over)[:2] == ("good", "LIVE")


@pytest.mark.parametrize(
    ("buffered", "behind_s", "slow", "words"),
    [
        (63_000, 2.1, "stdout", "stdout's reader is 2.1 s behind, buffer 63% full"),
        (63_000, 0.1, "stdout", "buffer 63% full"),
        (3, 4.0, "day.csv", "day.csv is 4.0 s behind"),
    ],
)
def test_a_buffer_that_fills_is_a_warning_before_anything_is_lost(
    live: FeedSnapshot, buffered: int, behind_s: float, slow: str, words: str
) -> None:
    slowed = replace(live, buffered=buffered, behind_s=behind_s, slow_output=slow)
    assert words_of(slowed) == ("warn", "FALLING BEHIND", words)


def test_a_wait_says_which_attempt_when_and_why(waiting: FeedSnapshot) -> None:
    assert words_of(waiting) == (
        "warn",
        "WAITING",
        "attempt 2 of 3, next try in 3.2 s: broker busy (HTTP 503)",
    )
    for lost, reason in (
        (Lost("broker busy", "ws://127.0.0.1/ refused it", 503), "broker busy (HTTP 503)"),
        (Lost("429", "ws://127.0.0.1/ refused it", 429), "HTTP 429"),
        (Lost("closed by server", "going away", 1001), "closed by server (1001)"),
        (Lost("network", "the link broke: reset"), "network, the link broke: reset"),
        (Lost("silence"), "silence"),
    ):
        told = replace(waiting, events=(LogEntry(0, 1, lost),))
        assert words_of(told)[2].endswith(f"in 3.2 s: {reason}")
    under_way = replace(waiting.connections[0], phase=Phase.CONNECTING, next_try_s=None)
    trying = replace(waiting, phase=Phase.CONNECTING, connections=(under_way,))
    busy = "attempt 2 of 3 is under way: broker busy (HTTP 503)"
    assert words_of(trying) == ("warn", "CONNECTING", busy)


def test_of_several_connections_the_one_that_waits_is_named_with_its_reason(
    crowded: FeedSnapshot,
) -> None:
    history = (LogEntry(0, 3, Lost("network", "reset")), LogEntry(0, 1, Lost("silence", "no data")))
    words = "feed 3, attempt 1 of 3, next try in 0.4 s: network, reset"
    assert words_of(replace(crowded, events=history))[2] == words


def test_a_lost_feed_says_how_often_it_was_tried_why_and_how_it_ends(lost: FeedSnapshot) -> None:
    told = "3 attempts failed: network, connection refused. Exit 5"
    assert words_of(lost) == ("bad", "LOST", told)
    at_once = replace(lost, connections=(replace(lost.connections[0], attempt=0),))
    for cause, code in (("tokens refused", 3), ("session", 3), ("subscription refused", 4)):
        gave_up = GaveUp(cause, "the broker says no", attempts=0, blind_s=1.0)
        told = f"{cause}, the broker says no. Exit {code}"
        assert words_of(replace(at_once, events=(LogEntry(0, 1, gave_up),)))[2] == told
    assert words_of(replace(at_once, events=()))[2] == "silence. Exit 5"


def test_silence_counts_up_to_its_limit(silent: FeedSnapshot) -> None:
    assert words_of(silent) == ("warn", "SILENT", "21.4 s without a tick, reconnect at 30 s")
    assert (
        words_of(replace(silent, silence_s=33.0))[2] == "33.0 s without a tick, a reconnect is due"
    )
    assert words_of(replace(silent, silence_s=9.9))[1] == "LIVE"


def market(state: MarketState, exchange: str = "NSE", **more: float) -> MarketSnapshot:
    return MarketSnapshot(exchange, state, FRIDAY, **more)


def test_where_instruments_tick_rarely_silence_has_a_longer_limit(silent: FeedSnapshot) -> None:
    rare = replace(silent, market=(market(MarketState.EXPECTED, silence_limit_s=300.0),))
    assert words_of(rare)[1] == "LIVE"
    words = "1 min 45 s without a tick, reconnect at 5 min 0 s"
    assert words_of(replace(rare, silence_s=105.0))[2] == words


def test_a_login_counts_down_to_the_next_code(live: FeedSnapshot, waiting: FeedSnapshot) -> None:
    beside = replace(live, login_wait_s=26.4)
    assert words_of(beside) == ("warn", "RENEWING", "next TOTP code in 26 s")
    first = replace(waiting.connections[0], phase=Phase.CONNECTING, attempt=0, next_try_s=None)
    connecting = replace(waiting, phase=Phase.CONNECTING, connections=(first,))
    assert words_of(replace(connecting, login_wait_s=3.0))[1:] == (
        "LOGGING IN",
        "next TOTP code in 3 s",
    )


def test_a_login_before_the_stream_counts_down_in_a_line_of_its_own() -> None:
    assert login_line(25.7, 80).plain() == ["◌ LOGGING IN  next TOTP code in 26 s"]
    assert login_line(25.7, 20).widths() == [20]
    assert login_line(None, 80).plain() == []


def test_a_session_that_the_broker_ended_is_shown_while_it_is_renewed(
    waiting: FeedSnapshot,
) -> None:
    refused = replace(
        waiting.connections[0],
        phase=Phase.CONNECTING,
        attempt=0,
        next_try_s=None,
        last_cause="tokens refused",
    )
    ended = replace(waiting, phase=Phase.CONNECTING, connections=(refused,))
    assert words_of(ended) == ("warn", "LOGGING IN", "the broker ended the session")
    words = "next TOTP code in 9 s, the broker ended the session"
    assert words_of(replace(ended, login_wait_s=9.0))[2] == words


def test_the_first_connect_is_no_trouble(live: FeedSnapshot) -> None:
    first = replace(live.connections[0], phase=Phase.CONNECTING)
    connecting = replace(live, phase=Phase.CONNECTING, connections=(first,), ticks=0)
    assert words_of(connecting) == ("calm", "CONNECTING", "first attempt")
    assert words_of(replace(connecting, ticks=5))[2] == "asking the feed again"


def test_a_market_that_stands_still_is_shown_with_its_newest_time(silent: FeedSnapshot) -> None:
    stands = replace(silent, market=(market(MarketState.STANDING),), silence_s=400.0)
    words = "the feed answers, NSE has not moved since 09:15: a halt?"
    assert words_of(stands) == ("warn", "STANDING", words)
    holiday = replace(stands, at=FRIDAY.replace(day=24))
    assert words_of(holiday)[2].endswith("since Fri 09:15: a holiday?")


def test_a_market_that_stands_still_is_shown_when_another_moves(live: FeedSnapshot) -> None:
    both = (market(MarketState.LIVE), market(MarketState.STANDING, "NFO"))
    words = "the feed answers, NFO has not moved since 09:15; NSE moves"
    assert words_of(replace(live, market=both))[2] == words


def test_a_closed_market_is_calm_and_says_when_it_opens(silent: FeedSnapshot) -> None:
    monday = datetime(2026, 11, 23, 9, 15, tzinfo=IST)
    closed = replace(silent, is_market_open=False, market_opens_at=monday, silence_s=400.0)
    assert words_of(closed) == (
        "calm",
        "QUIET",
        "NSE and NFO closed, opens Mon 09:15 (in 2 d 23 h)",
    )
    resting = replace(closed, market=(market(MarketState.RESTING),))
    assert words_of(resting)[2].startswith("NSE closed, opens Mon")


def test_what_is_not_well_takes_the_green_from_a_live_feed(
    live: FeedSnapshot, partial: FeedSnapshot
) -> None:
    into = "; 6,201 rows into out.csv"
    assert words_of(partial) == ("warn", "LIVE", f"1 of 4 instruments has never ticked{into}")
    assert words_of(replace(partial, uptime_s=12.0))[0] == "good"  # it may yet
    worse = replace(partial, recent_malformed=12, recent_foreign=1)
    assert words_of(worse)[2] == (
        "12 malformed and 1 foreign packets in the last minute,"
        f" 1 of 4 instruments has never ticked{into}"
    )
    one = replace(live, recent_foreign=1, outputs=())
    assert words_of(one)[2] == "1 foreign packet in the last minute"
    expired = replace(live, session_expires_at=datetime(2026, 11, 20, 9, 20, tzinfo=IST))
    assert words_of(expired)[2] == f"the session expired 09:20{into}"


def test_an_output_whose_reader_left_keeps_its_place_in_words(live: FeedSnapshot) -> None:
    gone = replace(live, outputs=(OutputSnapshot("stdout", 10, 1_410, is_left=True), *live.outputs))
    told = "stdout's reader left; 6,201 rows into out.csv"
    assert words_of(gone) == ("warn", "LIVE", told)
    fifo = replace(live, outputs=(OutputSnapshot("my.fifo", 10, 1_410, is_left=True),))
    assert words_of(fifo)[2] == "the reader of my.fifo left"


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_verdict(live: FeedSnapshot, phase: Phase) -> None:
    assert verdict_of(replace(live, phase=phase, connections=())).fragments
