"""Events in words: one short line for each change of state, the phase first."""

from __future__ import annotations

from datetime import datetime

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.events import (
    Added,
    ClockStep,
    Connected,
    Dropped,
    EventsDropped,
    FeedEvent,
    FirstTick,
    Foreign,
    GaveUp,
    LogEntry,
    Lost,
    Malformed,
    OutOfOrder,
    Quiet,
    ReaderLeft,
    Recovered,
    Refused,
    Removed,
    RenewalFailed,
    Renewed,
    Rotated,
    Silent,
    Stopped,
    Subscribed,
    Summary,
    Waiting,
)
from ticks.cli.view.event_text import event_line, event_text

SATURDAY = datetime(2026, 11, 21, tzinfo=IST)
WHY = ("silence", "no data for 30.1 s")
AT_NS = 1_795_146_300_123_456_789
"""2026-11-20 09:15:00.123456789 IST."""


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            Waiting(*WHY, attempt=2, max_attempts=3, delay_s=2.13),
            "waiting: attempt 2 of 3 in 2.1 s · silence: no data for 30.1 s",
        ),
        (
            Waiting(*WHY, attempt=12, max_attempts=None, delay_s=61.2),
            "waiting: attempt 12 in 1 min 1 s · silence: no data for 30.1 s",
        ),
        (Connected(2), "live: connected at attempt 2"),
        (Recovered(*WHY, blind_s=31.21), "live: ticks are back · blind 31.2 s"),
        (
            GaveUp(*WHY, attempts=3, blind_s=61.8),
            "lost: gave up after 3 attempts · silence: no data for 30.1 s · blind 1 min 2 s",
        ),
        (
            GaveUp("certificate", "expired", attempts=0, blind_s=0.0),
            "lost: gave up · certificate: expired · blind 0.0 s",
        ),
        (Quiet(30.0), "live: silence for 30.0 s, but the market is closed"),
        (
            Quiet(30.0, detail="the feed answers, the market stands still"),
            "live: silence for 30.0 s, the feed answers, the market stands still",
        ),
        (
            Refused("E1002", "Invalid Request", "ticks2", 5),
            "refused: request ticks2 · E1002 Invalid Request",
        ),
        (Refused("E1001", ""), "refused: a request · E1001"),
        (
            Refused("E1001", "bad", others=2_980),
            "refused: a request · E1001 bad · and 2,980 more within a second",
        ),
        (
            RenewalFailed("HTTP 503"),
            "the session could not be renewed, the old one is tried · HTTP 503",
        ),
        (Dropped(1), "1 tick dropped so far: the output is too slow"),
        (Rotated("a.csv", 1200, "b.csv"), "a.csv is complete (1,200 rows), now b.csv"),
        (ReaderLeft("stdout"), "the reader of stdout left; the other outputs go on"),
        (
            Malformed(9, {"length": 8, "mode": 1}),
            "9 malformed packets so far (8 by length, 1 by mode)",
        ),
        (Foreign(1), "1 foreign packet so far: nothing subscribed to them"),
        (OutOfOrder(3, 1), "3 out of order, 1 duplicate so far"),
        (ClockStep(-3600.2), "this machine's clock was set back by 1 h 0 min"),
        (ClockStep(2.5), "this machine's clock was set forward by 2.5 s"),
        (Added(("NSE:A", "NSE:B")), "added NSE:A, NSE:B"),
        (Added(tuple("ABCDEF")), "added 6 instruments: A, B, C, D and 2 more"),
        (Removed(("NSE:A",)), "removed NSE:A"),
        (EventsDropped(2), "2 events of this history could not be kept"),
    ],
)
def test_a_change_is_one_line(event: FeedEvent, text: str) -> None:
    assert event_text(event) == text


@pytest.mark.parametrize(
    "event",
    [Subscribed("s1ltp", "ltp", 1), FirstTick(1.0), Silent(31.0), Lost(*WHY), Stopped(0.0)],
    ids=lambda event: event.name,
)
def test_what_another_line_says_is_not_said_twice(event: FeedEvent) -> None:
    assert event_text(event) is None
    assert event_line(LogEntry(AT_NS, 1, event)) is None


def test_the_first_connect_changes_nothing() -> None:
    assert event_text(Connected(0)) is None


def test_words_of_the_server_cannot_move_the_cursor() -> None:
    hostile = LogEntry(AT_NS, 1, Refused("E1", "\x1b[2J\r\n"))
    for line in (event_text(hostile.event), event_line(hostile, is_verbose=True)):
        assert line is not None
        assert line.isprintable()


def test_a_line_has_its_time_and_where_there_are_several_its_stream_and_feed() -> None:
    entry = LogEntry(AT_NS, 2, Connected(1))
    text = "live: connected at attempt 1"
    assert event_line(entry) == f"09:15:00 {text}"
    assert event_line(entry, is_one_of_several=True) == f"09:15:00 feed 2 {text}"
    assert (
        event_line(entry, stream="stream 7", is_one_of_several=True)
        == f"09:15:00 stream 7 feed 2 {text}"
    )
    whole = LogEntry(AT_NS, 0, Dropped(3))
    assert event_line(whole, is_one_of_several=True) == (
        "09:15:00 3 ticks dropped so far: the output is too slow"
    )


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Renewed(SATURDAY), "the session is renewed until Sat 21 Nov 00:00"),
        (Subscribed("s1ltp", "ltp", 2), "subscribed to 2 instruments in ltp (request s1ltp)"),
        (FirstTick(0.4), "first tick after 0.4 s"),
        (Silent(31.0), "silent for 31.0 s"),
        (Lost(*WHY), "the link is lost: silence: no data for 30.1 s"),
        (Connected(0), "connected"),
        (Stopped(1.5), "stopped, blind 1.5 s"),
        (Dropped(1), "1 tick dropped so far: the output is too slow"),
    ],
)
def test_verbose_gives_every_event_a_line_of_the_same_form(event: FeedEvent, text: str) -> None:
    line = event_line(LogEntry(AT_NS, 1, event), is_one_of_several=True, is_verbose=True)
    assert line == f"09:15:00 feed 1 {text}"


def test_the_summary_is_no_event_for_a_person() -> None:
    assert event_text(Summary(1, 1, 1.0, 0, 0.0, 0, 0, 0, 0, {}), is_verbose=True) is None
