"""The program as a whole: help, version, mistakes, and where an option's value comes from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.tick import Mode
from ticks.cli import registry
from ticks.cli.app import DISTRIBUTION, run
from ticks.cli.commands import stream
from ticks.cli.commands.stream import StreamSettings
from ticks.cli.exit_codes import run_guarded

Said = Callable[..., tuple[int, str]]
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
PROJECT = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TICKS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    return tmp_path


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Said:
    """The exit code, and all that was said in one line of single spaces."""

    def says(*arguments: str) -> tuple[int, str]:
        code = run_guarded(run, arguments)
        captured = capfd.readouterr()
        return code, " ".join((captured.out + captured.err).split())

    return says


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., StreamSettings]:
    """What `ticks stream NIFTY ...` would do, without doing it."""
    seen: list[StreamSettings] = []
    monkeypatch.setattr(stream, "run_stream", lambda settings, *_rest: seen.append(settings))

    def settings_of(*arguments: str) -> StreamSettings:
        assert run_guarded(run, ["stream", "NIFTY", *arguments]) == 0
        return seen.pop()

    return settings_of


def test_the_help_lists_every_command_and_shows_examples(said: Said) -> None:
    code, words = said("--help")
    assert code == 0
    for name, summary in registry.SUMMARIES.items():
        assert f"{name} {summary[:30]}" in words
    assert "ticks stream NIFTY --demo" in words


def test_without_a_command_the_help_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_guarded(run, []) == 0
    shown, err = capfd.readouterr()
    assert err == ""
    assert run_guarded(run, ["--help"]) == 0
    assert capfd.readouterr().out == shown


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_is_one_line(said: Said, flag: str) -> None:
    code, words = said(flag)
    assert code == 0
    assert words == f"ticks {PROJECT['version']}"
    assert PROJECT["name"] == DISTRIBUTION


def test_a_typo_in_a_command_names_the_nearest(said: Said) -> None:
    code, words = said("strem")
    assert code == 2
    assert words == ("ticks: there is no command 'strem'; did you mean 'stream'? try: ticks --help")


def test_a_word_that_is_like_no_command_is_not_guessed(said: Said) -> None:
    assert said("frobnicate") == (2, "ticks: there is no command 'frobnicate' try: ticks --help")
    assert said("NIFTY") == (2, "ticks: there is no command 'NIFTY' try: ticks stream NIFTY")


def test_a_typo_in_an_option_names_the_nearest(said: Said) -> None:
    code, words = said("stream", "NIFTY", "--silence-afer", "30s")
    assert code == 2
    assert words == (
        "ticks: ticks stream has no option --silence-afer; did you mean --silence-after?"
        " try: ticks stream --help"
    )


@pytest.mark.parametrize("name", registry.SUMMARIES)
def test_no_help_names_a_type_of_python(name: str, said: Said) -> None:
    for arguments in ([name, "--help"], ["--help"]):
        code, words = said(*arguments)
        assert code == 0
        assert not re.search(r"<(str|int|bool|float|list)|list\[", words)


def test_the_help_of_stream_has_its_panels_defaults_and_variables(said: Said) -> None:
    code, words = said("stream", "--help")
    assert code == 0
    for panel in ("What", "Where to", "Connection", "Display"):
        assert f"─ {panel} ─" in words
    assert "[env var: TICKS_SILENCE_AFTER] [default: 30s]" in words
    assert "[env var: TICKS_MODE] [default: (quote)]" in words
    assert "[default: 100000]" in words


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["stream", "X", "--count", "many"], "'many' is not a whole number"),
        (["stream", "X", "--count", "0"], "'0' is not between 1 and"),
        (["stream", "X", "--buffer", "1.5"], "'1.5' is not a whole number"),
        (["stream", "X", "--max-attempts", "-1"], "'-1' is not between 0 and"),
        (["stream", "X", "--duration", "90"], "'90' has no unit; write 90s"),
        (["stream", "X", "--until", "noon"], "'noon' is not a valid time (examples: 15:40"),
        (["stream", "X", "--shard", "3/2"], "'3/2' is not a valid shard; write I/N"),
        (["stream", "X", "--mode", "full"], "'full' is not a valid mode; use ltp, quote or snap"),
        (["stream", "X", "--on-full", "wait"], "'wait' is not valid; use drop or stop"),
        (["find", "X", "--limit", "x"], "'x' is not a whole number"),
        (["simulate", "--port", "70000"], "'70000' is not between 0 and 65,535"),
        (["simulate", "--rate", "nan"], "'nan' is not a valid rate"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_with_its_reason(
    said: Said, arguments: list[str], reason: str
) -> None:
    code, words = said(*arguments)
    assert code == 2
    assert words.startswith(f"ticks: {arguments[-2]}: {reason}")
    assert words.endswith(f" try: ticks {arguments[0]} --help")
    assert "TICKS_" not in words


def test_lists_flags_and_words_after_two_dashes_may_repeat(
    settings_of: Callable[..., StreamSettings],
) -> None:
    settings = settings_of("-q", "-q", "--from", "a", "--from", "b", "--csv", "c", "--", "--csv")
    assert settings.names.watch_lists == ("a", "b")
    assert settings.names.symbols == ("NIFTY", "--csv")


def test_the_last_of_an_option_given_twice_wins(
    settings_of: Callable[..., StreamSettings],
) -> None:
    settings = settings_of("--csv", "a", "--mode", "ltp", "--csv=b", "--mode", "snap")
    assert (settings.outputs.csv, settings.mode) == ("b", Mode.SNAP)


def test_a_flag_silently_beats_what_contradicts_it_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch, settings_of: Callable[..., StreamSettings]
) -> None:
    (home / "config.toml").write_text("[stream]\nkeep-trying = true\n")
    assert settings_of().policy.max_attempts is None
    assert settings_of("--max-attempts", "5").policy.max_attempts == 5
    monkeypatch.setenv("TICKS_MAX_ATTEMPTS", "4")
    assert settings_of().policy.max_attempts == 4
    assert settings_of("--keep-trying").policy.max_attempts is None


def test_a_variable_that_nothing_reads_is_named_once(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKS_SILENT_AFTER", "5s")
    monkeypatch.setenv("TICKS_CSV", "another-commands.csv")
    monkeypatch.setenv("TICKS_EMPTY", "")
    _, words = said("logout")
    assert words.startswith(
        "ticks: TICKS_SILENT_AFTER is not a variable of ticks and has no effect;"
        " did you mean TICKS_SILENCE_AFTER? "
    )
    assert words.count("TICKS_") == 2


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("TICKS_DEMO", "; --demo works on the command line only"),
        ("TICKS_SPEED", "; --speed works on the command line only"),
        ("TICKS_FOO", ""),
        ("TICKS_SYMBOL", "; --symbol works on the command line only"),
    ],
)
def test_a_variable_that_nothing_reads_is_compared_by_its_own_name(
    said: Said, monkeypatch: pytest.MonkeyPatch, variable: str, hint: str
) -> None:
    monkeypatch.setenv(variable, "1")
    _, words = said("logout")
    unread = f"ticks: {variable} is not a variable of ticks and has no effect"
    assert words.startswith(f"{unread}{hint} ")


def test_quiet_leaves_the_warning_out(
    monkeypatch: pytest.MonkeyPatch,
    settings_of: Callable[..., StreamSettings],
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TICKS_NONSENSE", "1")
    settings_of("-q")
    assert capfd.readouterr().err == ""


def test_a_flag_beats_a_variable_and_a_variable_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch, settings_of: Callable[..., StreamSettings]
) -> None:
    assert settings_of().policy.silence_after_s == 30
    (home / "config.toml").write_text('[stream]\nsilence-after = "40s"\n')
    assert settings_of().policy.silence_after_s == 40
    monkeypatch.setenv("TICKS_SILENCE_AFTER", "50s")
    assert settings_of().policy.silence_after_s == 50
    assert settings_of("--silence-after", "60s").policy.silence_after_s == 60


def test_numbers_flags_and_lists_come_from_the_file_too(
    home: Path, settings_of: Callable[..., StreamSettings]
) -> None:
    (home / "config.toml").write_text(
        '[stream]\nfrom = ["a b.txt", "-"]\nkeep-trying = true\nbuffer = 500\nmode = "snap"\n'
    )
    settings = settings_of()
    assert settings.names.watch_lists == ("a b.txt", "-")
    assert settings.policy.max_attempts is None
    assert settings.buffer_limit == 500
    assert settings.mode is Mode.SNAP


def test_the_users_holidays_and_sessions_reach_the_stream(
    home: Path, settings_of: Callable[..., StreamSettings]
) -> None:
    (home / "config.toml").write_text(
        '[market]\nholidays = [2026-11-10]\nsessions = ["2026-11-08 18:00-19:00"]\n'
    )
    calendar = settings_of().calendar
    assert calendar.extra_holidays == {date(2026, 11, 10)}
    assert [session.day for session in calendar.special_sessions] == [date(2026, 11, 8)]


def test_a_broken_file_stops_a_command_but_neither_help_nor_version_nor_completion(
    home: Path, said: Said
) -> None:
    (home / "config.toml").write_text("[stream\n")
    with pytest.raises(UsageError, match=r"config\.toml, line 1: this is not valid TOML"):
        run(["find", "NIFTY"])
    for arguments in (["--help"], ["--version"], ["find", "--help"], ["completion", "bash"]):
        assert said(*arguments)[0] == 0
    assert said("config", "--init", "--overwrite")[0] == 0
    assert (home / "config.toml").read_text().startswith("# ")


def test_what_stands_for_one_command_does_not_stop_another(home: Path, said: Said) -> None:
    (home / "config.toml").write_text('[stream]\nmode = "none"\n')
    assert said("logout")[0] == 0
    with pytest.raises(UsageError, match=r"line 2: stream\.mode"):
        run(["stream", "NIFTY"])
