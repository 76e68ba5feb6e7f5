"""A short kill loop; `kill_loop.py` runs it for as long as you like."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ticks.adapter.simulator.simulator import Simulator

from .kill_loop import Victim


@pytest.mark.timeout(180)
def test_kills_at_random_moments_lose_no_whole_row_and_leave_nothing(
    simulator: Simulator, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    victim = Victim(simulator, tmp_path, seed)
    while victim.kills < 8:
        victim.kill_one()
    victim.end_well()
