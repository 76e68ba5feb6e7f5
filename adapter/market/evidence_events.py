"""The events that report the evidence: `market`, `quiet`, `probe`."""

from __future__ import annotations

from .. import events
from ..instrument import exchange_name
from .calendar import Outlook
from .evidence import Answer, MarketState, SegmentEvidence

STANDS_WORDS = "the feed answers, the market stands still"


def market_event(evidence: SegmentEvidence, outlook: Outlook) -> events.Market | None:
    """The new state of a segment, once a change.

    That a live segment pauses for longer than usual is no change yet: None. A session is unlisted
    where the calendar knows the day and has no session in it.
    """
    state, reported = evidence.state, evidence.reported_state
    is_pause = reported is MarketState.LIVE and state is MarketState.EXPECTED
    if state is None or state is reported or is_pause:
        return None
    evidence.reported_state = state
    is_listed = outlook.has_session or not outlook.is_known
    return events.Market(
        exchange_name(evidence.segment.exchange_type),
        state.value,
        "packets" if state in {MarketState.LIVE, MarketState.STANDING} else "calendar",
        evidence.newest,
        "unlisted" if state is MarketState.LIVE and not is_listed else None,
    )


def standing_event(evidence: SegmentEvidence, silence_s: float) -> events.Quiet:
    """The feed answers, and the segment does not move."""
    exchange = exchange_name(evidence.segment.exchange_type)
    return events.Quiet(silence_s, evidence.newest, STANDS_WORDS, exchange)


def probe_event(evidence: SegmentEvidence, answer: Answer) -> events.Probe:
    """What a probe has shown."""
    exchange = exchange_name(evidence.segment.exchange_type)
    return events.Probe(answer.value, exchange, evidence.newest)
