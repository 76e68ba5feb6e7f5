"""The control socket: what it takes, from whom, and that nothing that comes can hold it up."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processes import gone_pid

from ticks.adapter import control
from ticks.adapter.control import ControlServer, ask, meant_stream, socket_path
from ticks.adapter.control_messages import (
    LARGEST_REQUEST,
    Add,
    Change,
    Drop,
    Reply,
    Stop,
    raised_again,
    read_reply,
    to_line,
)
from ticks.adapter.errors import LocalFaultError, NoStreamError, UnknownSymbolError, UsageError
from ticks.adapter.snapshot import FeedSnapshot
from ticks.adapter.status_file import StatusFile

PID = os.getpid()
PATIENCE_S = 20.0


class Stream:
    """What a control server stands before: it notes what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stopped = threading.Event()
        self.asked: list[Change] = []
        self.answer: Callable[[Change], Reply] = lambda change: Reply(symbols=change.symbols)
        self.server = ControlServer(folder, stop=self.stopped.set, change=self.change)

    def change(self, change: Change) -> Reply:
        self.asked.append(change)
        return self.answer(change)

    def connected(self) -> socket.socket:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.connect(str(self.server.path))  # waits for room in the queue
        peer.settimeout(PATIENCE_S)
        return peer

    def says(self, data: bytes) -> bytes:
        """What comes back for these bytes and no more."""
        with self.connected() as peer:
            try:
                peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            answer = b""
            try:
                while part := peer.recv(65536):
                    answer += part
            except ConnectionResetError:
                pass
            return answer


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[Stream]:
    running = Stream(tmp_path / "state" / "run")
    running.server.open()
    yield running
    running.server.close()


# --- what is asked is answered --------------------------------------------------------------------


def test_a_change_is_answered_with_what_came_of_it(stream: Stream) -> None:
    assert ask(stream.folder, PID, Add(("NIFTY",)), PATIENCE_S) == Reply(symbols=("NIFTY",))
    assert ask(stream.folder, PID, Drop(("SBIN",)), PATIENCE_S) == Reply(symbols=("SBIN",))
    assert stream.asked == [Add(("NIFTY",)), Drop(("SBIN",))]


def test_an_error_of_the_stream_is_answered_and_the_stream_goes_on(stream: Stream) -> None:
    def refuse(_change: Change) -> Reply:
        raise UnknownSymbolError("nothing is called that", kind="symbol-unknown", typed="X")

    stream.answer = refuse
    reply = ask(stream.folder, PID, Add(("X",)), PATIENCE_S)
    assert reply.error is not None
    error = raised_again(reply.error)
    assert isinstance(error, UnknownSymbolError)
    assert error.kind == "symbol-unknown"
    stream.answer = lambda _change: Reply(symbols=("a" * 900_000,))
    assert len(ask(stream.folder, PID, Add(("X",)), PATIENCE_S).symbols[0]) == 900_000


def test_an_unexpected_error_is_answered_too(stream: Stream) -> None:
    stream.answer = lambda _change: 1 / 0  # type: ignore[return-value]
    reply = ask(stream.folder, PID, Add(("X",)), PATIENCE_S)
    assert reply.error is not None
    assert "ZeroDivisionError" in reply.error.message
    stream.answer = lambda _change: Reply()
    assert ask(stream.folder, PID, Add(("X",)), PATIENCE_S) == Reply()


def test_a_stop_is_answered_when_the_stream_has_ended_and_others_are_served_meanwhile(
    stream: Stream,
) -> None:
    replies: list[Reply] = []
    askers = [
        threading.Thread(target=lambda: replies.append(ask(stream.folder, PID, Stop(), PATIENCE_S)))
        for _ in range(3)
    ]
    for asker in askers:
        asker.start()
    assert stream.stopped.wait(PATIENCE_S)
    assert ask(stream.folder, PID, Add(("X",)), PATIENCE_S) == Reply(symbols=("X",))
    assert replies == []
    while len(stream.server._waiting) < 3:
        ask(stream.folder, PID, Add(()), PATIENCE_S)
    last = Reply(summary={"ticks": 7})
    stream.server.close(last)
    for asker in askers:
        asker.join(PATIENCE_S)
    assert replies == [last] * 3


def test_more_who_wait_for_the_end_than_there_is_room_for_are_let_go(stream: Stream) -> None:
    waiting = [stream.connected() for _ in range(20)]
    for peer in waiting:
        peer.sendall(to_line(Stop()))
    ask(stream.folder, PID, Add(()), PATIENCE_S)
    assert len(stream.server._waiting) == 16
    assert [peer.recv(9) for peer in waiting[:4]] == [b""] * 4
    for peer in waiting:
        peer.close()


# --- from whom ------------------------------------------------------------------------------------


