"""Nobody reads what is said: the stream goes on, each place by itself, and SIGTERM ends it."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from waits import until

from ticks.adapter.simulator.simulator import Simulator

from .conftest import TICKS, Ticks

ENDS_WITHIN_S = 4.0
"""2 s for messages, and what a close and the interpreter's end take on a busy machine."""
DEADLINE_S = 20.0


class Run:
    """A command whose descriptors lead wherever a test wants."""

    def __init__(self, environ: dict[str, str], folder: Path, *arguments: str, **places: int):
        self.folder = folder
        self.home = Path(environ["TICKS_HOME"])
        usual = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        self.process = subprocess.Popen(
            [TICKS, *arguments], env=environ, cwd=folder, **{**usual, **places}
        )

    def until(self, is_true: Callable[[], bool]) -> None:
        def look() -> bool:
            found = is_true()
            assert found or self.process.poll() is None
            return found

        until(look)

    def rows(self) -> int:
        path = self.folder / "o.csv"
        return path.read_bytes().count(b"\n") - 1 if path.exists() else 0

    def status(self) -> dict[str, object]:
        path = self.home / "run" / f"{self.process.pid}.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def ends(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code after a signal; fails where the end takes too long."""
        self.process.send_signal(number)
        return self.process.wait(ENDS_WITHIN_S)


Start = Callable[..., Run]


