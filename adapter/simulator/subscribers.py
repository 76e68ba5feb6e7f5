"""Who listens to what. A unit is a (mode, exchange type, token), named by the 27 bytes that its
packets begin with (`traded.unit_prefix`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


class Market(Protocol):
    """Where packets come from: made up, or played from a recording."""

    def joined(self, units: Sequence[bytes], listener: Subscriber) -> None:
        """`listener` has just subscribed to `units`."""
        ...

    def burst(self, packets: int) -> None:
        """Send so many packets at once, where they are made up."""
        ...

    def stop(self) -> None:
        """Send nothing any more."""
        ...


class Subscribers:
    """The listeners of each unit, in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: dict[bytes, dict[Subscriber, None]] = {}

    def add(self, unit: bytes, listener: Subscriber) -> None:
        self._listeners.setdefault(unit, {})[listener] = None

    def remove(self, units: Iterable[bytes], listener: Subscriber) -> None:
        for unit in units:
            of_unit = self._listeners[unit]
            del of_unit[listener]
            if not of_unit:
                del self._listeners[unit]

    def of(self, unit: bytes) -> Iterable[Subscriber]:
        return self._listeners.get(unit, ())
