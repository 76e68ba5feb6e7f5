"""The synthetic market: when each instrument trades, and who is told.

An instrument trades at the market's rate while somebody listens to it, and each listener gets the
same packet, so two recorders of one feed see one market. Whoever subscribes is told the present
state at once. A listener whose socket is full misses packets, as the real feed conflates.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush, heapreplace
from itertools import count
from zlib import crc32

from ..tick import Mode
from .instrument_model import SimulatedInstrument, unit_prefix
from .listings import Listing
from .subscribers import Subscriber, Subscribers

BEAT_S = 0.001
"""Trades that fall due within a beat go out together."""
MOST_LAG_S, MOST_TRADES = 0.02, 5000
"""What is due for longer, or more than that of an instrument, is dropped: the rate is too high."""


class SyntheticMarket:
    """Trades `rate` times a second in each instrument that is listened to; 0 trades once.

    Lives in the running event loop. `wall_s` is the exchange's time in seconds since the epoch.
    """

    def __init__(
        self,
        listed: Iterable[Listing],
        subscribers: Subscribers,
        *,
        rate: float,
        seed: int,
        wall_s: Callable[[], float],
    ) -> None:
        self._listed = {_instrument_part(each): each for each in listed}
        self._subscribers = subscribers
        self._rate = rate
        self._most_lag_s = min(MOST_LAG_S, MOST_TRADES / rate) if rate else MOST_LAG_S
        self._seed = seed
        self._wall_s = wall_s
        self._loop = asyncio.get_running_loop()
        self._traded: dict[bytes, SimulatedInstrument] = {}
        self._sequences: dict[int, count[int]] = defaultdict(lambda: count(1))
        self._due: list[tuple[float, bytes]] = []
        self._trading: set[bytes] = set()
        self._beat: asyncio.TimerHandle | None = None

    def joined(self, units: Sequence[bytes], listener: Subscriber) -> None:
        frames: list[bytes] = []
        for unit in units:
            name = unit[1:]
            listing = self._listed.get(name)
            if listing is None:
                continue
            if name not in self._trading:
                self._begin(name, listing)
            frames.append(self._traded[name].frame(Mode(unit[0])))
        listener.send_packets(frames)
        self._schedule()

    def burst(self, packets: int) -> None:
        wall_s = int(self._wall_s())
        told: dict[Subscriber, list[bytes]] = defaultdict(list)
        heard = [(name, found) for name in self._traded if (found := self._listeners(name))]
        for number, (name, listeners) in enumerate(heard):
            trades = packets // len(heard) + (number < packets % len(heard))
            self._trade(self._traded[name], trades, wall_s, listeners, told)
        for listener, frames in told.items():
            listener.send_packets(frames)

    def stop(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
        self._due.clear()

    def _begin(self, name: bytes, listing: Listing) -> None:
        """Trade once now; the next trades are spread over time, that not all fall due together."""
        if name not in self._traded:
            sequences = self._sequences[listing.instrument.exchange_type]
            self._traded[name] = SimulatedInstrument(listing, self._seed, sequences)
        self._traded[name].trade(int(self._wall_s()))
        if self._rate > 0:
            phase = 1 + crc32(name) % 1000
            self._trading.add(name)
            heappush(self._due, (self._loop.time() + phase / 1000 / self._rate, name))

    def _schedule(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        if self._due:
            at = max(self._due[0][0], self._loop.time() + BEAT_S)
            self._beat = self._loop.call_at(at, self._trade_what_is_due)

    def _trade_what_is_due(self) -> None:
        now_s, wall_s = self._loop.time(), int(self._wall_s())
        told: dict[Subscriber, list[bytes]] = defaultdict(list)
        due = self._due
        while due and due[0][0] <= now_s:
            due_s, name = due[0]
            listeners = self._listeners(name)
            if not listeners:
                heappop(due)
                self._trading.discard(name)
                continue
            due_s = max(due_s, now_s - self._most_lag_s)
            trades = int((now_s - due_s) * self._rate) + 1
            self._trade(self._traded[name], trades, wall_s, listeners, told)
            heapreplace(due, (due_s + trades / self._rate, name))
        for listener, frames in told.items():
            listener.send_packets(frames)
        self._beat = None
        self._schedule()

    def _listeners(self, name: bytes) -> list[tuple[Mode, list[Subscriber]]]:
        found = []
        for mode in Mode:
            listeners = list(self._subscribers.of(bytes((mode,)) + name))
            if listeners:
                found.append((mode, listeners))
        return found

    def _trade(
        self,
        instrument: SimulatedInstrument,
        trades: int,
        wall_s: int,
        listeners: list[tuple[Mode, list[Subscriber]]],
        told: dict[Subscriber, list[bytes]],
    ) -> None:
        ready = [
            (mode, [told[each] for each in each_mode if each.is_ready])
            for mode, each_mode in listeners
        ]
        for _ in range(trades):
            instrument.trade(wall_s)
            for mode, boxes in ready:
                frame = instrument.frame(mode)
                for box in boxes:
                    box.append(frame)


def _instrument_part(listing: Listing) -> bytes:
    """What the units of an instrument have in common: their prefix without the mode."""
    instrument = listing.instrument
    return unit_prefix(0, instrument.exchange_type, instrument.token)[1:]
