"""The connection to a server: name look-up, proxy, TLS. For HTTP calls and for the feed.

Rules
- Certificates are verified against the system's trust store (`SSL_CERT_FILE` and `SSL_CERT_DIR`
  are honoured).
- The way leads through the environment's proxy where `proxy.py` finds one, as a CONNECT tunnel. An
  error names the hop that failed.
- No message shows a header of ours, or an exception's text that quotes one.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
from urllib.parse import urlsplit

from .errors import CertificateError, NetworkError, ProxyError, TicksError, UsageError
from .proxy import Proxy, proxy_for
from .redaction import remember, shown
from .urls import DEFAULT_PORTS, without_secrets

_OTHER_SCHEMES = ("NTLM", "Negotiate", "Kerberos", "Digest", "Bearer")


class Dial:
    """One connection in the making: name look-up, proxy, TLS. `open` blocks; `abandon` ends it.

    `timeout_s` limits each wait inside, not the whole: that is for the owner, who abandons.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        """Raises UsageError and ProxyError, as `proxy_for` does."""
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            reason = f"{without_secrets(url)!r} is not an address of a server"
            raise UsageError(reason, kind="url", scheme="https")
        self.where = parts.netloc
        self._host = parts.hostname
        self._port = parts.port or DEFAULT_PORTS[parts.scheme]
        self._is_secure = parts.scheme in ("https", "wss")
        self._timeout_s = timeout_s
        self._proxy = proxy_for(url, os.environ)
        if self._proxy is not None and self._proxy.user_and_password is not None:
            pair = self._proxy.user_and_password.decode(errors="replace")
            remember(
                pair.partition(":")[2], (self._proxy.authorization or "").removeprefix("Basic ")
            )
        # Written by the thread that opens, read by the one that gives it up.
        self._is_at_proxy = self._proxy is not None
        self._is_abandoned = False
        self._socket: socket.socket | None = None

    def open(self) -> socket.socket:
        """The connected socket, TLS included. Raises OSError, HTTPException or a TicksError."""
        proxy = self._proxy
        target = (proxy.host, proxy.port) if proxy is not None else (self._host, self._port)
        sock = self._hold(socket.create_connection(target, self._timeout_s))
        try:
            # A heartbeat or a request is one small write: nothing follows that could join it.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if proxy is not None:
                self._ask_for_tunnel(sock, proxy)
                self._is_at_proxy = False
            if self._is_secure:
                secured = trusted_context().wrap_socket(
                    sock, server_hostname=self._host, do_handshake_on_connect=False
                )
                sock = self._hold(secured)  # before the handshake, so that it can be given up
                secured.do_handshake()
        except BaseException:
            sock.close()
            raise
        return sock

    def _hold(self, sock: socket.socket) -> socket.socket:
        self._socket = sock
        # Given up while a name was looked up: there was no socket yet that could be shut.
        if self._is_abandoned:
            sock.close()
            raise TimeoutError
        return sock

    def abandon(self) -> None:
        """Make `open`, and whatever waits on its socket afterwards, end soon. From any thread."""
        self._is_abandoned = True
        sock = self._socket
        if sock is not None:
            with contextlib.suppress(OSError):
                # Not sock.shutdown: on a TLS socket that one also drops the session it reads with.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _ask_for_tunnel(self, sock: socket.socket, proxy: Proxy) -> None:
        host = f"[{self._host}]" if ":" in self._host else self._host.encode("idna").decode()
        lines = [f"CONNECT {host}:{self._port} HTTP/1.1", f"Host: {host}:{self._port}"]
        if proxy.authorization is not None:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        sock.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        # Its reader may buffer more than the header. Nothing can follow: in TLS the client begins.
        with http.client.HTTPResponse(sock, method="CONNECT") as response:
            response.begin()
        if response.status // 100 != 2:
            raise _tunnel_refusal(response, proxy, self.where)

    def failure(self, error: Exception, late: str) -> TicksError:
        """What went wrong, named by the hop at which it did. `late`: the words for a time-out."""
        if isinstance(error, TicksError):
            return error
        if isinstance(error, ssl.SSLCertVerificationError):
            return CertificateError(
                f"the certificate of {self.where} cannot be trusted: {error.verify_message}",
                kind="certificate",
                host=self.where,
            )
        reason = late if isinstance(error, TimeoutError) else f"cannot be reached: {_words(error)}"
        if not self._is_at_proxy or self._proxy is None:
            return NetworkError(f"{self.where} {reason}", kind="unreachable", host=self.where)
        named = f"the proxy {self._proxy.address} (named by {self._proxy.variable})"
        values = {"proxy": self._proxy.address, "variable": self._proxy.variable}
        if isinstance(error, http.client.HTTPException) and not is_cut(error):
            foreign = f"{named} does not answer as an HTTP proxy does"
            return ProxyError(foreign, kind="proxy-foreign", **values)
        return NetworkError(f"{named} {reason}", kind="proxy-unreachable", **values)


def trusted_context() -> ssl.SSLContext:
    """A client's TLS context: system trust store, host name checked, TLS 1.2 or newer."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _tunnel_refusal(response: http.client.HTTPResponse, proxy: Proxy, where: str) -> TicksError:
    """What a proxy's refusal to CONNECT means."""
    status = response.status
    named = f"the proxy {proxy.address} (named by {proxy.variable})"
    values = {"proxy": proxy.address, "variable": proxy.variable}
    wanted = " ".join(response.msg.get_all("Proxy-Authenticate", [])).lower()
    others = [each for each in _OTHER_SCHEMES if each.lower() in wanted]
    if status == 407 and others and "basic" not in wanted:
        return ProxyError(
            f"{named} wants {' or '.join(others)} authentication; only Basic is supported",
            kind="proxy-authentication",
            **values,
        )
    if status == 407:
        verb = "refuses" if proxy.authorization else "asks for"
        return ProxyError(
            f"{named} {verb} the user name and password", kind="proxy-password", **values
        )
    said = f"HTTP {status} {shown(response.reason)}".strip()
    if status >= 500 or status in (408, 429):
        return NetworkError(f"{named} cannot reach {where}: {said}", kind="proxy-target", **values)
    return ProxyError(f"{named} refuses to reach {where}: {said}", kind="proxy-refused", **values)


def is_cut(error: Exception) -> bool:
    """Whether the other side hung up in mid-reply: a broken connection, not a foreign server."""
    return isinstance(error, ConnectionError | http.client.IncompleteRead)


def _words(error: Exception) -> str:
    """Why a server cannot be reached. Never the text of an exception that quotes what was sent."""
    match error:
        case UnicodeError():
            return "this is not a valid host name"
        case socket.gaierror():
            return f"the name cannot be found ({error.strerror})"
        case ssl.SSLError():
            return f"no TLS connection ({error.reason or 'cut off'})"
        case http.client.RemoteDisconnected() | ConnectionResetError():
            return "the connection was closed"
        case http.client.IncompleteRead():
            return "the reply was cut off"
        case http.client.HTTPException():
            return "it does not speak HTTP"
        case OSError():
            return error.strerror or type(error).__name__
        case _:
            return f"unexpected {type(error).__name__}"
