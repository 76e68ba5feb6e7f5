"""Login, status, refresh and logout against the simulator, as a user and as a program see them."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from ticks.adapter.auth.authenticator import Authenticator, Credentials, Session
from ticks.adapter.auth.smartapi import SmartApi
from ticks.adapter.clock import SystemClock
from ticks.adapter.errors import (
    CredentialsMissingError,
    CredentialsRefusedError,
    RateLimitedError,
    TokenRefusedError,
    TotpRefusedError,
)
from ticks.adapter.paths import Paths
from ticks.adapter.simulator.simulator import Simulator

OTHER_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEH"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(rate=0.0) as running:
        yield running


def ticks(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [sys.executable, "-m", "ticks.cli", *arguments],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    for name in ("TICKS_API_KEY", "TICKS_PIN", "TICKS_TOTP_SECRET"):
        assert (environ.get(name) or "absent") not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    return ran


def without(environ: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in names}


CREDENTIALS = ("TICKS_API_KEY", "TICKS_CLIENT_CODE", "TICKS_PIN", "TICKS_TOTP_SECRET")


# --- as a user -----------------------------------------------------------------------------------


def test_a_user_logs_in_looks_and_logs_out(
    simulator: Simulator, environ: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "home" / "session.json"
    entered = ticks(environ, "login")
    assert (entered.returncode, entered.stdout) == (0, "")
    assert "logged in: T100200 · valid until " in entered.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700

    looked = ticks(without(environ, *CREDENTIALS), "login", "--status", "--json")
    printed = json.loads(looked.stdout)
    assert (looked.returncode, printed["client_code"], printed["valid"]) == (0, "T100200", True)
    assert printed["expires_at"].endswith("T00:00:00+05:30")
    assert printed["kept_in"] == str(path)

    left = ticks(without(environ, *CREDENTIALS), "logout")
    assert (left.returncode, left.stderr) == (
        0,
        f"the session of T100200 has ended; {path} deleted\n",
    )
    assert not path.exists()
    gone = ticks(environ, "login", "--status")
    assert (gone.returncode, gone.stdout) == (3, "")
    assert "there is no session" in gone.stderr
    assert "ticks login" in gone.stderr
    assert [call.call for call in simulator.journal.calls] == ["login", "logout"]


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TICKS_PIN", "9999", ["AB1007", "not the web password"]),
        ("TICKS_CLIENT_CODE", "X1", ["AB1007", "TICKS_CLIENT_CODE"]),
        ("TICKS_API_KEY", "wrong-key", ["API key", "TICKS_API_KEY"]),
        ("TICKS_TOTP_SECRET", "no-base32-at-all-0189", ["not base32 text", "nothing was sent"]),
        ("TICKS_PIN", "", ["TICKS_PIN", "ticks login"]),
    ],
)
def test_wrong_credentials_are_named_and_end_with_3(
    environ: dict[str, str], variable: str, value: str, words: list[str]
) -> None:
    ran = ticks({**environ, variable: value}, "login")
    assert (ran.returncode, ran.stdout) == (3, "")
    assert all(word in ran.stderr for word in words)
    assert not (Path(environ["TICKS_HOME"]) / "session.json").exists()


class Stranger(BaseHTTPRequestHandler):
    """A web server that has never heard of logins."""

    def log_message(self, *_arguments: object) -> None:
        """Keep the test's output clean."""


def test_no_broker_and_a_foreign_server_end_with_5(environ: dict[str, str]) -> None:
    nobody = ticks({**environ, "TICKS_REST_URL": "http://127.0.0.1:1"}, "login")
    assert nobody.returncode == 5
    assert "127.0.0.1:1 cannot be reached: Connection refused" in nobody.stderr
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        stranger = ticks({**environ, "TICKS_REST_URL": url}, "login")
        server.shutdown()
    assert stranger.returncode == 5
    assert f"what answers at {url} is not SmartAPI: HTTP 501" in stranger.stderr


