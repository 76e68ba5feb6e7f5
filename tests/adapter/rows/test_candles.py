"""Ticks become bars: anchored at the opening, of trades only, each instrument by itself."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import IST
from ticks.adapter.market.calendar import MarketCalendar, SpecialSession
from ticks.adapter.rows.candles import GRACE_MS, Candle, CandleMaker, LeftOut, check_width

SBIN, RELIANCE = (1, "3045"), (1, "2885")
Trade = tuple[int, int, int]
"""Milliseconds after the market opened, price, the day's volume."""


def ms(text: str, day: str = "2026-11-20") -> int:
    """A time in India."""
    return round(datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=IST).timestamp() * 1000)


OPEN_MS = ms("09:15")
MINUTE_MS = 60_000


def shown(candle: Candle) -> str:
    return datetime.fromtimestamp(candle.start_ms / 1000, IST).strftime("%m-%d %H:%M")


def feed(
    maker: CandleMaker,
    *ticks: tuple[str, int, int | None],
    key: tuple[int, str] = SBIN,
    received: str | None = None,
    day: str = "2026-11-20",
) -> CandleMaker:
    """Ticks (time, price, volume), received at once unless said otherwise."""
    for at, price, volume in ticks:
        maker.add(key, "", ms(at, day), ms(received or at, day), price, volume)
    return maker


def bars_of(maker: CandleMaker) -> list[tuple[object, ...]]:
    """(start, open, high, low, close, volume, ticks)."""
    return [(shown(each)[6:], *each[4:10]) for each in maker.take_all()]


def made(trades: list[Trade], width_s: int = 60) -> CandleMaker:
    maker = CandleMaker(width_s)
    for after_ms, price, volume in trades:
        time_ms = OPEN_MS + after_ms
        maker.add(SBIN, "SBIN-EQ", time_ms, time_ms, price, volume)
    return maker


# --- inside a bar --------------------------------------------------------------------------------


def test_a_bar_has_the_first_highest_lowest_and_last_price_and_what_was_traded() -> None:
    maker = feed(
        CandleMaker(60),
        ("09:15:00", 100, 50),
        ("09:15:01", 103, 60),
        ("09:15:59", 99, 75),
        ("09:16:00", 98, 80),
        ("09:17:59", 97, 90),
    )
    assert bars_of(maker) == [
        ("09:15", 100, 103, 99, 99, 75, 3),
        ("09:16", 98, 98, 98, 98, 5, 1),
        ("09:17", 97, 97, 97, 97, 10, 1),
    ]


def test_of_equal_times_the_first_opens_and_the_last_closes() -> None:
    maker = feed(CandleMaker(60), *(("09:15:05", price, 0) for price in (1, 2, 3)))
    assert bars_of(maker) == [("09:15", 1, 3, 1, 3, 0, 3)]


def test_the_times_of_the_exchange_order_a_bar_and_not_the_coming() -> None:
    maker = feed(CandleMaker(60), ("09:15:05", 2, None), ("09:15:04", 1, None))
    assert bars_of(maker) == [("09:15", 1, 2, 1, 2, None, 2)]


def test_more_days_than_are_remembered_make_the_same_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    days = ("2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20")

    def bars() -> list[tuple[object, ...]]:
        maker = CandleMaker(60)
        for day in days:
            feed(maker, ("09:15:00", 100, 50), ("09:15:01", 103, 60), day=day)
        return bars_of(maker)

    usual = bars()
    monkeypatch.setattr("ticks.adapter.rows.candles._MOST_DAYS", 2)
    assert bars() == usual
    assert len(usual) == len(days)


