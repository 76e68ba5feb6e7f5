"""`ticks inspect` in process: what is printed where, and the exit code."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from ticks.adapter.errors import RecordingError, UsageError
from ticks.cli.commands.inspect import inspect
from ticks.cli.exit_codes import ExitCode
from ticks.cli.options.options import Seconds

MINUTE = Path(__file__).parents[2] / "data" / "demo-minute"
RECORDING, EVENTS = str(MINUTE / "quote.csv"), str(MINUTE / "events.jsonl")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKS_HOME", str(tmp_path))


def test_a_report_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert inspect([RECORDING], [EVENTS]) == ExitCode.OK
    printed = capsys.readouterr()
    assert printed.out.startswith("✓ no gap longer than 30 s\n")
    assert "closed by server" in printed.out
    assert "\x1b" not in printed.out
    assert printed.err == ""


def test_a_gap_that_is_too_long_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert inspect([RECORDING], [EVENTS], Seconds("1s")) == ExitCode.UNEXPECTED
    assert "✗ 2 gaps longer than 1 s: 2 blind" in capsys.readouterr().out
    assert inspect([RECORDING], [EVENTS], Seconds("1.9s")) == ExitCode.OK


def test_json_has_the_promised_keys(capsys: pytest.CaptureFixture[str]) -> None:
    inspect([RECORDING], [EVENTS], as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert {"rows", "duplicates", "backwards", "damaged", "gaps"} <= told.keys()
    assert told["backwards"].keys() == {"received", "exchange", "volume"}
    assert [gap.keys() for gap in told["gaps"]] == [{"from", "to", "seconds", "kind", "cause"}] * 2


def test_colour_is_there_when_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    inspect([RECORDING], color="always")
    assert "\x1b[32m✓" in capsys.readouterr().out


def test_a_stdout_without_blocks_gets_plain_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    inspect([RECORDING])
    sys.stdout.flush()
    assert raw.getvalue().startswith(b"+ no gap longer than 30 s\n")


def test_damaged_lines_of_events_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.jsonl"
    first, rest = Path(EVENTS).read_text(encoding="utf-8").split("\n", 1)
    events.write_text(f"{first}\ndamaged\n{rest}", encoding="utf-8")
    inspect([RECORDING], [str(events)])
    assert capsys.readouterr().err == f"{events}, line 2: not an event of a stream\n"


def test_stdin_is_read_once() -> None:
    with pytest.raises(UsageError, match="twice"):
        inspect(["-", "-"])
    with pytest.raises(UsageError, match="twice"):
        inspect(["-"], events=["-"])


def test_what_is_not_a_recording_is_an_error() -> None:
    with pytest.raises(RecordingError):
        inspect([EVENTS])
    with pytest.raises(RecordingError):
        inspect([RECORDING], [RECORDING])
