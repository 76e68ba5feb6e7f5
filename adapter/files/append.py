"""Files that rows are appended to: opened, checked, locked, mended, written, cut.

Rules
- Nothing is changed before the file is locked and known to be a recording of the same kind.
- A torn last line is cut off, and that is noted. Another content is refused, not overwritten.
- What is no regular file (a FIFO, /dev/null) is written as it is.
- Bytes go out by `os.write` alone; an output that does not block is waited for.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import shlex
import stat
from collections.abc import Callable
from contextlib import suppress

from ..errors import OutputError, ReaderLeftError, RecordingError
from ..rows.format import RowFormat

STDOUT_FD = 1
_BLOCK = 1 << 16


class PartlyWrittenError(OSError):
    """A write failed after `written` bytes had gone out."""

    def __init__(self, error: OSError, *, written: int) -> None:
        super().__init__(error.errno, error.strerror)
        self.written = written


class FileOutput:
    """A descriptor that bytes are appended to. `bytes_written` counts what went out."""

    def __init__(self, fd: int, *, syncs: bool = False) -> None:
        self.bytes_written = 0
        self._fd = fd
        self._is_ours = fd != STDOUT_FD
        self._is_file = self._is_ours and stat.S_ISREG(os.fstat(fd).st_mode)
        self._syncs = syncs and self._is_file

    def write(self, data: bytes) -> None:
        """All of `data`, waiting as long as it takes. Raises PartlyWrittenError."""
        left = memoryview(data)
        try:
            while left:
                try:
                    left = left[os.write(self._fd, left) :]
                except BlockingIOError:
                    self._wait_until_writable()
            if self._syncs:
                os.fsync(self._fd)
        except OSError as error:
            raise PartlyWrittenError(error, written=len(data) - len(left)) from error
        finally:
            self.bytes_written += len(data) - len(left)

    def cut(self, surplus: int) -> None:
        """Take the last `surplus` bytes back, where that is possible."""
        if surplus and self._is_file:
            with suppress(OSError):
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - surplus)
                self.bytes_written -= surplus

    def close(self) -> None:
        """Raises OSError when the system only now tells that a write failed."""
        if self._is_ours:
            os.close(self._fd)

    def _wait_until_writable(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        poll.poll()


def open_locked(path: str) -> int:
    """A descriptor that appends to `path`, created where there is none.

    A regular file is locked and readable. Raises OutputError.
    """
    try:
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            return os.open(path, os.O_WRONLY | os.O_NOCTTY)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError as error:
        raise output_error(path, error) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise OutputError(
            f"{path} is being written by another recorder",
            remedy="stop that one, or choose another path",
        ) from None
    except OSError:
        pass  # some network file systems know no locks: recording there beats refusing to
    return fd


def empty(fd: int) -> None:
    """Take away what a locked regular file holds."""
    if stat.S_ISREG(os.fstat(fd).st_mode):
        os.ftruncate(fd, 0)


def check_folder(path: str) -> None:
    """Raises OutputError unless files can be made where `path` lies."""
    folder = os.path.dirname(path) or "."
    if not os.access(folder, os.W_OK | os.X_OK):
        number = errno.EACCES if os.path.isdir(folder) else errno.ENOENT
        raise output_error(path, OSError(number, os.strerror(number)))


def make_folder_of(path: str) -> None:
    """Make the folders above `path` that are missing. Raises OutputError."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error


def repair(fd: int, path: str, kind: RowFormat, note: Callable[[str], None]) -> bool:
    """Make a locked file ready to be appended to; whether it is new (nothing in it is kept).

    Raises OutputError when the file holds anything but rows of `kind`.
    """
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        return True
    size = status.st_size
    kept_size = _kept_csv_size if kind.header else _kept_json_size
    kept = kept_size(fd, size, kind, path)
    if kept < size:
        os.ftruncate(fd, kept)
        note(f"{path}: a torn last line ({size - kept} bytes) was cut off")
    return kept == 0


def check_header(path: str, start: bytes, header: bytes) -> None:
    """Raises OutputError unless text that starts so is a CSV file with this header."""
    if not start.startswith(header):
        first = start.partition(b"\n")[0].decode(errors="replace")
        raise OutputError(
            f"{path} has another header than the one to write: {first[:60]}...",
            remedy="choose another path, the mode it was recorded in, or --overwrite",
        )


def check_json_line(path: str, line: bytes, kind: RowFormat) -> None:
    """Raises OutputError unless this is a line of `kind`."""
    try:
        kind.check_line(line)
    except RecordingError as error:
        raise OutputError(
            f"{path} holds something else than JSON rows: {error}",
            remedy="choose another path, or --overwrite",
        ) from error


def _kept_csv_size(fd: int, size: int, kind: RowFormat, path: str) -> int:
    header = kind.header
    start = os.pread(fd, len(header), 0)
    if size < len(header) and header.startswith(start):
        return 0
    check_header(path, start, header)
    return _line_end_before(fd, size)


def _kept_json_size(fd: int, size: int, kind: RowFormat, path: str) -> int:
    kept = _line_end_before(fd, size)
    if kept == 0:
        start = os.pread(fd, len(kind.line_start), 0)
        if not kind.line_start.startswith(start):
            check_json_line(path, start, kind)
        return 0
    check_json_line(path, os.pread(fd, _BLOCK, 0).partition(b"\n")[0], kind)
    last = _line_end_before(fd, kept - 1)
    check_json_line(path, os.pread(fd, kept - last, last), kind)
    return kept


def _line_end_before(fd: int, end: int) -> int:
    """The offset behind the last line end before `end`, 0 where there is none."""
    while end > 0:
        start = max(0, end - _BLOCK)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def output_error(name: str, error: OSError) -> OutputError:
    """What an OSError about an output means to the user."""
    folder = shlex.quote(os.path.dirname(name) or ".")
    match error.errno:
        case errno.EPIPE:
            return ReaderLeftError(f"{name}: its reader left")
        case errno.ENOSPC | errno.EDQUOT:
            reason, remedy = "the disk is full", "make room; the file can be appended to"
        case errno.ENOENT:
            reason, remedy = "its folder does not exist", f"create it: mkdir -p {folder}"
        case errno.EISDIR:
            reason, remedy = "that is a folder", "name a file in it"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            reason, remedy = "it may not be written", "change its rights, or choose another path"
        case _:
            reason, remedy = "it cannot be written", "choose another path"
    return OutputError(f"{name}: {reason} ({error.strerror})", remedy=remedy)
