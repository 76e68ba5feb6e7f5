"""The official SDK, unchanged, takes the simulator for the broker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pyotp
import pytest

from ticks.adapter.simulator.server import Simulator
from ticks.adapter.tick import Mode


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


def test_failures_of_shape_c_are_no_json_to_the_sdk(official_rest: ModuleType) -> None:
    with Simulator(has_rate_limits=True) as simulator:
        smart = official_rest.SmartConnect(
            api_key=simulator.credentials.api_key, root=simulator.rest_url
        )
        smart.generateSession("X", "X", "X")
        with pytest.raises(Exception, match="exceeding access rate"):
            smart.generateSession("X", "X", "X")


class SdkFeed:
    """The SDK's feed client in a thread of its own, and what it received."""

    def __init__(self, sdk: ModuleType, smart: Any, simulator: Simulator) -> None:
        given = simulator.credentials
        self.received: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._socket = sdk.SmartWebSocketV2(
            smart.access_token, given.api_key, given.client_code, smart.feed_token
        )
        self._socket.ROOT_URI = simulator.feed_url
        self._socket.on_data = self._on_data
        self._thread = threading.Thread(target=self._socket.connect)

    def _on_data(self, wsapp: Any, data: dict[str, Any]) -> None:
        with self._changed:
            self.received.append(data)
            self._changed.notify_all()

    def begin(self, on_open: Callable[[Any], None]) -> None:
        self._socket.on_open = lambda wsapp: on_open(self._socket)
        self._thread.start()

    def receives(self, count: int) -> list[dict[str, Any]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.received) >= count, 10)
        return self.received

    def end(self) -> None:
        self._socket.MAX_RETRY_ATTEMPT = 0
        self._socket.close_connection()
        self._thread.join(10)


@pytest.mark.parametrize("mode", list(Mode))
def test_its_feed_client_receives_what_was_sent_in_every_mode(
    official_sdk: ModuleType, smart: Any, simulator: Simulator, mode: Mode
) -> None:
    logged_in(smart, simulator)
    feed = SdkFeed(official_sdk, smart, simulator)
    groups = [{"exchangeType": 1, "tokens": ["2885", "99926000"]}]
    feed.begin(lambda socket: socket.subscribe("abc123", int(mode), groups))
    received = feed.receives(6)
    feed.end()
    sent = [each.packet for each in simulator.journal.connections[0].packets]
    assert {each["token"] for each in received} == {"2885", "99926000"}
    assert {each["subscription_mode"] for each in received} == {int(mode)}
    parse = official_sdk.SmartWebSocketV2._parse_binary_data
    decoder = feed._socket
    assert received == [parse(decoder, packet) for packet in sent[: len(received)]]
