"""When a row of a recording is due. Pure: no clock.

Rules
- A row is due at its own distance from the first, divided by the speed. Distances are summed as
  whole microseconds, waits are never summed: nothing drifts.
- A row that is before an earlier one is due with it; where time goes back by more than a minute
  (a clock that was set, another recording), it counts on from there.
"""

from __future__ import annotations

from ..rows.decode import received_ns_of

IDLE_US = 60_000_000
_BACK_US = 60_000_000


class Pacer:
    """`speed` times as fast as it was recorded; with `skips_idle`, more than a minute of silence
    takes no time."""

    def __init__(self, speed: float, *, skips_idle: bool = False) -> None:
        self._speed = speed
        self._skips_idle = skips_idle
        self._latest_us: int | None = None
        self._position_us = 0

    def begin_again(self) -> None:
        """The next row is the first of a recording: due with the one before it."""
        self._latest_us = None

    def due_s(self, received_at: bytes) -> float:
        """Seconds from the first row to this one. Rows are asked for in their order."""
        time_us = received_ns_of(received_at) // 1000
        gap_us = 0 if self._latest_us is None else time_us - self._latest_us
        is_skipped = self._skips_idle and gap_us > IDLE_US
        if self._latest_us is None or is_skipped or gap_us < -_BACK_US:
            self._latest_us = time_us
        elif gap_us > 0:
            self._latest_us = time_us
            self._position_us += gap_us
        return self._position_us / 1_000_000 / self._speed
