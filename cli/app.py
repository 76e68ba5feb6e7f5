"""The Typer app: registers the commands, nothing else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from ..adapter.errors import UsageError
from ..adapter.similarity import similar
from .exit_codes import run_guarded
from .registry import CONTEXT, SUMMARIES, Command, load, owners_of, without_types
from .terminal.outlet import unblocked_stderr
from .usage_errors import translate_usage_errors

if TYPE_CHECKING:
    from typer._click import Context, Parameter


class Commands(TyperGroup):
    """Lists all commands without importing one, and imports the one that is run."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: Command(name, help=summary) for name, summary in SUMMARIES.items()}

    def get_params(self, ctx: Context) -> list[Parameter]:
        return without_types(super().get_params(ctx))

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, TyperCommand | None, list[str]]:
        """The command and its arguments; config.toml gives its options their defaults.

        A request for help is answered even if that file is broken.
        """
        name, *rest = args
        if name not in self.commands:
            raise _no_such_command(name)
        command = load(name)
        if not _asks_for_help(rest):
            from .options.config_file import defaults_of  # 10 ms that help does not need

            ctx.default_map = {name: defaults_of(command, ctx)}
        return name, command, rest


def _no_such_command(name: str) -> UsageError:
    if meant := similar(name, SUMMARIES):
        return UsageError(
            f"there is no command {name!r}; did you mean {meant!r}?", remedy="ticks --help"
        )
    is_symbol = name.isupper()  # the way symbols are written, and commands are not
    return UsageError(
        f"there is no command {name!r}",
        remedy=f"ticks stream {name}" if is_symbol else "ticks --help",
    )


def _asks_for_help(arguments: Sequence[str]) -> bool:
    own = takewhile(lambda argument: argument != "--", arguments)
    return not set(CONTEXT["help_option_names"]).isdisjoint(own)


DISTRIBUTION = "angel-ticks"
"""What is installed: its name in pyproject.toml."""

app = typer.Typer(
    name="ticks",
    cls=Commands,
    add_completion=False,  # `ticks completion` prints ours, which also completes symbols
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
            "-V",
            "--version",
            callback=_show_version,
            is_eager=True,
            metavar="",
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Angel One SmartAPI's live feed as ticks you can trust.

    Ticks go to stdout or files; messages and the dashboard go to stderr.

    Examples:
      ticks stream NIFTY --demo
      ticks login
      ticks stream NIFTY RELIANCE --csv day.csv --until close
    """


def run(arguments: Sequence[str]) -> object:
    """The program without its error boundary.

    Not through `app()`, which handles errors, interrupts and closed pipes in its own way.
    """
    group = typer.main.get_command(app)
    typed = list(arguments) or ["--help"]
    with (
        translate_usage_errors("ticks", typed, owners_of),
        group.make_context("ticks", list(typed)) as ctx,
    ):
        return group.invoke(ctx)


def main() -> None:
    """The program."""
    with unblocked_stderr():
        code = run_guarded(run, sys.argv[1:])
    sys.exit(code)
