"""The official SDK, unchanged, takes the simulator for the broker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pyotp
import pytest

from ticks.adapter.files.recording import read_recording
from ticks.adapter.simulator.instrument_model import MODES
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.tick import Mode

MINUTE = Path(__file__).parents[2] / "data" / "demo-minute"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(rate=50, seed=3, keep_packets=True) as running:
        yield running


@pytest.fixture
def smart(official_rest: ModuleType, simulator: Simulator) -> Any:
    """The SDK's REST client, at the simulator's address."""
    return official_rest.SmartConnect(
        api_key=simulator.credentials.api_key, root=simulator.rest_url
    )


def code(simulator: Simulator) -> str:
    return pyotp.TOTP(simulator.credentials.totp_secret).now()


def logged_in(smart: Any, simulator: Simulator) -> Any:
    """The reply of the SDK's login, which asks for the profile too."""
    given = simulator.credentials
    return smart.generateSession(given.client_code, given.pin, code(simulator))


def test_login_profile_refresh_and_logout_work(smart: Any, simulator: Simulator) -> None:
    user = logged_in(smart, simulator)
    assert user["data"]["clientcode"] == simulator.credentials.client_code
    assert smart.generateToken(smart.refresh_token)["status"] is True
    assert smart.getProfile(smart.refresh_token)["status"] is True
    assert smart.terminateSession(simulator.credentials.client_code)["status"] is True
    assert [(each.call, each.code) for each in simulator.journal.calls] == [
        ("login", ""),
        ("profile", ""),
        ("refresh", ""),
        ("profile", ""),
        ("logout", ""),
    ]


def test_failures_of_shape_a_come_back_as_replies(smart: Any, simulator: Simulator) -> None:
    given = simulator.credentials
    wrong_code = smart.generateSession(given.client_code, given.pin, "000000")
    wrong_pin = smart.generateSession(given.client_code, "0000", code(simulator))
    assert (wrong_code["errorcode"], wrong_pin["errorcode"]) == ("AB1050", "AB1007")


def test_failures_of_shape_b_kill_the_sdk_with_a_key_error(
    smart: Any, simulator: Simulator
) -> None:
    logged_in(smart, simulator)
    simulator.expire_tokens()
    assert smart.getProfile(smart.refresh_token)["errorCode"] == "AG8002"
    smart.privateKey = ""
    with pytest.raises(KeyError):
        logged_in(smart, simulator)


def test_failures_of_shape_c_are_not_json_to_the_sdk(official_rest: ModuleType) -> None:
    with Simulator(has_rate_limits=True) as simulator:
        smart = official_rest.SmartConnect(
            api_key=simulator.credentials.api_key, root=simulator.rest_url
        )
        smart.generateSession("X", "X", "X")
        with pytest.raises(Exception, match="exceeding access rate"):
            smart.generateSession("X", "X", "X")


class SdkFeed:
    """The SDK's feed client in a thread of its own, until it has received `count` packets.

    It closes from within its callback: closed from another thread it may sleep for ten seconds.
    """

    def __init__(self, sdk: ModuleType, smart: Any, simulator: Simulator, count: int) -> None:
        given = simulator.credentials
        self.received: list[dict[str, Any]] = []
        self._count = count
        self.client = sdk.SmartWebSocketV2(
            smart.access_token,
            given.api_key,
            given.client_code,
            smart.feed_token,
            max_retry_attempt=0,
        )
        self.client.ROOT_URI = simulator.feed_url
        self.client.on_data = self._on_data
        self.client.on_error = lambda *what: None

    def _on_data(self, wsapp: Any, data: dict[str, Any]) -> None:
        self.received.append(data)
        if len(self.received) == self._count:
            self.client.close_connection()

    def run(self, on_open: Callable[[Any], None]) -> list[dict[str, Any]]:
        """What it received."""
        self.client.on_open = lambda wsapp: on_open(self.client)
        thread = threading.Thread(target=self.client.connect)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        return self.received[: self._count]


@pytest.mark.parametrize("mode", MODES)
def test_its_feed_client_receives_what_was_sent_in_every_mode(
    official_sdk: ModuleType, smart: Any, simulator: Simulator, mode: Mode
) -> None:
    logged_in(smart, simulator)
    feed = SdkFeed(official_sdk, smart, simulator, count=6)
    groups = [{"exchangeType": 1, "tokens": ["2885", "99926000"]}]
    received = feed.run(lambda client: client.subscribe("abc123", int(mode), groups))
    sent = [each.packet for each in simulator.journal.connections[0].packets]
    assert {each["token"] for each in received} == {"2885", "99926000"}
    assert {each["subscription_mode"] for each in received} == {int(mode)}
    assert received == [feed.client._parse_binary_data(packet) for packet in sent[:6]]


def test_its_feed_client_receives_a_recording_as_it_was(
    official_sdk: ModuleType, official_rest: ModuleType
) -> None:
    recorded = [row.packet for row in read_recording(MINUTE / "snap.csv")]
    with Simulator(recording=MINUTE / "snap.csv", speed=None) as simulator:
        smart = official_rest.SmartConnect(
            api_key=simulator.credentials.api_key, root=simulator.rest_url
        )
        logged_in(smart, simulator)
        feed = SdkFeed(official_sdk, smart, simulator, count=len(recorded))
        groups = [{"exchangeType": 1, "tokens": ["2885", "99926000"]}]
        received = feed.run(lambda client: client.subscribe("abc123", int(Mode.SNAP), groups))
    assert received == [feed.client._parse_binary_data(packet) for packet in recorded]
