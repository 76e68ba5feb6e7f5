"""Messages that no broker should send, and legal ones that few do.

Sources: RFC 6455, section 5; protocol.md, "Binary packets".
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from random import Random

from ..tick import Mode
from ..wire.frames import LENGTH_16, Opcode, encode_frame
from ..wire.packet import HEAD_FIELDS, PACKET_SIZES
from .instrument_model import HEADERS, MODES, unit_prefix

OVERSIZE_BYTES = 70_000
_SHORT_HEADER, _LONG_HEADER = 2, 4
_TIME_OFFSET = next(each.offset for each in HEAD_FIELDS if each.name == "exchange_time_ms")
_FOREIGN = ((1, "99999901"), (2, "99999902"), (99, "2885"))
"""Exchange types and tokens that nobody can have subscribed to; 99 is not a known segment."""


def packet_of(frame: bytes) -> bytes:
    """The packet in a frame that carries one."""
    return frame[_LONG_HEADER if frame[1] == LENGTH_16 else _SHORT_HEADER :]


def garbage(draw: Random) -> bytes:
    """A binary message of a mode that does not exist."""
    return encode_frame(Opcode.BINARY, bytes((draw.randrange(5, 256),)) + draw.randbytes(50))


def truncated(frame: bytes | None, draw: Random) -> bytes:
    """A packet that ends too early, of the one in `frame` where there is one."""
    packet = packet_of(frame) if frame else unit_prefix(Mode.LTP, 1, "2885") + bytes(24)
    return encode_frame(Opcode.BINARY, packet[: draw.randrange(1, 51)])


def oversize() -> bytes:
    """A binary message over 64 KiB."""
    return encode_frame(Opcode.BINARY, bytes((Mode.LTP,)) + bytes(OVERSIZE_BYTES - 1))


def fragmented(frame: bytes) -> bytes:
    """The same message in two fragments, with a ping between them."""
    packet = packet_of(frame)
    half = len(packet) // 2
    return (
        encode_frame(Opcode.BINARY, packet[:half], fin=False)
        + encode_frame(Opcode.PING, b"between")
        + encode_frame(Opcode.CONTINUATION, packet[half:])
    )


def dated_ahead(frame: bytes, ahead_ms: int) -> bytes:
    """The frame of a packet with its exchange time moved on."""
    at = len(frame) - len(packet_of(frame)) + _TIME_OFFSET
    (time_ms,) = struct.unpack_from("<q", frame, at)
    return frame[:at] + struct.pack("<q", time_ms + ahead_ms) + frame[at + 8 :]


def foreign(units: Collection[bytes], number: int, time_ms: int) -> bytes:
    """The frame of a good packet, dated `time_ms`, of a unit that is not among `units`.

    By `number`, in turn: a token nobody asked for, one of another segment, one of a segment that
    is not known, and the first of `units` in a mode that it was not asked for in.
    """
    kind = number % (len(_FOREIGN) + 1)
    mode = MODES[number // (len(_FOREIGN) + 1) % len(MODES)]
    if kind < len(_FOREIGN):
        unit = unit_prefix(mode, *_FOREIGN[kind])
    else:
        known = next(iter(units), unit_prefix(mode, 1, "99999903"))
        in_modes = (bytes((each,)) + known[1:] for each in MODES)
        unit = next((each for each in in_modes if each not in units), unit_prefix(mode, 7, "9"))
    rest = struct.pack("<qqq", 1 + number, time_ms, 100_00)
    return HEADERS[unit[0]] + (unit + rest).ljust(PACKET_SIZES[unit[0]], b"\0")
