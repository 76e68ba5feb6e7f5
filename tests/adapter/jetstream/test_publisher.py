"""Publishing to a real server that restarts, dies, freezes, refuses: each tick once, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import pytest
from nats_server import NatsServer

from ticks.adapter.clock import SystemClock
from ticks.adapter.jetstream import publisher as publisher_module
from ticks.adapter.jetstream.address import NatsAccess, StreamLimits, parse_address
from ticks.adapter.jetstream.link import LinkError
from ticks.adapter.jetstream.message import decode_message
from ticks.adapter.jetstream.publisher import Publisher, ReceivedPacket
from ticks.adapter.tick import Mode
from ticks.adapter.wire.packet import LAYOUTS

NS = 1_800_000_000_000_000_000


def ltp_packet(sequence: int) -> bytes:
    return LAYOUTS[Mode.LTP].pack(Mode.LTP, 1, b"2885", sequence, 5, 9)


class Feed:
    """Packets of one instrument for a publisher, as many as are added."""

    def __init__(self, server: NatsServer, limits: StreamLimits | None = None) -> None:
        self.notes: list[str] = []
        self.packets: deque[ReceivedPacket] = deque()
        self.made = 0
        self.publisher = Publisher(
            parse_address(server.url),
            NatsAccess(),
            limits or StreamLimits(),
            symbols={(1, "2885"): "RELIANCE-EQ"},
            take=self._take,
            note=self.notes.append,
            clock=SystemClock(),
        )

    def _take(self, most: int) -> Sequence[ReceivedPacket]:
        return [self.packets.popleft() for _ in range(min(most, len(self.packets)))]

    def add(self, count: int) -> None:
        for _ in range(count):
            self.made += 1
            self.packets.append((NS + self.made, ltp_packet(self.made)))
        self.publisher.wake()

    async def until(self, is_true: Callable[[], bool], within_s: float = 40.0) -> None:
        async with asyncio.timeout(within_s):
            while not is_true():
                await asyncio.sleep(0.005)

    async def until_acknowledged(self) -> None:
        await self.until(lambda: self.publisher.acknowledged == self.made)


def published(feed: Feed, act: Callable[[], Awaitable[None]]) -> None:
    """Run a publisher while `act` goes on, and to its end."""

    async def run() -> None:
        await feed.publisher.open()
        publishing = asyncio.create_task(feed.publisher.run())
        await act()
        feed.publisher.end()
        async with asyncio.timeout(40):
            await publishing

    asyncio.run(run())
    assert feed.publisher.unacknowledged == 0


def sequences(server: NatsServer) -> list[int]:
    """The sequence of each tick in the stream, in its order."""
    packets = [decode_message(each.body).packet for each in server.messages()]
    return [int.from_bytes(packet[27:35], "little") for packet in packets]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher_module, "ACKNOWLEDGED_AFTER_S", 0.5)


def test_ticks_are_stored_in_order_more_of_them_than_are_on_their_way_at_once(
    server: NatsServer,
) -> None:
    feed = Feed(server)

    async def act() -> None:
        feed.add(3 * publisher_module.WINDOW)

    published(feed, act)
    assert sequences(server) == list(range(1, feed.made + 1))
    assert feed.publisher.acknowledged == feed.made
    assert feed.publisher.acknowledged_bytes == sum(len(m.body) for m in server.messages())
    assert feed.notes == []


def test_no_more_are_on_their_way_than_the_window_holds(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "WINDOW", 100)
    feed = Feed(server)
    most = 0

    async def act() -> None:
        server.freeze()
        feed.add(1_000)
        await feed.until(lambda: len(feed.publisher._sent) >= 100)
        nonlocal most
        most = len(feed.publisher._sent)
        server.thaw()
        await feed.until_acknowledged()

    published(feed, act)
    assert most == 100
    assert sequences(server) == list(range(1, 1_001))


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_a_server_that_restarts_costs_no_tick_and_doubles_none(
    server: NatsServer, way: str
) -> None:
    feed = Feed(server)

    async def act() -> None:
        for _ in range(3):
            feed.add(5_000)
            await feed.until(lambda: feed.publisher.acknowledged > feed.made - 4_000)
            await asyncio.to_thread(getattr(server, way))
            feed.add(1_000)
            await asyncio.to_thread(server.start)
        await feed.until_acknowledged()

    published(feed, act)
    assert sequences(server) == list(range(1, feed.made + 1))
    assert any("lost" in note for note in feed.notes)
    assert feed.notes[-1].startswith(parse_address(server.url).server)
    assert "back after" in feed.notes[-1]


def test_each_loss_is_reported_once_and_so_is_its_end(server: NatsServer) -> None:
    feed = Feed(server)

    async def act() -> None:
        feed.add(10)
        await feed.until_acknowledged()
        await asyncio.to_thread(server.kill)
        feed.add(10)
        await feed.until(lambda: feed.publisher._failures >= 3)
        await asyncio.to_thread(server.start)
        await feed.until_acknowledged()

    published(feed, act)
    told = [note.partition(": ")[2].split()[0] for note in feed.notes]
    assert told == ["lost", "back"]


@pytest.mark.usefixtures("impatient")
def test_a_server_that_answers_nothing_is_left_and_taken_up_again(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partition: the socket is open, what is sent goes nowhere."""
    monkeypatch.setattr(publisher_module, "WINDOW", 50_000)
    feed = Feed(server)

    async def act() -> None:
        feed.add(100)
        await feed.until_acknowledged()
        server.freeze()
        feed.add(50_000)  # more than the sockets' buffers hold: the publisher is held up in a write
        await feed.until(lambda: feed.notes != [])
        server.thaw()
        await feed.until_acknowledged()

    published(feed, act)
    # So many at once a slow server turns down in part ("too many requests"), and takes them later.
    assert sorted(sequences(server)) == list(range(1, feed.made + 1))
    assert "not acknowledged" in feed.notes[0]


