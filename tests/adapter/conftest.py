"""What the tests of the facade share: a simulated broker, and a user who may talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ticks.adapter.config import Config
from ticks.adapter.simulator.simulator import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A broker with a market of two hundred packets a second an instrument, from a fixed seed."""
    with Simulator(rate=200, seed=7, keep_packets=True) as running:
        yield running


@pytest.fixture
def environ(simulator: Simulator, tmp_path: Path) -> dict[str, str]:
    """The environment of a user of that broker, with a home of their own."""
    return {**simulator.environment(), "TICKS_HOME": str(tmp_path / "home")}


@pytest.fixture
def config(environ: dict[str, str]) -> Config:
    """What that environment says."""
    return Config.from_env(environ)
