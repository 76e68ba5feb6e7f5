"""The errors of Typer's parser, worded like all our other errors.

ticks: --duration: 'ten' is not a valid duration (examples: 90s, 5m, 1h30m)
  try: ticks stream --help
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from typer.core import TyperOption

from ..adapter.errors import TicksError, UsageError
from ..adapter.similarity import similar
from .printable import printable

if TYPE_CHECKING:
    from typer._click import Context
    from typer._click.exceptions import UsageError as ParserFault
else:
    ParserFault = typer.BadParameter.__bases__[0]  # Typer may move it to another module

CONTRADICTIONS = (
    ("--quiet", "--verbose"),
    ("--quiet", "--dashboard"),
    ("--keep-trying", "--max-attempts"),
    ("--csv", "--json"),
    ("--init", "--json"),
    ("--loop", "--follow"),
    ("--recording", "--rate"),
    ("--recording", "--seed"),
)
"""Options of one command that exclude each other. Of two that are both variables, or both keys, the
first wins."""

NEEDS = {
    "stream": {
        "--pre-open": "--candles",
        "--nats-max-age": "--nats",
        "--nats-max-bytes": "--nats",
        "--drain-timeout": "--nats",
    },
    "replay": {
        "--pre-open": "--candles",
        "--always-open": "--candles",
        "--events": "--candles",
        "--float-prices": "--parquet",
    },
    "simulate": {"--events": "--recording", "--speed": "--recording"},
    "config": {"--overwrite": "--init"},
}
"""By command: an option that does nothing, when typed, without another one, and that one."""

_RANKS = {"COMMANDLINE": 3, "ENVIRONMENT": 2, "DEFAULT_MAP": 1}
"""Where a value comes from: a flag beats a variable, a variable config.toml."""

_BROKERS_GUESTS = ("login", "logout", "stream", "health", "find")
"""The commands that a simulated broker can be run for."""

Owners = Callable[[str], list[str]]
"""The commands that have an option."""


@contextmanager
def translate_usage_errors(
    command_path: str, typed: Sequence[str], owners: Owners
) -> Iterator[None]:
    """Raises UsageError for an error of the parser; `command_path`: whose help to read."""
    remedy = f"{command_path} --help"
    try:
        yield
    except ParserFault as fault:
        if hasattr(fault, "possibilities"):
            raise _unknown_option(fault, command_path, typed, owners) from fault
        raise _usage_error(fault, remedy) from fault


def settle_contradictions(ctx: Context) -> None:
    """Refuse what was typed and excludes something else typed, or needs what is not there.

    Of two that exclude each other and come from elsewhere, the stronger source wins.
    Raises UsageError.
    """
    options = {
        name: param
        for param in ctx.command.params
        if isinstance(param, TyperOption)
        for name in param.opts
    }
    for name, needed in NEEDS.get(str(ctx.command.name), {}).items():
        is_typed = _rank(ctx, options[name]) == _RANKS["COMMANDLINE"]
        if is_typed and not ctx.params[options[needed].name]:
            example = f"{needed} {(options[needed].metavar or '').partition('|')[0]}".rstrip()
            raise UsageError(
                f"{name} has no effect without {needed}",
                remedy=f"add {example}, or leave {name} out",
            )
    for first, second in CONTRADICTIONS:
        if first not in options or second not in options:
            continue
        ranks = [_rank(ctx, options[first]), _rank(ctx, options[second])]
        if ranks == [_RANKS["COMMANDLINE"]] * 2:
            raise UsageError(
                f"{first} and {second} contradict each other", remedy="leave one of them out"
            )
        if all(ranks):
            beaten = options[second if ranks[0] >= ranks[1] else first]
            ctx.params[beaten.name] = beaten.default


def _rank(ctx: Context, option: TyperOption) -> int:
    """How strong the source of a value is; 0 for a default, and for a flag that is off."""
    source = ctx.get_parameter_source(option.name)
    is_off = option.is_flag and not ctx.params[option.name]
    return 0 if source is None or is_off else _RANKS.get(source.name, 0)


def _unknown_option(
    fault: ParserFault, command_path: str, typed: Sequence[str], owners: Owners
) -> UsageError:
    """Names the command that has the option, else an option of similar spelling."""
    name = _as_typed(str(getattr(fault, "option_name", "")), typed)
    program, _, command = command_path.partition(" ")
    remedy = f"{command_path} --help"
    known = [option for param in _options(fault) for option in (*param.opts, *param.secondary_opts)]
    having = owners(name)
    if not having and (meant := similar(name, known)):
        words = f"{command_path} has no option {name}; did you mean {meant}?"
        return UsageError(words, remedy=remedy)
    if having and not command:
        owner = "stream" if "stream" in having else having[0]
        words = f"{name} is an option of a command; write it after the command"
        return UsageError(words, remedy=f"{program} {owner} ... {name}")
    if having == ["simulate"] and command in _BROKERS_GUESTS:
        remedy = f"{program} simulate {name} ... -- {command_path}"
    elif command == "simulate" and having and name != "--demo":  # of the command that it is to run
        remedy = f"{program} simulate ... -- {program} {having[0]} ... {name}"
    names = " and ".join([*([", ".join(having[:-1])] if having[1:] else []), *having[-1:]])
    has = f"; {names} {'has' if len(having) == 1 else 'have'} it" if having else ""
    return UsageError(f"{command_path} has no option {name}{has}", remedy=remedy)


def _as_typed(name: str, typed: Sequence[str]) -> str:
    """`-csv` where the parser read `-c -s -v` and reports the first that is not an option."""
    if name.startswith("--"):
        return name
    for each in typed:
        if each[:1] == "-" != each[1:2] and name[1:] in each[1:]:
            return each.partition("=")[0]
    return name


def _options(fault: ParserFault) -> list[TyperOption]:
    params = fault.ctx.command.params if fault.ctx is not None else []
    return [param for param in params if isinstance(param, TyperOption)]


def _usage_error(fault: ParserFault, remedy: str) -> UsageError:
    if isinstance(fault, typer.BadParameter) and fault.message:
        option = fault.param
        if not isinstance(option, TyperOption):
            return UsageError(fault.message, remedy=remedy)
        if _is_from_variable(option, fault.ctx):
            return variable_error(option, fault.message)
        return UsageError(f"{_name(option)}: {fault.message}", remedy=remedy)
    words = fault.format_message().removesuffix(".")
    if surplus := re.search(r"extra argument\S* \((.*)\)$", words):
        return UsageError(f"unexpected argument: {surplus[1]}", remedy=remedy)
    return UsageError(words[:1].lower() + words[1:], remedy=remedy)


def with_origin(error: TicksError, ctx: Context) -> TicksError:
    """The error, naming where a path that it quotes was set, where that was not typed."""
    for option in ctx.command.params:
        if not isinstance(option, TyperOption) or option.metavar not in ("PATH", "FILE"):
            continue
        source = ctx.get_parameter_source(option.name)
        where = {"ENVIRONMENT": option.envvar, "DEFAULT_MAP": "config.toml"}
        place = where.get(source.name) if source is not None else None
        given = ctx.params.get(option.name)
        for path in map(str, given if isinstance(given, list) else [given]):
            if place and path in error.message:
                error.message += f" ({path} is set by {place})"
                return error
    return error


def variable_error(option: TyperOption, reason: str) -> UsageError:
    """The error for a variable whose value its option does not accept."""
    variable = str(option.envvar)
    if option.is_flag:
        value = printable(os.environ.get(variable, ""))
        reason = f"{value!r} is not a valid switch; write 1 or 0, or true or false"
    return UsageError(f"{variable}: {reason}", remedy="fix or unset it")


def _is_from_variable(option: TyperOption, ctx: Context | None) -> bool:
    source = ctx.get_parameter_source(option.name) if ctx is not None else None
    return source is not None and source.name == "ENVIRONMENT"


def _name(option: TyperOption) -> str:
    return max(option.opts, key=len)
