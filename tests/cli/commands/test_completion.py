"""The completion scripts, made from the commands. Their use at a keyboard: tests/end_to_end."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from ticks.adapter.errors import UsageError
from ticks.cli.app import app
from ticks.cli.commands.completion import SCRIPTS, arguments_take, names, summary, takes
from ticks.cli.registry import SUMMARIES, load_all, options_of

COMMANDS = {str(command.name): command for command in load_all()}


def option_takes(command: str, name: str) -> str:
    return next(takes(each) for each in options_of(COMMANDS[command]) if name in each.opts)


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_script_knows_every_command_and_every_long_option(shell: str) -> None:
    script = SCRIPTS[shell]()
    for name, command in COMMANDS.items():
        assert name in script
        for option in options_of(command):
            for spelled in names(option):
                assert (spelled.lstrip("-") if shell == "fish" else spelled) in script


def test_a_metavar_says_what_a_value_is() -> None:
    assert option_takes("stream", "--mode") == "ltp quote snap"
    assert option_takes("stream", "--on-full") == "drop stop"
    assert option_takes("stream", "--csv") == "@file"
    assert option_takes("stream", "--from") == "@file"
    assert option_takes("stream", "--count") == "@other"
    assert option_takes("stream", "--keep-trying") == ""
    assert option_takes("find", "--exchange") == "NSE NFO BSE BFO MCX NCO CDS"
    assert option_takes("simulate", "--speed") == "max"


def test_the_words_of_a_command_are_symbols_files_or_commands() -> None:
    taken = {name: arguments_take(command) for name, command in COMMANDS.items()}
    assert taken["stream"] == taken["health"] == "@symbol"
    assert taken["simulate"] == "@command"
    assert taken["login"] == ""
    assert taken["completion"] == "bash zsh fish"
    assert taken["help"].split() == list(SUMMARIES)


def test_an_option_is_explained_by_its_first_sentence() -> None:
    csv = next(each for each in options_of(COMMANDS["stream"]) if "--csv" in each.opts)
    assert summary(csv) == "Write CSV to PATH; - is stdout"


def test_an_unknown_shell_names_the_known_ones() -> None:
    result = CliRunner().invoke(app, ["completion", "tcsh"])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == "'tcsh' is not supported; there are bash, zsh, fish"