@pytest.fixture
def start(environ: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(*arguments: str, **places: int) -> Run:
            run = Run(environ, tmp_path, *arguments, **places)
            stack.callback(run.process.wait)
            stack.callback(run.process.kill)
            return run

        yield begin


@pytest.fixture
def full_pipe() -> Iterator[int]:
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    try:
        while True:
            os.write(writes, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writes, True)
    yield writes
    os.close(writes)
    os.close(reads)


@pytest.fixture
def frozen_terminal() -> Iterator[int]:
    """A terminal on which somebody pressed Ctrl-S."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    termios.tcflow(slave, termios.TCOOFF)
    yield slave
    os.close(master)
    os.close(slave)


def is_well(run: Run, simulator: Simulator) -> None:
    """Ticks are recorded and the status stays fresh, whatever is stuck."""
    run.until(lambda: run.rows() > 100)
    run.until(lambda: run.status().get("phase") == "live")
    shown = run.status()
    run.until(lambda: run.status() != shown)


def ended_well(run: Run, simulator: Simulator) -> None:
    assert run.ends() == 0
    [log] = simulator.journal.connections
    assert len(log.packets) - 200 < run.rows() <= len(log.packets)  # some came after our close
    assert run.status() == {}
    assert not list((run.home / "run").iterdir())


@pytest.mark.parametrize("more", [("-v",), ("-v", "--events", "events.jsonl")])
def test_a_full_stderr_delays_neither_stream_nor_end(
    start: Start, simulator: Simulator, full_pipe: int, more: tuple[str, ...], tmp_path: Path
) -> None:
    run = start("stream", "NIFTY", "--csv", "o.csv", *more, stderr=full_pipe)
    is_well(run, simulator)
    ended_well(run, simulator)
    if len(more) > 1:
        lines = (tmp_path / "events.jsonl").read_text().splitlines()
        names = [json.loads(line)["event"] for line in lines]
        assert names[0] == "connected"
        assert names[-1] == "summary"


@pytest.mark.parametrize("look", ["--dashboard", "--no-dashboard"])
def test_a_frozen_terminal_delays_neither_stream_nor_end(
    start: Start, simulator: Simulator, frozen_terminal: int, look: str
) -> None:
    run = start("stream", "NIFTY", "--csv", "o.csv", "-v", look, stderr=frozen_terminal)
    is_well(run, simulator)
    ended_well(run, simulator)


def test_events_into_a_full_pipe_delay_neither_stream_nor_end(
    start: Start, simulator: Simulator, full_pipe: int
) -> None:
    reads, writes = os.pipe()
    run = start(
        "stream", "NIFTY", "--csv", "o.csv", "--events", "-", stdout=full_pipe, stderr=writes
    )
    os.close(writes)
    is_well(run, simulator)
    ended_well(run, simulator)
    with open(reads, encoding="utf-8") as said:
        assert "stdout is not being read: " in said.read()


def test_events_for_a_fifo_that_nobody_opens_delay_neither_stream_nor_end(
    start: Start, simulator: Simulator, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "events")
    run = start("stream", "NIFTY", "--csv", "o.csv", "--events", "events")
    is_well(run, simulator)
    ended_well(run, simulator)


def test_everything_stuck_at_once_still_ends(
    start: Start, simulator: Simulator, full_pipe: int, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "events")
    arguments = ("stream", "NIFTY", "--csv", "o.csv", "-v", "--events", "events")
    run = start(*arguments, stderr=full_pipe)
    is_well(run, simulator)
    ended_well(run, simulator)


def test_rows_for_a_fifo_that_nobody_opens_end_with_sigterm(start: Start, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "o.fifo")
    said = tmp_path / "said.txt"
    with said.open("wb") as stderr:
        run = start("stream", "NIFTY", "--csv", "o.fifo", stderr=stderr.fileno())
        run.until(lambda: "o.fifo has no reader yet; waiting for one" in said.read_text())
        assert run.ends() == 0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="it asks /proc what is open")
@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", "a.fifo"),
        ("inspect", "a.fifo"),
        ("inspect", "o.csv", "--events", "a.fifo"),
        ("replay", "o.csv", "--candles", "1m", "--events", "a.fifo"),
    ],
    ids=" ".join,
)
def test_a_fifo_that_is_read_and_that_nobody_writes_ends_with_sigterm(
    start: Start, ticks: Ticks, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    assert ticks("stream", "NIFTY", "--csv", "o.csv", "--count", "5").returncode == 0
    fifo = tmp_path / "a.fifo"
    os.mkfifo(fifo)
    run = start(*arguments)
    run.until(lambda: str(fifo) in opened_by(run.process.pid))
    assert run.ends() == 0


def opened_by(pid: int) -> list[str]:
    """What the descriptors of a process lead to."""
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(os.readlink(each))
    return found


def test_a_replay_into_a_fifo_that_nobody_opens_ends_with_sigterm(
    start: Start, ticks: Ticks, tmp_path: Path
) -> None:
    assert ticks("stream", "NIFTY", "--csv", "o.csv", "--count", "5").returncode == 0
    os.mkfifo(tmp_path / "copy.csv")
    said = tmp_path / "said.txt"
    with said.open("wb") as stderr:
        run = start("replay", "o.csv", "--csv", "copy.csv", stderr=stderr.fileno())
        run.until(lambda: "copy.csv has no reader yet" in said.read_text())
        assert run.ends() == 0


def test_a_nats_server_that_says_nothing_ends_with_sigterm(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        run = start("replay", f"nats://127.0.0.1:{mute.getsockname()[1]}")
        mute.settimeout(DEADLINE_S)
        peer, _ = mute.accept()
        with peer:
            assert run.ends() == 0


def test_a_recording_that_can_be_read_only_once_is_not_played_by_the_simulator(
    ticks: Ticks, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "a.fifo")
    ran = ticks("simulate", "--recording", "a.fifo")
    assert ran.returncode == 2
    assert "'a.fifo' is not a regular file" in ran.stderr


def test_rows_of_a_stuck_pipe_wait_for_their_reader_until_the_second_ctrl_c(
    start: Start, simulator: Simulator
) -> None:
    reads, writes = os.pipe()
    run = start("stream", "NIFTY", "--csv", "-", stdout=writes)
    run.until(lambda: simulator.journal.packet_count > 1_000)
    run.process.send_signal(signal.SIGINT)
    assert simulator.wait_until(lambda: not simulator.journal.open_connections())
    assert run.ends(signal.SIGINT) == 130
    for fd in (reads, writes):
        os.close(fd)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("stream", "--bogus"), 2),
        (("stream", "NIFTY", "--duration", "ten"), 2),
        (("stream", "NOSUCHNAME"), 4),
        (("find", "x" * 10_000), 4),
        (("replay", "nowhere.csv"), 6),
        (("nonsense",), 2),
    ],
)
def test_an_error_on_a_full_stderr_ends_the_command_with_its_code(
    start: Start, full_pipe: int, arguments: tuple[str, ...], code: int
) -> None:
    run = start(*arguments, stderr=full_pipe)
    assert run.process.wait(DEADLINE_S) == code


@pytest.mark.parametrize(
    "arguments",
    [("health", "--watch"), ("simulate",), ("stream", "NIFTY", "--demo", "--csv", "o.csv", "-v")],
)
def test_other_commands_end_too(start: Start, full_pipe: int, arguments: tuple[str, ...]) -> None:
    run = start(*arguments, stderr=full_pipe)
    if arguments[0] == "stream":
        run.until(lambda: run.rows() > 10)
    else:
        run.until(lambda: _waits(run.process.pid))
    assert run.ends() == 0


def _waits(pid: int) -> bool:
    """Whether it is ready for SIGTERM: caught, or blocked for the one who waits for it."""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = [line.split()[1] for line in status.splitlines() if line[:6] in ("SigCgt", "SigBlk")]
    return any(int(mask, 16) >> (signal.SIGTERM - 1) & 1 for mask in masks)
