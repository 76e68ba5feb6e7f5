"""A tick as a message of NATS JetStream, and back. Pure.

Rules
- One subject an instrument: `ticks.NSE.99926000`, exchange and token; bytes of either that have a
  meaning in a subject are written `%2E`, an empty token `%`.
- The body is the row: when the packet was received, the symbol, the packet as it came.
- The message id makes one message of equal ticks, whoever sends them. It is made of exchange type,
  token, mode and sequence, a hash of the packet without what follows the token's NUL and its last
  field, and, where the sequence is 0, the number among equal packets.
- Equal packets of one recorder: with a sequence number they are one tick, without they are as many
  ticks as came. The n-th of one recorder is the n-th of another.
- How many came is forgotten once the packet has not come for as long as the server remembers
  message ids (and `MARGIN_S` more): then a number that begins at 1 again is new there, too. Both
  recorders count from the same times, so both begin again.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import quote

from ..errors import RecordingError
from ..instrument import InstrumentKey, exchange_name
from ..rows.decode import Recorded
from ..wire.packet import PACKET_SIZES, TOKEN_SIZE, malformed_reason, token_text

MARGIN_S = 10.0
"""The server forgets by a timer of its own; to remember longer than it does costs nothing."""

_VERSION = 1
_HEAD = struct.Struct("<BQH")
"""Version, nanoseconds since the epoch, bytes of the symbol that follows."""
_TOKEN_END = 2 + TOKEN_SIZE
_SEQUENCE = struct.Struct("<q")
_HASH_SIZE = 8
_MOST_INSTRUMENTS = 1 << 14
_MOST_COUNTED = 1 << 18


class Message(NamedTuple):
    """What is published: where, under which id, and what."""

    subject: str
    message_id: str
    body: bytes


def subject_of(prefix: str, exchange: str, token: str) -> str:
    """The subject of an instrument below `prefix`."""
    return f"{prefix}.{_escaped(exchange)}.{_escaped(token)}"


def _escaped(text: str) -> str:
    return quote(text, safe="").replace(".", "%2E") or "%"


class MessageEncoder:
    """Packets of one recorder to messages below `prefix`. `symbols` may grow.

    `window_s` is how long the server remembers message ids.
    """

    def __init__(
        self, prefix: str, symbols: Mapping[InstrumentKey, str], *, window_s: float
    ) -> None:
        self._prefix = prefix
        self._symbols = symbols
        self._heads: dict[bytes, _Head] = {}
        self._counts = _Counts(window_s + MARGIN_S)

    def encode(self, received_ns: int, packet: bytes) -> Message:
        """The message of a whole packet of modes 1-3 with a token that is UTF-8."""
        head = self._heads.get(packet[:_TOKEN_END]) or self._new_head(packet[:_TOKEN_END])
        digest = blake2b(head.canonical, digest_size=_HASH_SIZE)
        digest.update(packet[_TOKEN_END : head.packet_size])
        (sequence,) = _SEQUENCE.unpack_from(packet, _TOKEN_END)
        message_id = f"{head.id_prefix}-{sequence}-{digest.hexdigest()}"
        if sequence == 0:
            message_id = f"{message_id}-{self._counts.next(message_id, received_ns)}"
        body = _HEAD.pack(_VERSION, received_ns, len(head.symbol)) + head.symbol + packet
        return Message(head.subject, message_id, body)

    def _new_head(self, raw: bytes) -> _Head:
        if len(self._heads) >= _MOST_INSTRUMENTS:
            self._heads.clear()
        mode, exchange_type, token = raw[0], raw[1], token_text(raw[2:])
        symbol = self._symbols.get((exchange_type, token))
        head = _Head(
            subject=subject_of(self._prefix, exchange_name(exchange_type), token),
            id_prefix=f"{exchange_type}-{_escaped(token)}-{mode}",
            canonical=raw[:2] + token.encode().ljust(TOKEN_SIZE, b"\0"),
            packet_size=PACKET_SIZES[mode],
            symbol=(symbol or "").encode(),
        )
        if symbol is not None:  # one that is not known yet may be known at the next packet
            self._heads[raw] = head
        return head


class _Head(NamedTuple):
    """What the messages of one instrument and mode have in common."""

    subject: str
    id_prefix: str
    canonical: bytes
    packet_size: int
    symbol: bytes


class _Counts:
    """How many equal packets came so far; forgotten `after_s` after the last of them."""

    def __init__(self, after_s: float) -> None:
        self._after_ns = int(after_s * 1e9)
        self._seen: dict[str, tuple[int, int]] = {}
        """Number and time of the last, in the order of the times."""

    def next(self, key: str, now_ns: int) -> int:
        """The number of this one, from 1 on."""
        number, last_ns = self._seen.pop(key, (0, now_ns))
        if now_ns - last_ns > self._after_ns:
            number = 0
        self._seen[key] = (number + 1, now_ns)
        self._forget(now_ns)
        return number + 1

    def _forget(self, now_ns: int) -> None:
        """At most two each time: one comes, so the memory shrinks, and no call takes long."""
        for _ in range(2):
            oldest = next(iter(self._seen))
            is_old = now_ns - self._seen[oldest][1] > self._after_ns
            if not is_old and len(self._seen) <= _MOST_COUNTED:
                return
            del self._seen[oldest]


def decode_message(body: bytes) -> Recorded:
    """The row in a message. Raises RecordingError where it holds none."""
    try:
        version, received_ns, symbol_size = _HEAD.unpack_from(body)
        symbol = body[_HEAD.size : _HEAD.size + symbol_size].decode()
    except (struct.error, UnicodeDecodeError) as error:
        raise RecordingError("a message that holds no tick") from error
    packet = body[_HEAD.size + symbol_size :]
    if version != _VERSION:
        raise RecordingError(f"a message of version {version}, not {_VERSION}")
    reason = malformed_reason(packet)
    if reason is not None or packet[0] not in _ROW_MODES:
        raise RecordingError(f"a message whose packet has no row ({reason or 'mode'})")
    return Recorded(received_ns // 1000 * 1000, symbol, packet)


_ROW_MODES = (1, 2, 3)