# --- where bars begin ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exchange_type", "width_s", "at", "start"),
    [
        (1, 60, "09:15:00", "09:15"),
        (1, 60, "09:15:59.999", "09:15"),
        (1, 900, "09:44:59", "09:30"),
        (1, 3600, "10:14:59", "09:15"),
        (1, 3600, "10:15:00", "10:15"),
        (1, 4500, "15:29:59", "14:15"),
        (1, 7500, "15:29:59", "13:25"),
        (1, 86_400, "15:33:50", "09:15"),
        (2, 4500, "15:39:00", "15:30"),
        (5, 3600, "09:59:59", "09:00"),
        (5, 4500, "10:15:00", "10:15"),
        (5, 86_400, "23:29:00", "09:00"),
        (13, 4500, "10:14:59", "09:00"),
    ],
)
def test_bars_begin_with_the_opening_of_their_segment(
    exchange_type: int, width_s: int, at: str, start: str
) -> None:
    maker = feed(CandleMaker(width_s), (at, 1, None), key=(exchange_type, "1"))
    [candle] = maker.take_all()
    assert shown(candle)[6:] == start


def test_a_special_session_has_bars_from_its_own_opening() -> None:
    session = SpecialSession(date(2026, 11, 8), time(18, 5), time(19, 5), frozenset({1}))
    maker = CandleMaker(3600, MarketCalendar(special_sessions=(session,)))
    feed(maker, ("18:04:59", 1, None), ("18:05:00", 2, None), ("19:04", 3, None), day="2026-11-08")
    assert bars_of(maker) == [("18:05", 2, 3, 2, 3, None, 2)]


def test_the_first_moment_of_a_day_is_in_its_first_bar() -> None:
    maker = CandleMaker(60, MarketCalendar(is_always_open=True))
    for at, day, received_ms in [
        ("23:59:58", "2026-11-19", ms("23:59:58", "2026-11-19")),
        ("00:00:00", "2026-11-20", ms("23:59:59", "2026-11-19")),
        ("00:00:00", "2026-11-20", ms("00:00:00")),
        ("00:00:30", "2026-11-20", ms("00:00:30")),
    ]:
        maker.add(SBIN, "", ms(at, day), received_ms, 1, None)
    assert [(shown(each), each.ticks) for each in maker.take_all()] == [
        ("11-19 23:59", 1),
        ("11-20 00:00", 3),
    ]
    assert not maker.left_out


def test_a_bar_is_called_as_its_instrument_was_last() -> None:
    maker = CandleMaker(60)
    for second, symbol in ((0, "OLD"), (1, "NEW")):
        maker.add(SBIN, symbol, OPEN_MS + second, OPEN_MS + second, 1, None)
    assert [each.symbol for each in maker.take_all()] == ["NEW"]


def test_a_bar_ends_with_its_day() -> None:
    [candle] = feed(CandleMaker(7500), ("23:54:00", 1, None), key=(5, "1")).take_all()
    assert candle.end_ms == ms("00:00", "2026-11-21")


# --- trades only ---------------------------------------------------------------------------------


def test_price_0_is_in_no_bar() -> None:
    maker = feed(CandleMaker(60), ("09:15:00", 0, 0), ("09:15:01", 7, 5))
    assert bars_of(maker) == [("09:15", 7, 7, 7, 7, 5, 1)]
    assert maker.left_out == {LeftOut.NO_PRICE: 1}


def test_what_is_from_before_the_opening_is_in_no_bar_and_its_volume_in_the_first() -> None:
    ticks = [("09:07:30", 90, 0), ("09:08:10", 95, 400), ("09:15:00", 100, 410)]
    maker = feed(CandleMaker(60), *ticks)
    assert bars_of(maker) == [("09:15", 100, 100, 100, 100, 410, 1)]
    assert maker.left_out[LeftOut.PRE_OPEN] == 2


def test_the_pre_open_has_bars_where_it_is_kept() -> None:
    ticks = [("09:07:30", 90, 0), ("09:08:10", 95, 400), ("09:15:00", 100, 410)]
    maker = feed(CandleMaker(60, keeps_pre_open=True), *ticks)
    assert bars_of(maker) == [
        ("09:07", 90, 90, 90, 90, 0, 1),
        ("09:08", 95, 95, 95, 95, 400, 1),
        ("09:15", 100, 100, 100, 100, 10, 1),
    ]
    daily = feed(CandleMaker(86_400, keeps_pre_open=True), *ticks)
    assert bars_of(daily) == [("09:15", 90, 100, 90, 100, 410, 3)]


