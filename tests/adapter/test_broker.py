"""The facade: a session and a list of instruments become a stream of ticks."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from waits import until

from ticks.adapter.auth.totp import code_at
from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.config import Config
from ticks.adapter.errors import FeedLostError, ResourceLimitError, SubscriptionRefusedError
from ticks.adapter.events import Added, FeedEvent, Market, Refused, Removed
from ticks.adapter.feed.lifecycle import Phase, Policy
from ticks.adapter.instrument import Instrument
from ticks.adapter.limits import start_thread
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.tick import Mode
from ticks.adapter.wire.packet import decode_packet

NIFTY = Instrument(1, "99926000", "Nifty 50", "NIFTY", kind="AMXIDX")
RELIANCE = Instrument(1, "2885", "RELIANCE-EQ", "RELIANCE")
SBIN = Instrument(1, "3045", "SBIN-EQ", "SBIN")
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


def test_the_date_of_the_login_tells_a_fresh_snapshot_from_an_old_one(tmp_path: Path) -> None:
    with Simulator(rate=0.0, clock_offset_s=-600.0) as simulator:
        environment = {**simulator.environment(), "TICKS_HOME": str(tmp_path)}
        config = Config.from_env(environment)
        sessions = config.authenticator()
        # The login as a person makes it whose clock is ten minutes fast: with the code of a phone.
        code = code_at(environment["TICKS_TOTP_SECRET"], time.time() - 600)
        sessions.login(replace(config.credentials, totp_code=code))
        broker = BrokerAdapter(sessions, feed_url=config.endpoints.feed_url, policy=QUICK)
        broker.subscribe([NIFTY])
        states: list[str] = []

        def is_live() -> bool:
            told = [entry.event for entry in broker.events.take()]
            states.extend(event.state for event in told if isinstance(event, Market))
            return "live" in states

        with broker:
            until(is_live)


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
    for thread in set(threading.enumerate()) - before:  # a worker may be at its last instruction
        thread.join(5)
    assert set(threading.enumerate()) <= before
    assert broker.is_over


def test_a_disconnect_ends_an_iteration_on_another_thread(broker: BrokerAdapter) -> None:
    rings: list[bool] = []
    wake = broker.waker.wake
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broker.waker, "wake", lambda: (rings.append(broker.is_over), wake()))
        broker.connect()
        broker.disconnect()
    assert rings[-1], "whoever waits is not woken after the end, and waits forever"


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


def test_who_looks_when_the_first_connection_begins_sees_them_all(
    broker: BrokerAdapter, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def start(run: Callable[[], object], *, name: str) -> threading.Thread:
        seen.append(len(broker.snapshot().connections))
        return start_thread(run, name=name)

    monkeypatch.setattr("ticks.adapter.broker.start_thread", start)
    broker.subscribe([Instrument(1, str(n), f"SIM{n}-EQ", f"SIM{n}") for n in range(1, 2001)])
    with broker:
        assert seen == [2, 2]
        until(lambda: len(simulator.journal.connections) == 2)


def test_connections_for_which_there_is_no_thread_are_not_kept(
    broker: BrokerAdapter, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(run: Callable[[], object], *, name: str) -> threading.Thread:
        if name == "feed 2":
            raise ResourceLimitError("there can be no further thread")
        return start_thread(run, name=name)

    monkeypatch.setattr("ticks.adapter.broker.start_thread", start)
    broker.subscribe([Instrument(1, str(n), f"SIM{n}-EQ", f"SIM{n}") for n in range(1, 2001)])
    with pytest.raises(ResourceLimitError):
        broker.connect()
    assert [each.number for each in broker.snapshot().connections] == [1]
    until(lambda: simulator.journal.connections)
    broker.disconnect()
    assert broker.is_over


def test_a_name_is_not_an_instrument(broker: BrokerAdapter) -> None:
    for names in ("NIFTY", ["NIFTY"]):
        with pytest.raises(TypeError, match="'NIFTY' is not an Instrument"):
            broker.subscribe(names, "quote")  # type: ignore[arg-type]  # the fault under test


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


# --- changes while it runs ------------------------------------------------------------------------


def changes(broker: BrokerAdapter) -> list[FeedEvent]:
    entries = broker.events.take()
    return [entry.event for entry in entries if isinstance(entry.event, Added | Removed)]


def test_what_changes_on_a_running_feed_is_an_event_and_survives_a_reconnect(
    broker: BrokerAdapter, simulator: Simulator
) -> None:
    journal = simulator.journal
    broker.subscribe([NIFTY], Mode.LTP)
    with broker:
        assert changes(broker) == []
        assert broker.subscribe([NIFTY, RELIANCE], Mode.LTP) == [RELIANCE]
        assert broker.unsubscribe([NIFTY, SBIN], Mode.LTP) == [NIFTY]
        assert broker.subscribed == [RELIANCE]
        assert changes(broker) == [Added(("NSE:RELIANCE-EQ",)), Removed(("NSE:Nifty 50",))]
        assert journal.wait_until(lambda: journal.packet_count > 0)
        simulator.inject("0s:drop")
        assert journal.wait_until(lambda: len(journal.connections) == 2)
        second = journal.connections[1]
        assert journal.wait_until(lambda: second.packet_count > 10)
        assert {packet.packet[2:6] for packet in second.packets} == {b"2885"}
        assert changes(broker) == []


def test_many_threads_may_change_the_subscription_at_once(
    broker: BrokerAdapter, simulator: Simulator
) -> None:
    crowd = [Instrument(1, str(n), f"SIM{n}-EQ", f"SIM{n}") for n in range(1, 801)]
    broker.subscribe([NIFTY], Mode.LTP)
    with broker:

        def come_and_go(part: list[Instrument]) -> None:
            for one in part:
                broker.subscribe([one], Mode.LTP)
                broker.snapshot()
            broker.unsubscribe(part[::2], Mode.LTP)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(come_and_go, [crowd[n::8] for n in range(8)]))
        assert len(broker.subscribed) == 401
        assert [each.instruments for each in broker.snapshot().connections] == [401]
        carried = broker.snapshot().instruments_total
    assert carried == 401
    assert len(simulator.journal.connections) == 1


def test_a_stop_in_a_signal_handler_ends_an_iteration(broker: BrokerAdapter) -> None:
    old = signal.signal(signal.SIGUSR1, lambda _number, _frame: broker.stop())
    try:
        broker.subscribe([NIFTY], Mode.LTP)
        with broker:
            seen = 0
            for seen, _ in enumerate(broker, 1):
                if seen == 20:
                    signal.raise_signal(signal.SIGUSR1)
        assert seen >= 20
        assert broker.error is None
    finally:
        signal.signal(signal.SIGUSR1, old)


def test_a_stop_while_the_subscription_changes_neither_hangs_nor_leaves_a_connection(
    broker: BrokerAdapter, simulator: Simulator
) -> None:
    """The signal comes in the middle of `subscribe`, whose lock its own thread holds."""
    broker.subscribe([NIFTY], Mode.LTP)
    crowd = [Instrument(1, str(n), f"SIM{n}-EQ", f"SIM{n}") for n in range(1, 1501)]
    before = set(threading.enumerate())
    with broker, pytest.MonkeyPatch.context() as patch:
        start = broker._start
        patch.setattr(broker, "_start", lambda *a, **k: (broker.stop(), start(*a, **k)))
        broker.subscribe(crowd, Mode.LTP)
        for _ in broker:
            pass
    until(lambda: set(threading.enumerate()) <= before)
    assert simulator.journal.wait_until(lambda: not simulator.journal.open_connections())


def test_what_the_broker_refused_is_not_asked_for_again_by_the_next_change(
    broker: BrokerAdapter, simulator: Simulator
) -> None:
    broker.subscribe([NIFTY], Mode.LTP)
    with broker:
        next(iter(broker))
        other = [Instrument(1, str(n), f"SIM{n}-EQ", f"SIM{n}") for n in range(1000)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("ticks.adapter.broker.UNITS_PER_CONNECTION", 2000)
            broker.subscribe(other, Mode.LTP)  # over the limit of the broker, who refuses it whole
            until(lambda: broker.has_refused(other, Mode.LTP))
        assert broker.subscribed == [NIFTY]
        broker.subscribe([RELIANCE], Mode.LTP)
        until(lambda: any(tick.symbol == "RELIANCE-EQ" for tick in broker))
        assert [each.instruments for each in broker.snapshot().connections] == [2]
        assert not broker.has_refused([NIFTY, RELIANCE], Mode.LTP)
    refused = [entry.event for entry in broker.events.take() if isinstance(entry.event, Refused)]
    assert len(refused) == 1


def test_a_connection_that_is_left_without_instruments_is_closed_and_the_last_one_is_not(
    broker: BrokerAdapter, simulator: Simulator
) -> None:
    crowd = [Instrument(1, str(n), f"SIM{n}-EQ", f"SIM{n}") for n in range(1500)]
    broker.subscribe(crowd, Mode.LTP)
    journal = simulator.journal
    with broker:
        assert journal.wait_until(lambda: len(journal.open_connections()) == 2)
        carried = [connection.units for connection in broker._connections]
        by_token = {each.token: each for each in crowd}
        broker.unsubscribe([by_token[unit.token] for unit in carried[1]], Mode.LTP)
        assert journal.wait_until(lambda: len(journal.open_connections()) == 1)
        broker.unsubscribe(broker.subscribed, Mode.LTP)
        broker.subscribe([NIFTY], Mode.LTP)
        until(lambda: next(iter(broker)).symbol == "Nifty 50")
        assert len(journal.open_connections()) == 1
        assert broker.snapshot().phase is Phase.LIVE


def test_a_further_connection_that_the_broker_does_not_let_in_takes_only_its_own_with_it(
    broker: BrokerAdapter, simulator: Simulator
) -> None:
    broker.policy = replace(QUICK, max_attempts=0)
    broker.subscribe([NIFTY], Mode.LTP)
    crowd = [Instrument(1, str(n), f"SIM{n}-EQ", f"SIM{n}") for n in range(1200)]
    with broker:
        next(iter(broker))
        simulator.inject("connect:refuse:429")
        broker.subscribe(crowd, Mode.LTP)
        until(lambda: broker.has_refused(crowd, Mode.LTP))
        assert broker.snapshot().phase is Phase.LIVE
        assert len(broker.subscribed) == 1000
        assert next(iter(broker)).symbol
        assert broker.error is None
    removed = [event for event in changes(broker) if isinstance(event, Removed)]
    assert [len(event.symbols) for event in removed] == [201]


def test_the_newest_packet_of_an_instrument_can_be_looked_at(broker: BrokerAdapter) -> None:
    broker.subscribe([NIFTY], Mode.LTP)
    assert broker.last_packet(NIFTY, Mode.LTP) == b""
    with broker:
        next(iter(broker))
        packet = broker.last_packet(NIFTY, Mode.LTP)
        assert decode_packet(packet).token == "99926000"
        assert broker.last_packet(RELIANCE, Mode.LTP) == b""
