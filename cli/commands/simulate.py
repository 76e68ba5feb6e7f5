"""`ticks simulate`: a broker on this machine, for trying ticks out and testing programs."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from ...adapter.errors import UsageError
from ..options import options, parsers, paths
from ..parent_watch import ends_with_us
from ..terminal.signals import stop_signals

if TYPE_CHECKING:
    from ...adapter.simulator.faults import Fault
    from ...adapter.simulator.simulator import Simulator

Port = Annotated[
    int,
    options.option(
        "--port",
        None,
        "Port of REST and instrument master; 0 takes a free one.",
        parsers.port,
        metavar="N",
        has_variable=False,
    ),
]
FeedPort = Annotated[
    int,
    options.option(
        "--feed-port",
        None,
        "Port of the feed; 0 takes a free one.",
        parsers.port,
        metavar="N",
        has_variable=False,
    ),
]
RecordingFile = Annotated[
    Path | None,
    options.option(
        "--recording",
        None,
        "Play this recording instead of a synthetic market.",
        paths.readable_file,
        metavar="FILE",
        has_variable=False,
    ),
]
EventsFile = Annotated[
    Path | None,
    options.option(
        "--events",
        None,
        "The events of that recording: repeat its disconnects too.",
        paths.readable_file,
        metavar="FILE",
        has_variable=False,
    ),
]
Speed = Annotated[
    float,
    options.option(
        "--speed",
        None,
        "Play the recording N times as fast, or max: as fast as it can be sent.",
        parsers.speed,
        metavar="N|max",
        has_variable=False,
    ),
]
Rate = Annotated[
    float,
    options.option(
        "--rate",
        None,
        "Packets a second of each subscribed instrument.",
        parsers.rate,
        metavar="N",
        has_variable=False,
    ),
]
Seed = Annotated[
    int | None,
    options.option(
        "--seed",
        None,
        "Repeat the prices of an earlier run exactly.",
        parsers.whole_number,
        metavar="N",
        has_variable=False,
    ),
]
Faults = Annotated[
    list[str] | None,
    options.option(
        "--fault",
        None,
        "Inject a fault: 20s:silence:45s, 1000ticks:drop, connect:refuse:429x2, "
        "20s:halt:NSE:45m, login:C, ... An invalid value prints the full syntax.",
        metavar="WHEN:WHAT",
        shows=False,
        has_variable=False,
    ),
]
AccountCount = Annotated[
    int,
    options.option(
        "--accounts",
        None,
        "Client codes, each with its own credentials and three connections.",
        parsers.accounts,
        metavar="N",
        has_variable=False,
    ),
]
Tls = Annotated[
    bool,
    options.option(
        "--tls",
        None,
        "Serve https and wss, with a throw-away certificate.",
        has_variable=False,
    ),
]
Command = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="-- COMMAND",
        show_default=False,
        help="Command to run with the variables set; the simulator ends with it.",
    ),
]


def simulate(
    command: Command = None,
    *,
    port: Port = 0,
    feed_port: FeedPort = 0,
    recording: RecordingFile = None,
    events: EventsFile = None,
    speed: Speed = 1.0,
    rate: Rate = 4.0,
    seed: Seed = None,
    fault: Faults = None,
    accounts: AccountCount = 1,
    tls: Tls = False,
) -> int:
    """Run a SmartAPI on this machine: login, instruments and a live feed, no account.

    Prints the variables that a client needs, a throw-away TICKS_HOME among them, and serves until
    Ctrl-C. With a command, runs it with those variables set (an existing TICKS_HOME is kept) and
    ends with its exit code.

    Examples:
      ticks simulate
      ticks simulate --rate 100 --seed 7 -- ticks stream NIFTY --count 100
    """
    # A server's libraries: for this command only.
    from ...adapter.simulator.simulator import Simulator
    from ...adapter.simulator.throwaway import throwaway_folder

    for path in (recording, events):
        if path is not None and not path.is_file():
            reason = f"{str(path)!r} is not a regular file, and has to be read more than once"
            raise UsageError(reason, remedy="copy it into a file")
    times = None if speed == inf else speed
    simulator = Simulator(
        port=port,
        feed_port=feed_port,
        recording=recording,
        speed=times,
        rate=rate,
        seed=seed,
        faults=[*(fault or ()), *_disconnects(events, recording, times)],
        accounts=accounts,
        tls=tls,
    )
    # A home of its own keeps the user's real session and instruments out of it.
    with throwaway_folder() as folder:
        home = {"TICKS_HOME": str(folder)}
        if command:
            with simulator:
                own = {"TICKS_HOME": os.environ.get("TICKS_HOME") or str(folder)}
                return _run(command, simulator.environment() | own)
        return _serve(simulator, home)


def _serve(simulator: Simulator, home: dict[str, str]) -> int:
    """Print the variables and serve until a signal."""
    # Blocked before the simulator's thread starts, which inherits that: only `sigwait` takes them.
    awaited = stop_signals()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    try:
        with simulator:
            for name, value in (simulator.environment() | home).items():
                print(f"export {name}={shlex.quote(value)}")
            for number in range(1, len(simulator.accounts)):
                print(f"# account {number + 1}: {_credentials(simulator, number)}")
            sys.stdout.flush()
            print(f"a simulated broker on {simulator.rest_url}; Ctrl-C ends it", file=sys.stderr)
            signal.sigwait(awaited)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def _credentials(simulator: Simulator, number: int) -> str:
    """The variables in which an account differs from the first, as one `export`."""
    first, other = simulator.environment(), simulator.environment(number)
    own = [f"{name}={shlex.quote(other[name])}" for name in other if other[name] != first[name]]
    return f"export {' '.join(own)}"


def _disconnects(
    events: Path | None, recording: Path | None, speed: float | None
) -> Sequence[Fault]:
    """The faults in the events of a recording."""
    from ...adapter.simulator.recorded_faults import recorded_faults

    if events is None or recording is None:
        return ()
    return recorded_faults(events, recording, speed)


def _run(command: Sequence[str], variables: dict[str, str]) -> int:
    """Run a command with these variables added; its exit code, 128 + n when signal n killed it.

    It does not outlive us, however we end.
    """
    with _passed_on() as pass_to:
        try:
            with ends_with_us(command, os.environ | variables, pass_to) as child:
                code = child.wait()
        except OSError as error:
            raise UsageError(
                f"{command[0]!r} cannot be run: {error.strerror}",
                remedy="check the command after `--`",
            ) from error
    return code if code >= 0 else 128 - code


@contextmanager
def _passed_on() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """While entered, signals that would stop us go to the named child, earlier ones too.

    A terminal sends its Ctrl-C to the child as well; that one is not passed on, since to the child
    a second one means something else.
    """
    came: list[int] = []
    child: subprocess.Popen[bytes] | None = None

    def caught(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and _is_in_foreground():
            return
        if child is None:
            came.append(number)
        elif child.returncode is None:
            os.kill(child.pid, number)

    def pass_to(started: subprocess.Popen[bytes]) -> None:
        nonlocal child
        child = started
        for number in came:
            os.kill(started.pid, number)

    numbers = stop_signals()
    before = [signal.signal(number, caught) for number in numbers]
    try:
        yield pass_to
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _is_in_foreground() -> bool:
    """Whether a terminal counts this process among those that its Ctrl-C is for."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