def test_a_market_that_is_always_open_has_no_pre_open() -> None:
    maker = CandleMaker(900, MarketCalendar(is_always_open=True))
    assert [bar[0] for bar in bars_of(feed(maker, ("02:29", 1, None)))] == ["02:15"]


def test_in_a_market_that_is_always_open_nobody_was_there_before_its_day() -> None:
    maker = CandleMaker(60, MarketCalendar(is_always_open=True))
    feed(maker, ("03:00:00", 1, 50), ("03:00:01", 1, 60))
    assert bars_of(maker) == [("03:00", 1, 1, 1, 1, 10, 2)]


def test_a_packet_of_an_earlier_day_is_in_no_bar() -> None:
    maker = CandleMaker(60)
    maker.add(SBIN, "", ms("15:29:59", "2026-11-19"), ms("09:20"), 1, 500)
    feed(maker, ("09:20:01", 2, 30), ("09:20:02", 3, 35))
    assert bars_of(maker) == [("09:20", 2, 3, 2, 3, 5, 2)]
    assert maker.left_out[LeftOut.OLD] == 1


def test_a_tick_without_a_time_of_the_exchange_counts_when_it_was_received() -> None:
    maker = CandleMaker(60)
    maker.add(SBIN, "", 0, ms("09:16:01"), 1, None)
    assert bars_of(maker) == [("09:16", 1, 1, 1, 1, None, 1)]


def test_an_old_snapshot_is_not_a_trade_of_its_bar_and_what_volumes_are_counted_from() -> None:
    maker = feed(CandleMaker(60), ("10:12:00", 5, 900), received="11:00:00")
    feed(maker, ("11:00:10", 6, 930))
    assert bars_of(maker) == [("11:00", 6, 6, 6, 6, 30, 1)]
    assert maker.left_out[LeftOut.KNOWN] == 1


def test_what_an_old_snapshot_had_traded_counts_for_a_recorder_that_was_there_all_day() -> None:
    maker = CandleMaker(60)
    maker.watch([SBIN], ms("09:00"))
    feed(maker, ("10:12:00", 5, 900), received="11:00:00")
    feed(maker, ("11:00:10", 6, 930))
    assert bars_of(maker) == [("11:00", 6, 6, 6, 6, 930, 1)]


def test_what_a_new_connection_repeats_is_in_no_bar() -> None:
    maker = feed(CandleMaker(60), ("10:00:00", 5, 900), ("10:00:00", 5, 900))
    feed(maker, ("10:00:00", 5, 900), received="10:00:02")
    feed(maker, ("10:00:00", 6, 950), received="10:00:02")
    assert bars_of(maker) == [("10:00", 5, 6, 5, 6, 50, 3)]
    feed(maker, ("10:00:00", 6, 950), received="10:00:05")
    assert maker.left_out == {LeftOut.KNOWN: 2}


# --- times ahead ---------------------------------------------------------------------------------


def test_one_packet_ahead_of_the_market_destroys_nothing() -> None:
    maker = feed(CandleMaker(60), ("10:00:00", 1, None))
    feed(maker, ("10:50:00", 9, None), received="10:00:01")
    feed(maker, ("10:00:02", 2, None))
    feed(maker, ("10:00:03", 3, None), key=RELIANCE)
    assert [bar[:2] for bar in bars_of(maker)] == [("10:00", 3), ("10:00", 1)]
    assert maker.left_out == {LeftOut.AHEAD: 1}


