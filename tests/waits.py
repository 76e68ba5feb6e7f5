"""Waiting for what happens on another thread or in another process."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(is_true: Callable[[], object], within_s: float = 30.0) -> None:
    """Wait for a condition; fails after the deadline.

    It sleeps between two looks: a loop that spins takes the processor from what it waits for.
    """
    deadline_s = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline_s, f"it did not happen within {within_s:g} s"
        time.sleep(0.005)
