"""How findings are told, and which exit code they come to."""

from __future__ import annotations

import pytest

from ticks.adapter import errors
from ticks.adapter.health import Check, DiskError
from ticks.cli.health import exit_code, told

OK = Check("REST", "ok", "answers for A1", 0.123)
SKIPPED = Check("first tick", "skipped", "no tick, and the market is closed")


def failed(error: errors.TicksError) -> Check:
    return Check("x", "failed", error.message, 0.0, error.remedy, error)


def test_a_finding_is_a_line_with_its_mark_and_time() -> None:
    assert told(OK) == "✓ REST                 0.12 s  answers for A1"
    assert told(SKIPPED).startswith("- first tick")


def test_what_failed_comes_with_advice() -> None:
    lines = told(failed(errors.NetworkError("nobody answers", remedy="check the cable")))
    assert "✗" in lines.splitlines()[0]
    assert lines.splitlines()[1].strip() == "try: check the cable"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.CredentialsMissingError("x"), 3),
        (errors.UnknownSymbolError("x"), 4),
        (errors.NetworkError("x"), 5),
        (DiskError("x"), 5),
        (errors.OutputError("x"), 5),
    ],
)
def test_the_first_failure_decides_the_exit_code(error: errors.TicksError, code: int) -> None:
    assert exit_code([OK, failed(error), failed(errors.TokenRefusedError("y"))]) == code


def test_nothing_failed_is_0() -> None:
    assert exit_code([OK, SKIPPED]) == 0