class Refusing(Stranger):
    """Answers every call with the same JSON and counts what it was sent."""

    reply = b""
    sent: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.sent.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.reply)))
        self.end_headers()
        self.wfile.write(self.reply)


@pytest.mark.parametrize(
    ("reply", "code", "times"),
    [
        (b'{"status": "false", "message": "Wrong for 9753", "errorcode": "AB1007"}', 3, 1),
        (b'[{"success": false, "message": "Wrong for 9753", "data": "null"}]', 3, 1),
        (b'{"hello": "9753"}', 5, 2),
    ],
)
def test_a_stream_sends_a_pin_that_is_refused_once_and_in_doubt_once_more(
    environ: dict[str, str], reply: bytes, code: int, times: int
) -> None:
    Refusing.reply, Refusing.sent = reply, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        changed = {**environ, "TICKS_REST_URL": url, "TICKS_PIN": "9753"}
        ran = ticks(changed, "stream", "NIFTY", "--csv", "-")
        server.shutdown()
    assert ran.returncode == code
    assert len(Refusing.sent) == times
    assert "9753" not in ran.stderr


def test_three_commands_of_one_home_log_in_once(
    simulator: Simulator, environ: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "ticks.cli", "health", "--json", "--timeout", "1s"]
    together = [
        subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(3)
    ]
    for process in together:
        process.wait(timeout=50)
    assert len([call for call in simulator.journal.calls if call.call == "login"]) == 1


def test_a_session_file_that_others_may_read_ends_with_3_and_the_chmod(
    environ: dict[str, str],
) -> None:
    ticks(environ, "login")
    path = Path(environ["TICKS_HOME"]) / "session.json"
    path.chmod(0o644)
    ran = ticks(environ, "login", "--status")
    assert ran.returncode == 3
    assert f"chmod 600 {path}" in ran.stderr


def test_on_a_terminal_what_is_missing_is_asked_for_unseen(
    simulator: Simulator, environ: dict[str, str]
) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "ticks.cli", "login", "--json"],
        env=without(environ, "TICKS_PIN", "TICKS_TOTP_SECRET"),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            # The blank behind a prompt comes once the terminal no longer echoes.
            seen = read_until(ours, "PIN (four digits): ")
            os.write(ours, f"{simulator.credentials.pin}\n".encode())
            seen += read_until(ours, "or the base32 secret): ")
            os.write(ours, f"{simulator.credentials.totp_secret}\n".encode())
            seen += read_until(ours, "logged in: T100200")
            printed = json.loads(process.communicate(timeout=10)[0])
        finally:
            process.kill()
            os.close(ours)
    assert process.returncode == 0
    assert printed["client_code"] == "T100200"
    assert simulator.credentials.pin not in seen
    assert simulator.credentials.totp_secret not in seen


ON_ITS_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs the command in its arguments so that keys of the terminal on stdin become its signals."""


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
@pytest.mark.parametrize(
    ("missing", "prompt"),
    [("TICKS_PIN", "PIN (four digits): "), ("TICKS_CLIENT_CODE", "Client code: ")],
)
def test_a_question_can_be_left_with_130(
    environ: dict[str, str], key: bytes, missing: str, prompt: str
) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", ON_ITS_TERMINAL, sys.executable, "-m", "ticks.cli", "login"],
        env=without(environ, missing),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            read_until(ours, prompt)
            os.write(ours, key)
            said = read_until(ours, "interrupted\r\n")
            process.wait(timeout=10)
        finally:
            process.kill()
            os.close(ours)
    assert process.returncode == 130
    assert said.replace("^C", "").splitlines() == ["", "ticks: interrupted"]


def read_until(descriptor: int, words: str) -> str:
    seen = ""
    while words not in seen:
        assert select.select([descriptor], [], [], 10)[0], f"no {words!r} in {seen!r}"
        seen += os.read(descriptor, 4096).decode()
    return seen


# --- as a program --------------------------------------------------------------------------------


class StoppedClock(SystemClock):
    """Shows the time of its making forever, so that a code's window does not end in mid-test."""

    def __init__(self) -> None:
        self._made_ns = super().wall_ns()

    def wall_ns(self) -> int:
        return self._made_ns


