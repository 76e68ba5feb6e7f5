"""The commands: name and summary of each; its code is imported only when it is needed.

`ticks --help` and `ticks --version` import none of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, ParamSpec

import typer
from typer.core import TyperArgument, TyperCommand, TyperOption

from ..adapter.errors import OutputError, UsageError
from ..adapter.similarity import similar
from .printable import printable
from .usage_errors import (
    settle_contradictions,
    translate_usage_errors,
    with_origin,
)

if TYPE_CHECKING:
    from typer._click import Context, Parameter

P = ParamSpec("P")

SUMMARIES = {
    "login": "Log in to the broker and save the session, or show the saved one.",
    "logout": "End the session at the broker and delete it here.",
    "stream": "Stream ticks of SYMBOL... to stdout or files until stopped.",
    "health": "Check login, network, instruments and feed, and say how to fix each fault.",
    "status": "List the streams that run on this machine.",
    "stop": "End a running stream; everything received is written first.",
    "add": "Subscribe SYMBOL... on a running stream.",
    "drop": "End the subscription of SYMBOL... on a running stream.",
    "replay": "Play recordings to stdout or files, at their own pace or any other.",
    "inspect": "Check whether recordings can be trusted: gaps, duplicates, damage, delay.",
    "find": "List the instruments that match TEXT, best match first.",
    "simulate": "Run a SmartAPI on this machine: login, instruments and a live feed, no account.",
    "config": "Show every setting and where its value comes from, or write a config.toml.",
    "completion": "Print the completion script for a shell.",
    "help": "Show the help of ticks, or of a command.",
}
"""The first line of each command's help."""

ENVIRONMENT = (
    *("TICKS_API_KEY", "TICKS_CLIENT_CODE", "TICKS_PIN", "TICKS_TOTP_SECRET", "TICKS_HOME"),
    *("TICKS_REST_URL", "TICKS_FEED_URL", "TICKS_INSTRUMENTS_URL"),
)
"""The variables that are not options."""

_PREFIX = "TICKS_"
_MODULES = {"logout": "login", "stop": "status", "add": "status", "drop": "status"}
"""The module of a command that is not in one of its own name."""

CONTEXT = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command with our own usage errors, and without Python's type names in its help."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        typed = list(args)
        with translate_usage_errors(ctx.command_path, typed, owners_of):
            rest = super().parse_args(ctx, args)
        settle_contradictions(ctx)
        return rest

    def invoke(self, ctx: Context) -> Any:
        # What a command runs for us (simulate -- ticks ...) reports it itself.
        if not (ctx.params.get("quiet") or ctx.params.get("command")):
            warn_of_unknown_variables(os.environ, self)
        try:
            return super().invoke(ctx)
        except (UsageError, OutputError) as error:
            raise with_origin(error, ctx) from error.__cause__

    def get_params(self, ctx: Context) -> list[Parameter]:
        return without_types(super().get_params(ctx))


def without_types(params: list[Parameter]) -> list[Parameter]:
    """`params` without the type names that Typer prints in a help; metavars replace them."""
    for param in params:
        if isinstance(param, TyperOption) and param.is_flag:
            param.metavar = ""
        elif isinstance(param, TyperArgument):
            _make_plain(param)
    return params


def _make_plain(argument: TyperArgument) -> None:
    """Neither a type nor braces around what must be given."""
    argument.display_type_rich = lambda ctx: None  # type: ignore[method-assign]
    argument.get_usage_pieces = lambda ctx: [usage_of(argument)]  # type: ignore[method-assign]


def usage_of(argument: TyperArgument) -> str:
    """An argument as a usage line has it: `FILE...`, `[PID]`."""
    name = f"{argument.metavar or argument.name}{'' if argument.nargs == 1 else '...'}"
    return name if argument.required else f"[{name}]"


def load(name: str) -> TyperCommand:
    """The command of this name, its module imported."""
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


def owners_of(option: str) -> list[str]:
    """The commands that have an option, such as `--fault` or `-v`."""
    return [
        str(command.name)
        for command in load_all()
        if any(option in (*one.opts, *one.secondary_opts) for one in options_of(command))
    ]


def warn_of_unknown_variables(environ: Mapping[str, str], command: TyperCommand) -> None:
    """Print a line on stderr for each `TICKS_...` variable that nothing reads."""
    known = {*ENVIRONMENT, *_variables_of(command)}
    given = [name for name in sorted(environ) if name.startswith(_PREFIX) and environ[name]]
    if set(given) <= known:
        return  # the usual case, which need not load the other commands
    flags: set[str] = set()
    for other in load_all():
        known.update(_variables_of(other))
        flags.update(long_name(option) for option in options_of(other))
    for name in given:
        if name not in known:
            words = f"ticks: {name} is not a variable of ticks and has no effect"
            print(printable(words + _hint(name, known, flags)), file=sys.stderr)


def _hint(name: str, known: Collection[str], flags: Collection[str]) -> str:
    """What may have been meant by a variable that nothing reads."""
    flag = name.removeprefix(_PREFIX).lower().replace("_", "-")
    if flag in flags:
        return f"; --{flag} works on the command line only"
    # The prefix, which all share, would make any two of them similar.
    meant = similar(flag, [each.removeprefix(_PREFIX).replace("_", "-") for each in known])
    return f"; did you mean {_PREFIX}{meant.replace('-', '_')}?" if meant else ""


def _variables_of(command: TyperCommand) -> set[str]:
    return {str(option.envvar) for option in options_of(command) if option.envvar}


def options_of(command: TyperCommand) -> Iterator[TyperOption]:
    """The options that a user can give, `--help` apart."""
    for param in command.params:
        if isinstance(param, TyperOption) and not param.hidden:
            yield param


def long_name(option: TyperOption) -> str:
    """`silence-after` of `--silence-after`."""
    return next(name for name in option.opts if name.startswith("--"))[2:]


def examples_of(text: str) -> list[str]:
    """The command lines in a help text."""
    return [line.strip() for line in text.splitlines() if line.startswith("  ticks ")]


def _unwrapped(text: str) -> str:
    """A docstring with its prose unwrapped, to fit any terminal, and its examples unchanged."""
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
