"""Files and standard input as blocks of text, decompressed where they are gzip. Memory is bounded.

A wait for standard input ends when the bell rings, so that a stop is immediate.
"""

from __future__ import annotations

import os
import select
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Protocol

from ..errors import RecordingError

BLOCK = 1 << 17
STDIN_FD = 0
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WBITS = 31


class Bell(Protocol):
    """What ends a wait: `feed.wakeup.Waker` is one."""

    def fileno(self) -> int:
        """What a selector watches for reading."""
        ...

    def wake(self) -> None:
        """Safe in a signal handler."""
        ...

    def wait(self, timeout_s: float | None) -> bool:
        """Whether it rang within so many seconds (None: wait for ever)."""
        ...


class TornInputError(Exception):
    """A compressed input ends, or breaks, in its midst."""


class Input:
    """A file, or standard input (`-`). `bytes_read` counts what was read of it, compressed."""

    def __init__(self, path: str, *, bell: Bell | None = None) -> None:
        self.path = path
        self.bytes_read = 0
        self._bell = bell

    @property
    def name(self) -> str:
        return "stdin" if self.is_stdin else self.path

    @property
    def is_stdin(self) -> bool:
        return self.path == "-"

    def size(self) -> int | None:
        """Bytes of the file; None where nobody knows."""
        try:
            return None if self.is_stdin else os.stat(self.path).st_size or None
        except OSError:
            return None

    def blocks(self) -> Iterator[bytes]:
        """Its text, in blocks of any size. Raises RecordingError, TornInputError."""
        try:
            with closing(self._raw_blocks()) as raw:
                first = b""
                for block in raw:
                    first += block
                    if len(first) >= len(_GZIP_MAGIC):
                        break
                if first.startswith(_GZIP_MAGIC):
                    yield from _decompressed(first, raw)
                else:
                    yield first
                    yield from raw
        except OSError as error:
            raise RecordingError(
                f"{self.name} cannot be read: {error.strerror or error}"
            ) from error

    def _raw_blocks(self) -> Generator[bytes, None, None]:
        fd = STDIN_FD if self.is_stdin else os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while self._has_more(fd) and (block := os.read(fd, BLOCK)):
                self.bytes_read += len(block)
                yield block
        finally:
            if not self.is_stdin:
                os.close(fd)

    def _has_more(self, fd: int) -> bool:
        """Wait until there is something to read, the end included; False when the bell rang."""
        if self._bell is None or not self.is_stdin:
            return True
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(self._bell.fileno(), select.POLLIN)
        return all(ready != self._bell.fileno() for ready, _ in poll.poll())


def _decompressed(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """The text of one gzip member after another."""
    reader = zlib.decompressobj(_GZIP_WBITS)
    block: bytes | None = first
    while block is not None:
        while block:
            if reader.eof:
                block = block.lstrip(b"\0")
                if not block:
                    break
                reader = zlib.decompressobj(_GZIP_WBITS)
            try:
                text = reader.decompress(block, BLOCK)
            except zlib.error as error:
                raise TornInputError(f"the compressed file is torn ({error})") from error
            if text:
                yield text
            block = reader.unused_data if reader.eof else reader.unconsumed_tail
        block = next(rest, None)
    if not reader.eof:
        raise TornInputError("the compressed file is torn (it has no end)")
