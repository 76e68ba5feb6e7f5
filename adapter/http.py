"""The one HTTP client: REST calls, and the instrument master's download.

Rules
- Nothing waits forever. A call has a limit over the whole of it (name look-up, proxy, TLS, a
  header that trickles in, `100 Continue` without end) and one on its size, before and after
  unpacking.
- So a call runs on a thread of its own, which its caller gives up when time is up or a signal
  comes: a name server that hangs cannot be interrupted, only left behind.
- A redirect is a reply like any other: tokens never follow it.
- No message shows a header or a body of ours.
"""

from __future__ import annotations

import contextlib
import http.client
import queue
import socket
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import NoReturn, TypeAlias
from urllib.parse import urlsplit

from .dial import Dial, is_cut
from .errors import (
    NotSmartApiError,
    ProxyError,
    TicksError,
)
from .limits import start_thread
from .redaction import shown
from .urls import without_secrets

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes received so far and, where the server gave it, how many there will be."""

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
        # Also when a signal handler raised: what the thread still brings is discarded.
        call.dial.abandon()


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
        is_stranger = isinstance(error, http.client.HTTPException) and not is_cut(error)
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


def _foreign(url: str, what_it_does: str, kind: str) -> NotSmartApiError:
    address = without_secrets(url)
    return NotSmartApiError(f"{address} {what_it_does}", kind=kind, url=address)


def _wall_s(date: str) -> float | None:
    """A Date header as seconds since 1970, or None."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
