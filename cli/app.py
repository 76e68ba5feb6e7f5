"""The Typer app: registers the commands, nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib.metadata import version
from typing import Annotated, ParamSpec

import typer

from ..adapter.errors import ReaderLeftError
from .boundary import run_guarded
from .find import find
from .health import health
from .login import login, logout
from .simulate import simulate
from .stream import stream

P = ParamSpec("P")

app = typer.Typer(
    name="ticks",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ticks {version('ticks')}")
        raise typer.Exit


@app.callback()
def ticks(
    version_wanted: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Angel One SmartAPI's live feed as ticks you can trust."""


def _command(function: Callable[P, int | None]) -> Callable[P, None]:
    """`function` as a command: its result is the exit code; a reader that left is a good end."""

    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = function(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise ReaderLeftError("the reader of standard output left") from error
        if code:
            raise typer.Exit(code)

    return command


app.command()(_command(login))
app.command()(_command(logout))
app.command()(_command(stream))
app.command()(_command(health))
app.command()(_command(find))
app.command()(_command(simulate))


def run(arguments: Sequence[str]) -> object:
    """The program without its error boundary."""
    return app(list(arguments), prog_name="ticks")


def main() -> None:
    """The console script."""
    sys.exit(run_guarded(run, sys.argv[1:]))
