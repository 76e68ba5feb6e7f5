"""A stream of JetStream as a recording."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nats_server import NatsServer, eventually, running

from ticks.adapter.errors import RecordingError, UsageError
from ticks.adapter.jetstream.address import NatsAccess, parse_address
from ticks.adapter.jetstream.subscriber import ReadRange
from ticks.adapter.replay import nats as module
from ticks.adapter.replay.nats import CLOCK_SKEW_NS, LATE_NS, NatsReader, read_range
from ticks.adapter.rows.decode import Recorded
from ticks.adapter.sinks.nats import NatsOptions, NatsSink
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


@pytest.fixture
def reader(server: NatsServer) -> Iterator[Callable[..., NatsReader]]:
    """Opens readers; closed at the end, whatever became of them."""
    made: list[NatsReader] = []

    def open_one(
        *, follows: bool = False, on_damage: Callable[[str, int, str], None] | None = None
    ) -> NatsReader:
        one = NatsReader(
            parse_address(server.url),
            NatsAccess(),
            ReadRange(),
            follows=follows,
            waker=Waker(),
            on_damage=on_damage or _fail,
        )
        made.append(one)
        one.open()
        return one

    yield open_one
    for each in made:
        each.close()
        assert not each._thread.is_alive()


def _fail(name: str, sequence: int, reason: str) -> None:
    raise AssertionError(f"{name}, message {sequence}: {reason}")


def test_every_row_comes_back_to_the_microsecond(
    recorded: Callable[[int, int], None], reader: Callable[..., NatsReader]
) -> None:
    recorded(1, 3_000)
    one = reader()
    assert [each for batch in one.batches() for each in batch] == [row(n) for n in range(1, 3_001)]
    assert one.last_sequence == 3_000


def test_a_reader_that_follows_brings_what_comes_and_can_be_woken(
    recorded: Callable[[int, int], None], reader: Callable[..., NatsReader]
) -> None:
    recorded(1, 10)
    one = reader(follows=True)
    batches = one.batches()
    got: list[Recorded] = []
    while len(got) < 10:
        got += next(batches)
    one._waker.wake()
    assert next(batches) == []
    recording = threading.Thread(target=recorded, args=(11, 20))
    recording.start()
    while len(got) < 20:
        got += next(batches)
    recording.join()
    assert got == [row(number) for number in range(1, 21)]


def test_a_reader_that_is_slow_holds_a_bounded_number_of_messages(
    recorded: Callable[[int, int], None],
    reader: Callable[..., NatsReader],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MOST_HELD", 2_000)
    recorded(1, 12_000)
    one = reader()
    eventually(lambda: one._held_count >= 2_000)
    most, count = 0, 0
    for batch in one.batches():
        most = max(most, one._held_count)
        count += len(batch)
    assert count == 12_000
    assert most <= 3_000


def test_a_message_of_another_program_is_reported_and_skipped(
    server: NatsServer,
    recorded: Callable[[int, int], None],
    reader: Callable[..., NatsReader],
) -> None:
    recorded(1, 2)
    server.ask(lambda jetstream: jetstream.publish("ticks.NSE.2885", b"hello"))
    recorded(3, 3)
    damage: list[tuple[int, str]] = []
    one = reader(on_damage=lambda _name, number, reason: damage.append((number, reason)))
    assert [each for batch in one.batches() for each in batch] == [row(n) for n in (1, 2, 3)]
    assert [number for number, _ in damage] == [3]


def test_what_is_not_there_is_an_error_of_the_recording(
    server: NatsServer, reader: Callable[..., NatsReader]
) -> None:
    with pytest.raises(RecordingError) as no_stream:
        reader()
    assert no_stream.value.kind == "nats-no-stream"
    server.kill()
    with pytest.raises(RecordingError) as no_server:
        reader()
    assert no_server.value.kind == "nats-unreachable"


def test_without_the_package_its_extra_is_named(
    reader: Callable[..., NatsReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)
    with pytest.raises(UsageError) as refused:
        reader()
    assert refused.value.kind == "extra-missing"


# --- what the server is asked for ----------------------------------------------------------------


def test_a_span_is_asked_for_with_room_for_clocks_and_for_recorders_that_were_cut_off() -> None:
    asked = read_range(NS, NS + 10, [])
    assert (asked.start_ns, asked.end_ns) == (NS - CLOCK_SKEW_NS, NS + 10 + LATE_NS)
    assert read_range(None, None, []) == ReadRange()


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
