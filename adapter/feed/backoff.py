"""How long to wait before the next attempt.

1, 2, 4, 8, 16, 32, 60, 60 ... seconds, plus up to a tenth drawn on top, at the cap too, so that
many clients that lost one server do not all come back at once.
"""

from __future__ import annotations

BASE_S = 1.0
JITTER = 0.1
_MOST_DOUBLINGS = 30
"""2^30 s is beyond any cap, and far from overflowing a float."""


def delay_s(attempt: int, draw: float, *, cap_s: float, least_s: float = 0.0) -> float:
    """Seconds to wait before attempt number `attempt` (1 is the first).

    `draw` is uniform in [0, 1]. The result lies in [base, base x 1.1], where base is
    min(cap_s, 2^(attempt-1)), or `least_s` where that is more.
    Raises ValueError for an attempt below 1.
    """
    if attempt < 1:
        raise ValueError(f"attempt {attempt} is below 1")
    doublings = min(attempt - 1, _MOST_DOUBLINGS)
    return max(least_s, min(cap_s, BASE_S * 2.0**doublings)) * (1 + JITTER * draw)
