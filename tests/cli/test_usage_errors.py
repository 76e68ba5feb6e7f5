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
        (
            ["replay", "x", "--demo"],
            "ticks replay has no option --demo; stream, health and find have it",
            "replay",
        ),
        (["simulate", "--demo"], "ticks simulate has no option --demo; stream, health", "simulate"),
        (["stop", "x"], "'x' is not a process number; `ticks status` lists them", "stop"),
        (["add", "X", "--pid", "0"], "--pid: '0' is not a process number", "add"),
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
        (
            ["simulate", "ticks", "stream", "--count", "1"],
            "ticks simulate ... -- ticks stream ... --count",
        ),
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
        (["stream", "X", "--dashboard", "-q"], "--quiet", "--dashboard"),
        (["replay", "x.csv", "--loop", "--follow"], "--loop", "--follow"),
        (["simulate", "--recording", __file__, "--rate", "9"], "--recording", "--rate"),
        (["simulate", "--seed", "7", "--recording", __file__], "--recording", "--seed"),
    ],
)
def test_two_options_of_one_line_that_contradict_each_other_are_refused(
    said: Callable[..., list[str]], arguments: list[str], first: str, second: str
) -> None:
    assert said(*arguments) == [
        f"ticks: {first} and {second} contradict each other",
        "  try: leave one of them out",
    ]


@pytest.mark.parametrize(
    ("arguments", "name", "needed"),
    [
        (["stream", "X", "--pre-open"], "--pre-open", "--candles 1m"),
        (["stream", "X", "--nats-max-age", "7d"], "--nats-max-age", "--nats URL"),
        (["stream", "X", "--drain-timeout", "3s"], "--drain-timeout", "--nats URL"),
        (["replay", "x.csv", "--events", "x.jsonl"], "--events", "--candles 1m"),
        (["replay", "x.csv", "--float-prices"], "--float-prices", "--parquet PATH"),
        (["simulate", "--speed", "10"], "--speed", "--recording FILE"),
        (["config", "--overwrite"], "--overwrite", "--init"),
    ],
)
def test_an_option_that_does_nothing_without_another_is_refused(
    said: Callable[..., list[str]], arguments: list[str], name: str, needed: str
) -> None:
    assert said(*arguments) == [
        f"ticks: {name} has no effect without {needed.partition(' ')[0]}",
        f"  try: add {needed}, or leave {name} out",
    ]


def test_a_variable_may_set_what_has_no_effect_yet(
    said: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKS_PRE_OPEN", "1")
    assert said("stream")[0] == "ticks: no symbol given"


@pytest.mark.parametrize(
    ("variables", "setting", "place"),
    [
        ({"TICKS_CSV": "x.txt", "TICKS_JSONL": "x.txt"}, "", "TICKS_CSV"),
        ({"TICKS_FROM": "gone.txt"}, "", "TICKS_FROM"),
        ({}, "[stream]\nfrom = ['gone.txt']", "config.toml"),
    ],
)
def test_a_path_that_was_not_typed_is_named_with_where_it_is_set(
    said: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: dict[str, str],
    setting: str,
    place: str,
) -> None:
    (tmp_path / "config.toml").write_text(setting, encoding="utf-8")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert said("stream", "X")[0].endswith(f".txt is set by {place})")


def test_no_command_that_needs_no_broker_is_to_be_run_against_a_simulated_one(
    said: Callable[..., list[str]],
) -> None:
    for command in ("help", "config", "replay"):
        assert said(command, "--fault", "x")[1] == f"  try: ticks {command} --help"
