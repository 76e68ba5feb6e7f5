"""A recording with its events is played to the tool again: its packets and its disconnects."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter.files.recording import read_recording

from .conftest import TICKS

MINUTE = Path(__file__).parents[1] / "data" / "demo-minute"


def simulated(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`ticks simulate` with a stream that plays against it; nothing of another broker is known."""
    bare = {name: value for name, value in environ.items() if not name.startswith("TICKS_")}
    return subprocess.run(
        [TICKS, "simulate", *arguments],
        env=bare,
        cwd=environ["HOME"],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_a_bad_morning_comes_back_in_the_evening(environ: Any, tmp_path: Path) -> None:
    recording, events = str(MINUTE / "quote.csv"), str(MINUTE / "events.jsonl")
    stream = ("stream", "NIFTY", "RELIANCE", "--csv", "out.csv", "--events", "again.jsonl")
    ran = simulated(
        {**environ, "HOME": str(tmp_path)},
        *("--recording", recording, "--events", events, "--speed", "10"),
        *("--", TICKS, *stream, "--duration", "8s"),
    )
    assert ran.returncode == 0, ran.stderr
    told = [json.loads(line) for line in (tmp_path / "again.jsonl").read_text().splitlines()]
    lost = [(event["cause"], event.get("code")) for event in told if event["event"] == "lost"]
    assert lost == [("network", None), ("closed by server", 1011)]
    played = [row.packet for row in read_recording(recording)]
    again = [row.packet for row in read_recording(tmp_path / "out.csv")]
    assert len(again) < len(played)  # what went by while the connection was down
    rest = iter(played)
    assert all(packet in rest for packet in again)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--events", str(MINUTE / "events.jsonl")), 2, "--recording"),
        (
            ("--recording", str(MINUTE / "ltp.csv"), "--events", str(MINUTE / "ltp.csv")),
            6,
            "not an event of a stream",
        ),
    ],
)
def test_events_need_their_recording(
    environ: Any, tmp_path: Path, arguments: tuple[str, ...], code: int, word: str
) -> None:
    ran = simulated({**environ, "HOME": str(tmp_path)}, *arguments)
    assert (ran.returncode, word in ran.stderr) == (code, True), ran.stderr


@pytest.mark.parametrize("name", ["ltp.csv", "quote.jsonl", "snap.csv"])
def test_a_recorded_minute_is_recorded_again_byte_for_byte(
    environ: Any, tmp_path: Path, name: str
) -> None:
    mode = name.partition(".")[0]
    played = [row.packet for row in read_recording(MINUTE / name)]
    stream = ("stream", "NIFTY", "RELIANCE", "--mode", mode, "--csv", "out.csv")
    ran = simulated(
        {**environ, "HOME": str(tmp_path)},
        *("--recording", str(MINUTE / name), "--speed", "max"),
        *("--", TICKS, *stream, "--count", str(len(played))),
    )
    assert ran.returncode == 0, ran.stderr
    again = [row.packet for row in read_recording(tmp_path / "out.csv")]
    assert again == played
