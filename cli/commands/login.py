"""`ticks login` and `ticks logout`: who the user is to the broker."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import typer

from ...adapter.auth.authenticator import Authenticator, Credentials, Session, SessionStatus
from ...adapter.auth.tokens import is_header_safe
from ...adapter.auth.totp import checked_key
from ...adapter.clock import ist_time
from ...adapter.config import Config
from ...adapter.errors import SessionError, TotpRefusedError, TotpSecretError
from ..options import options, parsers
from ..printable import printable

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SHORTEST_API_KEY = 6
_SHORTEST_TOTP_KEY_BYTES = 10
_TOTP_PROMPT = "TOTP (the six digits on your phone, or the base32 secret)"

ClientCode = Annotated[
    str | None,
    options.option(
        "--client-code", None, "Angel One client code.", parsers.client_code, metavar="CODE"
    ),
]
Status = Annotated[
    bool,
    options.option(
        "--status",
        None,
        "Show who is logged in, until when, and where that is saved.",
        has_variable=False,
    ),
]
AsJson = Annotated[
    bool,
    options.option("--json", None, "Print the session's status as JSON.", has_variable=False),
]


def login(client_code: ClientCode = None, status: Status = False, as_json: AsJson = False) -> None:
    """Log in to the broker and save the session, or show the saved one.

    Credentials come from TICKS_API_KEY, TICKS_CLIENT_CODE, TICKS_PIN and TICKS_TOTP_SECRET. On a
    terminal, what is missing is asked for; the client code and API key of the last login are kept.

    Examples:
      ticks login
      ticks login --status
    """
    config = Config.from_env(os.environ)
    if client_code is not None:
        credentials = replace(config.credentials, client_code=client_code)
        config = replace(config, credentials=credentials)
    authenticator = config.authenticator(_print_note)
    if status:
        _show_status(config, authenticator, as_json=as_json)
        return
    _log_in(authenticator, config.credentials)
    kept = authenticator.status()
    if kept is not None:
        _print_note(f"logged in: {_status_line(kept)}")
        if as_json:
            typer.echo(_status_json(kept))


def logout() -> None:
    """End the session at the broker and delete it here.

    The next command that needs one logs in again.

    Example:
      ticks logout
    """
    Config.from_env(os.environ).authenticator(_print_note).logout()


# --- the saved session ----------------------------------------------------------------------------


def _show_status(config: Config, authenticator: Authenticator, *, as_json: bool) -> None:
    kept = authenticator.status()
    if as_json:
        typer.echo(_status_json(kept))
    elif kept is not None:
        typer.echo(printable(_status_line(kept)))
    if kept is None:
        raise _no_session(config, authenticator.saved())
    if not kept.is_valid:
        raise SessionError("the session has expired", kind="no-session")


def _no_session(config: Config, other: Session | None) -> SessionError:
    """There is none for these credentials; `other` is the one that is saved."""
    if other is None:
        return SessionError("there is no session", kind="no-session")
    wanted = config.credentials.client_code or other.client_code
    reason = (
        f"there is no session of {wanted}: the saved one is {other.client_code}'s"
        if wanted != other.client_code
        else f"the saved session of {wanted} was made with another API key"
    )
    return SessionError(
        f"{reason} ({config.paths.session_file})", kind="session-of-another", client_code=wanted
    )


def _status_line(kept: SessionStatus) -> str:
    validity = "valid until" if kept.is_valid else "expired at"
    until = f"{ist_time(kept.expires_ns):%Y-%m-%d %H:%M:%S} IST"
    return f"{kept.client_code} · {validity} {until} · kept in {kept.kept_in}"


def _status_json(kept: SessionStatus | None) -> str:
    if kept is None:
        return json.dumps({"valid": False, "client_code": None})
    return json.dumps(
        {
            "valid": kept.is_valid,
            "client_code": kept.client_code,
            "issued_at": ist_time(kept.issued_ns).isoformat(timespec="seconds"),
            "expires_at": ist_time(kept.expires_ns).isoformat(timespec="seconds"),
            "kept_in": str(kept.kept_in),
        }
    )


# --- logging in -----------------------------------------------------------------------------------


def _log_in(authenticator: Authenticator, credentials: Credentials) -> None:
    """Log in with what is known, and on a terminal with what a person adds to that."""
    if not _is_terminal():
        authenticator.login(credentials)
        return
    credentials = _ask_for_missing(credentials, authenticator.saved())
    try:
        authenticator.login(credentials)
    except TotpRefusedError as error:
        if credentials.totp_code is None:
            raise
        # A phone's code may have ended on its way here. Only the code is asked for again, and once.
        _print_note(f"{error.message}; wait for the next code")
        authenticator.login(_ask_for_totp(credentials))


def _ask_for_missing(credentials: Credentials, saved: Session | None) -> Credentials:
    """`credentials` with what is missing asked for, or taken from the `saved` session."""
    if credentials.client_code is None:
        last = saved.client_code if saved is not None else None
        credentials = replace(credentials, client_code=_ask_for_client_code(last))
    if saved is not None and credentials.own(saved):
        credentials = credentials.completed_by(saved)
    if credentials.api_key is None:
        credentials = replace(credentials, api_key=_ask("API key", _api_key_fault))
    if credentials.pin is None:
        credentials = replace(credentials, pin=_ask("PIN (four digits)", _pin_fault))
    return _ask_for_totp(credentials) if credentials.totp_secret is None else credentials


def _ask_for_totp(credentials: Credentials) -> Credentials:
    text = _ask(_TOTP_PROMPT, _totp_fault)
    code = "".join(text.split())
    if _is_totp_code(code):
        return replace(credentials, totp_code=code)
    return replace(credentials, totp_secret=text, totp_code=None)


def _ask(prompt: str, fault: Callable[[str], str]) -> str:
    """What a person types, unseen; asked for again while `fault` says why it cannot be right."""
    while True:
        text = str(typer.prompt(prompt, hide_input=True, err=True)).strip()
        reason = fault(text)
        if not reason:
            return text
        _print_note(reason)


def _ask_for_client_code(last: str | None) -> str:
    """The client code, shown as it is typed; Return alone takes the `last` one."""
    while True:
        # Not typer.prompt: what is shown, it would write to stdout too.
        typer.echo("Client code" + (f" [{last}]: " if last else ": "), nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            typer.echo(err=True)  # the prompt's line is still open
            raise typer.Abort
        try:
            return parsers.client_code(line.strip() or last or "")
        except ValueError as error:
            _print_note(str(error))


def _api_key_fault(text: str) -> str:
    if _UUID.fullmatch(text):
        return "this looks like the app's secret key; the API key is the shorter one next to it"
    if is_header_safe(text) and len(text) >= _SHORTEST_API_KEY:
        return ""
    return "this is not an API key: copy it from your app at smartapi.angelone.in"


def _pin_fault(text: str) -> str:
    if re.fullmatch("[0-9]{4}", text):
        return ""
    return "the PIN has four digits: the one of the Angel One app, not the web password"


def _totp_fault(text: str) -> str:
    if _is_totp_code("".join(text.split())):
        return ""
    try:
        is_long_enough = len(checked_key(text)) >= _SHORTEST_TOTP_KEY_BYTES
    except TotpSecretError:
        is_long_enough = False
    if is_long_enough:
        return ""
    return "neither six digits nor a base32 secret (letters A-Z and digits 2-7)"


def _is_totp_code(text: str) -> bool:
    return re.fullmatch("[0-9]{6}", text) is not None


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _print_note(line: str) -> None:
    """A line for the person who logs in; a broker's words in it cannot move the cursor."""
    typer.echo(printable(line), err=True)
