"""The program's first steps, with standard streams that a parent closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def shell(words: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'"$1" -m ticks.cli {words}', "sh", sys.executable],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
    )


@pytest.mark.parametrize("redirected", ["<&-", "2>&-", "<&- 2>&-"])
def test_closed_streams_that_are_not_needed_do_no_harm(redirected: str, tmp_path: Path) -> None:
    ran = shell(f"--version {redirected}", tmp_path)
    assert ran.returncode == 0
    assert ran.stdout.startswith("ticks ")


def test_what_a_closed_stderr_misses_does_not_land_among_the_data(tmp_path: Path) -> None:
    ran = shell("stream 2>&-", tmp_path)
    assert ran.returncode == 2
    assert "no symbol given" not in ran.stdout


def test_a_closed_stdout_is_an_output_that_fails(tmp_path: Path) -> None:
    ran = shell("--version >&-", tmp_path)
    assert ran.returncode == 6
    assert ran.stderr.startswith("ticks: stdout cannot be written")
    assert len(ran.stderr.splitlines()) == 2
