"""A machine on which nothing can be saved: what needs no home works, and says what it lacks."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path
from typing import Any

from ticks.adapter.simulator.simulator import Simulator

from .conftest import TICKS

NOWHERE = {"TICKS_HOME": "/proc/nobody"}
"""A folder that nobody can make, root neither."""


def test_without_a_home_ticks_are_recorded_and_what_is_not_saved_is_reported(
    ticks: Any, tmp_path: Path
) -> None:
    ran = ticks("stream", "NIFTY", "--csv", "o.csv", "--count", "20", more=NOWHERE)
    assert ran.returncode == 0
    assert (tmp_path / "o.csv").read_bytes().count(b"\n") == 21
    for words in (
        "/proc/nobody/instruments.sqlite cannot be written",
        "; it is kept in memory for this run",
        "cannot be saved in /proc/nobody/session.json",
        "other programs cannot see this stream",
        "this stream cannot be controlled",
        " live: 1 instrument",
    ):
        assert ran.stderr.count(words) == 1


def test_a_full_home_costs_no_tick(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(exist_ok=True)

    def nothing_fits() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    ran = subprocess.run(
        [TICKS, "stream", "NIFTY", "--count", "20"],
        env={**environ, "TICKS_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        preexec_fn=nothing_fits,
        timeout=50,
        check=False,
    )
    assert (ran.returncode, ran.stdout.count("\n")) == (0, 21)
    assert "it is kept in memory for this run" in ran.stderr


def test_names_are_found_without_a_home(ticks: Any) -> None:
    ran = ticks("find", "nifty", "--exchange", "NSE", more=NOWHERE)
    assert ran.returncode == 0
    assert "Nifty 50" in ran.stdout
    assert "kept in memory" in ran.stderr


def test_a_login_that_cannot_be_saved_fails(ticks: Any, simulator: Simulator) -> None:
    ran = ticks("login", more=NOWHERE)
    assert ran.returncode == 6
    assert "the session cannot be saved in /proc/nobody/session.json" in ran.stderr
    assert "try: " in ran.stderr
