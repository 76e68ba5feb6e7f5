"""WebSocket frames: received bytes to messages, and messages to frames.

Source: RFC 6455, sections 5 (framing), 7.4 (close codes) and 8.1 (UTF-8). `FrameReader` is the
client's side: it reads what a server sent.

Rules
- Bytes come cut anywhere; what they mean does not depend on where they were cut.
- A message may come in fragments, and control frames may come between these. A control frame is
  itself never fragmented and carries 125 bytes at most.
- The shortest possible length encoding is the only legal one; a server never masks.
- A violation ends the reading with the close code that the RFC asks for: 1002 for a frame that
  must not be, 1007 for text that is not UTF-8, 1009 for a message over the limit. The limit is
  judged from the header, before the payload is waited for.
- A reader that met a violation or a close frame stays finished: what came before it counts,
  nothing after it does.
- This is the hot path of the tool: whole binary frames under 64 KiB, which is what the feed sends,
  are cut in one loop (`_cut_whole_binaries`). Every other frame may take its time.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from ..errors import ProtocolError


class Opcode(IntEnum):
    """What a frame is; the numbers are the wire's, all others are reserved."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


FIN = 0x80
RESERVED_BITS = 0x70
OPCODE_BITS = 0x0F
MASKED = 0x80
LENGTH_BITS = 0x7F

SHORT_MAX = 125
"""Longest payload whose length is in the header's second byte; the most of a control frame."""
LENGTH_16, LENGTH_64 = 126, 127
_WHOLE_BINARY = FIN | Opcode.BINARY
_OPCODES = frozenset(Opcode)

NORMAL_CLOSURE, PROTOCOL_ERROR, INVALID_PAYLOAD, MESSAGE_TOO_BIG = 1000, 1002, 1007, 1009


@dataclass(frozen=True, slots=True)
class Text:
    """A text message."""

    text: str


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping; the answer is a pong with the same payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """A pong, asked for or not."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The peer closes; `code` is None when it gave none."""

    code: int | None
    reason: str


ControlFrame: TypeAlias = Text | Ping | Pong | Close | ProtocolError
"""All that is not a binary message. A Close or ProtocolError is the last that a reader gives."""


class FrameReader:
    """Cuts the bytes of one connection into messages.

    `max_message_bytes` limits a message, in one frame or in fragments; control frames have their
    own limit.
    """

    def __init__(self, *, max_message_bytes: int = 65536) -> None:
        self._max_message_bytes = max_message_bytes
        self._unread = b""
        self._message_opcode: int | None = None
        self._message = bytearray()
        self._is_finished = False

    @property
    def unread(self) -> bytes:
        """The beginning of a frame whose rest has not arrived."""
        return self._unread

    def read(self, data: bytes) -> tuple[list[bytes], list[ControlFrame]]:
        """The binary messages that `data` completes, and everything else, each in order.

        Never raises on what a peer sent: a violation is the last of the signals.
        """
        messages: list[bytes] = []
        signals: list[ControlFrame] = []
        if self._is_finished:
            return messages, signals
        data = self._unread + data
        at = 0
        try:
            while not self._is_finished:
                if self._message_opcode is None:
                    at = self._cut_whole_binaries(data, at, messages)
                    if at == len(data):
                        break
                stop = self._read_frame(data, at, messages, signals)
                if stop is None:
                    break
                at = stop
        except ProtocolError as violation:
            # Without its traceback, which would keep this call's bytes alive in a cycle.
            signals.append(violation.with_traceback(None))
            self._is_finished = True
        self._unread = b"" if self._is_finished else data[at:]
        return messages, signals

    def _cut_whole_binaries(self, data: bytes, at: int, messages: list[bytes]) -> int:
        """Cut frame after frame from `at`; where the first one begins that is not binary, or not
        whole."""
        limit = self._max_message_bytes
        short_limit = min(SHORT_MAX, limit)
        end = len(data)
        last = end - 1
        append = messages.append
        while at < last and data[at] == _WHOLE_BINARY:
            size = data[at + 1]
            if size <= short_limit:
                start = at + 2
            elif size == LENGTH_16 and at + 4 <= end:
                size = data[at + 2] << 8 | data[at + 3]
                if not SHORT_MAX < size <= limit:
                    break
                start = at + 4
            else:
                break
            stop = start + size
            if stop > end:
                break
            append(data[start:stop])
            at = stop
        return at

    def _read_frame(
        self, data: bytes, at: int, messages: list[bytes], signals: list[ControlFrame]
    ) -> int | None:
        """Take the frame at `at`, of any kind; where it ends, or None while it is not whole."""
        if len(data) < at + 2:
            return None
        first, second = data[at], data[at + 1]
        opcode = first & OPCODE_BITS
        self._check_header(first, second)
        start, size = _payload_place(data, at)
        if opcode < Opcode.CLOSE and len(self._message) + size > self._max_message_bytes:
            raise ProtocolError(
                f"a message of {len(self._message) + size} bytes or more,"
                f" over the limit of {self._max_message_bytes}",
                close_code=MESSAGE_TOO_BIG,
            )
        stop = start + size
        if stop > len(data):
            return None
        payload = data[start:stop]
        if opcode >= Opcode.CLOSE:
            self._take_control(opcode, payload, signals)
        else:
            self._take_fragment(opcode, bool(first & FIN), payload, messages, signals)
        return stop

    def _check_header(self, first: int, second: int) -> None:
        opcode = first & OPCODE_BITS
        if first & RESERVED_BITS:
            raise _violation(f"reserved bits are set in the header byte 0x{first:02x}")
        if opcode not in _OPCODES:
            raise _violation(f"opcode 0x{opcode:x} is reserved")
        if second & MASKED:
            raise _violation("the server masked a frame")
        if opcode >= Opcode.CLOSE:
            if not first & FIN:
                raise _violation("a control frame is fragmented")
            if second > SHORT_MAX:
                raise _violation("a control frame is longer than 125 bytes")
        elif opcode == Opcode.CONTINUATION:
            if self._message_opcode is None:
                raise _violation("a continuation of no message")
        elif self._message_opcode is not None:
            raise _violation("a new message inside a fragmented one")

    def _take_control(self, opcode: int, payload: bytes, signals: list[ControlFrame]) -> None:
        if opcode == Opcode.PING:
            signals.append(Ping(payload))
        elif opcode == Opcode.PONG:
            signals.append(Pong(payload))
        else:
            signals.append(_decode_close(payload))
            self._is_finished = True

    def _take_fragment(
        self,
        opcode: int,
        is_last: bool,
        payload: bytes,
        messages: list[bytes],
        signals: list[ControlFrame],
    ) -> None:
        if opcode != Opcode.CONTINUATION:
            self._message_opcode = opcode
        self._message += payload
        if not is_last:
            return
        message = bytes(self._message)
        if self._message_opcode == Opcode.TEXT:
            signals.append(Text(_utf8(message, "a text message")))
        else:
            messages.append(message)
        self._message_opcode = None
        self._message.clear()


