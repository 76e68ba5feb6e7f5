"""The cases of the market on paper, lived through in virtual time, and the rules one by one."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from market_days import Day, ScriptedUnit, moment, unlisted

from ticks.adapter.market.announced import Announced
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.market.evidence import UnitTimes
from ticks.adapter.market.hours import BSE, CDS, MCX, NCO, NFO, NSE, Kind, Segment
from ticks.adapter.market.losses import Reason
from ticks.adapter.market.state import FIRST_PROBE_S, PROBE_EVERY_S, Demand, MarketWatch

PLAIN = "2026-12-16"
DAY_2 = "2026-12-17"
YESTERDAY = "2026-12-15 15:29:59"


def at(clock_time: str, day: str = PLAIN) -> str:
    return f"{day} {clock_time}"


def liquid(
    start: str = "09:15",
    end: str = "15:30",
    *,
    day: str = PLAIN,
    exchange_type: int = NSE,
    count: int = 4,
    kind: Kind = Kind.ORDINARY,
    last: str = "",
) -> list[ScriptedUnit]:
    """Units that change each second between two times."""
    span = (at(start, day), at(end, day), 1.0)
    return [ScriptedUnit(exchange_type, span, kind=kind, last=last) for _ in range(count)]


def still(last: str = YESTERDAY, exchange_type: int = NSE, *, count: int = 3) -> list[ScriptedUnit]:
    """Units that do not change any more."""
    return [ScriptedUnit(exchange_type, last=last) for _ in range(count)]


def quiet_day(day: Day) -> None:
    """Nothing was spent, counted or asked anew."""
    assert day.lost_at_s is None
    assert (day.attempts_spent, day.probes, day.faults) == (0, 0, 0)
    assert (day.blind_s, day.uncertain_s) == (0, 0)


# --- the cases ------------------------------------------------------------------------------------


def test_case_1_a_listed_holiday_is_quiet() -> None:
    holiday = "2026-01-15"
    day = Day(still("2026-01-14 15:29:59"), at("10:00", holiday), at("16:00", holiday)).run()
    quiet_day(day)
    assert day.market() == ["resting"]
    assert day.connects == 1


def test_case_2_an_unlisted_holiday_stands_is_probed_and_never_ends() -> None:
    day = Day(still(), at("09:20"), at("15:20")).run()
    assert day.lost_at_s is None
    assert (day.attempts_spent, day.faults, day.blind_s) == (0, 0, 0)
    assert day.uncertain_s == pytest.approx(6 * 3600, abs=10)
    assert 70 <= day.connects <= 76
    assert day.market() == ["expected", "standing"]
    assert len(day.told("quiet")) == 1
    assert day.told("quiet")[0]["newest"] == "2026-12-15T15:29:59+05:30"
    assert "the feed answers" in str(day.told("quiet")[0]["detail"])
    assert {facts["answer"] for facts in day.told("probe")} == {"stands"}


def test_case_2_of_january_2026_for_whoever_did_not_know() -> None:
    holiday = "2026-01-15"
    calendar = MarketCalendar(announced=unlisted(holiday))
    units = still("2026-01-14 15:29:59")
    day = Day(units, at("09:10", holiday), at("15:40", holiday), calendar).run()
    assert day.lost_at_s is None
    assert (day.attempts_spent, day.blind_s) == (0, 0)
    assert day.uncertain_s == pytest.approx(22_500, abs=60)


def test_case_2b_an_unlisted_holiday_without_any_packet_cannot_be_told_from_a_dead_feed() -> None:
    day = Day(still(), at("09:20"), at("12:00"), mute=[(at("09:00"), at("16:00"))]).run()
    assert day.lost_at_s is not None
    assert day.faults == 4
    assert all(facts["is_mute"] for facts in day.told("silent"))


SUNDAY = "2026-02-01"


def test_case_3_a_drop_in_a_listed_sunday_session_is_blind() -> None:
    cut = [(at("11:02", SUNDAY), at("11:02:06", SUNDAY))]
    day = Day(liquid(day=SUNDAY), at("11:00", SUNDAY), at("11:10", SUNDAY), cut=cut).run()
    assert day.lost_at_s is None
    assert day.blind_s == pytest.approx(8, abs=1.5)
    assert day.told("recovered")[0]["blind_s"] == pytest.approx(day.blind_s)
    assert day.told("market")[0].get("session") is None


def test_case_3_a_link_refused_for_twenty_minutes_of_a_sunday_session_counts_twenty_minutes() -> (
    None
):
    cut = [(at("11:00", SUNDAY), at("11:20", SUNDAY))]
    start, end = at("11:00", SUNDAY), at("11:30", SUNDAY)
    day = Day(liquid(day=SUNDAY), start, end, cut=cut, keeps_trying=True).run()
    assert day.blind_s == pytest.approx(1200, abs=10)


def test_case_3b_an_unlisted_sunday_session_is_probed_and_what_was_missed_is_blind() -> None:
    calendar = MarketCalendar(announced=unlisted(SUNDAY))
    day = Day(
        liquid(day=SUNDAY),
        at("11:00", SUNDAY),
        at("11:10", SUNDAY),
        calendar,
        deaf_links=[(at("11:04", SUNDAY), at("16:00", SUNDAY))],
    ).run()
    assert day.lost_at_s is None
    assert [facts["answer"] for facts in day.told("probe")] == ["moved"]
    assert day.attempts_spent == 1
    assert day.blind_s == pytest.approx(35, abs=8)
    assert day.told("market")[0]["session"] == "unlisted"


MUHURAT = "2025-10-21"


def test_case_4_a_muhurat_hour_that_is_listed() -> None:
    units = liquid("13:45", "14:45", day=MUHURAT, last=f"{MUHURAT} 13:30:00")
    cut = [(at("14:00", MUHURAT), at("14:00:05", MUHURAT))]
    day = Day(units, at("13:00", MUHURAT), at("16:30", MUHURAT), cut=cut).run()
    assert day.lost_at_s is None
    assert day.blind_s == pytest.approx(7, abs=1.5)
    assert day.probes == 0
    assert day.market()[-1] == "resting"


@pytest.mark.parametrize(
    ("holiday", "opens", "closes"),
    [("2026-11-08", "18:15", "19:15"), ("2026-11-08", "13:45", "14:45")],
)
def test_cases_4_and_5_a_muhurat_hour_that_nobody_listed(
    holiday: str, opens: str, closes: str
) -> None:
    units = liquid(opens, closes, day=holiday, last="2026-11-06 15:29:59")
    hour = opens[:2]
    cut = [(at(f"{hour}:50", holiday), at(f"{hour}:50:05", holiday))]
    day = Day(units, at("09:00", holiday), at("21:00", holiday), cut=cut).run()
    assert day.lost_at_s is None
    assert day.faults == 0
    assert day.blind_s == pytest.approx(7, abs=1.5)
    assert 1 <= day.probes <= 5
    assert {facts["answer"] for facts in day.told("probe")} == {"stands"}
    assert day.market() == ["resting", "live", "resting"]
    assert day.uncertain_s == 0


def test_case_6_good_friday_evening_is_quiet_on_mcx() -> None:
    units = still("2026-04-02 23:29:50", MCX)
    good_friday = "2026-04-03"
    everything = [(at("00:00", good_friday), at("23:59", good_friday))]
    quiet_day(Day(units, at("17:30", good_friday), at("23:00", good_friday), mute=everything).run())


def test_case_7_the_first_evening_of_january_is_quiet_on_mcx() -> None:
    units = still("2026-01-01 16:59:59", MCX)
    quiet_day(Day(units, "2026-01-01 17:30", "2026-01-01 23:00").run())


def test_case_8_segments_are_judged_one_by_one() -> None:
    id_day = "2026-08-26"
    nifty, usdinr = liquid(day=id_day, count=1), still("2026-08-25 16:59:59", CDS, count=1)
    day = Day([*nifty, *usdinr], at("11:00", id_day), at("12:00", id_day)).run()
    quiet_day(day)
    assert day.market("CDS") == ["resting"]
    assert day.market("NSE") == ["live"]

    silent = Day(
        [*liquid(day=id_day, count=1), *still("2026-08-25 16:59:59", CDS, count=1)],
        at("11:00", id_day),
        at("11:40", id_day),
        mute=[(at("11:30", id_day), at("16:00", id_day))],
    ).run()
    assert silent.faults == 4
    assert silent.lost_at_s is not None


def test_case_9_the_closing_auction_is_quiet_for_its_shares() -> None:
    shares = liquid("09:15", "15:14:59", kind=Kind.AUCTION, count=2)
    cut = [(at("15:22"), at("15:22:03"))]
    day = Day(shares, at("15:00"), at("15:45"), cut=cut).run()
    assert day.lost_at_s is None
    assert (day.faults, day.probes, day.blind_s, day.uncertain_s) == (0, 0, 0, 0)
    assert day.state_at(at("15:20")) == "resting"


def test_case_9b_an_index_beside_the_auction_shares_keeps_the_segment_live() -> None:
    units = [*liquid("09:15", "15:14:59", kind=Kind.AUCTION, count=2), *liquid(count=1)]
    day = Day(units, at("15:00"), at("15:29"), cut=[(at("15:22"), at("15:22:03"))]).run()
    assert day.blind_s == pytest.approx(4, abs=2)
    assert day.state_at(at("15:28")) == "live"


def test_case_10_derivatives_trade_to_1540() -> None:
    units = liquid("09:15", "15:39:59", exchange_type=NFO)
    day = Day(units, at("15:30"), at("15:50"), cut=[(at("15:35"), at("15:35:03"))]).run()
    assert day.lost_at_s is None
    assert day.blind_s == pytest.approx(4, abs=2)
    assert (day.faults, day.probes) == (0, 0)


def test_case_11_the_tail_of_an_index_ends_quietly() -> None:
    quiet_day(Day(liquid("09:15", "15:33:50", count=1), at("15:20"), at("17:00")).run())


def test_case_12_a_weekend_costs_nothing_however_often_the_link_is_cut() -> None:
    saturday = "2026-12-19"
    cuts = [(f"{saturday} 0{hour}:00", f"{saturday} 0{hour}:00:02") for hour in (2, 5, 8)]
    day = Day(still("2026-12-18 15:29:59"), f"{saturday} 01:00", f"{saturday} 12:00", cut=cuts)
    day.run()
    assert day.lost_at_s is None
    assert (day.blind_s, day.uncertain_s, day.probes, day.faults) == (0, 0, 0, 0)
    assert day.told("recovered") == []


def test_case_13_one_far_option_never_ends_the_stream() -> None:
    option = ScriptedUnit(NFO, (at("12:10"), at("12:10"), 1.0), last=at("09:47"))
    day = Day([option], at("11:00"), at("12:12")).run()
    assert day.lost_at_s is None
    assert (day.attempts_spent, day.faults, day.blind_s) == (0, 0, 0)
    assert {facts["answer"] for facts in day.told("probe")} == {"stands"}
    assert day.market("NFO") == ["expected", "standing", "live"]
    assert day.told_at("probe")[0] == "11:00:35"

    rest = Day(
        [ScriptedUnit(NFO, (at("12:10"), at("12:10"), 1.0), last=at("09:47"))],
        at("11:00"),
        at("16:00"),
    ).run()
    assert rest.lost_at_s is None
    assert rest.blind_s == 0
    assert rest.market("NFO") == ["expected", "standing", "live", "standing", "resting"]


def test_case_14_a_feed_that_sends_snapshots_only_is_given_up() -> None:
    withheld = [(at("11:00"), at("16:00"))]
    day = Day(liquid(), at("10:00"), at("12:00"), withheld=withheld).run()
    assert day.lost_at_s is not None
    assert day.faults == 4
    assert day.blind_s == pytest.approx(day.lost_at_s - moment(at("11:00")), abs=4)


def test_case_15_a_halt_costs_no_attempt_and_no_blind_second() -> None:
    units = [
        ScriptedUnit(NSE, (at("09:15"), at("13:00"), 1.0), (at("13:45"), at("15:30"), 1.0))
        for _ in range(4)
    ]
    day = Day(units, at("12:50"), at("14:00")).run()
    assert day.lost_at_s is None
    assert (day.faults, day.attempts_spent, day.attempt) == (1, 1, 0)
    assert day.blind_s == 0
    assert day.uncertain_s == pytest.approx(44 * 60, abs=60)
    assert day.market() == ["live", "standing", "live"]
    recovered = day.told("recovered")
    assert [facts["blind_s"] for facts in recovered] == [0]
    assert recovered[0]["uncertain_s"] == pytest.approx(day.uncertain_s, abs=1)


def test_case_15_a_late_opening_stands_until_it_opens() -> None:
    late = "2025-10-28"
    units = [
        ScriptedUnit(MCX, (at("13:25", late), at("23:30", late), 1.0), last="2025-10-27 23:29:50")
        for _ in range(4)
    ]
    day = Day(units, at("08:00", late), at("14:00", late)).run()
    assert day.lost_at_s is None
    assert (day.attempts_spent, day.blind_s) == (0, 0)
    assert day.uncertain_s == pytest.approx(4 * 3600 + 25 * 60, abs=60)
    assert day.market("MCX") == ["resting", "expected", "standing", "live"]


def test_case_16_a_clock_ten_minutes_fast_closes_no_market() -> None:
    cut = [(at("15:25"), at("15:25:05"))]
    day = Day(liquid(), at("15:10"), at("15:29"), clock_error_s=600, cut=cut).run()
    assert day.blind_s == pytest.approx(7, abs=1.5)
    silent = Day(
        liquid(),
        at("15:10"),
        at("15:29"),
        clock_error_s=600,
        deaf_links=[(at("15:25"), at("16:00"))],
    ).run()
    assert silent.faults == 1


def test_case_16b_a_clock_ten_minutes_slow_hides_no_drop() -> None:
    cut = [(at("09:20"), at("09:20:05"))]
    day = Day(liquid(), at("09:15"), at("09:24"), clock_error_s=-600, cut=cut).run()
    assert day.lost_at_s is None
    assert day.blind_s == pytest.approx(7, abs=2)
    assert day.state_at(at("09:17")) == "live"


@pytest.mark.parametrize("date_offset_s", [600.0, 0.0])
def test_case_16c_a_fresh_snapshot_on_a_wrong_clock(date_offset_s: float) -> None:
    units = [ScriptedUnit(NSE, last=at("09:59:59"))]
    day = Day(units, at("10:00"), at("10:02"), clock_error_s=600, date_offset_s=date_offset_s).run()
    assert day.lost_at_s is None
    assert (day.attempt, day.blind_s) == (0, 0)
    assert ("live" in day.market()) is bool(date_offset_s)


def test_case_17_farm_goods_are_quiet_after_1700() -> None:
    units = liquid("09:00", "16:59:50", exchange_type=MCX, kind=Kind.FARM, count=1)
    quiet_day(Day(units, at("16:50"), at("18:00")).run())


def test_case_18_a_drill_on_an_unlisted_saturday() -> None:
    drill = "2024-03-02"
    units = [
        ScriptedUnit(
            NSE,
            (at("09:15", drill), at("10:00", drill), 1.0),
            (at("11:30", drill), at("12:30", drill), 1.0),
        )
        for _ in range(4)
    ]
    calendar = MarketCalendar(announced=unlisted(drill))
    day = Day(units, at("09:10", drill), at("13:00", drill), calendar).run()
    assert day.lost_at_s is None
    assert (day.blind_s, day.uncertain_s, day.faults) == (0, 0, 0)
    probes = [at_ for at_ in day.told_at("probe") if at_ < "11:00:00"]
    assert 2 <= len(probes) <= 5
    assert probes[0] < "10:01:00"
    assert probes[-1] < "10:16:00"
    assert day.market() == ["resting", "live", "resting", "live", "resting"]


def test_case_18_the_listed_drill_has_no_probe() -> None:
    drill = "2024-03-02"
    units = [
        ScriptedUnit(
            NSE,
            (at("09:15", drill), at("10:00", drill), 1.0),
            (at("11:30", drill), at("12:30", drill), 1.0),
        )
        for _ in range(4)
    ]
    quiet_day(Day(units, at("09:16", drill), at("13:00", drill)).run())


def test_case_19_mock_trading_is_recorded_and_a_drop_in_it_counts() -> None:
    mock = "2026-01-03"
    cut = [(at("12:00", mock), at("12:00:05", mock))]
    day = Day(liquid("11:15", "14:00", day=mock), at("11:30", mock), at("12:10", mock), cut=cut)
    day.run()
    assert day.told("market")[-1]["session"] == "unlisted"
    assert day.blind_s == pytest.approx(7, abs=1.5)


def test_case_20_overnight_cuts_are_free_and_the_morning_is_expected() -> None:
    cuts = [(f"2026-12-16 0{hour}:00", f"2026-12-16 0{hour}:00:02") for hour in (1, 4)]
    units = liquid(last=YESTERDAY)
    day = Day(units, "2026-12-15 23:56", at("09:20"), cut=cuts).run()
    assert day.lost_at_s is None
    assert (day.blind_s, day.uncertain_s, day.probes, day.faults) == (0, 0, 0, 0)

    late = Day(liquid("09:20", last=YESTERDAY), "2026-12-15 23:56", at("09:19")).run()
    assert late.told_at("probe")[0] in {"09:15:35", "09:15:40"}
    assert late.attempts_spent == 0


def test_case_21_a_feed_that_is_mute_from_the_opening_is_given_up() -> None:
    mute = [(at("08:00"), at("16:00"))]
    day = Day(liquid(), at("09:10"), at("10:00"), mute=mute).run()
    assert day.lost_at_s is not None
    assert day.faults == 4
    assert day.blind_s == pytest.approx(day.lost_at_s - moment(at("09:15")), abs=2)


def test_case_22_a_link_of_yesterday_that_is_dead_is_found_out_by_the_first_probe() -> None:
    units = liquid(last=YESTERDAY)
    deaf = [(at("09:00"), at("16:00"))]
    day = Day(units, "2026-12-15 23:00", at("09:30"), deaf_links=deaf).run()
    assert day.lost_at_s is None
    assert [facts["answer"] for facts in day.told("probe")] == ["moved"]
    assert day.attempts_spent == 1
    assert day.blind_s == pytest.approx(31, abs=11)


def test_case_22_and_a_holiday_looks_alike_until_then() -> None:
    day = Day(still(), "2026-12-15 23:00", at("10:00")).run()
    assert day.told("probe")[0]["answer"] == "stands"
    assert (day.attempts_spent, day.blind_s) == (0, 0)
    assert day.market() == ["resting", "expected", "standing"]


def test_case_23_a_cut_of_an_index_after_the_close_counts() -> None:
    cut = [(at("15:32"), at("15:32:05"))]
    day = Day(liquid("09:15", "15:35", count=1), at("15:20"), at("15:50"), cut=cut).run()
    assert day.lost_at_s is None
    assert day.blind_s == pytest.approx(7, abs=1.5)
    assert (day.faults, day.probes) == (0, 0)


# --- rules that the cases do not show -------------------------------------------------------------


def test_always_open_makes_any_silence_a_fault_and_probes_nothing() -> None:
    calendar = MarketCalendar(is_always_open=True)
    saturday = "2026-12-19"
    units = still("2026-12-18 15:29:59", count=1)
    day = Day(units, at("03:00", saturday), at("04:00", saturday), calendar).run()
    assert day.lost_at_s is not None
    assert (day.faults, day.probes, day.uncertain_s) == (4, 0, 0)
    assert day.blind_s > 120


def test_always_open_takes_any_packet_for_the_end_of_blindness() -> None:
    calendar = MarketCalendar(is_always_open=True)
    units = [*still(at("09:00"), count=1), *still(at("09:00"), BSE, count=1)]
    cut = [(at("11:00:10"), at("11:00:12"))]
    day = Day(units, at("11:00"), at("11:00:20"), calendar, cut=cut).run()
    assert [facts["blind_s"] for facts in day.told("recovered")] == [pytest.approx(day.blind_s)]
    assert day.blind_s == pytest.approx(13, abs=1)
    assert day.told("market") == []


def test_a_feed_that_repeats_itself_is_never_probed() -> None:
    units = still(at("10:59:00"), count=1)
    day = Day(units, at("11:00"), at("11:30"), repeats_every_s=5).run()
    assert (day.probes, day.faults) == (0, 0)


@pytest.mark.parametrize("is_always_open", [False, True])
def test_live_ticks_after_a_loss_forgive_its_attempts(is_always_open: bool) -> None:
    cut = [(at("11:01"), at("11:01:05"))]
    calendar = MarketCalendar(is_always_open=is_always_open)
    day = Day(liquid(), at("11:00"), at("11:03"), calendar, cut=cut).run()
    assert (day.attempts_spent, day.attempt) == (3, 0)


def test_a_fault_says_how_long_the_silence_was() -> None:
    mute = [(at("11:01"), at("16:00"))]
    for calendar in (MarketCalendar(), MarketCalendar(is_always_open=True)):
        day = Day(liquid(), at("11:00"), at("11:02"), calendar, mute=mute).run()
        assert 30 <= float(str(day.told("silent")[0]["silence_s"])) <= 41


def test_a_standing_market_is_quiet_for_as_long_as_nothing_came_and_is_probed_again() -> None:
    day = Day(still(), at("09:20"), at("09:40")).run()
    assert day.told("quiet")[0]["silence_s"] == pytest.approx(5, abs=1)
    quiet, *probes = (moment(at(each)) for each in [*day.told_at("quiet"), *day.told_at("probe")])
    waits = [after - before for before, after in pairwise([quiet, *probes])]
    assert waits[0] == pytest.approx(FIRST_PROBE_S, abs=15)
    assert waits[1:] == pytest.approx([PROBE_EVERY_S] * len(waits[1:]), abs=15)


def test_a_probe_that_finds_two_segments_deaf_spends_one_attempt() -> None:
    calendar = MarketCalendar(announced=unlisted(SUNDAY))
    day = Day(
        [*liquid(day=SUNDAY), *liquid(day=SUNDAY, exchange_type=BSE)],
        at("11:00", SUNDAY),
        at("11:10", SUNDAY),
        calendar,
        deaf_links=[(at("11:04", SUNDAY), at("16:00", SUNDAY))],
    ).run()
    assert [facts["answer"] for facts in day.told("probe")] == ["moved", "moved"]
    assert day.attempts_spent == 1


def test_a_segment_that_is_dropped_is_neither_blind_nor_uncertain_from_then_on() -> None:
    standing, lost = (
        Day(still(), at("09:20"), at("09:40")),
        Day(
            liquid(), at("09:20"), at("09:40"), cut=[(at("09:30"), at("16:00"))], keeps_trying=True
        ),
    )
    assert standing.run().uncertain_s == pytest.approx(1195, abs=10)
    assert lost.run().blind_s == pytest.approx(600, abs=10)
    for day in (standing, lost):
        day.watch.want({Segment(BSE): 3}, day.mono_s)
        day.now_s += 600
    assert standing.uncertain_s == pytest.approx(1195, abs=10)
    assert lost.blind_s == pytest.approx(600, abs=10)


def test_a_mute_answer_is_judged_again_by_packets_that_come_late_and_prove_nothing() -> None:
    mute = [(at("09:00"), at("16:00"))]
    day = Day(still(count=1), at("11:00:05"), at("11:30"), mute=mute, repeats_every_s=20).run()
    assert day.market() == ["expected", "standing"]
    assert day.faults == 0


def test_a_slow_stream_is_given_three_times_its_longest_gap() -> None:
    times = (at("10:00"), at("11:00"), 100.0)
    day = Day([ScriptedUnit(NFO, times)], at("10:00"), at("11:30")).run()
    silences = [facts["silence_s"] for facts in day.told("silent")]
    assert len(silences) == 2  # after the first packet no gap was known yet
    assert silences[1] == pytest.approx(300, abs=11)
    assert day.lost_at_s is None
    assert day.blind_s == 0


def test_options_that_are_no_longer_lively_cost_a_few_reconnects_and_no_more() -> None:
    often, seldom = 5.0, 193.0
    lively_day = (at("09:15"), at("15:40"), often)
    lively_morning = (at("09:15", DAY_2), at("11:00", DAY_2), often)
    slow_rest = (at("11:01", DAY_2), at("15:40", DAY_2), seldom)
    slow_day = (at("09:15", DAY_2), at("15:40", DAY_2), seldom)
    for spans in [(lively_day, slow_day), (lively_day, lively_morning, slow_rest)]:
        units = [ScriptedUnit(NFO, *spans) for _ in range(4)]
        day = Day(units, at("09:00"), at("16:00", DAY_2)).run()
        assert day.connects <= 4
        assert (day.lost_at_s, day.blind_s) == (None, 0)


def test_units_that_tick_every_45_seconds_cost_a_reconnect_each_half_hour_at_most() -> None:
    spans = [(at(f"09:00:0{first}"), at("17:00"), 45.0) for first in (0, 3, 6)]
    units = [ScriptedUnit(CDS, span) for span in spans]
    day = Day(units, at("08:55"), at("17:10")).run()
    assert day.faults <= 20
    assert day.lost_at_s is None
    assert day.blind_s < 200


def test_a_single_liquid_instrument_is_found_silent_in_time() -> None:
    day = Day(liquid(count=1), at("09:00"), at("09:30"), mute=[(at("09:20"), at("16:00"))]).run()
    assert "09:20:29" <= day.told_at("silent")[0] <= "09:20:45"


@pytest.mark.parametrize("count", [1, 4])
def test_after_a_halt_a_dead_feed_is_found_as_soon_as_before_it(count: int) -> None:
    spans = [(at("09:15"), at("11:00"), 1.0), (at("11:45"), at("15:30"), 1.0)]
    units = [ScriptedUnit(NSE, *spans) for _ in range(count)]
    dead = [(at("11:46"), at("15:30"))]
    day = Day(units, at("10:30"), at("12:30"), deaf_links=dead).run()
    assert "11:46:30" <= day.told_at("silent")[-1] <= "11:46:42"
    assert day.blind_s < 45


def test_the_patience_with_a_slow_stream_ends_after_fifteen_minutes() -> None:
    times = (at("10:00"), at("11:20"), 1200.0)
    day = Day([ScriptedUnit(NFO, times)], at("10:00"), at("13:00")).run()
    silent = day.told("silent")
    assert silent
    assert all(float(str(facts["silence_s"])) <= 915 for facts in silent)
    assert day.lost_at_s is None


def test_a_mute_segment_beside_a_live_one_stands_and_reconnects_nothing() -> None:
    units = [*liquid(), *still(exchange_type=BSE)]
    for unit in units[4:]:
        unit.times = []
    day = Day(units, at("11:00"), at("12:00")).run()
    assert (day.connects, day.faults, day.blind_s) == (1, 0, 0)
    assert day.market("BSE") == ["expected", "standing"]
    assert day.uncertain_s > 3000


def test_a_standing_segment_is_not_probed_while_its_neighbour_ticks() -> None:
    option = ScriptedUnit(NFO, last=at("09:47"))
    day = Day([*liquid(), option], at("11:00"), at("12:00")).run()
    assert day.probes == 1
    assert day.blind_s < 3
    assert day.attempts_spent == 0
    assert day.market("NSE") == ["live"]


def test_the_ticks_of_a_neighbour_do_not_hide_a_segment_that_is_lost() -> None:
    units = [*liquid(), *liquid("09:15", "15:40", exchange_type=NFO)]
    withheld = [(at("11:10"), at("16:00"))]
    day = Day(units, at("11:00"), at("12:00"), withheld=withheld, withheld_of=NFO).run()
    assert day.faults == 4
    assert day.lost_at_s is not None


def test_two_segments_blind_at_once_are_blind_once() -> None:
    units = [*liquid(), *liquid("09:15", "15:40", exchange_type=NFO)]
    day = Day(units, at("11:00"), at("11:10"), cut=[(at("11:05"), at("11:05:05"))]).run()
    assert day.blind_s == pytest.approx(7, abs=1.5)


def test_two_segments_standing_at_once_are_uncertain_once() -> None:
    units = [*still(), *still("2026-12-15 15:39:59", NFO)]
    day = Day(units, at("10:00"), at("11:00")).run()
    assert day.uncertain_s == pytest.approx(3600, abs=10)


def test_a_probe_that_finds_that_the_market_moved_counts_from_the_last_packet() -> None:
    option = ScriptedUnit(NFO, (at("11:20"), at("11:20"), 1.0), last=at("09:47"))
    deaf = [(at("11:19"), at("11:20:30"))]
    day = Day([option], at("11:00"), at("11:30"), deaf_links=deaf).run()
    assert [facts["answer"] for facts in day.told("probe")].count("moved") == 1
    assert (day.attempts_spent, day.attempt) == (2, 0)
    assert 0 < day.blind_s <= 301
    assert day.told("recovered")[0]["blind_s"] == pytest.approx(day.blind_s)


def test_a_span_is_never_longer_than_the_exchange_time_that_moved() -> None:
    units = [
        ScriptedUnit(NSE, (at("09:15"), at("11:00"), 1.0), (at("11:10"), at("15:30"), 1.0))
        for _ in range(4)
    ]
    cut = [(at("11:00:05"), at("11:00:06")), (at("11:09:58"), at("11:10:04"))]
    day = Day(units, at("10:55"), at("11:20"), cut=cut).run()
    assert day.blind_s < 8 + 601
    assert day.lost_at_s is None


def test_a_loss_in_the_session_that_ends_on_the_next_day_counts_the_sessions_only() -> None:
    units = [
        *[
            ScriptedUnit(
                NSE, (at("15:00"), at("15:30"), 1.0), ("2026-12-17 09:15", "2026-12-17 10:00", 1.0)
            )
            for _ in range(3)
        ]
    ]
    cut = [(at("15:20"), "2026-12-17 09:19:58")]
    day = Day(units, at("15:10"), "2026-12-17 09:40", cut=cut, keeps_trying=True).run()
    assert day.blind_s == pytest.approx(15 * 60, abs=10)


def test_a_loss_before_the_opening_is_blind_from_the_opening_on() -> None:
    cut = [(at("09:14:50"), at("09:15:10"))]
    day = Day(liquid(), at("09:05"), at("09:20"), cut=cut, keeps_trying=True).run()
    assert day.blind_s == pytest.approx(11, abs=5)


def test_a_year_without_lists_keeps_the_rules() -> None:
    republic_day = "2031-01-27"  # the 26th is a Sunday: a plain Monday
    calendar = MarketCalendar(announced=Announced())
    units = liquid(day=republic_day)
    day = Day(units, at("11:00", republic_day), at("11:10", republic_day), calendar).run()
    assert day.market() == ["live"]


@pytest.mark.parametrize("exchange_type", [99, NCO])
def test_a_segment_without_known_hours_is_live_by_its_packets(exchange_type: int) -> None:
    kind = Kind.NO_HOURS if exchange_type == NCO else Kind.ORDINARY
    units = [
        ScriptedUnit(exchange_type, (at("11:00"), at("11:20"), 1.0), kind=kind) for _ in range(3)
    ]
    day = Day(units, at("11:00"), at("13:00"), cut=[(at("11:10"), at("11:10:05"))]).run()
    assert day.lost_at_s is None
    assert day.faults == 0
    assert day.blind_s == pytest.approx(7, abs=1.5)
    assert day.probes <= 4
    assert not any("session" in facts for facts in day.told("market"))


def test_goods_without_known_hours_that_tick_at_a_weekend_are_in_an_unlisted_session() -> None:
    saturday = "2026-12-12"
    span = (at("11:00", saturday), at("11:20", saturday), 1.0)
    units = [ScriptedUnit(NCO, span, kind=Kind.NO_HOURS)]
    day = Day(units, at("11:00", saturday), at("11:10", saturday)).run()
    assert [facts.get("session") for facts in day.told("market")] == ["unlisted"]


def test_a_slow_instrument_of_an_unlisted_session_costs_the_others_no_probes() -> None:
    saturday = "2026-12-12"
    slow = ScriptedUnit(NFO, (at("10:00", saturday), at("12:00", saturday), 200.0))
    units = [*liquid(day=saturday), slow]
    day = Day(units, at("10:05", saturday), at("11:50", saturday)).run()
    assert day.probes <= 3  # until its gaps are known
    assert (day.attempts_spent, day.faults) == (0, 0)


def test_probes_are_spread_by_the_draw() -> None:
    day = Day(still(), at("09:20"), at("11:20"), draw=1.0, check_every_s=1.0).run()
    times = [at_s for at_s, name, _ in day.events if name == "probe"][1:]
    assert all(329 <= after - before <= 340 for before, after in pairwise(times))


def test_one_probe_asks_for_every_segment_that_stands() -> None:
    currencies = still("2026-12-15 16:59:59", CDS)  # since 09:00, the shares since 09:15
    day = Day(still() + currencies, at("08:55"), at("15:15"), draw=0.7).run()
    assert day.probes <= 6.25 * 3600 / PROBE_EVERY_S + 3
    assert day.attempts_spent == 0


def test_a_fault_of_one_segment_is_the_probe_of_another_and_spends_one_attempt() -> None:
    late = liquid("09:15:05", exchange_type=BSE, last=YESTERDAY)
    deaf_links = [(at("09:15:00.5"), at("16:00"))]
    day = Day(liquid("09:00") + late, at("09:10"), at("09:20"), deaf_links=deaf_links).run()
    assert (day.faults, day.attempts_spent, day.connects) == (1, 1, 2)
    assert day.blind_s == pytest.approx(31, abs=1)


def test_segments_that_were_lost_overnight_are_blind_in_the_same_minutes_of_the_morning() -> None:
    shares = ScriptedUnit(
        NSE, (at("15:29"), at("15:30"), 1.0), (at("09:15", DAY_2), at("09:30", DAY_2), 1.0)
    )
    goods = ScriptedUnit(
        MCX, (at("15:29"), at("23:55"), 1.0), (at("09:00", DAY_2), at("09:30", DAY_2), 1.0)
    )
    cut = [(at("08:50", DAY_2), at("09:20", DAY_2))]
    start, end = at("15:29"), at("09:25", DAY_2)
    day = Day([shares, goods], start, end, cut=cut, keeps_trying=True).run()
    assert day.blind_s == pytest.approx(20 * 60, abs=10)


def test_short_settings_judge_an_answer_as_early() -> None:
    day = Day(still(), at("09:20"), at("09:21"), silence_after_s=2, check_every_s=1).run()
    assert day.told_at("quiet") == ["09:20:02"]


def test_a_standing_of_yesterday_says_nothing_of_today() -> None:
    units = still("2026-12-14 15:29:59")
    day = Day(units, at("15:00", "2026-12-15"), at("09:20")).run()
    assert day.told("market")[-2]["state"] == "expected"
    assert day.told("market")[-1]["state"] == "standing"
    assert day.lost_at_s is None


# --- answers, and what they cost ------------------------------------------------------------------


def one_of(*changes: str, exchange_type: int = NFO, day: str = PLAIN) -> ScriptedUnit:
    """A unit that changes at these times alone."""
    return ScriptedUnit(exchange_type, *((at(each, day), at(each, day), 1.0) for each in changes))


def test_a_watch_that_has_not_asked_awaits_and_demands_nothing() -> None:
    watch = MarketWatch(MarketCalendar())
    watch.want({Segment(NSE): 1}, 1000.0)
    assert watch.due_s == math.inf
    assert watch.check(1500.0, round(moment(at("11:00")) * 10**9), 0.0).demand is Demand.NOTHING


def test_a_link_that_carries_nothing_can_be_lost() -> None:
    watch = MarketWatch(MarketCalendar(is_always_open=True))
    wall_ns = round(moment(at("11:00")) * 10**9)
    watch.asked(1000.0)
    watch.lost(1001.0, wall_ns, Reason("network"))
    assert watch.blind_s(1010.0) == 0.0


def test_a_snapshot_that_brings_nothing_new_proves_that_nothing_was_missed() -> None:
    option = one_of("11:00", "11:06:03", "11:06:33")
    cut = [(at("11:05:58"), at("11:06")), (at("11:06:28"), at("11:06:30"))]
    day = Day([option], at("10:59:50"), at("11:07"), cut=cut).run()
    assert day.blind_s == 0
    assert day.told("recovered")[0]["blind_s"] == 0


def test_what_was_traded_while_the_link_was_down_is_blind_though_it_is_long_ago() -> None:
    option = one_of("11:00", "11:10")
    cut = [(at("11:05"), at("11:20"))]
    day = Day([option], at("10:59:50"), at("11:22"), cut=cut, keeps_trying=True).run()
    assert day.blind_s == pytest.approx(601, abs=1)  # to the trade that was missed, and no longer


def test_a_live_packet_settles_a_probe_and_says_that_the_market_stood() -> None:
    option = one_of("09:47", "11:00:33")
    day = Day([option], at("11:00"), at("11:00:40"), check_every_s=1).run()
    assert day.told_at("probe") == ["11:00:33"]
    assert day.told("probe")[0]["answer"] == "stands"
    assert (day.attempts_spent, day.blind_s) == (0, 0)


def test_a_link_that_is_mute_after_a_loss_leaves_the_span_open() -> None:
    cut, mute = [(at("11:05"), at("11:05:02"))], [(at("11:05"), at("11:05:20"))]
    day = Day(liquid(), at("11:00"), at("11:06"), cut=cut, mute=mute).run()
    assert day.blind_s == pytest.approx(21, abs=1.5)


def test_a_link_that_is_mute_after_the_close_was_blind_until_it_was_asked() -> None:
    cut, mute = [(at("15:32"), at("15:32:02"))], [(at("15:32"), at("16:00"))]
    index = liquid("09:15", "15:33:50", count=1)
    day = Day(index, at("15:20"), at("15:40"), cut=cut, mute=mute).run()
    assert day.blind_s == pytest.approx(3, abs=1.5)


def test_a_loss_that_spans_the_close_counts_for_as_long_as_it_ticked_on() -> None:
    index = liquid("09:15", "15:33:50", count=1)
    cut = [(at("15:29:50"), at("15:31:00"))]
    day = Day(index, at("15:20"), at("15:33"), cut=cut, keeps_trying=True).run()
    assert day.blind_s == pytest.approx(72, abs=4)


def test_what_moved_a_moment_ago_is_no_halt_yet() -> None:
    units = [ScriptedUnit(NSE, (at("11:00"), at("11:10"), 20.0)) for _ in range(3)]
    day = Day(units, at("11:00"), at("11:04"), cut=[(at("11:02:02"), at("11:02:04"))]).run()
    assert day.market() == ["live"]
    assert (day.told("quiet"), day.uncertain_s, day.blind_s) == ([], 0, 0)


def test_links_that_break_before_anything_came_add_up() -> None:
    cut = [
        (at(f"11:0{number // 6}:{number % 6}8"), at(f"11:0{number // 6}:{number % 6}9"))
        for number in range(30)
    ]
    day = Day(liquid(), at("11:00"), at("11:05"), cut=cut, mute=[(at("11:00"), at("16:00"))]).run()
    assert day.faults == 0
    assert day.lost_at_s is not None


def test_a_segment_lives_from_its_first_packet_and_not_from_the_next_check() -> None:
    units = liquid("13:45:03", "14:45", day=MUHURAT, last=f"{MUHURAT} 13:30:00")
    day = Day(units, at("13:40", MUHURAT), at("13:46", MUHURAT)).run()
    assert day.told_at("market")[-1] == "13:45:03"


def test_an_unlisted_session_that_fell_silent_is_probed_after_a_minute_and_then_less_often() -> (
    None
):
    units = liquid("11:00", "11:10", day="2026-11-08", last="2026-11-06 15:29:59")
    day = Day(units, at("11:05", "2026-11-08"), at("12:00", "2026-11-08"), check_every_s=1).run()
    silence, *probes = (
        moment(f"2026-11-08 {each}") for each in ["11:10:30", *day.told_at("probe")]
    )
    waits = [after - before for before, after in pairwise([silence, *probes])]
    assert waits == [pytest.approx(wait_s, abs=8) for wait_s in (0, FIRST_PROBE_S, 300, 300)]


def test_a_segment_that_stands_is_not_blind_while_the_link_is_down() -> None:
    cut = [(at("10:00"), at("10:10"))]
    day = Day(still(), at("09:20"), at("10:05"), cut=cut, keeps_trying=True).run()
    assert day.blind_s == 0


def test_a_loss_beside_a_standing_segment_costs_what_the_other_one_missed() -> None:
    units = [*liquid(), ScriptedUnit(NFO, last=at("09:47"))]
    day = Day(units, at("11:00"), at("11:10"), cut=[(at("11:05"), at("11:05:05"))]).run()
    assert day.market("NFO")[-1] == "standing"
    assert day.told("recovered")[-1]["blind_s"] == pytest.approx(7, abs=1.5)


def test_the_first_of_two_segments_that_is_back_ends_no_loss() -> None:
    units = [*liquid(), *liquid("09:15", "15:40", exchange_type=NFO)]
    for unit in units[4:]:
        unit.times = [each for each in unit.times if not 0 <= each - moment(at("11:05")) < 6]
    day = Day(units, at("11:00"), at("11:06"), cut=[(at("11:05"), at("11:05:02"))]).run()
    assert day.told_at("recovered") == ["11:05:06"]


def test_attempts_are_not_forgiven_by_the_neighbour_of_a_segment_that_was_mute() -> None:
    units = [*liquid(exchange_type=BSE), ScriptedUnit(NSE)]
    day = Day(units, at("11:00"), at("11:00:50"), mute=[(at("10:00"), at("11:00:35"))]).run()
    assert day.faults == 1
    assert day.market("BSE")[-1] == "live"
    assert day.attempt == 1
    day.end = at("11:01:30")
    assert day.run().attempt == 0  # by then it stands: its neighbour ticks, and it does not


# --- segments that come and go --------------------------------------------------------------------


def added(day: Day, unit: ScriptedUnit, end: str) -> Day:
    """The day goes on until `end` with one unit more."""
    day.units.append(unit)
    day.times[id(unit)] = UnitTimes(day.watch.segment(unit.exchange_type, day.mono_s))
    day.watch.want(
        {
            Segment(each.exchange_type): day._count(Segment(each.exchange_type))
            for each in day.units
        },
        day.mono_s,
    )
    day.end = end
    return day.run()


def test_a_segment_that_is_added_to_a_running_link_is_judged_after_five_seconds() -> None:
    day = Day(liquid(), at("11:00"), at("11:30")).run()
    added(day, ScriptedUnit(BSE), at("11:31"))
    assert day.market("BSE") == ["expected", "standing"]
    [quiet] = day.told("quiet")
    assert quiet["exchange"] == "BSE"
    assert quiet["silence_s"] == pytest.approx(30, abs=11)  # since it was added, not since 11:00


def test_what_went_on_while_a_segment_was_not_wanted_was_not_missed() -> None:
    units = [*liquid(), *liquid(exchange_type=BSE, count=1)]
    day = Day(units, at("11:00"), at("11:05")).run()
    day.watch.want({Segment(NSE): 4}, day.mono_s)
    day.end = at("11:10")
    day.run()
    day.watch.want({Segment(NSE): 4, Segment(BSE): 1}, day.mono_s)
    before_s = day.blind_s
    day.cut, day.end = [(at("11:10"), at("11:10:03"))], at("11:11")
    assert day.run().blind_s - before_s == pytest.approx(5, abs=3)


# --- what is shown --------------------------------------------------------------------------------


def test_a_segment_is_shown_with_its_newest_time_and_its_limit() -> None:
    times = (at("10:00"), at("11:00"), 100.0)
    day = Day([ScriptedUnit(NFO, times)], at("10:00"), at("10:29:50")).run()
    [sight] = day.watch.sights()
    assert sight.newest is not None
    assert f"{sight.newest:%H:%M:%S}" == "10:28:20"
    assert sight.limit_s == pytest.approx(300, abs=3)


@pytest.mark.parametrize("is_always_open", [False, True])
def test_once_the_answer_is_known_not_every_drain_is_looked_at(is_always_open: bool) -> None:
    calendar = MarketCalendar(is_always_open=is_always_open)
    day = Day(liquid(), at("11:00"), at("11:01"), calendar).run()
    assert not day.watch.is_urgent


def test_a_mute_feed_is_silent_for_as_long_as_nothing_came() -> None:
    mute = [(at("09:00"), at("16:00"))]
    day = Day(still(), at("09:20"), at("09:21"), mute=mute).run()
    assert day.told("silent")[0]["silence_s"] == pytest.approx(30, abs=11)
