"""A running stream as other processes of its user reach it: the Unix socket `run/<pid>.sock`.

Rules
- A connection is one request and one reply (control_messages.py). Requests are served one after
  another as they come; a client that sends or reads nothing is dropped after `_PATIENCE_S`, or
  sooner where there are many, and others do not wait for it.
- Only processes of the same user are answered: the socket has mode 0600 in a folder of mode 0700,
  and the kernel says whose process connects.
- One thread waits on the socket and wakes for nothing else. Whatever comes, it goes on.
- A request to stop is answered by `close`, when the stream has ended; others are served meanwhile.
- The end of a stream waits a second at most for a request that is under way.
- A process number only ever becomes the name of a file: no process is signalled.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .control_messages import (
    LARGEST_REPLY,
    LARGEST_REQUEST,
    Change,
    Reply,
    Request,
    Stop,
    read_reply,
    read_request,
    sent,
    to_line,
)
from .errors import LocalFaultError, NoStreamError, TicksError, UsageError
from .status_file import running_streams
from .waker import Waker

_PATIENCE_S = 2.0
_JOIN_S = 1.0
_BACKLOG = 128
_MOST_CLIENTS = 32
"""Clients whose request has not come; one more, and the first is dropped."""
_MOST_WAITING = 16
"""Clients that wait for the end of the stream; one more, and the first is let go."""
_TIMEVAL = struct.Struct("@ll")
_UCRED = struct.Struct("3i")
"""Linux's struct ucred: process, user, group."""
_XUCRED = struct.Struct("2I")
"""How macOS's struct xucred begins: version, user."""
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1


@dataclass(slots=True, eq=False)
class _Client:
    """A connection, what has come over it, and until when the rest of the request may come."""

    sock: socket.socket
    end_s: float
    text: bytearray = field(default_factory=bytearray)