def test_slow_acknowledgements_are_not_a_fault(server: NatsServer) -> None:
    feed = Feed(server)

    async def act() -> None:
        for _ in range(5):
            feed.add(500)
            server.freeze()
            await asyncio.sleep(0.2)
            server.thaw()
            await feed.until_acknowledged()

    published(feed, act)
    assert feed.notes == []
    assert sequences(server) == list(range(1, feed.made + 1))


def test_a_stream_that_takes_no_more_is_reported_with_the_servers_reason(
    server: NatsServer,
) -> None:
    feed = Feed(server)
    server.ask(
        lambda jetstream: jetstream.add_stream(
            name="TICKS", subjects=["ticks.>"], max_msgs=50, discard="new"
        )
    )

    async def act() -> None:
        feed.add(60)
        await feed.until(lambda: feed.notes != [])
        await asyncio.to_thread(
            server.ask,
            lambda jetstream: jetstream.update_stream(
                name="TICKS", subjects=["ticks.>"], max_msgs=100, discard="new"
            ),
        )
        await feed.until_acknowledged()

    published(feed, act)
    assert "maximum messages exceeded" in feed.notes[0]
    assert sequences(server) == list(range(1, 61))


def test_a_stream_that_was_deleted_is_made_again(server: NatsServer) -> None:
    feed = Feed(server)

    async def act() -> None:
        feed.add(10)
        await feed.until_acknowledged()
        await asyncio.to_thread(server.ask, lambda jetstream: jetstream.delete_stream("TICKS"))
        feed.add(10)
        await feed.until_acknowledged()

    published(feed, act)
    assert sequences(server) == list(range(11, 21))


def test_two_recorders_of_one_feed_leave_one_copy(server: NatsServer) -> None:
    one, other = Feed(server), Feed(server)

    async def act() -> None:
        one.add(3_000)
        await one.until_acknowledged()

    async def act_too() -> None:
        other.add(5_000)
        await other.until_acknowledged()

    published(one, act)
    published(other, act_too)
    assert sequences(server) == list(range(1, 5_001))
    assert other.publisher.acknowledged == 5_000


def test_what_is_not_acknowledged_when_it_is_cut_short_is_counted(server: NatsServer) -> None:
    feed = Feed(server)

    async def run() -> None:
        await feed.publisher.open()
        publishing = asyncio.create_task(feed.publisher.run())
        feed.add(10)
        await feed.until_acknowledged()
        server.freeze()
        feed.add(7)
        await feed.until(lambda: feed.publisher.unacknowledged == 7)
        feed.publisher.cut_short()
        await publishing

    asyncio.run(run())
    server.thaw()
    assert feed.publisher.unacknowledged == 7


def test_without_a_server_it_does_not_begin(server: NatsServer) -> None:
    server.kill()
    with pytest.raises(LinkError):
        asyncio.run(Feed(server).publisher.open())


def test_a_publisher_that_has_nothing_to_do_wakes_nobody(server: NatsServer) -> None:
    feed = Feed(server)
    wakes: list[int] = []

    async def act() -> None:
        feed.add(10)
        await feed.until_acknowledged()
        wait = feed.publisher._work.wait

        async def counted() -> bool:
            wakes.append(1)
            return await wait()

        feed.publisher._work.wait = counted  # type: ignore[method-assign]
        await asyncio.sleep(0.5)

    published(feed, act)
    assert len(wakes) <= 2
