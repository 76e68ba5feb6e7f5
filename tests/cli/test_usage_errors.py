"""A mistake on the command line: what was wrong in a line, and where to read more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ticks.cli.app import run
from ticks.cli.exit_codes import run_guarded
from ticks.cli.usage_errors import similar


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


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("TICKS_COUNT", "many", "'many' is not a whole number"),
        ("TICKS_QUIET", "maybe", "'maybe' is not a valid switch; write 1 or 0"),
        ("TICKS_CSV", "x.parquet", "'x.parquet' would hold CSV"),
    ],
)
def test_a_value_from_a_variable_names_the_variable(
    said: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    reason: str,
) -> None:
    monkeypatch.setenv(variable, value)
    first, second = said("stream", "X")
    assert first.startswith(f"ticks: {variable}: {reason}")
    assert "--" not in first.partition(" for ")[0]
    assert second == "  try: fix or unset it"


@pytest.mark.parametrize(
    ("arguments", "reason", "helped"),
    [
        (["completion", "tcsh"], "'tcsh' is not supported", "completion"),
        (["stream", "X", "--csv"], "option '--csv' requires an argument", "stream"),
        (["find"], "missing argument 'TEXT'", "find"),
        (["logout", "now"], "unexpected argument: now", "logout"),
        (["--"], "missing command", ""),
        (["help", "nothing"], "there is no command 'nothing'", ""),
        (["stream", "X", "--colour", "x"], "ticks stream has no option --colour; did", "stream"),
        (["stream", "X", "--zzz"], "ticks stream has no option --zzz", "stream"),
        (["stream", "X", "-csv", "a"], "ticks stream has no option -csv; did you", "stream"),
        (["stream", "X", "--limit", "3"], "ticks stream has no option --limit; find has", "stream"),
    ],
)
def test_any_other_mistake_is_one_line_and_where_to_read_more(
    said: Callable[..., list[str]], arguments: list[str], reason: str, helped: str
) -> None:
    first, second = said(*arguments)
    assert first.startswith(f"ticks: {reason}")
    assert second.split() == ["try:", "ticks", *helped.split(), "--help"]


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["stream", "X", "--fault", "x"], "ticks simulate --fault ... -- ticks stream"),
        (["-v"], "ticks stream ... -v"),
        (["--csv", "a.csv", "stream", "NIFTY"], "ticks stream ... --csv"),
        (["--limit", "3", "find", "NIFTY"], "ticks find ... --limit"),
    ],
)
def test_an_option_that_belongs_elsewhere_says_where(
    said: Callable[..., list[str]], arguments: list[str], remedy: str
) -> None:
    assert said(*arguments)[1] == f"  try: {remedy}"


@pytest.mark.parametrize("arguments", [["-v"], ["stream", "-v"], ["stream", "X", "-v", "--zzz"]])
def test_a_mistake_has_no_traceback_even_where_those_are_asked_for(
    said: Callable[..., list[str]], arguments: list[str]
) -> None:
    assert len(said(*arguments)) == 2


@pytest.mark.parametrize(
    ("arguments", "first", "second"),
    [
        (["stream", "X", "-q", "-v"], "--quiet", "--verbose"),
        (["stream", "X", "-vq"], "--quiet", "--verbose"),
        (
            ["stream", "X", "--max-attempts", "3", "--keep-trying"],
            "--keep-trying",
            "--max-attempts",
        ),
        (["find", "X", "--csv", "--json"], "--csv", "--json"),
        (["config", "--init", "--json"], "--init", "--json"),
    ],
)
def test_two_options_of_one_line_that_contradict_each_other_are_refused(
    said: Callable[..., list[str]], arguments: list[str], first: str, second: str
) -> None:
    assert said(*arguments) == [
        f"ticks: {first} and {second} contradict each other",
        "  try: leave one of them out",
    ]


def test_what_is_not_alike_is_not_guessed() -> None:
    known = ["--from", "--mode", "--dashboard"]
    assert similar("--mod", known) == "--mode"
    assert similar("--fault", known) is None
    assert similar("TICKS_SILENT_AFTER", ["TICKS_SILENCE_AFTER"]) == "TICKS_SILENCE_AFTER"
