"""What the tests of the facade share: a simulated broker, and a user who may talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ticks.adapter.simulator.server import Simulator
from ticks.adapter.surroundings import Surroundings


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A broker with a market of two hundred packets a second an instrument, from a fixed seed."""
    with Simulator(rate=200, seed=7, keep_packets=True) as running:
        yield running


@pytest.fixture
def around(simulator: Simulator, tmp_path: Path) -> Surroundings:
    """The surroundings of a user of that broker, with a home of his own."""
    return Surroundings.of({**simulator.environment(), "TICKS_HOME": str(tmp_path / "home")})
