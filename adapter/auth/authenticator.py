"""The user's session with the broker: saved, renewed, or made by a login. One per process.

Rules (for users: docs/login.md)
- A session is usable while its JWT holds and the broker has not refused it here. A usable one
  costs no call. One just issued is used however short it lives.
- Run out: refresh, else a fresh login. Refused (401, 403): one fresh login when the credentials
  are complete, else refresh. A refused token is not tried again.
- Every login goes through the guard (login_guard.py), which keeps the account from being locked.
- One renewal at a time, in this process and among all that share the session file: whoever comes
  while it runs waits, and gets its session (in this process its error too). A refresh token may
  work only once, so the file is read again before each login and before each failure.
- What is missing among the credentials is taken from the saved session where that has it.
- A session that cannot be saved is kept in memory, and that is reported once.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..clock import Clock, ist_time
from ..errors import (
    DiskError,
    NotSmartApiError,
    SessionFileError,
    TicksError,
    TokenRefusedError,
)
from ..paths import Paths
from .credentials import Credentials
from .login_guard import LoginGuard, copy_of
from .session_store import SessionStore
from .tokens import Session, Tokens

__all__ = ["Authenticator", "Credentials", "LoginApi", "Session", "SessionStatus"]

_MOST_REFUSED = 100
"""Refused tokens that are remembered, the newest: a broker may refuse each one it issues."""


class LoginApi(Protocol):
    """The broker's calls that are needed here; `smartapi.SmartApi` makes them for real.

    `skew_s`: how far this machine's clock was ahead of the broker's at the last reply, in seconds;
    None where that is not known.
    """

    skew_s: float | None

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
    """Keeps the session in `paths`, for the broker at `rest_url`. Safe to share between threads.

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
        self._note = note
        self._loaded_api = api
        self._lock = threading.Lock()
        """Held by the one renewal of this process; all that follows is written under it."""
        self._renewals = 0
        self._current: Session | None = None
        self._failure: TicksError | None = None
        self._refused_tokens: deque[str] = deque(maxlen=_MOST_REFUSED)
        self._is_unsaved_noted = False
        self._guard = LoginGuard(self._call_login, clock=clock, pause=pause, note=note)

    # --- what is saved, without a call ---

    def load(self) -> Session | None:
        """The saved session, valid or not; None when there is none for these credentials here.

        Raises SessionFileError when others may read the file, or it cannot be read.
        """
        saved = self._file.read()
        return saved if saved is not None and self._credentials.own(saved) else None

    def saved(self) -> Session | None:
        """The saved session of any account, however the file is protected; None without one.

        For offering what is known of it to a person who logs in.
        """
        try:
            return self._file.read(must_be_private=False)
        except SessionFileError:
            return None

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

    @property
    def totp_wait_s(self) -> float | None:
        """Seconds until the next TOTP code is sent, counting down; None when none is waited for.

        Safe from any thread, also while a renewal runs.
        """
        return self._guard.totp_wait_s

    @property
    def skew_s(self) -> float | None:
        """How far this machine's clock was ahead of the broker's at the last reply, in seconds.

        None while nothing was asked (a saved session costs no call), or the reply had no Date.
        """
        return None if self._loaded_api is None else self._loaded_api.skew_s

    # --- a session, with as few calls as possible ---

    def check(self) -> None:
        """Check, without a call, that `session` has what it needs: a saved one, or all credentials.

        Raises CredentialsMissingError, SessionFileError.
        """
        if self._newest() is None:
            self._credentials.require_complete()

    def session(self) -> Session:
        """A usable session: the saved one, else from a fresh login.

        Raises CredentialsMissingError (names the variables) and what `login` raises.
        """
        with self._turn() as outcome:
            if outcome is not None:
                return outcome
            self._file.sweep()
            return self._usable() or self._renew_alone(self._log_in)

    def renew(self, refused: Session | None = None) -> Session:
        """A usable session, before a connect. `refused`: the one that the broker just refused.

        Nothing is sent while the newest session is usable and is not `refused`.
        Raises what `session` raises.
        """
        with self._turn() as outcome:
            if refused is not None:
                self._remember_refused(refused.jwt_token)
            if outcome is not None:
                return outcome
            return self._usable() or self._renew_alone(self._refresh_or_log_in)

    def login(self, credentials: Credentials) -> Session:
        """A fresh login with PIN and TOTP code, saved.

        Raises CredentialsMissingError, TotpSecretError, CredentialsRefusedError,
        TotpRefusedError, DiskError (logged in, but not saved) or a BrokerError.
        """
        with self._lock, self._file.locked(self._note):
            saved = self.saved()
            if saved is not None and credentials.own(saved):
                credentials = credentials.completed_by(saved)
            session = self._publish(lambda: self._guard.log_in(credentials))
            self._file.write(session)
            return session

    def logout(self) -> None:
        """End the session at the broker and delete the file, whatever the broker says.

        What happened goes to `note`. Raises SessionFileError when the file cannot be deleted.
        """
        with self._lock, self._file.locked(self._note, makes_folder=False):
            try:
                saved = self._file.read(must_be_private=False)
                ended = self._end_session(saved) if saved else "there was no session to end"
            except SessionFileError as error:
                ended = f"no session was ended at the broker: {error}"
            finally:
                self._current = None
                is_deleted = self._file.delete()
            self._note(f"{ended}; {self._file.path} deleted" if is_deleted else ended)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[Session | None]:
        """Alone from here; yields what a renewal that ended while we waited brought, or raises."""
        seen = self._renewals
        with self._lock:
            if self._renewals == seen:
                yield None
            elif self._failure is not None:
                raise copy_of(self._failure)
            else:
                yield self._current

    def _renew_alone(self, act: Callable[[Session | None], Session]) -> Session:
        """`act` on the newest session, unless another process has saved a usable one."""

        def renew() -> Session:
            with self._file.locked(self._note):
                # Whoever held the lock before us may have just saved one.
                usable = self._usable()
                if usable is not None:
                    return usable
                try:
                    return act(self._newest())
                except TicksError:
                    # A process that had given the lock up, or a program that knows no lock.
                    with contextlib.suppress(SessionFileError):
                        usable = self._usable()
                    if usable is None:
                        raise
                    return usable

        return self._publish(renew)

    def _publish(self, call: Callable[[], Session]) -> Session:
        """`call`'s session or error, kept for those who wait for their turn."""
        try:
            session = call()
        except TicksError as error:
            self._failure = error
            self._renewals += 1
            raise
        self._current, self._failure = session, None
        self._renewals += 1
        return session

    def _newest(self) -> Session | None:
        """The session to go by: another process may have saved one, a full disk refused ours."""
        saved, mine = self.load(), self._current
        if saved is not None and mine is not None:
            return saved if saved.issued_ns > mine.issued_ns else mine
        return saved or mine

    def _usable(self) -> Session | None:
        """The newest session where it can be used as it is."""
        newest = self._newest()
        return newest if newest is not None and self._is_usable(newest) else None

    def _is_usable(self, session: Session) -> bool:
        is_refused = session.jwt_token in self._refused_tokens
        return not is_refused and session.is_valid(self._clock.wall_ns())

    def _remember_refused(self, *tokens: str) -> None:
        self._refused_tokens.extend(each for each in tokens if each not in self._refused_tokens)

    # --- the calls ---

    def _refresh_or_log_in(self, newest: Session | None) -> Session:
        if newest is None:
            return self._log_in(None)
        is_refused = newest.jwt_token in self._refused_tokens
        can_log_in = not self._credentials.completed_by(newest).missing()
        can_refresh = newest.refresh_token not in ("", *self._refused_tokens)
        if not can_refresh or (is_refused and can_log_in):
            return self._log_in(newest)
        return self._refresh(newest)

    def _refresh(self, old: Session) -> Session:
        try:
            tokens = self._api.refresh(old.api_key, old.jwt_token, old.refresh_token)
        except (TokenRefusedError, NotSmartApiError):
            self._remember_refused(old.jwt_token, old.refresh_token)
            # It works once: a process without our lock may have used it, and saved what it got.
            return self._usable() or self._log_in(old)
        session = Session.issued(old.client_code, old.api_key, tokens, self._clock.wall_ns())
        return self._save(session)

    def _log_in(self, newest: Session | None) -> Session:
        credentials = self._credentials
        if newest is not None:
            credentials = credentials.completed_by(newest)
        return self._save(self._guard.log_in(credentials))

    def _call_login(self, api_key: str, client_code: str, pin: str, code: str) -> Tokens:
        """What the guard calls: `_api` is loaded only when a login is really sent."""
        return self._api.login(api_key, client_code, pin, code)

    def _save(self, session: Session) -> Session:
        """Save `session` if that is possible: a stream goes on without the file."""
        try:
            self._file.write(session)
        except DiskError as error:
            if not self._is_unsaved_noted:
                self._note(f"{error}; it ends with this run")
            self._is_unsaved_noted = True
        return session

    def _end_session(self, saved: Session) -> str:
        """End it at the broker; the outcome, in words."""
        try:
            self._api.logout(saved.api_key, saved.client_code, saved.jwt_token)
        except TokenRefusedError:
            return f"the session of {saved.client_code} had ended already"
        except TicksError as error:
            until = f"{ist_time(saved.expires_ns):%d %b %H:%M} IST"
            return f"the broker did not end the session ({error}): it is valid until {until}"
        return f"the session of {saved.client_code} has ended"

    @property
    def _api(self) -> LoginApi:
        if self._loaded_api is None:
            from .smartapi import SmartApi  # a saved session never needs it

            self._loaded_api = SmartApi(self._rest_url, self._clock)
        return self._loaded_api
