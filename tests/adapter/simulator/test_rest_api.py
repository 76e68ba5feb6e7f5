from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pyotp
import pytest

from ticks.adapter.simulator.accounts import Accounts, Credentials
from ticks.adapter.simulator.fault_injector import FaultInjector
from ticks.adapter.simulator.faults import parse_fault
from ticks.adapter.simulator.http_server import Reply, Request
from ticks.adapter.simulator.journal import Journal
from ticks.adapter.simulator.rest_api import CALLS, Rest

ME = Credentials()
PATHS = {name: (method, path) for path, (method, name) in CALLS.items()}
JWT_NEEDED = ("profile", "logout")


class Desk:
    """Asks the REST side of a simulator, with good headers and a good session."""

    def __init__(self, *faults: str, has_rate_limits: bool = False) -> None:
        fault_injector = FaultInjector([parse_fault(each) for each in faults], pytest.fail)
        accounts = Accounts(ME, time.time)
        self.journal = Journal(keep_packets=False)
        self.rest = Rest(
            accounts, ME, b"[]", self.journal, fault_injector, has_rate_limits=has_rate_limits
        )
        self.tokens = accounts.new_session()

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
    reply = Desk().json("login", Desk().login_body())
    assert (reply["status"], reply["message"], reply["errorcode"]) == (True, "SUCCESS", "")
    assert set(reply["data"]) == {"jwtToken", "refreshToken", "feedToken"}


def test_a_profile_names_its_client_code() -> None:
    assert Desk().json("profile")["data"]["clientcode"] == ME.client_code


def test_a_refresh_gives_tokens_that_work() -> None:
    desk = Desk()
    new = desk.json("refresh", {"refreshToken": desk.tokens.refresh})["data"]
    assert desk.json("profile", authorization=f"Bearer {new['jwtToken']}")["status"] is True


def test_after_a_logout_the_token_is_refused() -> None:
    desk = Desk()
    assert desk.json("logout", {"clientcode": ME.client_code})["status"] is True
    assert desk.json("profile")["errorCode"] == "AG8001"


@pytest.mark.parametrize("call", JWT_NEEDED)
@pytest.mark.parametrize(("jwt", "code"), [("", "AG8003"), ("Bearer forged", "AG8001")])
def test_a_secured_call_without_a_good_token_fails_in_shape_b(
    call: str, jwt: str, code: str
) -> None:
    reply = Desk().json(call, {"clientcode": ME.client_code}, authorization=jwt)
    assert set(reply) == {"success", "message", "errorCode", "data"}
    assert (reply["success"], reply["errorCode"], reply["data"]) == (False, code, "")


def test_a_refused_login_fails_in_shape_a() -> None:
    reply = Desk().json("login", Desk().login_body() | {"totp": "000000"})
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
    reply = Desk().json(call, **{"x-privatekey": key})
    assert code in (reply.get("errorCode"), reply.get("errorcode"))


@pytest.mark.parametrize("body", [b"", b"no json", b"[1]", b"\xff"])
def test_a_body_that_is_no_json_object_is_an_error_of_the_application(body: bytes) -> None:
    assert Desk().json("login", body)["errorcode"] == "AB1004"


def test_the_instrument_master_needs_no_headers() -> None:
    assert Desk().reply("instruments", authorization="", **{"x-privatekey": ""}).body == b"[]"


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", PATHS["login"][1])])
def test_what_is_not_there_is_404_and_no_json(method: str, path: str) -> None:
    reply = asyncio.run(Desk().rest.answer(Request(method, path, {}, b"")))
    assert (reply.status, reply.content_type) == (404, "text/html")


def test_over_the_rate_limit_a_call_fails_in_shape_c() -> None:
    desk = Desk(has_rate_limits=True)
    replies = [desk.reply("profile") for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 403]
    assert replies[-1].body == b"Access denied because of exceeding access rate"
    assert desk.reply("refresh", {"refreshToken": desk.tokens.refresh}).status == 200


def test_the_journal_knows_each_call_and_how_it_ended() -> None:
    desk = Desk()
    desk.reply("login", desk.login_body())
    desk.reply("login", b"{}")
    desk.reply("profile", authorization="")
    assert [(each.call, each.code) for each in desk.journal.calls] == [
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
    desk = Desk(fault)
    assert desk.reply("instruments").body == b"[]"
    reply = desk.reply("profile")
    assert (reply.status, body in reply.body) == (status, True)
    assert desk.json("profile")["status"] is True
    assert desk.journal.calls[1].code != ""


def test_a_fault_may_be_counted() -> None:
    desk = Desk("login:Cx2")
    assert [desk.reply("login", desk.login_body()).status for _ in range(3)] == [403, 403, 200]


def test_a_delayed_call_is_answered_late_and_right() -> None:
    desk = Desk("profile:delay:50ms")
    start_s = time.monotonic()
    assert desk.json("profile")["status"] is True
    assert time.monotonic() - start_s >= 0.05
