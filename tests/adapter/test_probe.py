"""A feed that is opened for a moment, and each way in which it fails to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ticks.adapter.clock import SystemClock
from ticks.adapter.config import Config
from ticks.adapter.errors import (
    NetworkError,
    RateLimitedError,
    SilenceError,
    SubscriptionRefusedError,
)
from ticks.adapter.instrument import Instrument
from ticks.adapter.probe import FeedProbe
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.waker import Waker

NIFTY = Instrument(1, "99926000", "Nifty 50", "NIFTY", kind="AMXIDX")


@pytest.fixture
def stop() -> Waker:
    return Waker()


@pytest.fixture
def probe(config: Config, stop: Waker) -> Iterator[Callable[..., FeedProbe]]:
    """Opens probes, and closes them in the end."""
    opened: list[FeedProbe] = []

    def open_probe(timeout_s: float = 10.0) -> FeedProbe:
        session = config.authenticator().session()
        feed_url = config.endpoints.feed_url
        opened.append(FeedProbe(feed_url, session, SystemClock(), timeout_s, stop))
        return opened[-1]

    yield open_probe
    for each in opened:
        each.close()


def test_an_open_feed_answers_and_sends_a_packet(probe: Callable[..., FeedProbe]) -> None:
    opened = probe()
    assert 0 < opened.round_trip_s() < 10
    packet, seconds = opened.first_packet([NIFTY])
    assert packet[2:10] == NIFTY.token.encode()
    assert 0 < seconds < 10


def test_a_feed_that_does_not_open_in_time_is_given_up(
    probe: Callable[..., FeedProbe], simulator: Simulator
) -> None:
    simulator.inject("connect:delay:30s")
    with pytest.raises(NetworkError, match=r"did not open within 0\.2 s"):
        probe(0.2)


def test_a_refused_handshake_is_what_opening_a_feed_raises(
    probe: Callable[..., FeedProbe], simulator: Simulator
) -> None:
    simulator.inject("connect:refuse:429")
    with pytest.raises(RateLimitedError):
        probe()


def test_a_feed_without_data_is_silent(
    probe: Callable[..., FeedProbe], simulator: Simulator
) -> None:
    simulator.inject("connect:silence")
    with pytest.raises(SilenceError):
        probe(0.2).first_packet([NIFTY])


def test_a_feed_that_does_not_answer_is_named_with_the_limit(
    probe: Callable[..., FeedProbe], simulator: Simulator
) -> None:
    simulator.inject("connect:stall")
    with pytest.raises(NetworkError, match=r"no answer to `ping` within 0\.2 s"):
        probe(0.2).round_trip_s()


def test_a_subscription_that_is_refused_is_named_with_its_code(
    probe: Callable[..., FeedProbe], simulator: Simulator
) -> None:
    simulator.inject("connect:silence")
    opened = probe()
    simulator.inject("0s:text:E1002")
    with pytest.raises(SubscriptionRefusedError, match="E1002"):
        opened.first_packet([NIFTY])


def test_a_stop_ends_a_wait(
    probe: Callable[..., FeedProbe], simulator: Simulator, stop: Waker
) -> None:
    simulator.inject("connect:silence")
    opened = probe(60.0)
    stop.wake()
    with pytest.raises(NetworkError, match="stopped"):
        opened.first_packet([NIFTY])


def test_a_feed_that_the_server_closes_is_not_silent(
    probe: Callable[..., FeedProbe], simulator: Simulator
) -> None:
    simulator.inject("connect:silence")
    opened = probe()
    simulator.inject("0s:close:1011")
    with pytest.raises(NetworkError, match="closed the feed"):
        opened.first_packet([NIFTY])
