"""What a SmartAPI reply means: the data in it, or one of our errors. Pure.

Rules (protocol.md, "REST"; the HTTP status is believed only where the body says nothing)
- Success is a reply that does not deny it, carries no code of the broker's, and has the fields that
  the call is for.
- Failure comes in four documented shapes: A `status/errorcode`, B `success/errorCode`, C the plain
  text "exceeding access rate", D a web firewall's page "Request Rejected". A and B occur in more
  spellings than those: "false" as text, the code as a number, in a list, in `data`, in an
  `error` of its own. So the code is looked for in the whole reply, and it decides. JSON with words
  and a status of 400, 401 or 422, in the reply or its body, denies a login as well.
- A login that is answered with a code, or with a plain "no", is refused for good, unless the code
  is known to say "later": repeating failed logins locks accounts.
- AG8001 means a wrong API key at login and a dead token everywhere else.
- The broker's own words are shown, masked and cut short.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..errors import (
    BrokerBusyError,
    CredentialsRefusedError,
    NotSmartApiError,
    RateLimitedError,
    TicksError,
    TokenRefusedError,
    TotpRefusedError,
)
from ..http import Reply
from ..redaction import shown
from ..urls import without_secrets
from .tokens import bare_token, is_header_safe

SKEW_TO_NAME_S = 5.0
"""The Date header has whole seconds and the reply travels: less than this says nothing."""

_API_KEY_CODES = {"AG8004", "AB1034"}
_TOKEN_CODES = {"AG8001", "AG8002", "AG8003", "AB1010", "AB8050", "AB8051"}
_BUSY_CODES = {"AB1004"}
_BUSY_STATUSES = {500, 502, 503, 504}
_TOTP_CODE = "AB1050"
_KNOWN_CODES = {"AB1007", _TOTP_CODE} | _API_KEY_CODES | _TOKEN_CODES | _BUSY_CODES

_DENIALS = {400, 401, 422}

_MESSAGE_KEYS = (
    *("message", "errormessage", "errmsg", "emsg", "msg"),
    *("description", "errordescription", "reason", "detail", "details", "error"),
)
_VERDICT_KEYS = {"status", "success", "stat"}
_YES = {"true", "success", "ok", "1"}
_NO = {"false", "fail", "failed", "failure", "error", "0", "no", "n", "e", "not_ok", "nok"}
_CODE_KEYS = {"errorcode", "errcode", "errorno", "errno"}
_NO_CODE = {"", "0", "null", "none"}
_IS_A_CODE = re.compile(r"[A-Z]{1,4}-?[0-9]{1,6}").fullmatch
_CODE_IN_TEXT = re.compile(r"\bA[BG][0-9]{4}\b")
_DEEPEST = 4
_RATE_WORDS = ("exceeding access rate", "too many requests")


class Call(Enum):
    """The calls made, each with the fields that its reply must have."""

    LOGIN = ("login", ("jwtToken", "feedToken"))
    REFRESH = ("renewal of the tokens", ("jwtToken", "feedToken"))
    PROFILE = ("profile", ("clientcode",))
    LOGOUT = ("logout", ())

    def __init__(self, title: str, wanted: tuple[str, ...]) -> None:
        self.title = title
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, and of whom.

    `skew_s`: how far this machine's clock is ahead of the broker's; None without a Date.
    """

    call: Call
    rest_url: str
    skew_s: float | None


def data_of(reply: Reply, asked: Asked) -> dict[str, Any]:
    """The reply's `data`: every wanted field a header-safe text, tokens bare.

    A refresh token is not wanted, for a stream can do without; "" where there is none.
    Raises CredentialsRefusedError, TotpRefusedError, TokenRefusedError, BrokerBusyError,
    RateLimitedError or NotSmartApiError.
    """
    content = _parsed(reply.body)
    verdict = _verdict(content)
    data = _data(content)
    lacking = [name for name in asked.call.wanted if not is_header_safe(data[name])]
    is_redirect = 300 <= reply.status < 400
    code = _code(content)
    is_coded = code is not None and _CODE_IN_TEXT.fullmatch(code) is not None
    is_denied = verdict is False or is_coded
    if not is_denied and not lacking and not is_redirect and (verdict or asked.call.wanted):
        return data
    code = code or _code_in_text(reply.body)
    message = _message(content)
    if asked.call is Call.LOGIN and message and _status_in(content, reply.status) in _DENIALS:
        is_denied = True
    if is_redirect or (code is None and not is_denied):
        raise _unreadable(reply, asked, lacking if verdict else [], message)
    raise _refusal(code or "", message, reply, asked)


def _parsed(body: bytes | bytearray) -> Any:
    """The JSON in `body`, or None."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _fields(content: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every key and value in `content`, the outer ones first; keys without case and underscores."""
    if depth > _DEEPEST:
        return
    if isinstance(content, dict):
        for key, value in content.items():
            yield str(key).lower().replace("_", "").replace("-", ""), value
    values = content.values() if isinstance(content, dict) else content
    if isinstance(content, dict | list):
        for value in values:
            yield from _fields(value, depth + 1)


def _verdict(content: Any) -> bool | None:
    """Whether the reply calls itself a success; None where it does not say."""
    for key, value in _fields(content):
        if key in _VERDICT_KEYS:
            text = str(value).strip().lower()
            if text in _YES:
                return True
            if text in _NO:
                return False
    return None