def _payload_place(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at `at` starts, and its size (0 while that is not known)."""
    size = data[at + 1] & LENGTH_BITS
    if size <= SHORT_MAX:
        return at + 2, size
    start = at + (4 if size == LENGTH_16 else 10)
    if start > len(data):
        return start, 0
    shortest = SHORT_MAX + 1 if size == LENGTH_16 else 1 << 16
    size = int.from_bytes(data[at + 2 : start], "big")
    if size < shortest:
        raise _violation(f"the length {size} is written in more bytes than it needs")
    if size >= 1 << 63:
        raise _violation("a length with its highest bit set")
    return start, size


def _decode_close(payload: bytes) -> Close:
    if not payload:
        return Close(None, "")
    if len(payload) == 1:
        raise _violation("a close frame with half a code")
    code = int.from_bytes(payload[:2], "big")
    if not is_legal_close_code(code):
        raise _violation(f"close code {code} must not be sent")
    return Close(code, _utf8(payload[2:], "the reason of a close frame"))


def is_legal_close_code(code: int) -> bool:
    """Whether a close frame may carry this code: 1004-1006 and 1015 are never sent (7.4.1)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


def _utf8(payload: bytes, what: str) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise ProtocolError(f"{what} is not UTF-8", close_code=INVALID_PAYLOAD) from None


def _violation(message: str) -> ProtocolError:
    return ProtocolError(message, close_code=PROTOCOL_ERROR)


def encode_frame(
    opcode: int, payload: bytes, *, mask: bytes | None = None, fin: bool = True
) -> bytes:
    """One frame. A client must give four random bytes as `mask`, a server none.

    Raises ValueError for what no frame can be: a mask of another size, a control frame that is
    fragmented or over 125 bytes.
    """
    size = len(payload)
    if opcode >= Opcode.CLOSE and (size > SHORT_MAX or not fin):
        raise ValueError(f"a control frame of {size} bytes, fin={fin}")
    first = (FIN if fin else 0) | opcode
    masked = 0 if mask is None else MASKED
    if size <= SHORT_MAX:
        header = bytes((first, masked | size))
    elif size < 1 << 16:
        header = struct.pack(">BBH", first, masked | LENGTH_16, size)
    else:
        header = struct.pack(">BBQ", first, masked | LENGTH_64, size)
    return header + payload if mask is None else header + mask + _masked(payload, mask)


def encode_close(code: int, reason: str = "", *, mask: bytes | None = None) -> bytes:
    """A close frame. Raises ValueError when the reason is over 123 bytes of UTF-8."""
    return encode_frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason.encode(), mask=mask)


def _masked(payload: bytes, mask: bytes) -> bytes:
    if len(mask) != 4:
        raise ValueError(f"a mask of {len(mask)} bytes, not 4")
    size = len(payload)
    pad = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")
