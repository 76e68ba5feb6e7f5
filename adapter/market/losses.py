"""What the losses of one connection cost: its segments' blind spans, kept and summed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from .. import events
from .blind import Account, Interval, Span, counted, length_s
from .calendar import MarketCalendar, Outlook, Prior
from .evidence import MarketState, SegmentEvidence

RECENT_S = 120.0
"""How long after its last live packet the loss of a resting segment's link still costs ticks."""
_LEAST_TOLD_S = 0.001
UNLISTED_S = 900.0
"""How long after its last live packet an unlisted session is believed to go on."""


class Reason(NamedTuple):
    """Why a link is gone, as the events give it: label, message, and close code or HTTP status."""

    cause: str
    detail: str = ""
    code: int | None = None


class _Outage(NamedTuple):
    """What was lost and is not back yet: why, and the seconds counted before."""

    reason: Reason
    blind_s: float
    uncertain_s: float


class Losses:
    """The spans of `segments()`, those that the connection carries now."""

    def __init__(
        self, calendar: MarketCalendar, segments: Callable[[], list[SegmentEvidence]]
    ) -> None:
        self.market_of_zero_ms = 0.0
        """The market's time at 0 of the monotonic clock."""
        self._calendar = calendar
        self._segments = segments
        self._account = Account()
        self._outage: _Outage | None = None
        self._probe_reason = Reason("silence")

    # --- spans ---

    def begin_outage(self, reason: Reason, now_s: float) -> None:
        """A loss that the recovery will report; only the first of several counts."""
        if self._outage is None:
            self._outage = _Outage(reason, self.blind_s(now_s), self.uncertain_s(now_s))

    def begin_probe(self, reason: Reason, now_s: float) -> None:
        """A link given up to ask again: a loss if a segment ticks on it, or the answer says so."""
        self._probe_reason = reason
        if any(self._real()):
            self.begin_outage(reason, now_s)

    def begin(
        self, evidence: SegmentEvidence, outlook: Outlook, now_s: float, *, is_tentative: bool
    ) -> None:
        """A segment's link is gone."""
        if evidence.span is not None:
            evidence.span.is_tentative &= is_tentative
            return
        start_s = max(evidence.last_packet_s, evidence.seen_s)
        lost_ms = round(self.ms_at(now_s))
        tail_ms = None
        is_recent = evidence.state is MarketState.LIVE or now_s - evidence.live_s <= RECENT_S
        if outlook.prior is not Prior.OPEN and is_recent:
            ends_ms = outlook.ends_ms if outlook.has_session else None
            tail_ms = min(ends_ms or math.inf, lost_ms + UNLISTED_S * 1000)
        reference_ms = evidence.newest_ms or round(self.ms_at(start_s))
        evidence.span = Span(
            start_s,
            reference_ms,
            lost_ms,
            is_tentative,
            tail_ms=tail_ms,
            closes_ms=outlook.closes_ms,
            ends_ms=outlook.ends_ms,
        )

    def close(
        self,
        evidence: SegmentEvidence,
        now_s: float,
        *,
        after_ms: int | None = None,
        is_live: bool = False,
    ) -> float:
        """The span of a segment is over: something moved again, or nothing could.

        Returns how many seconds of it count.
        """
        span, evidence.span, evidence.seen_s = evidence.span, None, now_s
        if span is None:
            return 0.0
        blind = self._counted(evidence, span, now_s, after_ms=after_ms, is_live=is_live)
        if span.is_tentative and blind:
            self.begin_outage(self._probe_reason, now_s)
        self._account.add_blind(blind)
        self._settle()
        return length_s(blind)

    def drop(self, evidence: SegmentEvidence, now_s: float) -> None:
        """Nothing moved in the span of a segment: it cost nothing."""
        evidence.span, evidence.seen_s = None, now_s
        self._settle()

    def _settle(self) -> None:
        runs = any(each.span or each.standing_from_s is not None for each in self._segments())
        if self._outage is None and not runs:
            self._account.settle()

    def _counted(
        self,
        evidence: SegmentEvidence,
        span: Span,
        end_s: float,
        *,
        after_ms: int | None = None,
        is_live: bool = False,
    ) -> list[Interval]:
        return counted(
            self._calendar,
            evidence.segment,
            span,
            end_s=end_s,
            market_of_zero_ms=self.market_of_zero_ms,
            after_ms=after_ms,
            is_live_end=is_live,
        )

    def _real(self) -> Iterable[tuple[SegmentEvidence, Span]]:
        for evidence in self._segments():
            if evidence.span is not None and not evidence.span.is_tentative:
                yield evidence, evidence.span

    def _running(self, now_s: float) -> list[Interval]:
        return [
            interval
            for evidence, span in self._real()
            for interval in self._counted(evidence, span, now_s)
        ]

    # --- standing ---

    def end_standing(self, evidence: SegmentEvidence, until_s: float) -> None:
        """A segment no longer stands still."""
        since_s, evidence.standing_from_s = evidence.standing_from_s, None
        if since_s is not None:
            self._account.add_uncertain(since_s, until_s)
            self._settle()

    # --- sums ---

    def blind_s(self, now_s: float) -> float:
        """Seconds blind so far, the running spans included."""
        return self._account.blind_s(self._running(now_s))

    def uncertain_s(self, now_s: float) -> float:
        """Seconds in which the feed answered and the market stood, though it should be open."""
        standing = [
            (each.standing_from_s, now_s)
            for each in self._segments()
            if each.standing_from_s is not None
        ]
        return self._account.uncertain_s(standing, self._running(now_s))

    def recovery(self, now_s: float) -> events.Recovered | None:
        """The event that what was lost is back, once no span counts any more."""
        outage = self._outage
        if outage is None or self._running(now_s):
            return None
        self._outage = None
        blind_s = max(0.0, self.blind_s(now_s) - outage.blind_s)
        uncertain_s = self.uncertain_s(now_s) - outage.uncertain_s
        uncertain = uncertain_s if uncertain_s >= _LEAST_TOLD_S else None
        self._settle()
        return events.Recovered(*outage.reason, blind_s=blind_s, uncertain_s=uncertain)

    # --- clocks ---

    def ms_at(self, at_s: float) -> float:
        """The market's time at a moment of the monotonic clock."""
        return self.market_of_zero_ms + at_s * 1000

    def s_at(self, market_ms: int | None) -> float:
        """The moment of the monotonic clock at a market time; -inf for none."""
        return -math.inf if market_ms is None else (market_ms - self.market_of_zero_ms) / 1000
