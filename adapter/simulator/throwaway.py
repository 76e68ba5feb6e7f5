"""Folders for one run of a simulator: its client's home, its certificate.

Rules
- A folder is removed when its run ends. A run that was killed cannot do that; the next one that
  makes a folder removes those.
- The owner of a folder holds a lock on it, which ends with the process, however that ends. Only a
  folder without a locked owner, and of this user, is removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import DiskError

PREFIX = "ticks-simulated-"


@contextmanager
def throwaway_folder() -> Iterator[Path]:
    """A new folder in the system's temporary folder, for as long as the block lasts.

    Raises DiskError (kind `no-temporary-folder`).
    """
    _remove_abandoned()
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder() -> tuple[Path, int]:
    """A new folder, and the descriptor that holds its lock."""
    while True:
        try:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        except OSError as error:
            raise DiskError(
                f"a temporary folder cannot be made: {error.strerror}",
                kind="no-temporary-folder",
                reason=error.strerror,
            ) from error
        lock = _lock(folder)
        # Another run may take it for abandoned before it is locked, and remove it.
        if lock is not None:
            if folder.exists():
                return folder, lock
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """A descriptor with the folder's lock; None where it is gone, or somebody else's."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _remove_abandoned() -> None:
    with suppress(OSError):
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            lock = _lock(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
