"""The broker's addresses, and which addresses may carry tokens.

Plain `http://` and `ws://` are for this machine's own loopback only; every other address is TLS,
verified (`dial.py`). The defaults' source: protocol.md.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import UsageError

REST_URL = "https://apiconnect.angelone.in"
FEED_URL = "wss://smartapisocket.angelone.in/smart-stream"
INSTRUMENTS_URL = "https://margincalculator.angelone.in/OpenAPI_File/files/OpenAPIScripMaster.json"

DEFAULT_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}
"""The schemes that are supported, and the port where an address names none."""

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
    safe = schemes[0]
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        reason = f"{variable}: {shown!r} is not a valid address: its host or port cannot be read"
        # Not `from error`: its text may hold what `shown` leaves out.
        raise UsageError(reason, kind="url", scheme=safe) from None
    if parts.scheme not in schemes or not host:
        reason = f"{variable}: {shown!r} is not an address that begins with {safe}://"
        raise UsageError(reason, kind="url", scheme=safe)
    if not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        reason = f"{variable}: {shown!r} holds a blank or a character that no address has"
        raise UsageError(reason, kind="url", scheme=safe)
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError(
            f"{variable}: {shown!r} has a user name, a query or a fragment", kind="url-secret"
        )
    if parts.scheme in _PLAIN_SCHEMES and not is_loopback(host):
        raise UsageError(
            f"{variable}: {shown!r} would send tokens in clear text to {host}",
            kind="url-plain",
            scheme=safe,
            plain=parts.scheme,
        )
    return url


def without_secrets(url: str) -> str:
    """`url` as it may be shown: without user, password, query and fragment."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in rest[len(authority) :]:
        # A password with an unescaped / ? or #, or a query with an @: nothing tells them apart.
        return f"{scheme}{separator}***"
    path = re.split("[?#]", rest[len(authority) :], maxsplit=1)[0]
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{path}"


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, no port) is this machine talking to itself."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
