"""One WebSocket to the feed: the handshake through websocket-client; then bytes in, bytes out.

The only file that knows websocket-client, which gets a socket that is open already: the way to the
server (proxy, TLS) is `dial.py`'s, as for every other call. Its frame reader is not used (a library
call a frame costs ten times a drain); `wire/frames.py` cuts what `receive` returns.

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
from typing import Any

import websocket

from ..dial import Dial
from ..errors import (
    BrokerBusyError,
    HandshakeRefusedError,
    NetworkError,
    NotSmartApiError,
    RateLimitedError,
    TicksError,
    TokenRefusedError,
)
from ..redaction import remember, shown
from ..urls import without_secrets
from ..wire.frames import Opcode, encode_close, encode_frame

DRAIN_BYTES = 65_536
"""What one `recv` asks for; a larger one adds latency and no speed. It is more than a TLS record
holds (16 KiB), so that no decrypted rest is left where no poll sees it."""
HANDSHAKE_TIMEOUT_S = 10.0
HANDSHAKE_BYTES = 65_536
"""The most that is read of the reply to a handshake, body included. The library puts no limit on
it, and takes a hundred times its size while it does so."""
LINGER_S = 1.0
"""How long a close waits for the peer's close frame."""
AFTER_CLOSE_BYTES = 1 << 24
"""How much a close reads of what the peer still sends. A second of the fastest feed seen fits; a
peer that sends more than that after our close frame is not waited for, nor read to its end."""
UNSENT_BYTES = 1 << 20
"""How much may wait for a peer that reads nothing. All requests for 1000 instruments are 20 kB."""
_SWITCHING_PROTOCOLS = 101
_PUBLIC_HEADER = "x-client-code"


class Handshake:
    """A handshake under way. `run` blocks; `abandon`, from another thread, makes it end soon.

    `timeout_s` limits each wait inside, not the whole: that is for the owner, who abandons.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], *, timeout_s: float = HANDSHAKE_TIMEOUT_S
    ) -> None:
        """Raises UsageError or ProxyError for a proxy variable that cannot be used."""
        self._url = url
        self._headers = dict(headers)
        self._timeout_s = timeout_s
        self._dial = Dial(url, timeout_s)
        # The reply may echo them, in a header, a reason phrase or a close reason.
        remember(
            *(
                text.removeprefix("Bearer ")
                for name, text in headers.items()
                if name.lower() != _PUBLIC_HEADER
            )
        )

    def run(self) -> Link:
        """The open link. Raises a BrokerError, or TokenRefusedError."""
        shown_url = without_secrets(self._url)
        late = f"gave no answer to the handshake within {self._timeout_s:g} s"
        try:
            sock = self._dial.open()
        except Exception as error:
            raise self._dial.failure(error, late) from error
        library = websocket.WebSocket(enable_multithread=False)
        status: int | None = None
        try:
            library.connect(  # type: ignore[no-untyped-call]  # the library's own gap
                self._url,
                header=self._headers,
                timeout=self._timeout_s,
                redirect_limit=0,
                socket=_Limited(sock),
            )
            status = library.getstatus()
        except websocket.WebSocketBadStatusException as error:
            said = (error.resp_headers or {}).get("x-error-message", "")
            # None of these has a cause: the library's errors quote the reply's headers and body.
            raise _refused(error.status_code, shown(said), shown_url) from None
        except Exception as error:  # noqa: BLE001  (the library raises its own kinds and others)
            status = library.getstatus()
            if status is not None and status != _SWITCHING_PROTOCOLS:
                raise _refused(status, "", shown_url) from None  # a redirect, not followed
            named = self._translated(error, late, shown_url)
            raise named from (error if isinstance(error, OSError) else None)
        finally:
            # The library would keep them forever, and send them to the next server of that domain.
            websocket._handshake.CookieJar.jar.clear()
            if status != _SWITCHING_PROTOCOLS:
                sock.close()
        if status != _SWITCHING_PROTOCOLS:
            # websocket-client 1.8 calls a redirect that it may not follow a success.
            raise _refused(status or 0, "", shown_url)
        return Link(sock)

    def _translated(self, error: Exception, late: str, url: str) -> TicksError:
        """A fault of the handshake itself, as one of our errors."""
        match error:
            case websocket.WebSocketTimeoutException():
                return self._dial.failure(TimeoutError(), late)
            case websocket.WebSocketConnectionClosedException():
                return NetworkError(f"{url} hung up during the handshake", kind="unreachable")
            case OSError():
                return self._dial.failure(error, late)
            case _:
                return NotSmartApiError(
                    f"{url} does not answer as a WebSocket does: {shown(str(error))}",
                    kind="not-websocket",
                )

    def abandon(self) -> None:
        """Give the handshake up: its wait ends with an error."""
        self._dial.abandon()


class _Limited:
    """A socket of which only `HANDSHAKE_BYTES` can be read; all else is the socket's own."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._left = HANDSHAKE_BYTES

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recv(self, size: int) -> bytes:
        if self._left <= 0:
            limit = f"{HANDSHAKE_BYTES:,} bytes"
            raise websocket.WebSocketException(f"its reply is larger than {limit}")
        data = self._sock.recv(min(size, self._left))
        self._left -= len(data)
        return data


