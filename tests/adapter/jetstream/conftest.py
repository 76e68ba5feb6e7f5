"""A real server, and an event loop for those who talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nats_server import NatsServer, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    yield from running(tmp_path / "nats")
