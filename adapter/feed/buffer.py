"""The bounded buffer between the socket and the sinks.

The feed threads put what one drain of a socket gave; one reader takes all there is. When the
buffer is full the feed thread waits a moment for the reader (the network holds what comes
meanwhile); past that the oldest packets go, and every one of them is counted. So a burst faster
than the disk loses nothing, and a stuck pipe never holds up a heartbeat, nor hides what it cost.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

from .wakeup import Wakeup

WAIT_FOR_ROOM_S = 0.05
"""How long one drain may wait for the reader: 64 KiB each 50 ms still outruns any live feed."""


class Batch(NamedTuple):
    """The packets of one drain of one socket, and the wall clock when they left it."""

    received_ns: int
    packets: list[bytes]


class TickBuffer:
    """At most `limit` packets; `dropped` counts those that had to go, `peak` the fullest moment."""

    def __init__(self, limit: int, wakeup: Wakeup) -> None:
        self.limit = limit
        self.size = 0
        self.peak = 0
        self.dropped = 0
        self._batches: deque[Batch] = deque()
        self._lock = threading.Lock()
        self._has_room = threading.Condition(self._lock)
        self._wakeup = wakeup
        self._in_hand: list[bytes] = []
        self._in_hand_ns = 0

    def put(self, received_ns: int, packets: list[bytes]) -> None:
        """Add the packets of a drain; wakes the reader when the buffer was empty.

        Waits for room at most `WAIT_FOR_ROOM_S`.
        """
        with self._lock:
            if self._batches and self.size + len(packets) > self.limit:
                self._has_room.wait_for(
                    lambda: not self._batches or self.size + len(packets) <= self.limit,
                    WAIT_FOR_ROOM_S,
                )
            was_empty = not self._batches
            self._batches.append(Batch(received_ns, packets))
            self.size += len(packets)
            if self.size > self.limit:
                self._drop_oldest(self.size - self.limit)
            self.peak = max(self.peak, self.size)
        if was_empty:
            self._wakeup.ring()

    def _drop_oldest(self, surplus: int) -> None:
        self.dropped += surplus
        self.size -= surplus
        while surplus:
            received_ns, packets = self._batches.popleft()
            if len(packets) > surplus:
                self._batches.appendleft(Batch(received_ns, packets[surplus:]))
                return
            surplus -= len(packets)

    def take_all(self) -> list[Batch]:
        """Everything there is, oldest first; empty when there is nothing. Never waits."""
        if not self._batches:
            return []
        with self._lock:
            taken = list(self._batches)
            self._batches.clear()
            self.size = 0
            self._has_room.notify_all()
        return taken

    def take_packet(self) -> tuple[int, bytes] | None:
        """The oldest packet and its time, or None when there is nothing. Never waits.

        Takes a batch out of the buffer at a time, for one reader that does not mix with `take_all`.
        """
        if not self._in_hand:
            with self._lock:
                if not self._batches:
                    return None
                self._in_hand_ns, packets = self._batches.popleft()
                self.size -= len(packets)
                self._has_room.notify_all()
            self._in_hand = packets[::-1]
        return self._in_hand_ns, self._in_hand.pop()