class Desk:
    """One home folder; each authenticator stands for a process, and never really waits."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        self.simulator = simulator
        self.home = Paths.from_env({"TICKS_HOME": str(folder)})
        self.clock = StoppedClock()
        self.pauses: list[float] = []

    def authenticator(self, **changed: str | None) -> Authenticator:
        given = self.simulator.credentials
        known: dict[str, str | None] = {
            "api_key": given.api_key,
            "client_code": given.client_code,
            "pin": given.pin,
            "totp_secret": given.totp_secret,
        }
        return Authenticator(
            self.home,
            self.simulator.rest_url,
            Credentials(**{**known, **changed}),
            clock=self.clock,
            pause=self.pauses.append,
        )

    def is_accepted(self, session: Session) -> bool:
        api = SmartApi(self.simulator.rest_url, SystemClock())
        try:
            return api.profile(session.api_key, session.jwt_token).client_code == "T100200"
        except TokenRefusedError:
            return False


@pytest.fixture
def desk(simulator: Simulator, tmp_path: Path) -> Desk:
    return Desk(simulator, tmp_path / "home")


def test_a_code_used_before_is_tried_at_once_and_then_the_next_one(
    desk: Desk, simulator: Simulator
) -> None:
    first = desk.authenticator().session()
    second = desk.authenticator().renew(first)
    assert simulator.journal.count("login", "AB1050") == 1
    assert len(desk.pauses) == 1
    assert 0 <= desk.pauses[0] <= 30
    assert desk.is_accepted(second)


def test_a_wrong_secret_is_tried_in_two_windows_and_never_again(
    desk: Desk, simulator: Simulator
) -> None:
    authenticator = desk.authenticator(totp_secret=OTHER_SECRET)
    for _ in range(2):
        with pytest.raises(TotpRefusedError, match="AB1050"):
            authenticator.session()
    assert simulator.journal.count("login", "AB1050") == 2
    assert len(desk.pauses) == 1


def test_refused_credentials_are_sent_once(desk: Desk, simulator: Simulator) -> None:
    authenticator = desk.authenticator(pin="9999")
    for _ in range(2):
        with pytest.raises(CredentialsRefusedError, match="AB1007"):
            authenticator.session()
    assert len(simulator.journal.calls) == 1


def test_expired_tokens_are_refreshed_without_credentials(desk: Desk, simulator: Simulator) -> None:
    old = desk.authenticator().session()
    simulator.expire_tokens()
    assert not desk.is_accepted(old)
    new = desk.authenticator(pin=None, totp_secret=None).renew(old)
    assert desk.is_accepted(new)
    assert simulator.journal.refreshes == 1


def test_revoked_tokens_ask_for_a_login(desk: Desk, simulator: Simulator) -> None:
    old = desk.authenticator().session()
    simulator.revoke()
    with pytest.raises(CredentialsMissingError, match="TICKS_PIN"):
        desk.authenticator(pin=None).renew(old)
    assert desk.is_accepted(desk.authenticator().renew(old))


def test_a_logout_ends_the_tokens_at_the_broker(desk: Desk) -> None:
    authenticator = desk.authenticator()
    session = authenticator.session()
    assert desk.is_accepted(session)
    authenticator.logout()
    assert not desk.is_accepted(session)


def test_a_skewed_clock_is_named(tmp_path: Path) -> None:
    with Simulator(rate=0.0, clock_offset_s=-600.0) as late:
        desk = Desk(late, tmp_path / "home")
        with pytest.raises(TotpRefusedError, match=r"clock is (599|600|601) s ahead of"):
            desk.authenticator().session()


def test_too_many_logins_in_a_second_are_reported(tmp_path: Path) -> None:
    with Simulator(rate=0.0, has_rate_limits=True) as strict:
        desk = Desk(strict, tmp_path / "home")
        desk.authenticator().session()
        with pytest.raises(RateLimitedError):
            desk.authenticator(client_code="B456").session()
