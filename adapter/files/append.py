"""Files that rows are appended to: opened, checked, locked, repaired, written, cut.

Rules
- Nothing is changed before the file is locked and known to be a recording of the same kind.
- A torn last line is cut off, and that is noted. Other content is refused, not overwritten.
- What is not a regular file (a FIFO, /dev/null) is written as it is.
- Bytes go out by `os.write` alone; an output that does not block is waited for.
- A regular file may change under us: a shrunken one is noticed before the next write, one that was
  removed or renamed within `LOOK_EVERY_S` of writing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import shlex
import stat
import sys
import termios
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from ..errors import OutputError, ReaderLeftError, RecordingError
from ..rows.columns import csv_header
from ..rows.format import RowFormat
from ..tick import Mode

STDOUT_FD = 1
F_GETPIPE_SZ = getattr(fcntl, "F_GETPIPE_SZ", 1032)
"""Linux's; elsewhere the call fails, and a pipe is written by the thread that may wait."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
LOOK_EVERY_S = 1.0
"""How often the path of a file that is written is compared with what is open."""
_BLOCK = 1 << 16
_LEADS_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class PartlyWrittenError(OSError):
    """A write failed after `written` bytes had gone out."""

    def __init__(self, error: OSError, *, written: int) -> None:
        super().__init__(error.errno, error.strerror)
        self.written = written


