"""A stream of JetStream as a recording."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nats_server import NatsServer, running
from waits import until

from ticks.adapter.errors import RecordingError, UsageError
from ticks.adapter.jetstream.address import NatsAccess, NatsOptions, parse_address
from ticks.adapter.jetstream.subscriber import ReadRange
from ticks.adapter.replay import nats as module
from ticks.adapter.replay.nats import (
    CLOCK_SKEW_NS,
    LATE_NS,
    SOON_NS,
    NatsReader,
    NatsSource,
    read_range,
)
from ticks.adapter.rows.decode import Recorded
from ticks.adapter.rows.format import Csv
from ticks.adapter.sinks.nats import NatsSink
from ticks.adapter.tick import Mode
from ticks.adapter.waker import Waker
from ticks.adapter.wire.packet import LAYOUTS

NS = 1_800_000_000_000_000_000


def row(number: int) -> Recorded:
    packet = LAYOUTS[Mode.LTP].pack(Mode.LTP, 1, b"2885", number, 5, 9)
    return Recorded(NS + number * 1000, "RELIANCE-EQ", packet)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    yield from running(tmp_path / "nats")


@pytest.fixture
def recorded(server: NatsServer) -> Callable[[int, int], None]:
    """Records rows from one number on up to another."""

    def record(first: int, last: int) -> None:
        sink = NatsSink(
            parse_address(server.url),
            NatsAccess(),
            NatsOptions(),
            symbols={(1, "2885"): "RELIANCE-EQ"},
            note=lambda _line: None,
        )
        sink.open()
        for number in range(first, last + 1):
            received_ns, _, packet = row(number)
            sink.write(received_ns + 999, [packet])
        sink.close()

    return record


class Opened:
    """A reader, and who may stop it."""

    def __init__(self, server: NatsServer, *, follows: bool = False) -> None:
        self.damage: list[int] = []
        self.waker = Waker()
        self.is_stopping = False
        self.source = NatsSource(
            parse_address(server.url), NatsAccess(), ReadRange(), follows=follows
        )
        self.reader = NatsReader(
            self.source,
            lambda _name, number, _reason: self.damage.append(number),
            waker=self.waker,
            is_stopping=lambda: self.is_stopping,
        )

    def rows(self) -> Iterator[Recorded]:
        for block in self.reader.blocks():
            yield from block.recorded()

    def stop(self) -> None:
        self.is_stopping = True
        self.waker.wake()


def test_every_row_comes_back_to_the_microsecond(
    server: NatsServer, recorded: Callable[[int, int], None]
) -> None:
    recorded(1, 3_000)
    one = Opened(server)
    assert list(one.rows()) == [row(number) for number in range(1, 3_001)]
    assert one.reader.rows == 3_000
    assert one.reader.format == Csv(Mode.LTP)
    assert not one.reader._thread.is_alive()


def test_how_far_it_is_read_is_known_where_there_is_an_end(
    server: NatsServer, recorded: Callable[[int, int], None]
) -> None:
    recorded(1, 3_000)
    one, endless = Opened(server), Opened(server, follows=True)
    assert one.source.size() is None
    blocks = one.reader.blocks()
    next(blocks)
    assert 0 < one.source.bytes_read <= (one.source.size() or 0)
    list(blocks)
    assert one.source.bytes_read == one.source.size()
    next(endless.reader.blocks())
    assert endless.source.size() is None


def test_a_reader_that_follows_brings_what_comes_until_it_is_stopped(
    server: NatsServer, recorded: Callable[[int, int], None]
) -> None:
    recorded(1, 10)
    one = Opened(server, follows=True)
    rows = one.rows()
    got = [next(rows) for _ in range(10)]
    recording = threading.Thread(target=recorded, args=(11, 20))
    recording.start()
    got += [next(rows) for _ in range(10)]
    recording.join()
    assert got == [row(number) for number in range(1, 21)]
    stopping = threading.Timer(0.2, one.stop)
    stopping.start()
    assert list(rows) == []
    assert not one.reader._thread.is_alive()


def test_a_reader_that_is_left_in_the_middle_ends_its_thread(
    server: NatsServer, recorded: Callable[[int, int], None]
) -> None:
    recorded(1, 100)
    one = Opened(server, follows=True)
    blocks = one.reader.blocks()
    next(blocks)
    del blocks
    until(lambda: not one.reader._thread.is_alive())


def test_a_reader_that_is_slow_holds_a_bounded_number_of_messages(
    server: NatsServer, recorded: Callable[[int, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_HELD", 2_000)
    recorded(1, 12_000)
    one = Opened(server)
    blocks = one.reader.blocks()
    count = next(blocks).count
    until(lambda: one.reader._held_count >= 2_000)
    most = 0
    for block in blocks:
        most = max(most, one.reader._held_count)
        count += block.count
    assert count == 12_000
    assert most <= 3_000


def test_a_message_of_another_program_is_reported_and_skipped(
    server: NatsServer, recorded: Callable[[int, int], None]
) -> None:
    recorded(1, 2)
    server.ask(lambda jetstream: jetstream.publish("ticks.NSE.2885", b"hello"))
    recorded(3, 3)
    one = Opened(server)
    assert list(one.rows()) == [row(1), row(2), row(3)]
    assert one.damage == [3]


def test_what_is_not_there_is_an_error_of_the_recording(server: NatsServer) -> None:
    with pytest.raises(RecordingError) as no_stream:
        list(Opened(server).rows())
    assert no_stream.value.kind == "nats-no-stream"
    server.kill()
    with pytest.raises(RecordingError) as no_server:
        list(Opened(server).rows())
    assert no_server.value.kind == "nats-unreachable"


def test_without_the_package_its_extra_is_named(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)
    with pytest.raises(UsageError) as refused:
        list(Opened(server).rows())
    assert refused.value.kind == "extra-missing"


# --- what the server is asked for ----------------------------------------------------------------


def test_a_span_is_asked_for_with_room_for_clocks_and_for_recorders_that_were_cut_off() -> None:
    asked = read_range(NS, NS + 10, [])
    assert (asked.start_ns, asked.end_ns) == (NS - CLOCK_SKEW_NS, NS + 10 + LATE_NS)
    assert read_range(None, None, []) == ReadRange()
    assert read_range(None, NS, [], follows=True).end_ns == NS + SOON_NS


@pytest.mark.parametrize(
    ("names", "instruments"),
    [
        ([], ()),
        (["NSE:2885"], (("NSE", "2885"),)),
        (["nse:2885", " BSE:500325 "], (("NSE", "2885"), ("BSE", "500325"))),
        (["NSE:2885", "NIFTY"], ()),
        (["RELIANCE"], ()),
        (["NSE:RELIANCE"], ()),
        (["LSE:2885"], ()),
        (["2885"], ()),
    ],
)
def test_instruments_are_asked_for_where_all_are_named_by_exchange_and_token(
    names: list[str], instruments: tuple[tuple[str, str], ...]
) -> None:
    assert read_range(None, None, names).instruments == instruments
