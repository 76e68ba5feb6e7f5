"""What happens inside a network namespace of its own; `test_namespace.py` runs it there.

unshare --net --mount python tests/end_to_end/hostile/namespace.py cable|name-server
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ticks.adapter.simulator.simulator import Simulator

TICKS = str(Path(sys.executable).with_name("ticks"))
DEADLINE_S = 30.0
PULLED_S = 3.0


def until(is_true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def link(state: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def begun(environ: dict[str, str], folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [TICKS, *arguments], env=environ, cwd=folder, stderr=subprocess.PIPE, text=True
    )


def pull_the_cable(folder: Path) -> None:
    """No packet passes for some seconds, and nobody is told."""
    with Simulator(rate=100, seed=1, keep_packets=True) as simulator:
        environ = {**os.environ, **simulator.environment(), "TICKS_HOME": str(folder / "home")}
        arguments = ("--csv", "o.csv", "--events", "e.jsonl", "--always-open", "--keep-trying")
        times = ("--silence-after", "1s", "--check-every", "200ms", "--backoff-max", "200ms")
        process = begun(environ, folder, "stream", "NIFTY", "RELIANCE", *arguments, *times)
        csv, events = folder / "o.csv", folder / "e.jsonl"
        until(lambda: csv.exists() and csv.read_bytes().count(b"\n") > 100)
        link("down")
        pulled_s = time.monotonic()
        until(lambda: '"lost"' in events.read_text())
        until(lambda: time.monotonic() > pulled_s + PULLED_S)
        link("up")
        until(lambda: '"recovered"' in events.read_text())
        rows = csv.read_bytes().count(b"\n")
        until(lambda: csv.read_bytes().count(b"\n") > rows + 100)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    assert process.returncode == 0, said
    found = [json.loads(line) for line in events.read_text().splitlines()]
    [recovered] = [each for each in found if each["event"] == "recovered"]
    assert PULLED_S - 0.5 < recovered["blind_s"] < PULLED_S + 15, recovered


def let_the_name_server_die(folder: Path) -> None:
    """It takes every question and answers none."""
    link("up")
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:20 attempts:5\n")
    subprocess.run(["mount", "--bind", str(resolver), "/etc/resolv.conf"], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        server.settimeout(DEADLINE_S)
        base = {
            **os.environ,
            "TICKS_HOME": str(folder / "home"),
            "TICKS_REST_URL": "https://rest.example",
            "TICKS_FEED_URL": "wss://feed.example/smart-stream",
            "TICKS_INSTRUMENTS_URL": "https://master.example/master.json",
            "TICKS_CLIENT_CODE": "A1",
            "TICKS_PIN": "1234",
            "TICKS_API_KEY": "abcdefgh",
            "TICKS_TOTP_SECRET": "JBSWY3DPEHPK3PXP",
        }
        for arguments in (
            ("stream", "NIFTY"),
            ("find", "NIFTY"),
            ("login",),
            ("health", "--watch"),
        ):
            for number in (signal.SIGTERM, signal.SIGINT):
                process = begun(base, folder, *arguments)
                server.recv(512)  # it is asking
                began_s = time.monotonic()
                process.send_signal(number)
                _, said = process.communicate(timeout=10)
                took_s = time.monotonic() - began_s
                assert took_s < 3.0, (arguments, took_s)
                assert "Traceback" not in said, said
                assert "unexpected" not in said, said
                while True:  # what was asked meanwhile
                    server.setblocking(False)
                    try:
                        server.recv(512)
                    except BlockingIOError:
                        break
                server.settimeout(DEADLINE_S)
        process = begun(base, folder, "login")
        _, said = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 5, said
        assert "within 10 s" in said, said


def main() -> None:
    link("up")
    stories = {"cable": pull_the_cable, "name-server": let_the_name_server_die}
    with tempfile.TemporaryDirectory() as folder:
        stories[sys.argv[1]](Path(folder))


if __name__ == "__main__":
    main()