class ControlServer:
    """The control socket of this process, in `folder`. `stop` ends the stream soon; `change` does
    what a request asks and may take its time.

    Threads: both are called on the thread of the server. `close` is for the thread that opened it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        stop: Callable[[], None],
        change: Callable[[Change], Reply],
    ) -> None:
        self.path = socket_path(folder, os.getpid())
        self._stop = stop
        self._change = change
        self._waker = Waker()
        self._is_closing = False
        self._listener: socket.socket | None = None
        self._clients: list[_Client] = []
        """Those whose request has not come yet, the first first."""
        self._waiting: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def open(self) -> None:
        """Listen.

        Raises LocalFaultError (kind "no-control-socket") where that cannot be: the path is too
        long for a socket, the folder cannot be written or belongs to somebody else.
        """
        try:
            self._listener = _listening(self.path)
        except OSError as error:
            raise LocalFaultError(
                f"no socket {self.path}: {error.strerror or error}",
                kind="no-control-socket",
                path=str(self.path),
            ) from error
        self._thread.start()

    def close(self, last: Reply | None = None) -> None:
        """Stop listening, and answer those who asked for the end. May be called twice."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        self._is_closing = True
        self._waker.wake()
        self._thread.join(_JOIN_S)
        with contextlib.suppress(OSError):
            self.path.unlink()
        listener.close()
        while self._waiting:
            with self._waiting.pop() as client:
                self._send(client, Reply() if last is None else last)

    # --- on the server's thread ---

    def _serve(self) -> None:
        listener = self._listener
        while listener is not None and not self._is_closing:
            ready = self._ready(listener)
            now_s = time.monotonic()
            for client in [*self._clients]:
                if client.sock.fileno() in ready:
                    self._hear(client)
                elif now_s >= client.end_s:
                    self._drop(client)
            if listener.fileno() in ready:
                self._accept(listener)
        while self._clients:
            self._drop(self._clients[0])

    def _ready(self, listener: socket.socket) -> set[int]:
        """The descriptors of which something has come, once there is one or a client's time is up.

        The wake-up stays where it is: it is the last.
        """
        poll = select.poll()
        poll.register(self._waker, select.POLLIN)
        poll.register(listener, select.POLLIN)
        for client in self._clients:
            poll.register(client.sock, select.POLLIN)
        end_s = min((client.end_s for client in self._clients), default=None)
        left_s = None if end_s is None else max(0.0, end_s - time.monotonic())
        return {fd for fd, _ in poll.poll(None if left_s is None else left_s * 1000 + 1)}

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except BlockingIOError:  # it left already
            return
        except OSError:  # no descriptor is free
            if self._clients:
                self._drop(self._clients[0])
            else:
                self._waker.wait(_PATIENCE_S)
            return
        sock.setblocking(False)
        if not is_own(sock):
            sock.close()
            return
        self._clients.append(_Client(sock, time.monotonic() + _PATIENCE_S))
        if len(self._clients) > _MOST_CLIENTS:
            self._drop(self._clients[0])

    def _drop(self, client: _Client) -> None:
        self._clients.remove(client)
        client.sock.close()

    def _hear(self, client: _Client) -> None:
        """Take what a client says, and serve it once that is a request."""
        try:
            part = client.sock.recv(65_536)
        except OSError:
            part = b""
        client.text += part
        if part and b"\n" not in client.text and len(client.text) <= LARGEST_REQUEST:
            return
        self._clients.remove(client)
        if not part or not self._served(client):  # without: it left
            client.sock.close()

    def _served(self, client: _Client) -> bool:
        """Serve one client; whether it waits for the end of the stream now."""
        line, line_end, _ = bytes(client.text).partition(b"\n")
        try:
            if not line_end:
                raise ValueError("too long")
            request = read_request(line)
        except ValueError:
            unread = UsageError("this is not a request", kind="not-a-request")
            self._send(client.sock, Reply(error=sent(unread)))
            return False
        if isinstance(request, Stop):
            self._waiting.append(client.sock)
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.pop(0).close()
            self._stop()
            return True
        self._send(client.sock, self._changed(request))
        return False

    def _changed(self, request: Change) -> Reply:
        try:
            return self._change(request)
        except TicksError as error:
            return Reply(error=sent(error))
        except Exception as error:  # noqa: BLE001  (the stream goes on; the client gets the error)
            return Reply(error=sent(TicksError(f"unexpected: {type(error).__name__}: {error}")))

    def _send(self, client: socket.socket, reply: Reply) -> None:
        """Answer a client that may have left or may not read."""
        end_s = time.monotonic() + _PATIENCE_S
        line = memoryview(to_line(reply))
        with contextlib.suppress(OSError):
            while line and self._wait_to_send(client, end_s):
                line = line[client.send(line) :]

    def _wait_to_send(self, sock: socket.socket, end_s: float) -> bool:
        """Whether a socket takes more before `end_s`; not once the stream is ending, unless at
        once."""
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        poll.register(self._waker, select.POLLIN)
        ready = poll.poll(max(0.0, end_s - time.monotonic()) * 1000)
        return any(descriptor == sock.fileno() for descriptor, _ in ready)


def socket_path(folder: Path, pid: int) -> Path:
    """Where the stream of a process listens."""
    return folder / f"{pid}.sock"


def is_own(peer: socket.socket) -> bool:
    """Whether the process at the other end is of this user. True where the system cannot say:
    then the rights of socket and folder are what keeps others out."""
    try:
        if hasattr(socket, "SO_PEERCRED"):
            credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
            return bool(_UCRED.unpack(credentials)[1] == os.geteuid())
        credentials = peer.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 256)
        return bool(_XUCRED.unpack_from(credentials)[1] == os.geteuid())
    except (OSError, struct.error):
        return not hasattr(socket, "SO_PEERCRED")


