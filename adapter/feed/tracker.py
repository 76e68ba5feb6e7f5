"""What came from the feed, packet by packet: vetted, counted, and the last of each instrument kept.

Pure. This is the hot path: one dictionary look-up and one comparison a packet that is well.

Rules
- A packet is malformed when it is short, of an unknown mode, of a mode nobody subscribed to, or
  when its token is not UTF-8. It is counted and goes no further.
- Sequence numbers grow over a whole exchange feed, so a jump proves no loss. By (exchange, token,
  mode) they can show a packet out of order or twice; such packets are counted and kept.
- Indices have meaningless sequence numbers, and 0 is none: those prove nothing.
- A new connection restarts the order (`reopened`).
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Container

from ..errors import PacketError
from ..instrument import InstrumentKey
from ..tick import Mode
from ..wire.packet import PACKET_SIZES, malformed_reason, token_text

_HEAD = struct.Struct("<27sq")
"""Mode, exchange type and token as one slice, then the sequence number."""
_HEAD_SIZE = 27
_MOST_HEADS = 20_000
"""Garbage behind a token's NUL makes new heads of old instruments; past this all are forgotten."""


class InstrumentState:
    """One instrument in one mode: its last packet, when, how many."""

    __slots__ = ("at_s", "is_ordered", "key", "mode", "packet", "sequence", "size", "ticks")

    def __init__(self, key: InstrumentKey, mode: Mode, size: int, is_ordered: bool) -> None:
        self.key = key
        self.mode = mode
        self.size = size
        self.is_ordered = is_ordered
        self.sequence = 0
        self.packet = b""
        self.at_s = 0.0
        self.ticks = 0


class PacketTracker:
    """What one connection has received. `modes` are those that were subscribed to, `unordered` the
    instruments whose sequence numbers mean nothing.

    The feed thread alone writes here. Snapshots read the counters and copy `seen` from another
    thread (`list` copies in one step); `modes` and `unordered` may grow at any time.
    """

    def __init__(self, modes: Container[int], unordered: Container[InstrumentKey]) -> None:
        self.ticks = 0
        self.malformed = 0
        self.malformed_by_reason: Counter[str] = Counter()
        self.out_of_order = 0
        self.duplicates = 0
        self.seen: dict[tuple[InstrumentKey, Mode], InstrumentState] = {}
        self._by_head: dict[bytes, InstrumentState] = {}
        self._modes = modes
        self._unordered = unordered

    def take(self, packets: list[bytes], now_s: float) -> list[bytes]:
        """The packets that are well, in their order; the others are counted by reason."""
        by_head = self._by_head
        unpack = _HEAD.unpack_from
        refused: list[int] = []
        for index, packet in enumerate(packets):
            try:
                head, sequence = unpack(packet)
                seen = by_head[head]
            except (KeyError, struct.error):
                found = self._register(packet)
                if found is None:
                    refused.append(index)
                    continue
                seen, sequence = found
            if len(packet) < seen.size:
                self._malformed("length")
                refused.append(index)
                continue
            if sequence <= seen.sequence and seen.is_ordered:
                self._count_disorder(seen, sequence)
            seen.sequence = sequence
            seen.packet = packet
            seen.at_s = now_s
            seen.ticks += 1
        if refused:
            gone = set(refused)
            packets = [packet for index, packet in enumerate(packets) if index not in gone]
        self.ticks += len(packets)
        return packets

    def reopened(self) -> None:
        """A new connection: what it sends first follows nothing."""
        for seen in self.seen.values():
            seen.sequence = 0

    def _malformed(self, reason: str) -> None:
        self.malformed += 1
        self.malformed_by_reason[reason] += 1

    def _count_disorder(self, seen: InstrumentState, sequence: int) -> None:
        if sequence == 0:
            return
        if sequence == seen.sequence:
            self.duplicates += 1
        else:
            self.out_of_order += 1

    def _register(self, packet: bytes) -> tuple[InstrumentState, int] | None:
        """The entry of a packet whose head is new, and its sequence; None when it is malformed."""
        reason = malformed_reason(packet)
        if reason is None and packet[0] not in self._modes:
            reason = "mode"
        try:
            token = token_text(packet[2:_HEAD_SIZE]) if reason is None else ""
        except PacketError as error:
            reason = error.reason
        if reason is not None:
            self._malformed(reason)
            return None
        head, sequence = _HEAD.unpack_from(packet)
        mode = Mode(packet[0])
        key = (packet[1], token)
        entry = self.seen.get((key, mode))
        if entry is None:
            entry = InstrumentState(key, mode, PACKET_SIZES[mode], key not in self._unordered)
            self.seen[(key, mode)] = entry
        if len(self._by_head) >= _MOST_HEADS:
            self._by_head.clear()
        self._by_head[head] = entry
        return entry, sequence
