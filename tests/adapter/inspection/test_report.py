"""Sessions, gaps and coverage, from rows that are made to measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import pytest

from ticks.adapter.history import EventFacts, GapKind, History, history_of
from ticks.adapter.inspection import report as reports
from ticks.adapter.inspection.report import Damage, Evidence, Inspection, report
from ticks.adapter.inspection.tally import Tally
from ticks.adapter.intervals import Interval

from .made import DAY_S, SECOND_US, START_US, Row, csv_block

Spans = Callable[[str, date], Sequence[Interval]]
FRIDAY, HOUR_S = date(2026, 11, 20), 3600


def span(start_s: float, end_s: float) -> Interval:
    return START_US + round(start_s * SECOND_US), START_US + round(end_s * SECOND_US)


def weekdays(exchange: str, day: date) -> Sequence[Interval]:
    """NSE from the start for 6 h 15 min; MCX from a quarter of an hour earlier for 14 h 30 min."""
    if day.weekday() >= 5:
        return []
    at = (day - FRIDAY).days * DAY_S
    if exchange == "MCX":
        return [span(at - 900, at - 900 + 14.5 * HOUR_S)]
    return [span(at, at + 6.25 * HOUR_S)]


def reported(
    rows: Iterable[Row],
    *histories: History,
    max_gap_s: float = 30,
    spans_of: Spans | None = weekdays,
    damage: Sequence[Damage] = (),
) -> Inspection:
    max_gap_us = round(max_gap_s * SECOND_US)
    tally = Tally(lambda *_: [(0, 1 << 62)], least_gap_us=min(SECOND_US, max_gap_us))
    tally.take(csv_block(rows))
    tally.end()
    evidence = Evidence(
        files=("a.csv",),
        is_complete=True,
        damaged=len(damage),
        damage=tuple(damage),
        histories=histories,
        names=tuple("abc"[: len(histories)]),
        max_gap_us=max_gap_us,
    )
    return report(tally, evidence, spans_of)


def seconds(*bounds: float, step: float = 1) -> list[Row]:
    """Rows each second from the first bound to the second, from the third to the fourth, ..."""
    rows = []
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        rows += [Row(start + n * step) for n in range(int((end - start) / step) + 1)]
    return rows


def gaps(found: Inspection) -> list[tuple[float, float]]:
    return [
        ((gap.from_us - START_US) / SECOND_US, (gap.to_us - START_US) / SECOND_US)
        for gap in found.gaps
    ]


def history(*events: tuple[float, str, float]) -> History:
    """Events of one connection: seconds after the start, name, and the seconds that they tell."""
    return history_of(
        EventFacts(
            START_US + round(at * SECOND_US), 1, name, {"cause": "x", "blind_s": s, "silence_s": s}
        )
        for at, name, s in events
    )


# --- gaps -----------------------------------------------------------------------------------------


def test_a_recording_without_a_gap_has_none() -> None:
    found = reported(seconds(0, 600))
    assert (found.gaps, found.has_long_gap) == ((), False)
    assert found.longest_gap_us == SECOND_US


def test_a_gap_is_between_two_rows() -> None:
    found = reported(seconds(0, 100, 160, 300))
    assert gaps(found) == [(100, 160)]
    assert found.gaps[0].kind is GapKind.UNEXPLAINED
    assert found.has_long_gap
    assert found.longest_gap_us == 60 * SECOND_US


def test_a_gap_of_just_the_limit_is_not_too_long() -> None:
    rows = seconds(0, 100, 130, 300)
    assert not reported(rows).has_long_gap
    assert reported(rows, max_gap_s=29.999).has_long_gap


def test_an_explained_gap_is_too_long_all_the_same() -> None:
    blind = history((100, "lost", 0), (160, "recovered", 60))
    found = reported(seconds(0, 100, 160, 300), blind)
    assert [(gap.kind, gap.cause) for gap in found.gaps] == [(GapKind.BLIND, "x")]
    assert found.has_long_gap


def test_a_shorter_gap_is_listed_when_events_explain_it() -> None:
    rows = seconds(0, 100, 105, 300)
    assert gaps(reported(rows)) == []
    blind = history((100, "lost", 0), (105, "recovered", 5))
    found = reported(rows, blind)
    assert (gaps(found), found.has_long_gap) == ([(100, 105)], False)


def test_a_shorter_gap_is_listed_when_it_stands_out() -> None:
    assert gaps(reported(seconds(0, 100, 120, 300))) == [(100, 120)]
    assert gaps(reported(seconds(0, 100, 102, 300, step=0.1))) == [(100, 102)]
    assert gaps(reported(seconds(0, 100, 102, 300))) == []


def test_gaps_shorter_than_a_second_are_found_when_they_are_too_long() -> None:
    found = reported(seconds(0, 10, 10.5, 20, step=0.1), max_gap_s=0.25)
    assert gaps(found) == [(10, 10.5)]
    assert found.has_long_gap


@pytest.mark.parametrize("outside", [(-600, 0), (6.25 * HOUR_S, 7 * HOUR_S)])
def test_outside_of_sessions_there_is_no_gap(outside: tuple[float, float]) -> None:
    rows = sorted([*(Row(at) for at in outside), *seconds(0, 6.25 * HOUR_S, step=25)])
    assert not reported(rows).has_long_gap


def test_of_a_night_the_parts_in_sessions_are_gaps() -> None:
    close = 6.25 * HOUR_S
    found = reported([Row(close - 100), Row(3 * DAY_S + 50)])
    assert gaps(found) == [(close - 100, close), (3 * DAY_S, 3 * DAY_S + 50)]


def test_while_any_segment_trades_there_is_a_gap() -> None:
    evening = 10 * HOUR_S
    nse = seconds(0, 6.25 * HOUR_S, step=20)
    gold = [row._replace(exchange_type=5, token="77") for row in seconds(evening, evening + 60)]
    assert gaps(reported([*nse, *gold])) == [(6.25 * HOUR_S, evening)]


def test_before_the_first_row_and_after_the_last_there_is_no_gap() -> None:
    found = reported(seconds(HOUR_S, HOUR_S + 60))
    assert found.gaps == ()
    (session,) = found.sessions
    assert session.missing_before_us == HOUR_S * SECOND_US
    assert session.missing_after_us == (6.25 * HOUR_S - HOUR_S - 60) * SECOND_US


def test_only_so_many_gaps_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MOST_LISTED", 2)
    found = reported([Row(at) for at in (0, 40, 100, 150, 151)])
    assert (gaps(found), found.gaps_not_listed) == ([(40, 100), (100, 150)], 1)


# --- sessions -------------------------------------------------------------------------------------


def test_each_segment_is_covered_by_its_own_rows() -> None:
    gold = [Row(HOUR_S + n, exchange_type=5, token="77") for n in range(10)]
    found = reported(sorted([*seconds(0, 6.25 * HOUR_S, step=10), *gold]))
    covered = {each.exchange: each.covered for each in found.sessions}
    assert covered == {"NSE": span(0, 6.25 * HOUR_S), "MCX": span(HOUR_S, HOUR_S + 9)}


def test_a_session_in_which_a_segment_has_no_row_is_missing() -> None:
    found = reported([Row(0), Row(3 * DAY_S, exchange_type=5, token="77")])
    missing = [
        (each.exchange, each.missing_before_us == each.to_us - each.from_us)
        for each in found.sessions
    ]
    assert missing == [("MCX", True), ("NSE", False), ("MCX", False), ("NSE", True)]


def test_a_day_that_nobody_listed_is_a_session_where_its_rows_prove_a_market() -> None:
    saturday = [row._replace(at=row.at + DAY_S) for row in seconds(0, 100, 160, 300)]
    found = reported(saturday)
    assert gaps(found) == [(DAY_S + 100, DAY_S + 160)]
    assert [(each.is_listed, each.covered) for each in found.sessions] == [
        (False, span(DAY_S, DAY_S + 300))
    ]


def test_rows_at_night_are_a_session_of_their_own_when_no_other_is_recorded() -> None:
    night = [row._replace(at=row.at + 12 * HOUR_S) for row in seconds(0, 100, 160, 300)]
    assert gaps(reported(night)) == [(12 * HOUR_S + 100, 12 * HOUR_S + 160)]
    day_too = [*seconds(0, 6.25 * HOUR_S, step=20), *night]
    assert gaps(reported(day_too)) == []


def test_snapshots_of_yesterday_prove_no_market() -> None:
    saturday = [Row(DAY_S + n * 100, exchanged=n) for n in (0, 0, 0)]
    found = reported(saturday)
    assert (found.gaps, found.sessions) == ((), ())


def test_where_the_market_is_always_open_all_of_it_is_one_session() -> None:
    rows = [Row(0), Row(8 * HOUR_S), Row(DAY_S)]
    found = reported(rows, spans_of=None)
    assert gaps(found) == [(0, 8 * HOUR_S), (8 * HOUR_S, DAY_S)]
    assert [each.covered for each in found.sessions] == [span(0, DAY_S)]


# --- the rest -------------------------------------------------------------------------------------


def test_the_span_is_from_the_earliest_row_to_the_latest() -> None:
    found = reported([Row(50), Row(60), Row(0), Row(10)])
    assert (found.from_us, found.to_us) == span(0, 60)
    assert (found.rows, found.instruments, found.back_received) == (4, 1, 1)


def test_the_rate_is_by_the_minute_from_the_first_with_a_row_to_the_last() -> None:
    (rate,) = reported([Row(61), Row(62), Row(250)]).rates
    assert (rate.day, rate.first_minute, rate.rows) == (FRIDAY, 9 * 60 + 16, (2, 0, 0, 1))


def test_damage_is_passed_on() -> None:
    damage = Damage("a.csv", 3, "token is missing")
    assert reported([Row(0)], damage=[damage]).damage == (damage,)
