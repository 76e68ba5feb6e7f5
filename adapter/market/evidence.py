"""What the packets of one segment say, on one connection: the evidence that state.py judges.

Rules
- A packet is *live* when (a) its exchange time is greater than that of its unit's previous packet
  on this connection, or (b) it is its unit's first packet here, at most two minutes from the
  market's time, and newer than the unit's last one of this run. Any other first packet is a
  snapshot. A repeated time is no evidence, and neither is time 0.
- (a) is one comparison in the tracker's loop; everything else is `judge`, for a unit's first packet
  and for times ahead of the clock.
- What the loop leaves here (`live_ms` and `ahead_ms` of (a), `fresh_ms` of (b), `first_ms` of
  snapshots) is read after a drain and cleared. A unit that runs ahead of a clock which others have
  set is alive, but says nothing of what time it is.
- A gap lies between two live packets. Over a reconnect that has shown that nothing moved it counts
  only as far as the segment's pace explains it: what lasts longer is a halt, and no habit. Of a
  lively segment no other gap counts.
- An answer is what a (re)subscribe brought: it *moved*, it *stands*, or it is *mute*.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from enum import StrEnum
from math import inf
from typing import NamedTuple

from ..clock import NS_PER_MS, YEAR_10000_MS, ist_time
from .blind import SLACK_MS, Span
from .clock import AHEAD_MS, goes_on
from .hours import Segment

FRESH_MS = 120_000
"""How near to the market's time a first packet must be to be live."""
_DOUBT_MS = 2_000
"""A loss so soon after the newest exchange time may have cost packets of that very second."""
LEAST_LIQUID_UNITS = 3
GAPS_FOR_S = 1800.0
GAP_FACTOR = 3
LIVELY_S = 60.0
"""A unit that ticks so often makes a segment of several units lively."""
MOST_GAP_S = 900.0


class Answer(StrEnum):
    """What came after a subscription was sent."""

    MOVED = "moved"
    STANDS = "stands"
    MUTE = "mute"


class MarketState(StrEnum):
    """The state of a segment, by packets and calendar."""

    LIVE = "live"
    EXPECTED = "expected"
    STANDING = "standing"
    RESTING = "resting"


class Marks(NamedTuple):
    """The newest exchange time of each sort of packet, 0 where none came (the rules above)."""

    live_ms: int
    ahead_ms: int
    fresh_ms: int
    first_ms: int

    @property
    def is_live(self) -> bool:
        return bool(self.live_ms or self.ahead_ms or self.fresh_ms)


class UnitTimes:
    """The times of one unit. `exchange_ms` is its last believed exchange time on this connection,
    0 while there is none; `run_ms` the last one of the connections before. `at_s` is when its last
    packet came, `ticks` how many did, `moves` how many were live by (a) since its segment last
    stood. A unit that is not wanted any more says nothing.
    """

    __slots__ = (
        *("ahead_at_s", "ahead_ms", "at_s", "exchange_ms", "is_wanted", "moves", "run_ms"),
        *("segment", "ticks"),
    )

    def __init__(self, segment: SegmentEvidence) -> None:
        self.segment = segment
        self.exchange_ms = 0
        self.run_ms = 0
        self.ahead_ms = 0
        self.ahead_at_s = 0.0
        self.at_s = float("-inf")
        self.ticks = self.moves = 0
        self.is_wanted = True
        segment.units.append(self)