def _refused(status: int, said: str, url: str) -> TicksError:
    words = f"{url} refused the handshake with HTTP {status}" + (f": {said}" if said else "")
    if status in (401, 403):
        return TokenRefusedError(words, kind="handshake-tokens", status=status)
    if status == 429:
        return RateLimitedError(words, kind="connection-limit", status=status)
    if status >= 500:
        return BrokerBusyError(words, kind="feed-busy", status=status)
    # `status` is an argument of this class, not one of its values.
    return HandshakeRefusedError(words, status=status, kind="handshake-refused")


class Link:
    """An open WebSocket that never blocks. The owner watches `fileno()` for reading, and for
    writing while `wants_write`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.setblocking(False)
        self._unsent = b""
        self._pong = b""
        """A whole pong that waits after `_unsent`; a newer one takes its place (RFC 6455, 5.5.3),
        so that a peer that only sends pings costs no memory."""

    def fileno(self) -> int:
        return self._sock.fileno()

    @property
    def wants_write(self) -> bool:
        """Whether something waits for the peer to take it."""
        return bool(self._unsent or self._pong)

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
        """Answer a control ping, or, until the peer takes it, the newest. Raises NetworkError."""
        self._pong = encode_frame(Opcode.PONG, payload, mask=os.urandom(4))
        self.flush()

    def _send(self, frame: bytes) -> None:
        if len(self._unsent) + len(frame) > UNSENT_BYTES:
            raise NetworkError(f"the peer reads nothing: {len(self._unsent):,} bytes wait for it")
        self._unsent += frame
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the peer takes it. Raises NetworkError."""
        try:
            while self._unsent or self._pong:
                if not self._unsent:
                    self._unsent, self._pong = self._pong, b""
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            raise _gone(error) from error

    def close(self, code: int, *, linger_s: float = LINGER_S) -> bytes:
        """Send a close frame, wait `linger_s` at most for the peer to hang up, and close.

        Returns what came meanwhile, a little over `AFTER_CLOSE_BYTES` at most: whatever left the
        socket is the caller's to count, and the rest does not leave it.
        """
        came = bytearray()
        end_s = time.monotonic() + linger_s
        try:
            self._send(encode_close(code, mask=os.urandom(4)))
            is_sent = not self._unsent
        except NetworkError:
            is_sent = False
        # A close frame that could not be sent gets no answer: take what is there, wait for nothing.
        with contextlib.suppress(NetworkError):
            while (left_s := end_s - time.monotonic()) > 0 and len(came) < AFTER_CLOSE_BYTES:
                if not _readable(self, left_s if is_sent else 0.0):
                    break
                came += self.receive()
        self.abort()
        return bytes(came)

    def abort(self) -> None:
        """Close without a close frame, for a link that is dead already."""
        with contextlib.suppress(OSError):
            self._sock.close()


def _readable(link: Link, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(link.fileno(), select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))


def _gone(error: OSError) -> NetworkError:
    return NetworkError(f"the link broke: {error.strerror or shown(str(error))}")
