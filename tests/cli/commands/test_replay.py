"""`ticks replay`: what is typed becomes times, inputs and outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.replay.replay import ReplayOptions, ReplayStart
from ticks.adapter.replay.row_filter import RowFilter
from ticks.adapter.tick import Mode
from ticks.cli.commands.replay import Outputs, bound, opened_targets, replay
from ticks.cli.terminal.console import Console


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("9:15", "09:15:00.000000"),
        ("09:15", "09:15:00.000000"),
        (" 15:30:01 ", "15:30:01.000000"),
        ("15:30:01.5", "15:30:01.500000"),
        ("2026-11-20T09:15", "2026-11-20T09:15:00.000000"),
        ("2026-11-20 09:15", "2026-11-20T09:15:00.000000"),
        ("2026-11-20", "2026-11-20T00:00:00.000000"),
        ("2026-11-20T03:45:00Z", "2026-11-20T09:15:00.000000"),
        ("2026-11-20T09:15:00.123456+05:30", "2026-11-20T09:15:00.123456"),
    ],
)
def test_a_time_is_read_as_an_indian_one(text: str, shown: str) -> None:
    assert bound(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "25:00",
        "9:60",
        "2026-13-01",
        ":",
        "15",
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:59Z",
    ],
)
def test_an_invalid_time_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid time"):
        bound(text)


def test_stdin_is_read_once() -> None:
    with pytest.raises(UsageError, match="twice"):
        replay(["-", "-"])
    with pytest.raises(UsageError, match="only once"):
        replay(["-"], loop=True)


@pytest.mark.parametrize(
    ("start", "end"),
    [("15:30:00.000000", "09:15:00.000000"), ("2026-11-20T09:15:00.000000",) * 2],
)
def test_a_start_lies_before_the_end(start: str, end: str) -> None:
    with pytest.raises(UsageError, match="is not before"):
        replay(["a.csv"], start=start, end=end)


def targets(outputs: Outputs, opening: ReplayStart, choice: RowFilter | None = None) -> list[str]:
    opened = opened_targets(
        outputs, opening, ReplayOptions(("a",)), choice or RowFilter(), Console(is_quiet=True)
    )
    for target in opened:
        target.close()
    return [target.output.name for target in opened]


def test_without_a_wish_the_rows_go_to_stdout_as_they_are(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    nothing = Outputs(None, None, None, None, overwrites=False, syncs=False)
    assert targets(nothing, ReplayStart(Mode.LTP, Mode.LTP, b"its own header\r\n")) == ["stdout"]
    assert capfdbinary.readouterr().out == b"its own header\r\n"
    assert targets(nothing, ReplayStart(None, Mode.LTP, None)) == ["stdout"]
    assert capfdbinary.readouterr().out == b""


def test_what_is_left_out_or_widened_is_no_copy(tmp_path: Path) -> None:
    opening = ReplayStart(Mode.LTP, Mode.LTP, b"its own header\n")
    path = tmp_path / "a.csv"
    for mode, choice in ((Mode.SNAP, RowFilter()), (None, RowFilter(start="09:15:00.000000"))):
        outputs = Outputs(str(path), None, mode, None, overwrites=True, syncs=False)
        targets(outputs, opening, choice)
        assert path.read_bytes().startswith(b"received_at,")
