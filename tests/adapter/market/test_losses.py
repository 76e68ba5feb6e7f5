from __future__ import annotations

from datetime import datetime

from ticks.adapter.clock import IST
from ticks.adapter.events import Recovered
from ticks.adapter.market.calendar import MarketCalendar, Outlook
from ticks.adapter.market.evidence import MarketState, SegmentEvidence, UnitTimes
from ticks.adapter.market.hours import NFO, NSE, Segment
from ticks.adapter.market.losses import Losses, Reason

CALENDAR = MarketCalendar()


def ms(clock_time: str) -> int:
    moment = datetime.fromisoformat(f"2026-11-20 {clock_time}").replace(tzinfo=IST)
    return int(moment.timestamp() * 1000)


class World:
    """The losses of two segments on one connection; `at` is seconds after 11:00."""

    def __init__(self, clock_time: str = "11:00") -> None:
        self.segments = [SegmentEvidence(Segment(number), 0.0) for number in (NSE, NFO)]
        for each in self.segments:
            unit = UnitTimes(each)
            unit.at_s = 0.0
            each.live_s = 0.0
            each.newest_ms = ms(clock_time)
            each.state = MarketState.LIVE
        self.losses = Losses(CALENDAR, lambda: self.segments)
        self.losses.market_of_zero_ms = ms(clock_time)

    def outlook(self, each: SegmentEvidence, at_s: float) -> Outlook:
        return CALENDAR.outlook(each.segment, round(self.losses.ms_at(at_s)) * 1_000_000)

    def lose(self, at_s: float, *, is_tentative: bool = False) -> None:
        for each in self.segments:
            outlook = self.outlook(each, at_s)
            self.losses.begin(each, outlook, at_s, is_tentative=is_tentative)

    def tick(self, index: int, at_s: float) -> None:
        each = self.segments[index]
        after_ms = round(self.losses.ms_at(at_s))
        self.losses.close(each, at_s, after_ms=after_ms, is_live=True)


def test_a_second_in_which_two_segments_are_blind_is_one() -> None:
    world = World()
    world.losses.begin_outage(Reason("network"), 1)
    world.lose(1)
    world.tick(0, 5)
    assert world.losses.recovery(5) is None  # the other one is still blind
    assert world.losses.blind_s(8) == 8
    world.tick(1, 8)
    assert world.losses.recovery(8) == Recovered("network", blind_s=8)
    assert world.losses.blind_s(100) == 8


def test_a_tentative_span_counts_only_if_the_market_went_on() -> None:
    world = World()
    world.losses.begin_probe(Reason("silence"), 40)
    world.lose(40, is_tentative=True)
    assert world.losses.blind_s(45) == 0
    world.losses.drop(world.segments[0], 45)
    world.tick(1, 45)
    assert world.losses.blind_s(45) == 45
    assert world.losses.recovery(45) == Recovered("silence", blind_s=45)


def test_a_loss_of_a_resting_segment_costs_nothing_unless_it_has_just_ticked() -> None:
    world = World("15:50")
    world.segments[0].state = world.segments[1].state = MarketState.RESTING
    world.segments[0].live_s = -500.0
    world.lose(60)
    assert world.losses.blind_s(100) == 0


def test_a_loss_after_the_close_counts_until_the_day_is_over() -> None:
    world = World("15:31")
    world.segments = world.segments[:1]
    world.lose(1)
    assert world.losses.blind_s(60) == 60
    assert world.losses.blind_s(3600) == 9 * 60  # to 15:40


def test_an_unlisted_session_counts_for_a_quarter_of_an_hour() -> None:
    world = World()
    saturday = datetime(2026, 11, 21, 11, tzinfo=IST)
    world.losses.market_of_zero_ms = saturday.timestamp() * 1000
    world.lose(10)
    assert world.losses.blind_s(10_000) == 910


def test_uncertain_seconds_end_where_a_span_turned_out_to_be_blind() -> None:
    world = World()
    first = world.segments[0]
    world.segments = [first]
    first.standing_from_s = 100.0
    first.units[0].at_s = 400.0
    assert world.losses.uncertain_s(500) == 400
    world.lose(500, is_tentative=True)
    world.tick(0, 510)
    assert world.losses.uncertain_s(510) == 300
    assert world.losses.blind_s(510) == 110