def _data(content: Any) -> dict[str, Any]:
    """The object that the reply calls `data`, its tokens bare; "" for each text that it lacks."""
    found: Any = next((value for key, value in _fields(content) if key == "data"), None)
    if isinstance(found, list) and found:
        found = found[0]
    data: dict[str, Any] = dict(found) if isinstance(found, dict) else {}
    for name in ("jwtToken", "refreshToken", "feedToken", "clientcode"):
        text = data.get(name)
        bare = bare_token(text) if isinstance(text, str) else ""
        data[name] = bare if is_header_safe(bare) else ""
    return data


def _code(content: Any) -> str | None:
    """The broker's error code in a field of its own; None when there is none."""
    for key, value in _fields(content):
        if isinstance(value, str | int):
            code = str(value).strip()
            if key in _CODE_KEYS and code.lower() not in _NO_CODE:
                return code
            if key == "code" and _IS_A_CODE(code):
                return code
    return None


def _code_in_text(body: bytes | bytearray) -> str | None:
    found = _CODE_IN_TEXT.search(body.decode("utf-8", "replace"))
    return found.group() if found else None


def _status_in(content: Any, status: int) -> int:
    """The HTTP status, as the body has it where it does: some always send 200."""
    for key, value in _fields(content):
        if key in ("status", "statuscode", "code") and str(value) in ("400", "401", "422"):
            return int(value)
    return status


def _message(content: Any) -> str:
    """What the broker says about it, or ""."""
    texts = [(key, value) for key, value in _fields(content) if isinstance(value, str)]
    said = (text for wanted in _MESSAGE_KEYS for key, text in texts if key == wanted)
    return next((text for text in said if text.strip()), "")


def _refusal(code: str, message: str, reply: Reply, asked: Asked) -> TicksError:
    """Shapes A and B, distinguished by their code."""
    # A known code stays readable even where it holds the digits of a PIN.
    name = code if code in _KNOWN_CODES else shown(code)
    said = ": ".join(part for part in (name, shown(message)) if part) or "without a reason"
    is_login = asked.call is Call.LOGIN
    values: dict[str, Any] = {"call": asked.call.title, "code": name, "said": said}
    if code == _TOTP_CODE:
        return _code_refused(said, asked.skew_s, values)
    if code not in _KNOWN_CODES and _is_rate_limit(message, reply.status):
        return _rate_limited(asked, said)
    if code in _BUSY_CODES or (reply.status >= 500 and code not in _KNOWN_CODES and not is_login):
        return BrokerBusyError(
            f"the broker cannot do the {asked.call.title} right now ({said})",
            kind="broker-busy",
            **values,
        )
    if code in _API_KEY_CODES or (is_login and code == "AG8001"):
        return CredentialsRefusedError(
            f"the broker does not know the API key ({said})", kind="api-key-refused", **values
        )
    if is_login:
        return CredentialsRefusedError(
            f"the broker refused the login ({said})", kind="login-refused", **values
        )
    if code in _TOKEN_CODES or reply.status == 401:
        return _token_refused(said, asked)
    return BrokerBusyError(
        f"the broker refused the {asked.call.title} ({said})", kind="call-refused", **values
    )


def _code_refused(said: str, skew_s: float | None, values: dict[str, Any]) -> TotpRefusedError:
    message = f"the broker refused the TOTP code ({said})"
    if skew_s is None or abs(skew_s) <= SKEW_TO_NAME_S:
        return TotpRefusedError(message, kind="totp-refused", **values)
    side = "ahead of" if skew_s > 0 else "behind"
    message += f"; this machine's clock is {abs(skew_s):.0f} s {side} the broker's"
    return TotpRefusedError(message, kind="totp-clock", skew_s=skew_s, **values)


def _token_refused(said: str, asked: Asked) -> TokenRefusedError:
    return TokenRefusedError(
        f"the broker no longer accepts this session: {asked.call.title} refused ({said})",
        kind="session-over",
        call=asked.call.title,
        said=said,
    )


def _is_rate_limit(text: str, status: int) -> bool:
    return status == 429 or any(words in text.lower() for words in _RATE_WORDS)


def _rate_limited(asked: Asked, said: str) -> RateLimitedError:
    return RateLimitedError(
        f"the broker refused the {asked.call.title}: too many calls ({said})",
        kind="rate-limit",
        call=asked.call.title,
    )


def _unreadable(reply: Reply, asked: Asked, lacking: list[str], message: str) -> TicksError:
    """Shapes C and D, and whatever else is not a reply of SmartAPI."""
    text = reply.body.decode("utf-8", "replace")
    status = reply.status
    values: dict[str, Any] = {"call": asked.call.title, "status": status}
    if 300 <= status < 400:
        target = shown(without_secrets(reply.location)) or "nowhere"
        return _foreign(asked, f"it redirects (HTTP {status}, to {target})")
    if _is_rate_limit(text, status):
        return _rate_limited(asked, f"HTTP {status}")
    if status == 403 or "request rejected" in text.lower():
        return BrokerBusyError(
            f"the broker's web firewall refused the {asked.call.title} (HTTP {status})",
            kind="firewall",
            **values,
        )
    if status == 401 and asked.call is not Call.LOGIN:
        return _token_refused(f"HTTP {status}", asked)
    if status in _BUSY_STATUSES:
        return BrokerBusyError(
            f"the broker cannot do the {asked.call.title} right now (HTTP {status})",
            kind="broker-busy",
            **values,
        )
    said = f" ({shown(message)})" if message else ""
    if lacking:
        return _foreign(asked, f"its reply has no usable {lacking[0]}{said}")
    return _foreign(asked, f"HTTP {status} with a reply that SmartAPI does not give{said}")


def _foreign(asked: Asked, reason: str) -> NotSmartApiError:
    address = without_secrets(asked.rest_url)
    return NotSmartApiError(
        f"what answers at {address} is not SmartAPI: {reason}", kind="not-smartapi", url=address
    )