def test_a_packet_that_goes_on_from_one_ahead_proves_both() -> None:
    maker = feed(CandleMaker(60), ("10:00:00", 1, None))
    for second in (1, 1, 2, 3, 3):
        feed(maker, (f"10:05:0{second}", 9, None), received=f"10:00:0{second}")
    feed(maker, ("11:30:00", 99, None), received="10:00:10")  # this one goes on from nothing
    assert bars_of(maker) == [("10:00", 1, 1, 1, 1, None, 1), ("10:05", 9, 9, 9, 9, None, 5)]
    assert maker.left_out == {LeftOut.AHEAD: 1}


def test_a_packet_ahead_that_nothing_follows_is_in_no_bar() -> None:
    maker = feed(CandleMaker(60), ("10:50:00", 9, None), received="10:00:01")
    assert bars_of(maker) == []
    assert maker.left_out == {LeftOut.AHEAD: 1}
    maker.add(SBIN, "", 1 << 62, ms("10:00"), 1, None)
    assert maker.left_out == {LeftOut.AHEAD: 2}


@pytest.mark.parametrize(
    "ahead",
    [
        (("10:50:00", "10:00:01"), ("10:50:00", "10:00:01")),
        (("10:10:00", "10:00:01"), ("10:20:00", "10:00:06")),
    ],
    ids=["twice the same", "further than time has passed"],
)
def test_what_does_not_go_on_from_a_packet_ahead_proves_nothing(
    ahead: tuple[tuple[str, str], ...],
) -> None:
    maker = feed(CandleMaker(60), ("10:00:00", 1, None))
    for at, received in ahead:
        feed(maker, (at, 9, None), received=received)
    assert bars_of(maker) == [("10:00", 1, 1, 1, 1, None, 1)]
    assert maker.left_out == {LeftOut.AHEAD: len(ahead)}


def test_only_a_packet_that_was_ahead_itself_can_be_gone_on_from() -> None:
    maker = feed(CandleMaker(60), ("10:00:50", 1, None), received="10:00:00")
    feed(maker, ("10:01:50", 9, None), received="10:00:10")
    assert bars_of(maker) == [("10:00", 1, 1, 1, 1, None, 1)]
    assert maker.left_out == {LeftOut.AHEAD: 1}


@pytest.mark.parametrize("skew_s", [-600, -61, 61, 600])
def test_a_wrong_clock_of_this_machine_costs_nothing(skew_s: int) -> None:
    maker = CandleMaker(60)
    for step in range(40):  # exchange times are whole seconds: several packets have the same
        at_ms = ms("10:00:50") + step * 300
        exchange_ms = at_ms - at_ms % 1000
        maker.add(SBIN, "", exchange_ms, at_ms + skew_s * 1000, 100 + step, None)
    assert maker.latest_ms == ms("10:01:01")
    bars = [("10:00", 100, 133, 100, 133, None, 34), ("10:01", 134, 139, 134, 139, None, 6)]
    assert bars_of(maker) == bars


@pytest.mark.parametrize("skew_s", [-600, 600])
@pytest.mark.parametrize(("start", "volume"), [("09:13:00", 219), ("09:16:00", 59)])
def test_a_wrong_clock_does_not_tell_who_was_there_before_the_opening(
    skew_s: int, start: str, volume: int
) -> None:
    maker, since_ms = CandleMaker(3600), ms(start)
    maker.watch([SBIN], since_ms + skew_s * 1000)
    for at_ms in range(max(since_ms, OPEN_MS), OPEN_MS + 120_000, 1000):
        traded = 100 + (at_ms - OPEN_MS) // 1000
        maker.add(SBIN, "", at_ms, at_ms + skew_s * 1000, 7, traded)
    assert [bar[5] for bar in bars_of(maker)] == [volume]


def test_a_first_packet_that_nothing_follows_is_old_by_the_clock_there_is() -> None:
    maker = feed(CandleMaker(60), ("10:12:00", 5, 900), received="11:00:00")
    assert bars_of(maker) == []
    assert maker.left_out == {LeftOut.KNOWN: 1}


