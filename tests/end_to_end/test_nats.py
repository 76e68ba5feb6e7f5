"""`ticks stream --nats` and `ticks replay nats://...` as a user runs them, with a real server."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from nats_server import NatsServer, running
from waits import until

from ticks.adapter.clock import IST

from .conftest import TICKS, Begun, Ticks
from .window import Window

SECRET = "wolpertinger"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    yield from running(tmp_path / "nats")


def recorded_stream(ticks: Ticks, server: NatsServer, *more: str) -> None:
    arguments = ["stream", "NIFTY", "RELIANCE", "--nats", server.url, "--csv", "day.csv", *more]
    ran = ticks(*arguments)
    assert ran.returncode == 0, ran.stderr
    assert f" · {server.url}/TICKS " in ran.stderr


def read_back(ticks: Ticks, server: NatsServer, tmp_path: Path, *more: str) -> bytes:
    """The stream as CSV; by a file, for the fixture looks for secrets in what is printed."""
    arguments = ["--speed", "max", "--csv", "back.csv", "--overwrite", *more]
    ran = ticks("replay", server.url, *arguments)
    assert ran.returncode == 0, ran.stderr
    return (tmp_path / "back.csv").read_bytes()


@pytest.mark.parametrize("mode", ["ltp", "quote", "snap"])
def test_what_is_read_back_is_the_recording_byte_for_byte(
    ticks: Ticks, server: NatsServer, tmp_path: Path, mode: str
) -> None:
    recorded_stream(ticks, server, "--mode", mode, "--count", "200")
    assert read_back(ticks, server, tmp_path) == (tmp_path / "day.csv").read_bytes()
    assert {each.subject for each in server.messages()} == {
        "ticks.NSE.99926000",
        "ticks.NSE.2885",
    }


def test_it_goes_to_every_output_that_a_file_goes_to(
    ticks: Ticks, server: NatsServer, tmp_path: Path
) -> None:
    recorded_stream(ticks, server, "--count", "300")
    for arguments in (
        ("--symbol", "NIFTY", "--jsonl", "{}.jsonl"),
        ("--candles", "1s", "--csv", "{}-candles.csv"),
        ("--symbol", "NSE:2885", "--count", "7", "--csv", "{}-reliance.csv"),
    ):
        paths = []
        for name, source in (("of-stream", server.url), ("of-file", "day.csv")):
            given = [each.format(name) for each in arguments]
            ran = ticks("replay", source, "--speed", "max", *given)
            assert ran.returncode == 0, ran.stderr
            paths.append(tmp_path / given[-1])
        assert paths[0].read_bytes() == paths[1].read_bytes()
        assert paths[0].stat().st_size > 0


def test_without_another_output_nothing_goes_to_stdout(ticks: Ticks, server: NatsServer) -> None:
    ran = ticks("stream", "NIFTY", "--nats", f"{server.url}/DAY", "--count", "20")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert server.count("DAY") == 20


def test_two_recorders_leave_one_copy(
    ticks: Ticks, begun: Begun, server: NatsServer, tmp_path: Path
) -> None:
    arguments = ("stream", "NIFTY", "RELIANCE", "--nats", server.url, "--duration", "4s")
    pair = [begun(*arguments, "--csv", f"{name}.csv", "--no-dashboard") for name in ("a", "b")]
    assert [each.wait(40) for each in pair] == [0, 0]
    whole = read_back(ticks, server, tmp_path).decode().splitlines()
    ticked = [line.split(",")[6] for line in whole[1:] if line.split(",")[6] != "0"]
    assert len(ticked) == len(set(ticked)) > 100


def test_what_never_reached_the_stream_comes_from_the_recorders_own_file(
    ticks: Ticks, server: NatsServer, tmp_path: Path
) -> None:
    recorded_stream(ticks, server, "--count", "30")
    ran = ticks("stream", "NIFTY", "--csv", "day.csv", "--count", "20")  # as if killed before
    assert ran.returncode == 0, ran.stderr
    whole = (tmp_path / "day.csv").read_bytes()
    assert whole.count(b"\n") == 51
    arguments = ("--unique", "--speed", "max", "--csv", "whole.csv")
    ran = ticks("replay", server.url, "day.csv", *arguments)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "whole.csv").read_bytes() == whole


def test_a_replay_begins_at_a_time_and_ends_at_one(
    ticks: Ticks, server: NatsServer, tmp_path: Path
) -> None:
    recorded_stream(ticks, server, "--duration", "3s")
    lines = (tmp_path / "day.csv").read_text(encoding="utf-8").splitlines()[1:]
    first = datetime.fromisoformat(lines[0].partition(",")[0]).astimezone(IST)
    start, end = ((first + timedelta(seconds=s)).replace(tzinfo=None).isoformat() for s in (1, 2))
    part = read_back(ticks, server, tmp_path, "--start", start, "--end", end)
    wanted = [line for line in lines if start <= line[: len(start)] and line < end]
    assert part.decode().splitlines()[1:] == wanted
    assert 0 < len(wanted) < len(lines)


def test_one_that_follows_brings_what_comes_and_ends_well(
    ticks: Ticks, begun: Begun, server: NatsServer, tmp_path: Path
) -> None:
    recorded_stream(ticks, server, "--count", "50")
    following = begun("replay", server.url, "--follow", "--csv", "followed.csv")
    followed = tmp_path / "followed.csv"
    until(lambda: followed.exists() and followed.read_bytes().count(b"\n") == 51)
    # An index has no sequence, and the second as its time: one that is started again within the
    # same second may bring what is stored already, which a stream keeps once.
    last_s = int(datetime.fromisoformat(followed.read_text().splitlines()[-1][:32]).timestamp())
    until(lambda: int(time.time()) > last_s)
    recorded_stream(ticks, server, "--count", "50")
    until(lambda: followed.read_bytes().count(b"\n") >= 101)
    following.send_signal(signal.SIGTERM)
    assert following.wait(20) == 0
    assert followed.read_bytes() == (tmp_path / "day.csv").read_bytes()


def test_one_that_waits_for_the_first_tick_can_be_stopped_and_leaves_no_file(
    begun: Begun, server: NatsServer, tmp_path: Path
) -> None:
    server.ask(lambda jetstream: jetstream.add_stream(name="TICKS", subjects=["ticks.>"]))
    following = begun("replay", server.url, "--follow", "--csv", "followed.csv")

    async def consumers(jetstream: object) -> int:
        return len(await jetstream.consumers_info("TICKS"))  # type: ignore[attr-defined]

    until(lambda: server.ask(consumers) == 1)
    following.send_signal(signal.SIGINT)
    assert following.wait(20) == 0
    assert not (tmp_path / "followed.csv").exists()


def test_on_a_terminal_it_shows_what_a_replay_of_a_file_shows(
    ticks: Ticks, server: NatsServer, environ: dict[str, str], window: Window, tmp_path: Path
) -> None:
    recorded_stream(ticks, server, "--duration", "3s")
    command = [TICKS, "replay", server.url, "--speed", "2", "--csv", "copy.csv"]
    bare = {name: value for name, value in environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        command,
        env={**bare, "TERM": "xterm"},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=window.tty,
        stderr=window.tty,
    ) as process:
        try:
            window.read_until(lambda: process.poll() is not None and "s · " in window.text[-150:])
        finally:
            process.kill()
    assert process.returncode == 0
    assert f"{server.url}/TICKS" in window.text
    assert re.search(r"\b(100|[1-9]\d) ?%", window.text)
    assert (tmp_path / "copy.csv").read_bytes() == (tmp_path / "day.csv").read_bytes()


# --- a server that is away ------------------------------------------------------------------------


def test_a_server_that_restarts_while_ticks_come_costs_none(
    ticks: Ticks, begun: Begun, server: NatsServer, tmp_path: Path
) -> None:
    arguments = ("--nats", server.url, "--csv", "day.csv", "--duration", "5s", "--no-dashboard")
    stream = begun("stream", "NIFTY", "RELIANCE", *arguments)
    until(lambda: (tmp_path / "day.csv").exists() and server.count() > 50)
    server.kill()
    threading.Event().wait(0.5)
    server.start()
    _, said = stream.communicate(timeout=40)
    assert stream.returncode == 0, said
    assert re.search(r"TICKS: lost \(.+\); ticks wait", said)
    assert "TICKS: back after" in said
    assert read_back(ticks, server, tmp_path) == (tmp_path / "day.csv").read_bytes()


def test_a_server_that_stays_away_costs_the_file_nothing_and_is_exit_code_6(
    ticks: Ticks, begun: Begun, server: NatsServer, tmp_path: Path
) -> None:
    arguments = ("--nats", server.url, "--csv", "day.csv", "--drain-timeout", "500ms")
    stream = begun("stream", "NIFTY", "RELIANCE", *arguments, "--no-dashboard")
    until(lambda: (tmp_path / "day.csv").exists() and server.count() > 50)
    server.kill()
    before = (tmp_path / "day.csv").read_bytes().count(b"\n")
    until(lambda: (tmp_path / "day.csv").read_bytes().count(b"\n") > before + 200)
    stream.send_signal(signal.SIGTERM)
    began_s = time.monotonic()
    _, said = stream.communicate(timeout=40)
    assert time.monotonic() - began_s < 8
    assert stream.returncode == 6, said
    missing = re.search(r"([\d,]+) ticks not acknowledged by the server", said)
    assert missing is not None
    rows = (tmp_path / "day.csv").read_bytes().count(b"\n") - 1
    sent = re.search(r"TICKS ([\d,]+) rows", said)
    assert sent is not None
    assert int(missing[1].replace(",", "")) + int(sent[1].replace(",", "")) == rows


def test_a_server_that_is_not_there_ends_it_before_a_file_is_touched(
    ticks: Ticks, server: NatsServer, tmp_path: Path
) -> None:
    server.kill()
    ran = ticks("stream", "NIFTY", "--nats", server.url, "--csv", "day.csv", "--count", "1")
    assert ran.returncode == 6
    assert f"{server.url} cannot be reached: Connection refused" in ran.stderr
    assert not (tmp_path / "day.csv").exists()


def test_a_stream_that_is_not_there_to_be_read_is_exit_code_6(
    ticks: Ticks, server: NatsServer
) -> None:
    ran = ticks("replay", f"{server.url}/NIGHT")
    assert (ran.returncode, ran.stdout) == (6, "")
    assert "there is no stream NIGHT" in ran.stderr


# --- who may, and what is shown -------------------------------------------------------------------


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[NatsServer]:
    config = f"authorization {{ user: desk, password: {SECRET} }}"
    with NatsServer(tmp_path / "guarded", config=config) as one:
        yield one


def test_credentials_come_from_the_environment_and_are_never_shown(
    ticks: Ticks, guarded: NatsServer
) -> None:
    host = guarded.url.removeprefix("nats://")
    for more in (
        {"NATS_USER": "desk", "NATS_PASSWORD": SECRET},
        {"NATS_URL": f"nats://desk:{SECRET}@{host}"},
    ):
        ran = ticks("stream", "NIFTY", "--nats", guarded.url, "--count", "5", "-v", more=more)
        assert ran.returncode == 0, ran.stderr
        read = ticks("replay", guarded.url, "--speed", "max", "-v", more=more)
        assert read.returncode == 0, read.stderr
        assert SECRET not in ran.stderr + read.stderr
    wrong = {"NATS_USER": "desk", "NATS_PASSWORD": SECRET + "!"}
    for command in (("stream", "NIFTY", "--nats", guarded.url), ("replay", guarded.url)):
        ran = ticks(*command, "--count", "5", more=wrong)
        assert ran.returncode == 6
        assert f"{guarded.url} refuses these credentials" in ran.stderr
        assert "NATS_CREDS" in ran.stderr
        assert SECRET not in ran.stdout + ran.stderr


def test_a_secret_in_an_address_is_refused_and_not_shown(ticks: Ticks, tmp_path: Path) -> None:
    address = f"nats://desk:{SECRET}@127.0.0.1:4222"
    for command in (("stream", "NIFTY", "--nats", address), ("replay", address)):
        ran = ticks(*command)
        assert ran.returncode == 2
        assert SECRET not in ran.stdout + ran.stderr
    home = tmp_path / "with-config"
    home.mkdir()
    (home / "config.toml").write_text(f'[stream]\nnats = "{address}"\n', encoding="utf-8")
    for command in ("stream", "config"):
        for more in ({"TICKS_NATS": address}, {"TICKS_HOME": str(home)}):
            ran = ticks(command, more=more)
            assert ran.returncode == 2
            assert SECRET not in ran.stdout + ran.stderr


@pytest.mark.parametrize("address", ["127.0.0.1:4222", "nats://", "nats://h/a.b", "http://h"])
def test_an_address_that_is_none_is_a_usage_error(ticks: Ticks, address: str) -> None:
    ran = ticks("stream", "NIFTY", "--nats", address)
    assert ran.returncode == 2
    assert "nats://127.0.0.1:4222/TICKS" in ran.stderr


# --- who does not use it pays nothing -------------------------------------------------------------


def imported(environ: dict[str, str], folder: Path, *arguments: str) -> set[str]:
    """The modules that a command imports."""
    command = [sys.executable, "-X", "importtime", "-m", "ticks.cli", *arguments]
    ran = subprocess.run(
        command, env=environ, cwd=folder, capture_output=True, text=True, timeout=50, check=True
    )
    return set(re.findall(r"(?m)^import time:.*\| +([\w.]+)$", ran.stderr))


def test_a_stream_to_a_file_imports_neither_package(
    environ: dict[str, str], tmp_path: Path
) -> None:
    names = imported(environ, tmp_path, "stream", "NIFTY", "--csv", "a.csv", "--count", "1")
    assert "ticks.adapter.recorder" in names
    foreign = {"nats", "nkeys", "prometheus_client", "asyncio"}
    assert {name.partition(".")[0] for name in names} & foreign == set()


@pytest.mark.parametrize(
    ("package", "arguments", "extra"),
    [
        ("nats.aio.client", ["stream", "NIFTY", "--nats", "nats://127.0.0.1"], "nats"),
        ("nkeys", ["replay", "nats://127.0.0.1"], "nats"),
        ("prometheus_client", ["stream", "NIFTY", "--metrics", "0"], "metrics"),
    ],
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    environ: dict[str, str], tmp_path: Path, package: str, arguments: list[str], extra: str
) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; sys.argv[0] = 'ticks'"
    program += "; from ticks.cli.__main__ import main; raise SystemExit(main())"
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ran.returncode == 2, ran.stderr
    assert f"pip install 'angel-ticks[{extra}]'" in ran.stderr
    assert list(tmp_path.glob("*.csv")) == []
