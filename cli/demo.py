"""`--demo`: a simulated broker in a child process, and an environment that leads to it.

Everything then happens for real: login, instrument master, handshake, ticks. The child ends when
its standard input closes, so it never outlives us, however we end; a home that we leave behind when
we are killed is removed by the next demo.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping

from ..adapter.errors import BrokerError, SymbolError
from ..adapter.simulator.throwaway import throwaway_folder
from .exit_codes import remedy_of

_SERVE = "from ticks.cli.demo import guarded_serve; guarded_serve()"
_END = "#"
_STOP_S = 5.0


@contextlib.contextmanager
def environment(is_demo: bool) -> Iterator[Mapping[str, str]]:
    """This process's environment, or that of a demo, whose instruments are found with `--demo`."""
    if not is_demo:
        yield os.environ
        return
    with demo_environment(os.environ) as demo:
        try:
            yield demo
        except SymbolError as error:
            error.remedy = remedy_of(error).replace("ticks find TEXT", "ticks find TEXT --demo")
            raise


@contextlib.contextmanager
def demo_environment(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """`environ` with the addresses and credentials of a simulated broker and a throw-away home."""
    with (
        throwaway_folder() as home,
        subprocess.Popen(  # noqa: S603  (our own interpreter, a constant program)
            [sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as child,
    ):
        try:
            yield {**environ, **_exported(child), "TICKS_HOME": str(home)}
        finally:
            if child.stdin is not None:
                child.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_STOP_S)
            child.kill()


def _exported(child: subprocess.Popen[str]) -> dict[str, str]:
    """The variables that the child prints, as `export NAME=VALUE`."""
    variables: dict[str, str] = {}
    for line in child.stdout or ():
        if line.startswith(_END):
            return variables
        name, _, value = shlex.split(line)[1].partition("=")
        variables[name] = value
    raise BrokerError(
        "the demo's simulated broker did not start", remedy="`ticks simulate` shows why"
    )


def guarded_serve() -> None:
    """What the child runs; its errors are reported as ours are."""
    from .exit_codes import run_guarded

    sys.exit(run_guarded(lambda _arguments: serve(), ()))


def serve() -> None:
    """A simulator, until standard input closes."""
    from ..adapter.simulator.simulator import Simulator

    with Simulator() as simulator:
        for name, value in simulator.environment().items():
            print(f"export {name}={shlex.quote(value)}")
        print(_END, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while os.read(0, 4096):
                pass
