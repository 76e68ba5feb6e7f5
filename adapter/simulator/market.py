"""The synthetic market: when each instrument trades, and to whom its packets go.

Rules
- An instrument trades at the market's rate while somebody is subscribed to it, one that is seldom
  traded once in `RARE_STEPS` of those steps; every subscriber gets the same packet, so two
  recorders of one feed see one market.
- A subscribe is answered at once with one packet a unit, the last known state. Its exchange time is
  that of the instrument's last change: now where trading is brisk, minutes ago where it is not, and
  the time of the last trade where the segment is halted (`MarketState`).
- A halted segment trades nothing, at whatever rate; when it opens again, trading goes on.
- Nothing is sent for a listed row that never trades, as for an unknown token.
- A subscriber whose socket is full misses packets, as the real feed conflates.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import heappop, heappush, heapreplace
from itertools import count
from zlib import crc32

from ..tick import Mode
from .instrument_model import MODES, SimulatedInstrument, unit_prefix
from .listings import Liquidity, Listing
from .sessions import last_session_end_s
from .subscribers import MarketState, Subscriber, Subscribers

BEAT_S = 0.001
"""Trades that fall due within a beat go out together."""
MOST_LAG_S, MOST_TRADES = 0.02, 5000
"""What is due for longer, or more than that of an instrument, is dropped: the rate is too high."""
LAST_TRADE_AGES_S = 60, 1800
"""How long ago what trades seldom last traded."""


class SyntheticMarket:
    """Trades `rate` times a second in each instrument that is subscribed to; 0 trades once.

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
        self._listed: dict[bytes, Listing] = {}
        for each in listed:
            if each.liquidity is not Liquidity.NONE:
                self._listed.setdefault(_instrument_part(each), each)
        self._subscribers = subscribers
        self._rate = rate
        self._most_lag_s = min(MOST_LAG_S, MOST_TRADES / rate) if rate else MOST_LAG_S
        self._seed = seed
        self._wall_s = wall_s
        self._loop = asyncio.get_running_loop()
        self._instruments: dict[bytes, SimulatedInstrument] = {}
        self._sequences: dict[int, count[int]] = defaultdict(lambda: count(1))
        self._closed: dict[int, MarketState] = {}
        """By exchange type: the state of the segments that are not open."""
        self._halted_s: dict[int, int] = {}
        self._opening: dict[int, asyncio.TimerHandle] = {}
        self._due: list[tuple[float, bytes]] = []
        self._trading: set[bytes] = set()
        self._beat: asyncio.TimerHandle | None = None

    def joined(self, units: Sequence[bytes], subscriber: Subscriber) -> None:
        frames: list[bytes] = []
        for unit in units:
            name = unit[1:]
            instrument = self._instrument(name)
            if instrument is None:
                continue
            frames.append(instrument.frame(Mode(unit[0])))
        subscriber.send_packets(frames)
        self._schedule()

    def burst(self, packets: int) -> None:
        wall_s = int(self._wall_s())
        outgoing: dict[Subscriber, list[bytes]] = defaultdict(list)
        watched = [
            (name, found)
            for name in self._instruments
            if name[0] not in self._closed and (found := self._subscribed(name))
        ]
        for number, (name, subscribed) in enumerate(watched):
            trades = packets // len(watched) + (number < packets % len(watched))
            self._trade(self._instruments[name], trades, wall_s, subscribed, outgoing)
        for subscriber, frames in outgoing.items():
            subscriber.send_packets(frames)

    def set_state(
        self,
        state: MarketState,
        exchange_types: Collection[int] = (),
        *,
        duration_s: float | None = None,
    ) -> None:
        for exchange_type in exchange_types or {name[0] for name in self._listed}:
            self._open(exchange_type)
            if state is MarketState.OPEN:
                continue
            self._closed[exchange_type] = state
            self._halted_s[exchange_type] = int(self._wall_s())
            if duration_s is not None:
                self._opening[exchange_type] = self._loop.call_later(
                    duration_s, self._open, exchange_type
                )

    def _open(self, exchange_type: int) -> None:
        self._closed.pop(exchange_type, None)
        opening = self._opening.pop(exchange_type, None)
        if opening is not None:
            opening.cancel()

    def move_price(self, exchange_type: int, token: str, price: int) -> None:
        """Let an instrument trade from `price` on, in the feed's unit. Raises KeyError."""
        name = unit_prefix(0, exchange_type, token)[1:]
        if name not in self._instruments:
            self._instruments[name] = self._new_instrument(name, self._listed[name])
        self._instruments[name].move_to(price)

    def stop(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
        for opening in self._opening.values():
            opening.cancel()
        self._due.clear()

    def _instrument(self, name: bytes) -> SimulatedInstrument | None:
        """What a subscribe is answered from, trading from now on; None for what never trades."""
        listing = self._listed.get(name)
        if listing is None:
            return None
        state = self._closed.get(name[0], MarketState.OPEN)
        instrument = self._instruments.get(name)
        if instrument is None:
            instrument = self._instruments[name] = self._new_instrument(name, listing)
        elif (
            instrument.is_liquid
            and (name not in self._trading or state is MarketState.SNAPSHOTS)
            and state in (MarketState.OPEN, MarketState.SNAPSHOTS)
        ):
            instrument.trade(int(self._wall_s()))
        if name not in self._trading and self._rate > 0:
            # Spread over time, that not all trades fall due together.
            phase = (1 + crc32(name) % 1000) / 1000
            self._trading.add(name)
            step_s = instrument.steps_a_trade / self._rate
            heappush(self._due, (self._loop.time() + phase * step_s, name))
        return instrument

    def _new_instrument(self, name: bytes, listing: Listing) -> SimulatedInstrument:
        exchange_type = name[0]
        state = self._closed.get(exchange_type)
        if state is MarketState.HOLIDAY:
            changed_s = last_session_end_s(exchange_type, self._wall_s())
        elif state is MarketState.HALTED:
            changed_s = self._halted_s[exchange_type]
        else:
            changed_s = int(self._wall_s())
        if listing.liquidity is not Liquidity.USUAL:
            least, most = LAST_TRADE_AGES_S
            changed_s -= least + crc32(name) % (most - least)
        return SimulatedInstrument(
            listing, self._seed, self._sequences[exchange_type], changed_s=changed_s
        )

    def _schedule(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        if self._due:
            at = max(self._due[0][0], self._loop.time() + BEAT_S)
            self._beat = self._loop.call_at(at, self._trade_what_is_due)

    def _trade_what_is_due(self) -> None:
        now_s, wall_s = self._loop.time(), int(self._wall_s())
        outgoing: dict[Subscriber, list[bytes]] = defaultdict(list)
        due = self._due
        while due and due[0][0] <= now_s:
            due_s, name = due[0]
            subscribed = self._subscribed(name)
            if not subscribed:
                heappop(due)
                self._trading.discard(name)
                continue
            instrument = self._instruments[name]
            step_s = instrument.steps_a_trade / self._rate
            if name[0] in self._closed:
                heapreplace(due, (now_s + step_s, name))
                continue
            due_s = max(due_s, now_s - self._most_lag_s)
            trades = int((now_s - due_s) / step_s) + 1
            self._trade(instrument, trades, wall_s, subscribed, outgoing)
            heapreplace(due, (due_s + trades * step_s, name))
        for subscriber, frames in outgoing.items():
            subscriber.send_packets(frames)
        self._beat = None
        self._schedule()

    def _subscribed(self, name: bytes) -> list[tuple[Mode, list[Subscriber]]]:
        found = []
        for mode in MODES:
            subscribers = list(self._subscribers.of(bytes((mode,)) + name))
            if subscribers:
                found.append((mode, subscribers))
        return found

    def _trade(
        self,
        instrument: SimulatedInstrument,
        trades: int,
        wall_s: int,
        subscribed: list[tuple[Mode, list[Subscriber]]],
        outgoing: dict[Subscriber, list[bytes]],
    ) -> None:
        ready = [
            (mode, [outgoing[each] for each in of_mode if each.is_ready])
            for mode, of_mode in subscribed
        ]
        for _ in range(trades):
            instrument.trade(wall_s)
            for mode, queues in ready:
                frame = instrument.frame(mode)
                for queue in queues:
                    queue.append(frame)


def _instrument_part(listing: Listing) -> bytes:
    """What the units of an instrument have in common: their prefix without the mode."""
    instrument = listing.instrument
    return unit_prefix(0, instrument.exchange_type, instrument.token)[1:]
