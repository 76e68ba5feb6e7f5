"""A clock that a test turns."""

from __future__ import annotations

from datetime import datetime


class HandClock:
    """Both clocks stand still until they are turned, both by the same."""

    def __init__(self, at: datetime) -> None:
        self.wall = round(at.timestamp()) * 1_000_000_000
        self.s = 1000.0

    def now_s(self) -> float:
        return self.s

    def wall_ns(self) -> int:
        return self.wall

    def turn(self, seconds: float = 0.0, *, days: int = 0) -> None:
        seconds += days * 86_400
        self.s += seconds
        self.wall += int(seconds * 1_000_000_000)
