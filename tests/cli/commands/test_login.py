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
    DiskError,
    SessionError,
    SessionFileError,
    TotpRefusedError,
    UsageError,
)
from ticks.cli.commands import login as commands
from ticks.cli.exit_codes import ExitCode, exit_code_of, remedy_of

CREDENTIALS = {
    "TICKS_API_KEY": "secret-key",
    "TICKS_CLIENT_CODE": "A123",
    "TICKS_PIN": "2468",
    "TICKS_TOTP_SECRET": "TICKSDEMOTICKSDE",
}
SECRETS = ["secret-key", "2468", "TICKSDEMO", "secret-refresh", "secret-feed", "head."]


class FakeApi:
    """Stands in for SmartApi; what it was sent and is to do belongs to all of them."""

    calls: list[tuple[str, ...]]
    codes: list[str]
    failures: list[Exception]
    lifetime_s: float

    def __init__(self, rest_url: str, _clock: object) -> None:
        self.rest_url = rest_url

    def login(self, *call: str) -> Tokens:
        self.calls.append(("login", self.rest_url, *call[:3]))
        self.codes.append(call[3])
        if self.failures:
            raise self.failures.pop(0)
        claims = json.dumps({"exp": time.time() + self.lifetime_s}).encode()
        jwt_token = f"head.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.tail"
        return Tokens(jwt_token, "secret-refresh", "secret-feed")

    def logout(self, *call: str) -> None:
        self.calls.append(("logout", self.rest_url, *call[:2]))


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[FakeApi]:
    FakeApi.calls, FakeApi.codes, FakeApi.failures, FakeApi.lifetime_s = [], [], [], 3600.0
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


def test_a_login_can_be_printed_as_json(api, tmp_path: Path) -> None:
    printed = json.loads(run("login", "--json").stdout)
    assert printed["client_code"] == "A123"
    assert printed["valid"] is True
    assert printed["kept_in"] == str(tmp_path / "home" / "session.json")
    assert printed["issued_at"] < printed["expires_at"]
    assert printed["expires_at"].endswith("+05:30")


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


# --- on a terminal --------------------------------------------------------------------------------


@pytest.fixture
def on_terminal(api, monkeypatch: pytest.MonkeyPatch) -> type[FakeApi]:
    """Somebody can be asked, and nothing is in the environment."""
    monkeypatch.setattr(commands, "_is_terminal", lambda: True)
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    return api


def sent(api: type[FakeApi]) -> tuple[str, ...]:
    """API key, client code, PIN and code of the last login."""
    return (*api.calls[-1][2:], api.codes[-1])


