"""What a SmartAPI reply means: the data in it, or one of our errors. Pure.

Rules (protocol.md, "REST"; the HTTP status is believed only where the body says nothing)
- Success is `status` or `success` being true, with the fields that the call is for.
- Failure comes in four shapes: A `status/errorcode`, B `success/errorCode`, C the plain text
  "exceeding access rate", D a web firewall's page "Request Rejected". A and B are told by code.
- AG8001 means a wrong API key at login and a dead token everywhere else.
- A login refused with a code that is not known here counts as refused for good: repeating failed
  logins locks accounts.
- The broker's own words are shown, cut short, without control characters, and never with a secret
  that it may have echoed.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
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
from ..urls import without_secrets
from .tokens import bare_token, is_header_safe

SKEW_TO_NAME_S = 5.0
"""The Date header has whole seconds and the reply travels: less than this says nothing."""
_MOST_SHOWN = 200

_API_KEY_CODES = {"AG8004", "AB1034"}
_TOKEN_CODES = {"AG8001", "AG8002", "AG8003", "AB1010", "AB8050", "AB8051"}
_BUSY_CODES = {"AB1004"}
_BUSY_STATUSES = {500, 502, 503, 504}
_TOTP_CODE = "AB1050"
_KNOWN_CODES = {"AB1007", _TOTP_CODE} | _API_KEY_CODES | _TOKEN_CODES


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply. `server_wall_s` is its Date, seconds since 1970; `location` "" if none."""

    status: int
    body: bytes = field(repr=False)
    location: str = ""
    server_wall_s: float | None = None


class Call(Enum):
    """The calls made, each with the fields that its reply must bring."""

    LOGIN = ("login", ("jwtToken", "refreshToken", "feedToken"))
    REFRESH = ("renewal of the tokens", ("jwtToken", "refreshToken", "feedToken"))
    PROFILE = ("profile", ("clientcode",))
    LOGOUT = ("logout", ())

    def __init__(self, title: str, wanted: tuple[str, ...]) -> None:
        self.title = title
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, of whom, and what must not be shown.

    `skew_s`: how far this machine's clock is ahead of the broker's; None without a Date.
    """

    call: Call
    rest_url: str
    skew_s: float | None
    secrets: Collection[str] = field(default=(), repr=False)


def data_of(reply: Reply, asked: Asked) -> dict[str, Any]:
    """The reply's `data`, with every wanted field a header-safe text and the JWT bare.

    Raises CredentialsRefusedError, TotpRefusedError, TokenRefusedError, BrokerBusyError,
    RateLimitedError or NotSmartApiError.
    """
    record = _parsed(reply.body)
    is_done = record.get("status", record.get("success"))
    code = record.get("errorcode", record.get("errorCode"))
    if reply.status == 429 or not isinstance(is_done, bool) or 300 <= reply.status < 400:
        raise _unreadable(reply, asked)
    if not is_done:
        if not isinstance(code, str):
            raise _unreadable(reply, asked)
        raise _refusal(code, record.get("message"), reply, asked)
    found = record.get("data")
    data: dict[str, Any] = dict(found) if isinstance(found, dict) else {}
    for name in asked.call.wanted:
        text = data.get(name)
        if not isinstance(text, str) or not is_header_safe(bare_token(text)):
            raise _foreign(asked, f"its reply has no usable {name}")
        data[name] = bare_token(text)
    return data


def _parsed(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, or an empty one."""
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _refusal(code: str, message: object, reply: Reply, asked: Asked) -> TicksError:
    """Shapes A and B, told by their code."""
    said = _shown(": ".join(str(part) for part in (code, message) if part), asked.secrets)
    is_login = asked.call is Call.LOGIN
    if code == _TOTP_CODE:
        return _code_refused(said, asked.skew_s)
    if code in _BUSY_CODES or (reply.status >= 500 and code not in _KNOWN_CODES):
        return BrokerBusyError(
            f"the broker could not do the {asked.call.title} now ({said})",
            remedy="try again in a minute",
        )
    if code in _API_KEY_CODES or (is_login and code == "AG8001"):
        return CredentialsRefusedError(
            f"the broker does not know the API key ({said})",
            remedy="check TICKS_API_KEY against the app's key at smartapi.angelone.in",
        )
    if is_login:
        return CredentialsRefusedError(
            f"the broker refused the login ({said})",
            remedy="check TICKS_CLIENT_CODE and TICKS_PIN: the PIN is the four-digit one of the"
            " Angel One app, not the web password",
        )
    if code in _TOKEN_CODES or reply.status == 401:
        return _token_refused(said, asked)
    return BrokerBusyError(
        f"the broker turned the {asked.call.title} down ({said})",
        remedy="try again in a minute; if it stays, run: ticks login",
    )


def _code_refused(said: str, skew_s: float | None) -> TotpRefusedError:
    message = f"the broker refused the TOTP code ({said})"
    remedy = "check TICKS_TOTP_SECRET and this machine's clock"
    if skew_s is not None and abs(skew_s) > SKEW_TO_NAME_S:
        side = "ahead of" if skew_s > 0 else "behind"
        message += f"; this machine's clock is {abs(skew_s):.0f} s {side} the broker's"
        remedy = "set this machine's clock (turn time synchronisation on), then log in again"
    return TotpRefusedError(message, remedy=remedy)


def _token_refused(said: str, asked: Asked) -> TokenRefusedError:
    return TokenRefusedError(
        f"the broker no longer accepts this session: {asked.call.title} refused ({said})",
        remedy="run: ticks login",
    )


def _unreadable(reply: Reply, asked: Asked) -> TicksError:
    """Shapes C and D, and whatever else is no SmartAPI reply."""
    text = reply.body.decode("utf-8", "replace")
    status = reply.status
    if 300 <= status < 400:
        target = without_secrets(reply.location) or "nowhere"
        return _foreign(asked, f"it sends callers elsewhere (HTTP {status}, to {target})")
    if status == 429 or "exceeding access rate" in text.lower():
        return RateLimitedError(
            f"the broker turned the {asked.call.title} down: too many calls (HTTP {status})",
            remedy="wait a minute at least before the next try",
        )
    if status == 403 or "request rejected" in text.lower():
        return BrokerBusyError(
            f"the broker's web firewall turned the {asked.call.title} down (HTTP {status})",
            remedy="try again in a minute; if it stays, try from another network",
        )
    if status == 401 and asked.call is not Call.LOGIN:
        return _token_refused(f"HTTP {status}", asked)
    if status in _BUSY_STATUSES:
        return BrokerBusyError(
            f"the broker could not do the {asked.call.title} now (HTTP {status})",
            remedy="try again in a minute",
        )
    return _foreign(asked, f"HTTP {status} with a reply that no SmartAPI gives")


def _foreign(asked: Asked, reason: str) -> NotSmartApiError:
    return NotSmartApiError(
        f"what answers at {without_secrets(asked.rest_url)} is no SmartAPI: {reason}",
        remedy="check TICKS_REST_URL, and that no proxy or captive portal stands in between",
    )


def _shown(text: str, secrets: Collection[str]) -> str:
    """`text` as it may be shown: no secret, no control characters, not long."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_MOST_SHOWN]
