"""Events in words: one short line for each change of state, the phase first."""

from __future__ import annotations

import pytest

from ticks.cli.view.event_text import event_text

WHY = {"cause": "silence", "detail": "no data for 30.1 s"}


@pytest.mark.parametrize(
    ("event", "facts", "words"),
    [
        (
            "waiting",
            {**WHY, "attempt": 2, "max_attempts": 3, "delay_s": 2.13},
            "waiting: attempt 2 of 3 in 2.1 s · silence: no data for 30.1 s",
        ),
        (
            "waiting",
            {**WHY, "attempt": 12, "max_attempts": None, "delay_s": 61.2},
            "waiting: attempt 12 in 1 min 1 s · silence: no data for 30.1 s",
        ),
        ("connected", {"attempt": 2}, "live: connected at attempt 2"),
        ("recovered", {**WHY, "blind_s": 31.21}, "live: ticks are back · blind 31.2 s"),
        (
            "gave_up",
            {**WHY, "attempts": 3, "blind_s": 61.8},
            "lost: gave up after 3 attempts · silence: no data for 30.1 s · blind 1 min 2 s",
        ),
        (
            "gave_up",
            {"cause": "certificate", "detail": "expired", "attempts": 0, "blind_s": 0.0},
            "lost: gave up · certificate: expired · blind 0.0 s",
        ),
        ("quiet", {"silence_s": 30.0}, "live: silence for 30.0 s, but the market is closed"),
        (
            "refused",
            {"request": "ticks2", "code": "E1002", "detail": "Invalid Request"},
            "refused: request ticks2 · E1002 Invalid Request",
        ),
        (
            "renewal_failed",
            {"detail": "HTTP 503"},
            "the session could not be renewed, the old one is tried · HTTP 503",
        ),
        ("dropped", {"dropped": 1}, "1 tick dropped so far: the output is too slow"),
        (
            "rotated",
            {"finished": "a.csv", "rows": 1200, "next": "b.csv"},
            "a.csv is complete (1,200 rows), now b.csv",
        ),
    ],
)
def test_a_change_is_told_in_one_line(event: str, facts: dict[str, object], words: str) -> None:
    assert event_text(event, facts) == words


@pytest.mark.parametrize("event", ["subscribed", "first_tick", "silent", "lost", "stopped"])
def test_what_another_line_says_is_not_told_twice(event: str) -> None:
    assert event_text(event, WHY) is None


def test_the_first_connect_is_no_news() -> None:
    assert event_text("connected", {"attempt": 0}) is None


def test_words_of_the_server_cannot_move_the_cursor() -> None:
    said = event_text("refused", {"code": "E1", "detail": "\x1b[2J\r\n"})
    assert said is not None
    assert said.isprintable()


@pytest.mark.parametrize(
    "event", ["waiting", "recovered", "gave_up", "quiet", "dropped", "refused"]
)
def test_missing_facts_still_make_a_line(event: str) -> None:
    assert event_text(event, {})
