"""What a running stream shows to other processes: `run/<pid>.json`, replaced every second.

The file holds the same snapshot that the dashboard draws. It is replaced atomically, so a reader
never sees half of one, and removed at the end; one whose process is gone, or whose process number
went to another program, is stale and counts as no stream.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import NamedTuple

from .errors import OutputError
from .paths import read_regular
from .snapshot import FeedSnapshot

_MOST_BYTES = 1 << 24
_STATUS, _DRAFT = ".json", ".tmp"
_SUFFIXES = (_STATUS, _DRAFT, ".sock")
"""What a process leaves in the folder when it is killed (`.sock`: control.py)."""
STALE_AFTER_S = 10.0
"""A file older than this belongs to a process that hangs, or to another program by now."""


class StatusFile:
    """The status of this process in `folder` (made with mode 0700 when missing)."""

    def __init__(self, folder: Path, pid: int | None = None) -> None:
        self._folder = folder
        self.path = folder / f"{os.getpid() if pid is None else pid}{_STATUS}"
        self._draft = self.path.with_suffix(_DRAFT)

    def replace(self, snapshot: FeedSnapshot) -> None:
        """Show `snapshot` to others. Raises OutputError when the folder cannot be written."""
        try:
            text = json.dumps(snapshot.to_dict())
            with open(self._draft, "w", encoding="utf-8", opener=_open_new) as draft:
                draft.write(text)
            self._draft.replace(self.path)
        except OSError as error:
            raise OutputError(
                f"the status file {self.path} cannot be written: {error.strerror}",
                kind="status-unwritable",
                path=str(self.path),
            ) from error

    def remove(self) -> None:
        """The stream is over."""
        for path in (self._draft, self.path):
            with contextlib.suppress(OSError):
                path.unlink()


class RunningStream(NamedTuple):
    """A stream of process `pid`. `snapshot` None: its status cannot be read (it is damaged, or
    another version wrote it)."""

    pid: int
    snapshot: FeedSnapshot | None


def running_streams(folder: Path, wall_s: float) -> list[RunningStream]:
    """Every stream that runs now, by process number.

    `wall_s` is the time now, seconds since the epoch. Stale files are skipped; those of processes
    that are gone are removed, their control sockets too.
    """
    streams = []
    for path in sorted(folder.glob("*.*"), key=lambda path: path.name.zfill(20)):
        if not (path.stem.isascii() and path.stem.isdigit() and path.suffix in _SUFFIXES):
            continue
        pid = int(path.stem)
        if not _is_alive(pid):
            with contextlib.suppress(OSError):
                path.unlink()
        elif path.suffix == _STATUS:
            with contextlib.suppress(OSError):
                if wall_s - path.stat().st_mtime <= STALE_AFTER_S:
                    streams.append(RunningStream(pid, _read(path)))
    return streams


def _open_new(path: str, flags: int) -> int:
    """A folder that is missing is made; a draft that was left behind, or was put there as a FIFO or
    a link, goes first."""
    try:
        return os.open(path, flags | os.O_EXCL, 0o600)
    except FileNotFoundError:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        os.unlink(path)
    return os.open(path, flags | os.O_EXCL, 0o600)


def _read(path: Path) -> FeedSnapshot | None:
    try:
        given = json.loads(read_regular(path, _MOST_BYTES))
        return FeedSnapshot.from_dict(given) if isinstance(given, dict) else None
    except (ValueError, RecursionError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