def test_the_socket_is_for_its_user_alone(stream: Stream) -> None:
    assert stat.S_IMODE(stream.server.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(stream.folder.stat().st_mode) == 0o700


def test_a_folder_that_others_may_enter_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    server = ControlServer(tmp_path, stop=lambda: None, change=lambda _change: Reply())
    server.open()
    server.close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_process_of_another_user_gets_no_answer(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = os.geteuid()
    monkeypatch.setattr(control.os, "geteuid", lambda: own + 1)
    assert stream.says(to_line(Stop())) == b""
    assert stream.says(to_line(Add(("NIFTY",)))) == b""
    assert not stream.stopped.is_set()
    assert stream.asked == []


def test_a_socket_of_another_user_is_not_a_stream_of_ours(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "is_own", lambda _peer: False)
    with pytest.raises(NoStreamError) as caught:
        ask(stream.folder, PID, Stop(), PATIENCE_S)
    assert caught.value.kind == "no-such-stream"
    assert not stream.stopped.is_set()


# --- whatever comes -------------------------------------------------------------------------------


def refused(answer: bytes) -> bool:
    error = read_reply(answer).error if answer.endswith(b"\n") else None
    return error is not None and error.kind == "not-a-request"


@given(st.binary(max_size=2000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_bytes_are_refused_or_ignored(stream: Stream, data: bytes) -> None:
    answer = stream.says(data)
    assert refused(answer) if b"\n" in data else answer == b""
    assert not stream.stopped.is_set()
    assert stream.asked == []


@given(st.integers(0, 40), st.binary(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_request_is_refused_or_is_another_one(
    stream: Stream, place: int, other: bytes
) -> None:
    whole = to_line(Add(("NIFTY", "SBIN")))
    damaged = whole[:place] + other + whole[place + 1 :]
    answer = stream.says(damaged)
    assert answer == b"" or refused(answer) or read_reply(answer).symbols is not None


def test_a_line_without_an_end_is_refused(stream: Stream) -> None:
    stream.says(b"x" * (LARGEST_REQUEST + 2 * 65_536))
    stream.says(b'{"do":"add","symbols":["' + b"x" * LARGEST_REQUEST)
    assert stream.asked == []
    assert ask(stream.folder, PID, Add(("X",)), PATIENCE_S) == Reply(symbols=("X",))


def test_more_names_than_a_request_holds_are_refused_before_anything_is_sent(
    stream: Stream,
) -> None:
    with pytest.raises(UsageError) as caught:
        ask(stream.folder, PID, Add(("X" * 64,) * 5000), PATIENCE_S)
    assert caught.value.kind == "request-too-long"
    assert stream.asked == []


def test_clients_that_say_nothing_or_leave_hold_nobody_up(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_PATIENCE_S", 0.05)
    mute = [stream.connected() for _ in range(5)]
    half = stream.connected()
    half.sendall(to_line(Stop())[:-1])
    stream.connected().close()
    assert ask(stream.folder, PID, Add(("X",)), PATIENCE_S) == Reply(symbols=("X",))
    assert not stream.stopped.is_set()
    for peer in (*mute, half):
        peer.close()


def test_hundreds_of_clients_that_say_nothing_do_not_delay_a_request(stream: Stream) -> None:
    begun_s = time.monotonic()
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(stream.connected()).sendall(b'{"type"')
        assert ask(stream.folder, PID, Add(("A",)), PATIENCE_S) == Reply(symbols=("A",))
    assert time.monotonic() - begun_s < control._PATIENCE_S


def test_a_request_waits_for_room_in_the_queue(stream: Stream) -> None:
    is_busy, may_go_on = threading.Event(), threading.Event()

    def slow(change: Change) -> Reply:
        is_busy.set()
        may_go_on.wait(PATIENCE_S)
        return Reply(symbols=change.symbols)

    stream.answer = slow
    with ThreadPoolExecutor(2) as pool, ExitStack() as stack:
        first = pool.submit(ask, stream.folder, PID, Add(("A",)), PATIENCE_S)
        assert is_busy.wait(PATIENCE_S)
        with suppress(BlockingIOError):
            while True:
                peer = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                peer.setblocking(False)
                peer.connect(str(stream.server.path))
        with pytest.raises(NoStreamError) as caught:
            ask(stream.folder, PID, Add(("B",)), 0.1)
        assert caught.value.kind == "stream-mute"
        second = pool.submit(ask, stream.folder, PID, Add(("C",)), PATIENCE_S)
        may_go_on.set()
        assert first.result().symbols == ("A",)
        assert second.result().symbols == ("C",)


def test_a_client_that_does_not_read_its_answer_is_given_up(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_PATIENCE_S", 0.05)
    stream.answer = lambda _change: Reply(symbols=("x" * 5_000_000,))
    deaf = stream.connected()
    deaf.sendall(to_line(Add(("X",))))
    stream_answer = ask_until_answered(stream)
    assert stream_answer == Reply()
    deaf.close()


def ask_until_answered(stream: Stream) -> Reply:
    while not stream.asked:
        threading.Event().wait(0.01)
    stream.answer = lambda _change: Reply()
    return ask(stream.folder, PID, Add(("Y",)), PATIENCE_S)


# --- the end --------------------------------------------------------------------------------------


def test_an_end_wakes_the_server_and_leaves_no_thread_and_no_file(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    server = ControlServer(tmp_path, stop=lambda: None, change=lambda _change: Reply())
    server.open()
    began_s = time.monotonic()
    server.close()
    server.close()
    assert time.monotonic() - began_s < 1.0
    assert list(tmp_path.iterdir()) == []
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("said", [b"", b'{"do":"st'])
def test_a_client_that_sends_nothing_does_not_delay_the_end(stream: Stream, said: bytes) -> None:
    with stream.connected() as mute:
        mute.sendall(said)
        began_s = time.monotonic()
        stream.server.close()
        assert time.monotonic() - began_s < 0.5


def test_a_change_that_takes_long_does_not_delay_the_end(stream: Stream) -> None:
    is_asked, may_go_on = threading.Event(), threading.Event()

    def take_long(_change: Change) -> Reply:
        is_asked.set()
        may_go_on.wait(PATIENCE_S)
        return Reply()

    stream.answer = take_long
    with stream.connected() as peer:
        peer.sendall(to_line(Add(("X",))))
        assert is_asked.wait(PATIENCE_S)
        began_s = time.monotonic()
        stream.server.close()
        assert time.monotonic() - began_s < 2.0
        may_go_on.set()
        stream.server._thread.join(PATIENCE_S)


def test_a_client_without_an_answer_before_the_end_gets_one(stream: Stream) -> None:
    stream.server.close()
    listener = control._listening(stream.server.path)
    with listener:
        threading.Timer(0.05, listener.close).start()
        with pytest.raises(NoStreamError) as caught:
            ask(stream.folder, PID, Add(("X",)), PATIENCE_S)
    assert caught.value.kind in {"stream-gone", "no-such-stream"}


# --- what is not there ----------------------------------------------------------------------------


def test_a_socket_that_a_dead_process_left_is_not_an_obstacle(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(socket_path(tmp_path, PID)))
    with pytest.raises(NoStreamError) as caught:
        ask(tmp_path, PID, Stop(), PATIENCE_S)
    assert caught.value.kind == "no-such-stream"
    server = ControlServer(tmp_path, stop=lambda: None, change=lambda _change: Reply(notes=("a",)))
    server.open()
    assert ask(tmp_path, PID, Add(()), PATIENCE_S) == Reply(notes=("a",))
    server.close()


def test_a_socket_on_which_another_stream_listens_is_left_alone(stream: Stream) -> None:
    """Two containers that share a home have the same process numbers."""
    other = ControlServer(stream.folder, stop=lambda: None, change=lambda _change: Reply())
    with pytest.raises(LocalFaultError) as caught:
        other.open()
    other.close()
    assert caught.value.kind == "no-control-socket"
    assert ask(stream.folder, PID, Add(("X",)), PATIENCE_S) == Reply(symbols=("X",))


def test_a_path_that_is_too_long_for_a_socket_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 60) / ("y" * 60)
    server = ControlServer(folder, stop=lambda: None, change=lambda _change: Reply())
    with pytest.raises(LocalFaultError, match="too long") as caught:
        server.open()
    server.close()
    assert caught.value.kind == "no-control-socket"


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    server = ControlServer(tmp_path / "file", stop=lambda: None, change=lambda _change: Reply())
    with pytest.raises(LocalFaultError):
        server.open()


def test_a_process_that_is_not_a_stream_of_ours_is_never_signalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    for request in (Stop(), Add(("X",)), Drop(("X",))):
        with pytest.raises(NoStreamError) as caught:
            ask(tmp_path, 1, request, PATIENCE_S)
        assert caught.value.kind == "no-such-stream"
    assert signals == []


def test_a_stream_without_a_socket_is_recognized(tmp_path: Path, snapshot: FeedSnapshot) -> None:
    StatusFile(tmp_path).replace(snapshot)
    with pytest.raises(NoStreamError) as caught:
        ask(tmp_path, PID, Stop(), PATIENCE_S)
    assert caught.value.kind == "stream-uncontrolled"


def test_a_stream_that_does_not_answer_in_time_is_reported(stream: Stream) -> None:
    with pytest.raises(NoStreamError) as caught:
        ask(stream.folder, PID, Stop(), 0.1)
    assert caught.value.kind == "stream-mute"
    assert stream.stopped.is_set()


def test_the_only_stream_is_meant_where_none_is_named(
    tmp_path: Path, snapshot: FeedSnapshot
) -> None:
    with pytest.raises(NoStreamError) as none:
        meant_stream(tmp_path, None, time.time())
    assert none.value.kind == "no-stream"
    StatusFile(tmp_path).replace(snapshot)
    StatusFile(tmp_path, gone_pid()).replace(snapshot)
    assert meant_stream(tmp_path, None, time.time()) == PID
    StatusFile(tmp_path, os.getppid()).replace(snapshot)
    with pytest.raises(UsageError) as several:
        meant_stream(tmp_path, None, time.time())
    assert several.value.values["pids"] == ", ".join(map(str, sorted((PID, os.getppid()))))
    assert meant_stream(tmp_path, 1, time.time()) == 1
