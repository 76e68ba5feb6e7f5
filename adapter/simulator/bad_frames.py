"""Messages that no broker should send, and lawful ones that few do. Source: RFC 6455, section 5."""

from __future__ import annotations

from random import Random

from ..tick import Mode
from ..wire.frames import LENGTH_16, Opcode, encode_frame
from .instrument_model import unit_prefix

OVERSIZE_BYTES = 70_000
_SHORT_HEADER, _LONG_HEADER = 2, 4


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
