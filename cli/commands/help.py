"""`ticks help`: the help of the program, or of one command."""

from __future__ import annotations

from typing import Annotated

import typer

Topic = Annotated[
    str | None, typer.Argument(metavar="COMMAND", help="The command to explain; none: ticks.")
]


def help(topic: Topic = None) -> None:  # noqa: A001  (the name of the command)
    """Show the help of ticks, or of a command.

    The same as --help after the command.

    Example:
      ticks help stream
    """
    from ..app import run  # the app loads the commands, not the other way round

    run([topic, "--help"] if topic else ["--help"])
