"""The events by which the evidence is told: `market`, `quiet`, `probe`, `recovered`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..instrument import exchange_name
from .calendar import Outlook
from .evidence import Answer, MarketState, SegmentEvidence

STANDS_WORDS = "the feed answers, the market stands"


class Note(NamedTuple):
    """An event to report, by name and facts."""

    name: str
    facts: dict[str, object]


def market_note(evidence: SegmentEvidence, outlook: Outlook) -> Note | None:
    """The new state of a segment, once a change.

    That a live segment pauses for longer than usual is no change yet: None.
    """
    state, told = evidence.state, evidence.told_state
    is_pause = told is MarketState.LIVE and state is MarketState.EXPECTED
    if state is None or state is told or is_pause:
        return None
    evidence.told_state = state
    by_packets = state in {MarketState.LIVE, MarketState.STANDING}
    facts = {
        **_exchange(evidence),
        "state": state.value,
        "by": "packets" if by_packets else "calendar",
        "newest": evidence.newest,
    }
    if state is MarketState.LIVE and not outlook.has_session:
        facts["session"] = "unlisted"
    return Note("market", facts)


def standing_note(evidence: SegmentEvidence, silence_s: float) -> Note:
    """The feed answers, and the segment does not move."""
    facts = {"silence_s": round(silence_s, 3), "newest": evidence.newest}
    return Note("quiet", {**_exchange(evidence), **facts, "detail": STANDS_WORDS})


def probe_note(evidence: SegmentEvidence, answer: Answer) -> Note:
    """What a probe has brought."""
    facts = {"answer": answer.value, "newest": evidence.newest}
    return Note("probe", {**_exchange(evidence), **facts})


def recovered_note(facts: Mapping[str, object], *, blind_s: float, uncertain_s: float) -> Note:
    """What was lost is back; `facts` are those of the cause."""
    told = {**facts, "blind_s": round(max(0.0, blind_s), 3)}
    if uncertain_s >= 0.001:
        told["uncertain_s"] = round(uncertain_s, 3)
    return Note("recovered", told)


def _exchange(evidence: SegmentEvidence) -> dict[str, object]:
    return {"exchange": exchange_name(evidence.segment.exchange_type)}
