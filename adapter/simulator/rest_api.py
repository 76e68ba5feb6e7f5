"""The REST side: login, refresh, profile, logout, and the instrument master over HTTP.

Source: protocol.md, "REST" and "Instrument master". Of the four shapes of failure, A (`errorcode`)
is what the application answers (AB...), B (`errorCode`, other keys) what the gateway before it
does (AG...), C is the rate limit's plain text, D the web firewall's page.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from .accounts import MESSAGES, Accounts, CallRefusedError, Tokens, bare_token
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


def failure(code: str, *, status: object = False, data: object = None) -> Reply:
    """The reply for one of the broker's error codes, in shape A or B."""
    body: dict[str, object]
    if code.startswith("AG"):
        body = {"success": False, "message": MESSAGES[code], "errorCode": code, "data": ""}
    else:
        body = {"status": status, "message": MESSAGES[code], "errorcode": code, "data": data}
    return Reply(json.dumps(body).encode())


def with_data(code: str, data: object) -> Reply:
    """The reply of a call with odd data: a failure where there is a code, else a success."""
    return failure(code, data=data) if code else success(data)


FAILED: dict[What, Callable[[Fault], Reply]] = {
    What.SHAPE_A: lambda fault: failure(fault.code),
    What.SHAPE_B: lambda fault: failure(fault.code),
    What.SHAPE_C: lambda fault: RATE_LIMITED,
    What.SHAPE_D: lambda fault: REQUEST_REJECTED,
    What.NULL: lambda fault: Reply(b"null"),
    What.FALSE: lambda fault: failure(fault.code, status="false"),
    What.NULL_DATA: lambda fault: with_data(fault.code, "null"),
    What.LIST_DATA: lambda fault: with_data(fault.code, []),
}
"""The reply to a call that a fault affects."""


def success(data: object) -> Reply:
    """The reply of a call that worked."""
    body = {"status": True, "message": "SUCCESS", "errorcode": "", "data": data}
    return Reply(json.dumps(body).encode())


class Rest:
    """Answers REST calls about the accounts, and hands out the instrument master."""

    def __init__(
        self,
        accounts: Accounts,
        master: bytes,
        journal: Journal,
        fault_injector: FaultInjector,
        *,
        has_rate_limits: bool = False,
    ) -> None:
        self._accounts = accounts
        self._master = master
        self._journal = journal
        self._fault_injector = fault_injector
        self._has_rate_limits = has_rate_limits
        self._recent: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        """By call and API key: when the calls of the last second came."""

    async def answer(self, request: Request) -> Reply:
        """The reply to a request; the journal keeps both."""
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
        elif self._is_over_limit(call, request.headers.get("x-privatekey", "")):
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
            return success(_profile(self._accounts.check_jwt(jwt).client_code))
        body = _json_object(request.body)
        if call == "login":
            tokens = self._accounts.login(
                body.get("clientcode"), body.get("password"), body.get("totp")
            )
        elif call == "refresh":
            once = self._fault_injector.take(call, {What.ONCE}) is not None
            tokens = self._accounts.refresh(jwt, body.get("refreshToken"), once=once)
        else:
            self._accounts.logout(jwt, body.get("clientcode"))
            return success("")
        data = _token_data(tokens)
        if self._fault_injector.take(call, {What.NO_REFRESH}) is not None:
            del data["refreshToken"]
        return success(data)

    def _is_over_limit(self, call: str, api_key: str) -> bool:
        if not self._has_rate_limits or call not in CALLS_PER_SECOND:
            return False
        now, recent = time.monotonic(), self._recent[call, api_key]
        while recent and recent[0] <= now - 1.0:
            recent.popleft()
        recent.append(now)
        return len(recent) > CALLS_PER_SECOND[call]


def _profile(client_code: str) -> dict[str, object]:
    return {
        "clientcode": client_code,
        "name": "SIMULATED CLIENT",
        "email": "",
        "mobileno": "",
        "exchanges": ["nse_cm", "nse_fo", "bse_cm", "bse_fo", "mcx_fo", "cde_fo"],
        "products": ["DELIVERY", "INTRADAY", "MARGIN"],
        "lastlogintime": "",
        "brokerid": "B2C",
    }


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
