"""Where the broker lives, and how its identity is checked.

Tokens travel to these addresses, so plain `http://` and `ws://` are for this machine's own
loopback only, and every other address is verified against the system's trust store
(`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured). The defaults' source: protocol.md.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import UsageError

if TYPE_CHECKING:
    import ssl

REST_URL = "https://apiconnect.angelone.in"
FEED_URL = "wss://smartapisocket.angelone.in/smart-stream"
INSTRUMENTS_URL = "https://margincalculator.angelone.in/OpenAPI_File/files/OpenAPIScripMaster.json"

_PLAIN_SCHEMES = {"http", "ws"}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The three addresses a client needs. Build it with `checked` when they come from a user."""

    rest_url: str = REST_URL
    feed_url: str = FEED_URL
    instruments_url: str = INSTRUMENTS_URL

    @classmethod
    def checked(cls, rest_url: str, feed_url: str, instruments_url: str) -> Endpoints:
        """The same, verified. Raises UsageError naming the variable, the value and the reason."""
        return cls(
            checked_url(rest_url, "TICKS_REST_URL", ("https", "http")),
            checked_url(feed_url, "TICKS_FEED_URL", ("wss", "ws")),
            checked_url(instruments_url, "TICKS_INSTRUMENTS_URL", ("https", "http")),
        )


def checked_url(url: str, variable: str, schemes: tuple[str, ...]) -> str:
    """`url` when it may carry tokens, else UsageError; `schemes`: what is allowed, safe first."""
    shown = without_secrets(url)
    remedy = f"write it as {schemes[0]}://host[:port]/path"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        reason = f"{variable}: {shown!r} is no address: {error}"
        raise UsageError(reason, remedy=remedy) from error
    if parts.scheme not in schemes or not host:
        raise UsageError(f"{variable}: {shown!r} is no {schemes[0]}:// address", remedy=remedy)
    if parts.username is not None or parts.query:
        raise UsageError(
            f"{variable}: {shown!r} carries a user name or a query",
            remedy="secrets never belong into an address; leave that part out",
        )
    if parts.scheme in _PLAIN_SCHEMES and not is_loopback(host):
        raise UsageError(
            f"{variable}: {shown!r} would send tokens in clear text to {host}",
            remedy=f"use {schemes[0]}://; {parts.scheme}:// is for this machine alone",
        )
    return url


def without_secrets(url: str) -> str:
    """`url` as it may be shown: without user, password, query and fragment."""
    bare = url.partition("#")[0].partition("?")[0]
    scheme, separator, rest = bare.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, no port) is this machine talking to itself."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def trusted_context() -> ssl.SSLContext:
    """A client's TLS context: system trust store, host name checked, TLS 1.2 or newer."""
    import ssl  # 9 ms that only a command with a connection needs

    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
