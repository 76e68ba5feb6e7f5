from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ticks.adapter.auth.smartapi import Profile, SmartApi
from ticks.adapter.auth.tokens import Tokens
from ticks.adapter.errors import CredentialsRefusedError, NetworkError, TotpRefusedError

TOKENS = {"jwtToken": "j.w.t", "refreshToken": "r", "feedToken": "f"}


def success(data: object) -> str:
    return json.dumps({"status": True, "message": "SUCCESS", "errorcode": "", "data": data})


def request_of(server) -> tuple[str, dict[str, str], bytes]:
    """The first line, the headers (names in lower case) and the body of the only request."""
    (raw,) = server.requests
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines)
    return first, {name.lower(): value for name, value in pairs}, body


@pytest.fixture
def api(server, clock) -> SmartApi:
    return SmartApi(server.url + "/", clock, timeout_s=5)


def test_a_login_is_one_call_with_the_documented_headers_and_body(api: SmartApi, server) -> None:
    server.reply(success(TOKENS))
    assert api.login("key", "A123", "2468", "123456") == Tokens("j.w.t", "r", "f")
    first, headers, body = request_of(server)
    assert first == "POST /rest/auth/angelbroking/user/v1/loginByPassword HTTP/1.1"
    assert json.loads(body) == {"clientcode": "A123", "password": "2468", "totp": "123456"}
    assert headers["x-privatekey"] == "key"
    assert headers["content-type"] == headers["accept"] == "application/json"
    assert (headers["x-usertype"], headers["x-sourceid"]) == ("USER", "WEB")
    assert headers["x-macaddress"] == "00:00:00:00:00:00"
    assert "authorization" not in headers


def test_a_refresh_sends_the_old_jwt_and_gives_three_new_tokens(api: SmartApi, server) -> None:
    server.reply(success(TOKENS))
    assert api.refresh("key", "old.j.wt", "old-r") == Tokens("j.w.t", "r", "f")
    first, headers, body = request_of(server)
    assert first == "POST /rest/auth/angelbroking/jwt/v1/generateTokens HTTP/1.1"
    assert headers["authorization"] == "Bearer old.j.wt"
    assert json.loads(body) == {"refreshToken": "old-r"}


def test_a_reply_without_a_refresh_token_is_accepted(api: SmartApi, server) -> None:
    without = {"jwtToken": "j.w.t", "feedToken": "f"}
    server.reply(success(without))
    assert api.login("key", "A123", "2468", "123456") == Tokens("j.w.t", "", "f")
    server.reply(success(without))
    assert api.refresh("key", "old.j.wt", "old-r") == Tokens("j.w.t", "old-r", "f")


def test_a_profile_puts_no_secret_into_the_address(api: SmartApi, server) -> None:
    server.reply(success({"clientcode": "A123", "name": "A USER", "exchanges": ["NSE", "BSE"]}))
    assert api.profile("key", "j.w.t") == Profile("A123", "A USER", ("NSE", "BSE"))
    first, headers, body = request_of(server)
    assert first == "GET /rest/secure/angelbroking/user/v1/getProfile HTTP/1.1"
    assert headers["authorization"] == "Bearer j.w.t"
    assert body == b""


def test_a_profile_needs_no_more_than_the_client_code(api: SmartApi, server) -> None:
    server.reply(success({"clientcode": "A123", "name": None, "exchanges": "none"}))
    assert api.profile("key", "j.w.t") == Profile("A123", "", ())


def test_a_logout_names_the_client(api: SmartApi, server) -> None:
    server.reply(success(None))
    api.logout("key", "A123", "j.w.t")
    first, headers, body = request_of(server)
    assert first == "POST /rest/secure/angelbroking/user/v1/logout HTTP/1.1"
    assert headers["authorization"] == "Bearer j.w.t"
    assert json.loads(body) == {"clientcode": "A123"}


