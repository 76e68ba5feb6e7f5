"""What a running stream tells other processes: `run/<pid>.json`, replaced every second.

The file holds the same snapshot that the dashboard draws. It is replaced atomically, so a reader
never sees half of one, and removed at the end; one whose process is gone, or whose process number
went to another program, is stale and counts as no stream.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import OutputError

STALE_AFTER_S = 10.0
"""A file that was not replaced for so long belongs to a process that hangs or is another one."""


class StatusFile:
    """The status of this process in `folder` (made with mode 0700 when missing)."""

    def __init__(self, folder: Path, pid: int | None = None) -> None:
        self._folder = folder
        self.path = folder / f"{os.getpid() if pid is None else pid}.json"
        self._draft = self.path.with_suffix(".tmp")

    def replace(self, snapshot: Mapping[str, object]) -> None:
        """Show `snapshot` to others. Raises OutputError when the folder cannot be written."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._draft.write_text(json.dumps(snapshot), encoding="utf-8")
            self._draft.replace(self.path)
        except OSError as error:
            raise OutputError(
                f"the status file {self.path} cannot be written: {error.strerror}",
                remedy="see that the folder is yours and the disk has room",
            ) from error

    def remove(self) -> None:
        """The stream is over."""
        for path in (self._draft, self.path):
            with contextlib.suppress(OSError):
                path.unlink()


def running_streams(folder: Path, wall_s: float) -> list[dict[str, Any]]:
    """`{"pid": ..., **snapshot}` of every stream that runs now, by process number.

    `wall_s` is the time now, seconds since the epoch. Stale files are passed over and removed.
    """
    streams = []
    for path in sorted(folder.glob("*.json"), key=lambda path: path.name.zfill(20)):
        if not path.stem.isdigit():
            continue
        pid = int(path.stem)
        if not _is_alive(pid):
            with contextlib.suppress(OSError):
                path.unlink()
            continue
        with contextlib.suppress(OSError, ValueError):
            if wall_s - path.stat().st_mtime > STALE_AFTER_S:
                continue
            snapshot = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(snapshot, dict):
                streams.append({"pid": pid, **snapshot})
    return streams


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
