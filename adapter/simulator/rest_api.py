"""The REST side: login, refresh, profile, logout, and the instrument master over HTTP.

Source: protocol.md, "REST" and "Instrument master". Of the four shapes of failure, A (`errorcode`)
is what the application answers (AB...), B (`errorCode`, other keys) what the gateway before it
does (AG...), C is the rate limit's plain text, D the web firewall's page.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from .accounts import MESSAGES, Accounts, CallRefusedError, Credentials, Tokens, bare_token
from .fault_injector import FaultInjector
from .faults import Fault, What
from .http_server import Reply, Request
from .journal import Journal, RestCall, Timestamp

INSTRUMENTS_PATH = "/OpenAPI_File/files/OpenAPIScripMaster.json"
CALLS = {
    "/rest/auth/angelbroking/user/v1/loginByPassword": ("POST", "login"),
    "/rest/auth/angelbroking/jwt/v1/generateTokens": ("POST", "refresh"),
    "/rest/secure/angelbroking/user/v1/getProfile": ("GET", "profile"),
    "/rest/secure/angelbroking/user/v1/logout": ("POST", "logout"),
    INSTRUMENTS_PATH: ("GET", "instruments"),
}
"""Path: its method, and the name of the call in the journal."""
CALLS_PER_SECOND = {"login": 1, "refresh": 1, "profile": 3, "logout": 1}

RATE_LIMITED = Reply(b"Access denied because of exceeding access rate", 403, "text/plain")
"""Shape C."""
REQUEST_REJECTED = Reply(
    b"<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. "
    b"Please consult with your administrator.</body></html>",
    content_type="text/html",
)
"""Shape D."""


def failure(code: str) -> Reply:
    """The reply for one of the broker's error codes, in shape A or B."""
    body: dict[str, Any]
    if code.startswith("AG"):
        body = {"success": False, "message": MESSAGES[code], "errorCode": code, "data": ""}
    else:
        body = {"status": False, "message": MESSAGES[code], "errorcode": code, "data": None}
    return Reply(json.dumps(body).encode())


FAILED: dict[What, Callable[[Fault], Reply]] = {
    What.SHAPE_A: lambda fault: failure(fault.code),
    What.SHAPE_B: lambda fault: failure(fault.code),
    What.SHAPE_C: lambda fault: RATE_LIMITED,
    What.SHAPE_D: lambda fault: REQUEST_REJECTED,
    What.NULL: lambda fault: Reply(b"null"),
}
"""What a call is answered when a fault meets it."""


def success(data: object) -> Reply:
    """The reply of a call that worked."""
    body = {"status": True, "message": "SUCCESS", "errorcode": "", "data": data}
    return Reply(json.dumps(body).encode())


class Rest:
    """Answers REST calls about one account, and hands out the instrument master."""

    def __init__(
        self,
        accounts: Accounts,
        credentials: Credentials,
        master: bytes,
        journal: Journal,
        fault_injector: FaultInjector,
        *,
        has_rate_limits: bool = False,
    ) -> None:
        self._accounts = accounts
        self._credentials = credentials
        self._master = master
        self._journal = journal
        self._fault_injector = fault_injector
        self._recent: dict[str, deque[float]] | None = (
            {call: deque() for call in CALLS_PER_SECOND} if has_rate_limits else None
        )

    async def answer(self, request: Request) -> Reply:
        """The reply to a request, which the journal then knows."""
        method, call = CALLS.get(request.path, ("", request.path))
        late = self._fault_injector.take(call, {What.DELAY})
        if late is not None and late.duration_s is not None:
            await asyncio.sleep(late.duration_s)
        fault = self._fault_injector.take(call, FAILED)
        code = ""
        if fault is not None:
            reply, code = FAILED[fault.what](fault), fault.code or fault.what
        elif method != request.method:
            reply = Reply(b"<html><body>Not Found</body></html>", 404, "text/html")
        elif self._is_over_limit(call):
            reply = RATE_LIMITED
        else:
            try:
                reply = self._reply(call, request)
            except CallRefusedError as error:
                code = error.code
                reply = failure(code)
        if not code and reply.status != 200:
            code = str(reply.status)
        self._journal.calls.append(
            RestCall(Timestamp.now(), call, reply.status, code, request.headers, request.body)
        )
        self._journal.changed()
        return reply

    def _reply(self, call: str, request: Request) -> Reply:
        if call == "instruments":
            return Reply(self._master)
        jwt = bare_token(request.headers.get("authorization", ""))
        api_key = request.headers.get("x-privatekey", "")
        self._accounts.check_api_key(api_key, wrong="AB1034" if call == "login" else "AG8004")
        if call == "profile":
            self._accounts.check_jwt(jwt)
            return success(self._profile())
        body = _json_object(request.body)
        if call == "login":
            tokens = self._accounts.login(
                body.get("clientcode"), body.get("password"), body.get("totp")
            )
            return success(_token_data(tokens))
        if call == "refresh":
            return success(_token_data(self._accounts.refresh(jwt, body.get("refreshToken"))))
        self._accounts.logout(jwt, body.get("clientcode"))
        return success("")

    def _profile(self) -> dict[str, object]:
        return {
            "clientcode": self._credentials.client_code,
            "name": "SIMULATED CLIENT",
            "email": "",
            "mobileno": "",
            "exchanges": ["nse_cm", "nse_fo", "bse_cm", "bse_fo", "mcx_fo", "cde_fo"],
            "products": ["DELIVERY", "INTRADAY", "MARGIN"],
            "lastlogintime": "",
            "brokerid": "B2C",
        }

    def _is_over_limit(self, call: str) -> bool:
        if self._recent is None or call not in self._recent:
            return False
        now, recent = time.monotonic(), self._recent[call]
        while recent and recent[0] <= now - 1.0:
            recent.popleft()
        recent.append(now)
        return len(recent) > CALLS_PER_SECOND[call]


def _token_data(tokens: Tokens) -> dict[str, str]:
    return {
        "jwtToken": tokens.jwt,
        "refreshToken": tokens.refresh,
        "feedToken": tokens.feed,
    }


def _json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a request. Raises CallRefusedError AB1004 when there is none."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise CallRefusedError("AB1004") from error
    if not isinstance(value, dict):
        raise CallRefusedError("AB1004")
    return value
