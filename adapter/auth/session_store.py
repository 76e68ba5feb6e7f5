"""The session on disk: one JSON file that nobody else can read, replaced whole or not at all.

Rules
- 0600, in a folder that is 0700 when it is made here. A file with wider rights is refused: its
  tokens may be known to others.
- A file that is broken, or that belongs to another REST address, is not a session; the next login
  replaces it. Unknown keys are left to those who know them. What is not a file is refused.
- Processes that share it renew one after the other: `locked` holds `session.lock` next to it. The
  kernel frees the lock of a process that died; one that hangs is waited for `LOCK_PATIENCE_S`.
- A draft that a killed process left holds valid tokens. The holder of the lock deletes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from pathlib import Path

from ..errors import DiskError, SessionFileError
from .tokens import Session, is_header_safe

LOCK_PATIENCE_S = 40.0
"""Longer than a renewal that waits for the next TOTP code takes: 30 s and two calls."""

_LOCK_LOOK_S = 0.05
_NOTED_AFTER_S = 1.0
_LONGEST = 1 << 20
_DRAFTS = ".session-*"


class SessionStore:
    """The file at `path`, holding a session of the broker at `rest_url`."""

    def __init__(
        self, path: Path, rest_url: str, *, lock_patience_s: float = LOCK_PATIENCE_S
    ) -> None:
        self.path = path
        self._rest_url = rest_url.rstrip("/")
        self._lock_patience_s = lock_patience_s

    def read(self, *, must_be_private: bool = True) -> Session | None:
        """The session kept here, or None.

        Raises SessionFileError when others may read the file (unless `must_be_private` is False:
        for a logout, which ends what leaked), or when it is not a file that can be read.
        """
        try:
            self._check_kind(os.stat(self.path).st_mode)
            # Not blocking, and looked at again: it may have become a FIFO in between.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                mode = os.fstat(descriptor).st_mode
                self._check_kind(mode)
                text = file.read(_LONGEST)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SessionFileError(
                f"the session file {self.path} cannot be read: {error.strerror}",
                kind="session-file-unreadable",
                path=str(self.path),
            ) from error
        rights = stat.S_IMODE(mode)
        if must_be_private and os.name == "posix" and rights & 0o077:
            raise SessionFileError(
                f"others may read the session file {self.path} (its mode is {rights:04o})",
                kind="session-file-shared",
                quoted_path=shlex.quote(str(self.path)),
            )
        return self._parsed(text)

    def _check_kind(self, mode: int) -> None:
        if not stat.S_ISREG(mode):
            raise SessionFileError(
                f"the session file {self.path} is not a file but {_kind_of(mode)}",
                kind="session-file-type",
                path=str(self.path),
            )

    def write(self, session: Session) -> None:
        """Replace the file. Raises DiskError when it cannot be written; nothing is left."""
        record = {"rest_url": self._rest_url, **asdict(session)}
        try:
            self._make_folder()
            descriptor, draft = tempfile.mkstemp(
                prefix=_DRAFTS.rstrip("*"), suffix=".tmp", dir=self.path.parent
            )
            try:
                with open(descriptor, "w", encoding="utf-8") as file:
                    json.dump(record, file, indent=1)
                    file.flush()
                    os.fsync(descriptor)
                os.replace(draft, self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(draft)
                raise
        except OSError as error:
            raise DiskError(
                f"the session cannot be saved in {self.path}: {error.strerror}",
                kind="session-not-saved",
                path=str(self.path),
            ) from error

    def delete(self) -> bool:
        """Remove the file; whether there was one. Raises SessionFileError."""
        try:
            self.path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise SessionFileError(
                f"the session file {self.path} cannot be deleted: {error.strerror}",
                kind="session-file-undeletable",
                path=str(self.path),
            ) from error
        return True

    def sweep(self) -> None:
        """Delete what killed processes left, unless somebody renews right now."""
        if next(self._drafts(), None) is not None:
            with self.locked(patience_s=0.0, makes_folder=False):
                pass

    @contextlib.contextmanager
    def locked(
        self,
        note: Callable[[str], None] = lambda _line: None,
        *,
        patience_s: float | None = None,
        makes_folder: bool = True,
    ) -> Iterator[None]:
        """Alone among the processes that share this file, and without stray drafts.

        `note` gets a line for people where the wait is long enough to be noticed. Goes on without
        the lock where that cannot be had: there is no folder and none can be made, its file system
        has no locks, or who holds it did not let go within `patience_s` (None: the usual one).
        """
        descriptor = self._open_lock(makes_folder)
        if descriptor is None:
            yield
            return
        try:
            patience_s = self._lock_patience_s if patience_s is None else patience_s
            if _lock(descriptor, patience_s, note):
                for draft in self._drafts():
                    with contextlib.suppress(OSError):
                        draft.unlink()
            yield
        finally:
            os.close(descriptor)  # and with it the lock

    def _open_lock(self, makes_folder: bool) -> int | None:
        try:
            if makes_folder:
                self._make_folder()
            # Never deleted: whoever waits for a deleted file would be alone with it.
            return os.open(
                self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NONBLOCK, 0o600
            )
        except OSError:
            return None

    def _drafts(self) -> Iterator[Path]:
        return self.path.parent.glob(_DRAFTS)

    def _make_folder(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _parsed(self, text: bytes) -> Session | None:
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(record, dict) or record.get("rest_url") != self._rest_url:
            return None
        values = {field.name: record.get(field.name) for field in fields(Session)}
        issued_ns = values.pop("issued_ns")
        if type(issued_ns) is not int or not 0 <= issued_ns < 1 << 63:
            return None
        texts = {name: text for name, text in values.items() if isinstance(text, str)}
        # The one that may be missing: the broker need not give a refresh token.
        needed = [text for name, text in texts.items() if text or name != "refresh_token"]
        if len(texts) < len(values) or not all(map(is_header_safe, needed)):
            return None
        return Session(**texts, issued_ns=issued_ns)


def _lock(descriptor: int, patience_s: float, note: Callable[[str], None]) -> bool:
    """Whether the lock was obtained within `patience_s`."""
    began_s = time.monotonic()
    pause = threading.Event()
    is_noted = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Polled, since a wait on a lock has no deadline. It is rare and short.
            waited_s = time.monotonic() - began_s
            if waited_s >= patience_s:
                return False
            if waited_s >= _NOTED_AFTER_S and not is_noted:
                note(f"another process renews the session; waiting {patience_s:g} s at most")
                is_noted = True
            pause.wait(_LOCK_LOOK_S)
        except OSError:
            return False
        else:
            return True


def _kind_of(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_kind, name in kinds if is_kind(mode)), "a device")
