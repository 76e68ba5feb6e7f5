"""The user's folders: where the session, the instrument index and the status files are.

`TICKS_HOME` names one folder instead of the platform's configuration, cache and state folders.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import UsageError

APP = "ticks"
_NO_HOME = Path("/nonexistent") / APP


@dataclass(frozen=True, slots=True)
class Paths:
    """Three folders; none of them need exist before something is written."""

    config: Path
    cache: Path
    state: Path

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Paths:
        """`TICKS_HOME` where it is set, else the platform's folders.

        Raises UsageError when that cannot be a folder.
        """
        one = environ.get("TICKS_HOME")
        if one:
            try:
                folder = Path(one).expanduser().absolute()
            except RuntimeError as error:
                raise UsageError(
                    f"TICKS_HOME: {one} begins with a user who does not exist on this machine",
                    kind="home-user",
                ) from error
            for place in (folder, *folder.parents):
                if os.path.lexists(place) and not os.path.isdir(place):
                    raise UsageError(f"TICKS_HOME: {place} is not a folder", kind="home-folder")
            return cls(folder, folder, folder)
        import platformdirs  # 10 ms that only this branch needs

        return cls(
            _folder(platformdirs.user_config_dir),
            _folder(platformdirs.user_cache_dir),
            _folder(platformdirs.user_state_dir),
        )

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def session_file(self) -> Path:
        return self.state / "session.json"

    @property
    def instruments_file(self) -> Path:
        return self.cache / "instruments.sqlite"

    @property
    def run_folder(self) -> Path:
        """Holds `<pid>.json` of each running stream."""
        return self.state / "run"


def read_regular(path: Path, most_bytes: int) -> bytes:
    """The beginning of a file, `most_bytes` at most. Raises OSError, also for what is not a file.

    A FIFO, a socket or a device in the place of a file of ours is never waited for.
    """
    # Not blocking, and looked at when it is open: it may have changed in between.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return file.read(most_bytes)


def _folder(find: Callable[[str], str]) -> Path:
    """What `find` finds; for a user without a home a folder that is not there, never `./~/...`."""
    try:
        path = Path(find(APP))
    except RuntimeError:
        return _NO_HOME
    return path if path.is_absolute() else _NO_HOME
