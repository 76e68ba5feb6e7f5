"""What Typer's parser says of a command line, in the words of all other errors.

ticks: --duration: '5' is no duration; write 90s, 5m, 1h or 1h30m
  try: ticks stream --help
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from typer.core import TyperOption

from ..adapter.errors import UsageError

if TYPE_CHECKING:
    from typer._click import Command, Context
    from typer._click.exceptions import UsageError as ParserFault
else:
    ParserFault = typer.BadParameter.__bases__[0]  # which module has it is Typer's own affair

_HELP_WAS_SHOWN = "NoArgsIsHelpError"


@contextmanager
def translate_usage_errors(command_path: str) -> Iterator[None]:
    """Raises UsageError for a fault of the parser; `command_path`: whose help explains more."""
    try:
        yield
    except ParserFault as fault:
        if type(fault).__name__ == _HELP_WAS_SHOWN:
            raise typer.Exit(fault.exit_code) from fault
        raise _usage_error(fault, f"{command_path} --help") from fault


def refuse_repeats(command: Command, ctx: Context, arguments: Sequence[str]) -> None:
    """Raises UsageError for an option given twice that takes one value: one would be lost."""
    single = [
        param
        for param in command.params
        if isinstance(param, TyperOption) and not (param.is_flag or param.multiple)
    ]
    parser = command.make_parser(ctx)
    for option in single:
        parser.add_option(option, option.opts, option.name, "append", option.nargs)
    given, _, _ = parser.parse_args(list(arguments))
    for option in single:
        values = given.get(option.name, ())
        if len(values) > 1:
            raise UsageError(
                f"{_name(option)} is given {len(values)} times: {', '.join(map(repr, values))}",
                remedy="leave one of them",
            )


def _usage_error(fault: ParserFault, remedy: str) -> UsageError:
    if isinstance(fault, typer.BadParameter) and fault.message:
        option = fault.param
        if not isinstance(option, TyperOption):
            return UsageError(fault.message, remedy=remedy)
        if _is_from_variable(option, fault.ctx):
            return UsageError(f"{option.envvar}: {fault.message}", remedy="mend or unset it")
        return UsageError(f"{_name(option)}: {fault.message}", remedy=remedy)
    if nearest := getattr(fault, "possibilities", None):
        words = f"{fault.message}. Did you mean {nearest[0]!r}?"
    else:
        words = fault.format_message().removesuffix(".")
    return UsageError(words[:1].lower() + words[1:], remedy=remedy)


def _is_from_variable(option: TyperOption, ctx: Context | None) -> bool:
    source = ctx.get_parameter_source(option.name) if ctx is not None else None
    return source is not None and source.name == "ENVIRONMENT"


def _name(option: TyperOption) -> str:
    return max(option.opts, key=len)
