"""`ticks help`: what `--help` shows, by another name."""

from __future__ import annotations

import pytest

from ticks.cli.app import run
from ticks.cli.exit_codes import run_guarded


@pytest.mark.parametrize(
    ("topic", "same"),
    [
        (["help"], ["--help"]),
        (["help", "stream"], ["stream", "--help"]),
        (["help", "help"], ["help", "--help"]),
    ],
)
def test_help_is_shown_on_stdout(
    topic: list[str], same: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_guarded(run, topic) == 0
    shown, err = capfd.readouterr()
    assert err == ""
    assert run_guarded(run, same) == 0
    assert capfd.readouterr().out == shown
