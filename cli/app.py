"""The Typer app: registers the commands, nothing else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from .exit_codes import run_guarded
from .registry import CONTEXT, SUMMARIES, Command, load
from .terminal.outlet import unblocked_stderr
from .usage_errors import translate_usage_errors

if TYPE_CHECKING:
    from typer._click import Context


class Commands(TyperGroup):
    """Lists all commands without importing one, and imports the one that is run."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: Command(name, help=summary) for name, summary in SUMMARIES.items()}

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, TyperCommand | None, list[str]]:
        """The command and what is left for it; config.toml gives its options their defaults.

        A request for help is answered whatever stands in that file.
        """
        name, _, rest = super().resolve_command(ctx, args)
        if name is None:
            return None, None, rest
        command = load(name)
        if not _asks_for_help(rest):
            from .options.config_file import defaults_of  # 10 ms that help need not wait for

            ctx.default_map = {name: defaults_of(command, ctx)}
        return name, command, rest


def _asks_for_help(arguments: Sequence[str]) -> bool:
    own = takewhile(lambda argument: argument != "--", arguments)
    return not set(CONTEXT["help_option_names"]).isdisjoint(own)


DISTRIBUTION = "angel-ticks"
"""What is installed: its name in pyproject.toml."""

app = typer.Typer(
    name="ticks",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,  # `ticks completion` has ours, which also knows symbols
    pretty_exceptions_enable=False,
    context_settings=CONTEXT,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ticks {version(DISTRIBUTION)}")
        raise typer.Exit


@app.callback()
def ticks(
    version_wanted: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            metavar="",
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Angel One SmartAPI's live feed as ticks you can trust.

    Ticks are data, on stdout or in files; what is said to people is on stderr.

    Examples:
      ticks stream NIFTY --demo
      ticks login
      ticks stream NIFTY RELIANCE --csv day.csv --until 15:30
    """


def run(arguments: Sequence[str]) -> object:
    """The program without its error boundary.

    Not by way of `app()`: that has answers of its own to faults, interrupts and closed pipes.
    """
    group = typer.main.get_command(app)
    with translate_usage_errors("ticks"), group.make_context("ticks", list(arguments)) as ctx:
        return group.invoke(ctx)


def main() -> None:
    """The program."""
    with unblocked_stderr():
        code = run_guarded(run, sys.argv[1:])
    sys.exit(code)
