"""The one HTTP client: REST calls, the instrument master's download, and the way to the feed.

Rules
- Nothing waits for ever. A call has a limit over the whole of it (name look-up, proxy, TLS, a
  header that drips, `100 Continue` without end) and one on its size, before and after unpacking.
- So a call runs on a thread of its own, which its caller gives up when time is up or a signal
  comes: a name server that hangs cannot be interrupted, only left behind.
- Certificates are verified against the system's trust store (`SSL_CERT_FILE` and `SSL_CERT_DIR`
  are honoured). A redirect is a reply like any other: tokens never follow it.
- The way leads through the environment's proxy where `proxy.py` finds one, as a CONNECT tunnel. An
  error names the hop that failed.
- No message shows a header or a body of ours.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import queue
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import NoReturn, TypeAlias
from urllib.parse import urlsplit

from .errors import (
    CertificateError,
    NetworkError,
    NotSmartApiError,
    ProxyError,
    TicksError,
    UsageError,
)
from .limits import start_thread
from .proxy import Proxy, proxy_for
from .redaction import remember, shown
from .urls import DEFAULT_PORTS, without_secrets

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes received so far and, where the server gave it, how many there will be."""

_OTHER_SCHEMES = ("NTLM", "Negotiate", "Kerberos", "Digest", "Bearer")
_LONGEST_WAIT_S = 0.25
_CHUNK_BYTES = 1 << 18
_UNPACKED_AT_ONCE = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_BOMB_RATIO = 100
_BOMB_BYTES = 1 << 24
"""JSON of the broker packs to a fifteenth. What unpacks to more than a hundred times its size, and
to more than this, is made to fill memory."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may take; seconds and bytes.

    `silence_s`: the longest time in which nothing of the body arrives; None: only the whole is
    limited. `body_bytes` limits the body twice: as it arrives and unpacked.
    """

    total_s: float
    body_bytes: int
    silence_s: float | None = None


REST_LIMITS = Limits(total_s=10.0, body_bytes=1 << 20)


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply. `server_wall_s` is its Date, seconds since 1970; `location` "" if none."""

    status: int
    body: bytes | bytearray = field(repr=False)
    reason: str = ""
    location: str = ""
    server_wall_s: float | None = None


def exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    limits: Limits = REST_LIMITS,
    progress: Progress | None = None,
) -> Reply:
    """Send one request and return the reply, whatever its status. gzip is unpacked.

    `progress` is called on the calling thread. Raises NetworkError, CertificateError, ProxyError
    or NotSmartApiError (not HTTP, too large), UsageError for a proxy variable of no use, and
    ResourceLimitError.
    """
    call = _Call(method, url, headers, body, limits)
    start_thread(call.run, name="ticks-http")
    try:
        return call.wait(progress)
    finally:
        # Also on the way of a signal's exception: what the thread still brings, nobody takes.
        call.dial.abandon()


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
        if isinstance(error, http.client.HTTPException) and not _is_cut(error):
            foreign = f"{named} does not answer as an HTTP proxy does"
            return ProxyError(foreign, kind="proxy-foreign", **values)
        return NetworkError(f"{named} {reason}", kind="proxy-unreachable", **values)


def trusted_context() -> ssl.SSLContext:
    """A client's TLS context: system trust store, host name checked, TLS 1.2 or newer."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that is open already."""

    auto_open = 0  # by itself it would open one without proxy and TLS, and send the tokens there

    def __init__(self, sock: socket.socket) -> None:
        super().__init__("")
        self.sock = sock


