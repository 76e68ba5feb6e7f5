from __future__ import annotations

from datetime import datetime

from ticks.adapter import events
from ticks.adapter.clock import IST
from ticks.adapter.market.calendar import Outlook, Prior
from ticks.adapter.market.evidence import Answer, MarketState, SegmentEvidence
from ticks.adapter.market.evidence_events import market_event, probe_event, standing_event
from ticks.adapter.market.hours import NFO, Segment

LISTED = Outlook(Prior.OPEN, has_session=True)
UNLISTED = Outlook(Prior.SHUT)
NEWEST = datetime(2026, 12, 16, 9, 30, tzinfo=IST)


def evidence(state: MarketState) -> SegmentEvidence:
    made = SegmentEvidence(Segment(NFO), 0)
    made.state = state
    made.newest_ms = int(NEWEST.timestamp() * 1000)
    return made


def test_a_change_is_reported_once() -> None:
    segment = evidence(MarketState.LIVE)
    assert market_event(segment, LISTED) == events.Market("NFO", "live", "packets", NEWEST)
    assert market_event(segment, LISTED) is None


def test_a_pause_of_a_live_segment_is_no_change() -> None:
    segment = evidence(MarketState.LIVE)
    market_event(segment, LISTED)
    segment.state = MarketState.EXPECTED
    assert market_event(segment, LISTED) is None
    segment.state = MarketState.LIVE
    assert market_event(segment, LISTED) is None


def test_an_unlisted_session_is_called_so() -> None:
    event = market_event(evidence(MarketState.LIVE), UNLISTED)
    assert event is not None
    assert event.session == "unlisted"


def test_what_the_calendar_says_is_reported_as_the_calendar_s() -> None:
    for state in (MarketState.RESTING, MarketState.EXPECTED):
        event = market_event(evidence(state), LISTED)
        assert event is not None
        assert event.by == "calendar"


def test_standing_and_probes_name_the_newest_exchange_time() -> None:
    segment = evidence(MarketState.STANDING)
    words = "the feed answers, the market stands still"
    assert standing_event(segment, 35.5) == events.Quiet(35.5, NEWEST, words, "NFO")
    assert probe_event(segment, Answer.STANDS) == events.Probe("stands", "NFO", NEWEST)


def test_without_a_time_there_is_no_newest() -> None:
    assert SegmentEvidence(Segment(NFO), 0).newest is None
