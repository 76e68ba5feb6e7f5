"""What the events of a stream explain, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.events import LogEntry, Lost, Quiet, Recovered
from ticks.adapter.history import (
    EventFacts,
    Explanation,
    GapKind,
    History,
    HistoryReader,
    blind_within,
    event_facts,
    explain,
    history_of,
    missed_within,
)
from ticks.adapter.intervals import Interval

TEN = datetime(2026, 11, 20, 10, tzinfo=IST)
SECOND_US = 1_000_000
MAX_GAP_US = 30 * SECOND_US
BLIND, QUIET, UNEXPLAINED = GapKind.BLIND, GapKind.QUIET, GapKind.UNEXPLAINED


def us(seconds: float) -> int:
    """Microseconds of a moment so many seconds after ten."""
    return round(TEN.timestamp()) * SECOND_US + round(seconds * SECOND_US)


def gap(start: float, end: float) -> Interval:
    return us(start), us(end)


Event = tuple[float, str, Mapping[str, object]]


def history(*events: Event) -> History:
    """The history in events, each with its seconds after ten; "on" is the connection."""
    lines = []
    for seconds, name, facts in events:
        at = (TEN + timedelta(seconds=seconds)).isoformat()
        connection = facts.get("on", 0 if name == "summary" else 1)
        lines.append({"at": at, "connection": connection, "event": name, **facts})
    return history_of(event_facts(str(line).replace("'", '"')) for line in lines)


def explained(span: Interval, *histories: History, most_open_us: int = MAX_GAP_US) -> Explanation:
    names = [f"{letter}.jsonl" for letter in "abc"[: len(histories)]]
    return explain(span, histories, most_open_us=most_open_us, names=names)


OUTAGE = (
    (0, "lost", {"cause": "network"}),
    (1, "connected", {"attempt": 1}),
    (60, "recovered", {"cause": "network", "blind_s": 62.0}),
)


def test_without_events_nothing_is_explained() -> None:
    assert explained(gap(0, 60)) == (UNEXPLAINED, None)


def test_a_gap_in_a_loss_is_blind_and_has_its_cause() -> None:
    assert explained(gap(-2, 60), history(*OUTAGE)) == (BLIND, "network")


def test_a_loss_begins_with_the_last_packet_before_it() -> None:
    seen = history(
        (30, "silent", {"silence_s": 30.0}),
        (30, "lost", {"cause": "silence"}),
        (35, "recovered", {"cause": "silence"}),
    )
    assert explained(gap(0, 35), seen, most_open_us=0) == (BLIND, "silence")
    counted = history((30, "lost", {"cause": "x"}), (35, "recovered", {"blind_s": 35}))
    assert explained(gap(0, 35), counted, most_open_us=0) == (BLIND, "x")


def test_a_recovery_without_a_loss_counts_by_its_seconds() -> None:
    probed = history((40, "recovered", {"cause": "silence", "blind_s": 40.0}))
    assert explained(gap(0, 40), probed) == (BLIND, "silence")


def test_the_link_was_up_so_nothing_explains_it() -> None:
    up = history((-900, "connected", {"attempt": 0}), (900, "stopped", {}), (900, "summary", {}))
    assert explained(gap(0, 60), up) == (UNEXPLAINED, None)
    assert explained(gap(100, 160), history(*OUTAGE)) == (UNEXPLAINED, None)


def test_a_loss_that_covers_little_of_a_gap_does_not_explain_it() -> None:
    found = explained(gap(-600, 60), history(*OUTAGE))
    assert found.kind is UNEXPLAINED
    assert found.cause == "blind for 62.0 s of it (network)"


def test_what_stays_open_may_be_no_gap_of_its_own() -> None:
    seen = history((0, "lost", {"cause": "network"}), (60, "recovered", {}))
    assert explained(gap(-29, 60), seen).kind is BLIND
    assert explained(gap(-31, 60), seen).kind is UNEXPLAINED
    assert explained(gap(-29, 60), seen, most_open_us=SECOND_US).kind is UNEXPLAINED


@pytest.mark.parametrize("end", ["gave_up", "stopped", "summary"])
def test_a_loss_that_never_ended_lasts_to_the_end_of_the_run(end: str) -> None:
    seen = history((0, "lost", {"cause": "network"}), (60, end, {}), (61, "summary", {}))
    assert explained(gap(0, 60), seen) == (BLIND, "network")
    assert explained(gap(100, 200), seen) == (UNEXPLAINED, "no stream was running")


def test_a_loss_at_the_end_of_a_file_is_open() -> None:
    assert explained(gap(0, 900), history((0, "lost", {"cause": "network"}))).kind is BLIND


def test_nothing_ran_between_two_runs() -> None:
    runs = history(
        (-600, "connected", {"attempt": 0}),
        (0, "summary", {}),
        (600, "connected", {"attempt": 0}),
    )
    assert explained(gap(0, 601), runs) == (UNEXPLAINED, "no stream was running")


def test_a_killed_stream_is_seen_by_its_next_connect() -> None:
    runs = history((-600, "connected", {"attempt": 0}), (600, "connected", {"attempt": 0}))
    found = explained(gap(0, 601), runs)
    assert found == (UNEXPLAINED, "connected again without a loss before it")


def test_a_quiet_event_explains_the_silence_that_it_reports() -> None:
    seen = history((30, "quiet", {"silence_s": 30.0, "detail": "the market stands"}))
    assert explained(gap(0, 900), seen) == (QUIET, "the market stands")
    assert explained(gap(1000, 1900), seen) == (UNEXPLAINED, None), "rows came in between"
    closed = history((30, "quiet", {"silence_s": 30.0}))
    assert explained(gap(0, 900), closed) == (QUIET, "the market is closed")


def test_quiet_ends_where_the_link_is_lost() -> None:
    seen = history(
        (30, "quiet", {"silence_s": 30.0}),
        (60, "lost", {"cause": "network"}),
        (600, "recovered", {"cause": "network", "blind_s": 540.0}),
    )
    assert explained(gap(0, 600), seen) == (BLIND, "network")


def test_a_halt_costs_nothing_when_the_events_say_so() -> None:
    halt = history(
        (30, "lost", {"cause": "silence"}),
        (35, "quiet", {"silence_s": 35.0, "detail": "the feed answers, the market stands"}),
        (2700, "recovered", {"cause": "silence", "blind_s": 0.0, "uncertain_s": 2665.0}),
    )
    assert explained(gap(0, 2700), halt).kind is QUIET


def test_connections_are_lost_by_themselves() -> None:
    both = history(
        (0, "lost", {"cause": "network", "on": 1}),
        (5, "lost", {"cause": "certificate", "on": 2}),
        (20, "recovered", {"cause": "network", "on": 1, "blind_s": 20}),
        (60, "recovered", {"cause": "certificate", "on": 2, "blind_s": 55}),
    )
    assert explained(gap(0, 60), both, most_open_us=0) == (BLIND, "network")


def test_blind_is_what_every_recorder_missed() -> None:
    other = history(
        (-900, "connected", {"attempt": 0}),
        (30, "lost", {"cause": "certificate"}),
        (90, "recovered", {"cause": "certificate", "blind_s": 60}),
    )
    assert blind_within(gap(-100, 200), [history(*OUTAGE), other]) == [gap(30, 60)]
    assert explained(gap(30, 60), history(*OUTAGE), other).kind is BLIND
    found = explained(gap(-2, 30), history(*OUTAGE), other)
    assert found == (UNEXPLAINED, "no loss in b.jsonl")
    assert explained(gap(0, 60), history(*OUTAGE), History()).kind is UNEXPLAINED


def test_a_recorder_that_did_not_run_saw_nothing() -> None:
    later = history((300, "connected", {"attempt": 0}), (900, "summary", {}))
    assert explained(gap(0, 60), history(*OUTAGE), later) == (BLIND, "network")
    yesterday = history((-86_400, "lost", {"cause": "x"}), (-86_300, "recovered", {}))
    assert explained(gap(0, 60), yesterday, history(*OUTAGE)) == (BLIND, "network")
    assert explained(gap(100, 160), later, yesterday) == (UNEXPLAINED, "no stream was running")


def test_quiet_in_one_recorder_is_quiet() -> None:
    quiet = history((30, "quiet", {"silence_s": 30.0}))
    assert explained(gap(0, 60), history(*OUTAGE), quiet).kind is QUIET


def test_drops_and_a_clock_that_was_set_are_named() -> None:
    seen = history((30, "dropped", {"dropped": 97}), (31, "clock_step", {"seconds": 60.0}))
    cause = explained(gap(0, 60), seen).cause
    assert cause is not None
    assert "97" in cause
    assert "set by 60.0 s" in cause


def test_events_of_this_program_are_read() -> None:
    log = [
        LogEntry(us(0) * 1000, 1, Lost("network", "reset by peer")),
        LogEntry(us(60) * 1000, 1, Recovered("network", blind_s=60.0)),
        LogEntry(us(130) * 1000, 1, Quiet(30.0)),
    ]
    seen = history_of(event_facts(entry.to_json()) for entry in log)
    assert explained(gap(0, 60), seen) == (BLIND, "network")
    assert explained(gap(100, 160), seen).kind is QUIET


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"1",
        b"\xff",
        b'{"at":"2026-11-20T10:00:00","event":"lost"}',
        b'{"at":"2026-11-20T10:00:00+05:30"}',
        b'{"at":"2026-11-20T10:00:00+05:30","event":5}',
        b'{"at":5,"event":"lost"}',
        b'{"at":"noon","event":"lost"}',
        b'{"at":"0001-01-01T00:00:00+05:30","event":"lost"}',
        b"[" * 100_000,
        b"received_at,exchange_time,exchange",
    ],
)
def test_what_is_not_an_event_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="not an event"):
        event_facts(line)


@pytest.mark.parametrize("blind_s", ['"x"', "NaN", "Infinity", "-5", "1e300", "[]", "null"])
def test_facts_that_make_no_sense_are_none(blind_s: str) -> None:
    line = '{"at":"2026-11-20T10:00:00+05:30","event":"lost","cause":5,"blind_s":'
    event = event_facts(f"{line}{blind_s}}}")
    assert (event.text("cause"), event.seconds_us("blind_s"), event.connection) == ("", 0, 0)


@pytest.mark.parametrize(("counted", "missed"), [(12.0, (88, 100)), (4.0, (90, 94)), (0.0, None)])
def test_no_more_is_missed_than_the_stream_counted(
    counted: float, missed: tuple[float, float] | None
) -> None:
    given = history((90, "lost", {}), (100, "recovered", {"blind_s": counted}))
    expected = [] if missed is None else [gap(*missed)]
    assert missed_within(gap(0, 200), [given]) == expected


def test_a_loss_that_nothing_ended_is_missed_whole() -> None:
    given = history((90, "lost", {}))
    assert missed_within(gap(0, 200), [given]) == [gap(90, 200)]


def test_what_ended_before_is_forgotten_and_what_is_open_is_not() -> None:
    reader = HistoryReader()
    for at, connection, name in [
        (10, 1, "lost"),
        (15, 2, "lost"),
        (20, 1, "recovered"),
        (30, 1, "quiet"),
        (80, 1, "lost"),
        (90, 1, "recovered"),
    ]:
        reader.take(EventFacts(us(at), connection, name, {}))
    reader.forget(us(85))
    spans = [loss.span for loss in reader.history().losses]
    assert gap(80, 90) in spans
    assert gap(10, 20) not in spans
    assert reader.history().quiets == []
    assert missed_within(gap(100, 110), [reader.history()]) == [gap(100, 110)]
    reader.take(EventFacts(us(105), 2, "recovered", {}))
    assert missed_within(gap(100, 110), [reader.history()]) == [gap(100, 105)]