class _Call:
    """A call under way: `run` on its own thread, `wait` on the caller's."""

    def __init__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, limits: Limits
    ) -> None:
        self.dial = Dial(url, limits.total_s)
        self._url = url
        parts = urlsplit(url)
        whole = {"Host": parts.netloc, "Accept-Encoding": "gzip", **headers}
        self._request = (method, parts.path or "/", body, whole)
        self._limits = limits
        self._news: queue.SimpleQueue[_Body | Reply | Exception] = queue.SimpleQueue()
        self._was_sent = False

    def wait(self, progress: Progress | None) -> Reply:
        """The reply. Raises what `exchange` raises."""
        limits = self._limits
        heard_s, so_far = time.monotonic(), ""
        end_s = heard_s + limits.total_s
        while True:
            silent_s = end_s if limits.silence_s is None else heard_s + limits.silence_s
            left_s = min(end_s, silent_s) - time.monotonic()
            try:
                # In short waits: a signal that comes just before one begins does not interrupt it.
                news = self._news.get(timeout=min(max(0.0, left_s), _LONGEST_WAIT_S))
            except queue.Empty:
                if left_s > _LONGEST_WAIT_S:
                    continue
                late = (
                    f"gave no complete answer within {limits.total_s:g} s"
                    if end_s <= silent_s
                    else f"sent nothing for {limits.silence_s:g} s"
                )
                raise self._failure(TimeoutError(), late + so_far) from None
            if isinstance(news, Reply):
                return news
            if isinstance(news, Exception):
                self._raise(news, so_far)
            else:
                heard_s, so_far = time.monotonic(), f" ({news.so_far})"
                if progress is not None:
                    progress(news.received, news.expected)

    def run(self) -> None:
        try:
            self._news.put(self._reply())
        except Exception as error:  # noqa: BLE001  (raised again by the one who waits)
            self._news.put(error)

    def _reply(self) -> Reply:
        with contextlib.closing(_Connection(self.dial.open())) as connection:
            self._was_sent = True
            connection.request(*self._request)
            with connection.getresponse() as response:
                body = _Body(response, self._limits.body_bytes, self._url)
                while body.take_more():
                    self._news.put(body)
                return Reply(
                    status=response.status,
                    body=body.content,
                    reason=shown(response.reason),
                    location=response.getheader("Location", ""),
                    server_wall_s=_wall_s(response.getheader("Date", "")),
                )

    def _failure(self, error: Exception, late: str) -> TicksError:
        named = self.dial.failure(error, late)
        if self._was_sent:
            named.values["was_sent"] = True
        return named

    def _raise(self, error: Exception, so_far: str) -> NoReturn:
        """Raise `error` as one of ours, with the cause where that shows nothing foreign."""
        if isinstance(error, TicksError):
            raise error
        late = f"gave no complete answer within {self._limits.total_s:g} s{so_far}"
        named = self._failure(error, late)
        if isinstance(error, OSError) and not isinstance(error, http.client.HTTPException):
            raise named from error
        is_stranger = isinstance(error, http.client.HTTPException) and not _is_cut(error)
        if is_stranger and not isinstance(named, ProxyError):
            named = _foreign(self._url, "does not speak HTTP", "not-http")
        # Without the cause: its text quotes what the server sent, or a header of ours.
        raise named from None


class _Body:
    """What has arrived of a response, unpacked. `received` and `expected` are bytes on the wire."""

    def __init__(self, response: http.client.HTTPResponse, limit_bytes: int, url: str) -> None:
        self.expected = response.length
        self.received = 0
        self.content = bytearray()
        self._response = response
        self._limit_bytes = limit_bytes
        self._url = url
        is_gzip = response.getheader("Content-Encoding", "").lower() in ("gzip", "x-gzip")
        self._unpacker = zlib.decompressobj(_GZIP) if is_gzip else None

    @property
    def so_far(self) -> str:
        of_all = f" of {self.expected:,}" if self.expected is not None else ""
        return f"{self.received:,}{of_all} bytes came"

    def take_more(self) -> bool:
        """One read's worth; False at the end. Raises IncompleteRead when that came too early."""
        chunk = self._response.read1(_CHUNK_BYTES)
        self.received += len(chunk)
        if self.received > self._limit_bytes:
            self._refuse(f"is larger than {self._limit_bytes:,} bytes")
        if self._unpacker is None:
            self.content += chunk
        else:
            self._unpack(self._unpacker, chunk)
        if chunk:
            return True
        is_cut = self._unpacker is not None and self.received > 0 and not self._unpacker.eof
        if is_cut or (self.expected is not None and self.received < self.expected):
            raise http.client.IncompleteRead(b"", self.expected)
        return False

    def _unpack(self, unpacker: zlib._Decompress, chunk: bytes) -> None:
        try:
            while chunk and not unpacker.eof:
                # In pieces: a bomb must not fill the memory before it is looked at.
                self.content += unpacker.decompress(chunk, _UNPACKED_AT_ONCE)
                chunk = unpacker.unconsumed_tail
                size = len(self.content)
                if size > self._limit_bytes:
                    self._refuse(f"unpacks to more than {self._limit_bytes:,} bytes")
                if size > _BOMB_BYTES and size > self.received * _BOMB_RATIO:
                    self._refuse(f"unpacks to more than {_BOMB_RATIO} times its size")
        except zlib.error:
            raise _foreign(self._url, "sends gzip that is not valid", "reply-gzip") from None

    def _refuse(self, reason: str) -> NoReturn:
        raise _foreign(self._url, f"sends a reply that {reason}", "reply-too-large")


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


def _foreign(url: str, what_it_does: str, kind: str) -> NotSmartApiError:
    address = without_secrets(url)
    return NotSmartApiError(f"{address} {what_it_does}", kind=kind, url=address)


def _is_cut(error: Exception) -> bool:
    """Whether the other side hung up in mid-reply: not a stranger, but a broken connection."""
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


def _wall_s(date: str) -> float | None:
    """A Date header as seconds since 1970, or None."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
