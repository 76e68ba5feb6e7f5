"""The sink for JetStream: never waited for, bounded, and honest about what did not get there."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from nats_server import NatsServer, running
from waits import until

from ticks.adapter.errors import OutputError, UsageError
from ticks.adapter.jetstream.address import NatsAccess, NatsOptions, StreamLimits, parse_address
from ticks.adapter.jetstream.message import decode_message
from ticks.adapter.rows.decode import Recorded
from ticks.adapter.sinks.nats import NatsSink, open_nats_sink
from ticks.adapter.tick import Mode
from ticks.adapter.wire.packet import LAYOUTS

NS = 1_800_000_000_000_000_000
SYMBOLS = {(1, "2885"): "RELIANCE-EQ"}


def ltp_packet(sequence: int, token: str = "2885", price: int = 9) -> bytes:
    return LAYOUTS[Mode.LTP].pack(Mode.LTP, 1, token.encode(), sequence, 5, price)


class Opened(NamedTuple):
    """A sink, and what it told."""

    sink: NatsSink
    notes: list[str]

    def write(self, *sequences: int) -> None:
        self.sink.write(NS, [ltp_packet(sequence) for sequence in sequences])
        self.sink.flush()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    yield from running(tmp_path / "nats")


@pytest.fixture
def opened(server: NatsServer) -> Iterator[Callable[..., Opened]]:
    """Opens sinks; closed at the end, whatever became of them."""
    sinks: list[NatsSink] = []

    def open_one(options: NatsOptions | None = None, stream: str = "TICKS") -> Opened:
        notes: list[str] = []
        sink = open_nats_sink(
            parse_address(f"{server.url}/{stream}"),
            NatsAccess(),
            options or NatsOptions(),
            symbols=SYMBOLS,
            note=notes.append,
        )
        sinks.append(sink)
        return Opened(sink, notes)

    yield open_one
    for sink in sinks:
        sink._call(sink._publisher.cut_short)
        sink._thread.join(10)
        assert not sink._thread.is_alive()


def rows(server: NatsServer, stream: str = "TICKS") -> list[Recorded]:
    return [decode_message(each.body) for each in server.messages(stream)]


def test_a_row_is_in_the_stream_as_it_was_received(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    one = opened()
    packets = [ltp_packet(1), ltp_packet(2, token="1333")]
    one.sink.write(NS, packets)
    one.sink.close()
    assert rows(server) == [Recorded(NS, "RELIANCE-EQ", packets[0]), Recorded(NS, "", packets[1])]
    assert [each.subject for each in server.messages()] == ["ticks.NSE.2885", "ticks.NSE.1333"]
    assert one.sink.name == f"{server.url}/TICKS"
    assert one.sink.rows == 2
    assert one.sink.bytes_written == sum(len(each.body) for each in server.messages())


def test_what_was_flushed_gets_there_without_a_close(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    one = opened()
    one.write(1, 2, 3)
    until(lambda: one.sink.rows == 3)
    assert server.count() == 3


def test_an_index_that_stands_still_is_as_many_ticks_as_came(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    """Sequence 0, equal packets: twice on one connection is two ticks, two recorders make it none
    more."""
    packet = ltp_packet(0)
    for count in (2, 3, 1):
        one = opened()
        one.sink.write(NS, [packet] * count)
        one.sink.close()
    assert server.count() == 3


def test_a_packet_with_a_sequence_that_comes_twice_is_one_tick(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    for _ in range(2):
        one = opened()
        one.write(7, 7)
        one.sink.close()
        assert one.sink.rows == 2
    assert server.count() == 1


def test_writing_does_not_wait_for_a_server_that_is_away(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    one = opened()
    one.write(1)
    until(lambda: one.sink.rows == 1)
    server.freeze()
    began_s = time.monotonic()
    for sequence in range(2, 2_000):
        one.write(sequence)
    assert time.monotonic() - began_s < 1.0
    server.thaw()
    one.sink.close()
    assert server.count() == 1_999


def test_what_does_not_fit_goes_the_oldest_first_and_is_counted_to_the_end(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    one = opened(NatsOptions(buffer_limit=100))
    server.kill()
    until(lambda: any("lost" in note for note in one.notes))
    for sequence in range(1, 151):
        one.write(sequence)
    assert one.sink.dropped == 50
    assert sum("dropped" in note for note in one.notes) == 1
    server.start()
    with pytest.raises(OutputError) as missing:
        one.sink.close()
    assert (missing.value.kind, missing.value.values["missing"]) == ("nats-not-acknowledged", 50)
    assert [int.from_bytes(row.packet[27:35], "little") for row in rows(server)] == [
        *range(51, 151)
    ]


def test_a_buffer_that_must_not_overflow_fails_the_output(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    one = opened(NatsOptions(buffer_limit=100, drain_timeout_s=0.1, stops_when_full=True))
    server.kill()
    one.write(*range(1, 101))
    with pytest.raises(OutputError) as full:
        one.write(101)
    assert (full.value.kind, full.value.values["limit"]) == ("buffer-full", 100)


def test_the_end_waits_for_a_server_that_comes_back_in_time(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    one = opened()
    server.kill()
    one.write(1, 2, 3)
    starting = threading.Timer(0.5, server.start)
    starting.start()
    one.sink.close()
    starting.join()
    assert one.sink.rows == server.count() == 3


def test_the_end_does_not_wait_longer_than_it_may_and_counts_what_is_missing(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    one = opened(NatsOptions(drain_timeout_s=0.3))
    one.write(1)
    until(lambda: one.sink.rows == 1)
    server.freeze()
    one.write(2, 3)
    began_s = time.monotonic()
    with pytest.raises(OutputError) as missing:
        one.sink.close()
    assert time.monotonic() - began_s < 3
    assert missing.value.values == {"name": one.sink.name, "missing": 2}
    one.sink.close()  # again: nothing


def test_closing_what_never_got_a_tick_takes_no_time(opened: Callable[..., Opened]) -> None:
    began_s = time.monotonic()
    opened().sink.close()
    assert time.monotonic() - began_s < 2


def test_limits_are_those_of_the_stream_that_is_made(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    opened(NatsOptions(StreamLimits(max_age_s=7200.0))).sink.close()
    info = server.ask(lambda jetstream: jetstream.stream_info("TICKS"))
    assert info.config.max_age == 7200


def test_a_server_that_is_not_there_fails_the_opening(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    server.kill()
    with pytest.raises(OutputError) as refused:
        opened()
    assert refused.value.kind == "nats-unreachable"


def test_a_server_that_is_not_there_yet_is_waited_for_where_that_is_asked_for(
    server: NatsServer, opened: Callable[..., Opened]
) -> None:
    server.kill()
    one = opened(NatsOptions(keeps_trying=True))
    one.write(1, 2)
    server.start()
    one.sink.close()
    assert one.sink.rows == server.count() == 2
    assert [("cannot be reached" in note, "back after" in note) for note in one.notes] == [
        (True, False),
        (False, True),
    ]


def test_waiting_for_a_server_does_not_help_against_wrong_credentials(tmp_path: Path) -> None:
    config = "authorization { token: wolpertinger }"
    with NatsServer(tmp_path / "guarded", config=config) as guarded:
        sink = NatsSink(
            parse_address(guarded.url),
            NatsAccess(),
            NatsOptions(keeps_trying=True),
            symbols=SYMBOLS,
            note=lambda _line: None,
        )
        with pytest.raises(OutputError) as refused:
            sink.open()
    assert refused.value.kind == "nats-refused"


def test_without_the_package_the_opening_names_its_extra(
    opened: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)
    with pytest.raises(UsageError) as refused:
        opened()
    assert refused.value.kind == "extra-missing"


def test_a_thread_that_dies_is_an_error_of_the_output_and_no_silence(
    opened: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opened()
    monkeypatch.setattr(one.sink._publisher, "_next_message", lambda: 1 / 0)
    one.write(1)
    until(lambda: not one.sink._thread.is_alive())
    with pytest.raises(OutputError, match="division"):
        one.write(2)
    with pytest.raises(OutputError):
        one.sink.close()
