"""A simulated broker in a child process, which never outlives us."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from waits import until

from ticks.adapter.errors import UnknownSymbolError
from ticks.cli.demo import environment
from ticks.cli.exit_codes import remedy_of


def answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5).close()
    except OSError:
        return False
    return True


def test_without_a_demo_the_environment_is_our_own() -> None:
    with environment(False) as environ:
        assert environ is os.environ


def test_a_demo_leads_to_a_broker_on_loopback_and_a_throw_away_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TICKS_HOME", "/home/of/the/user")
    monkeypatch.setenv("TICKS_PIN", "a real pin")
    with environment(True) as environ:
        home = Path(environ["TICKS_HOME"])
        assert home.is_dir()
        assert home != Path("/home/of/the/user")
        assert environ["TICKS_PIN"] != "a real pin"
        urls = [environ[f"TICKS_{name}_URL"] for name in ("REST", "FEED")]
        assert all(urlsplit(url).hostname == "127.0.0.1" and answers(url) for url in urls)
    assert not home.exists()
    assert not any(answers(url) for url in urls)


def test_what_a_demo_does_not_list_is_looked_for_in_the_demo() -> None:
    unknown = UnknownSymbolError("no instrument is called 'NIFTTY'", kind="symbol-unknown")
    with pytest.raises(UnknownSymbolError) as caught, environment(True):
        raise unknown
    assert remedy_of(caught.value) == "look for it with `ticks find TEXT --demo`"


def test_the_broker_goes_even_when_the_command_fails() -> None:
    seen: list[str] = []

    def fail() -> None:
        with environment(True) as environ:
            seen.append(environ["TICKS_FEED_URL"])
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    assert not answers(seen[0])


def test_a_killed_command_leaves_no_broker_and_its_home_goes_with_the_next_demo() -> None:
    demo = (
        "import sys; from ticks.cli.demo import environment\n"
        "with environment(True) as environ:\n"
        "    print(environ['TICKS_FEED_URL'], environ['TICKS_HOME'], flush=True)\n"
        "    sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", demo], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url, home = process.stdout.readline().split()
        assert answers(url)
        process.kill()
    until(lambda: not answers(url))
    assert Path(home).is_dir()
    with environment(True):
        assert not Path(home).exists()
