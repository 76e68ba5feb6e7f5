"""One WebSocket to the feed: handshake and TLS through websocket-client; then bytes in, bytes out.

The only file that knows websocket-client. Its frame reader is left aside (a library call a frame
costs ten times a drain); `wire/frames.py` cuts what `receive` returns.

Refusals come as an HTTP status and the header `x-error-message` (protocol.md, "Handshake").
Tokens travel as headers only; redirects are never followed with them.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import websocket

from ..errors import (
    BrokerBusyError,
    CertificateError,
    HandshakeRefusedError,
    NetworkError,
    NotSmartApiError,
    RateLimitedError,
    TicksError,
    TokenRefusedError,
)
from ..urls import is_loopback, trusted_context, without_secrets
from ..wire.frames import Opcode, encode_close, encode_frame

DRAIN_BYTES = 65_536
"""What one `recv` asks for; a larger one adds latency and no speed. It is more than a TLS record
holds (16 KiB), so that no decrypted rest is left where no selector sees it."""
HANDSHAKE_TIMEOUT_S = 10.0
LINGER_S = 1.0
"""How long a close waits for the peer's close frame."""
_SWITCHING_PROTOCOLS = 101
_MOST_SHOWN = 200


class Handshake:
    """A handshake under way. `run` blocks; `abandon`, from another thread, makes it end soon.

    `timeout_s` limits each wait inside, not the whole: that is for the owner, who abandons.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], *, timeout_s: float = HANDSHAKE_TIMEOUT_S
    ) -> None:
        self._url = url
        self._headers = headers
        self._timeout_s = timeout_s
        self._socket = websocket.WebSocket(
            sslopt={"context": trusted_context()} if url.startswith("wss:") else None,
            enable_multithread=False,
        )

    def run(self) -> Link:
        """The open link. Raises a BrokerError, or TokenRefusedError."""
        host = urlsplit(self._url).hostname or ""
        shown = without_secrets(self._url)
        try:
            self._socket.connect(  # type: ignore[no-untyped-call]  # the library's own gap
                self._url,
                header=dict(self._headers),
                timeout=self._timeout_s,
                redirect_limit=0,
                http_no_proxy=["*"] if is_loopback(host) else None,
            )
        except Exception as error:
            raise self._redirected() or _translated(error, shown) from error
        redirected = self._redirected()
        sock = self._socket.sock
        if redirected is not None or sock is None:
            self._socket.shutdown()  # type: ignore[no-untyped-call]
            raise redirected or NetworkError(f"{shown}: the handshake was given up")
        return Link(sock)

    def _redirected(self) -> TicksError | None:
        """websocket-client 1.8 calls a redirect that it may not follow a success."""
        status = self._socket.getstatus()
        if status in (None, _SWITCHING_PROTOCOLS):
            return None
        return _refused(status, "", without_secrets(self._url))

    def abandon(self) -> None:
        """Give the handshake up: what it waits for comes no more."""
        sock = self._socket.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _translated(error: Exception, url: str) -> TicksError:
    """Foreign errors in our words: no body, and no header but one."""
    match error:
        case websocket.WebSocketBadStatusException():
            said = (error.resp_headers or {}).get("x-error-message", "")
            return _refused(error.status_code, _printable(said), url)
        case ssl.SSLCertVerificationError():
            return CertificateError(
                f"the certificate of {url} is not to be trusted: {error.verify_message}",
                remedy="check the address and the clock; SSL_CERT_FILE names another trust store",
            )
        case websocket.WebSocketAddressException():
            return NetworkError(f"{url}: the name cannot be resolved", remedy="check the network")
        case websocket.WebSocketTimeoutException() | TimeoutError():
            return NetworkError(f"{url} does not answer", remedy="check the network")
        case websocket.WebSocketConnectionClosedException():
            return NetworkError(f"{url} hung up during the handshake")
        case websocket.WebSocketProxyException():
            return NetworkError(f"{url}: the proxy refuses: {_printable(str(error))}")
        case OSError():
            return NetworkError(f"{url}: {error.strerror or _printable(str(error))}")
        case _:
            return NotSmartApiError(
                f"{url} does not answer as a WebSocket does: {_printable(str(error))}",
                remedy="check TICKS_FEED_URL",
            )


def _refused(status: int, said: str, url: str) -> TicksError:
    words = f"{url} refused the handshake with HTTP {status}" + (f": {said}" if said else "")
    if status in (401, 403):
        return TokenRefusedError(words, remedy="log in again: ticks login")
    if status == 429:
        return RateLimitedError(
            words, remedy="a client code may hold 3 connections over all apps; close one and wait"
        )
    if status >= 500:
        return BrokerBusyError(words)
    return HandshakeRefusedError(words, status=status, remedy="check TICKS_FEED_URL")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:_MOST_SHOWN]).strip()


class Link:
    """An open WebSocket that never blocks. The owner watches `fileno()` for reading, and for
    writing while `wants_write`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.setblocking(False)
        self._unsent = b""

    def fileno(self) -> int:
        return self._sock.fileno()

    @property
    def wants_write(self) -> bool:
        """Whether something waits for the peer to take it."""
        return bool(self._unsent)

    def receive(self) -> bytes:
        """What has come, up to 64 KiB; b"" when nothing has.

        Raises NetworkError when the peer is gone.
        """
        try:
            data = self._sock.recv(DRAIN_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            raise _gone(error) from error
        if not data:
            raise NetworkError("the peer hung up without a close frame")
        return data

    def send_text(self, text: str) -> None:
        """Send a text frame, or keep it until the peer takes it. Raises NetworkError."""
        self._send(encode_frame(Opcode.TEXT, text.encode(), mask=os.urandom(4)))

    def send_pong(self, payload: bytes) -> None:
        """Answer a control ping. Raises NetworkError."""
        self._send(encode_frame(Opcode.PONG, payload, mask=os.urandom(4)))

    def _send(self, frame: bytes) -> None:
        self._unsent += frame
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the peer takes it. Raises NetworkError."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            raise _gone(error) from error

    def close(self, code: int, *, linger_s: float = LINGER_S) -> bytes:
        """Send a close frame, wait `linger_s` at most for the peer to hang up, and close.

        Returns what came meanwhile: whatever left the socket is the caller's to count.
        """
        came: list[bytes] = []
        end_s = time.monotonic() + linger_s
        try:
            self._send(encode_close(code, mask=os.urandom(4)))
            is_sent = not self._unsent
        except NetworkError:
            is_sent = False
        # A close frame that could not be sent gets no answer: take what is there, wait for nothing.
        with contextlib.suppress(NetworkError):
            while (left_s := end_s - time.monotonic()) > 0:
                if not _readable(self, left_s if is_sent else 0.0):
                    break
                came.append(self.receive())
        self.abort()
        return b"".join(came)

    def abort(self) -> None:
        """Close without a word, for a link that is dead already."""
        with contextlib.suppress(OSError):
            self._sock.close()


def _readable(link: Link, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(link.fileno(), select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))


def _gone(error: OSError) -> NetworkError:
    return NetworkError(f"the link broke: {error.strerror or _printable(str(error))}")