class FileOutput:
    """A descriptor that bytes are appended to. `bytes_written` counts what went out."""

    def __init__(self, fd: int, path: str = "", *, syncs: bool = False) -> None:
        status = os.fstat(fd)
        self.bytes_written = 0
        self._fd = fd
        self._path = path
        self._is_ours = fd != STDOUT_FD
        is_regular = stat.S_ISREG(status.st_mode)
        self._is_file = self._is_ours and is_regular
        self._syncs = syncs and self._is_file
        self._never_waits = (is_regular and not self._syncs) or _is_null(status)
        self.is_terminal = os.isatty(fd)
        self._capacity = _capacity_of_pipe(fd) if stat.S_ISFIFO(status.st_mode) else 0
        self._room = 0  # bytes that the pipe takes for certain: its reader can only make more
        self._size = status.st_size
        self._look_at_s = time.monotonic() + LOOK_EVERY_S

    def takes(self, size: int) -> bool:
        """Whether a write of so many bytes returns at once: a file or /dev/null, or a pipe with
        room for them. For a terminal or a socket this is not known beforehand."""
        if self._never_waits:
            return True
        if self._room < size <= self._capacity:
            self._room = self._capacity - _unread_in_pipe(self._fd)
        return self._room >= size

    def write(self, data: bytes) -> None:
        """All of `data`, waiting as long as it takes. Raises PartlyWrittenError."""
        written = 0
        try:
            while written < len(data):
                try:
                    written += os.write(self._fd, data[written:] if written else data)
                except BlockingIOError:
                    self._wait_until_writable()
            if self._syncs:
                os.fsync(self._fd)
        except OSError as error:
            raise PartlyWrittenError(error, written=written) from error
        finally:
            self.bytes_written += written
            self._size += written
            self._room -= written

    def change(self, *, is_last: bool = False) -> str:
        """What happened to the file: "truncated", "removed" or "renamed"; "" for nothing."""
        if not (self._is_file and self._path):
            return ""
        # A truncated file wants its header again, so the size is asked for before every write
        # (0.3 us); a renamed one still takes rows, so the path is looked at from time to time.
        try:
            size = os.lseek(self._fd, 0, os.SEEK_END)
        except OSError as error:
            return _change_by(error)
        if size < self._size:
            return "truncated"
        self._size = size
        now_s = time.monotonic()
        if now_s < self._look_at_s and not is_last:
            return ""
        self._look_at_s = now_s + LOOK_EVERY_S
        return self._change_of_path()

    def _change_of_path(self) -> str:
        try:
            opened = os.fstat(self._fd)
        except OSError as error:
            return _change_by(error)
        try:
            named = os.stat(self._path)
        except OSError as error:
            if opened.st_nlink and error.errno not in _LEADS_NOWHERE:
                return ""  # the folder may no longer be searched: what is open can be written
        else:
            if (named.st_ino, named.st_dev) == (opened.st_ino, opened.st_dev):
                return ""
        return "renamed" if opened.st_nlink else "removed"

    def cut(self, surplus: int) -> None:
        """Remove the last `surplus` bytes again, where that is possible."""
        if surplus and self._is_file:
            with suppress(OSError):
                self._size = os.fstat(self._fd).st_size - surplus
                os.ftruncate(self._fd, self._size)
                self.bytes_written -= surplus

    def close(self) -> None:
        """Raises OSError where the system reports a failed write only now."""
        if self._is_ours:
            os.close(self._fd)

    def _wait_until_writable(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        poll.poll()


def _change_by(error: OSError) -> str:
    """What a system error about an open file means; what it says of the disk a write says too."""
    return "removed" if error.errno == errno.ESTALE else ""  # by another host of a network disk


def _is_null(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat(os.devnull).st_rdev


def _capacity_of_pipe(fd: int) -> int:
    """How many bytes a pipe takes for certain while it is empty.

    It holds pages, and the first and the last of those in use may be partly empty, so two are left
    out of the count. 0 where the system does not say.
    """
    try:
        return fcntl.fcntl(fd, F_GETPIPE_SZ) - 2 * _PAGE
    except OSError:
        return 0


def _unread_in_pipe(fd: int) -> int:
    return int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"), sys.byteorder)


def open_locked(path: str, note: Callable[[str], None] = lambda _line: None) -> int:
    """A descriptor that appends to `path`, created where there is none.

    A regular file is locked and readable. A FIFO is waited for until it has a reader, which `note`
    gets a line about. Raises OutputError.
    """
    try:
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            return _open_special(path, note)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError as error:
        raise output_error(path, error) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise OutputError(
            f"{path} is being written by another recorder", kind="output-in-use", path=path
        ) from None
    except OSError:
        pass  # some network file systems have no locks: recording there beats refusing to
    return fd


def _open_special(path: str, note: Callable[[str], None]) -> int:
    """A descriptor for what is not a file: a FIFO, a device."""
    flags = os.O_WRONLY | os.O_NOCTTY
    if stat.S_ISFIFO(os.stat(path).st_mode):
        try:
            fd = os.open(path, flags | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            note(f"{path} has no reader yet; waiting for one")
        else:
            os.set_blocking(fd, True)
            return fd
    return os.open(path, flags)


def empty(fd: int) -> None:
    """Delete the content of a locked regular file."""
    if stat.S_ISREG(os.fstat(fd).st_mode):
        os.ftruncate(fd, 0)


def check_folder(path: str) -> None:
    """Raises OutputError unless files can be made in the folder of `path`."""
    folder = os.path.dirname(path) or "."
    if not os.access(folder, os.W_OK | os.X_OK):
        number = errno.EACCES if os.path.isdir(folder) else errno.ENOENT
        raise output_error(path, OSError(number, os.strerror(number)))


def check_still_file(path: str) -> None:
    """Raises OutputError where something took the place of a file that nobody can append to.

    A FIFO would be waited for until it has a reader, in the middle of a recording.
    """
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise OutputError(f"{path} is no longer a file", kind="output-not-file", path=path)


def check_apart(path: str, inputs: Sequence[str]) -> None:
    """Raises OutputError when `path` is one of the files that are being read."""
    if os.path.isfile(path) and any(
        os.path.isfile(other) and os.path.samefile(path, other) for other in inputs
    ):
        raise OutputError(f"{path} is being read", kind="output-is-input", path=path)


def make_folder_of(path: str) -> None:
    """Make the folders above `path` that are missing. Raises OutputError."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise output_error(path, error) from error


def repair(fd: int, path: str, row_format: RowFormat, note: Callable[[str], None]) -> bool:
    """Make a locked file ready to be appended to; whether it is new (nothing in it is kept).

    Raises OutputError when the file holds anything but rows of `row_format`.
    """
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        return True
    size = status.st_size
    kept_size = _kept_csv_size if row_format.header else _kept_json_size
    kept = kept_size(fd, size, row_format, path)
    if kept < size:
        os.ftruncate(fd, kept)
        note(f"{path}: a torn last line ({size - kept} bytes) was cut off")
    return kept == 0


def restore_header(fd: int, header: bytes) -> None:
    """Put the header before rows that were written just after the file was truncated."""
    size = os.fstat(fd).st_size
    if size and not os.pread(fd, len(header), 0).startswith(header[:size]):
        rows = os.pread(fd, size, 0)
        os.ftruncate(fd, 0)
        os.write(fd, header + rows)


def check_header(path: str, start: bytes, header: bytes) -> None:
    """Raises OutputError unless text that starts so is a CSV file with this header."""
    if start.startswith(header):
        return
    modes = {csv_header(mode): mode.label for mode in (Mode.LTP, Mode.QUOTE, Mode.SNAP)}
    first, line_end, _ = start.partition(b"\n")
    held, wanted = modes.get(first + line_end), modes.get(header)
    text = first.decode(errors="replace")
    raise OutputError(
        f"{path} has the columns of mode {held}, not of mode {wanted}"
        if held and wanted
        else f"{path} has another header than the one to write: {text[:60]}...",
        kind="output-other-header",
        path=path,
        header=text,
    )


def check_json_line(path: str, line: bytes, row_format: RowFormat) -> None:
    """Raises OutputError unless this is a line of `row_format`."""
    try:
        row_format.check_line(line)
    except RecordingError as error:
        raise OutputError(
            f"{path} holds something other than the JSON lines to write: {error}",
            kind="output-other-content",
            path=path,
            reason=str(error),
        ) from error


def _kept_csv_size(fd: int, size: int, row_format: RowFormat, path: str) -> int:
    header = row_format.header
    start = os.pread(fd, _BLOCK, 0)
    if size < len(header) and header.startswith(start):
        return 0
    check_header(path, start, header)
    return _line_end_before(fd, size)


def _kept_json_size(fd: int, size: int, row_format: RowFormat, path: str) -> int:
    kept = _line_end_before(fd, size)
    if kept == 0:
        start = os.pread(fd, len(row_format.line_start), 0)
        if not row_format.line_start.startswith(start):
            check_json_line(path, start, row_format)
        return 0
    check_json_line(path, os.pread(fd, _BLOCK, 0).partition(b"\n")[0], row_format)
    last = _line_end_before(fd, kept - 1)
    check_json_line(path, os.pread(fd, kept - last, last), row_format)
    return kept


def _line_end_before(fd: int, end: int) -> int:
    """The offset after the last line end before `end`, 0 where there is none."""
    while end > 0:
        start = max(0, end - _BLOCK)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def output_error(name: str, error: OSError) -> OutputError:
    """What an OSError about an output means."""
    if error.errno == errno.EPIPE:
        return ReaderLeftError(f"{name}: its reader left", kind="reader-left", name=name)
    kind, reason = _FAULTS.get(error.errno or 0, _UNWRITABLE)
    target = os.path.realpath(name) if os.path.islink(name) else name  # one that leads nowhere
    folder = os.path.dirname(target) or "."
    if kind == "output-no-folder" and os.path.isdir(folder):  # such as /proc
        kind, reason = _UNWRITABLE
    return OutputError(
        f"{name}: {reason} ({error.strerror})",
        kind=kind,
        name=name,
        folder=shlex.quote(folder),  # as a shell reads it
        reason=error.strerror,
    )


_UNWRITABLE = "output-unwritable", "it cannot be written"
_FULL = "output-disk-full", "the disk is full"
_NO_RIGHTS = "output-no-rights", "no permission to write it"
_FAULTS = {
    errno.EBADF: ("output-closed", "it is not open for writing"),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.ENOENT: ("output-no-folder", "its folder does not exist"),
    errno.EISDIR: ("output-is-folder", "it is a folder"),
    errno.EACCES: _NO_RIGHTS,
    errno.EPERM: _NO_RIGHTS,
    errno.EROFS: ("output-no-rights", "the disk is read-only"),
}
"""The kind and the words of a system error."""
