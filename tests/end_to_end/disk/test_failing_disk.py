"""Every file that is written, on a disk that fails: the right words, and whole rows before."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from recorded import is_in_order, sent_by

from ticks.adapter.files.recording import read_recording
from ticks.adapter.simulator.simulator import Simulator

from .conftest import Failing, words_of

STREAM = ("stream", "RELIANCE", "NIFTY")
ERRORS = ("ENOSPC", "EIO")


def rows_of(path: Path, simulator: Simulator) -> int:
    """Rows of a recording: each whole, each was sent, in order."""
    damage: list[str] = []
    packets = [
        row.packet for row in read_recording(path, on_damage=lambda *told: damage.append(told[2]))
    ]
    sent = sent_by(simulator)
    assert damage == [] or (path.suffix == ".gz" and "no end" in damage[0])
    assert is_in_order(packets, sent)
    return len(packets)


def is_named(ran: subprocess.CompletedProcess[str], name: str, error: str) -> bool:
    return f"ticks: {name}: " in ran.stderr and words_of(error) in ran.stderr


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", ["o.csv", "o.jsonl", "o.csv.gz"])
def test_an_output_that_fails_ends_the_stream_with_whole_rows(
    failing: Failing, ticks: Any, simulator: Simulator, tmp_path: Path, name: str, error: str
) -> None:
    option = "--jsonl" if "jsonl" in name else "--csv"
    ran = failing(*STREAM, option, name, call="write", path=name, error=error, after=5_001)
    assert ran.returncode == 6
    assert is_named(ran, name, error)
    rows = rows_of(tmp_path / name, simulator)
    assert f"{name} {rows} row" in ran.stderr
    again = ticks(*STREAM, option, name, "--count", "5")  # the disk is well again
    assert again.returncode == 0
    assert rows_of(tmp_path / name, simulator) >= 5 + (rows if not name.endswith(".gz") else 0)


@pytest.mark.parametrize("error", ERRORS)
def test_the_other_output_goes_on_to_its_last_row(
    failing: Failing, simulator: Simulator, tmp_path: Path, error: str
) -> None:
    outputs = ("--csv", "a.csv", "--jsonl", "b.jsonl")
    ran = failing(*STREAM, *outputs, call="write", path="a.csv", error=error, after=9_001)
    assert ran.returncode == 6
    assert is_named(ran, "a.csv", error)
    assert rows_of(tmp_path / "b.jsonl", simulator) >= rows_of(tmp_path / "a.csv", simulator)


@pytest.mark.parametrize("error", ERRORS)
def test_an_output_that_cannot_be_begun_ends_the_command_before_a_connect(
    failing: Failing, simulator: Simulator, error: str
) -> None:
    ran = failing(*STREAM, "--csv", "o.csv", call="write", path="o.csv", error=error)
    assert ran.returncode == 6
    assert is_named(ran, "o.csv", error)
    assert simulator.journal.connections == []


@pytest.mark.parametrize("call", ["fsync", "close"])
def test_a_sync_or_close_that_fails_is_a_failed_output(failing: Failing, call: str) -> None:
    ran = failing(
        *(*STREAM, "--csv", "o.csv", "--fsync", "--count", "20"),
        call=call,
        path="o.csv",
        error="EIO",
    )
    assert ran.returncode == 6
    assert is_named(ran, "o.csv", "EIO")


@pytest.mark.parametrize("error", ["EROFS", "EACCES", "EMFILE"])
def test_a_file_that_cannot_be_opened_is_named(failing: Failing, error: str) -> None:
    ran = failing(*STREAM, "--csv", "o.csv", call="open", path="o.csv", error=error)
    assert ran.returncode == 6
    assert is_named(ran, "o.csv", error)


@pytest.mark.parametrize("error", ERRORS)
def test_events_that_fail_are_reported_at_once_and_the_ticks_go_on(
    failing: Failing, simulator: Simulator, tmp_path: Path, error: str
) -> None:
    arguments = (*STREAM, "--csv", "o.csv", "--events", "e.jsonl", "--duration", "2s")
    ran = failing(*arguments, call="write", path="e.jsonl", error=error, after=150)
    assert ran.returncode == 6
    assert is_named(ran, "e.jsonl", error)
    assert "the events can no longer be written: e.jsonl" in ran.stderr
    assert rows_of(tmp_path / "o.csv", simulator) > 100
    lines = (tmp_path / "e.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines][:1] in ([], ["market"], ["connected"])


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("call", ["open", "write", "rename"])
def test_a_status_that_cannot_be_shown_is_reported_once_and_delays_nothing(
    failing: Failing, simulator: Simulator, tmp_path: Path, call: str, error: str
) -> None:
    arguments = (*STREAM, "--csv", "o.csv", "--duration", "3s")
    ran = failing(*arguments, call=call, path="/run/", error=error)
    assert ran.returncode == 0
    assert ran.stderr.count("other programs cannot see this stream") == 1
    assert rows_of(tmp_path / "o.csv", simulator) > 100


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_session_that_cannot_be_kept_is_reported_with_its_remedy(
    failing: Failing, environ: dict[str, str], call: str, error: str
) -> None:
    ran = failing("login", call=call, path="session", error=error)
    assert ran.returncode == 6
    assert "the session cannot be saved" in ran.stderr
    assert words_of(error) in ran.stderr
    assert "try: " in ran.stderr
    left = [each.name for each in Path(environ["TICKS_HOME"]).iterdir()]
    assert set(left) <= {"session.lock"}, "no draft with tokens stays"


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("call", ["write", "rename"])
def test_an_index_that_cannot_be_written_is_kept_in_memory_and_leaves_nothing(
    failing: Failing, ticks: Any, environ: dict[str, str], call: str, error: str
) -> None:
    ran = failing("find", "RELIANCE", call=call, path="instruments.sqlite", error=error)
    assert ran.returncode == 0
    assert "RELIANCE-EQ" in ran.stdout
    assert ran.stderr.count("instruments.sqlite cannot be written: ") == 1
    # what fails in a write is told by the database, in its words
    assert words_of(error) in ran.stderr or re.search("disk I/O error|is full", ran.stderr)
    assert "it is kept in memory for this run" in ran.stderr
    left = [each.name for each in Path(environ["TICKS_HOME"]).iterdir()]
    assert not [name for name in left if name.startswith("instruments")]
    again = ticks("find", "RELIANCE")  # the disk is well again
    assert again.returncode == 0
    assert "cannot be written" not in again.stderr
    assert (Path(environ["TICKS_HOME"]) / "instruments.sqlite").exists()


@pytest.mark.parametrize("error", ERRORS)
def test_a_replay_that_cannot_write_says_so(failing: Failing, ticks: Any, error: str) -> None:
    assert ticks(*STREAM, "--csv", "o.csv", "--count", "100").returncode == 0
    ran = failing(
        *("replay", "o.csv", "--speed", "max", "--csv", "copy.csv"),
        call="write",
        path="copy.csv",
        error=error,
        after=4_000,
    )
    assert ran.returncode == 6
    assert is_named(ran, "copy.csv", error)


def test_standard_output_on_a_full_disk_is_named(failing: Failing) -> None:
    for arguments in (("help",), ("find", "RELIANCE"), (*STREAM, "--count", "3")):
        ran = failing(*arguments, call="write", path="pipe:", error="ENOSPC")
        assert ran.returncode == 6
