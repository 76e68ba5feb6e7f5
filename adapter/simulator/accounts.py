"""Accounts, and the validity of their tokens.

Sources: protocol.md, "REST"; RFC 6238 (TOTP) and RFC 7519 (JWT). The one-time code is checked here
by hand, so that the client's library is not checked against itself.

Rules
- A code is good in its own 30 s window and in its neighbours', once: the second use is AB1050.
- A session is three tokens, all JWTs signed with a key that this simulator alone knows, so those of
  another one are refused as forged. By default they end at midnight IST, as the broker's do.
- A refresh issues three new tokens and leaves the old ones as they were (what the broker does with
  them is unknown). The JWT that comes with it may have ended, but must once have been issued.
- Logout ends the tokens of its session.
- Each account has credentials of its own; tokens, API key and client code of one are refused
  with those of another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from ..clock import IST

TOTP_WINDOW_S = 30
TOTP_DIGITS = 6
TOTP_SECRET_BYTES = 20

MESSAGES = {
    "AG8001": "Invalid Token",
    "AG8002": "Token Expired",
    "AG8003": "Token missing",
    "AG8004": "Invalid API Key",
    "AB8050": "Invalid Refresh Token",
    "AB8051": "Refresh Token Expired",
    "AB1004": "Something Went Wrong, Please Try After Sometime",
    "AB1007": "Invalid login id or password",
    "AB1010": "AMX Session Expired",
    "AB1034": "App not found",
    "AB1050": "Invalid totp",
}
"""The broker's error codes (protocol.md, "REST"); not all of the words are known to be its own."""

EXPIRED = {"jwt": "AG8002", "feed": "AG8002"}
REVOKED = {"jwt": "AG8001", "feed": "AG8001", "refresh": "AB8050"}
"""What the tokens of an ended session are refused with, by their use."""


class CallRefusedError(Exception):
    """The broker's answer to a call is an error; `code` is one of `MESSAGES`."""

    def __init__(self, code: str) -> None:
        super().__init__(MESSAGES[code])
        self.code = code


