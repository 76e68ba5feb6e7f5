from __future__ import annotations

import json

from ticks.adapter.events import FeedEvent

AT_NS = 1_795_146_300_123_456_789
"""2026-11-20 09:15:00.123456789 IST."""


def test_an_event_is_one_json_line_with_its_time_in_india_first() -> None:
    event = FeedEvent(AT_NS, 2, "waiting", {"cause": "silence", "attempt": 1, "delay_s": 1.02})
    line = event.to_json()
    assert "\n" not in line
    assert list(json.loads(line).items()) == [
        ("at", "2026-11-20T09:15:00.123456+05:30"),
        ("connection", 2),
        ("event", "waiting"),
        ("cause", "silence"),
        ("attempt", 1),
        ("delay_s", 1.02),
    ]


def test_a_whole_second_keeps_its_microseconds() -> None:
    assert FeedEvent(1_795_146_300_000_000_000, 0, "summary").at == (
        "2026-11-20T09:15:00.000000+05:30"
    )


def test_a_line_break_in_a_fact_stays_inside_the_line() -> None:
    event = FeedEvent(AT_NS, 1, "lost", {"detail": "a\nb \u20b9"})
    assert "\n" not in event.to_json()
    assert json.loads(event.to_json())["detail"] == "a\nb \u20b9"


def test_an_event_in_words_names_its_facts() -> None:
    assert str(FeedEvent(AT_NS, 1, "quiet", {"silence_s": 30.0})) == "quiet silence_s=30.0"
    assert str(FeedEvent(AT_NS, 1, "stopped")) == "stopped"
