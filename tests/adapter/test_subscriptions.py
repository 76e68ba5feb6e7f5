"""What a running stream subscribes to, changed by its user: against the simulated broker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from waits import until

from ticks.adapter.api import resolve_symbols
from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.config import Config
from ticks.adapter.control_messages import Add, Drop, Reply
from ticks.adapter.errors import SubscriptionRefusedError, SymbolError, UnknownSymbolError
from ticks.adapter.events import Added, Removed
from ticks.adapter.instrument import Instrument
from ticks.adapter.instruments.chain import Chain
from ticks.adapter.instruments.naming import Aliases
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.subscriptions import Subscriptions
from ticks.adapter.tick import Mode

EXPIRED = Instrument(2, "1", "NIFTY25AUG26FUT", "NIFTY", expiry="2026-08-25")


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, aliases=Aliases({"bank": "SBIN", "mine": "NIFTY chain 1"}))


@pytest.fixture
def broker(config: Config) -> Iterator[BrokerAdapter]:
    broker = BrokerAdapter(config.authenticator(), feed_url=config.endpoints.feed_url)
    broker.subscribe(resolve_symbols(config, ["NIFTY", "RELIANCE"]), Mode.QUOTE)
    with broker:
        until(lambda: broker.ticks > 0)
        yield broker


@pytest.fixture
def subscriptions(broker: BrokerAdapter, config: Config) -> Subscriptions:
    return Subscriptions(broker, Mode.QUOTE, config)


def names(broker: BrokerAdapter) -> list[str]:
    return [str(one) for one in broker.subscribed]


def changes(broker: BrokerAdapter) -> list[Added | Removed]:
    entries = broker.events.take()
    return [entry.event for entry in entries if isinstance(entry.event, Added | Removed)]


# --- add ------------------------------------------------------------------------------------------


def test_names_are_added_in_the_mode_of_the_stream(
    subscriptions: Subscriptions, broker: BrokerAdapter
) -> None:
    reply = subscriptions.change(Add(("bank", "nifty", "TCS")))
    assert reply == Reply(("NSE:SBIN-EQ", "NSE:TCS-EQ"), ("NSE:Nifty 50",))
    assert names(broker) == ["NSE:Nifty 50", "NSE:RELIANCE-EQ", "NSE:SBIN-EQ", "NSE:TCS-EQ"]
    assert changes(broker) == [Added(("NSE:SBIN-EQ", "NSE:TCS-EQ"))]
    until(lambda: broker.snapshot().never_ticked == 0)
    assert {tick.mode for tick, _ in zip(broker, range(50), strict=False)} == {Mode.QUOTE}


def test_one_unknown_name_and_none_is_added(
    subscriptions: Subscriptions, broker: BrokerAdapter
) -> None:
    with pytest.raises(UnknownSymbolError) as caught:
        subscriptions.change(Add(("SBIN", "RELAINCE")))
    assert "NSE:RELIANCE-EQ" in map(str, caught.value.candidates)
    assert names(broker) == ["NSE:Nifty 50", "NSE:RELIANCE-EQ"]
    assert changes(broker) == []


def test_over_the_limit_none_is_added(
    subscriptions: Subscriptions, broker: BrokerAdapter, simulator: Simulator
) -> None:
    crowd = [Instrument(1, str(number), f"S{number}", "S") for number in range(90_000, 92_998)]
    broker.subscribe(crowd)
    assert simulator.journal.wait_until(lambda: len(simulator.journal.open_connections()) == 3)
    with pytest.raises(SubscriptionRefusedError) as caught:
        subscriptions.change(Add(("SBIN",)))
    assert caught.value.kind == "subscriptions-over-limit"
    assert len(broker.subscribed) == 3000


# --- drop -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["RELIANCE", "nse:reliance-eq", "2885", "reliance-eq"])
def test_a_name_is_dropped_however_it_is_spelled(
    subscriptions: Subscriptions, broker: BrokerAdapter, name: str
) -> None:
    assert subscriptions.change(Drop((name,))) == Reply(("NSE:RELIANCE-EQ",))
    assert names(broker) == ["NSE:Nifty 50"]
    assert changes(broker) == [Removed(("NSE:RELIANCE-EQ",))]


def test_a_contract_that_has_expired_meanwhile_can_be_dropped(
    subscriptions: Subscriptions, broker: BrokerAdapter
) -> None:
    for name in ("NFO:NIFTY25AUG26FUT", "NIFTY25AUG26FUT"):
        broker.subscribe([EXPIRED])
        assert subscriptions.change(Drop((name,))) == Reply(("NFO:NIFTY25AUG26FUT",))


def test_what_is_not_subscribed_cannot_be_dropped_and_nothing_else_goes(
    subscriptions: Subscriptions, broker: BrokerAdapter
) -> None:
    for wanted in (("RELIANCE", "SBIN"), ("BSE:RELIANCE",), ("NIFTY chain 1",), ("RELAINCE",)):
        with pytest.raises(UnknownSymbolError):
            subscriptions.change(Drop(wanted))
    with pytest.raises(SymbolError) as caught:
        subscriptions.change(Drop(("BSE:RELIANCE",)))
    assert caught.value.kind == "not-subscribed"
    assert list(map(str, caught.value.candidates)) == ["NSE:RELIANCE-EQ"]
    assert names(broker) == ["NSE:Nifty 50", "NSE:RELIANCE-EQ"]
    assert changes(broker) == []


def test_the_last_instrument_cannot_be_dropped(
    subscriptions: Subscriptions, broker: BrokerAdapter
) -> None:
    for wanted in (("RELIANCE", "NIFTY"), ("NIFTY", "RELIANCE", "NIFTY")):
        with pytest.raises(SubscriptionRefusedError) as caught:
            subscriptions.change(Drop(wanted))
        assert caught.value.kind == "last-instrument"
    assert len(broker.subscribed) == 2


def test_what_still_comes_after_a_drop_is_not_malformed(
    subscriptions: Subscriptions, broker: BrokerAdapter
) -> None:
    until(lambda: broker.snapshot().never_ticked == 0)
    subscriptions.change(Drop(("RELIANCE",)))
    next(tick for tick in broker if tick.symbol == "RELIANCE-EQ")
    now = broker.snapshot()
    assert (now.malformed, now.foreign) == (0, 0)


# --- chains ---------------------------------------------------------------------------------------


def test_a_chain_is_added_followed_and_dropped(
    subscriptions: Subscriptions, broker: BrokerAdapter
) -> None:
    reply = subscriptions.change(Add(("NIFTY chain 2", "SENSEX chain 1")))
    assert reply.symbols == ("BSE:SENSEX",)
    assert reply.unchanged == ("NSE:Nifty 50",)
    assert len(reply.notes) == 2
    until(lambda: len(broker.subscribed) >= 2 + 1 + 10 + 6)
    added = [event.symbols for event in changes(broker) if isinstance(event, Added)]
    assert sorted(map(len, added))[:3] == [1, 6, 10]
    with pytest.raises(SubscriptionRefusedError) as caught:
        subscriptions.change(Drop(("NIFTY",)))
    assert caught.value.kind == "spot-of-chain"
    dropped = subscriptions.change(Drop(("nifty chain 2", "SENSEX chain 1", "SENSEX")))
    assert len(dropped.symbols) >= 17
    assert names(broker) == ["NSE:Nifty 50", "NSE:RELIANCE-EQ"]
    assert broker.chains.chains == []


def test_with_a_chain_and_its_spot_something_must_be_left(
    subscriptions: Subscriptions, broker: BrokerAdapter
) -> None:
    subscriptions.change(Add(("mine",)))
    until(lambda: len(broker.subscribed) >= 2 + 6)
    with pytest.raises(SubscriptionRefusedError) as caught:
        subscriptions.change(Drop(("mine", "NIFTY", "RELIANCE")))
    assert caught.value.kind == "last-instrument"
    assert len(broker.chains.chains) == 1
    subscriptions.change(Drop(("mine", "NIFTY")))
    assert names(broker) == ["NSE:RELIANCE-EQ"]


def test_a_chain_that_is_not_followed_cannot_be_dropped_and_those_that_are_are_named(
    subscriptions: Subscriptions,
) -> None:
    with pytest.raises(UnknownSymbolError) as caught:
        subscriptions.change(Drop(("NIFTY chain 2",)))
    assert caught.value.kind == "chain-not-followed"
    assert caught.value.message == "the option chain NIFTY chain 2 is not followed"
    subscriptions.change(Add(("SENSEX chain 1",)))
    with pytest.raises(UnknownSymbolError, match="not followed; followed: SENSEX chain 1"):
        subscriptions.change(Drop(("NIFTY chain 2",)))


def test_a_contract_that_was_asked_for_by_name_stays_when_its_chain_goes(
    subscriptions: Subscriptions, broker: BrokerAdapter
) -> None:
    subscriptions.change(Add(("NIFTY chain 1",)))
    until(lambda: len(broker.subscribed) >= 2 + 6)
    contract = names(broker)[-1]
    assert subscriptions.change(Add((contract,))).unchanged == (contract,)
    subscriptions.change(Drop(("NIFTY chain 1",)))
    assert names(broker) == ["NSE:Nifty 50", "NSE:RELIANCE-EQ", contract]


def test_a_chain_survives_a_reconnect(
    config: Config, simulator: Simulator, broker: BrokerAdapter
) -> None:
    chains: list[Chain] = []
    resolve_symbols(config, ["NIFTY chain 1"], follow=chains.append)
    broker.follow(chains[0])
    until(lambda: len(broker.subscribed) >= 2 + 6)
    simulator.inject("0s:drop")
    until(lambda: broker.snapshot().reconnects == 1)
    carried = simulator.journal.connections[-1]
    until(lambda: len({packet.packet[:27] for packet in list(carried.packets)}) >= 8)


def test_strikes_are_added_on_the_live_link_as_the_spot_moves(
    config: Config, simulator: Simulator, broker: BrokerAdapter
) -> None:
    """Strikes five paise apart, so that the simulated index is among others all the time."""
    chains: list[Chain] = []
    resolve_symbols(config, ["NIFTY chain 1"], follow=chains.append)
    strikes = [Decimal(paise) / 100 for paise in range(2_590_000, 2_610_000, 5)]
    contracts = {
        strike: (Instrument(2, f"9{number:05}", f"C{number}", "NIFTY"),)
        for number, strike in enumerate(strikes)
    }
    broker.follow(replace(chains[0], contracts=contracts))
    until(lambda: len(broker.subscribed) >= 2 + 9)
    added = [event for event in changes(broker) if isinstance(event, Added)]
    assert len(added) >= 3
    names_added = [symbol for event in added for symbol in event.symbols]
    assert len(set(names_added)) == len(names_added)
    assert broker.snapshot().reconnects == 0
    assert len(simulator.journal.connections) == 1
