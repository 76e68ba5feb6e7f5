"""Who the user is to the broker: saved, renewed, or logged in anew. One keeper a process.

Rules (design section 1, "Config"; section 4, "401/403")
- A session is usable while its JWT holds and the broker has not refused it here. A usable one
  costs no call. One just issued is used however short it lives.
- Run out: refresh, else a fresh login. Refused (401, 403): one fresh login when the credentials
  are complete, else refresh. A refused token is not tried again.
- A TOTP code is tried at once, even if its window was used before. Only a refused code (AB1050)
  makes us wait for the next window, once.
- Credentials that were refused are never tried twice: the same error comes again, without a call.
  Nor is a login tried within a minute of one that had too many before it.
- One renewal at a time: whoever comes while it runs waits, and gets its result or its error.
- What is missing among the credentials is taken from the saved session where that has it.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..clock import Clock, ist_time
from ..errors import (
    CredentialsMissingError,
    CredentialsRefusedError,
    NotSmartApiError,
    RateLimitedError,
    SessionError,
    SessionFileError,
    TicksError,
    TokenRefusedError,
    TotpRefusedError,
)
from ..paths import Paths
from .credentials import Credentials
from .session_store import SessionStore
from .tokens import Session, Tokens
from .totp import checked_key, code_at, next_window_s

__all__ = ["Authenticator", "Credentials", "LoginApi", "Session", "SessionStatus"]

RATE_LIMIT_PAUSE_S = 60.0
"""A login turned down for too many calls is not repeated before this (protocol.md, "REST")."""


class LoginApi(Protocol):
    """The broker's calls that a keeper needs; `smartapi.SmartApi` makes them for real."""

    def login(self, api_key: str, client_code: str, pin: str, code: str) -> Tokens: ...

    def refresh(self, api_key: str, jwt_token: str, refresh_token: str) -> Tokens: ...

    def logout(self, api_key: str, client_code: str, jwt_token: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """The saved session without its secrets. Times are nanoseconds since the epoch."""

    client_code: str
    issued_ns: int
    expires_ns: int
    is_valid: bool
    kept_in: Path


class Authenticator:
    """Keeps the session in `home`, for the broker at `rest_url`. Safe to share between threads.

    `note` gets one line for people, without secrets; `pause` waits that many seconds (a stop may
    cut it short). `api` is the broker; None: SmartAPI, loaded with the first call.
    """

    def __init__(
        self,
        paths: Paths,
        rest_url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        pause: Callable[[float], None],
        note: Callable[[str], None] = lambda _line: None,
        api: LoginApi | None = None,
    ) -> None:
        self._file = SessionStore(paths.session_file, rest_url)
        self._rest_url = rest_url
        self._credentials = credentials
        self._clock = clock
        self._pause = pause
        self._note = note
        self._loaded_api = api
        self._lock = threading.Lock()
        self._renewals = 0
        self._current: Session | None = None
        self._failure: TicksError | None = None
        self._refused_tokens: set[str] = set()
        self._refused_credentials: dict[Credentials, SessionError] = {}
        self._login_allowed_at_s = -math.inf

    def load(self) -> Session | None:
        """The saved session, valid or not; None when there is none for these credentials here.

        Raises SessionFileError when others may read the file.
        """
        saved = self._file.read()
        return saved if saved is not None and self._credentials.own(saved) else None

    def session(self) -> Session:
        """A usable session: the saved one, else from a fresh login.

        Raises CredentialsMissingError (names the variables) and what `login` raises.
        """
        with self._turn() as outcome:
            if outcome is not None:
                return outcome
            newest = self._newest()
            if newest is not None and self._is_usable(newest):
                return newest
            return self._logged_in(newest)

    def renew(self, refused: Session | None = None) -> Session:
        """A usable session, before a connect. `refused`: the one that the broker just refused.

        Nothing is sent while the newest session is usable and is not `refused`.
        Raises what `session` raises.
        """
        with self._turn() as outcome:
            if refused is not None:
                self._refused_tokens.add(refused.jwt_token)
            if outcome is not None:
                return outcome
            newest = self._newest()
            if newest is None or self._is_usable(newest):
                return newest or self._logged_in(None)
            is_refused = newest.jwt_token in self._refused_tokens
            can_log_in = not self._credentials.completed_by(newest).missing()
            if newest.refresh_token in self._refused_tokens or (is_refused and can_log_in):
                return self._logged_in(newest)
            return self._refreshed(newest)

    def login(self, credentials: Credentials) -> Session:
        """A fresh login with PIN and TOTP code, saved.

        Raises CredentialsMissingError, TotpSecretError, CredentialsRefusedError,
        TotpRefusedError, SessionFileError (not saved) or a BrokerError.
        """
        with self._lock:
            session = self._issued(lambda: self._fresh(credentials))
            self._file.write(session)
            return session

    def logout(self) -> None:
        """End the session at the broker and delete the file, whatever the broker says.

        What happened goes to `note`. Raises SessionFileError when the file cannot be deleted.
        """
        with self._lock:
            try:
                saved = self._file.read(must_be_private=False)
                ended = self._ended(saved) if saved else "there was no session to end"
            finally:
                self._current = None
                is_deleted = self._file.delete()
            self._note(f"{ended}; {self._file.path} deleted" if is_deleted else ended)

    def status(self) -> SessionStatus | None:
        """Who, until when, kept where; None when `load` finds nothing. Raises SessionFileError."""
        saved = self.load()
        if saved is None:
            return None
        return SessionStatus(
            client_code=saved.client_code,
            issued_ns=saved.issued_ns,
            expires_ns=saved.expires_ns,
            is_valid=self._is_usable(saved),
            kept_in=self._file.path,
        )

    @contextlib.contextmanager
    def _turn(self) -> Iterator[Session | None]:
        """Alone from here; yields what a renewal that ended while we waited brought, or raises."""
        seen = self._renewals
        with self._lock:
            if self._renewals == seen:
                yield None
            elif self._failure is not None:
                raise _copy_of(self._failure)
            else:
                yield self._current

    def _newest(self) -> Session | None:
        """The session to go by: another process may have saved one, a full disk refused ours."""
        saved, mine = self.load(), self._current
        if saved is not None and mine is not None:
            return saved if saved.issued_ns > mine.issued_ns else mine
        return saved or mine

    def _is_usable(self, session: Session) -> bool:
        is_refused = session.jwt_token in self._refused_tokens
        return not is_refused and session.is_valid(self._clock.wall_ns())

    def _logged_in(self, newest: Session | None) -> Session:
        credentials = self._credentials
        if newest is not None:
            credentials = credentials.completed_by(newest)
        return self._kept(self._issued(lambda: self._fresh(credentials)))

    def _refreshed(self, old: Session) -> Session:
        def refreshed() -> Session:
            tokens = self._api.refresh(old.api_key, old.jwt_token, old.refresh_token)
            return Session.issued(old.client_code, old.api_key, tokens, self._clock.wall_ns())

        try:
            return self._kept(self._issued(refreshed))
        except (TokenRefusedError, NotSmartApiError):
            self._refused_tokens.update((old.jwt_token, old.refresh_token))
            return self._logged_in(old)

    def _issued(self, call: Callable[[], Session]) -> Session:
        """`call`'s session or error, remembered for those who wait for their turn."""
        try:
            session = call()
        except TicksError as error:
            self._failure = error
            self._renewals += 1
            raise
        self._current, self._failure = session, None
        self._renewals += 1
        return session

    def _kept(self, session: Session) -> Session:
        """`session`, saved if it can be: a stream goes on without the file."""
        try:
            self._file.write(session)
        except SessionFileError as error:
            self._note(f"{error}; the session ends with this run")
        return session

    def _fresh(self, credentials: Credentials) -> Session:
        if credentials in self._refused_credentials:
            raise _copy_of(self._refused_credentials[credentials])
        wait_s = self._login_allowed_at_s - self._clock.now_s()
        if wait_s > 0:
            raise RateLimitedError(
                "the broker turned the last login down: too many calls",
                remedy=f"the next login is sent in {math.ceil(wait_s)} s at the earliest",
            )
        try:
            return self._fresh_session(credentials)
        except (CredentialsRefusedError, TotpRefusedError) as error:
            self._refused_credentials[credentials] = error
            raise
        except RateLimitedError:
            self._login_allowed_at_s = self._clock.now_s() + RATE_LIMIT_PAUSE_S
            raise

    def _fresh_session(self, credentials: Credentials) -> Session:
        api_key, client_code = credentials.api_key, credentials.client_code
        pin, secret = credentials.pin, credentials.totp_secret
        if not (api_key and client_code and pin and secret):
            missing = credentials.missing()
            raise CredentialsMissingError(
                f"there is no usable session, and a login needs {', '.join(missing)}",
                remedy="set what is missing, or run on a terminal: ticks login",
            )
        checked_key(secret)
        tried_s = self._clock.wall_ns() / 1e9
        try:
            tokens = self._api.login(api_key, client_code, pin, code_at(secret, tried_s))
        except TotpRefusedError:
            next_s = next_window_s(tried_s)
            wait_s = max(0.0, next_s - self._clock.wall_ns() / 1e9)
            self._note(
                f"the broker refused the code; waiting {math.ceil(wait_s)} s for the next one"
            )
            self._pause(wait_s)
            tokens = self._api.login(api_key, client_code, pin, code_at(secret, next_s))
        return Session.issued(client_code, api_key, tokens, self._clock.wall_ns())

    def _ended(self, saved: Session) -> str:
        try:
            self._api.logout(saved.api_key, saved.client_code, saved.jwt_token)
        except TokenRefusedError:
            return f"the session of {saved.client_code} was over already"
        except TicksError as error:
            until = f"{ist_time(saved.expires_ns):%d %b %H:%M} IST"
            return f"the broker did not end the session ({error}): it runs until {until}"
        return f"the session of {saved.client_code} is ended"

    @property
    def _api(self) -> LoginApi:
        if self._loaded_api is None:
            from .smartapi import SmartApi  # a saved session never needs it

            self._loaded_api = SmartApi(self._rest_url, self._clock)
        return self._loaded_api


def _copy_of(error: TicksError) -> TicksError:
    """The same fault for another caller, with no traceback of the first."""
    return type(error)(error.message, remedy=error.remedy)