def test_the_clock_is_compared_with_the_replys_date(api: SmartApi, server, clock) -> None:
    server.reply(success(None), headers="Date: Fri, 20 Nov 2026 03:30:10 GMT\r\n")
    clock.turn(90)
    api.logout("key", "A123", "j.w.t")
    assert api.skew_s == pytest.approx(90)
    refusal = json.dumps({"status": False, "message": "Invalid totp", "errorcode": "AB1050"})
    server.reply(refusal, headers="Date: Fri, 20 Nov 2026 03:30:10 GMT\r\n")
    with pytest.raises(TotpRefusedError, match="clock is 90 s ahead of the broker's"):
        api.login("key", "A123", "2468", "123456")
    server.reply(success(None))
    api.logout("key", "A123", "j.w.t")
    assert api.skew_s is None


def test_secrets_that_the_broker_echoes_are_not_shown(api: SmartApi, server) -> None:
    words = "no: secret-key 2468 123456"
    server.reply(json.dumps({"success": False, "message": words, "errorCode": "AB1007"}))
    with pytest.raises(CredentialsRefusedError) as caught:
        api.login("secret-key", "A123", "2468", "123456")
    assert "AB1007: no: *** *** ***" in str(caught.value)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "clé"])
def test_an_api_key_that_no_header_can_hold_is_refused_unsent(api: SmartApi, key: str) -> None:
    with pytest.raises(CredentialsRefusedError, match="nothing was sent") as caught:
        api.login(key, "A123", "2468", "123456")
    assert key not in str(caught.value)


def test_no_network_is_a_network_error(clock) -> None:
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1:1 "):
        SmartApi("http://127.0.0.1:1", clock).login("key", "A123", "2468", "123456")


CONTAINMENT = """
import logging, socket, sys, threading, warnings
from urllib.parse import urlsplit

port = int(sys.argv[1])
real = socket.socket.connect
def connect(self, address):
    assert address == ("127.0.0.1", port), address
    return real(self, address)
socket.socket.connect = connect
def no_lookup(*arguments):
    raise AssertionError(arguments)
socket.gethostbyname = no_lookup

filters = list(warnings.filters)
from ticks.adapter.auth.authenticator import Authenticator
from ticks.adapter.auth.smartapi import SmartApi
from ticks.adapter.clock import SystemClock
from ticks.adapter.errors import TicksError

assert "SmartApi" not in sys.modules
api = SmartApi(f"http://127.0.0.1:{port}", SystemClock(), timeout_s=5)
texts = []
s = "sec" + "ret"  # since Python 3.13 a traceback quotes this program too
for call in (
    lambda: api.login(s + "-key", "A123", s + "-pin", s + "-code"),
    lambda: api.refresh(s + "-key", s + "-jwt", s + "-refresh"),
    lambda: api.profile(s + "-key", s + "-jwt"),
    lambda: api.logout(s + "-key", "A123", s + "-jwt"),
):
    try:
        call()
    except TicksError as error:
        import traceback
        texts.append("".join(traceback.format_exception(error)) + repr(error) + repr(error.values))
assert len(texts) == 4, texts
assert not any(s in text for text in texts), texts

loggers = [logging.root, *map(logging.getLogger, logging.root.manager.loggerDict)]
assert not any(logger.handlers for logger in loggers), loggers
assert warnings.filters == filters
for name in ("SmartApi", "requests", "logzero", "urllib3"):
    assert name not in sys.modules, name
assert threading.active_count() == 1
"""


def test_the_library_leaves_no_trace_in_the_process_or_the_folder(server, tmp_path: Path) -> None:
    refusal = {"message": "secret-key secret-pin", "errorcode": "AB1007", "status": False}
    server.reply(json.dumps(refusal))
    server.reply("<html>Request Rejected</html>", "403 Forbidden")
    server.reply("{")
    server.answers.append(b"")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", CONTAINMENT, str(server.port)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
