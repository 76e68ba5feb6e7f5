"""The bounded buffer between the socket and the sinks.

The feed threads put what one drain of a socket gave; one reader takes what there is. A recorder
also gives a `direct` way: the thread that drained the socket then writes what it got, so that a
drain costs one wake-up and not two (the wake-ups are the cost at the loads that users have).

Rules
- `direct` is asked while nothing waits and the reader is idle; it writes the packets and returns
  True, or refuses them because an output would have to be waited for. From then on packets wait
  here, in their order, until the reader has worked all of them off.
- In a flood (more than `FLOOD_PACKETS` wait) the feed thread steps back until the reader has worked
  off half of them; the network holds what comes meanwhile. So a burst faster than the disk loses
  nothing, and two busy threads do not fight for the interpreter drain by drain.
- It steps back for `STEP_BACK_S` at most, and not again before a reader that took nothing in that
  time takes something: a stuck pipe never delays a heartbeat.
- When the buffer is full the oldest packets go, and every one of them is counted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ..waker import Waker

FLOOD_PACKETS = 16_384
STEP_BACK_S = 0.05


class Batch(NamedTuple):
    """The packets of one drain of one socket, and the wall clock when they left it."""

    received_ns: int
    packets: list[bytes]


class TickBuffer:
    """At most `limit` packets; `dropped` counts those that had to go.

    `size` and `dropped` are written under the lock and read without it, to be shown: each
    is one number, and one that is a drain old does no harm.
    """

    def __init__(self, limit: int, waker: Waker) -> None:
        self.limit = limit
        self.size = 0
        self.dropped = 0
        self._batches: deque[Batch] = deque()
        self._lock = threading.Lock()
        self._has_worked_off = threading.Condition(self._lock)
        # Well below the default limit: a burst makes the feed thread wait, and the network hold
        # what comes, long before anything must be dropped. Well above a drain (some hundred
        # packets), so that no ordinary load ever waits.
        self._flood = min(limit, FLOOD_PACKETS)
        self._takes = 0
        self._is_reader_stuck = False
        self._waker = waker
        self.direct: Callable[[int, list[bytes]], bool] | None = None
        self._is_reader_busy = False  # has taken batches, and not yet come back for more
        self._in_hand: list[bytes] = []
        self._in_hand_ns = 0

    @property
    def oldest_ns(self) -> int | None:
        """When the oldest packet that waits was received; None where none does.

        Without the lock, which is held while `direct` writes: that may be stuck just when this is
        to be shown.
        """
        try:
            return self._batches[0].received_ns
        except IndexError:
            return None

    def put(self, received_ns: int, packets: list[bytes]) -> None:
        """Add the packets of a drain; wakes the reader when the buffer was empty.

        Steps back in a flood, for `STEP_BACK_S` at most.
        """
        with self._lock:  # also held while `direct` writes: so the order of the drains is kept
            is_caught_up = not (self._batches or self._is_reader_busy)
            if is_caught_up and self.direct is not None and self.direct(received_ns, packets):
                return
            if self._batches and self.size + len(packets) > self._flood:
                self._step_back()
            was_empty = not self._batches
            self._batches.append(Batch(received_ns, packets))
            self.size += len(packets)
            if self.size > self.limit:
                self._drop_oldest(self.size - self.limit)
        if was_empty:
            self._waker.wake()

    def _step_back(self) -> None:
        if self._is_reader_stuck:
            return  # a pipe that is not read must not delay pings: drop and count instead
        takes = self._takes
        is_worked_off = self._has_worked_off.wait_for(
            lambda: self.size <= self._flood // 2, STEP_BACK_S
        )
        self._is_reader_stuck = not is_worked_off and self._takes == takes

    def _drop_oldest(self, surplus: int) -> None:
        self.dropped += surplus
        self.size -= surplus
        while surplus:
            received_ns, packets = self._batches.popleft()
            if len(packets) > surplus:
                self._batches.appendleft(Batch(received_ns, packets[surplus:]))
                return
            surplus -= len(packets)

    def take(self, most: int | None = None) -> list[Batch]:
        """What there is, oldest first; empty when there is nothing. Never waits.

        With `most` no further batch is taken once so many packets are: a reader that takes a
        little at a time makes room often, and a feed in full flood waits instead of dropping.
        """
        with self._lock:
            taken: list[Batch] = []
            count = 0
            while self._batches and (most is None or count < most):
                taken.append(self._batches.popleft())
                count += len(taken[-1].packets)
            self._is_reader_busy = bool(taken)
            if taken:
                self._taken(count)
        return taken

    def take_packet(self) -> tuple[int, bytes] | None:
        """The oldest packet and its time, or None when there is nothing. Never waits.

        Takes a batch out of the buffer at a time, for one reader that does not mix with `take`.
        """
        if not self._in_hand:
            with self._lock:
                if not self._batches:
                    return None
                self._in_hand_ns, packets = self._batches.popleft()
                self._taken(len(packets))
            self._in_hand = packets[::-1]
        return self._in_hand_ns, self._in_hand.pop()

    def _taken(self, count: int) -> None:
        self.size -= count
        self._takes += 1
        self._is_reader_stuck = False
        if self.size <= self._flood // 2:
            self._has_worked_off.notify_all()