class SegmentEvidence:
    """One segment of one connection. Times are of the monotonic clock (`_s`) or the exchange's
    (`_ms`). `units_wanted` is how many units are subscribed there.
    """

    def __init__(self, segment: Segment, begun_s: float) -> None:
        self.segment = segment
        self.units_wanted = 0
        self.units: list[UnitTimes] = []
        self.begun_s = begun_s
        self.kept_s = float("-inf")
        # what the tracker's loop leaves, cleared by `take_marks`
        self.live_ms = 0
        self.fresh_ms = 0
        self.first_ms = 0
        self.ahead_ms = 0
        # this connection
        self.asked_s: float | None = None
        self.reference_ms: int | None = None
        self.had_packets = False
        self.here_ms = 0
        self.first_here_ms = 0
        self.answer: Answer | None = None
        self.is_judged = True
        self.gap_from_s = begun_s
        self.paced_from_s = begun_s
        # this run
        self.newest_ms = 0
        self.live_s = float("-inf")
        self.gaps: deque[tuple[float, float, bool]] = deque()
        self.span: Span | None = None
        self.seen_s = begun_s
        self.is_faulted = False
        self.fault_silence_s = 0.0
        # the judgement
        self.state: MarketState | None = None
        self.reported_state: MarketState | None = None
        self.limit_s: float | None = None
        """How long the silence that runs may last; None where the policy's limit holds."""
        self.stands_since_s = float("-inf")
        self.standing_from_s: float | None = None
        self.is_probed = False
        self.probes = 0
        self.probe_at_s = float("-inf")

    # --- the packets ---

    def judge(self, unit: UnitTimes, exchange_ms: int, now_s: float, limit_ms: int) -> None:
        """A newer time that is the unit's first here, or beyond `limit_ms` (a minute ahead).

        Any other is live, and the tracker's loop has dealt with it.
        """
        is_ahead = exchange_ms > limit_ms
        if is_ahead:
            if exchange_ms >= YEAR_10000_MS:
                return
            follows = goes_on(unit.ahead_ms, exchange_ms, now_s - unit.ahead_at_s)
            unit.ahead_ms, unit.ahead_at_s = exchange_ms, now_s
            if not follows:
                return
        unit.exchange_ms = exchange_ms
        unit.moves += is_ahead
        if is_ahead:
            self.ahead_ms = max(self.ahead_ms, exchange_ms)
        elif abs(limit_ms - AHEAD_MS - exchange_ms) <= FRESH_MS and exchange_ms > unit.run_ms:
            self.fresh_ms = max(self.fresh_ms, exchange_ms)
        else:
            self.first_ms = max(self.first_ms, exchange_ms)

    def take_marks(self) -> Marks:
        """What came since the last call."""
        marks = Marks(self.live_ms, self.ahead_ms, self.fresh_ms, self.first_ms)
        self.live_ms = self.ahead_ms = self.fresh_ms = self.first_ms = 0
        return marks

    @property
    def has_marks(self) -> bool:
        """Whether a packet came that says something, since the marks were cleared."""
        return bool(self.live_ms or self.fresh_ms or self.first_ms or self.ahead_ms)

    @property
    def newest(self) -> datetime | None:
        """The newest exchange time, in India; None where there is none."""
        newest_ms = max(self.newest_ms, self.here_ms)
        return ist_time(newest_ms * NS_PER_MS) if newest_ms else None

    @property
    def last_packet_s(self) -> float:
        """When the last packet of the run came, live or not; -inf while there was none."""
        return max([self.kept_s, *(unit.at_s for unit in self.units if unit.is_wanted)])

    def keep_last_packet(self) -> None:
        """Other units are wanted from now on: what the former ones sent counts all the same."""
        self.kept_s = max([self.kept_s, *(unit.at_s for unit in self.units)])

    @property
    def has_packets_here(self) -> bool:
        """Whether this connection brought any packet of the segment."""
        return self.asked_s is not None and self.last_packet_s >= self.asked_s

    # --- the connection ---

    @property
    def is_awaited(self) -> bool:
        """Whether what comes may still be an answer."""
        return not self.is_judged or self.span is not None

    @property
    def stands_here(self) -> bool:
        """Whether this connection has found that the market stands."""
        return self.asked_s is not None and self.stands_since_s >= self.asked_s

    def doubt_mute(self) -> bool:
        """An answer that was mute must be judged again once something comes; whether that is so."""
        is_mute = self.answer is Answer.MUTE and self.is_judged
        if not is_mute or not self.has_packets_here:
            return False
        self.answer, self.is_judged = None, False
        return True

    def ask(self, now_s: float) -> None:
        """The subscription has been sent on a new connection: what comes first follows nothing."""
        self.had_packets = self.last_packet_s > float("-inf")
        self.newest_ms = max(self.newest_ms, self.live_ms, self.fresh_ms, self.first_ms)
        self.reference_ms = self.newest_ms or None
        if self.span is not None:  # what came while the link closed is newer than what was lost
            self.reference_ms = self.span.reference_ms
        for unit in self.units:
            unit.run_ms = max(unit.run_ms, unit.exchange_ms)
            unit.exchange_ms = unit.ahead_ms = 0
        self.live_ms = self.fresh_ms = self.first_ms = self.ahead_ms = 0
        self.here_ms = self.first_here_ms = 0
        self.asked_s = now_s
        self.is_judged = False

    @property
    def has_moved(self) -> bool:
        """Whether a first packet here is newer than what was known before the connect."""
        return self.reference_ms is not None and self.first_here_ms > self.reference_ms + SLACK_MS

    @property
    def has_stood(self) -> bool:
        """Whether the first packets here prove that nothing was missed in the span that runs."""
        if self.span is None or not self.first_here_ms or self.has_moved:
            return False
        return self.span.lost_ms - self.span.reference_ms > _DOUBT_MS

    def hang_up(self) -> None:
        """The connection is gone."""
        self.asked_s = None

    # --- how long this segment may be silent ---

    def break_gap(self, now_s: float) -> None:
        """Something was missed: how long nothing moved is not known any more."""
        self.gap_from_s = now_s

    def tick(self, now_s: float, silence_after_s: float, stable_after_s: float) -> None:
        """Something live came: remember how long it took, if that could matter.

        It ends a fault only on a link that has carried it for a while: each new subscription may
        bring one fresh packet, and then nothing.
        """
        if (now_s - self.gap_from_s) * GAP_FACTOR > silence_after_s:
            is_asked = self.asked_s is not None and self.asked_s > self.gap_from_s
            is_proven = is_asked and self.gap_from_s == self.live_s
            self.gaps.append((self.gap_from_s, now_s, is_proven))
        self.gap_from_s = self.live_s = now_s
        self.limit_s = None
        if self.asked_s is not None and now_s - self.asked_s >= stable_after_s:
            self.is_faulted = False
        self.probes, self.probe_at_s = 0, float("-inf")

    def count_pace_anew(self, now_s: float) -> None:
        """Nothing moved: how lively the units were before says nothing of them now."""
        self.paced_from_s = now_s
        for unit in self.units:
            unit.moves = 0

    def patience_s(self, now_s: float, silence_after_s: float, opened_s: float) -> float:
        """How long a segment that has ticked may be silent before that is a fault."""
        while self.gaps and self.gaps[0][1] < now_s - GAPS_FOR_S:
            self.gaps.popleft()
        apart_s = self._apart_s(now_s - max(opened_s, self.paced_from_s))
        is_lively = self.units_wanted >= LEAST_LIQUID_UNITS and apart_s <= LIVELY_S
        lengths = [
            end_s - max(start_s, opened_s)
            for start_s, end_s, is_proven in self.gaps
            if (
                end_s - start_s <= GAP_FACTOR * apart_s
                if is_proven and start_s >= opened_s
                else not is_lively
            )
        ]
        longest_s = max(lengths, default=0.0)
        return max(silence_after_s, min(GAP_FACTOR * longest_s, MOST_GAP_S))

    def _apart_s(self, traded_s: float) -> float:
        """How far apart the ticks of the busiest unit came in `traded_s`; infinite without any."""
        moves = max((unit.moves for unit in self.units if unit.is_wanted), default=0)
        return traded_s / moves if moves else inf
