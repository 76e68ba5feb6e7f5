"""Rows in gzip files: readable up to the last flush, appended to as further members.

Each flush ends on a byte boundary (Z_SYNC_FLUSH: the bytes 00 00 FF FF), so a member whose
recorder was killed is repaired by cutting what follows its last flush and closing it there: an
empty last block, the checksum, the length (RFC 1951, 1952).
"""

from __future__ import annotations

import os
import shlex
import stat
import struct
import zlib
from collections.abc import Callable

from ..errors import OutputError
from ..rows.format import RowFormat
from .append import FileOutput, PartlyWrittenError, check_header, check_json_line

_GZIP_WBITS = 31
_FLUSHED = b"\0\0\xff\xff"
_EMPTY_LAST_BLOCK = b"\x03\x00"
_BLOCK = 1 << 16
_LARGEST_FLUSH = 1 << 20
"""More than this after a last flush was not written by us: too much to cut off."""


class GzipOutput:
    """Compresses into a file; fast rather than small, since ticks wait for it."""

    is_terminal = False

    def __init__(self, file: FileOutput) -> None:
        self._file = file
        self._compressor = zlib.compressobj(zlib.Z_BEST_SPEED, zlib.DEFLATED, _GZIP_WBITS)
        self._is_whole = True

    @property
    def bytes_written(self) -> int:
        """Compressed bytes."""
        return self._file.bytes_written

    def takes(self, size: int) -> bool:
        """Whether a write of so many bytes, before compression, returns at once."""
        return self._file.takes(size)

    def write(self, data: bytes) -> None:
        """Compress and flush. Raises PartlyWrittenError, with all of `data` taken back."""
        block = self._compressor.compress(data) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        try:
            self._file.write(block)
        except PartlyWrittenError as error:
            self._is_whole = False
            self._file.cut(error.written)
            raise PartlyWrittenError(error, written=0) from error

    def cut(self, surplus: int) -> None:
        """Does nothing: `write` has taken a failed write back already."""

    def change(self, *, is_last: bool = False) -> str:
        """As in `FileOutput`. A member in a truncated file cannot be ended: `close` leaves it."""
        change = self._file.change(is_last=is_last)
        if change == "truncated":
            self._is_whole = False
        return change

    def close(self) -> None:
        """End the member, unless a write failed in it, and close the file. Raises OSError."""
        try:
            if self._is_whole:
                self._file.write(self._compressor.flush(zlib.Z_FINISH))
        finally:
            self._file.close()


def repair_gzip(fd: int, path: str, row_format: RowFormat, note: Callable[[str], None]) -> bool:
    """`append.repair` for a gzip file: whether it is new, so that it needs a header."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        return True
    size = status.st_size
    try:
        start, last, open_member = _scan(fd)
    except zlib.error as error:
        raise OutputError(
            f"{path} is not a gzip file that can be appended to: {error}",
            kind="output-not-gzip",
            path=path,
            reason=str(error),
        ) from error
    if open_member is not None:
        _check_start(path, start, row_format, is_torn=True)
        _close_member(fd, open_member, size, path, note)
        return repair_gzip(fd, path, row_format, note)
    if not start:
        return True
    _check_start(path, start, row_format, is_torn=False)
    if last != b"\n":
        raise OutputError(
            f"{path}: the text in it ends with a torn line",
            kind="output-torn-text",
            path=shlex.quote(path),
        )
    return False


def _scan(fd: int) -> tuple[bytes, bytes, int | None]:
    """The text's start, its last byte, and where a member begins that has no end."""
    start = last = b""
    position = member = 0
    reader = zlib.decompressobj(_GZIP_WBITS)
    while block := os.pread(fd, _BLOCK, position):
        position += len(block)
        while block:
            if reader.eof:
                reader = zlib.decompressobj(_GZIP_WBITS)
                member = position - len(block)
            text = reader.decompress(block)
            block = reader.unused_data
            start += text[: _BLOCK - len(start)]
            last = text[-1:] or last
    return start, last, None if reader.eof or position == 0 else member


def _check_start(path: str, start: bytes, row_format: RowFormat, *, is_torn: bool) -> None:
    header = row_format.header
    if is_torn and (header.startswith(start) if header else b"\n" not in start):
        return
    if header:
        check_header(path, start, header)
    else:
        check_json_line(path, start.partition(b"\n")[0], row_format)


def _close_member(fd: int, member: int, size: int, path: str, note: Callable[[str], None]) -> None:
    """End the torn member after its last flush, or remove it when it has none."""
    tail_start = max(member, size - _LARGEST_FLUSH)
    tail = os.pread(fd, size - tail_start, tail_start)
    found = len(tail)
    while (found := tail.rfind(_FLUSHED, 0, found)) >= 0:
        end = tail_start + found + len(_FLUSHED)
        closing = _closing(fd, member, end)
        if closing:
            break
    else:
        if tail_start > member:
            raise OutputError(
                f"{path} is torn: it has no end, and nothing shows where it could be cut",
                kind="output-torn-gzip",
                path=path,
            )
        end, closing = member, b""
    os.ftruncate(fd, end)
    os.write(fd, closing)
    if end < size:
        note(f"{path}: a torn end ({size - end} bytes) was cut off")


def _closing(fd: int, member: int, end: int) -> bytes | None:
    """The bytes that close the member at `end`, or None when that is no flush."""
    reader = zlib.decompressobj(_GZIP_WBITS)
    checksum = length = 0
    position = member
    while position < end:
        block = os.pread(fd, min(_BLOCK, end - position), position)
        position += len(block)
        text = reader.decompress(block)
        checksum = zlib.crc32(text, checksum)
        length += len(text)
    closing = _EMPTY_LAST_BLOCK + struct.pack("<LL", checksum, length % 2**32)
    try:
        reader.decompress(closing)
    except zlib.error:
        return None
    return closing if reader.eof else None
