from __future__ import annotations

from random import Random

import pytest

from ticks.adapter.errors import ProtocolError
from ticks.adapter.simulator.bad_frames import (
    fragmented,
    garbage,
    oversize,
    packet_of,
    truncated,
)
from ticks.adapter.simulator.instrument_model import HEADERS, unit_prefix
from ticks.adapter.wire.frames import FrameReader, Ping
from ticks.adapter.wire.packet import FIELDS, PACKET_SIZES, malformed_reason

FRAMES = [
    HEADERS[mode] + unit_prefix(mode, 1, "2885") + bytes(PACKET_SIZES[mode] - 27) for mode in FIELDS
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
