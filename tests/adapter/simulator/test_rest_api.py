from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pyotp
import pytest

from ticks.adapter.simulator.accounts import Accounts, Credentials, numbered_accounts
from ticks.adapter.simulator.fault_injector import FaultInjector
from ticks.adapter.simulator.faults import parse_fault
from ticks.adapter.simulator.http_server import Reply, Request
from ticks.adapter.simulator.journal import Journal
from ticks.adapter.simulator.rest_api import CALLS, Rest

ME, OTHER = numbered_accounts(Credentials(), 2)
PATHS = {name: (method, path) for path, (method, name) in CALLS.items()}
JWT_NEEDED = ("profile", "logout")


class Client:
    """Calls the REST side of a simulator, with good headers and a good session."""

    def __init__(self, *faults: str, has_rate_limits: bool = False) -> None:
        fault_injector = FaultInjector([parse_fault(each) for each in faults], pytest.fail)
        accounts = Accounts([ME, OTHER], time.time)
        self.journal = Journal(keep_packets=False)
        self.rest = Rest(
            accounts, b"[]", self.journal, fault_injector, has_rate_limits=has_rate_limits
        )
        self.tokens = accounts.new_session(ME.client_code)

    def reply(self, call: str, body: bytes | dict[str, Any] = b"", **headers: str) -> Reply:
        method, path = PATHS[call]
        given = {"x-privatekey": ME.api_key, "authorization": f"Bearer {self.tokens.jwt}"} | headers
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return asyncio.run(self.rest.answer(Request(method, path, given, content)))

    def json(self, call: str, body: bytes | dict[str, Any] = b"", **headers: str) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.reply(call, body, **headers).body)
        return decoded

    def login_body(self) -> dict[str, str]:
        code = pyotp.TOTP(ME.totp_secret).now()
        return {"clientcode": ME.client_code, "password": ME.pin, "totp": code}


def test_a_login_gives_the_three_tokens_in_the_documented_words() -> None:
    reply = Client().json("login", Client().login_body())
    assert (reply["status"], reply["message"], reply["errorcode"]) == (True, "SUCCESS", "")
    assert set(reply["data"]) == {"jwtToken", "refreshToken", "feedToken"}


def test_a_profile_names_its_client_code() -> None:
    assert Client().json("profile")["data"]["clientcode"] == ME.client_code


def test_a_refresh_gives_tokens_that_work() -> None:
    client = Client()
    new = client.json("refresh", {"refreshToken": client.tokens.refresh})["data"]
    assert client.json("profile", authorization=f"Bearer {new['jwtToken']}")["status"] is True


def test_after_a_logout_the_token_is_refused() -> None:
    client = Client()
    assert client.json("logout", {"clientcode": ME.client_code})["status"] is True
    assert client.json("profile")["errorCode"] == "AG8001"


@pytest.mark.parametrize("call", JWT_NEEDED)
@pytest.mark.parametrize(("jwt", "code"), [("", "AG8003"), ("Bearer forged", "AG8001")])
def test_a_secured_call_without_a_good_token_fails_in_shape_b(
    call: str, jwt: str, code: str
) -> None:
    reply = Client().json(call, {"clientcode": ME.client_code}, authorization=jwt)
    assert set(reply) == {"success", "message", "errorCode", "data"}
    assert (reply["success"], reply["errorCode"], reply["data"]) == (False, code, "")


def test_a_refused_login_fails_in_shape_a() -> None:
    reply = Client().json("login", Client().login_body() | {"totp": "000000"})
    assert reply == {
        "status": False,
        "message": "Invalid totp",
        "errorcode": "AB1050",
        "data": None,
    }


@pytest.mark.parametrize(
    ("call", "key", "code"),
    [
        ("login", "", "AG8004"),
        ("login", "other", "AB1034"),
        ("profile", "other", "AG8004"),
        ("refresh", "", "AG8004"),
    ],
)
def test_a_wrong_api_key_is_refused_before_anything_else(call: str, key: str, code: str) -> None:
    reply = Client().json(call, **{"x-privatekey": key})
    assert code in (reply.get("errorCode"), reply.get("errorcode"))


@pytest.mark.parametrize("body", [b"", b"no json", b"[1]", b"\xff"])
def test_a_body_that_is_not_a_json_object_is_an_error_of_the_application(body: bytes) -> None:
    assert Client().json("login", body)["errorcode"] == "AB1004"


