"""The broker's tokens, and how long they are valid.

Rules
- Tokens are stored bare: a `Bearer ` in front, which the SDK adds, is cut off.
- A session is valid until the `exp` of its JWT. One that cannot be read ends at the midnight (IST)
  that follows its issue (protocol.md, "REST": a session ends at midnight IST).
- A token travels as a header, so it is printable ASCII without blanks, or no token.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from ..clock import IST, ist_time

_LATEST_EXP_S = datetime(9999, 1, 1, tzinfo=IST).timestamp()


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login or a refresh returns, each bare. `refresh_token` "": there was none."""

    jwt_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    feed_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A session with the broker. `issued_ns` is the wall clock when the tokens arrived.

    `refresh_token` "": the broker gave none, so only a login renews this session.
    """

    client_code: str
    api_key: str = field(repr=False)
    jwt_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    feed_token: str = field(repr=False)
    issued_ns: int

    @classmethod
    def issued(cls, client_code: str, api_key: str, tokens: Tokens, wall_ns: int) -> Session:
        """The session that `tokens`, received at `wall_ns`, open."""
        return cls(
            client_code=client_code,
            api_key=api_key,
            jwt_token=tokens.jwt_token,
            refresh_token=tokens.refresh_token,
            feed_token=tokens.feed_token,
            issued_ns=wall_ns,
        )

    @property
    def expires_ns(self) -> int:
        """When the tokens end, nanoseconds since the epoch."""
        return jwt_expires_ns(self.jwt_token) or next_midnight_ns(self.issued_ns)

    def is_valid(self, wall_ns: int) -> bool:
        """Whether the tokens are still valid at `wall_ns`, as far as is known without a call."""
        return wall_ns < self.expires_ns


def bare_token(text: str) -> str:
    """`text` without a `Bearer ` at its beginning."""
    return text.removeprefix("Bearer ").strip()


def is_header_safe(text: str) -> bool:
    """Whether `text` can travel as a header: printable ASCII, no blanks, not empty."""
    return text.isascii() and text.isprintable() and " " not in text and text != ""


def jwt_expires_ns(jwt_token: str) -> int | None:
    """The `exp` of a JWT in nanoseconds since the epoch; None when it has no valid one."""
    try:
        payload = jwt_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        exp_s = claims["exp"]
    except (IndexError, KeyError, TypeError, ValueError, RecursionError, binascii.Error):
        return None
    if isinstance(exp_s, bool) or not isinstance(exp_s, int | float):
        return None
    return int(exp_s * 1_000_000_000) if 0 < exp_s < _LATEST_EXP_S else None


def next_midnight_ns(wall_ns: int) -> int:
    """The first midnight in India after `wall_ns`, nanoseconds since the epoch."""
    tomorrow = ist_time(wall_ns).date() + timedelta(days=1)
    return int(datetime.combine(tomorrow, time(), IST).timestamp()) * 1_000_000_000
