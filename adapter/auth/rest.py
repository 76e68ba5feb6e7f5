"""One HTTP call, bounded: at most 10 s and 1 MiB, whatever the other side does.

Rules
- Time is bounded over the whole call: name look-up, connect, TLS, and a server that drips bytes.
  So the call runs on a thread of its own that is left behind, its socket shut, when time is up.
- Certificates are checked against the system's trust store; a refused one is a CertificateError.
- A redirect is a reply like any other: tokens never follow it.
- Proxies of the environment are used (HTTPS_PROXY, NO_PROXY), but never for loopback addresses.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from ..errors import BrokerError, CertificateError, NetworkError, NotSmartApiError
from ..urls import is_loopback, trusted_context, without_secrets
from .replies import Reply

CALL_TIMEOUT_S = 10.0
LONGEST_REPLY = 1 << 20


class _ReplyTooLongError(Exception):
    """More bytes than any reply has."""


def exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    timeout_s: float = CALL_TIMEOUT_S,
) -> Reply:
    """Send one request and return the reply, whatever its status.

    `url` is one that `address.checked_url` let pass. Raises NetworkError, CertificateError or
    NotSmartApiError; their texts name the host and the reason, never a header or the body.
    """
    call = _Call(method, url, headers, body, timeout_s)
    thread = threading.Thread(target=call.run, name="ticks-rest", daemon=True)
    thread.start()
    try:
        thread.join(timeout_s)
    finally:
        is_late = thread.is_alive()
        if is_late:
            call.abandon()
    if call.reply is not None:
        return call.reply
    failure = call.failure if not is_late and call.failure is not None else TimeoutError()
    raise _translated(failure, url, timeout_s) from failure


class _Call:
    """A call under way: `run` on its own thread, `abandon` from the one that waits."""

    def __init__(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> None:
        self._method = method
        self._url = url
        self._headers = headers
        self._body = body
        self._connection = _connection_to(url, timeout_s)
        self._socket: socket.socket | None = None
        self._is_abandoned = False
        self.reply: Reply | None = None
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self.reply = self._exchanged()
        except Exception as error:  # noqa: BLE001  (raised again by the one who waits)
            self.failure = error
        finally:
            self._connection.close()

    def abandon(self) -> None:
        """Make `run` end soon: nothing more is sent or read."""
        self._is_abandoned = True
        sock = self._socket or self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _exchanged(self) -> Reply:
        self._connection.connect()
        self._socket = self._connection.sock
        if self._is_abandoned:
            raise TimeoutError
        parts = urlsplit(self._url)
        self._connection.request(self._method, parts.path or "/", self._body, dict(self._headers))
        with self._connection.getresponse() as response:
            body = response.read(LONGEST_REPLY + 1)
            if len(body) > LONGEST_REPLY:
                raise _ReplyTooLongError
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            return Reply(
                status=response.status,
                body=body,
                location=response.getheader("Location", ""),
                server_wall_s=_wall_s(response.getheader("Date", "")),
            )


def _connection_to(url: str, timeout_s: float) -> http.client.HTTPConnection:
    """Not connected yet; through the environment's proxy where there is one for this host."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, port or 80, timeout=timeout_s)
    port = port or 443
    context = trusted_context()
    proxy = _proxy_for(host)
    if proxy is None:
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    connection = http.client.HTTPSConnection(
        through.hostname or "", through.port or 80, timeout=timeout_s, context=context
    )
    connection.set_tunnel(host, port, _proxy_headers(through.username, through.password))
    return connection


def _proxy_for(host: str) -> str | None:
    if is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get("https") or proxies.get("all")


def _proxy_headers(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _wall_s(date: str) -> float | None:
    """A Date header as seconds since 1970, or None."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def _translated(failure: Exception, url: str, timeout_s: float) -> BrokerError:
    """What went wrong on the way, in our words."""
    where = urlsplit(url).netloc
    if isinstance(failure, ssl.SSLCertVerificationError):
        return CertificateError(
            f"the certificate of {where} is not to be trusted: {failure.verify_message}",
            remedy="if your network inspects TLS, put its certificate into the system's trust"
            " store or name it in SSL_CERT_FILE",
        )
    if isinstance(failure, _ReplyTooLongError):
        return NotSmartApiError(
            f"what answers at {where} is no SmartAPI: its reply is longer than 1 MiB",
            remedy="check TICKS_REST_URL",
        )
    if isinstance(failure, http.client.HTTPException) and not isinstance(
        failure, ConnectionError | http.client.IncompleteRead
    ):
        return NotSmartApiError(
            f"what answers at {without_secrets(url)} does not speak HTTP",
            remedy="check TICKS_REST_URL",
        )
    return NetworkError(
        f"{where} cannot be reached: {_reason(failure, timeout_s)}",
        remedy="check the network, the proxy variables and TICKS_REST_URL",
    )


def _reason(failure: Exception, timeout_s: float) -> str:
    if isinstance(failure, TimeoutError):
        return f"no complete answer within {timeout_s:g} s"
    if isinstance(failure, UnicodeError):
        return "this is no host name"
    if isinstance(failure, socket.gaierror):
        return f"the name cannot be found ({failure.strerror})"
    if isinstance(failure, ssl.SSLError):
        return f"no TLS connection ({failure.reason or 'cut off'})"
    if isinstance(failure, http.client.IncompleteRead):
        return "the reply was cut off"
    if isinstance(failure, OSError):
        return failure.strerror or str(failure)
    return type(failure).__name__