def _listening(path: Path) -> socket.socket:
    """A socket that listens at `path`, in place of one that a dead process left. Raises OSError."""
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise OSError("its folder belongs to another user")
    if status.st_mode & 0o077:
        folder.chmod(0o700)
    if path.exists() and not _is_abandoned(path):
        raise OSError("another stream listens there")
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)  # before it listens: until then nobody can connect
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _is_abandoned(path: Path) -> bool:
    """Whether nobody listens there. Our process number may be another's in another container."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PATIENCE_S)
        try:
            probe.connect(str(path))
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            return True
    return False


# --- the other side -------------------------------------------------------------------------------


def meant_stream(folder: Path, pid: int | None, wall_s: float) -> int:
    """The process number of the stream that is meant: `pid`, or without one the only one there is.

    `wall_s` is the time now, seconds since the epoch. Raises NoStreamError (kind "no-stream")
    where none runs, UsageError (kind "several-streams") where several do.
    """
    if pid is not None:
        return pid
    pids = [stream.pid for stream in running_streams(folder, wall_s)]
    if not pids:
        raise NoStreamError("no stream is running", kind="no-stream")
    if len(pids) > 1:
        named = ", ".join(map(str, pids))
        raise UsageError(
            f"{len(pids)} streams are running: {named}", kind="several-streams", pids=named
        )
    return pids[0]


def ask(folder: Path, pid: int, request: Request, timeout_s: float) -> Reply:
    """What the stream of a process answers, within `timeout_s`.

    Raises NoStreamError: kinds "no-such-stream" where that process is not a stream of ours,
    "stream-uncontrolled" where it is one without a socket, "stream-gone" where it ended before it
    answered, "stream-mute" where it did not answer in time. Raises UsageError (kind
    "request-too-long") for more names than a request may hold.
    """
    said = to_line(request)
    if len(said) > LARGEST_REQUEST:
        raise UsageError("those are too many names for one request", kind="request-too-long")
    end_s = time.monotonic() + timeout_s
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        whole_s, part_s = divmod(timeout_s, 1)
        limit = _TIMEVAL.pack(int(whole_s), int(part_s * 1e6))
        # Of a socket with a timeout of Python's the connect does not wait for room in the queue.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        try:
            peer.connect(str(socket_path(folder, pid)))
        except (TimeoutError, BlockingIOError) as error:  # as many as have room wait already
            raise _mute(pid, timeout_s) from error
        except OSError as error:
            raise _not_there(folder, pid) from error
        if not is_own(peer):
            raise _not_there(folder, pid)
        try:
            peer.settimeout(max(0.001, end_s - time.monotonic()))
            peer.sendall(said)
            line = _reply_line(peer, end_s)
            return read_reply(line)
        except TimeoutError as error:
            raise _mute(pid, timeout_s) from error
        except (OSError, ValueError) as error:
            raise NoStreamError(
                f"stream {pid} ended before it answered", kind="stream-gone", pid=pid
            ) from error


def _reply_line(peer: socket.socket, end_s: float) -> bytes:
    """Raises TimeoutError, OSError, or ValueError where no whole line comes."""
    text = bytearray()
    while not text.endswith(b"\n"):
        left_s = end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        peer.settimeout(left_s)
        part = peer.recv(65_536)
        if not part or len(text) > LARGEST_REPLY:
            raise ValueError("not a line")
        text += part
    return bytes(text)


def _mute(pid: int, timeout_s: float) -> NoStreamError:
    words = f"stream {pid} did not answer within {timeout_s:g} s"
    return NoStreamError(words, kind="stream-mute", pid=pid, timeout_s=timeout_s)


def _not_there(folder: Path, pid: int) -> NoStreamError:
    if any(stream.pid == pid for stream in running_streams(folder, time.time())):
        return NoStreamError(
            f"stream {pid} runs without a control socket", kind="stream-uncontrolled", pid=pid
        )
    return NoStreamError(f"{pid} is not a running stream", kind="no-such-stream", pid=pid)
