"""Each fault as a client sees it on the wire, and as the journal has it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket
from recorded import sent_by

from ticks.adapter.errors import UsageError
from ticks.adapter.simulator.faults import Fault, What
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.simulator.subscribers import MarketState
from ticks.adapter.tick import Mode
from ticks.adapter.wire.packet import decode_packet, malformed_reason

RELIANCE = "2885"
Begin = Callable[..., Simulator]
OpenFeed = Callable[..., Any]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts a simulator with the faults given; it is stopped at the end of the test."""
    with ExitStack() as running:

        def start(*faults: str | Fault, rate: float = 200, **options: Any) -> Simulator:
            return running.enter_context(
                Simulator(rate=rate, seed=5, keep_packets=True, faults=faults, **options)
            )

        yield start


def subscribed(simulator: Simulator, open_feed: OpenFeed, mode: Mode = Mode.LTP) -> Any:
    client = open_feed(simulator)
    client.ask(RELIANCE, mode=mode)
    return client


def seconds_of(simulator: Simulator, what: What) -> float:
    (span,) = [each for each in simulator.journal.connections[0].spans if each.what == what]
    assert span.ended is not None
    return span.ended.at_s - span.begun.at_s


def test_silence_keeps_the_heartbeat_and_ends(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("50ms:silence:300ms")
    client = subscribed(simulator, open_feed)
    assert simulator.wait_until(lambda: bool(simulator.journal.injections))
    before = client.packets(simulator.journal.packet_count)
    client.link.send("ping")
    assert client.link.recv() == "pong"
    after = client.packets(3)
    assert before + after == sent_by(simulator)[: len(before) + 3]
    assert 0.29 < seconds_of(simulator, What.SILENCE) < 2
    last, first = simulator.journal.connections[0].packets[len(before) - 1 :][:2]
    assert first.wall_ns - last.wall_ns > 290_000_000


def test_a_stall_sends_no_pong_until_it_is_over(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("30ms:stall:300ms", rate=20)
    client = subscribed(simulator, open_feed)
    assert simulator.wait_until(lambda: bool(simulator.journal.injections))
    asked_s = time.monotonic()
    client.link.send("ping")
    assert client.text() == "pong"
    assert time.monotonic() - asked_s > 0.2
    assert 0.29 < seconds_of(simulator, What.STALL) < 2


def test_a_close_frame_that_came_in_a_stall_is_known_when_the_client_left(
    begin: Begin, open_feed: OpenFeed
) -> None:
    simulator = begin("0s:stall")
    client = subscribed(simulator, open_feed)
    assert simulator.wait_until(lambda: bool(simulator.journal.injections))
    client.link.send_close(1000)
    client.link.shutdown()
    assert simulator.wait_until(lambda: not simulator.journal.open_connections())
    assert simulator.journal.connections[0].ended_by == "client"


def test_drop_is_a_reset(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("10ticks:drop")
    client = subscribed(simulator, open_feed)
    with pytest.raises(ConnectionResetError):
        client.packets(1000)
    log = simulator.journal.connections[0]
    assert log.ended_by == "dropped"
    assert 10 <= log.packet_count < 20


def test_close_carries_its_code(begin: Begin, open_feed: OpenFeed) -> None:
    client = subscribed(begin("20ms:close:4001"), open_feed)
    assert client.close_code() == 4001


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_refused_handshakes_are_counted(begin: Begin, open_feed: OpenFeed, status: int) -> None:
    simulator = begin(f"connect:refuse:{status}x2")
    for _ in range(2):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            open_feed(simulator)
        assert refused.value.status_code == status
    open_feed(simulator)
    assert [each.status for each in simulator.journal.handshakes] == [status, status, 101]


def test_a_handshake_may_be_delayed(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("connect:delay:200ms")
    start_s = time.monotonic()
    open_feed(simulator)
    assert time.monotonic() - start_s >= 0.2


def test_a_client_that_gives_a_delayed_handshake_up_harms_nobody(
    begin: Begin, open_feed: OpenFeed
) -> None:
    simulator = begin("connect:delay:1h")
    with pytest.raises(websocket.WebSocketTimeoutException):
        websocket.create_connection(simulator.feed_url, timeout=0.1)
    open_feed(simulator)


def test_expire_closes_the_feed_and_ends_the_tokens(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("20ms:expire")
    tokens = simulator.new_session()
    client = open_feed(simulator, tokens)
    client.ask(RELIANCE)
    assert client.close_code() == 1008
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        open_feed(simulator, tokens)
    assert refused.value.status_code == 401
    reply = requests.get(
        simulator.rest_url + "/rest/secure/angelbroking/user/v1/getProfile",
        headers={
            "X-PrivateKey": simulator.credentials.api_key,
            "Authorization": f"Bearer {tokens.jwt}",
        },
        timeout=5,
    )
    assert reply.json()["errorCode"] == "AG8002"


@pytest.mark.parametrize(("fault", "reason"), [("garbage", "mode"), ("truncate", "length")])
def test_a_malformed_message_comes_among_good_packets(
    begin: Begin, open_feed: OpenFeed, fault: str, reason: str
) -> None:
    simulator = begin(f"5ticks:{fault}")
    messages = subscribed(simulator, open_feed, Mode.SNAP).packets(20)
    assert [found for each in messages if (found := malformed_reason(each))] == [reason]
    good = [each for each in messages if not malformed_reason(each)]
    assert good == sent_by(simulator)[: len(good)]


def test_a_fragmented_packet_is_still_one_packet(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("5ticks:fragment")
    client = subscribed(simulator, open_feed)
    opcodes = [client.link.recv_frame().opcode for _ in range(20)]
    at = opcodes.index(websocket.ABNF.OPCODE_PING)
    assert opcodes[at - 1 : at + 2] == [
        websocket.ABNF.OPCODE_BINARY,
        websocket.ABNF.OPCODE_PING,
        websocket.ABNF.OPCODE_CONT,
    ]
    assert {len(packet) for packet in sent_by(simulator)} == {51}


def test_an_oversized_message_comes_whole(begin: Begin, open_feed: OpenFeed) -> None:
    messages = subscribed(begin("5ticks:oversize"), open_feed).packets(20)
    assert sorted({len(each) for each in messages}) == [51, 70_000]


def test_a_text_error_comes_unasked(begin: Begin, open_feed: OpenFeed) -> None:
    client = subscribed(begin("5ticks:text:E1001"), open_feed)
    assert json.loads(client.text())["errorCode"] == "E1001"


def test_slow_bytes_dribble_and_lose_nothing(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("0s:slow:200ms", rate=500)
    client = subscribed(simulator, open_feed)
    packets = client.packets(80)
    assert packets == sent_by(simulator)[:80]
    assert 0.19 < seconds_of(simulator, What.SLOW) < 2


def test_a_burst_comes_at_once(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("10ms:burst:500", rate=1)
    packets = subscribed(simulator, open_feed).packets(501)
    assert packets == sent_by(simulator)[:501]


@pytest.mark.parametrize("what", ["burst:5", "halt", "holiday", "snapshots"])
def test_the_market_of_a_recording_cannot_be_changed(tmp_path: Path, what: str) -> None:
    path = tmp_path / "day.csv"
    path.write_text("received_at,exchange_time,exchange,symbol,token,mode,sequence,ltp\n")
    with pytest.raises(UsageError) as refused:
        Simulator(recording=path, faults=[f"1s:{what}"])
    assert refused.value.kind == "fault-of-recording"


def test_a_connection_that_a_fault_closed_meets_no_other(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("connect:silence", "connect:close", "connect:text", "connect:drop")
    assert open_feed(simulator).close_code() == 1011
    log = simulator.journal.connections[0]
    assert (log.ended_by, log.close_code) == ("server", 1011)
    assert log.closed is not None
    assert [each.ended for each in log.spans] == [log.closed]


def test_connect_faults_strike_connections_to_come(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("connect:silence", "connect:closex2")
    assert open_feed(simulator).close_code() == 1011
    assert open_feed(simulator).close_code() == 1011
    subscribed(simulator, open_feed).packets(3)
    struck = [(each.fault.what, each.connections) for each in simulator.journal.injections]
    assert struck == [(What.SILENCE, (1,)), (What.CLOSE, (1,)), (What.CLOSE, (2,))]


def test_a_fault_can_be_injected_while_it_runs_into_one_connection(
    begin: Begin, open_feed: OpenFeed
) -> None:
    simulator = begin()
    first, second = (subscribed(simulator, open_feed) for _ in range(2))
    first.packets(1)
    second.packets(1)
    simulator.inject(Fault(What.CLOSE, number=1012, connection=2))
    assert second.close_code() == 1012
    first.packets(5)
    simulator.inject("0s:drop")
    with pytest.raises(ConnectionResetError):
        first.packets(1000)
    assert [each.connections for each in simulator.journal.injections] == [(2,), (1,)]


# --- what the market and its feed do --------------------------------------------------------------


def times_s(packets: list[bytes]) -> list[int]:
    return [decode_packet(packet).exchange_time_ms // 1000 for packet in packets]


def test_a_halt_is_silence_and_a_new_subscribe_gets_the_time_before_it(
    begin: Begin, open_feed: OpenFeed
) -> None:
    simulator = begin()
    client = subscribed(simulator, open_feed)
    before = client.packets(3)
    simulator.set_market_state(MarketState.HALTED)
    log = simulator.journal.connections[0]
    before += client.packets(log.packet_count - len(before))
    client.link.send("ping")
    assert client.link.recv() == "pong"
    late = subscribed(simulator, open_feed)
    (snapshot,) = late.packets(1)
    late.link.send("ping")
    assert late.link.recv() == "pong"
    assert snapshot == before[-1]
    simulator.set_market_state(MarketState.OPEN)
    late.packets(3)
    client.packets(3)


def test_a_halt_of_one_segment_ends_by_itself_and_spares_the_others(
    begin: Begin, open_feed: OpenFeed
) -> None:
    simulator = begin("connect:halt:NSE:300ms")
    client = open_feed(simulator)
    client.ask(RELIANCE)
    client.ask("500325", exchange_type=3)
    exchanges = [decode_packet(packet).exchange_type for packet in client.packets(30)]
    assert exchanges.count(1) == 1
    while decode_packet(client.packets(1)[0]).exchange_type != 1:
        pass


def test_on_a_holiday_a_subscribe_gets_a_packet_of_an_earlier_day_and_no_more(
    begin: Begin, open_feed: OpenFeed
) -> None:
    simulator = begin("connect:holiday")
    client = open_feed(simulator)
    client.ask(RELIANCE, "99926000")
    midnight_s = simulator.wall_s() - (simulator.wall_s() + 19800) % 86400
    assert max(times_s(client.packets(2))) < midnight_s
    client.link.send("ping")
    assert client.link.recv() == "pong"


def test_a_feed_of_snapshots_sends_a_fresh_one_a_subscribe_and_no_more(
    begin: Begin, open_feed: OpenFeed
) -> None:
    simulator = begin("connect:snapshots")
    for _ in range(2):
        client = subscribed(simulator, open_feed)
        (time_s,) = times_s(client.packets(1))
        assert abs(time_s - simulator.wall_s()) < 2
        client.link.send("ping")
        assert client.link.recv() == "pong"


def test_foreign_packets_come_among_the_others(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("5ticks:foreign:4")
    packets = subscribed(simulator, open_feed).packets(20)
    good = sent_by(simulator)
    foreign = [packet for packet in packets if packet not in good]
    assert len(foreign) == 4
    assert {packet[:27] for packet in foreign}.isdisjoint({packet[:27] for packet in good})


def test_one_packet_is_dated_ahead_and_the_next_is_not(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("5ticks:ahead:1h")
    packets = subscribed(simulator, open_feed).packets(20)
    now_s = simulator.wall_s()
    ahead = [each for each in times_s(packets) if each > now_s + 1800]
    assert len(ahead) == 1
    assert packets == sent_by(simulator)[:20]


def test_a_flood_of_texts_comes_among_the_packets(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("5ticks:flood:500")
    client = subscribed(simulator, open_feed)
    assert [json.loads(client.text())["notice"] for _ in range(500)] == list(range(500))
    client.packets(5)


def test_pongs_come_unasked_while_nothing_else_does(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("connect:pongs", "connect:silence")
    client = subscribed(simulator, open_feed)
    assert [client.link.recv() for _ in range(10)] == ["pong"] * 10


def test_pongs_end_with_their_time(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin("0s:pongs:100ms")
    client = subscribed(simulator, open_feed)
    assert client.text() == "pong"
    log = simulator.journal.connections[0]
    assert simulator.wait_until(lambda: log.spans[0].ended is not None)
    assert 0.09 < seconds_of(simulator, What.PONGS) < 2


def test_a_close_frame_may_be_met_with_packets_without_an_end(
    begin: Begin, open_feed: OpenFeed
) -> None:
    simulator = begin("connect:ignore-close")
    client = subscribed(simulator, open_feed)
    client.packets(3)
    client.link.send_close(1000)
    client.packets(20_000)
    log = simulator.journal.connections[0]
    assert (log.ended_by, log.close_code) == ("client", 1000)
    client.link.shutdown()
    open_feed(simulator)


def test_a_close_frame_is_ignored_for_a_time_and_then_the_socket_is_cut(
    begin: Begin, open_feed: OpenFeed
) -> None:
    simulator = begin("connect:ignore-close:200ms")
    client = subscribed(simulator, open_feed)
    client.link.send_close(1000)
    with pytest.raises((ConnectionError, websocket.WebSocketConnectionClosedException)):
        client.packets(10_000_000)


def test_a_simulator_can_be_stopped_while_it_ignores_a_close_frame(open_feed: OpenFeed) -> None:
    with Simulator(faults=["connect:ignore-close"]) as simulator:
        client = subscribed(simulator, open_feed)
        client.link.send_close(1000)
        client.packets(100)


def test_a_price_can_be_moved(begin: Begin, open_feed: OpenFeed) -> None:
    simulator = begin()
    simulator.move_price("NSE", "99926000", 2_500_000)
    client = open_feed(simulator)
    client.ask("99926000")
    prices = {decode_packet(packet).last_price for packet in client.packets(20)}
    assert all(abs(price - 2_500_000) < 2_000 for price in prices)
