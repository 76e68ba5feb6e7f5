from __future__ import annotations

from datetime import date, time

import pytest

from ticks.adapter.market.announced import Mark
from ticks.adapter.market.belief import Beliefs, SegmentRules, Source, SpecialSession
from ticks.adapter.market.hours import CDS, MCX, NCO, NSE, Kind, Segment

BELIEFS = Beliefs()


@pytest.mark.parametrize(
    ("exchange_type", "day", "source", "why"),
    [
        (NSE, "2026-11-20", Source.LISTED, ""),
        (NSE, "2026-11-24", Source.LISTED, "Guru Nanak Jayanti"),
        (NSE, "2026-02-01", Source.LISTED, "Union Budget"),
        (NSE, "2026-11-21", Source.RULE, "Saturday"),
        (NSE, "2026-11-22", Source.RULE, "Sunday"),
        (CDS, "2026-08-26", Source.LISTED, "Id-e-Milad"),
        (NSE, "2027-01-26", Source.RULE, "Republic Day"),
        (MCX, "2027-03-26", Source.RULE, "Good Friday"),
        (MCX, "2027-01-01", Source.RULE, "New Year"),
        (CDS, "2027-04-01", Source.RULE, "Annual bank closing"),
        (NSE, "2027-03-22", Source.ESTIMATE, "Holi"),
        (MCX, "2027-03-22", Source.ESTIMATE, "Holi"),
        (NSE, "2027-06-01", Source.RULE, "no list of holidays for 2027"),
        (99, "2026-11-20", Source.NOTHING, "unknown segment"),
    ],
)
def test_a_belief_says_where_it_comes_from(
    exchange_type: int, day: str, source: Source, why: str
) -> None:
    belief = BELIEFS.belief(Segment(exchange_type), date.fromisoformat(day))
    assert (belief.source, belief.why) == (source, why)


def test_a_belief_says_how_well_it_is_known() -> None:
    assert BELIEFS.belief(Segment(MCX), date(2024, 1, 22)).mark is Mark.GUESS
    assert BELIEFS.belief(Segment(NSE), date(2024, 1, 22)).mark is Mark.SURE
    assert BELIEFS.belief(Segment(NSE), date(2027, 6, 1)).mark is Mark.LIKELY


def test_a_muhurat_whose_hour_is_not_known_is_perhaps_in_the_daytime() -> None:
    belief = BELIEFS.belief(Segment(NSE), date(2026, 11, 8))
    assert belief.sessions == ()
    assert belief.perhaps == ((time(9), time(20)),)


def test_what_has_no_known_hours_rests_when_commodities_do() -> None:
    farm = Segment(NCO, frozenset({Kind.NO_HOURS}))
    assert BELIEFS.belief(farm, date(2026, 11, 20)).source is Source.NOTHING
    assert BELIEFS.belief(farm, date(2026, 11, 20)).perhaps
    assert not BELIEFS.belief(farm, date(2026, 11, 24)).perhaps


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2027, 1, 1)])
def test_what_has_no_evening_does_not_rest_for_a_closed_one(day: date) -> None:
    assert BELIEFS.belief(Segment(NCO, frozenset({Kind.NO_HOURS})), day).perhaps


def test_the_configuration_is_named_as_the_source() -> None:
    day = date(2026, 11, 20)
    holiday = Beliefs(extra_holidays=frozenset({day}))
    hours = Beliefs(rules={NSE: SegmentRules(hours=(time(9), time(16)))})
    session = Beliefs(special_sessions=(SpecialSession(day, time(7), time(8)),))
    for beliefs in (holiday, hours, session):
        assert beliefs.belief(Segment(NSE), day).source is Source.CONFIGURATION
    assert session.belief(Segment(NSE), day).sessions == (
        (time(7), time(8)),
        (time(9, 15), time(15, 30)),
    )


@pytest.mark.parametrize(
    ("exchange_type", "day", "text"),
    [
        (NSE, "2026-11-20", "09:15-15:30 (listed)"),
        (NSE, "2026-11-24", "closed (Guru Nanak Jayanti, listed)"),
        (NSE, "2026-11-08", "perhaps 09:00-20:00 (Diwali Muhurat, hour not known, listed)"),
        (NSE, "2027-06-01", "09:15-15:30 (no list of holidays for 2027, rule, likely)"),
        (99, "2026-11-20", "perhaps 00:00-23:59 (unknown segment)"),
    ],
)
def test_a_belief_in_words_has_hours_reason_source_and_doubt(
    exchange_type: int, day: str, text: str
) -> None:
    assert str(BELIEFS.belief(Segment(exchange_type), date.fromisoformat(day))) == text