def test_the_instrument_master_needs_no_headers() -> None:
    assert Client().reply("instruments", authorization="", **{"x-privatekey": ""}).body == b"[]"


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", PATHS["login"][1])])
def test_what_is_not_there_is_404_and_no_json(method: str, path: str) -> None:
    reply = asyncio.run(Client().rest.answer(Request(method, path, {}, b"")))
    assert (reply.status, reply.content_type) == (404, "text/html")


def test_over_the_rate_limit_a_call_fails_in_shape_c() -> None:
    client = Client(has_rate_limits=True)
    replies = [client.reply("profile") for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 403]
    assert replies[-1].body == b"Access denied because of exceeding access rate"
    assert client.reply("refresh", {"refreshToken": client.tokens.refresh}).status == 200


def test_the_journal_knows_each_call_and_how_it_ended() -> None:
    client = Client()
    client.reply("login", client.login_body())
    client.reply("login", b"{}")
    client.reply("profile", authorization="")
    assert [(each.call, each.code) for each in client.journal.calls] == [
        ("login", ""),
        ("login", "AB1007"),
        ("profile", "AG8003"),
    ]


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("profile:A", 200, b'"errorcode": "AB1004"'),
        ("profile:A:AB1010", 200, b'"errorcode": "AB1010"'),
        ("profile:B", 200, b'"errorCode": "AG8001"'),
        ("profile:C", 403, b"Access denied because of exceeding access rate"),
        ("profile:D", 200, b"Request Rejected"),
        ("profile:null", 200, b"null"),
    ],
)
def test_a_fault_fails_the_next_call_in_its_shape_and_no_other(
    fault: str, status: int, body: bytes
) -> None:
    client = Client(fault)
    assert client.reply("instruments").body == b"[]"
    reply = client.reply("profile")
    assert (reply.status, body in reply.body) == (status, True)
    assert client.json("profile")["status"] is True
    assert client.journal.calls[1].code != ""


def test_a_fault_may_be_counted() -> None:
    client = Client("login:Cx2")
    assert [client.reply("login", client.login_body()).status for _ in range(3)] == [403, 403, 200]


def test_a_delayed_call_is_answered_late_and_right() -> None:
    client = Client("profile:delay:50ms")
    start_s = time.monotonic()
    assert client.json("profile")["status"] is True
    assert time.monotonic() - start_s >= 0.05


@pytest.mark.parametrize(
    ("fault", "reply"),
    [
        (
            "login:false:AB1007",
            {
                "status": "false",
                "message": "Invalid login id or password",
                "errorcode": "AB1007",
                "data": None,
            },
        ),
        (
            "login:null-data",
            {"status": True, "message": "SUCCESS", "errorcode": "", "data": "null"},
        ),
        (
            "login:null-data:AB1050",
            {"status": False, "message": "Invalid totp", "errorcode": "AB1050", "data": "null"},
        ),
        ("login:list-data", {"status": True, "message": "SUCCESS", "errorcode": "", "data": []}),
        (
            "login:list-data:AB1050",
            {"status": False, "message": "Invalid totp", "errorcode": "AB1050", "data": []},
        ),
    ],
)
def test_a_reply_may_have_an_odd_status_or_odd_data(fault: str, reply: dict[str, Any]) -> None:
    client = Client(fault)
    assert client.json("login", client.login_body()) == reply
    assert client.json("login", client.login_body())["data"]["jwtToken"]


@pytest.mark.parametrize("call", ["login", "refresh"])
def test_tokens_may_come_without_the_refresh_token(call: str) -> None:
    client = Client(f"{call}:no-refresh")
    body = client.login_body() if call == "login" else {"refreshToken": client.tokens.refresh}
    assert set(client.json(call, body)["data"]) == {"jwtToken", "feedToken"}


def test_a_refresh_token_may_work_once() -> None:
    client = Client("refresh:once")
    body = {"refreshToken": client.tokens.refresh}
    assert client.json("refresh", body)["status"]
    assert client.json("refresh", body)["errorcode"] == "AB8050"


def test_limits_count_for_each_account() -> None:
    client = Client(has_rate_limits=True)
    client.reply("profile")
    for _ in range(3):
        client.reply("profile", **{"x-privatekey": OTHER.api_key})
    assert client.reply("profile").status == 200
    assert client.reply("profile", **{"x-privatekey": OTHER.api_key}).status == 403
