"""What came from the feed, packet by packet: checked, counted, and the last of each instrument
kept.

Pure. This is the hot path: one dictionary look-up and two comparisons a packet that is well.

Rules
- A packet is malformed when it is short, of an unknown mode, or when its token is not UTF-8. It is
  counted and goes no further.
- A packet of a token, segment or mode that was never subscribed here is foreign: counted, kept
  nowhere (a server may send any number of them), and no sign that the feed lives. What still comes
  of a unit that was dropped is recorded like any other.
- Sequence numbers grow over a whole exchange feed, so a jump proves no loss. By (exchange, token,
  mode) they can show a packet out of order or twice; such packets are counted and kept.
- Indices have meaningless sequence numbers, and 0 is none: those prove nothing.
- A new connection restarts the order (`reopened`).
- A newer exchange time is evidence that its segment trades: the loop leaves it to the segment
  (market/evidence.py), which is read after the drain. Times ahead of the market's clock take the
  slow path, and so does a unit's first packet on a connection.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Container, Iterable

from ..errors import PacketError
from ..instrument import InstrumentKey
from ..market.evidence import SegmentEvidence, UnitTimes
from ..tick import Mode
from ..wire.packet import PACKET_SIZES, malformed_reason, token_text
from ..wire.subscription import Unit

_HEAD = struct.Struct("<27sqq")
"""Mode, exchange type and token as one slice, then sequence number and exchange time (ms)."""
_HEAD_SIZE = 27
_MOST_HEADS = 20_000
"""Garbage after a token's NUL makes new heads of old instruments; past this all are forgotten."""


class InstrumentState(UnitTimes):
    """One instrument in one mode: its last packet, when, how many."""

    __slots__ = ("is_ordered", "key", "mode", "packet", "sequence", "size")

    def __init__(
        self,
        key: InstrumentKey,
        mode: Mode,
        size: int,
        is_ordered: bool,
        segment: SegmentEvidence,
    ) -> None:
        super().__init__(segment)
        self.key = key
        self.mode = mode
        self.size = size
        self.is_ordered = is_ordered
        self.sequence = 0
        self.packet = b""


class PacketTracker:
    """What one connection has received. `unordered` are the instruments whose sequence numbers mean
    nothing. `segment_of` gives the evidence of an exchange type.

    The feed thread alone writes here. Snapshots read the counters and copy `seen` from another
    thread (`list` copies in one step); `unordered` may grow at any time.
    """

    def __init__(
        self,
        unordered: Container[InstrumentKey],
        segment_of: Callable[[int], SegmentEvidence],
    ) -> None:
        self.ticks = 0
        self.foreign = 0
        self.malformed = 0
        self.malformed_by_reason: Counter[str] = Counter()
        self.out_of_order = 0
        self.duplicates = 0
        self.seen: dict[tuple[InstrumentKey, Mode], InstrumentState] = {}
        self._by_head: dict[bytes, InstrumentState] = {}
        self._carried: set[Unit] = set()  # ever, so that late packets of a dropped unit pass
        self._wanted: set[Unit] = set()
        self._unordered = unordered
        self._segment_of = segment_of

    def take(self, packets: list[bytes], now_s: float, limit_ms: int) -> list[bytes]:
        """The packets that are well, in their order; the others are counted.

        `limit_ms` is the latest exchange time that is believed at once.
        """
        by_head = self._by_head
        unpack = _HEAD.unpack_from
        refused: list[int] = []
        for index, packet in enumerate(packets):
            try:
                head, sequence, exchange_ms = unpack(packet)
                seen = by_head[head]
            except (KeyError, struct.error):
                found = self._register(packet)
                if found is None:
                    refused.append(index)
                    continue
                seen, sequence, exchange_ms = found
            if len(packet) < seen.size:
                self._malformed("length")
                refused.append(index)
                continue
            if sequence <= seen.sequence and seen.is_ordered:
                self._count_disorder(seen, sequence)
            if exchange_ms > seen.exchange_ms:
                if seen.exchange_ms and exchange_ms <= limit_ms:
                    seen.exchange_ms = exchange_ms
                    seen.moves += 1
                    if exchange_ms > seen.segment.live_ms:  # noqa: PLR1730  (a call is slower)
                        seen.segment.live_ms = exchange_ms
                else:
                    seen.segment.judge(seen, exchange_ms, now_s, limit_ms)
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

    def carry(self, units: Iterable[Unit]) -> None:
        """These are subscribed from now on: others are no longer evidence of their segments."""
        self._wanted = wanted = set(units)
        self._carried |= wanted
        for (key, mode), seen in self.seen.items():
            seen.is_wanted = (*key, mode) in wanted

    def has_ticked_since(self, unit: Unit, since_s: float) -> bool:
        """Whether a unit has sent anything since then."""
        seen = self.seen.get(((unit.exchange_type, unit.token), unit.mode))
        return seen is not None and seen.at_s >= since_s

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

    def _register(self, packet: bytes) -> tuple[InstrumentState, int, int] | None:
        """The entry of a packet whose head is new, its sequence and exchange time.

        None when it is malformed or foreign.
        """
        reason = malformed_reason(packet)
        try:
            token = token_text(packet[2:_HEAD_SIZE]) if reason is None else ""
        except PacketError as error:
            reason = error.reason
        if reason is not None:
            self._malformed(reason)
            return None
        head, sequence, exchange_ms = _HEAD.unpack_from(packet)
        mode = Mode(packet[0])
        key = (packet[1], token)
        if Unit(*key, mode) not in self._carried:
            self.foreign += 1
            return None
        entry = self.seen.get((key, mode))
        if entry is None:
            segment, is_ordered = self._segment_of(key[0]), key not in self._unordered
            entry = InstrumentState(key, mode, PACKET_SIZES[mode], is_ordered, segment)
            entry.is_wanted = Unit(*key, mode) in self._wanted
            self.seen[(key, mode)] = entry
        if len(self._by_head) >= _MOST_HEADS:
            self._by_head.clear()
        self._by_head[head] = entry
        return entry, sequence, exchange_ms
