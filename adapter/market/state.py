"""Whether a segment trades now, by evidence: what silence and a lost link mean.

The calendar is a prior (*open*, *may*, *shut*); exchange times that move are the proof. A stream is
judged segment by segment, each of them, on its connection, being

    LIVE       a live packet came less than `silence_after_s` ago
    EXPECTED   the calendar says open, and nothing says otherwise
    STANDING   open, but the feed answered a fresh subscription with nothing newer than was known,
               or only with packets from before today's opening: a halt, or an unlisted holiday
    RESTING    the calendar says may or shut, and nothing live comes

Rules (silence is the time without any packet of the segment, live or not, while it is open)
1. FAULT: silence in EXPECTED where the segment ticked in this session, or where nothing at all
   came. A reconnect that spends an attempt.
2. PROBE: silence in EXPECTED where packets came but none live; on a day without a known session,
   silence within 15 minutes of the last live packet. One reconnect that spends nothing. If it turns
   out that the market *moved*, it was a fault: blind seconds count and an attempt is booked.
3. The answer to any reconnect decides: if the market *stands*, the attempts are given back, and the
   span that ran was not blind. Only *mute* answers and failing connects end a stream.
4. STANDING is probed after 60 s, then every 300 s, while the calendar says open; an unlisted
   session that fell silent likewise.
5. On a day with a known session silence outside it is quiet.
6. Seconds of loss are blind (losses.py, blind.py), seconds in STANDING are *uncertain* instead.
7. A segment of few units, or of units that tick rarely since it last stood, is given three times
   its longest gap, at most 15 minutes, before its silence is a fault (evidence.py), or is asked
   about in an unlisted session.
8. Where another segment of the connection is live, link and feed are proven: then a mute segment
   stands, and a standing one is not probed, since a probe costs the others their ticks.
9. Ticks forgive no attempts while a segment that a fault was found in has neither ticked nor
   answered: its neighbours would hide that it is lost.

`is_always_open` switches all this off: any silence of the whole connection is a fault, and any
packet ends it.

One object a connection, for the thread that runs it. Pure: times and draws come in as arguments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from .. import events
from ..clock import NS_PER_MS
from ..instrument import exchange_name
from .calendar import MarketCalendar, Outlook, Prior
from .clock import AHEAD_MS, MarketClock
from .evidence import Answer, MarketState, SegmentEvidence
from .evidence_events import market_event, probe_event, standing_event
from .hours import Segment
from .losses import UNLISTED_S, Losses, Reason

ANSWER_AFTER_S = 5.0
FIRST_PROBE_S = 60.0
PROBE_EVERY_S = 300.0
JITTER = 0.1
"""Up to this share of it is drawn on top of a wait between probes."""


class Demand(IntEnum):
    """What a check asks for; the highest of several counts."""

    NOTHING = 0
    PROBE = 1
    FAULT = 2


class Verdict(NamedTuple):
    """What a check found. `silence_s` is that of the segment that demands something.

    `is_resting`: nothing must tick anywhere on this connection. `is_mute`: not one packet came.
    """

    demand: Demand = Demand.NOTHING
    silence_s: float = 0.0
    is_resting: bool = False
    is_mute: bool = False


class Sight(NamedTuple):
    """The state of a segment: its exchange's name, its newest exchange time (None: none yet), and
    how long it may be silent (None: as long as the policy says)."""

    exchange: str
    state: MarketState
    newest: datetime | None
    limit_s: float | None = None


class Settled(NamedTuple):
    """An answer that concerns the attempts.

    They are given back where `fault_silence_s` is None, else one is booked for that silence.
    """

    fault_silence_s: float | None


class MarketWatch:
    """The evidence of one connection.

    The tracker writes each packet's time into the `UnitTimes` of `segment(...)`; the connection
    calls `asked` when it has subscribed, `look` after drains, `check` when a check or `due_s` is
    due, `lost` when a live link or a connect failed or is given up for a probe, and takes what
    comes of it: `take_events` and `take_settled` (attempts).
    """

    def __init__(
        self,
        calendar: MarketCalendar,
        *,
        silence_after_s: float = 30.0,
        stable_after_s: float = 5.0,
        clock: MarketClock | None = None,
    ) -> None:
        self.silence_after_s = silence_after_s
        self.stable_after_s = stable_after_s
        self.clock = clock or MarketClock()
        self.due_s = math.inf
        """When an answer is to be judged; infinite where none is awaited."""
        self._calendar = calendar
        self._segments: dict[int, SegmentEvidence] = {}
        self._wanted: set[int] = set()
        self._losses = Losses(calendar, self._active)
        self._asked_s: float | None = None
        self._has_booked = False
        self._latest_s = 0.0
        self._events: list[events.FeedEvent] = []
        self._settled: list[Settled] = []

    # --- what is subscribed ---

    def want(self, units: Mapping[Segment, int], now_s: float) -> None:
        """The segments of the connection from now on, each with its number of units."""
        wanted = {segment.exchange_type for segment in units}
        for number in self._wanted - wanted:
            self._leave(self._segments[number], now_s)
        joining, self._wanted = wanted - self._wanted, wanted
        for segment, count in units.items():
            evidence = self.segment(segment.exchange_type, now_s)
            if segment.exchange_type in joining:
                evidence.seen_s = now_s  # what went on before was not missed
            evidence.keep_last_packet()
            evidence.segment, evidence.units_wanted = segment, count
            if self._asked_s is not None and evidence.asked_s is None:
                self._ask(evidence, now_s)

    def _leave(self, evidence: SegmentEvidence, now_s: float) -> None:
        evidence.hang_up()
        self._losses.close(evidence, now_s)
        self._losses.end_standing(evidence, now_s)

    def segment(self, exchange_type: int, now_s: float | None = None) -> SegmentEvidence:
        """The evidence of a segment, for the tracker's units; a new one begins now."""
        found = self._segments.get(exchange_type)
        if found is None:
            begun_s = self._latest_s if now_s is None else now_s
            found = SegmentEvidence(Segment(exchange_type), begun_s)
            self._segments[exchange_type] = found
        return found

    # --- the link ---

    def asked(self, now_s: float) -> None:
        """The subscription has been sent on a new connection."""
        self._asked_s, self._has_booked = now_s, False
        for evidence in self._active():
            self._ask(evidence, now_s)

    def _ask(self, evidence: SegmentEvidence, now_s: float) -> None:
        evidence.ask(now_s)
        self.due_s = now_s + min(ANSWER_AFTER_S, self.silence_after_s)

    def lost(self, now_s: float, wall_ns: int, reason: Reason, *, is_probe: bool = False) -> None:
        """The link is lost, a connect failed, or (`is_probe`) the link is given up to ask again.

        `reason` is for the event that reports the recovery.
        """
        market_ms = self._market_ms(now_s, wall_ns)
        if not is_probe:
            self._losses.begin_outage(reason, now_s)
        if self._calendar.is_always_open:
            self._see_alike()
        for evidence in self._active():
            outlook = self._outlook(evidence, market_ms)
            stands = self._state(evidence, outlook, now_s) is MarketState.STANDING
            is_tentative = stands or (is_probe and evidence.is_probed)
            self._losses.begin(evidence, outlook, now_s, is_tentative=is_tentative)
            evidence.hang_up()
        if is_probe:
            self._losses.begin_probe(reason, now_s)
        self._asked_s, self.due_s = None, math.inf

    def _see_alike(self) -> None:
        """Always open: the last packet of any segment is the last of the connection."""
        active = self._active()
        last_s = max((each.last_packet_s for each in active), default=-math.inf)
        for evidence in active:
            evidence.seen_s = max(evidence.seen_s, last_s)

    # --- after drains ---

    def limit_ms(self, now_s: float, wall_ns: int) -> int:
        """The latest exchange time that is believed at once, for the tracker's loop."""
        return self._market_ms(now_s, wall_ns) + AHEAD_MS

    @property
    def is_urgent(self) -> bool:
        """Whether the next packets may end a span or be an answer: look after each drain."""
        return any(not each.is_judged or each.span is not None for each in self._active())

    def look(self, now_s: float, wall_ns: int) -> bool:
        """Read what the drains left; whether live packets prove the connection healthy."""
        active = self._active()
        if self._calendar.is_always_open:
            return self._look_at_all(active, now_s)
        moving = [each for each in active if each.has_marks]
        moved = [each for each in moving if self._read_marks(each, now_s, wall_ns)]
        if moved:
            self._tell(self._losses.recovery(now_s))
        is_live = any(each.live_s == now_s for each in moved)
        return is_live and not any(each.is_faulted for each in active)

    def _look_at_all(self, active: list[SegmentEvidence], now_s: float) -> bool:
        """Always open: whatever came, the connection sees again."""
        for evidence in active:
            evidence.take_marks()
            evidence.is_judged = True
            self._losses.close(evidence, now_s)
        self._tell(self._losses.recovery(now_s))
        return True

    def _read_marks(self, evidence: SegmentEvidence, now_s: float, wall_ns: int) -> bool:
        """What the packets of a segment say; whether they are live, or moved."""
        marks = evidence.take_marks()
        live_ms = marks.live_ms
        if not self.clock.is_set(now_s):
            live_ms = max(live_ms, marks.ahead_ms)
        if live_ms:
            self.clock.observe(now_s, wall_ns, live_ms)
        market_ms = self._market_ms(now_s, wall_ns)
        evidence.first_here_ms = max(evidence.first_here_ms, marks.fresh_ms, marks.first_ms)
        evidence.here_ms = max(evidence.here_ms, live_ms, evidence.first_here_ms)
        has_moved = evidence.is_awaited and evidence.has_moved
        if has_moved:
            evidence.break_gap(now_s)
        if has_moved or marks.is_live:
            self._end_span(evidence, now_s, has_stood=not marks.fresh_ms and evidence.has_stood)
            self._answer(evidence, has_moved=has_moved)
        evidence.newest_ms = max(evidence.newest_ms, evidence.here_ms)
        if marks.is_live:
            self._ticked(evidence, now_s, market_ms)
        return marks.is_live or has_moved

    def _end_span(self, evidence: SegmentEvidence, now_s: float, *, has_stood: bool) -> None:
        """Something moves again: the span is over, and cost nothing if nothing had moved in it."""
        if has_stood:
            self._losses.drop(evidence, now_s)
            return
        evidence.fault_silence_s = self._losses.close(
            evidence, now_s, after_ms=evidence.here_ms, is_live=True
        )

    def _ticked(self, evidence: SegmentEvidence, now_s: float, market_ms: int) -> None:
        evidence.tick(now_s, self.silence_after_s, self.stable_after_s)
        if evidence.state is not MarketState.LIVE:
            self._enter(evidence, MarketState.LIVE, self._outlook(evidence, market_ms), now_s)

    # --- answers ---

    def _answer(self, evidence: SegmentEvidence, *, has_moved: bool) -> None:
        """A first packet that moved, or a live one, settles the answer before its time."""
        evidence.doubt_mute()
        if not evidence.is_judged:
            is_known = evidence.reference_ms is not None
            answer = Answer.STANDS if is_known else None
            self._settle(evidence, Answer.MOVED if has_moved else answer)

    def _judge(self, evidence: SegmentEvidence, outlook: Outlook, now_s: float) -> None:
        """The time for an answer is over."""
        if not evidence.has_packets_here:
            self._settle(evidence, Answer.MUTE)
            if outlook.prior is not Prior.OPEN:
                self._losses.close(evidence, evidence.asked_s or now_s)
        elif evidence.reference_ms is not None or evidence.had_packets:
            self._settle(evidence, Answer.STANDS)
            if abs(self._losses.ms_at(now_s) - evidence.newest_ms) < self.silence_after_s * 1000:
                self._losses.drop(evidence, now_s)  # it moved just now: that is no halt yet
            else:
                self._stand(evidence, now_s)
        else:
            self._settle(evidence, None)
        if self._is_of_before_the_opening(evidence, outlook):
            self._stand(evidence, now_s)

    def _is_of_before_the_opening(self, evidence: SegmentEvidence, outlook: Outlook) -> bool:
        """Whether a connection of today brought only packets from before today's opening."""
        opened_ms, asked_s = outlook.first_opened_ms, evidence.asked_s
        if opened_ms is None or asked_s is None or outlook.prior is not Prior.OPEN:
            return False
        return 0 < evidence.here_ms < opened_ms <= self._losses.ms_at(asked_s)

    def _settle(self, evidence: SegmentEvidence, answer: Answer | None) -> None:
        """What a (re)subscribe has brought is known now; None where it proves nothing."""
        evidence.answer, evidence.is_judged = answer, True
        if not evidence.is_probed or answer is None:
            return
        evidence.is_probed = False
        self._tell(probe_event(evidence, answer))
        if answer is Answer.MOVED and not self._has_booked:
            self._has_booked = True  # one attempt, however many segments the probe asked for
            self._settled.append(Settled(evidence.fault_silence_s))

    def _stand(self, evidence: SegmentEvidence, now_s: float) -> None:
        """Nothing moved while the link was down: what seemed blind was not."""
        self._losses.drop(evidence, now_s)
        evidence.stands_since_s = now_s
        evidence.is_faulted = False
        evidence.count_pace_anew(now_s)

    def _give_back(self, awake: list[SegmentEvidence]) -> None:
        stands = any(each.stands_here for each in awake)
        if stands and not any(each.is_faulted for each in awake):
            self._settled.append(Settled(None))

    # --- checks ---

    def check(self, now_s: float, wall_ns: int, draw: float) -> Verdict:
        """The state of each segment, and whether something must be done about one.

        Where a probe is asked for, the next one is due after a wait that `draw` in [0, 1] spreads.
        """
        market_ms = self._market_ms(now_s, wall_ns)
        if self._calendar.is_always_open:
            return self._check_all(now_s)
        looks = [(each, self._outlook(each, market_ms)) for each in self._active()]
        self._judge_all(looks, now_s)
        for evidence, outlook in looks:
            self._enter(evidence, self._state(evidence, outlook, now_s), outlook, now_s)
        found = [self._demanded(evidence, outlook, now_s) for evidence, outlook in looks]
        verdict = max([Verdict(), *found], key=lambda each: each.demand)
        if verdict.demand is not Demand.NOTHING:  # a reconnect asks for all of them
            for (evidence, _), each in zip(looks, found, strict=True):
                if each.demand is Demand.PROBE or evidence.state is MarketState.STANDING:
                    evidence.is_probed = verdict.demand is Demand.PROBE
                    self._plan_probe(evidence, now_s, draw)
        is_resting = all(outlook.prior is not Prior.OPEN for _, outlook in looks)
        return verdict._replace(is_resting=is_resting)

    def _judge_all(self, looks: list[tuple[SegmentEvidence, Outlook]], now_s: float) -> None:
        if any(evidence.doubt_mute() for evidence, _ in looks):
            self.due_s = min(self.due_s, now_s)
        if now_s < self.due_s:
            return
        self.due_s = math.inf
        for evidence, outlook in looks:
            if not evidence.is_judged and evidence.asked_s is not None:
                self._judge(evidence, outlook, now_s)
        self._give_back([each for each, outlook in looks if outlook.prior is Prior.OPEN])

    def _check_all(self, now_s: float) -> Verdict:
        """Always open: any silence of the connection as a whole is a fault."""
        active, self.due_s = self._active(), math.inf
        if self._asked_s is None or not active:
            return Verdict()
        silence_s = now_s - max(self._asked_s, *(each.last_packet_s for each in active))
        if silence_s < self.silence_after_s:
            return Verdict()
        return Verdict(Demand.FAULT, silence_s)

    def _demanded(self, evidence: SegmentEvidence, outlook: Outlook, now_s: float) -> Verdict:
        if evidence.asked_s is None:
            return Verdict()
        opened_s = self._losses.s_at(outlook.opened_ms)
        silence_s = now_s - max(evidence.last_packet_s, evidence.asked_s, opened_s)
        if silence_s < self.silence_after_s:
            return Verdict()
        match evidence.state:
            case MarketState.EXPECTED:
                return self._demanded_of_expected(evidence, silence_s, opened_s, now_s)
            case MarketState.STANDING:
                is_doubted = not self._has_live_neighbour(evidence)
            case MarketState.RESTING:
                is_unlisted = not outlook.has_session and now_s - evidence.live_s <= UNLISTED_S
                patience_s = evidence.patience_s(now_s, self.silence_after_s, -math.inf)
                is_doubted = is_unlisted and silence_s >= patience_s
            case _:
                is_doubted = False
        is_due = is_doubted and now_s >= evidence.probe_at_s
        return Verdict(Demand.PROBE, silence_s) if is_due else Verdict()

    def _demanded_of_expected(
        self, evidence: SegmentEvidence, silence_s: float, opened_s: float, now_s: float
    ) -> Verdict:
        if not evidence.has_packets_here:
            if self._has_live_neighbour(evidence):
                evidence.answer = None
                self._stand(evidence, now_s)
                return Verdict()
            evidence.is_faulted = True
            return Verdict(Demand.FAULT, silence_s, is_mute=True)
        if evidence.live_s < opened_s:
            return Verdict(Demand.PROBE, silence_s)
        evidence.limit_s = evidence.patience_s(now_s, self.silence_after_s, opened_s)
        if silence_s < evidence.limit_s:
            return Verdict()
        evidence.is_faulted = True
        return Verdict(Demand.FAULT, silence_s)

    def _has_live_neighbour(self, evidence: SegmentEvidence) -> bool:
        return any(
            each is not evidence and each.state is MarketState.LIVE and each.has_packets_here
            for each in self._active()
        )

    def _plan_probe(self, evidence: SegmentEvidence, now_s: float, draw: float) -> None:
        """This segment is being asked anew, and the next probe is due after a while."""
        is_first = evidence.state is MarketState.RESTING and evidence.probes == 0
        wait_s = FIRST_PROBE_S if is_first else PROBE_EVERY_S
        evidence.probes += 1
        evidence.probe_at_s = now_s + wait_s * (1 + JITTER * draw)

    # --- states ---

    def _state(self, evidence: SegmentEvidence, outlook: Outlook, now_s: float) -> MarketState:
        if now_s - evidence.live_s < self.silence_after_s:
            return MarketState.LIVE
        if outlook.prior is not Prior.OPEN:
            return MarketState.RESTING
        stands_since_s = evidence.stands_since_s
        opened_s = self._losses.s_at(outlook.opened_ms)
        is_standing = evidence.live_s < stands_since_s >= opened_s
        if is_standing and evidence.answer is not Answer.MUTE:
            return MarketState.STANDING
        return MarketState.EXPECTED

    def _enter(
        self, evidence: SegmentEvidence, state: MarketState, outlook: Outlook, now_s: float
    ) -> None:
        before, evidence.state = evidence.state, state
        if state is before:
            return
        if before is MarketState.STANDING:
            self._losses.end_standing(evidence, now_s)
        if state is MarketState.STANDING:
            evidence.standing_from_s = now_s
            evidence.probe_at_s = now_s + FIRST_PROBE_S
            silence_s = now_s - max(evidence.live_s, evidence.begun_s)
            self._tell(standing_event(evidence, silence_s))
        self._tell(market_event(evidence, outlook))

    def sights(self) -> list[Sight]:
        """The state of each segment. Safe from any thread."""
        return [
            Sight(exchange_name(each.segment.exchange_type), each.state, each.newest, each.limit_s)
            for each in self._active()
            if each.state is not None
        ]

    # --- results ---

    def blind_s(self, now_s: float) -> float:
        """Seconds blind so far, the running spans included."""
        return self._losses.blind_s(now_s)

    def uncertain_s(self, now_s: float) -> float:
        """Seconds in which the feed answered and the market stood, though it should be open."""
        return self._losses.uncertain_s(now_s)

    def take_events(self) -> list[events.FeedEvent]:
        """The events since the last call."""
        taken, self._events = self._events, []
        return taken

    def take_settled(self) -> list[Settled]:
        """The answers since the last call that concern the attempts."""
        settled, self._settled = self._settled, []
        return settled

    def _tell(self, event: events.FeedEvent | None) -> None:
        if event is not None:
            self._events.append(event)

    def _market_ms(self, now_s: float, wall_ns: int) -> int:
        market_ms, self._latest_s = self.clock.market_ms(now_s, wall_ns), now_s
        self._losses.market_of_zero_ms = market_ms - now_s * 1000
        return market_ms

    def _outlook(self, evidence: SegmentEvidence, market_ms: int) -> Outlook:
        return self._calendar.outlook(evidence.segment, market_ms * NS_PER_MS)

    def _active(self) -> list[SegmentEvidence]:
        return [each for number, each in list(self._segments.items()) if number in self._wanted]
