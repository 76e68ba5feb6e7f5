"""The events of a stream to where `--events` leads, on a thread of their own.

Rules
- Their reader may stop reading, or never begin (a FIFO): then events wait, bounded as
  event_log.py says, and neither the stream nor its end waits with them.
- A file is opened when the block is entered, so that its errors end the command before the stream
  begins. A FIFO is opened by the thread, because that lasts until it has a reader.
- Events that can no longer be written are reported at once and are the run's failure in the end
  (`failure`); the ticks go on.
"""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path

from ...adapter.errors import OutputError
from ...adapter.event_log import EventReader
from ...adapter.files.outputs import Output, open_event_file
from ...adapter.limits import start_thread
from ..view.figures import counted

_WRITES_APART_S = 0.25


class EventWriter:
    """Writes what `reader` takes to `path`; `say` gets a line for people.

    `begin` raises OutputError when a file cannot be opened. `end` asks for the end, `join` waits
    for it.
    """

    def __init__(self, path: str, reader: EventReader, say: Callable[[str], None]) -> None:
        self.failure: OutputError | None = None
        self._path = path
        self._reader = reader
        self._say = say
        self._output: Output | None = None
        self._taken = 0
        self._end = threading.Event()
        self._unexpected: BaseException | None = None
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Open what can be opened at once, and start. Raises OutputError, ResourceLimitError."""
        if not _is_fifo(self._path):
            self._output = open_event_file(self._path, note=self._say)
        self._thread = start_thread(self._run, name="events")

    def end(self) -> None:
        """Write what there is, and end."""
        self._end.set()
        self._reader.wake()

    def join(self, within_s: float) -> None:
        """Wait for the end, `within_s` seconds at most, and report what is left unwritten."""
        if self._thread is None:
            return
        self._thread.join(within_s)
        if self._unexpected is not None:
            raise self._unexpected
        if self._thread.is_alive():
            written = 0 if self._output is None else self._output.rows
            left_out = self._taken - written + len(self._reader.take())
            name = "stdout" if self._path == "-" else self._path
            self._say(f"{name} is not being read: {counted(left_out, 'event')} not written")

    def _run(self) -> None:
        try:
            if self._output is None:
                self._output = open_event_file(self._path, note=self._say)
            while not self._end.wait(_WRITES_APART_S):
                self._reader.wait()
                self._write(self._output)
            self._write(self._output)
            self._output.close()
        except OutputError as error:
            self.failure = error
            self._say(f"the events can no longer be written: {error.message}")
        except BaseException as error:  # noqa: BLE001  (`join` raises it)
            self._unexpected = error

    def _write(self, output: Output) -> None:
        entries = self._reader.take()
        self._taken += len(entries)
        for entry in entries:  # what is not valid text is escaped with backslashes, as in JSON
            line = f"{entry.to_json()}\n".encode(errors="backslashreplace")
            output.take(line, 1, entry.at_ns)
        if entries:
            output.flush()


def _is_fifo(path: str) -> bool:
    try:
        return stat.S_ISFIFO(Path(path).stat().st_mode)
    except OSError:
        return False
