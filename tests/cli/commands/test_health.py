"""Which exit code the findings come to. The command itself: tests/end_to_end/test_health.py."""

from __future__ import annotations

import pytest

from ticks.adapter import errors
from ticks.adapter.health import Check, CheckStatus, DiskError
from ticks.cli.commands.health import exit_code

OK = Check("REST", CheckStatus.OK, "answers for A1", 0.123)
SKIPPED = Check("first tick", CheckStatus.SKIPPED, "no tick, and the market is closed")


def failed(error: errors.TicksError) -> Check:
    return Check("x", CheckStatus.FAILED, error.message, error=error)


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
