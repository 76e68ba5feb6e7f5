"""Events: what programs read of them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

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
    Market,
    OutOfOrder,
    Probe,
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
    Unsubscribed,
    Waiting,
    read_event,
)

AT_NS = 1_795_146_300_123_456_789
"""2026-11-20 09:15:00.123456789 IST."""
MIDNIGHT = datetime(2026, 11, 21, tzinfo=IST)
SUMMARY = Summary(10, 1, 8.00049, 0, 1.23456, 0, 0, 0, 0, {"out.csv": 10})

JSON = [
    (Connected(2), '"connected","attempt":2'),
    (Subscribed("s1ltp", "ltp", 5), '"subscribed","request":"s1ltp","mode":"ltp","instruments":5'),
    (
        Unsubscribed("u1ltp", "ltp", 5),
        '"unsubscribed","request":"u1ltp","mode":"ltp","instruments":5',
    ),
    (FirstTick(0.12345), '"first_tick","seconds":0.123'),
    (Silent(30.00049), '"silent","silence_s":30.0'),
    (Quiet(30.0), '"quiet","silence_s":30.0'),
    (
        Quiet(30.0, MIDNIGHT, "the feed answers"),
        '"quiet","silence_s":30.0,"newest":"2026-11-21T00:00:00+05:30","detail":"the feed answers"',
    ),
    (Lost("network", "reset"), '"lost","cause":"network","detail":"reset"'),
    (
        Lost("closed by server", "kicked", 4001),
        '"lost","cause":"closed by server","detail":"kicked","code":4001',
    ),
    (
        Waiting("silence", "none", attempt=1, max_attempts=None, delay_s=1.0216),
        '"waiting","cause":"silence","detail":"none","attempt":1,"max_attempts":null,"delay_s":1.022',
    ),
    (
        Recovered("silence", "none", blind_s=31.5),
        '"recovered","cause":"silence","detail":"none","blind_s":31.5',
    ),
    (
        GaveUp("429", "many", 429, attempts=3, blind_s=7.0),
        '"gave_up","cause":"429","detail":"many","code":429,"attempts":3,"blind_s":7.0',
    ),
    (Renewed(MIDNIGHT), '"renewed","expires_at":"2026-11-21T00:00:00+05:30"'),
    (RenewalFailed("HTTP 503"), '"renewal_failed","detail":"HTTP 503"'),
    (Refused("E1001", "bad"), '"refused","code":"E1001","detail":"bad"'),
    (Refused("E1001", "bad", others=7), '"refused","code":"E1001","detail":"bad","others":7'),
    (
        Refused("E1002", "bad", "s1ltp", 5),
        '"refused","code":"E1002","detail":"bad","request":"s1ltp","instruments":5',
    ),
    (
        Malformed(3, {"length": 2, "mode": 1}),
        '"malformed","malformed":3,"malformed_length":2,"malformed_mode":1',
    ),
    (OutOfOrder(1, 2), '"out_of_order","out_of_order":1,"duplicates":2'),
    (Foreign(3), '"foreign","foreign":3'),
    (
        Market("MCX", "closed", "calendar"),
        '"market","exchange":"MCX","state":"closed","by":"calendar"',
    ),
    (Probe("stands", "NSE"), '"probe","answer":"stands","exchange":"NSE"'),
    (Stopped(0.0), '"stopped","blind_s":0.0'),
    (Added(("NSE:A", "NSE:B")), '"added","symbols":["NSE:A","NSE:B"]'),
    (Removed(("NSE:A",)), '"removed","symbols":["NSE:A"]'),
    (Dropped(7), '"dropped","dropped":7'),
    (Rotated("a.csv", 12, "b.csv"), '"rotated","finished":"a.csv","rows":12,"next":"b.csv"'),
    (ReaderLeft("stdout"), '"reader_left","output":"stdout"'),
    (ClockStep(-3600.0), '"clock_step","seconds":-3600.0'),
    (EventsDropped(4), '"events_dropped","events":4'),
    (
        SUMMARY,
        (
            '"summary","ticks":10,"instruments":1,"seconds":8.0,"reconnects":0,"blind_s":1.235,'
            '"dropped":0,"malformed":0,"out_of_order":0,"duplicates":0,"outputs":{"out.csv":10},'
            '"foreign":0,"uncertain_s":0.0,"names_skipped":0,"is_demo":false'
        ),
    ),
]


def test_every_event_is_in_the_table_below() -> None:
    assert {event.name for event, _ in JSON} == {kind.name for kind in FeedEvent.__subclasses__()}


@pytest.mark.parametrize(("event", "rest"), JSON)
def test_an_event_is_one_json_line_with_its_time_in_india_first(
    event: FeedEvent, rest: str
) -> None:
    head = '{"at":"2026-11-20T09:15:00.123456+05:30","connection":2,"event":'
    assert LogEntry(AT_NS, 2, event).to_json() == f"{head}{rest}}}"


@pytest.mark.parametrize("event", [event for event, _ in JSON if event is not SUMMARY])
def test_a_line_is_read_back_as_the_event(event: FeedEvent) -> None:
    entry = LogEntry(AT_NS // 1000 * 1000, 2, event)
    read = read_event(entry.to_json())
    assert read is not None
    assert read.to_json() == entry.to_json()
    assert type(read.event) is type(event)


def test_a_whole_second_keeps_its_microseconds() -> None:
    line = LogEntry(1_795_146_300_000_000_000, 0, Stopped()).to_json()
    assert '"2026-11-20T09:15:00.000000+05:30"' in line


def test_a_line_break_in_a_fact_stays_inside_the_line() -> None:
    line = LogEntry(AT_NS, 1, Lost("network", "a\nb \u20b9")).to_json()
    assert "\n" not in line
    assert json.loads(line)["detail"] == "a\nb \u20b9"


AT = '"at":"2026-11-20T09:15:00+05:30"'


@pytest.mark.parametrize(
    "line",
    [
        *("", "rubbish", "[1]", "{}", "3", '{"event":"lost"}', "[" * 100_000),
        '{"at":3,"event":"lost","cause":"x"}',
        '{"at":"2026-11-20T09:15:00","event":"lost","cause":"x"}',
        f'{{{AT},"event":"lost"}}',
        f'{{{AT},"event":["lost"]}}',
        f'{{{AT},"event":"lost","cause":"x","code":"one"}}',
        f'{{{AT},"event":"malformed","malformed":"many"}}',
        f'{{{AT},"connection":"one","event":"lost","cause":"x"}}',
    ],
)
def test_what_is_not_an_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (its caller words it)
        read_event(line)


def test_an_event_of_another_version_is_none_and_its_new_facts_are_ignored() -> None:
    assert read_event(f'{{{AT},"connection":1,"event":"moved_house"}}') is None
    entry = read_event(f'{{{AT},"connection":1,"event":"silent","silence_s":31,"mood":"bad"}}')
    assert entry is not None
    assert entry.event == Silent(31)
    assert entry.at - datetime(2026, 11, 20, 9, 15, tzinfo=IST) == timedelta(0)
