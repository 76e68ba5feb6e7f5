from __future__ import annotations

from ticks.adapter.market.calendar import Outlook, Prior
from ticks.adapter.market.evidence import Answer, MarketState, SegmentEvidence
from ticks.adapter.market.hours import NFO, Segment
from ticks.adapter.market.told import (
    market_note,
    probe_note,
    recovered_note,
    standing_note,
)

LISTED = Outlook(Prior.OPEN, has_session=True)
UNLISTED = Outlook(Prior.SHUT)


def evidence(state: MarketState) -> SegmentEvidence:
    made = SegmentEvidence(Segment(NFO), 0)
    made.state = state
    made.newest_ms = 1_797_393_600_000
    return made


def test_a_change_is_told_once() -> None:
    segment = evidence(MarketState.LIVE)
    note = market_note(segment, LISTED)
    assert note is not None
    assert note.name == "market"
    assert note.facts == {
        "exchange": "NFO",
        "state": "live",
        "by": "packets",
        "newest": "2026-12-16T09:30:00+05:30",
    }
    assert market_note(segment, LISTED) is None


def test_a_pause_of_a_live_segment_is_no_change() -> None:
    segment = evidence(MarketState.LIVE)
    market_note(segment, LISTED)
    segment.state = MarketState.EXPECTED
    assert market_note(segment, LISTED) is None
    segment.state = MarketState.LIVE
    assert market_note(segment, LISTED) is None


def test_an_unlisted_session_is_called_so() -> None:
    note = market_note(evidence(MarketState.LIVE), UNLISTED)
    assert note is not None
    assert note.facts["session"] == "unlisted"


def test_what_the_calendar_says_is_told_as_the_calendar_s() -> None:
    for state in (MarketState.RESTING, MarketState.EXPECTED):
        note = market_note(evidence(state), LISTED)
        assert note is not None
        assert note.facts["by"] == "calendar"


def test_standing_and_probes_name_the_newest_exchange_time() -> None:
    segment = evidence(MarketState.STANDING)
    assert standing_note(segment, 35.5).facts == {
        "exchange": "NFO",
        "silence_s": 35.5,
        "newest": "2026-12-16T09:30:00+05:30",
        "detail": "the feed answers, the market stands",
    }
    assert probe_note(segment, Answer.STANDS).facts["answer"] == "stands"


def test_uncertain_seconds_are_told_where_there_are_any() -> None:
    assert recovered_note({"cause": "network"}, blind_s=2.0, uncertain_s=0).facts == {
        "cause": "network",
        "blind_s": 2.0,
    }
    assert recovered_note({}, blind_s=0, uncertain_s=60.0).facts["uncertain_s"] == 60.0


def test_without_a_time_there_is_no_newest() -> None:
    assert SegmentEvidence(Segment(NFO), 0).newest is None
