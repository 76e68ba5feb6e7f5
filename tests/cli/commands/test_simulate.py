"""`ticks simulate` as a command: what it prints, how it ends, what it runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from processes import is_running
from waits import until

from ticks.cli.parent_watch import descendants

pytestmark = pytest.mark.slow  # each starts a process

TICKS = str(Path(sys.executable).with_name("ticks"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TICKS, "simulate", *arguments], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.fixture
def begun(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """The command with the test's arguments, running in a session without a terminal."""
    process = subprocess.Popen(
        [TICKS, "simulate", *request.param],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


def exported(process: subprocess.Popen[str]) -> dict[str, str]:
    """The variables in the lines that it prints before it serves."""
    assert process.stderr is not None
    assert process.stdout is not None
    assert process.stderr.readline().startswith("a simulated broker on http")
    variables: dict[str, str] = {}
    while "TICKS_HOME" not in variables:
        word, pair = shlex.split(process.stdout.readline())
        assert word == "export"
        name, _, value = pair.partition("=")
        variables[name] = value
    return variables


@pytest.mark.parametrize("begun", [()], indirect=True)
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_what_a_client_needs_and_serves_until_it_is_stopped(
    begun: subprocess.Popen[str], stop: signal.Signals
) -> None:
    variables = exported(begun)
    assert len(requests.get(variables["TICKS_INSTRUMENTS_URL"], timeout=5).json()) > 300
    assert variables["TICKS_ALWAYS_OPEN"] == "1"
    home = Path(variables["TICKS_HOME"])
    assert home.is_dir()
    begun.send_signal(stop)
    assert begun.wait(10) == 0
    assert not home.exists()


@pytest.mark.parametrize("begun", [("--accounts", "3")], indirect=True)
def test_other_accounts_are_printed_as_comments_that_can_be_pasted(
    begun: subprocess.Popen[str],
) -> None:
    first = exported(begun)
    assert begun.stdout is not None
    for number in (2, 3):
        head, _, line = begun.stdout.readline().partition(": ")
        assert head == f"# account {number}"
        word, *pairs = shlex.split(line)
        own = dict(pair.split("=", 1) for pair in pairs)
        assert word == "export"
        assert set(own) == {
            "TICKS_API_KEY",
            "TICKS_CLIENT_CODE",
            "TICKS_PIN",
            "TICKS_TOTP_SECRET",
        }
        assert all(own[name] != first[name] for name in own)


@pytest.mark.parametrize("begun", [()], indirect=True)
def test_a_home_that_a_killed_one_left_behind_is_removed_by_the_next(
    begun: subprocess.Popen[str],
) -> None:
    home = Path(exported(begun)["TICKS_HOME"])
    begun.kill()
    begun.wait()
    assert home.is_dir()
    assert run("--", "true").returncode == 0
    assert not home.exists()


@pytest.mark.parametrize(
    "begun", [("--", "bash", "-c", "sleep 600 & echo $! $$; wait")], indirect=True
)
def test_a_command_does_not_outlive_a_simulator_that_was_killed(
    begun: subprocess.Popen[str],
) -> None:
    assert begun.stdout is not None
    pids = begun.stdout.readline().split()
    # The watcher is started after the command.
    until(lambda: len(descendants(begun.pid)) > len(pids))
    begun.kill()
    begun.wait()
    until(lambda: not any(is_running(int(pid)) for pid in pids))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_with_tls_a_client_that_trusts_the_certificate_gets_in() -> None:
    fetch = (
        "import os, ssl, urllib.request as u;"
        "print(len(u.urlopen(os.environ['TICKS_INSTRUMENTS_URL'],"
        "context=ssl.create_default_context()).read()))"
    )
    ran = run("--tls", "--", sys.executable, "-c", fetch)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert int(ran.stdout) > 10_000


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 128 + 15)]
)
def test_a_command_gets_the_variables_and_its_exit_code_is_the_end(script: str, code: int) -> None:
    ran = run("--", "sh", "-c", f'echo "$TICKS_FEED_URL $TICKS_ALWAYS_OPEN"; {script}')
    assert ran.returncode == code
    assert re.fullmatch(r"ws://127\.0\.0\.1:\d+/smart-stream 1\n", ran.stdout)


def test_options_after_the_dashes_belong_to_the_command() -> None:
    assert run("--rate", "1", "--", "echo", "--rate", "x").stdout == "--rate x\n"


@pytest.mark.parametrize(
    "begun",
    [("--", "sh", "-c", "trap 'exit 9' INT TERM; echo ready; while :; do read x; done")],
    indirect=True,
)
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on_to_the_command(
    begun: subprocess.Popen[str], stop: signal.Signals
) -> None:
    assert begun.stdout is not None
    assert begun.stdout.readline() == "ready\n"
    begun.send_signal(stop)
    assert begun.wait(10) == 9


def test_a_command_that_cannot_be_run_is_a_usage_error() -> None:
    ran = run("--", "no-such-command")
    assert ran.returncode == 2
    assert "'no-such-command' cannot be run: No such file or directory" in ran.stderr


def test_a_port_in_use_is_a_fault_of_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = run("--port", port)
    assert ran.returncode == 6
    assert f"cannot listen on port {port} of 127.0.0.1: Address already in use" in ran.stderr
    assert "try: choose another port, or 0 for a free one" in ran.stderr


def test_a_text_that_is_not_a_fault_prints_the_grammar() -> None:
    ran = run("--fault", "20s:explode")
    assert ran.returncode == 2
    assert "'20s:explode' is not a valid fault: there is no fault 'explode'" in ran.stderr
    assert "WHEN:WHAT" in ran.stderr


def test_faults_reach_the_broker() -> None:
    fetch = (
        "import os, urllib.request as u;"
        "print(u.urlopen(os.environ['TICKS_INSTRUMENTS_URL']).read())"
    )
    ran = run(
        "--fault", "instruments:null", "--fault", "1s:drop", "--", sys.executable, "-c", fetch
    )
    assert ran.stdout == "b'null'\n"


def test_a_missing_recording_is_a_usage_error(tmp_path: Path) -> None:
    ran = run("--recording", os.fspath(tmp_path / "nowhere.csv"))
    assert ran.returncode == 2
