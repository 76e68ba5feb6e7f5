"""`ticks health` as a person and a script run it, beside a running stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ticks.adapter.simulator.server import Simulator

Until = Callable[[Callable[[], bool]], None]


def test_all_is_well(ticks: Any) -> None:
    ran = ticks("health")
    assert ran.returncode == 0
    lines = ran.stdout.splitlines()
    assert len(lines) == 11
    assert all(line.startswith("✓") for line in lines)


def test_a_script_gets_json_and_sees_running_streams(
    ticks: Any, begun: Any, simulator: Simulator, until: Until, tmp_path: Path
) -> None:
    process = begun("stream", "NIFTY", "--csv", "out.csv")
    until(lambda: simulator.journal.packet_count > 10)
    run_folder = tmp_path / "home" / "run"
    until(lambda: any('"live"' in path.read_text() for path in run_folder.glob("*.json")))
    ran = ticks("health", "RELIANCE", "--json")
    found = json.loads(ran.stdout)
    assert (ran.returncode, found["ok"]) == (0, True)
    assert {check["status"] for check in found["checks"]} == {"ok"}
    assert set(found["checks"][0]) == {"name", "status", "detail", "seconds", "advice"}
    assert [stream["pid"] for stream in found["streams"]] == [process.pid]
    assert found["streams"][0]["phase"] == "live"
    process.terminate()
    process.wait(20)
    assert list(run_folder.iterdir()) == []


def test_a_killed_stream_is_recognised_as_gone(
    ticks: Any, begun: Any, simulator: Simulator, until: Until, tmp_path: Path
) -> None:
    process = begun("stream", "NIFTY", "--csv", "out.csv")
    run_folder = tmp_path / "home" / "run"
    until(lambda: bool(list(run_folder.glob("*.json"))))
    process.kill()
    process.wait(20)
    assert json.loads(ticks("health", "--json").stdout)["streams"] == []


def test_exit_codes_follow_the_first_failure(ticks: Any, simulator: Simulator) -> None:
    assert ticks("health", more={"TICKS_PIN": "0000"}).returncode == 3
    assert ticks("health", "NIFTEE").returncode == 4
    simulator.stop()
    ran = ticks("health", "--json", "--timeout", "1s")
    assert ran.returncode == 5
    assert json.loads(ran.stdout)["ok"] is False


def test_a_demo_needs_no_account(ticks: Any) -> None:
    assert ticks("health", "--demo").returncode == 0
