"""The status file of a stream, replaced on a thread of its own: its disk may hang.

What waits is the newest snapshot alone; an older one is of no use any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...adapter.errors import OutputError
from ...adapter.limits import start_thread
from ...adapter.snapshot import FeedSnapshot
from ...adapter.status_file import StatusFile


class StatusWriter:
    """Replaces `status`, and removes it in the end. `say` gets a line where that cannot be.

    `begin` starts the thread, `end` asks for its end, `join` waits for it.
    """

    def __init__(self, status: StatusFile, say: Callable[[str], None]) -> None:
        self._status = status
        self._say = say
        self._changed = threading.Condition()
        """Guards the two that follow: the observer sets them, the thread takes them."""
        self._newest: FeedSnapshot | None = None
        self._is_ending = False
        self._unexpected: BaseException | None = None
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start. Raises ResourceLimitError."""
        self._thread = start_thread(self._run, name="status")

    def show(self, snapshot: FeedSnapshot) -> None:
        """Let others see `snapshot`, soon."""
        with self._changed:
            self._newest = snapshot
            self._changed.notify()

    def end(self) -> None:
        """Remove the file, and end."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()

    def join(self, within_s: float) -> None:
        """Wait for the end, `within_s` seconds at most."""
        if self._thread is not None:
            self._thread.join(within_s)
        if self._unexpected is not None:
            raise self._unexpected

    def _run(self) -> None:
        try:
            while (snapshot := self._next()) is not None:
                self._status.replace(snapshot)
        except OutputError as error:
            self._say(f"other programs cannot see this stream: {error.message}")
        except BaseException as error:  # noqa: BLE001  (`join` raises it)
            self._unexpected = error
        self._status.remove()

    def _next(self) -> FeedSnapshot | None:
        """The newest snapshot; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_ending or self._newest is not None)
            snapshot, self._newest = self._newest, None
            return None if self._is_ending else snapshot