def test_only_what_is_missing_is_asked_for_unseen_and_on_stderr(
    on_terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKS_CLIENT_CODE", "A123")
    monkeypatch.setenv("TICKS_TOTP_SECRET", CREDENTIALS["TICKS_TOTP_SECRET"])
    result = run("login", typed="secret-key\n 2468 \n")
    assert result.exit_code == 0
    assert result.stderr.index("API key:") < result.stderr.index("PIN (")
    assert "Client code" not in result.stderr
    assert "TOTP" not in result.stderr
    assert sent(on_terminal)[:3] == ("secret-key", "A123", "2468")


def test_a_phones_code_and_a_base32_secret_are_both_taken(on_terminal) -> None:
    assert run("login", typed="A123\nsecret-key\n2468\n987 654\n").exit_code == 0
    assert sent(on_terminal) == ("secret-key", "A123", "2468", "987654")
    assert run("login", typed="\n2468\nticks demo ticks demo\n").exit_code == 0
    assert sent(on_terminal)[3] != "987654"
    assert len(sent(on_terminal)[3]) == 6


def test_the_last_client_code_is_offered_and_its_api_key_not_asked_for_again(on_terminal) -> None:
    run("login", typed="A123\nsecret-key\n2468\n987654\n")
    result = run("login", typed="\n2468\n987655\n")
    assert "Client code [A123]: " in result.stderr
    assert "API key" not in result.stderr
    assert sent(on_terminal) == ("secret-key", "A123", "2468", "987655")


def test_another_client_code_needs_an_api_key_of_its_own(on_terminal) -> None:
    run("login", typed="A123\nsecret-key\n2468\n987654\n")
    run("login", typed="B456\nsecret-key-of-b\n2468\n987655\n")
    assert sent(on_terminal)[:2] == ("secret-key-of-b", "B456")


def test_what_cannot_be_right_is_asked_for_again_at_once_without_being_shown(on_terminal) -> None:
    wrong_and_right = [
        *("A 123", "A123"),
        *("secret key", "12345", "0f8fad5b-d9cb-469f-a165-70867728950e", "secret-key"),
        *("web-password", "246", "24680", "2468"),
        *("12345", "1234567", "no base32!", "ABCD", "987654"),
    ]
    result = run("login", typed="\n".join(wrong_and_right) + "\n")
    assert result.exit_code == 0
    assert sent(on_terminal) == ("secret-key", "A123", "2468", "987654")
    assert result.stderr.count("PIN (") == 4
    assert "secret key; the API key is the shorter one" in result.stderr
    assert not any(text in result.stderr for text in ("web-password", "0f8fad5b", "ABCD"))
    assert len(on_terminal.calls) == 1


def test_a_typed_code_that_is_refused_is_asked_for_once_more(on_terminal) -> None:
    refusal = TotpRefusedError("the broker refused the TOTP code", kind="totp-refused")
    on_terminal.failures = [refusal]
    result = run("login", typed="A123\nsecret-key\n2468\n987654\n111222\n")
    assert result.exit_code == 0
    assert "refused the TOTP code; wait for the next code" in result.stderr
    assert on_terminal.codes == ["987654", "111222"]
    on_terminal.failures = [refusal, refusal]
    result = run("login", typed="\n2468\n987654\n111222\n")
    assert isinstance(result.exception, TotpRefusedError)


def test_a_session_file_that_others_may_read_does_not_stop_a_login(
    on_terminal, tmp_path: Path
) -> None:
    run("login", typed="A123\nsecret-key\n2468\n987654\n")
    path = tmp_path / "home" / "session.json"
    path.chmod(0o644)
    assert run("login", typed="\n2468\n987655\n").exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_login_with_nowhere_to_save_its_session_fails(api, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "session.json").mkdir()
    error = run("login").exception
    assert isinstance(error, DiskError)
    assert exit_code_of(error) == ExitCode.OUTPUT


# --- the saved session ----------------------------------------------------------------------------


def test_status_is_printed_on_stdout_and_makes_no_call(api) -> None:
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
    assert error.kind == "no-session"
    result = run("login", "--status", "--json")
    assert json.loads(result.stdout) == {"valid": False, "client_code": None}
    assert isinstance(result.exception, SessionError)


def test_status_of_a_session_that_ran_out_is_shown_and_is_a_fault(api) -> None:
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
    assert remedy_of(error) == f"run: chmod 600 {tmp_path / 'home' / 'session.json'}"


def test_status_says_whose_session_it_is_where_it_is_anothers(
    api, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("login")
    result = run("login", "--client-code", "OTHER1", "--status")
    assert "no session of OTHER1: the saved one is A123's" in str(result.exception)
    assert exit_code_of(result.exception) == ExitCode.SESSION
    assert remedy_of(result.exception) == "run: ticks login --client-code OTHER1"
    monkeypatch.setenv("TICKS_API_KEY", "another-key")
    assert "with another API key" in str(run("login", "--status").exception)


def test_logout_says_what_it_did(api, tmp_path: Path) -> None:
    run("login")
    result = run("logout")
    assert (result.exit_code, result.stdout) == (0, "")
    path = tmp_path / "home" / "session.json"
    assert result.stderr == f"the session of A123 has ended; {path} deleted\n"
    assert api.calls[-1] == ("logout", "https://apiconnect.angelone.in", "secret-key", "A123")
    assert run("logout").stderr == "there was no session to end\n"