def test_two_snapshots_that_are_old_prove_no_wrong_clock() -> None:
    maker = feed(CandleMaker(60), ("10:12:00", 5, 900), received="11:00:00")
    feed(maker, ("10:12:00", 5, 900), received="11:00:10")
    feed(maker, ("11:00:20", 6, 950))
    assert bars_of(maker) == [("11:00", 6, 6, 6, 6, 50, 1)]
    assert maker.left_out == {LeftOut.KNOWN: 2}


def test_a_snapshot_after_a_long_loss_makes_no_trade_of_the_one_before_it() -> None:
    maker = feed(CandleMaker(60), ("10:55:00", 5, 900), received="11:00:00")
    feed(maker, ("11:02:00", 6, 950), received="11:30:00")
    assert [bar[0] for bar in bars_of(maker)] == ["11:02"]


# --- volume --------------------------------------------------------------------------------------


def test_without_proof_of_presence_the_first_volume_is_what_is_counted_from() -> None:
    assert bars_of(feed(CandleMaker(60), ("09:15:01", 1, 100), ("09:15:02", 1, 130))) == [
        ("09:15", 1, 1, 1, 1, 30, 2)
    ]


@pytest.mark.parametrize(
    ("since", "volume"), [("09:14:59", 130), ("09:15:00", 130), ("09:15:01", 30)]
)
def test_what_was_watched_since_before_the_opening_counts_from_0(since: str, volume: int) -> None:
    maker = CandleMaker(60)
    maker.watch([SBIN], ms(since))
    assert bars_of(feed(maker, ("09:15:01", 1, 100), ("09:15:02", 1, 130)))[0][5] == volume
    late = CandleMaker(60)
    late.watch([RELIANCE], ms(since))
    assert bars_of(feed(late, ("09:15:01", 1, 100), ("09:15:02", 1, 130)))[0][5] == 30


def test_who_saw_volume_0_after_the_opening_was_there_before_the_first_trade() -> None:
    maker = feed(CandleMaker(60), ("09:40:00", 0, 0), ("10:05:10", 7, 50), ("10:05:20", 8, 75))
    assert bars_of(maker) == [("10:05", 7, 8, 7, 8, 75, 2)]
    assert maker.left_out == {LeftOut.NO_PRICE: 1}


def test_a_snapshot_of_yesterday_received_before_the_opening_proves_presence() -> None:
    maker = CandleMaker(60)
    maker.add(SBIN, "", ms("15:29:59", "2026-11-19"), ms("09:14"), 1, 77_000)
    assert bars_of(feed(maker, ("09:15:01", 1, 100)))[0][5] == 100


def test_volume_that_falls_within_a_day_adds_nothing_and_is_not_counted_again() -> None:
    maker = feed(CandleMaker(60), ("09:15:01", 1, 100), ("09:15:02", 2, 90), ("09:16", 1, 120))
    assert [bar[5] for bar in bars_of(maker)] == [0, 20]


def test_a_new_day_counts_its_own_volume() -> None:
    maker = feed(CandleMaker(60), ("09:15:01", 1, 1000), ("09:15:02", 1, 1100))
    feed(maker, ("09:15:01", 1, 30), ("09:15:02", 1, 45), day="2026-11-23")
    assert [bar[5] for bar in bars_of(maker)] == [100, 15]


def test_a_tick_that_comes_late_over_midnight_takes_nothing_from_the_new_days_volume() -> None:
    maker = CandleMaker(60, MarketCalendar(is_always_open=True))
    maker.watch([SBIN], 0)
    for time_ms, volume in [
        (ms("23:59:50"), 100),
        (ms("00:00:00.500", "2026-11-21"), 5),
        (ms("23:59:59"), 104),
        (ms("00:00:00.800", "2026-11-21"), 7),
    ]:
        maker.add(SBIN, "", time_ms, ms("23:59:59.900"), 1, volume)
    bars = [(shown(each), each.volume, each.ticks) for each in maker.take_all()]
    assert bars == [("11-20 23:59", 100, 2), ("11-21 00:00", 7, 2)]


