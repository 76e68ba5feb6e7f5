"""One feed connection without a socket: bytes in, bytes out. The wire itself: tests/end_to_end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

import pytest

from ticks.adapter.simulator.fault_injector import FaultInjector
from ticks.adapter.simulator.feed_server import FeedConnection, FeedServer
from ticks.adapter.simulator.journal import Journal
from ticks.adapter.simulator.subscribers import MarketState, Subscriber, Subscribers
from ticks.adapter.wire.frames import Close, ControlFrame, FrameReader, Opcode, Text, encode_frame

from .transports import Wire

MASK = b"\1\2\3\4"
HANDSHAKE = (
    b"GET /smart-stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SUBSCRIBE = (
    b'{"action": 1, "params": {"mode": 1, "tokenList": [{"exchangeType": 1, "tokens": ["7"]}]}}'
)
PACKETS = [encode_frame(Opcode.BINARY, bytes((1, 1, n)) + bytes(48)) for n in range(3)]


class NoMarket:
    """A market that only keeps who joined."""

    def __init__(self) -> None:
        self.joins: list[Sequence[bytes]] = []

    def joined(self, units: Sequence[bytes], subscriber: Subscriber) -> None:
        self.joins.append(units)

    def burst(self, packets: int) -> None:
        pass

    def set_state(
        self,
        state: MarketState,
        exchange_types: Collection[int] = (),
        *,
        duration_s: float | None = None,
    ) -> None:
        pass

    def move_price(self, exchange_type: int, token: str, price: int) -> None:
        pass

    def stop(self) -> None:
        pass


class Peer:
    """A client of one connection."""

    def __init__(self) -> None:
        self.wire, self.market, self.journal = Wire(), NoMarket(), Journal(keep_packets=True)
        self.server = FeedServer(
            Subscribers(),
            self.market,
            self.journal,
            FaultInjector((), pytest.fail),
            lambda headers: "T1",
            lambda: 0.0,
        )
        self.connection = FeedConnection(self.server)
        self.connection.connection_made(self.wire)
        self.connection.data_received(HANDSHAKE)
        self.head, _, self.wire.written = self.wire.written.partition(b"\r\n\r\n")

    def sends(self, *frames: bytes) -> None:
        for frame in frames:
            self.connection.data_received(frame)

    def texts(self, *texts: bytes) -> None:
        self.sends(*(encode_frame(Opcode.TEXT, text, mask=MASK) for text in texts))

    def received(self) -> tuple[list[bytes], list[ControlFrame]]:
        written, self.wire.written = self.wire.written, b""
        return FrameReader().read(written)


@pytest.fixture
def peer() -> Peer:
    return Peer()


def test_a_good_handshake_is_accepted_and_known(peer: Peer) -> None:
    assert peer.head.startswith(b"HTTP/1.1 101 ")
    assert [each.status for each in peer.journal.handshakes] == [101]
    assert [each.is_open for each in peer.journal.connections] == [True]


def test_a_text_in_fragments_is_one_message(peer: Peer) -> None:
    peer.sends(
        encode_frame(Opcode.TEXT, b"pi", mask=MASK, fin=False),
        encode_frame(Opcode.PING, b"x", mask=MASK),
        encode_frame(Opcode.CONTINUATION, b"ng", mask=MASK),
    )
    _, signals = peer.received()
    assert Text("pong") in signals


def test_a_good_request_has_no_reply_and_reaches_the_market(peer: Peer) -> None:
    peer.texts(SUBSCRIBE, SUBSCRIBE)
    assert peer.received() == ([], [])
    assert [len(units) for units in peer.market.joins] == [1]


def test_an_unsubscribe_alone_starts_nothing(peer: Peer) -> None:
    peer.texts(SUBSCRIBE.replace(b'"action": 1', b'"action": 0'))
    assert peer.received() == ([], [])
    assert peer.market.joins == []


def test_packets_go_out_as_they_are_and_are_kept(peer: Peer) -> None:
    peer.connection.send_packets(PACKETS)
    messages, _ = peer.received()
    log = peer.journal.connections[0]
    assert [each.packet for each in log.packets] == messages
    assert (len(messages), log.packet_count) == (3, 3)


def test_after_a_close_frame_nothing_more_goes_out(peer: Peer) -> None:
    peer.sends(encode_frame(Opcode.CLOSE, (1000).to_bytes(2, "big"), mask=MASK))
    assert peer.received() == ([], [Close(1000, "")])
    peer.connection.send_packets(PACKETS)
    assert peer.wire.written == b""
    assert peer.wire.is_closed
    assert peer.journal.connections[0].packet_count == 0


def test_a_client_that_breaks_the_protocol_is_closed_with_1002(peer: Peer) -> None:
    peer.sends(encode_frame(Opcode.TEXT, b"not masked"))
    _, signals = peer.received()
    assert [signal.code for signal in signals if isinstance(signal, Close)] == [1002]
    log = peer.journal.connections[0]
    assert (log.ended_by, log.close_code) == ("server", 1002)
    peer.connection.send_packets(PACKETS)
    assert log.packet_count == 0


def test_a_client_that_left_is_not_a_subscriber_any_more(peer: Peer) -> None:
    peer.texts(SUBSCRIBE)
    unit = peer.market.joins[0][0]
    assert list(peer.server.subscribers.of(unit)) == [peer.connection]
    peer.connection.connection_lost(None)
    assert list(peer.server.subscribers.of(unit)) == []
    assert peer.journal.connections[0].ended_by == "lost"


def test_a_full_socket_is_not_ready_until_it_drains(peer: Peer) -> None:
    assert peer.connection.is_ready
    peer.connection.pause_writing()
    assert not peer.connection.is_ready
    peer.connection.resume_writing()
    assert peer.connection.is_ready


def test_a_handshake_for_another_path_is_404() -> None:
    def refuse(headers: Mapping[str, str]) -> str:
        raise AssertionError("another path's headers are not looked at")

    async def asked() -> bytes:
        wire = Wire()
        server = FeedServer(
            Subscribers(),
            NoMarket(),
            Journal(keep_packets=False),
            FaultInjector((), pytest.fail),
            refuse,
            lambda: 0.0,
        )
        connection = FeedConnection(server)
        connection.connection_made(wire)
        connection.data_received(HANDSHAKE.replace(b"/smart-stream", b"/"))
        return wire.written

    assert asyncio.run(asked()).startswith(b"HTTP/1.1 404 ")
