"""The facade: a session and a list of instruments become a stream of ticks."""

from __future__ import annotations

import threading
import time
from decimal import Decimal

import pytest

from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.config import Config
from ticks.adapter.errors import FeedLostError, SubscriptionRefusedError
from ticks.adapter.feed.lifecycle import Phase, Policy
from ticks.adapter.instrument import Instrument
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.tick import Mode

NIFTY = Instrument(1, "99926000", "Nifty 50", "NIFTY", kind="AMXIDX")
RELIANCE = Instrument(1, "2885", "RELIANCE-EQ", "RELIANCE")
QUICK = Policy(max_attempts=1, backoff_max_s=0.05)


@pytest.fixture
def broker(config: Config) -> BrokerAdapter:
    return BrokerAdapter(
        config.authenticator(),
        feed_url=config.endpoints.feed_url,
        policy=QUICK,
        calendar=MarketCalendar(is_always_open=True),
    )


def test_ticks_come_with_their_symbols_and_exact_prices(broker: BrokerAdapter) -> None:
    broker.subscribe([NIFTY, RELIANCE], Mode.SNAP)
    with broker:
        ticks = [tick for tick, _ in zip(broker, range(20), strict=False)]
    assert {tick.symbol for tick in ticks} == {"Nifty 50", "RELIANCE-EQ"}
    assert all(tick.mode is Mode.SNAP and isinstance(tick.ltp, Decimal) for tick in ticks)
    assert all(0 <= time.time_ns() - tick.received_ns < 60 * 10**9 for tick in ticks)


def test_an_empty_buffer_gives_none_at_once_and_asks_nobody(
    broker: BrokerAdapter, simulator: Simulator
) -> None:
    broker.subscribe([NIFTY])
    assert [broker.get_next_tick() for _ in range(1000)] == [None] * 1000
    assert simulator.journal.calls == []


def test_every_packet_put_on_the_socket_is_taken_in_order(
    broker: BrokerAdapter, simulator: Simulator
) -> None:
    broker.subscribe([NIFTY, RELIANCE], Mode.QUOTE)
    broker.connect()
    assert simulator.journal.wait_until(lambda: simulator.journal.packet_count >= 100)
    broker.disconnect()
    taken = [packet for batch in broker.take() for packet in batch.packets]
    sent = [each.packet for each in simulator.journal.connections[0].packets]
    assert len(taken) >= 100
    assert taken == sent[: len(taken)]


def test_a_disconnect_sends_a_close_frame_and_leaves_no_thread(
    broker: BrokerAdapter, simulator: Simulator
) -> None:
    before = set(threading.enumerate())
    broker.subscribe([NIFTY])
    broker.connect()
    assert simulator.journal.wait_until(lambda: simulator.journal.packet_count > 0)
    broker.disconnect()
    assert simulator.journal.wait_until(lambda: not simulator.journal.open_connections())
    assert simulator.journal.connections[0].close_code == 1000
    assert set(threading.enumerate()) <= before
    assert broker.is_over


def test_a_disconnect_ends_an_iteration_on_another_thread(broker: BrokerAdapter) -> None:
    rings: list[bool] = []
    wake = broker.waker.wake
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broker.waker, "wake", lambda: (rings.append(broker.is_over), wake()))
        broker.connect()
        broker.disconnect()
    assert rings[-1], "whoever waits is not woken after the end, and waits for ever"


@pytest.mark.slow
def test_subscriptions_change_while_live(broker: BrokerAdapter, simulator: Simulator) -> None:
    broker.subscribe([NIFTY], Mode.LTP)
    with broker:
        next(iter(broker))
        broker.subscribe([RELIANCE], Mode.LTP)
        assert any(
            tick.symbol == "RELIANCE-EQ" for tick, _ in zip(broker, range(200), strict=False)
        )
        broker.unsubscribe([NIFTY], Mode.LTP)
        seen = [tick.symbol for tick, _ in zip(broker, range(300), strict=False)]
    assert seen[-100:] == ["RELIANCE-EQ"] * 100
    assert len(simulator.journal.connections) == 1


def test_over_the_brokers_limit_nothing_changes(broker: BrokerAdapter) -> None:
    crowd = [Instrument(1, str(number), f"S{number}", "S") for number in range(3001)]
    with pytest.raises(SubscriptionRefusedError, match="over the broker's limit"):
        broker.subscribe(crowd)
    assert broker.snapshot().instruments_total == 0


def test_two_thousand_instruments_are_spread_over_two_connections(config: Config) -> None:
    crowd = [Instrument(1, str(number), f"S{number}", "S") for number in range(2000)]
    broker = BrokerAdapter(config.authenticator(), feed_url=config.endpoints.feed_url)
    broker.subscribe(crowd)
    with broker:
        shares = [c.instruments for c in broker.snapshot().connections]
    assert shares == [1000, 1000]


def test_depth_is_refused_since_the_broker_withdrew_it(broker: BrokerAdapter) -> None:
    with pytest.raises(ValueError, match="withdrew"):
        broker.subscribe([NIFTY], Mode.DEPTH)


def test_a_feed_lost_for_good_says_so_after_the_last_tick(
    broker: BrokerAdapter, simulator: Simulator
) -> None:
    broker.subscribe([NIFTY])
    with broker:
        next(iter(broker))
        simulator.stop()
        with pytest.raises(FeedLostError, match="after 1 attempt ") as lost:
            for _ in broker:
                pass
    assert (lost.value.kind, lost.value.values["attempts"]) == ("feed-lost", 1)
    assert broker.snapshot().phase is Phase.LOST


def test_a_snapshot_holds_what_a_dashboard_draws(broker: BrokerAdapter) -> None:
    silent = Instrument(1, "4242424242", "NOBODY-EQ", "NOBODY")
    broker.subscribe([NIFTY, RELIANCE, silent], Mode.QUOTE)
    with broker:
        for tick, _ in zip(broker, range(50), strict=False):
            assert tick.mode is Mode.QUOTE
        now = broker.snapshot()
    assert now.phase is Phase.LIVE
    assert now.instruments_total == 3
    assert now.never_ticked == 1
    assert [i.age_s is None for i in now.instruments] == [False, False, True]
    assert now.session_expires_at is not None
    assert now.to_dict()["ticks"] == now.ticks == broker.ticks
    assert [i.ltp is None for i in now.instruments] == [False, False, True]


def test_the_history_begins_with_connected_subscribed_and_a_first_tick(
    broker: BrokerAdapter,
) -> None:
    broker.subscribe([NIFTY])
    with broker:
        next(iter(broker))
    names = [entry.event.name for entry in broker.events.take()]
    names = [name for name in names if name != "market"]  # a second tick may have come already
    assert names == ["connected", "subscribed", "first_tick", "stopped"]
    assert broker.events.take() == []


def test_a_broker_can_connect_again(broker: BrokerAdapter, simulator: Simulator) -> None:
    broker.subscribe([NIFTY], Mode.LTP)
    for number in (1, 2):
        with broker:
            assert next(iter(broker)).symbol == "Nifty 50"
            assert broker.snapshot().phase is Phase.LIVE
        broker.take()
        assert len(simulator.journal.connections) == number


def test_a_mode_that_is_none_is_refused(broker: BrokerAdapter) -> None:
    with pytest.raises(ValueError, match="7"):
        broker.subscribe([NIFTY], 7)  # type: ignore[arg-type]
