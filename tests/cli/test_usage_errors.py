"""A mistake on the command line: what was wrong in a line, and where to read more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ticks.cli.app import run
from ticks.cli.exit_codes import run_guarded


@pytest.fixture
def said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """The lines that a command line with a mistake brings up."""
    monkeypatch.setenv("TICKS_HOME", str(tmp_path))

    def said(*arguments: str) -> list[str]:
        assert run_guarded(run, arguments) == 2
        return capfd.readouterr().err.splitlines()

    return said


def test_a_value_from_a_variable_names_the_variable(
    said: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKS_COUNT", "many")
    first, second = said("stream", "X")
    assert first.startswith("ticks: TICKS_COUNT: 'many' is no whole number")
    assert "--count" not in first
    assert second == "  try: mend or unset it"


@pytest.mark.parametrize(
    ("arguments", "reason", "helped"),
    [
        (["completion", "tcsh"], "'tcsh' is no shell known here", "completion"),
        (["stream", "X", "--csv"], "option '--csv' requires an argument", "stream"),
        (["find"], "missing argument 'TEXT'", "find"),
        (["logout", "now"], "got unexpected extra argument(s) (now)", "logout"),
        (["--"], "missing command", ""),
    ],
)
def test_any_other_mistake_is_one_line_and_where_to_read_more(
    said: Callable[..., list[str]], arguments: list[str], reason: str, helped: str
) -> None:
    first, second = said(*arguments)
    assert first.startswith(f"ticks: {reason}")
    assert second.split() == ["try:", "ticks", *helped.split(), "--help"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["stream", "X", "--csv", "a", "--csv=b"], "--csv is given 2 times: 'a', 'b'"),
        (["find", "X", "--limit", "1", "--limit", "2"], "--limit is given 2 times: '1', '2'"),
    ],
)
def test_what_takes_one_value_is_given_once(
    said: Callable[..., list[str]], arguments: list[str], reason: str
) -> None:
    assert said(*arguments) == [f"ticks: {reason}", "  try: leave one of them"]
