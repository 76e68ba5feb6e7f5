"""The snapshots of a running stream: against the simulated broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.config import Config
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.instrument import Instrument
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.tick import Mode

NIFTY = Instrument(1, "99926000", "Nifty 50", "NIFTY", kind="AMXIDX")
RELIANCE = Instrument(1, "2885", "RELIANCE-EQ", "RELIANCE")


@pytest.fixture
def broker(config: Config) -> Iterator[BrokerAdapter]:
    broker = BrokerAdapter(
        config.authenticator(),
        feed_url=config.endpoints.feed_url,
        calendar=MarketCalendar(is_always_open=True),
    )
    yield broker
    broker.disconnect()


def until_all_have_ticked(broker: BrokerAdapter) -> None:
    until(lambda: not broker.snapshot().never_ticked, broker)


def until(is_so: Callable[[], object], broker: BrokerAdapter) -> None:
    end_s = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end_s
        broker.wait(0.1)


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
    assert now.to_dict()["ticks"] == now.ticks <= broker.ticks
    assert [i.ltp is None for i in now.instruments] == [False, False, True]


def test_an_instrument_in_two_modes_is_one_row_with_what_the_richer_one_carries(
    broker: BrokerAdapter,
) -> None:
    broker.subscribe([NIFTY, RELIANCE], Mode.LTP)
    broker.subscribe([RELIANCE], Mode.SNAP)
    with broker:
        until_all_have_ticked(broker)
        until(lambda: broker.last_packet(RELIANCE, Mode.SNAP), broker)
    now = broker.snapshot()
    assert [each.symbol for each in now.instruments] == ["Nifty 50", "RELIANCE-EQ"]
    assert sum(each.ticks for each in now.instruments) == now.ticks
    assert [each.open_interest is None for each in now.instruments] == [True, False]


def test_what_was_dropped_is_in_no_snapshot(broker: BrokerAdapter) -> None:
    broker.subscribe([NIFTY, RELIANCE], Mode.LTP)
    with broker:
        until_all_have_ticked(broker)
        broker.unsubscribe([NIFTY], Mode.LTP)
        now = broker.snapshot()
    assert [each.symbol for each in now.instruments] == ["RELIANCE-EQ"]
    assert (now.instruments_total, now.never_ticked) == (1, 0)
