"""Which proxy leads to an address, by the environment's variables. Pure.

One reading for login, instrument master and feed:
- The first that is set of `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY` names the proxy;
  an empty one means none. `HTTP_PROXY` is for plain HTTP, which goes to this machine only.
- `[http://][user:password@]host[:port]`, port 80 unless given; user and password may be
  percent-encoded, and must be where they hold `/`, `?`, `#`, `[`, `]` or a blank. The connection
  itself is a CONNECT tunnel: the proxy sees the name of the server and nothing else.
- `no_proxy`, `NO_PROXY`: what is reached directly, separated by commas, semicolons or blanks: names
  with all their subdomains (`example.com`, `.example.com` and `*.example.com` alike), addresses,
  networks (`10.0.0.0/8`), each with `:port` where only that port is meant; `*` is everything.
- This machine's own addresses are always reached directly: what is sent there may be plain text.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import unquote_to_bytes, urlsplit

from .errors import ProxyError, UsageError
from .urls import DEFAULT_PORTS, is_loopback

_NAMED_BY = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_EXCEPTED_BY = ("no_proxy", "NO_PROXY")
_DEFAULT_PORT = 80
_KNOWN_SCHEMES = frozenset({"https", "socks", "socks4", "socks4a", "socks5", "socks5h"})
_TO_BE_ENCODED = frozenset("/?#[]\\")


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `variable` named it; `user_and_password` None: it was named without."""

    host: str
    port: int
    variable: str
    user_and_password: bytes | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """`host:port`, as it may be shown."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def authorization(self) -> str | None:
        """The value of the header Proxy-Authorization, or None."""
        if self.user_and_password is None:
            return None
        return f"Basic {base64.b64encode(self.user_and_password).decode()}"


def proxy_for(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy on the way to `url`; None: it is reached directly.

    Raises UsageError for a variable that names no proxy, ProxyError for a kind of proxy that is
    not supported. Neither shows the value: it may hold a password.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    if is_loopback(host):
        return None
    variable = next((name for name in _NAMED_BY if name in environ), None)
    if variable is None or not environ[variable].strip():
        return None
    exceptions = next((environ[name] for name in _EXCEPTED_BY if name in environ), "")
    if any(_covers(entry, host, port) for entry in re.split(r"[\s,;]+", exceptions)):
        return None
    return read_proxy(variable, environ[variable].strip())


def read_proxy(variable: str, value: str) -> Proxy:
    """The proxy that `value` of `variable` names. Raises what `proxy_for` raises."""
    scheme, separator, rest = value.partition("://")
    if not separator:
        rest = value
    elif scheme.lower() != "http":
        _refuse_scheme(variable, scheme.lower())
    # The last @ ends the user's part, as in curl: a password may hold one.
    user, _, place = rest.rpartition("@")
    if not _TO_BE_ENCODED.isdisjoint(user) or _has_blank(user):
        _refuse(variable, "its user name or password holds a character that must be encoded")
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        _refuse(variable, "its host or port cannot be read")
    if _has_blank(place):
        _refuse(variable, "its host holds a blank")
    if parts.path.strip("/"):  # also http:/proxy, which would be a host called http
        _refuse(variable, "it has more than a host and a port")
    if not host or port == 0:
        _refuse(variable, "it names no host" if not host else "0 is not a port")
    if user and ":" not in user:
        user += ":"
    return Proxy(host, port or _DEFAULT_PORT, variable, unquote_to_bytes(user) if user else None)


def _has_blank(text: str) -> bool:
    return any(each.isspace() or not each.isprintable() for each in text)


def _refuse(variable: str, reason: str) -> NoReturn:
    raise UsageError(
        f"{variable} does not name a proxy: {reason}", kind="proxy-value", variable=variable
    )


def _refuse_scheme(variable: str, scheme: str) -> NoReturn:
    # A scheme that nobody knows is not shown: in a value like `user:word://x` it is a password.
    name = scheme if scheme in _KNOWN_SCHEMES else "such"
    raise ProxyError(
        f"the proxy that {variable} names cannot be used: {name} proxies are not supported",
        kind="proxy-scheme",
        variable=variable,
    )


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY means this host and port."""
    if entry == "*":
        return True
    name, only_port = _without_port(entry.lower().rpartition("://")[2].rstrip("/"))
    if only_port is not None and only_port != port:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = name.removeprefix("*").strip(".")
        return name != "" and (host == name or host.endswith(f".{name}"))
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False


def _without_port(entry: str) -> tuple[str, int | None]:
    """`example.com:8443` and `[::1]:8443` taken apart; a bare IPv6 address has no port."""
    name, _, digits = entry.rpartition(":")
    is_bracketed = name.startswith("[") and name.endswith("]")
    if re.fullmatch(r"[0-9]{1,5}", digits) and (is_bracketed or (name and ":" not in name)):
        return name.strip("[]"), int(digits)
    return entry.removeprefix("[").removesuffix("]"), None
