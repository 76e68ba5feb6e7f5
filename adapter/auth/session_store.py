"""The session on disk: one JSON file that nobody else can read, replaced whole or not at all.

Rules
- 0600, in a folder that is 0700 when it is made here. A file with wider rights is refused: its
  tokens may be known to others.
- A file that is broken, or that belongs to another REST address, is no session; the next login
  replaces it. Unknown keys are left to those who know them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import stat
import tempfile
from dataclasses import asdict, fields
from pathlib import Path

from ..errors import SessionFileError
from .tokens import Session, is_header_safe

_LONGEST = 1 << 20


class SessionStore:
    """The file at `path`, holding a session of the broker at `rest_url`."""

    def __init__(self, path: Path, rest_url: str) -> None:
        self.path = path
        self._rest_url = rest_url.rstrip("/")

    def read(self, *, must_be_private: bool = True) -> Session | None:
        """The session kept here, or None.

        Raises SessionFileError when others may read the file (unless `must_be_private` is False:
        for a logout, which ends what leaked), or when we may not.
        """
        try:
            with self.path.open("rb") as file:
                rights = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                text = file.read(_LONGEST)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SessionFileError(
                f"the session file {self.path} cannot be read: {error.strerror}",
                remedy="move it away or mend its rights, then run: ticks login",
            ) from error
        if must_be_private and os.name == "posix" and rights & 0o077:
            raise SessionFileError(
                f"others may read the session file {self.path} (its rights are {rights:04o})",
                remedy=f"run: chmod 600 {shlex.quote(str(self.path))}",
            )
        return self._parsed(text)

    def write(self, session: Session) -> None:
        """Replace the file. Raises SessionFileError when it cannot be written; nothing is left."""
        record = {"rest_url": self._rest_url, **asdict(session)}
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(prefix=".session-", dir=self.path.parent)
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
            raise SessionFileError(
                f"the session cannot be kept in {self.path}: {error.strerror}",
                remedy="make the folder writable, or set TICKS_HOME to one that is",
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
                remedy="delete it by hand: it holds tokens",
            ) from error
        return True

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
        if len(texts) < len(values) or not all(map(is_header_safe, texts.values())):
            return None
        return Session(**texts, issued_ns=issued_ns)
