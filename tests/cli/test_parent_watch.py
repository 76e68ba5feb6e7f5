"""A command that ends with the process that started it, however that ends."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import is_running
from waits import until

from ticks.cli.parent_watch import GRACE_S, ends_with_us

PARENT = """
import os, sys
from ticks.cli.parent_watch import ends_with_us
told = lambda child: print("child", child.pid, flush=True)
with ends_with_us(sys.argv[1:], os.environ, told) as child:
    child.wait()
"""
GRANDPARENT = "sleep 600 & echo grandchild $!; wait"
STUBBORN = "trap '' TERM; echo stubborn $$; while :; do sleep 0.05; done"


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
    until(lambda: not any(map(is_running, pids)), GRACE_S + 10)


def test_a_command_that_kills_its_parent_at_once_is_ended_all_the_same() -> None:
    script = "kill -9 $PPID; echo killed; exec sleep 600"
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, "sh", "-c", script], stdout=subprocess.PIPE, text=True
    )
    told, _ = process.communicate(timeout=GRACE_S + 10)  # whoever had it open is gone
    assert process.returncode == -signal.SIGKILL
    until(lambda: not is_running(int(told.split()[1])), GRACE_S + 10)


def test_a_parent_that_dies_before_the_command_is_watched_leaves_nothing() -> None:
    program = """
import os, sys
from ticks.cli.parent_watch import ends_with_us
def told(child):
    print("child", child.pid, flush=True)
    os.kill(os.getpid(), 9)
with ends_with_us(sys.argv[1:], os.environ, told):
    pass
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program, "sh", "-c", "echo begun; exec sleep 600"],
        stdout=subprocess.PIPE,
        text=True,
    )
    told, _ = process.communicate(timeout=10)
    assert told.split()[2:] == []
    until(lambda: not is_running(int(told.split()[1])))


def test_a_command_that_ended_by_itself_leaves_no_watcher() -> None:
    started_s = time.monotonic()
    with ends_with_us([sys.executable, "-c", "exit(3)"], os.environ, lambda _child: None) as child:
        assert child.wait() == 3
    assert time.monotonic() - started_s < GRACE_S + 5


def test_what_cannot_be_run_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no program")
    for name, number in [("no-such-command", errno.ENOENT), (tmp_path / "plain", errno.EACCES)]:
        with (
            pytest.raises(OSError, match=os.strerror(number)),
            ends_with_us([str(name)], os.environ, lambda _child: None),
        ):
            pass
