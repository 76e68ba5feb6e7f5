from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from ticks.adapter.auth import smartapi
from ticks.adapter.auth.tokens import Tokens
from ticks.adapter.errors import (
    CredentialsMissingError,
    SessionError,
    SessionFileError,
    UsageError,
)
from ticks.cli.commands import login as commands

CREDENTIALS = {
    "TICKS_API_KEY": "secret-key",
    "TICKS_CLIENT_CODE": "A123",
    "TICKS_PIN": "2468",
    "TICKS_TOTP_SECRET": "TICKSDEMOTICKSDE",
}
SECRETS = ["secret-key", "2468", "TICKSDEMO", "secret-refresh", "secret-feed", "head."]


class FakeApi:
    """Stands in for SmartApi; `calls` and `lifetime_s` belong to all of them."""

    calls: list[tuple[str, ...]]
    lifetime_s: float

    def __init__(self, rest_url: str, _clock: object) -> None:
        self.rest_url = rest_url

    def login(self, *call: str) -> Tokens:
        self.calls.append(("login", self.rest_url, *call[:3]))
        claims = json.dumps({"exp": time.time() + self.lifetime_s}).encode()
        jwt_token = f"head.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.tail"
        return Tokens(jwt_token, "secret-refresh", "secret-feed")

    def logout(self, *call: str) -> None:
        self.calls.append(("logout", self.rest_url, *call[:2]))


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[FakeApi]:
    FakeApi.calls, FakeApi.lifetime_s = [], 3600.0
    monkeypatch.setattr(smartapi, "SmartApi", FakeApi)
    monkeypatch.setenv("TICKS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TICKS_REST_URL", raising=False)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return FakeApi


def run(*arguments: str, typed: str = "") -> Result:
    app = typer.Typer()
    app.command()(commands.login)
    app.command()(commands.logout)
    result = CliRunner().invoke(app, arguments, input=typed)
    assert not any(secret in result.output for secret in SECRETS)
    return result


def test_a_login_says_who_until_when_and_where_in_one_line_on_stderr(api, tmp_path: Path) -> None:
    result = run("login")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("logged in: A123 · valid until 20")
    assert result.stderr.endswith(f" IST · kept in {tmp_path / 'home' / 'session.json'}\n")
    assert result.stderr.count("\n") == 1
    assert api.calls == [
        ("login", "https://apiconnect.angelone.in", "secret-key", "A123", "2468"),
    ]


def test_a_login_can_be_told_as_json(api, tmp_path: Path) -> None:
    told = json.loads(run("login", "--json").stdout)
    assert told["client_code"] == "A123"
    assert told["valid"] is True
    assert told["kept_in"] == str(tmp_path / "home" / "session.json")
    assert told["issued_at"] < told["expires_at"]
    assert told["expires_at"].endswith("+05:30")


def test_the_flag_beats_the_variable(api) -> None:
    assert "B456" in run("login", "--client-code", "B456").stderr
    assert api.calls[0][3] == "B456"


def test_another_address_is_used_and_checked(api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKS_REST_URL", "http://127.0.0.1:8080")
    run("login")
    assert api.calls[0][1] == "http://127.0.0.1:8080"
    monkeypatch.setenv("TICKS_REST_URL", "http://broker.example")
    assert isinstance(run("login").exception, UsageError)


def test_what_is_missing_is_named_where_nobody_can_be_asked(
    api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TICKS_PIN")
    error = run("login", typed="2468\n").exception
    assert isinstance(error, CredentialsMissingError)
    assert "TICKS_PIN" in str(error)
    assert api.calls == []


def test_only_what_is_missing_is_asked_for_on_a_terminal_unseen_and_on_stderr(
    api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TICKS_PIN")
    monkeypatch.delenv("TICKS_API_KEY")
    monkeypatch.setattr(commands, "_is_terminal", lambda: True)
    result = run("login", typed="secret-key\n 2468 \n")
    assert result.exit_code == 0
    assert result.stderr.index("API key:") < result.stderr.index("PIN (")
    assert "Client code" not in result.stderr
    assert api.calls[0][2:] == ("secret-key", "A123", "2468")


def test_status_is_told_on_stdout_and_asks_nobody(api) -> None:
    run("login")
    del api.calls[:]
    result = run("login", "--status")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("A123 · valid until ")
    assert json.loads(run("login", "--status", "--json").stdout)["valid"] is True
    assert api.calls == []


def test_status_without_a_session_is_a_fault_with_a_remedy(api) -> None:
    error = run("login", "--status").exception
    assert isinstance(error, SessionError)
    assert error.remedy == "run: ticks login"
    result = run("login", "--status", "--json")
    assert json.loads(result.stdout) == {"valid": False, "client_code": None}
    assert isinstance(result.exception, SessionError)


def test_status_of_a_session_that_ran_out_is_told_and_is_a_fault(api) -> None:
    api.lifetime_s = -60.0
    assert "A123 · expired at 20" in run("login").stderr
    result = run("login", "--status")
    assert "A123 · expired at 20" in result.stdout
    assert isinstance(result.exception, SessionError)


def test_status_refuses_a_file_that_others_may_read(api, tmp_path: Path) -> None:
    run("login")
    (tmp_path / "home" / "session.json").chmod(0o644)
    error = run("login", "--status").exception
    assert isinstance(error, SessionFileError)
    assert error.remedy.startswith("run: chmod 600 ")


def test_logout_says_what_it_did(api, tmp_path: Path) -> None:
    run("login")
    result = run("logout")
    assert (result.exit_code, result.stdout) == (0, "")
    path = tmp_path / "home" / "session.json"
    assert result.stderr == f"the session of A123 is ended; {path} deleted\n"
    assert api.calls[-1] == ("logout", "https://apiconnect.angelone.in", "secret-key", "A123")
    assert run("logout").stderr == "there was no session to end\n"
