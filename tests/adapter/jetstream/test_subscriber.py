"""Reading a real server's stream back: in order, each message once, whatever happens to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest
from nats_server import NatsServer

from ticks.adapter.jetstream import streams as streams_module
from ticks.adapter.jetstream import subscriber as subscriber_module
from ticks.adapter.jetstream.address import NatsAccess, parse_address
from ticks.adapter.jetstream.link import LinkError
from ticks.adapter.jetstream.message import subject_of
from ticks.adapter.jetstream.subscriber import ReadRange, Stored, Subscriber

ALL = ReadRange()


def filled(
    server: NatsServer, count: int, *, first: int = 1, tokens: Sequence[str] = ("1",)
) -> None:
    """`count` more messages in the stream; the body of each is its number."""

    async def fill(jetstream: object) -> None:
        await jetstream.add_stream(name="TICKS", subjects=["ticks.>"])  # type: ignore[attr-defined]
        for number in range(first, first + count):
            subject = subject_of("ticks", "NSE", tokens[number % len(tokens)])
            await jetstream.publish_async(subject, b"%d" % number)  # type: ignore[attr-defined]
        await jetstream.publish_async_completed()  # type: ignore[attr-defined]

    server.ask(fill)


class Reading:
    """A subscriber and what it delivered; it has room until it is told otherwise."""

    def __init__(
        self, server: NatsServer, wanted: ReadRange = ALL, *, follows: bool = False
    ) -> None:
        self.got: list[Stored] = []
        self.has_room = True
        self.subscriber = Subscriber(
            parse_address(server.url),
            NatsAccess(),
            wanted,
            follows=follows,
            deliver=self._deliver,
        )

    def _deliver(self, messages: Sequence[Stored]) -> bool:
        self.got += messages
        return self.has_room

    @property
    def numbers(self) -> list[int]:
        return [int(each.body) for each in self.got]

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(40):
            while not is_true():
                await asyncio.sleep(0.005)

    def run(self, act: Callable[[], Awaitable[None]] | None = None) -> None:
        """To its end, or, where `act` is given, until that is over."""

        async def running() -> None:
            await self.subscriber.open()
            reading = asyncio.create_task(self.subscriber.run())
            if act is not None:
                await act()
                self.subscriber.stop()
            async with asyncio.timeout(40):
                await reading

        asyncio.run(running())


def test_it_reads_from_the_first_message_to_the_last_and_ends(server: NatsServer) -> None:
    filled(server, 5_000)
    reading = Reading(server)
    reading.run()
    assert reading.numbers == list(range(1, 5_001))
    assert [each.sequence for each in reading.got] == reading.numbers


def test_an_empty_stream_ends_at_once(server: NatsServer) -> None:
    filled(server, 0)
    reading = Reading(server)
    reading.run()
    assert reading.got == []


def test_what_comes_after_it_was_opened_is_not_waited_for(server: NatsServer) -> None:
    filled(server, 10)
    reading = Reading(server)

    async def act() -> None:
        await asyncio.to_thread(filled, server, 10, first=11)

    async def run() -> None:
        await reading.subscriber.open()
        await act()
        async with asyncio.timeout(20):
            await reading.subscriber.run()

    asyncio.run(run())
    assert reading.numbers == list(range(1, 11))


def test_one_that_follows_goes_on_with_what_comes(server: NatsServer) -> None:
    filled(server, 10)
    reading = Reading(server, follows=True)

    async def act() -> None:
        await reading.until(lambda: len(reading.got) == 10)
        await asyncio.to_thread(filled, server, 10, first=11)
        await reading.until(lambda: len(reading.got) == 20)

    reading.run(act)
    assert reading.numbers == list(range(1, 21))


def test_it_begins_at_a_time(server: NatsServer) -> None:
    filled(server, 10)
    start_ns = time.time_ns()
    filled(server, 10, first=11)
    reading = Reading(server, ReadRange(start_ns=start_ns))
    reading.run()
    assert reading.numbers == list(range(11, 21))


def test_a_time_after_the_last_message_ends_at_once(server: NatsServer) -> None:
    filled(server, 10)
    reading = Reading(server, ReadRange(start_ns=time.time_ns() + 10**10))
    reading.run()
    assert reading.got == []


def test_it_ends_at_a_time(server: NatsServer) -> None:
    filled(server, 10)
    end_ns = time.time_ns()
    filled(server, 10, first=11)
    for follows in (False, True):
        reading = Reading(server, ReadRange(end_ns=end_ns), follows=follows)
        reading.run()
        assert reading.numbers == list(range(1, 11))


def test_one_that_follows_ends_at_a_time_though_nothing_comes(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams_module, "PING_EVERY_S", 1)
    filled(server, 10)
    reading = Reading(server, ReadRange(end_ns=time.time_ns() + 10**9), follows=True)
    reading.run()
    assert reading.numbers == list(range(1, 11))


def test_it_reads_some_instruments_and_ends_though_the_last_message_is_another(
    server: NatsServer,
) -> None:
    filled(server, 100, tokens=("1", "2", "3.x"))
    reading = Reading(server, ReadRange(instruments=(("NSE", "2"), ("NSE", "3.x"))))
    reading.run()
    assert reading.numbers == [number for number in range(1, 101) if number % 3]


def test_instruments_that_the_stream_does_not_hold_end_at_once(server: NatsServer) -> None:
    filled(server, 10)
    reading = Reading(server, ReadRange(instruments=(("BSE", "1"),)))
    reading.run()
    assert reading.got == []


@pytest.mark.parametrize("way", ["stop", "kill"])
@pytest.mark.parametrize("follows", [False, True])
def test_a_server_that_restarts_costs_no_message_and_doubles_none(
    server: NatsServer, way: str, follows: bool
) -> None:
    filled(server, 20_000)
    reading = Reading(server, follows=follows)

    async def act() -> None:
        await reading.until(lambda: len(reading.got) > 1_000)
        await asyncio.to_thread(getattr(server, way))
        await asyncio.to_thread(server.start)
        await reading.until(lambda: len(reading.got) == 20_000)

    reading.run(act)
    assert reading.numbers == list(range(1, 20_001))


def test_a_reader_without_room_lets_the_server_wait_and_loses_nothing(server: NatsServer) -> None:
    filled(server, 30_000)
    reading = Reading(server)
    reading.has_room = False
    stood_at = 0

    async def act() -> None:
        nonlocal stood_at
        await reading.until(lambda: len(reading.got) > 0)
        await asyncio.sleep(0.3)
        stood_at = len(reading.got)
        reading.has_room = True
        reading.subscriber.resume()
        await reading.until(lambda: len(reading.got) == 30_000)

    reading.run(act)
    assert stood_at < 3_000
    assert reading.numbers == list(range(1, 30_001))


def test_messages_that_are_deleted_while_it_reads_do_not_keep_it_waiting(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(server, 5_000)
    reading = Reading(server)
    reading.has_room = False

    async def act() -> None:
        await reading.until(lambda: len(reading.got) > 0)
        await asyncio.to_thread(
            server.ask, lambda jetstream: jetstream.purge_stream("TICKS", subject="ticks.NSE.1")
        )
        reading.has_room = True
        reading.subscriber.resume()
        await reading.until(lambda: reading.subscriber._is_done)

    reading.run(act)
    assert reading.numbers == list(range(1, len(reading.got) + 1))


def test_a_consumer_that_is_gone_is_made_again(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its heartbeats stop; what was stored meanwhile comes, and nothing twice."""
    monkeypatch.setattr(subscriber_module, "PING_EVERY_S", 0.2)
    filled(server, 10)
    reading = Reading(server, follows=True)

    async def delete_consumers(jetstream: object) -> None:
        for info in await jetstream.consumers_info("TICKS"):  # type: ignore[attr-defined]
            await jetstream.delete_consumer("TICKS", info.name)  # type: ignore[attr-defined]

    async def act() -> None:
        await reading.until(lambda: len(reading.got) == 10)
        await asyncio.to_thread(server.ask, delete_consumers)
        await asyncio.to_thread(filled, server, 10, first=11)
        await reading.until(lambda: len(reading.got) == 20)

    reading.run(act)
    assert reading.numbers == list(range(1, 21))


