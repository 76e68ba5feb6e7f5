"""How long the feed was blind within a bar."""

from __future__ import annotations

import gc
from datetime import datetime

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.event_log import EventLog
from ticks.adapter.events import Connected, FeedEvent, Lost, Quiet, Recovered, Silent
from ticks.adapter.history import EventFacts, History, Loss, history_of
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.rows.candles import Candle
from ticks.adapter.sinks.blindness import Blindness, LiveBlindness

from ..rows.recordings import VirtualTime


def ms(text: str) -> int:
    at = datetime.fromisoformat(f"2026-11-20T{text}").replace(tzinfo=IST)
    return round(at.timestamp() * 1000)


def bar(start: str, end: str, exchange_type: int = 1) -> Candle:
    return Candle(ms(start), exchange_type, "1", "", 1, 1, 1, 1, None, 1, ms(end))


def history(*events: tuple[str, FeedEvent], connection: int = 1) -> History:
    return history_of(
        EventFacts(ms(at) * 1000, connection, event.name, event.facts()) for at, event in events
    )


LOSS = (
    ("09:00:00", Connected()),
    ("10:00:50", Silent(30.0)),
    ("10:00:50", Lost("silence")),
    ("10:01:10", Recovered("silence", blind_s=50.0)),
)


@pytest.mark.parametrize(
    ("start", "end", "blind_s"),
    [
        ("09:59", "10:00", 0),
        ("10:00", "10:01", 40),
        ("10:01", "10:02", 10),
        ("09:15", "10:30", 50),
    ],
)
def test_a_bar_is_blind_from_the_last_packet_to_the_recovery(
    start: str, end: str, blind_s: float
) -> None:
    blindness = Blindness([history(*LOSS)], MarketCalendar())
    assert blindness.of(bar(start, end)) == blind_s * 1000


def test_without_a_history_it_is_not_known() -> None:
    assert Blindness([], MarketCalendar()).of(bar("10:00", "10:01")) is None


def test_a_history_without_a_loss_says_0() -> None:
    assert Blindness([History()], MarketCalendar()).of(bar("10:00", "10:01")) == 0


def test_two_recorders_are_blind_where_both_are() -> None:
    other = history(
        ("09:00:00", Connected()),
        ("10:00:40", Lost("network")),
        ("10:01:40", Recovered("network", blind_s=60.0)),
    )
    blindness = Blindness([history(*LOSS), other], MarketCalendar())
    assert blindness.of(bar("10:00", "10:01")) == 20_000
    assert Blindness([history(*LOSS), History()], MarketCalendar()).of(bar("10:00", "10:01")) == 0


@pytest.mark.parametrize(("counted_s", "blind_ms"), [(0.0, 0), (5.0, 5000), (20.0, 20_000)])
def test_no_more_counts_than_the_stream_counted(counted_s: float, blind_ms: int) -> None:
    given = history(
        ("09:00:00", Connected()),
        ("10:00:10", Lost("network")),
        ("10:00:30", Recovered("network", blind_s=counted_s)),
    )
    assert Blindness([given], MarketCalendar()).of(bar("10:00", "10:01")) == blind_ms


def test_only_seconds_of_sessions_count() -> None:
    given = history(("09:00:00", Connected()), ("15:29:50", Lost("network")))
    day = bar("09:15", "23:59")
    assert Blindness([given], MarketCalendar()).of(day) == 10_000
    always_open = MarketCalendar(is_always_open=True)
    assert Blindness([given], always_open).of(day) == ms("23:59") - ms("15:29:50")


class WallTime(VirtualTime):
    """A clock that starts at ten o'clock."""

    def wall_ns(self) -> int:
        return ms("10:00") * 10**6 + round((self.s - 1000) * 10**9)


def test_a_running_loss_counts_up_to_now_and_what_comes_is_heard() -> None:
    clock = WallTime()
    log = EventLog(clock)
    blindness = LiveBlindness(log.reader(), MarketCalendar())
    minute = bar("10:00", "10:01")
    assert blindness.of(minute, ms("10:00:05")) == 0
    log.add(Connected(), connection=1)
    clock.s += 10
    log.add(Lost("network"), connection=1)
    log.add(Quiet(1.0), connection=2)
    assert blindness.of(minute, ms("10:00:15")) == 5000
    clock.s += 20
    log.add(Recovered("network", blind_s=20.5), connection=1)
    assert blindness.of(minute, ms("10:02:00")) == 20_500


def test_a_feed_that_is_lost_all_day_keeps_only_what_a_bar_may_still_ask_for() -> None:
    clock = WallTime()
    log = EventLog(clock)
    blindness = LiveBlindness(log.reader(), MarketCalendar(is_always_open=True))
    start_ms = ms("10:00")
    log.add(Connected(), connection=1)
    kept = []
    for minute in range(8 * 60):
        for _ in range(6):
            clock.s += 8
            log.add(Lost("network"), connection=1)
            clock.s += 2
            log.add(Recovered("network", blind_s=2.0), connection=1)
        at_ms = start_ms + minute * 60_000
        candle = bar("10:00", "10:01")._replace(start_ms=at_ms, end_ms=at_ms + 60_000)
        assert blindness.of(candle, clock.wall_ns() // 10**6) == 12_000
        if minute in (120, 479):  # all objects of the process: too many to count each minute
            kept.append(sum(isinstance(each, Loss) for each in gc.get_objects()))
    assert kept[0] == kept[1] < 6 * 120
