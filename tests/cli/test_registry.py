"""The table of commands and what it says of them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
import typer

from ticks.adapter.clock import IST
from ticks.cli.registry import (
    SUMMARIES,
    examples_of,
    load,
    load_all,
    long_name,
    options_of,
)

TOMORROW_15_30 = f"{datetime.now(IST) + timedelta(days=1):%Y-%m-%d}T15:30"
"""What `15:30` stands for where the test may run later than that."""
GENERAL = ["-h", "--help"]


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_command_is_listed_with_the_first_line_of_its_own_help(name: str) -> None:
    command = load(name)
    assert command.name == name
    assert (command.help or "").split("\n\n")[0] == SUMMARIES[name]


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_example_in_a_help_can_be_parsed(name: str) -> None:
    examples = examples_of(load(name).help or "")
    assert examples, "a command's help shows how it is used"
    for line in examples:
        program, called, *arguments = shlex.split(line.partition(" > ")[0])
        assert (program, called) == ("ticks", name)
        parser_takes(name, arguments)


@pytest.mark.parametrize("name", SUMMARIES)
def test_an_example_is_one_line_of_80_columns_to_copy(name: str) -> None:
    assert all(len(line) <= 76 for line in examples_of(load(name).help or ""))


def parser_takes(name: str, arguments: list[str]) -> None:
    """Fails with the reason when the command's parser refuses the arguments."""
    earlier = {"15:30": TOMORROW_15_30}
    context = load(name).make_context(name, [earlier.get(each, each) for each in arguments])
    assert context.args == []


def test_prose_flows_and_examples_keep_their_lines() -> None:
    text = load("simulate").help or ""
    prose = text.split("\n\n")[1]
    assert "\n" not in prose
    assert "\n  ticks simulate\n" in text


def test_options_are_known_by_their_long_names() -> None:
    assert [long_name(option) for option in options_of(load("find"))] == [
        "exchange",
        "limit",
        "demo",
        "csv",
        "json",
    ]
    assert long_name(next(o for o in options_of(load("stream")) if "-q" in o.opts)) == "quiet"


def test_every_option_has_a_help_and_every_value_a_name() -> None:
    for command in load_all():
        for option in options_of(command):
            assert option.help, (command.name, option.name)
            assert option.is_flag or option.metavar, (command.name, option.name)


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("stream", "[OPTIONS] [SYMBOL...]"),
        ("replay", "[OPTIONS] FILE..."),
        ("stop", "[OPTIONS] [PID]"),
        ("simulate", "[OPTIONS] [-- COMMAND...]"),
    ],
)
def test_a_usage_line_writes_arguments_as_unix_does(name: str, usage: str) -> None:
    command = load(name)
    with typer.Context(command, info_name=name) as context:
        assert " ".join(command.collect_usage_pieces(context)) == usage


def test_a_variable_is_named_after_its_option() -> None:
    for command in load_all():
        for option in options_of(command):
            if option.envvar:
                name = long_name(option).upper().replace("-", "_")
                assert option.envvar == f"TICKS_{name}", command.name


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_neither_help_nor_version_imports_a_command(arguments: list[str]) -> None:
    program = (
        "import sys; from ticks.cli.app import run; from ticks.cli.exit_codes import run_guarded\n"
        "run_guarded(run, sys.argv[1:])\n"
        "print([name for name in sys.modules if name.startswith('ticks.')], file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    assert "'ticks.cli.registry'" in ran.stderr
    for heavy in ("commands.stream", "commands.find", "commands.login", "options.config_file"):
        assert f"'ticks.cli.{heavy}'" not in ran.stderr
    assert "ticks.adapter.instruments" not in ran.stderr
