"""When faults happen: the ones that are armed, and the triggers that they wait for.

Lives in the simulator's event loop; `strike` is called there, never in the middle of a write.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence

from .faults import Fault, What


class FaultInjector:
    """The armed faults of one simulator; `strike` makes one happen."""

    def __init__(self, faults: Sequence[Fault], strike: Callable[[Fault], None]) -> None:
        self._strike_now = strike
        self._started_s: float | None = None
        self._ticks = 0
        self._waiting = [fault for fault in faults if not fault.call]
        self._at_call = [(fault, fault.times) for fault in faults if fault.call]
        self._alarms: list[asyncio.TimerHandle] = []

    def arm(self, fault: Fault) -> None:
        """Let it happen when it is due: at once if its time has passed."""
        if fault.call:
            self._at_call.append((fault, fault.times))
        elif fault.after_ticks is None and self._started_s is not None:
            loop = asyncio.get_running_loop()
            self._alarms.append(loop.call_at(self._started_s + fault.after_s, self._strike, fault))
        else:
            self._waiting.append(fault)
            self.ticked(0)

    def begin(self) -> None:
        """A subscription was accepted; the first one starts the clock."""
        if self._started_s is not None:
            return
        self._started_s = time.monotonic()
        waiting, self._waiting = self._waiting, []
        for fault in waiting:
            self.arm(fault)

    def ticked(self, packets: int) -> None:
        """That many more packets were put on a socket."""
        self._ticks += packets
        for fault in list(self._waiting):
            if fault.after_ticks is not None and fault.after_ticks <= self._ticks:
                self._waiting.remove(fault)
                asyncio.get_running_loop().call_soon(self._strike, fault)

    def take(self, call: str, kinds: Collection[What]) -> Fault | None:
        """The first fault of these kinds that this handshake or call meets, if there is one."""
        return next(iter(self.take_all(call, kinds, at_most=1)), None)

    def take_all(
        self, call: str, kinds: Collection[What], *, at_most: int | None = None
    ) -> list[Fault]:
        """The faults of these kinds that this handshake or call meets; each now has one less."""
        matching = [
            index
            for index, (fault, _) in enumerate(self._at_call)
            if fault.call == call and fault.what in kinds
        ][:at_most]
        taken = [self._at_call[index][0] for index in matching]
        for index in matching:
            fault, left = self._at_call[index]
            self._at_call[index] = fault, left - 1
        self._at_call = [(fault, left) for fault, left in self._at_call if left]
        return taken

    def _strike(self, fault: Fault) -> None:
        self._strike_now(fault)
        for following in fault.then:
            self.arm(following)

    def stop(self) -> None:
        """Disarm everything."""
        for alarm in self._alarms:
            alarm.cancel()
        self._waiting.clear()
        self._at_call.clear()
