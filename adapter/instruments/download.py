"""Fetching the master over HTTP(S), bounded in time and in size, with the standard library.

The server is verified against the system's trust store, redirects are refused, a proxy of the
environment is used except for this machine's own addresses. Given up when nothing came for
`SILENCE_LIMIT_S`, or when the whole took `TOTAL_LIMIT_S` (design: nothing waits for ever).
"""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import urlsplit

from ..clock import Clock
from ..errors import (
    BrokerBusyError,
    BrokerError,
    CertificateError,
    InstrumentMasterError,
    NetworkError,
)
from ..urls import is_loopback, trusted_context

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes received so far and, where the server told it, how many there will be."""

SILENCE_LIMIT_S = 20.0
TOTAL_LIMIT_S = 300.0
SIZE_LIMIT_BYTES = 200_000_000
_HEADERS = {"Accept-Encoding": "gzip", "User-Agent": "ticks"}
_CHUNK_BYTES = 1 << 18
_GZIP = 16 + zlib.MAX_WBITS


def download(
    url: str,
    *,
    clock: Clock,
    progress: Progress | None = None,
    silence_limit_s: float = SILENCE_LIMIT_S,
    total_limit_s: float = TOTAL_LIMIT_S,
    size_limit_bytes: int = SIZE_LIMIT_BYTES,
) -> bytearray:
    """The body at `url`, unpacked where it came packed with gzip.

    Raises BrokerError: NetworkError, CertificateError, BrokerBusyError (429, 5xx, 403), or
    InstrumentMasterError for any other answer that cannot be a master.
    """
    deadline_s = clock.now_s() + total_limit_s
    request = urllib.request.Request(url, headers=_HEADERS)  # noqa: S310  the opener is HTTP only
    try:
        with _opener(url).open(request, timeout=silence_limit_s) as response:
            body = _Body(response, size_limit_bytes)
            while body.take_more():
                if progress is not None:
                    progress(body.received, body.expected)
                if clock.now_s() > deadline_s:
                    raise NetworkError(
                        f"the download took longer than {total_limit_s:g} s ({body.so_far})"
                    )
            return body.content
    except BrokerError:
        raise
    except (OSError, http.client.HTTPException, zlib.error, ValueError) as error:
        raise _as_ours(error, silence_limit_s) from error


class _Body:
    """What has arrived of a response, unpacked."""

    def __init__(self, response: http.client.HTTPResponse, size_limit_bytes: int) -> None:
        length = response.headers.get("Content-Length", "")
        self.expected = int(length) if length.isdecimal() else None
        self.received = 0
        self.content = bytearray()
        self._size_limit_bytes = size_limit_bytes
        self._response = response
        is_gzip = response.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip")
        self._unpacker = zlib.decompressobj(_GZIP) if is_gzip else None

    @property
    def so_far(self) -> str:
        of_all = f" of {self.expected:,}" if self.expected is not None else ""
        return f"{self.received:,}{of_all} bytes came"

    def take_more(self) -> bool:
        """One read's worth; False at the end. Raises NetworkError when that end came too early."""
        chunk = self._response.read1(_CHUNK_BYTES)
        self.received += len(chunk)
        if self._unpacker is None:
            self.content += chunk
        else:
            room = self._size_limit_bytes + 1 - len(self.content)
            self.content += self._unpacker.decompress(chunk, room)
        if len(self.content) > self._size_limit_bytes:
            raise InstrumentMasterError(f"it is larger than {self._size_limit_bytes:,} bytes")
        if chunk:
            return True
        is_cut = self._unpacker is not None and not self._unpacker.eof
        if is_cut or (self.expected is not None and self.received < self.expected):
            raise NetworkError(f"the connection ended too early ({self.so_far})")
        return False


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Only HTTP(S), and no redirect handler: a 3xx is then an error like any other status."""
    host = urlsplit(url).hostname or ""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler({} if is_loopback(host) else None),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=trusted_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _as_ours(error: Exception, silence_limit_s: float) -> BrokerError:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return _refusal(error)
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return CertificateError(
            f"the server's certificate is not to be trusted: {reason.verify_message}",
            remedy="name its authority's certificate file in SSL_CERT_FILE, if you trust it",
        )
    if isinstance(reason, TimeoutError):
        return NetworkError(f"nothing came for {silence_limit_s:g} s")
    if isinstance(reason, zlib.error):
        return InstrumentMasterError("it is not the gzip that it says it is")
    words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return NetworkError(words)


def _refusal(error: urllib.error.HTTPError) -> BrokerError:
    words = f"the server answered {error.code} {error.reason}"
    if 300 <= error.code < 400:
        return InstrumentMasterError(f"{words}, and redirects are not followed")
    if error.code in (403, 429) or error.code >= 500:
        return BrokerBusyError(words)
    return InstrumentMasterError(words)
