"""A command that ends with the process that started it, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from processes import is_running

from ticks.cli.parent_watch import GRACE_S, ends_with_us

PARENT = """
import subprocess, sys
from ticks.cli.parent_watch import ends_with_us
child = subprocess.Popen(sys.argv[1:])
with ends_with_us(child.pid):
    print("child", child.pid, flush=True)
    child.wait()
"""
GRANDPARENT = "sleep 600 & echo grandchild $!; wait"
STUBBORN = "trap '' TERM; echo stubborn $$; while :; do sleep 0.05; done"


def becomes(is_true: Callable[[], bool], within_s: float = 10.0) -> bool:
    until_s = time.monotonic() + within_s
    while not is_true():
        if time.monotonic() > until_s:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def parent(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A process that runs the test's shell script, and the pids that both printed."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, "bash", "-c", request.param],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline().split()[1]) for _ in range(2)]
        yield process, pids
        process.kill()
        for pid in pids:
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("parent", [GRANDPARENT, STUBBORN], indirect=True)
def test_the_death_of_the_parent_ends_the_command_and_what_it_started(
    parent: tuple[subprocess.Popen[str], list[int]],
) -> None:
    process, pids = parent
    assert all(map(is_running, pids))
    process.kill()
    process.wait()
    assert becomes(lambda: not any(map(is_running, pids)), GRACE_S + 10)


def test_a_command_that_ended_by_itself_leaves_no_watcher() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started_s = time.monotonic()
    with ends_with_us(child.pid):
        child.communicate(b"\n")
    assert child.returncode == 0
    assert time.monotonic() - started_s < GRACE_S + 5