def test_a_stream_that_is_not_there_is_an_error(server: NatsServer) -> None:
    with pytest.raises(LinkError) as refused:
        Reading(server).run()
    assert refused.value.kind == "nats-no-stream"


def test_a_stream_that_is_deleted_meanwhile_ends_the_reading(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber_module, "PING_EVERY_S", 0.2)
    filled(server, 10)
    reading = Reading(server, follows=True)

    async def run() -> None:
        await reading.subscriber.open()
        task = asyncio.create_task(reading.subscriber.run())
        await reading.until(lambda: len(reading.got) == 10)
        await asyncio.to_thread(server.ask, lambda jetstream: jetstream.delete_stream("TICKS"))
        async with asyncio.timeout(40):
            await task

    with pytest.raises(LinkError) as gone:
        asyncio.run(run())
    assert gone.value.kind == "nats-no-stream"


def test_a_server_that_does_not_come_back_is_given_up_by_one_that_does_not_follow(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber_module, "AWAY_S", 0.3)
    filled(server, 10)
    reading = Reading(server)

    async def run() -> None:
        await reading.subscriber.open()
        server.kill()
        await reading.subscriber.run()

    with pytest.raises(LinkError) as away:
        asyncio.run(run())
    assert away.value.kind == "nats-unreachable"
