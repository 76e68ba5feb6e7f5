"""A user at a shell: the installed command, a simulated broker, and nothing else of ticks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from ticks.adapter.simulator.accounts import Credentials
from ticks.adapter.simulator.simulator import Simulator

from .window import Window

TICKS = str(Path(sys.executable).with_name("ticks"))
SECRETS = ("TICKS_API_KEY", "TICKS_PIN", "TICKS_TOTP_SECRET")
UNMISTAKABLE = Credentials(api_key="the-key-of-a-test", pin="the-pin-of-a-test")
"""Four digits stand by chance in the microseconds of a long event file: a secret that tests look
for is longer."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder are slow: processes, sockets and real time.

    The longest begin first: of several workers none is left with one at the end.
    """
    folder = Path(__file__).parent
    longest = {folder / "test_chaos.py", folder / "hostile" / "test_feed.py"}
    items.sort(key=lambda item: item.path not in longest)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


class Ticks(Protocol):
    """Runs `ticks` with arguments and waits for its end; `more` is added to the environment."""

    def __call__(
        self, *arguments: str, more: Mapping[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]: ...


class Begun(Protocol):
    """Starts `ticks` with arguments; what it prints can be read while it runs."""

    def __call__(
        self, *arguments: str, more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]: ...


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A broker with two hundred packets a second an instrument, every one kept."""
    with Simulator(rate=200, seed=11, keep_packets=True, credentials=UNMISTAKABLE) as running:
        yield running


@pytest.fixture
def environ(simulator: Simulator, tmp_path: Path) -> dict[str, str]:
    """What the user's shell holds."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TICKS_")}
    return {**bare, **simulator.environment(), "TICKS_HOME": str(tmp_path / "home")}


@pytest.fixture
def ticks(environ: dict[str, str], tmp_path: Path) -> Ticks:
    """The command, run to its end in the test's folder; no secret and no traceback is ever said."""

    def run(
        *arguments: str, more: Mapping[str, str] | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(
            [TICKS, *arguments],
            env={**environ, **(more or {})},
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        for name in SECRETS:
            assert environ[name] not in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return ran

    return run


@pytest.fixture
def begun(environ: dict[str, str], tmp_path: Path) -> Iterator[Begun]:
    """The command, running; whatever still runs at the end of the test is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, more: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [TICKS, *arguments],
            env={**environ, **(more or {})},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def until(simulator: Simulator) -> Callable[[Callable[[], bool]], None]:
    """Wait for something to have happened at the broker; fails after ten seconds."""

    def wait(is_true: Callable[[], bool]) -> None:
        assert simulator.journal.wait_until(is_true)

    return wait


@pytest.fixture
def window() -> Iterator[Window]:
    opened = Window()
    yield opened
    opened.close()
