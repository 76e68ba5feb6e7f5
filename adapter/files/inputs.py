"""Files and standard input as blocks of text, decompressed where they are gzip. Memory is bounded.

A stop is asked for before every block, so that text of which nothing can be used does not delay it;
and a wait for standard input, a FIFO or a device ends with the wake-up, also while a FIFO has no
writer yet.
"""

from __future__ import annotations

import os
import select
import stat
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from itertools import chain
from typing import Protocol, TypeAlias

from ..errors import RecordingError
from ..waker import Waker

BLOCK = 1 << 17
STDIN_FD = 0
_GZIP_MAGIC = b"\x1f\x8b"
_MEMBER = b"\x1f\x8b\x08"
"""What every member of a gzip file begins with."""
_GZIP_WBITS = 31
_NO_END = "it has no end"
_PROBED = 1 << 12
_PROBED_TEXT = 64
_PLAIN = bytes(range(32, 127)) + b"\r\n\t"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


OnDamage: TypeAlias = Callable[[str, int, str], None]
"""Is called for a damaged row: the file, the line or row number (from 1), what is wrong."""


class TornInputError(Exception):
    """A compressed input ends early, or is damaged in the middle."""


class Input:
    """A file, or standard input (`-`). `bytes_read` counts what was read of it, compressed.

    It ends where it is once `is_stopping`, which is asked after each wake-up by the waker.
    """

    def __init__(
        self,
        path: str,
        *,
        waker: Waker | None = None,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.path = path
        self.bytes_read = 0
        self._waker = waker
        self._is_stopping = is_stopping

    @property
    def name(self) -> str:
        return "stdin" if self.is_stdin else self.path

    @property
    def is_stdin(self) -> bool:
        return self.path == "-"

    def size(self) -> int | None:
        """Bytes of the file; None where it is not known."""
        try:
            return None if self.is_stdin else os.stat(self.path).st_size or None
        except OSError:
            return None

    def starts_with(self, magic: bytes) -> bool:
        """Whether a regular file begins so; of what can be read only once nothing is read."""
        try:
            if self.is_stdin or not stat.S_ISREG(os.stat(self.path).st_mode):
                return False
            with open(self.path, "rb") as file:
                return file.read(len(magic)) == magic
        except OSError:
            return False  # `blocks` says why

    def blocks(self) -> Iterator[bytes]:
        """Its text, in blocks of any size. Raises RecordingError, TornInputError."""
        with closing(self._text_blocks()) as texts:
            for text in texts:
                if self._is_stopping():
                    return
                yield text

    def _text_blocks(self) -> Generator[bytes, None, None]:
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
            reason = error.strerror or str(error)
            raise RecordingError(
                f"{self.name} cannot be read: {reason}",
                kind="recording-unreadable",
                name=self.name,
                reason=reason,
            ) from error

    def _raw_blocks(self) -> Generator[bytes, None, None]:
        how = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        fd = STDIN_FD if self.is_stdin else os.open(self.path, how)
        is_file = stat.S_ISREG(os.fstat(fd).st_mode)
        try:
            while is_file or self._wait_for_more(fd):
                try:
                    block = os.read(fd, BLOCK)
                except BlockingIOError:  # another reader of the FIFO was faster
                    continue
                if not block:
                    return
                self.bytes_read += len(block)
                yield block
        finally:
            if not self.is_stdin:
                os.close(fd)

    def _wait_for_more(self, fd: int) -> bool:
        """Wait until there is something to read, the end included; False at a stop."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        if self._waker is None:
            poll.poll()
            return True
        poll.register(self._waker.fileno(), select.POLLIN)
        while not self._is_stopping():
            ready = [descriptor for descriptor, _ in poll.poll()]
            if fd in ready:
                return True
            self._waker.clear()  # it was woken for another input
        return False


class Measured(Protocol):
    """What is read as a stream, and may know how long it is: an `Input`, or a stream of NATS."""

    bytes_read: int

    def size(self) -> int | None: ...


def bytes_of(sources: Sequence[Measured]) -> tuple[int, int | None]:
    """The bytes read of all, and those of all; None for these where one is of unknown size."""
    sizes = [source.size() for source in sources]
    known = [size for size in sizes if size is not None]
    total = sum(known) if len(known) == len(sizes) else None
    return sum(source.bytes_read for source in sources), total


def _decompressed(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """The text of one gzip member after another, and of what is joined to them as it is.

    Raises TornInputError at the end, where a member was torn or damaged.
    """
    reader, is_fresh = zlib.decompressobj(_GZIP_WBITS), True
    torn = ""
    rest = _with_whole_beginnings(chain([first], rest))
    while (block := next(rest, None)) is not None:
        while block:
            if reader.eof:
                block = block.lstrip(b"\0")  # padding between members, as from a tape
                block += next(rest, b"") if len(block) == 1 else b""
                if block and not block.startswith(_GZIP_MAGIC):
                    yield block
                    yield from rest
                    block = b""
                if not block:
                    break
                reader, is_fresh = zlib.decompressobj(_GZIP_WBITS), True
            part, after = _split_at_member(block, is_fresh)
            text, left, fault = _read_on(reader, part, is_torn=bool(after))
            if text:
                yield text
            is_fresh = bool(fault)
            if fault:
                torn = torn or fault
                reader = zlib.decompressobj(_GZIP_WBITS)
            block = left + after
    if torn or not reader.eof:
        raise TornInputError(f"the compressed file is torn ({torn or _NO_END})")


def _read_on(reader: zlib._Decompress, part: bytes, *, is_torn: bool) -> tuple[bytes, bytes, str]:
    """The text of `part`, what is left of that, and what is wrong with the member, if anything.

    `is_torn`: the member must end with `part`.
    """
    before = reader.copy()
    try:
        # The limit keeps a block of zeros that expands a thousandfold out of memory.
        text = reader.decompress(part, BLOCK)
    except zlib.error as error:
        return _before_the_fault(before, part), b"", str(error).rpartition(": ")[2]
    left = reader.unused_data if reader.eof else reader.unconsumed_tail
    if is_torn and not left and not reader.eof:
        return text + reader.flush(), b"", _NO_END
    return text, left, ""


def _split_at_member(block: bytes, is_fresh: bool) -> tuple[bytes, bytes]:
    """`block` up to another member that begins in it, and from there on.

    A member that was torn must not be read on: what follows, taken for a part of it, is no fault
    for long, and would give rows that never were. `is_fresh`: `block` itself begins a member.
    """
    at = int(is_fresh)
    while (at := block.find(_MEMBER, at)) >= 0:
        if _begins_text(block[at : at + _PROBED]):
            return block[:at], block[at:]
        at += 1  # three bytes that happen to look so
    return block, b""


def _with_whole_beginnings(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """`blocks`, cut anew so that of a member that begins near the end of one enough is there to
    know it by."""
    held = b""
    is_first = True  # the member that the input begins with is known
    for block in blocks:
        held += block
        end = _first_unknown_beginning(held, max(int(is_first), len(held) - _PROBED))
        if end:
            yield held[:end]
            held, is_first = held[end:], False
    if held:
        yield held


def _first_unknown_beginning(block: bytes, start: int) -> int:
    """Where a member may begin, from `start` on, of which too little is there; else the length."""
    at = start - 1
    while (at := block.find(_MEMBER, at + 1)) >= 0:
        if not _begins_text(block[at:]):
            return at
    ends = (len(block) - n for n in (2, 1) if block.endswith(_MEMBER[:n]))
    return next((end for end in ends if end >= start), len(block))


def _begins_text(member: bytes) -> bool:
    reader = zlib.decompressobj(_GZIP_WBITS)
    try:
        text = reader.decompress(member, _PROBED_TEXT)
    except zlib.error:
        return False
    is_enough = len(text) == _PROBED_TEXT or reader.eof
    return is_enough and text.removeprefix(_BYTE_ORDER_MARK).translate(None, _PLAIN) == b""


def _before_the_fault(reader: zlib._Decompress, block: bytes) -> bytes:
    """What `block` holds before the byte at which it cannot be read on."""
    text = bytearray()
    with suppress(zlib.error):
        for at in range(len(block)):
            text += reader.decompress(block[at : at + 1])
    return bytes(text)
