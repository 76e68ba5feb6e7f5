"""The subscribers of each unit, and the interface of the markets that serve them.

A unit is a (mode, exchange type, token), named by the 27 bytes that its packets begin with
(`instrument_model.unit_prefix`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import Enum, auto
from typing import Protocol


class Subscriber(Protocol):
    """A feed connection, as a market sees it."""

    @property
    def is_ready(self) -> bool:
        """Whether its socket takes more now."""
        ...

    async def wait_ready(self) -> None:
        """Wait until it is ready, or gone."""
        ...

    def send_packets(self, frames: Sequence[bytes]) -> None:
        """Put whole frames of one packet each on the socket."""
        ...


class MarketState(Enum):
    """What a segment does. In each of these a subscribe is answered with one packet a unit."""

    OPEN = auto()
    """It trades, and the feed sends the trades."""
    HALTED = auto()
    """Nothing trades: packets keep the time of the last trade before."""
    HOLIDAY = auto()
    """The same; what has not traded here yet is dated in the last session before today."""
    SNAPSHOTS = auto()
    """It trades, but the feed sends the packet of the subscribe and nothing after it."""


class Market(Protocol):
    """Where packets come from: made up, or played from a recording."""

    def joined(self, units: Sequence[bytes], subscriber: Subscriber) -> None:
        """`subscriber` has just subscribed to `units`."""
        ...

    def burst(self, packets: int) -> None:
        """Send that many packets at once, where they are made up."""
        ...

    def set_state(
        self,
        state: MarketState,
        exchange_types: Collection[int] = (),
        *,
        duration_s: float | None = None,
    ) -> None:
        """Put these segments (none: all) into a state, for a time; where packets are made up."""
        ...

    def move_price(self, exchange_type: int, token: str, price: int) -> None:
        """Let an instrument trade from `price` on, where packets are made up. Raises KeyError."""
        ...

    def stop(self) -> None:
        """Send nothing more."""
        ...


class Subscribers:
    """The subscribers of each unit, in the order in which they came."""

    def __init__(self) -> None:
        self._by_unit: dict[bytes, dict[Subscriber, None]] = {}

    def add(self, unit: bytes, subscriber: Subscriber) -> None:
        self._by_unit.setdefault(unit, {})[subscriber] = None

    def remove(self, units: Iterable[bytes], subscriber: Subscriber) -> None:
        for unit in units:
            of_unit = self._by_unit[unit]
            del of_unit[subscriber]
            if not of_unit:
                del self._by_unit[unit]

    def of(self, unit: bytes) -> Iterable[Subscriber]:
        return self._by_unit.get(unit, ())