def test_what_a_late_tick_shows_was_traded_is_in_the_next_bar() -> None:
    maker = feed(CandleMaker(60), ("09:15:01", 1, 10), ("09:16:02", 1, 20), ("09:15:59", 1, 50))
    feed(maker, ("09:16:03", 1, 60))
    assert [bar[5] for bar in bars_of(maker)] == [0, 50]


# --- when bars leave -----------------------------------------------------------------------------


def test_a_bar_is_complete_when_its_instrument_is_past_its_end_by_the_grace() -> None:
    maker = made([(0, 100, 1), (MINUTE_MS + GRACE_MS - 1, 101, 2)])
    assert maker.take_complete() == []
    assert [c.ticks for c in maker.take_until(OPEN_MS + MINUTE_MS + GRACE_MS)] == [1]
    maker = made([(0, 100, 1), (MINUTE_MS + GRACE_MS, 101, 2)])
    assert [c.ticks for c in maker.take_complete()] == [1]
    assert maker.take_complete() == []


def test_a_tick_for_a_bar_that_is_complete_is_late() -> None:
    maker = made([(0, 100, 1), (70_000, 101, 2), (59_000, 1, 2)])
    assert maker.left_out == {LeftOut.LATE: 1}
    assert [(c.low, c.ticks) for c in maker.take_all()] == [(100, 1), (101, 1)]


def test_a_tick_for_a_bar_that_the_clock_ended_is_late() -> None:
    maker = made([(0, 100, 1)])
    [left] = maker.take_until(OPEN_MS + MINUTE_MS + GRACE_MS)
    maker.add(SBIN, "", OPEN_MS + 59_000, OPEN_MS + 70_000, 1, 2)
    assert maker.left_out == {LeftOut.LATE: 1}
    assert (left.ticks, maker.take_all()) == (1, [])


def test_the_times_of_another_instrument_make_no_tick_late() -> None:
    maker = made([(0, 100, 1)])
    feed(maker, ("09:40:00", 5, 5), key=RELIANCE)
    assert maker.take_complete() == []
    feed(maker, ("09:15:30", 101, 2))
    assert [(c.token, c.ticks) for c in maker.take_all()] == [("3045", 2), ("2885", 1)]


WIDTHS = st.sampled_from([1, 60, 900, 4500, 7500, 86_400])


@given(st.integers(OPEN_MS - 10**9, OPEN_MS + 10**9), WIDTHS)
def test_the_next_bars_leave_after_now_and_within_one_width(now_ms: int, width_s: int) -> None:
    maker = CandleMaker(width_s, keeps_pre_open=True)
    maker.add(SBIN, "", now_ms, now_ms, 1, None)
    end_ms = maker.take_all()[0].end_ms
    assert now_ms < maker.next_leave_ms(now_ms + GRACE_MS) - GRACE_MS <= now_ms + width_s * 1000
    assert maker.next_leave_ms(now_ms + GRACE_MS) == end_ms + GRACE_MS


def test_the_market_s_time_ends_a_bar_by_the_grace_after_its_end() -> None:
    maker = feed(CandleMaker(60), ("09:15:00", 1, None))
    assert maker.take_until(ms("09:16") + GRACE_MS - 1) == []
    assert [shown(each) for each in maker.take_until(ms("09:16") + GRACE_MS)] == ["11-20 09:15"]


def test_before_the_first_tick_bars_may_leave_a_width_later() -> None:
    assert CandleMaker(60).next_leave_ms(OPEN_MS) == OPEN_MS + MINUTE_MS


@pytest.mark.parametrize("width_s", [1, 5, 60, 180, 300, 900, 1800, 3600, 4500, 7500, 86_400])
def test_a_width_divides_the_day_or_the_session(width_s: int) -> None:
    assert check_width(width_s) == width_s


