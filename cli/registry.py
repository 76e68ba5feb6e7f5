"""The commands: what each is called and does, in a line; its code is imported when it is asked for.

`ticks --help` and `ticks --version` import none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, ParamSpec

import typer
from typer.core import TyperCommand, TyperOption

from .usage_errors import refuse_repeats, translate_usage_errors

if TYPE_CHECKING:
    from typer._click import Context, Parameter

P = ParamSpec("P")

SUMMARIES = {
    "login": "Log in to the broker and save the session, or show the saved one.",
    "logout": "End the session at the broker and delete it here.",
    "stream": "Stream ticks of SYMBOL... to stdout or files until told to stop.",
    "health": "Check login, network, instruments and feed, and say what to do about each fault.",
    "replay": "Play recordings to stdout or files, at the pace they were received or any other.",
    "find": "List the instruments that fit TEXT, the best first.",
    "simulate": "Run a SmartAPI on this machine: login, instruments and a live feed, no account.",
    "config": "Show every setting and where its value comes from, or write a config.toml.",
    "completion": "Print the completion script for a shell.",
}
"""The first line of each command's help."""

_MODULES = {"logout": "login"}
"""The module of a command that does not lie in one of its own name."""

CONTEXT = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command whose flags are listed without a type: there is nothing to give them.

    Its mistakes are told in our words, and what takes one value is given once.
    """

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        typed = list(args)
        with translate_usage_errors(ctx.command_path):
            rest = super().parse_args(ctx, args)
            refuse_repeats(self, ctx, typed)
        return rest

    def get_params(self, ctx: Context) -> list[Parameter]:
        params = super().get_params(ctx)
        for param in params:
            if isinstance(param, TyperOption) and param.is_flag:
                param.metavar = ""
        return params


def load(name: str) -> TyperCommand:
    """The command called so, its module imported."""
    module = import_module(f".commands.{_MODULES.get(name, name)}", __package__)
    alone = typer.Typer(add_completion=False)
    alone.command(name, cls=Command, context_settings=CONTEXT)(_ended(getattr(module, name)))
    command = typer.main.get_command(alone)
    assert isinstance(command, TyperCommand)  # noqa: S101  (its class is named above)
    command.help = _unwrapped(command.help or "")
    return command


def load_all() -> Iterator[TyperCommand]:
    """Every command, in the order of the help."""
    return map(load, SUMMARIES)


def options_of(command: TyperCommand) -> Iterator[TyperOption]:
    """The options that a user can give, `--help` apart."""
    for param in command.params:
        if isinstance(param, TyperOption) and not param.hidden:
            yield param


def long_name(option: TyperOption) -> str:
    """`silence-after` of `--silence-after`."""
    return next(name for name in option.opts if name.startswith("--"))[2:]


def examples_of(text: str) -> list[str]:
    """The command lines that a help text shows."""
    return [line.strip() for line in text.splitlines() if line.startswith("  ticks ")]


def _unwrapped(text: str) -> str:
    """A docstring's prose in lines as long as the terminal wants, its examples as they stand."""
    return "\n\n".join(
        paragraph if "\n  " in paragraph else " ".join(paragraph.split("\n"))
        for paragraph in text.split("\n\n")
    )


def _ended(function: Callable[P, int | None]) -> Callable[P, None]:
    """`function` as a command: its result is the exit code."""

    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        code = function(*args, **kwargs)
        if code:
            raise typer.Exit(code)

    return command