class HeaderRefusedError(Exception):
    """A handshake header is not what it should be; the text is the `x-error-message`."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """One account of a simulator: what a user of the real broker would keep secret."""

    api_key: str = "tickdemo"
    client_code: str = "T100200"
    pin: str = "2468"
    totp_secret: str = "TICKSDEMOTICKSDEMOTICKSDEMOTICKS"


def numbered_accounts(first: Credentials, number: int) -> list[Credentials]:
    """That many accounts: `first`, and others whose client codes count on from T100201."""
    accounts = [first]
    for n in range(1, number):
        client_code = f"T{100_200 + n}"
        digest = hashlib.sha256(client_code.encode()).digest()
        secret = base64.b32encode(digest[:TOTP_SECRET_BYTES]).decode()
        accounts.append(Credentials(f"tickdemo{n}", client_code, f"{2468 + n:04}"[-4:], secret))
    return accounts


class Owner(NamedTuple):
    """What a valid JWT stands for."""

    session: str
    client_code: str


class Tokens(NamedTuple):
    """What a login or a refresh gives."""

    jwt: str
    refresh: str
    feed: str


class Accounts:
    """The broker's accounts and their sessions.

    `wall_s` is the broker's time in seconds since the epoch; `lifetime_s` is how long JWT and
    feed token live (None: until midnight IST, as the refresh token always does).
    `refreshes_once`: a refresh token is invalid once it was used.
    """

    def __init__(
        self,
        credentials: Sequence[Credentials],
        wall_s: Callable[[], float],
        *,
        lifetime_s: float | None = None,
        accepts_code_once: bool = True,
        refreshes_once: bool = False,
    ) -> None:
        self._credentials = {each.client_code: each for each in credentials}
        self._wall_s = wall_s
        self._lifetime_s = lifetime_s
        self._accepts_code_once = accepts_code_once
        self._refreshes_once = refreshes_once
        self._used_codes: set[tuple[str, int]] = set()
        self._key = secrets.token_bytes(32)
        self._refusals: dict[str, dict[str, str]] = {}
        """By session: what each kind of token that has ended is refused with."""

    def check_api_key(self, api_key: str, *, wrong: str = "AG8004") -> None:
        """Raises CallRefusedError AG8004 for a missing key and `wrong` for one of no account."""
        if not api_key:
            raise CallRefusedError("AG8004")
        if api_key not in {each.api_key for each in self._credentials.values()}:
            raise CallRefusedError(wrong)

    def login(self, client_code: object, pin: object, totp: object) -> Tokens:
        """A new session. Raises CallRefusedError AB1007 (code or PIN) or AB1050."""
        account = self._credentials.get(str(client_code))
        if account is None or pin != account.pin:
            raise CallRefusedError("AB1007")
        self._use_code(account, str(totp))
        return self.new_session(account.client_code)

    def refresh(self, jwt: str, refresh_token: object, *, once: bool = False) -> Tokens:
        """Three new tokens; `once`: the refresh token is invalid from now on.

        Raises CallRefusedError AG8001, AG8003, AB8050 or AB8051.
        """
        if not jwt:
            raise CallRefusedError("AG8003")
        if self._claims(jwt, "jwt") is None:
            raise CallRefusedError("AG8001")
        claims = self._claims(str(refresh_token), "refresh")
        if claims is None:
            raise CallRefusedError("AB8050")
        refusal = self._refusals[claims["sid"]].get("refresh")
        if refusal or claims["exp"] <= self._wall_s():
            raise CallRefusedError(refusal or "AB8051")
        if once or self._refreshes_once:
            self._refusals[claims["sid"]]["refresh"] = REVOKED["refresh"]
        return self.new_session(claims["username"])

    def check_jwt(self, jwt: str) -> Owner:
        """Whose session a secured call belongs to. Raises CallRefusedError AG8001, 2 or 3."""
        if not jwt:
            raise CallRefusedError("AG8003")
        claims = self._claims(jwt, "jwt")
        if claims is None:
            raise CallRefusedError("AG8001")
        owner = Owner(claims["sid"], claims["username"])
        refusal = self._refusals[owner.session].get("jwt")
        if refusal or claims["exp"] <= self._wall_s():
            raise CallRefusedError(refusal or "AG8002")
        return owner

    def logout(self, jwt: str, client_code: object) -> None:
        """End a session. Raises CallRefusedError for a bad token or another one's client code."""
        owner = self.check_jwt(jwt)
        if client_code != owner.client_code:
            raise CallRefusedError("AB1007")
        self._refusals[owner.session] |= REVOKED

    def check_feed_headers(self, headers: Mapping[str, str]) -> str:
        """The client code that a handshake is for.

        `headers` has lower-case names. `Bearer ` before the JWT is optional. Raises
        HeaderRefusedError with the broker's text unless the handshake may pass.
        """
        try:
            owner = self.check_jwt(bare_token(headers.get("authorization", "")))
        except CallRefusedError as error:
            raise HeaderRefusedError("Invalid Header - Invalid Auth token") from error
        if headers.get("x-client-code") != owner.client_code:
            raise HeaderRefusedError("Invalid Header - Invalid Client Code")
        if headers.get("x-api-key") != self._credentials[owner.client_code].api_key:
            raise HeaderRefusedError("Invalid Header - Invalid API Key")
        claims = self._claims(headers.get("x-feed-token", ""), "feed")
        if (
            claims is None
            or claims["username"] != owner.client_code
            or claims["exp"] <= self._wall_s()
            or self._refusals[claims["sid"]].get("feed")
        ):
            raise HeaderRefusedError("Invalid Header - Invalid Feed Token")
        return owner.client_code

    def expire(self) -> None:
        """End every JWT and feed token issued so far; the refresh tokens stay good."""
        for refusals in self._refusals.values():
            refusals.update(EXPIRED)

    def revoke(self) -> None:
        """End every token issued so far, refresh tokens too: only a login helps."""
        for refusals in self._refusals.values():
            refusals.update(REVOKED)

    def new_session(self, client_code: str) -> Tokens:
        """Three tokens of a new session of that account."""
        now = self._wall_s()
        midnight = _next_midnight(now)
        end = midnight if self._lifetime_s is None else now + self._lifetime_s
        sid = secrets.token_hex(8)
        self._refusals[sid] = {}
        return Tokens(
            jwt=self._signed("jwt", sid, client_code, now, end),
            refresh=self._signed("refresh", sid, client_code, now, midnight),
            feed=self._signed("feed", sid, client_code, now, end),
        )

    def _use_code(self, account: Credentials, totp: str) -> None:
        now = int(self._wall_s()) // TOTP_WINDOW_S
        for window in (now, now - 1, now + 1):
            expected = totp_code(account.totp_secret, window)
            if hmac.compare_digest(expected.encode(), totp.encode()):
                break
        else:
            raise CallRefusedError("AB1050")
        if self._accepts_code_once and (account.client_code, window) in self._used_codes:
            raise CallRefusedError("AB1050")
        self._used_codes.add((account.client_code, window))

    def _signed(self, use: str, sid: str, client_code: str, now: float, end: float) -> str:
        claims = {
            "username": client_code,
            "usertype": "USER",
            "use": use,
            "sid": sid,
            "iat": int(now),
            "exp": int(end),
        }
        body = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        return f"{body}.{self._signature(body)}"

    def _signature(self, body: str) -> str:
        return _base64(hmac.digest(self._key, body.encode(), "sha256"))

    def _claims(self, token: str, use: str) -> dict[str, Any] | None:
        """What a token of this simulator holds; None for a forged one or one of another use."""
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            return None
        text = body.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return claims if claims["use"] == use else None


def totp_code(secret: str, window: int) -> str:
    """The six digits of a base32 secret in the `window`-th 30 s since the epoch (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, window.to_bytes(8, "big"), hashlib.sha1)
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return str(number)[-TOTP_DIGITS:].zfill(TOTP_DIGITS)


def bare_token(authorization: str) -> str:
    """The token in an `Authorization` header, with or without `Bearer `."""
    return authorization.removeprefix("Bearer ").strip()


def _next_midnight(wall_s: float) -> float:
    today = datetime.fromtimestamp(wall_s, IST).date()
    return datetime.combine(today + timedelta(days=1), time(), IST).timestamp()


def _part(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
