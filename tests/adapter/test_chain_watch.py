"""Option chains on a running feed, a spot turned by hand."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waits import until

from ticks.adapter.chain_watch import LIMIT, ChainWatch, FollowedChain
from ticks.adapter.clock import SystemClock
from ticks.adapter.errors import SubscriptionRefusedError
from ticks.adapter.event_log import EventLog
from ticks.adapter.events import Refused
from ticks.adapter.instrument import Instrument
from ticks.adapter.instruments.chain import Chain, read_chain
from ticks.adapter.tick import Mode
from ticks.adapter.wire.subscription import shard

SPOT = Instrument(1, "99926000", "Nifty 50", "NIFTY", kind="AMXIDX")
STRIKES = range(25_000, 27_050, 50)


def chain(text: str = "NIFTY chain 2", spot: Instrument = SPOT) -> Chain:
    wanted = read_chain(text)
    assert wanted is not None
    contracts = {
        Decimal(strike): tuple(
            Instrument(2, f"{strike}{right}", f"NIFTY{strike}{right}", "NIFTY", kind="OPTIDX")
            for right in ("CE", "PE")
        )
        for strike in STRIKES
    }
    return Chain(wanted, "NIFTY", spot, "2026-09-22", contracts)


class HandFeed:
    """A feed whose spot is set by the test."""

    def __init__(self, limit: int = 3000) -> None:
        self.events = EventLog(SystemClock())
        self.limit = limit
        self.subscribed: dict[str, Instrument] = {}
        self.refused: set[str] = set()
        self.calls: list[list[str]] = []
        self.packets: dict[str, bytes] = {}

    def at(self, rupees: float, token: str = SPOT.token) -> None:
        head = struct.pack("<BB25sqqq", 1, 1, token.encode(), 1, 0, round(rupees * 100))
        self.packets[token] = head

    def last_packet(self, instrument: Instrument, mode: Mode) -> bytes:
        return self.packets.get(instrument.token, b"")

    def has_refused(self, instruments: Iterable[Instrument], mode: Mode) -> bool:
        return any(one.token in self.refused for one in instruments)

    def subscribe(self, instruments: Iterable[Instrument], mode: Mode) -> list[Instrument]:
        new = [one for one in instruments if one.token not in self.subscribed]
        if len(self.subscribed) + len(new) > self.limit:
            raise SubscriptionRefusedError("over the limit", kind="subscriptions-over-limit")
        self.calls.append([one.token for one in new])
        self.subscribed |= {one.token: one for one in new}
        return new

    def unsubscribe(self, instruments: Iterable[Instrument], mode: Mode) -> list[Instrument]:
        return [self.subscribed.pop(one.token) for one in instruments]


def tokens(*strikes: int) -> list[str]:
    return [f"{strike}{right}" for strike in strikes for right in ("CE", "PE")]


@pytest.fixture
def feed() -> HandFeed:
    return HandFeed()


@pytest.fixture
def watch(feed: HandFeed) -> ChainWatch:
    """It follows `NIFTY chain 2`, and looks when the test says so."""
    watch = ChainWatch(feed)
    watch.follow(chain(), Mode.LTP, lambda _one: True)
    return watch


def test_nothing_is_asked_before_the_spot_has_a_price(feed: HandFeed, watch: ChainWatch) -> None:
    watch._look()
    feed.at(0)
    watch._look()
    assert feed.calls == []
    feed.at(26_010)
    watch._look()
    assert feed.calls == [tokens(25_900, 25_950, 26_000, 26_050, 26_100)]


def test_strikes_that_come_near_are_added_and_stay(feed: HandFeed, watch: ChainWatch) -> None:
    for rupees in (26_000, 26_030, 26_037.45, 26_037.5, 26_020, 26_012.55, 26_012.5, 26_200):
        feed.at(rupees)
        watch._look()
    first, *then = feed.calls
    assert first == tokens(25_900, 25_950, 26_000, 26_050, 26_100)
    assert then == [tokens(26_150), tokens(26_200, 26_250, 26_300)]
    assert len(feed.subscribed) == 18


def test_the_same_packet_costs_one_look(
    feed: HandFeed, watch: ChainWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.at(26_000)
    watch._look()
    monkeypatch.setattr("ticks.adapter.chain_watch.decode_packet", lambda _packet: 1 / 0)
    for _ in range(5):
        watch._look()


def test_past_the_last_strike_there_is_nothing_to_add(feed: HandFeed, watch: ChainWatch) -> None:
    for rupees in (40_000, 1, 26_000):
        feed.at(rupees)
        watch._look()
    assert feed.calls == [
        tokens(26_900, 26_950, 27_000),
        tokens(25_000, 25_050, 25_100),
        tokens(25_900, 25_950, 26_000, 26_050, 26_100),
    ]


@given(st.lists(st.floats(24_000, 28_000).map(lambda x: round(x, 2)), max_size=40))
def test_wherever_the_spot_goes_its_neighbours_are_there_and_no_contract_comes_twice(
    spots: list[float],
) -> None:
    each = FollowedChain(chain(), Mode.LTP)
    seen: list[str] = []
    for spot in spots:
        seen += [one.token for one in each.move_to(Decimal(str(spot)))]
        nearest = min(STRIKES, key=lambda strike: (abs(strike - spot), strike))
        assert set(tokens(nearest)) <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_limit_is_reported_once_and_ends_the_following_of_that_chain_alone(
    feed: HandFeed, watch: ChainWatch
) -> None:
    other = Instrument(1, "99926009", "Nifty Bank", "BANKNIFTY", kind="AMXIDX")
    watch.follow(chain("BANKNIFTY chain 1", other), Mode.LTP, lambda _one: True)
    feed.limit = 13
    feed.at(26_000)
    feed.at(25_000, other.token)
    watch._look()
    for rupees in (26_500, 26_700):
        feed.at(rupees)
        watch._look()
    assert len(feed.subscribed) == 10
    reports = [entry.event for entry in feed.events.take()]
    assert {type(event) for event in reports} == {Refused}
    assert [(e.code, e.request) for e in reports if isinstance(e, Refused)] == [
        (LIMIT, "BANKNIFTY chain 1"),
        (LIMIT, "NIFTY chain 2"),
    ]
    assert watch.chains == []


def test_a_chain_is_shown_with_what_was_asked_for_also_when_its_following_has_ended(
    feed: HandFeed, watch: ChainWatch
) -> None:
    (early,) = watch.listings(has_strikes=True)
    assert (early.name, early.underlying, early.spot) == ("NIFTY chain 2", "NIFTY", SPOT)
    assert early.contracts == {}
    feed.at(26_000)
    watch._look()
    feed.limit = 0
    feed.at(27_000)
    watch._look()
    assert watch.chains == []
    (ended,) = watch.listings(has_strikes=True)
    assert list(ended.contracts) == [25_900, 25_950, 26_000, 26_050, 26_100]
    sides = [one and one.token for one in ended.contracts[Decimal(26_000)]]
    assert sides == ["26000CE", "26000PE"]
    assert watch.listings(has_strikes=False)[0].contracts == {}
    watch.follow(chain(), Mode.LTP, lambda _one: True)
    assert len(watch.listings(has_strikes=False)) == 1


def test_a_chain_of_which_the_broker_refused_something_is_not_followed_on(
    feed: HandFeed, watch: ChainWatch
) -> None:
    feed.at(26_000)
    watch._look()
    feed.refused = {"26000CE"}
    feed.at(26_500)
    assert watch._look()
    assert len(feed.calls) == 1
    assert feed.events.take() == []


def test_each_part_of_a_shared_chain_adds_its_own_contracts(feed: HandFeed) -> None:
    parts: list[set[str]] = []
    for number in (1, 2):
        one = HandFeed()
        watch = ChainWatch(one)
        watch.follow(
            chain(),
            Mode.LTP,
            lambda contract, n=number: bool(shard([contract], lambda c: c.key, n, 2)),
        )
        one.at(26_000)
        watch._look()
        parts.append(set(one.subscribed))
    assert parts[0] | parts[1] == set(tokens(25_900, 25_950, 26_000, 26_050, 26_100))
    assert parts[0].isdisjoint(parts[1])


# --- several chains -------------------------------------------------------------------------------


def test_a_chain_that_is_followed_is_not_followed_twice(watch: ChainWatch) -> None:
    watch.follow(chain("nifty CHAIN 2"), Mode.LTP, lambda _one: True)
    assert [each.wanted.text for each in watch.chains] == ["NIFTY chain 2"]
    found = watch.find("Nifty chain  2")
    assert found is not None
    assert found.spot == SPOT
    assert watch.find("NIFTY chain 3") is None


def test_what_goes_with_a_chain_is_what_only_it_brought(feed: HandFeed, watch: ChainWatch) -> None:
    watch.follow(chain("NIFTY chain 1"), Mode.LTP, lambda _one: True)
    feed.at(26_000)
    watch._look()
    wide, narrow = watch.chains
    by_token = feed.subscribed
    watch.keep([by_token["26100CE"]])
    assert {one.token for one in watch.only_for([wide])} == {
        *tokens(25_900),
        "26100PE",
    }
    watch.unfollow([wide])
    assert watch.chains == [narrow]
    assert {one.token for one in watch.only_for([narrow])} == set(tokens(25_950, 26_000, 26_050))


def test_what_is_added_while_its_chain_is_left_goes_again(
    feed: HandFeed, watch: ChainWatch
) -> None:
    subscribe = feed.subscribe

    def left_meanwhile(instruments: Iterable[Instrument], mode: Mode) -> list[Instrument]:
        watch.unfollow(watch.chains)
        return subscribe(instruments, mode)

    feed.subscribe = left_meanwhile  # type: ignore[method-assign]
    feed.at(26_000)
    watch._look()
    assert feed.subscribed == {}


# --- the thread -----------------------------------------------------------------------------------


def running() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "chains"]


def test_the_thread_is_there_while_the_feed_runs_and_a_chain_is_followed(
    feed: HandFeed, watch: ChainWatch
) -> None:
    assert running() == []
    watch.begin()
    assert running() == ["chains"]
    feed.at(26_000)
    until(lambda: len(feed.subscribed) == 10)
    watch.unfollow(watch.chains)
    until(lambda: running() == [])
    watch.follow(chain(), Mode.LTP, lambda _one: True)
    assert running() == ["chains"]
    watch.end()
    assert running() == []
    watch.begin()
    assert running() == ["chains"]
    watch.end()


def test_without_a_chain_there_is_no_thread(feed: HandFeed) -> None:
    watch = ChainWatch(feed)
    watch.begin()
    assert running() == []
    watch.end()
