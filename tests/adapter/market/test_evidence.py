"""Which packets are live, and how long a segment may be silent."""

from __future__ import annotations

import pytest

from ticks.adapter.market.clock import AHEAD_MS
from ticks.adapter.market.evidence import SegmentEvidence, UnitTimes
from ticks.adapter.market.hours import NSE, Segment

NOW_MS = 1_800_000_000_000


def asked(now_s: float = 100.0) -> tuple[SegmentEvidence, UnitTimes]:
    evidence = SegmentEvidence(Segment(NSE), now_s)
    unit = UnitTimes(evidence)
    evidence.units_wanted = 1
    evidence.ask(now_s)
    return evidence, unit


def take(evidence: SegmentEvidence, unit: UnitTimes, *offsets_s: float, now_s: float = 100) -> str:
    """What a packet of each of these times (seconds from the market's now) is: the last's sort."""
    sort = ""
    for offset_s in offsets_s:
        exchange_ms, limit_ms = NOW_MS + round(offset_s * 1000), NOW_MS + AHEAD_MS
        if exchange_ms > unit.exchange_ms:  # the tracker's comparison
            if unit.exchange_ms and exchange_ms <= limit_ms:
                unit.exchange_ms = evidence.live_ms = exchange_ms
            else:
                evidence.judge(unit, exchange_ms, now_s, limit_ms)
        unit.at_s, unit.ticks = now_s, unit.ticks + 1
        marks = evidence.take_marks()
        names = ("live_ms", "ahead_ms", "fresh_ms", "first_ms")
        sort = next((name for name in names if getattr(marks, name)), "nothing")
    return sort


def test_a_later_exchange_time_is_live_whatever_the_clock_says() -> None:
    assert take(*asked(), -86_400, -86_399) == "live_ms"


def test_a_repeated_or_earlier_time_is_no_evidence() -> None:
    assert take(*asked(), 0, 0) == "nothing"
    assert take(*asked(), 0, -5) == "nothing"


@pytest.mark.parametrize(
    ("age_s", "sort"), [(0, "fresh_ms"), (120, "fresh_ms"), (-60, "fresh_ms"), (121, "first_ms")]
)
def test_a_first_packet_is_live_if_it_is_of_the_last_two_minutes(age_s: float, sort: str) -> None:
    assert take(*asked(), -age_s) == sort


def test_a_first_packet_that_the_run_knows_already_is_a_snapshot() -> None:
    evidence, unit = asked()
    take(evidence, unit, -10, -5)
    evidence.ask(101)
    assert take(evidence, unit, -5) == "first_ms"
    evidence.ask(102)
    assert take(evidence, unit, -4) == "fresh_ms"


def test_time_zero_is_no_time() -> None:
    evidence, unit = asked()
    assert take(evidence, unit, -NOW_MS / 1000) == "nothing"
    assert take(evidence, unit, 0) == "fresh_ms"


def test_one_packet_dated_an_hour_ahead_deafens_nobody() -> None:
    evidence, unit = asked()
    take(evidence, unit, 0, 1)
    assert take(evidence, unit, 3600) == "nothing"
    assert take(evidence, unit, 2) == "live_ms"


def test_a_time_ahead_is_believed_once_the_next_packet_goes_on_from_it() -> None:
    evidence, unit = asked()
    assert take(evidence, unit, 3600, 3601) == "ahead_ms"
    assert take(evidence, unit, 3602) == "ahead_ms"


def test_two_wild_times_do_not_go_on_from_each_other() -> None:
    assert take(*asked(), 0, 3600, 7200) == "nothing"


def test_a_time_that_no_calendar_holds_is_never_believed() -> None:
    assert take(*asked(), 1e12, 1e12 + 1) == "nothing"


def test_a_segment_of_few_units_is_given_three_times_its_longest_gap() -> None:
    evidence, _ = asked(0)
    for at_s in (1, 60, 160, 200):
        evidence.tick(at_s, 30, 5)
    assert evidence.patience_s(210, 30, 0) == 300
    assert evidence.patience_s(210, 400, 0) == 400


def test_what_passed_before_the_opening_is_no_gap() -> None:
    evidence, _ = asked(0)
    evidence.tick(1, 30, 5)
    evidence.tick(421, 30, 5)
    assert evidence.patience_s(430, 30, 420) == 30


def test_gaps_are_forgotten_after_half_an_hour_and_patience_has_a_limit() -> None:
    evidence, _ = asked(0)
    evidence.tick(600, 30, 5)
    assert evidence.patience_s(610, 30, 0) == 900
    assert evidence.patience_s(600 + 1801, 30, 0) == 30


def test_units_that_tick_every_minute_earn_no_patience() -> None:
    evidence, unit = asked(0)
    evidence.units_wanted = 3
    evidence.tick(100, 30, 5)
    unit.moves = 5
    assert evidence.patience_s(120, 30, 0) == 30
    assert evidence.patience_s(600, 30, 0) == 300


@pytest.mark.parametrize(
    ("paused_s", "moves", "is_proven", "patience_s"),
    [
        (45, 4, True, 135),  # 155 s, a tick every 39 s
        (45, 10, True, 135),  # every 15.5 s
        (45, 11, True, 30),  # more often: that was no pause
        (45, 4, False, 30),
        (2700, 2000, True, 30),  # a halt
    ],
)
def test_a_lively_segment_is_given_time_once_a_reconnect_has_shown_that_it_only_paused(
    paused_s: int, moves: int, is_proven: bool, patience_s: int
) -> None:
    evidence, unit = asked(0)
    evidence.units_wanted, unit.moves = 3, moves
    evidence.tick(100, 30, 5)
    if is_proven:
        evidence.ask(120)
    evidence.tick(100 + paused_s, 30, 5)
    assert evidence.patience_s(110 + paused_s, 30, 0) == patience_s


def test_what_lay_before_the_first_live_packet_is_no_pause_of_a_lively_segment() -> None:
    evidence, unit = asked(0)
    evidence.units_wanted, unit.moves = 3, 2
    evidence.ask(20)
    evidence.tick(40, 30, 5)
    assert evidence.patience_s(50, 30, 0) == 30


def test_units_that_stood_earn_patience_until_they_tick_every_minute_again() -> None:
    evidence, unit = asked(0)
    evidence.units_wanted = 3
    evidence.tick(100, 30, 5)
    unit.moves = 5
    evidence.count_pace_anew(240)
    assert evidence.patience_s(250, 30, 0) == 300
    unit.moves = 2
    assert evidence.patience_s(359, 30, 0) == 30
    assert evidence.patience_s(361, 30, 0) == 300


def test_a_fault_ends_on_a_link_that_has_ticked_for_a_while() -> None:
    evidence, _ = asked(0)
    evidence.is_faulted = True
    evidence.tick(1, 30, 5)
    assert evidence.is_faulted
    evidence.tick(5, 30, 5)
    assert not evidence.is_faulted
