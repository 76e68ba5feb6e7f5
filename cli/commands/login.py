"""`ticks login` and `ticks logout`: who the user is to the broker."""

from __future__ import annotations

import json
import os
import sys
import threading
from dataclasses import replace
from typing import Annotated

import typer

from ...adapter.auth.authenticator import Authenticator, Credentials, SessionStatus
from ...adapter.clock import SystemClock, ist_time
from ...adapter.config import Config
from ...adapter.errors import SessionError

_PROMPTS = {
    "client_code": "Client code",
    "api_key": "API key",
    "pin": "PIN (the four-digit one)",
    "totp_secret": "TOTP secret (base32)",
}

ClientCode = Annotated[
    str | None,
    typer.Option(
        "--client-code", metavar="CODE", envvar="TICKS_CLIENT_CODE", help="Whose session it is."
    ),
]
Status = Annotated[
    bool, typer.Option("--status", help="Tell who is logged in, until when, and where it is kept.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Tell it as JSON on stdout.")]


def login(client_code: ClientCode = None, status: Status = False, as_json: AsJson = False) -> None:
    """Log in at the broker and keep the session, or show the one that is kept.

    Credentials come from TICKS_API_KEY, TICKS_CLIENT_CODE, TICKS_PIN and TICKS_TOTP_SECRET; on a
    terminal, what is missing is asked for.

    Examples:
      ticks login
      ticks login --status
    """
    surroundings = Config.from_env(os.environ)
    if client_code is not None:
        credentials = replace(surroundings.credentials, client_code=client_code)
        surroundings = replace(surroundings, credentials=credentials)
    authenticator = _authenticator(surroundings)
    if status:
        _show_status(authenticator, as_json=as_json)
        return
    authenticator.login(_completed(surroundings.credentials))
    kept = authenticator.status()
    if kept is not None:
        typer.echo(f"logged in: {_told(kept)}", err=True)
        if as_json:
            typer.echo(_as_json(kept))


def logout() -> None:
    """End the session at the broker and delete it here.

    The next command that needs one logs in again.

    Example:
      ticks logout
    """
    _authenticator(Config.from_env(os.environ)).logout()


def _show_status(authenticator: Authenticator, *, as_json: bool) -> None:
    kept = authenticator.status()
    if as_json:
        typer.echo(_as_json(kept))
    elif kept is not None:
        typer.echo(_told(kept))
    if kept is None:
        raise SessionError("there is no session", remedy="run: ticks login")
    if not kept.is_valid:
        raise SessionError("the session has expired", remedy="run: ticks login")


def _told(kept: SessionStatus) -> str:
    validity = "valid until" if kept.is_valid else "expired at"
    until = f"{ist_time(kept.expires_ns):%Y-%m-%d %H:%M:%S} IST"
    return f"{kept.client_code} · {validity} {until} · kept in {kept.kept_in}"


def _as_json(kept: SessionStatus | None) -> str:
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


def _completed(credentials: Credentials) -> Credentials:
    """`credentials` with what is missing asked for, unseen, where a terminal can be asked."""
    if not _is_terminal():
        return credentials
    asked = {
        field: typer.prompt(text, hide_input=True, err=True).strip()
        for field, text in _PROMPTS.items()
        if getattr(credentials, field) is None
    }
    return replace(credentials, **asked)


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _authenticator(surroundings: Config) -> Authenticator:
    return Authenticator(
        surroundings.paths,
        surroundings.endpoints.rest_url,
        surroundings.credentials,
        clock=SystemClock(),
        pause=_wait,
        note=lambda line: typer.echo(line, err=True),
    )


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)
