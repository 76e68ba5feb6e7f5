"""Logins, each sent only where it cannot cost the account: brokers lock after a few refusals.

Rules (for users: docs/login.md)
- Credentials that were refused are never sent again: the same error comes, without a call.
- An answer that is not understood lets the login be sent once more, at most.
- An answer of "too many calls" bars every login for a minute. So do two logins that a broker in
  trouble could not answer (AB1004, HTTP 5xx, no answer at all); within that minute the same error
  comes again.
- A TOTP code is tried at once, even if its window was used before. Only a refused code (AB1050)
  makes us wait for the next window, once; a code that was typed is not waited for.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..clock import Clock
from ..errors import (
    BrokerBusyError,
    CredentialsRefusedError,
    LoginUnclearError,
    NetworkError,
    NotSmartApiError,
    RateLimitedError,
    TicksError,
    TotpRefusedError,
)
from .credentials import Credentials
from .tokens import Session, Tokens
from .totp import checked_key, code_at, next_window_s

LOGIN_PAUSE_S = 60.0
"""A login that the broker cannot answer now is not repeated before this (protocol.md, "REST")."""


class LoginGuard:
    """Sends logins through `call` (API key, client code, PIN and TOTP code; it returns tokens).

    `note` gets one line for people, without secrets; `pause` waits that many seconds. The caller
    sends one login at a time; `totp_wait_s` may be read from any thread meanwhile.
    """

    def __init__(
        self,
        call: Callable[[str, str, str, str], Tokens],
        *,
        clock: Clock,
        pause: Callable[[float], None],
        note: Callable[[str], None],
    ) -> None:
        self._call = call
        self._clock = clock
        self._pause = pause
        self._note = note
        self._refused: dict[Credentials, TicksError] = {}
        self._unanswered: set[Credentials] = set()
        """Credentials whose last login brought no answer, or one that was not understood."""
        self._allowed_at_s = -math.inf
        self._paused_by: TicksError | None = None
        """What a login within the pause is answered; None: that it is one too many."""
        self._next_code_at_s: float | None = None
        """Read by other threads without a lock: one reference, replaced whole."""

    @property
    def totp_wait_s(self) -> float | None:
        """Seconds until the next TOTP code is sent, counting down; None when none is awaited."""
        at_s = self._next_code_at_s
        return None if at_s is None else max(0.0, at_s - self._clock.now_s())

    def log_in(self, credentials: Credentials) -> Session:
        """A new session, from one login, unless that login would be one too many.

        Raises CredentialsMissingError, TotpSecretError, CredentialsRefusedError,
        TotpRefusedError, LoginUnclearError or another BrokerError.
        """
        self._require_allowed(credentials)
        try:
            session = self._send(credentials)
        except (CredentialsRefusedError, TotpRefusedError) as error:
            self._refused[credentials] = error
            raise
        except NotSmartApiError as error:
            if credentials not in self._unanswered:
                self._unanswered.add(credentials)
                raise
            unclear = LoginUnclearError(
                f"two answers to the login were not understood, and the PIN is not sent again;"
                f" last: {error.message}",
                kind="login-unclear",
            )
            self._refused[credentials] = unclear
            raise unclear from error
        except RateLimitedError:
            self._pause_logins(None)
            raise
        except (BrokerBusyError, NetworkError) as error:
            if isinstance(error, NetworkError) and not error.values.get("was_sent"):
                raise
            if credentials in self._unanswered:
                self._pause_logins(error)
            self._unanswered.add(credentials)
            raise
        self._unanswered.discard(credentials)
        return session

    def _require_allowed(self, credentials: Credentials) -> None:
        if credentials in self._refused:
            raise copy_of(self._refused[credentials])
        left_s = self._allowed_at_s - self._clock.now_s()
        if left_s <= 0:
            return
        if self._paused_by is not None:
            raise copy_of(self._paused_by)
        wait_s = math.ceil(left_s)
        raise RateLimitedError(
            f"the last login was one call too many; the next one is sent in {wait_s} s",
            kind="login-paused",
            wait_s=wait_s,
        )

    def _pause_logins(self, error: TicksError | None) -> None:
        self._allowed_at_s = self._clock.now_s() + LOGIN_PAUSE_S
        self._paused_by = error

    def _send(self, credentials: Credentials) -> Session:
        """A login with the current code, and with the next one if that is refused."""
        credentials.require_complete()
        api_key, client_code = credentials.api_key or "", credentials.client_code or ""
        pin, secret = credentials.pin or "", credentials.totp_secret or ""
        if credentials.totp_code is not None:
            tokens = self._call(api_key, client_code, pin, credentials.totp_code)
            return Session.issued(client_code, api_key, tokens, self._clock.wall_ns())
        checked_key(secret)
        tried_s = self._clock.wall_ns() / 1e9
        try:
            tokens = self._call(api_key, client_code, pin, code_at(secret, tried_s))
        except TotpRefusedError:
            next_s = next_window_s(tried_s)
            self._wait_for_code(max(0.0, next_s - self._clock.wall_ns() / 1e9))
            tokens = self._call(api_key, client_code, pin, code_at(secret, next_s))
        return Session.issued(client_code, api_key, tokens, self._clock.wall_ns())

    def _wait_for_code(self, wait_s: float) -> None:
        self._note(f"the broker refused the code; waiting {math.ceil(wait_s)} s for the next one")
        self._next_code_at_s = self._clock.now_s() + wait_s
        try:
            self._pause(wait_s)
        finally:
            self._next_code_at_s = None


def copy_of(error: TicksError) -> TicksError:
    """The same fault for another caller, with no traceback of the first."""
    return type(error)(error.message, kind=error.kind, **error.values)