@pytest.mark.parametrize("width_s", [0.5, 1.5, 7, 420, 55, 660, 86_401, 172_800, 0, inf])
def test_another_width_is_refused(width_s: float) -> None:
    words = (
        r"^bars are 1s to 1d long and divide the day or the session of 6h15m; use one of"
        r" 1m, 5m, 15m, 75m, 125m, 1h, 1d$"
    )
    with pytest.raises(ValueError, match=words):
        check_width(width_s)


# --- whatever comes ------------------------------------------------------------------------------

TRADES = st.lists(
    st.tuples(st.integers(0, 600_000), st.integers(1, 10**9), st.integers(1, 10**9)),
    min_size=1,
    max_size=40,
)


@given(TRADES, st.sampled_from([1, 60, 300]))
def test_the_bars_of_any_ticks_add_up(trades: list[Trade], width_s: int) -> None:
    trades = sorted(trades)
    expected = defaultdict(list)
    for after_ms, price, _ in trades:
        expected[after_ms // (width_s * 1000)].append(price)
    candles = made(trades, width_s).take_all()
    found = [((c.start_ms - OPEN_MS) // (width_s * 1000), c.high, c.low, c.ticks) for c in candles]
    assert found == [(n, max(p), min(p), len(p)) for n, p in sorted(expected.items())]
    volumes = [volume for _, _, volume in trades]
    first = 0 if trades[0][0] == 0 else volumes[0]
    assert sum(c.volume or 0 for c in candles) == max(volumes) - first


PACKETS = st.lists(
    st.tuples(
        st.integers(-400, 900),  # seconds after the opening, by the exchange
        st.sampled_from([0, 0, 0, 1, 2, 30, 90, -3000, 200_000]),  # and received so much later
        st.integers(0, 5),
        st.integers(0, 50),
    ),
    max_size=25,
)


@given(st.lists(PACKETS, min_size=2, max_size=3), st.randoms(), st.booleans())
def test_any_interleaving_of_instruments_gives_each_the_bars_that_it_has_alone(
    streams: list[list[tuple[int, int, int, int]]], random: object, in_order: bool
) -> None:
    def give(maker: CandleMaker, number: int, packet: tuple[int, int, int, int]) -> None:
        after_s, later_s, price, volume = packet
        at_ms = OPEN_MS + after_s * 1000
        maker.add((1, str(number)), "", at_ms, at_ms + later_s * 1000, price, volume)

    streams = [sorted(packets) if in_order else packets for packets in streams]
    order = [number for number, packets in enumerate(streams) for _ in packets]
    random.shuffle(order)  # type: ignore[attr-defined]
    together, taken = CandleMaker(60), []
    left = [iter(packets) for packets in streams]
    for number in order:
        give(together, number, next(left[number]))
        taken += together.take_complete()
    taken += together.take_all()
    left_out = sum(together.left_out.values())
    for number, packets in enumerate(streams):
        alone = CandleMaker(60)
        for packet in packets:
            give(alone, number, packet)
        bars = alone.take_all()
        assert sorted(bar for bar in taken if bar.token == str(number)) == bars
        assert len({bar.start_ms for bar in bars}) == len(bars)
        left_out -= sum(alone.left_out.values())
    assert left_out == 0


@given(TRADES, st.integers(1, 5))
def test_bars_that_leave_as_time_goes_on_are_those_of_the_whole(
    trades: list[Trade], every: int
) -> None:
    maker, left = CandleMaker(60), []
    for number, (after_ms, price, volume) in enumerate(sorted(trades)):
        maker.add(SBIN, "SBIN-EQ", OPEN_MS + after_ms, OPEN_MS + after_ms, price, volume)
        if number % every == 0:
            left += maker.take_until(OPEN_MS + after_ms)
    assert left + maker.take_all() == made(sorted(trades)).take_all()
    assert not maker.left_out


def test_a_day_of_bars_ends_at_midnight() -> None:
    maker = made([(0, 1, 1)], 86_400)
    assert maker.take_until(OPEN_MS + timedelta(hours=14).total_seconds() * 1000) == []
    assert len(maker.take_until(ms("00:00:02", "2026-11-21"))) == 1
