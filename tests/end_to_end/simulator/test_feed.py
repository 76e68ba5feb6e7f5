"""The feed on the bare wire: handshakes, heartbeat, subscriptions, limits, ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import websocket

from ticks.adapter.simulator.instrument_model import MODES
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.tick import Mode
from ticks.adapter.wire.packet import PACKET_SIZES, decode_packet

OpenFeed = Callable[..., object]
RELIANCE, NIFTY = "2885", "99926000"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(rate=100, seed=3, keep_packets=True, extra_instruments=1100) as running:
        yield running


def sent(simulator: Simulator, connection: int = 0) -> list[bytes]:
    return [each.packet for each in simulator.journal.connections[connection].packets]


# --- handshake ---


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"Authorization": "Bearer x"}, "Invalid Header - Invalid Auth token"),
        ({"x_client_code": "X"}, "Invalid Header - Invalid Client Code"),
        ({"x_api_key": "X"}, "Invalid Header - Invalid API Key"),
        ({"x_feed_token": "X"}, "Invalid Header - Invalid Feed Token"),
    ],
)
def test_a_wrong_header_is_refused_with_401_and_named(
    simulator: Simulator, open_feed: OpenFeed, header: dict[str, str], message: str
) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        open_feed(simulator, **header)
    assert refused.value.status_code == 401
    assert refused.value.resp_headers["x-error-message"] == message
    assert [(each.status, each.message) for each in simulator.journal.handshakes] == [
        (401, message)
    ]
    assert simulator.journal.connections == []


def test_the_fourth_connection_is_refused_until_one_ends(
    simulator: Simulator, open_feed: OpenFeed
) -> None:
    clients = [open_feed(simulator) for _ in range(3)]
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        open_feed(simulator)
    assert refused.value.status_code == 429
    message = "Invalid Request. Connection Limit Exceeded."
    assert refused.value.resp_headers["x-error-message"] == message
    assert refused.value.resp_headers["content-type"] == "text/html"
    assert b"<html>" in refused.value.resp_body
    clients[0].link.close()
    assert simulator.wait_until(lambda: len(simulator.journal.open_connections()) == 2)
    open_feed(simulator)


def test_another_path_is_404(simulator: Simulator) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(simulator.feed_url + "/other", timeout=5)
    assert refused.value.status_code == 404


# --- heartbeat ---


def test_a_text_ping_is_answered_with_a_text_pong(
    simulator: Simulator, open_feed: OpenFeed
) -> None:
    client = open_feed(simulator)
    client.link.send("ping")
    assert client.link.recv() == "pong"
    assert simulator.journal.connections[0].ping_count == 1


def test_a_control_ping_is_answered_with_its_payload(
    simulator: Simulator, open_feed: OpenFeed
) -> None:
    client = open_feed(simulator)
    client.link.ping("payload")
    assert client.link.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"payload")


# --- subscriptions ---


@pytest.mark.parametrize("mode", MODES)
def test_every_packet_that_was_put_on_the_socket_arrives(
    simulator: Simulator, open_feed: OpenFeed, mode: Mode
) -> None:
    client = open_feed(simulator)
    client.ask(RELIANCE, NIFTY, mode=mode)
    packets = client.packets(20)
    assert packets == sent(simulator)[:20]
    assert {len(packet) for packet in packets} == {PACKET_SIZES[mode]}


def test_modes_of_one_instrument_are_sent_side_by_side(
    simulator: Simulator, open_feed: OpenFeed
) -> None:
    client = open_feed(simulator)
    client.ask(RELIANCE, mode=Mode.LTP)
    client.ask(RELIANCE, mode=Mode.QUOTE)
    assert {packet[0] for packet in client.packets(20)} == {Mode.LTP, Mode.QUOTE}


def test_an_unsubscribed_instrument_goes_silent_and_the_others_go_on(
    simulator: Simulator, open_feed: OpenFeed
) -> None:
    client = open_feed(simulator)
    client.ask(RELIANCE, NIFTY)
    client.packets(4)
    client.ask(RELIANCE, action=0)
    log = simulator.journal.connections[0]
    assert simulator.wait_until(lambda: len(log.texts) == 2)
    before = log.packet_count
    client.packets(before + 10 - 4)
    assert {decode_packet(packet).token for packet in sent(simulator)[before:]} == {NIFTY}


def test_nothing_is_kept_across_connections(simulator: Simulator, open_feed: OpenFeed) -> None:
    first = open_feed(simulator)
    first.ask(RELIANCE)
    first.packets(1)
    first.link.close()
    second, witness = open_feed(simulator), open_feed(simulator)
    witness.ask(RELIANCE)
    witness.packets(10)
    assert sent(simulator, 1) == []
    second.link.send("ping")
    assert second.link.recv() == "pong"


def test_a_refused_request_is_answered_and_harms_nothing(
    simulator: Simulator, open_feed: OpenFeed
) -> None:
    client = open_feed(simulator)
    client.ask(RELIANCE)
    client.link.send("no json")
    error = json.loads(client.text())
    assert (error["errorCode"], error["errorMessage"]) == ("E1001", "Invalid Request Payload.")
    client.packets(5)


def test_over_a_thousand_units_the_whole_request_is_refused(
    simulator: Simulator, open_feed: OpenFeed
) -> None:
    client = open_feed(simulator)
    tokens = [str(5_000_000 + n) for n in range(1, 1001)]
    client.ask(*tokens)
    client.packets(1000)
    client.ask("2885", "1594")
    error = json.loads(client.text())
    assert (error["correlationID"], error["errorCode"]) == ("abc", "E1002")
    assert simulator.journal.connections[0].units == 1000
    assert {decode_packet(packet).token for packet in client.packets(1000)} <= set(tokens)


def test_the_feed_of_a_seed_can_be_had_again(open_feed: OpenFeed) -> None:
    def prices() -> list[int]:
        with Simulator(rate=500, seed=42) as simulator:
            client = open_feed(simulator)
            client.ask(RELIANCE)
            return [decode_packet(packet).last_price for packet in client.packets(50)]

    assert prices() == prices()


# --- ends ---


def test_the_journal_has_how_a_connection_ended(simulator: Simulator, open_feed: OpenFeed) -> None:
    clean, lost, closed, dropped = range(4)
    client = open_feed(simulator)
    client.link.close()
    assert simulator.wait_until(lambda: not simulator.journal.open_connections())
    client = open_feed(simulator)
    client.link.shutdown()
    assert simulator.wait_until(lambda: not simulator.journal.open_connections())
    client = open_feed(simulator)
    simulator.close_connections(1011)
    assert client.close_code() == 1011
    client = open_feed(simulator)
    simulator.drop_connections()
    with pytest.raises(ConnectionResetError):
        client.packets(1)
    ends = [(each.ended_by, each.close_code) for each in simulator.journal.connections]
    assert ends[clean] == ("client", 1000)
    assert ends[lost] == ("lost", None)
    assert ends[closed] == ("server", 1011)
    assert ends[dropped] == ("dropped", None)


def test_expired_tokens_close_the_feed_and_refuse_the_next_handshake(
    simulator: Simulator, open_feed: OpenFeed
) -> None:
    tokens = simulator.new_session()
    client = open_feed(simulator, tokens)
    simulator.expire_tokens()
    assert client.close_code() == 1008
    with pytest.raises(websocket.WebSocketBadStatusException):
        open_feed(simulator, tokens)
    open_feed(simulator, simulator.new_session())


def test_stopping_closes_every_connection_with_1001(open_feed: OpenFeed) -> None:
    with Simulator() as simulator:
        client = open_feed(simulator)
        simulator.wait_until(lambda: bool(simulator.journal.connections))
    assert client.close_code() == 1001


# --- several accounts ---


def test_each_account_has_three_connections_of_its_own(open_feed: OpenFeed) -> None:
    with Simulator(accounts=2, rate=100) as simulator:
        mine, theirs = (simulator.environment(n) for n in range(2))
        tokens = simulator.new_session(1)
        headers = {
            "x_client_code": theirs["TICKS_CLIENT_CODE"],
            "x_api_key": theirs["TICKS_API_KEY"],
        }
        clients = [open_feed(simulator) for _ in range(3)]
        clients += [open_feed(simulator, tokens, **headers) for _ in range(3)]
        for client in clients:
            client.ask(RELIANCE)
            client.packets(3)
        with pytest.raises(websocket.WebSocketBadStatusException, match="429"):
            open_feed(simulator, tokens, **headers)
        codes = [log.client_code for log in simulator.journal.connections]
        assert codes == [mine["TICKS_CLIENT_CODE"]] * 3 + [theirs["TICKS_CLIENT_CODE"]] * 3


def test_a_session_of_one_account_is_refused_with_another_s_client_code(
    open_feed: OpenFeed,
) -> None:
    with Simulator(accounts=2) as simulator:
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            open_feed(simulator, simulator.new_session(1))
        message = "Invalid Header - Invalid Client Code"
        assert refused.value.resp_headers["x-error-message"] == message
