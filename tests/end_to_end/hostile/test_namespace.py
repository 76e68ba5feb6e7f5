"""A cable that is pulled and a name server that is dead, where this machine lets a test have them.

Both happen in a network namespace of their own (Linux, root); elsewhere they are skipped.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STORIES = Path(__file__).with_name("namespace.py")
UNSHARE = ("unshare", "--net", "--mount")


@pytest.fixture(scope="session")
def namespace() -> tuple[str, ...]:
    try:
        tried = subprocess.run(
            [*UNSHARE, "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        pytest.skip(f"no network namespace: {error}")
    if tried.returncode:
        pytest.skip(f"no network namespace: {tried.stderr.strip()}")
    return UNSHARE


@pytest.mark.timeout(120)
@pytest.mark.parametrize("story", ["cable", "name-server"])
def test_the_network_fails_without_a_word(namespace: tuple[str, ...], story: str) -> None:
    ran = subprocess.run(
        [*namespace, sys.executable, str(STORIES), story],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3_000:]
