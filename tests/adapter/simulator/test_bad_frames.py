from __future__ import annotations

from random import Random

import pytest

from ticks.adapter.errors import ProtocolError
from ticks.adapter.simulator.bad_frames import (
    dated_ahead,
    foreign,
    fragmented,
    garbage,
    oversize,
    packet_of,
    truncated,
)
from ticks.adapter.simulator.instrument_model import HEADERS, MODES, unit_prefix
from ticks.adapter.wire.frames import FrameReader, Ping
from ticks.adapter.wire.packet import PACKET_SIZES, decode_packet, malformed_reason

FRAMES = [
    HEADERS[mode] + unit_prefix(mode, 1, "2885") + bytes(PACKET_SIZES[mode] - 27) for mode in MODES
]


@pytest.mark.parametrize("frame", FRAMES)
def test_a_packet_is_found_in_its_frame(frame: bytes) -> None:
    assert FrameReader().read(frame) == ([packet_of(frame)], [])


@pytest.mark.parametrize("seed", range(20))
def test_garbage_is_a_message_of_an_unknown_mode(seed: int) -> None:
    (message,), signals = FrameReader().read(garbage(Random(seed)))
    assert (malformed_reason(message), signals) == ("mode", [])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("frame", [None, *FRAMES])
def test_a_truncated_packet_is_too_short(seed: int, frame: bytes | None) -> None:
    (message,), signals = FrameReader().read(truncated(frame, Random(seed)))
    assert (malformed_reason(message), signals) == ("length", [])


@pytest.mark.parametrize("frame", FRAMES)
def test_fragments_make_the_same_message_with_a_ping_between(frame: bytes) -> None:
    messages, signals = FrameReader().read(fragmented(frame))
    assert (messages, signals) == ([packet_of(frame)], [Ping(b"between")])


def test_an_oversized_message_is_over_64_kib() -> None:
    messages, signals = FrameReader(max_message_bytes=65536).read(oversize())
    assert messages == []
    assert [each.close_code for each in signals if isinstance(each, ProtocolError)] == [1009]


@pytest.mark.parametrize("frame", FRAMES)
def test_a_packet_dated_ahead_differs_in_its_exchange_time_alone(frame: bytes) -> None:
    before, after = (packet_of(each) for each in (frame, dated_ahead(frame, 3_600_000)))
    assert decode_packet(after).exchange_time_ms == 3_600_000
    assert decode_packet(after)._replace(exchange_time_ms=0) == decode_packet(before)


@pytest.mark.parametrize("units", [(), (unit_prefix(1, 1, "2885"), unit_prefix(2, 1, "2885"))])
def test_foreign_packets_are_good_ones_of_units_nobody_asked_for(units: tuple[bytes, ...]) -> None:
    packets = [packet_of(foreign(units, number, 1_000)) for number in range(24)]
    assert {malformed_reason(each) for each in packets} == {None}
    assert {each[:27] for each in packets}.isdisjoint(units)
    ticks = [decode_packet(each) for each in packets]
    assert {each.exchange_time_ms for each in ticks} == {1_000}
    assert {each.mode for each in ticks} == set(MODES)
    assert {each.exchange_type for each in ticks} >= {1, 2, 99}
    if units:
        assert ("2885", 3) in {(each.token, each.mode) for each in ticks if each.exchange_type == 1}


def test_a_unit_that_is_asked_for_in_all_modes_is_not_foreign_in_any() -> None:
    units = [unit_prefix(mode, 1, "2885") for mode in MODES]
    assert {packet_of(foreign(units, n, 1))[:27] for n in range(24)}.isdisjoint(units)
