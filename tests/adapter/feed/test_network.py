"""The port to the world with real sockets on this machine, and a keeper of sessions that obeys."""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from waits import until

from ticks.adapter.auth.authenticator import Session
from ticks.adapter.clock import SystemClock
from ticks.adapter.errors import (
    CredentialsMissingError,
    FeedLostError,
    NetworkError,
    TokenRefusedError,
)
from ticks.adapter.feed import link
from ticks.adapter.feed.network import (
    Connected,
    ConnectFailed,
    LinkBroke,
    NetworkEvent,
    Received,
    RenewalFailed,
    Renewed,
    SystemNetwork,
    handshake_headers,
)
from ticks.adapter.wire.frames import Opcode, encode_close, encode_frame

pytestmark = pytest.mark.slow  # real sockets and time

if TYPE_CHECKING:
    from conftest import FeedServer

PATIENCE_S = 10.0
FRAME = encode_frame(Opcode.BINARY, b"packet")


def session(serial: int) -> Session:
    return Session("A123", "key", f"jwt-{serial}", f"refresh-{serial}", f"feed-{serial}", serial)


class ObedientSessions:
    """Hands out session 1 first; `answers` are what renewals give or raise, then the newest."""

    def __init__(self) -> None:
        self.newest = session(1)
        self.answers: list[Session | Exception] = []
        self.calls: list[Session | None] = []
        self.first: Callable[[], Session] = lambda: self.newest

    def session(self) -> Session:
        return self.first()

    def renew(self, refused: Session | None = None) -> Session:
        self.calls.append(refused)
        answer = self.answers.pop(0) if self.answers else self.newest
        if isinstance(answer, Exception):
            raise answer
        self.newest = answer
        return answer


class Desk:
    """A network with what it stands on, and what came out of it so far."""

    def __init__(self, url: str, *, handshake_timeout_s: float = PATIENCE_S) -> None:
        self.sessions = ObedientSessions()
        self.clock = SystemClock()
        self.name = f"test feed {id(self)}"
        self.network = SystemNetwork(
            url,
            self.sessions,
            self.clock,
            name=self.name,
            handshake_timeout_s=handshake_timeout_s,
            linger_s=0.2,
        )
        self.happened: list[NetworkEvent] = []

    def until(self, kind: type[NetworkEvent]) -> NetworkEvent:
        """Wait until something of this kind happens."""
        deadline_s = self.clock.now_s() + PATIENCE_S
        while True:
            for happening in [h for h in self.happened if isinstance(h, kind)]:
                self.happened.remove(happening)
                return happening
            assert self.clock.now_s() < deadline_s, f"no {kind.__name__}, but {self.happened}"
            self.happened += self.network.wait(deadline_s)

    def connect(self, epoch: int = 1, *, fresh_login: bool = False) -> Connected | ConnectFailed:
        self.network.connect(epoch, fresh_login=fresh_login)
        outcome = self.until(Connected | ConnectFailed)  # type: ignore[arg-type]
        assert isinstance(outcome, Connected | ConnectFailed)
        return outcome

    def workers(self) -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t.name == f"{self.name} worker"]

    def wait_for_workers(self) -> None:
        for worker in self.workers():
            worker.join(PATIENCE_S)
        assert self.workers() == []


@pytest.fixture
def desk(server: FeedServer) -> Iterator[Desk]:
    made = Desk(server.url)
    yield made
    made.network.release()
    made.wait_for_workers()


@pytest.fixture
def hasty(server: FeedServer) -> Iterator[Desk]:
    """A desk that gives a handshake up after 0.2 s."""
    made = Desk(server.url, handshake_timeout_s=0.2)
    yield made
    made.network.release()
    made.wait_for_workers()


# --- connecting -----------------------------------------------------------------------------------


def test_a_connect_brings_the_session_and_then_the_bytes(server: FeedServer, desk: Desk) -> None:
    server.opens(FRAME)
    assert desk.connect() == Connected(1, session(1))
    received = desk.until(Received)
    assert isinstance(received, Received)
    assert (received.epoch, received.data) == (1, FRAME)
    assert abs(received.received_ns - time.time_ns()) < PATIENCE_S * 1e9
    assert desk.happened == []


def test_the_handshake_says_who_we_are(server: FeedServer, desk: Desk) -> None:
    server.opens()
    desk.connect()
    request = server.requests[0].decode()
    for name, value in handshake_headers(session(1)).items():
        assert f"\r\n{name}: {value}\r\n" in request


def test_a_refusal_is_an_outcome(server: FeedServer, desk: Desk) -> None:
    server.refuses("401 Unauthorized")
    failed = desk.connect()
    assert isinstance(failed, ConnectFailed)
    assert isinstance(failed.error, TokenRefusedError)


def test_a_login_that_fails_is_an_outcome(desk: Desk) -> None:
    def missing() -> Session:
        raise CredentialsMissingError("TICKS_PIN")

    desk.sessions.first = missing
    failed = desk.connect()
    assert isinstance(failed, ConnectFailed)
    assert isinstance(failed.error, CredentialsMissingError)


def test_what_nobody_foresaw_ends_the_connect_without_its_words(desk: Desk) -> None:
    def broken() -> Session:
        raise KeyError("secret")

    desk.sessions.first = broken
    failed = desk.connect()
    assert isinstance(failed, ConnectFailed)
    assert isinstance(failed.error, FeedLostError)
    assert "KeyError" in failed.error.message
    assert "secret" not in failed.error.message
    assert isinstance(failed.error.__cause__, KeyError)


def test_at_the_limit_of_threads_a_connect_fails_and_may_be_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as limited:
        limited.setattr(threading.Thread, "start", refuse)
        failed = desk.connect()
        desk.network.renew()
        assert isinstance(desk.until(RenewalFailed), RenewalFailed)
    assert isinstance(failed, ConnectFailed)
    assert failed.error.kind == "threads-limit"
    assert failed.error.can_retry


def test_at_the_limit_of_open_files_a_connect_fails_and_may_be_tried_again(desk: Desk) -> None:
    def broken() -> Session:
        raise OSError(errno.EMFILE, "Too many open files")

    desk.sessions.first = broken
    failed = desk.connect()
    assert isinstance(failed, ConnectFailed)
    assert failed.error.kind == "files-limit"
    assert failed.error.can_retry


def test_a_silent_server_is_given_up_and_hung_up_on(server: FeedServer, hasty: Desk) -> None:
    server.scripts.append(server.listen)
    began_s = time.monotonic()
    failed = hasty.connect()
    assert time.monotonic() - began_s < PATIENCE_S / 2
    assert isinstance(failed, ConnectFailed)
    assert isinstance(failed.error, NetworkError)
    assert server.hung_up.acquire(timeout=PATIENCE_S)


def test_a_server_that_drips_bytes_is_given_up(server: FeedServer, hasty: Desk) -> None:
    def drip(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX-Slow: ")
        peer.settimeout(0.02)
        while True:
            peer.sendall(b"x")
            try:
                if peer.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        server.hung_up.release()

    server.scripts.append(drip)
    began_s = time.monotonic()
    failed = hasty.connect()
    assert time.monotonic() - began_s < PATIENCE_S / 2
    assert isinstance(failed, ConnectFailed)
    assert "within 0.2 s" in failed.error.message
    hasty.wait_for_workers()
    assert server.hung_up.acquire(timeout=PATIENCE_S)


def test_after_a_handshake_that_was_given_up_the_next_one_counts(
    server: FeedServer, hasty: Desk
) -> None:
    server.scripts.append(server.listen)
    assert isinstance(hasty.connect(1), ConnectFailed)
    hasty.network.close(1000)
    server.opens(FRAME)
    assert hasty.connect(2) == Connected(2, session(1))
    assert isinstance(hasty.until(Received), Received)
    began_s = hasty.clock.now_s()
    assert hasty.network.wait(began_s + 0.3) == []  # no deadline of a handshake hits the live link


def test_closing_gives_up_the_connect_under_way(server: FeedServer, desk: Desk) -> None:
    is_reached = threading.Event()

    def script(peer: socket.socket) -> None:
        is_reached.set()
        server.listen(peer)

    server.scripts.append(script)
    desk.network.connect(1, fresh_login=False)
    assert is_reached.wait(PATIENCE_S)
    assert desk.network.wait(desk.clock.now_s()) == []
    assert desk.network.close(1000) == b""
    assert server.hung_up.acquire(timeout=PATIENCE_S)
    desk.wait_for_workers()
    assert desk.network.wait(desk.clock.now_s()) == []


def test_a_link_that_opens_too_late_is_closed_with_a_close_frame(
    server: FeedServer, desk: Desk
) -> None:
    may_go_on = threading.Event()

    def slow() -> Session:
        may_go_on.wait(PATIENCE_S)
        return session(1)

    desk.sessions.first = slow
    desk.network.connect(1, fresh_login=False)
    desk.network.close(1000)
    desk.network.connect(2, fresh_login=False)
    server.opens()
    server.opens()
    may_go_on.set()
    assert desk.until(Connected) == Connected(2, session(1))
    desk.wait_for_workers()
    assert len(server.requests) == 1  # the first never went as far as the handshake


def test_an_outcome_that_nobody_waits_for_any_more_is_dropped(
    server: FeedServer, desk: Desk
) -> None:
    server.opens()
    desk.network.connect(1, fresh_login=False)
    desk.wait_for_workers()
    desk.network.close(1000)
    assert desk.network.wait(desk.clock.now_s()) == []
    assert server.hung_up.acquire(timeout=PATIENCE_S)
    assert bytes(server.received)[:2] == b"\x88\x82"  # a close frame


# --- sessions -------------------------------------------------------------------------------------


def test_before_each_further_connect_the_session_is_renewed(server: FeedServer, desk: Desk) -> None:
    server.opens()
    server.opens()
    desk.connect(1)
    desk.network.close(1000)
    desk.sessions.answers = [session(2)]
    assert desk.connect(2) == Connected(2, session(2))
    assert desk.happened == [Renewed(session(2))]
    assert desk.sessions.calls == [None]


def test_a_session_that_is_still_valid_is_no_news(server: FeedServer, desk: Desk) -> None:
    server.opens()
    server.opens()
    desk.connect(1)
    desk.network.close(1000)
    desk.connect(2)
    assert desk.happened == []


def test_a_failed_renewal_is_a_warning_and_the_old_tokens_are_tried(
    server: FeedServer, desk: Desk
) -> None:
    server.opens()
    server.opens()
    desk.connect(1)
    desk.network.close(1000)
    error = NetworkError("nobody answers")
    desk.sessions.answers = [error]
    assert desk.connect(2) == Connected(2, session(1))
    assert desk.happened == [RenewalFailed(error)]


def test_refused_tokens_are_named_to_the_keeper(server: FeedServer, desk: Desk) -> None:
    server.refuses("401 Unauthorized")
    server.opens()
    desk.connect(1)
    desk.network.close(1000)
    desk.sessions.answers = [session(2)]
    assert desk.connect(2, fresh_login=True) == Connected(2, session(2))
    assert desk.sessions.calls == [session(1)]


def test_refused_tokens_are_not_tried_again_when_the_fresh_login_fails(
    server: FeedServer, desk: Desk
) -> None:
    server.refuses("401 Unauthorized")
    server.opens()
    desk.connect(1)
    error = NetworkError("nobody answers")
    desk.sessions.answers = [error, error, session(2)]
    for epoch, fresh_login in ((2, True), (3, False)):
        desk.network.close(1000)
        assert desk.connect(epoch, fresh_login=fresh_login) == ConnectFailed(epoch, error)
    desk.network.close(1000)
    assert desk.connect(4) == Connected(4, session(2))
    assert desk.sessions.calls == [session(1)] * 3
    assert len(server.requests) == 2


def test_a_session_is_renewed_while_the_socket_is_in_use(server: FeedServer, desk: Desk) -> None:
    server.opens()
    desk.connect()
    desk.sessions.answers = [session(2)]
    desk.network.renew()
    assert desk.until(Renewed) == Renewed(session(2))


@pytest.mark.parametrize("error", [NetworkError("nobody answers"), KeyError("secret")])
def test_a_renewal_that_fails_while_the_socket_is_in_use_is_a_warning(
    server: FeedServer, desk: Desk, error: Exception
) -> None:
    server.opens()
    desk.connect()
    desk.sessions.answers = [error]
    desk.network.renew()
    failed = desk.until(RenewalFailed)
    assert isinstance(failed, RenewalFailed)
    assert "secret" not in failed.error.message


# --- the open socket ------------------------------------------------------------------------------


def test_a_wait_ends_at_its_time_and_at_once_when_somebody_wakes_it(desk: Desk) -> None:
    began_s = desk.clock.now_s()
    assert desk.network.wait(began_s + 0.05) == []
    assert desk.clock.now_s() >= began_s + 0.05
    waker = threading.Timer(0.01, desk.network.wake)
    waker.start()
    assert desk.network.wait(None) == []
    waker.join()
    desk.network.wake()
    assert desk.network.wait(desk.clock.now_s() + PATIENCE_S) == []
    assert desk.clock.now_s() < began_s + PATIENCE_S


@pytest.mark.parametrize("linger", [(0, 0), (1, 0)], ids=["hang-up", "reset"])
def test_a_peer_that_is_gone_breaks_the_link_after_its_last_bytes(
    server: FeedServer, desk: Desk, linger: tuple[int, int]
) -> None:
    may_end = threading.Event()

    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome() + FRAME)
        may_end.wait(PATIENCE_S)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", *linger))

    server.scripts.append(script)
    desk.connect()
    assert isinstance(desk.until(Received), Received)
    may_end.set()
    broke = desk.until(LinkBroke)
    assert isinstance(broke, LinkBroke)
    assert broke.epoch == 1
    assert desk.network.wait(desk.clock.now_s()) == []  # told once
    assert desk.network.close(1000) == b""


def test_sending_to_a_peer_that_is_gone_breaks_the_link(server: FeedServer, desk: Desk) -> None:
    server.scripts.append(lambda peer: peer.sendall(server.welcome()))
    desk.connect()
    deadline_s = desk.clock.now_s() + PATIENCE_S
    while not any(isinstance(h, LinkBroke) for h in desk.happened):
        desk.network.send_text("ping")
        desk.network.send_pong(b"")
        desk.happened += desk.network.wait(desk.clock.now_s())
        assert desk.clock.now_s() < deadline_s


def test_sending_without_a_socket_is_nothing(desk: Desk) -> None:
    desk.network.send_text("ping")
    desk.network.send_pong(b"")
    assert desk.network.wait(desk.clock.now_s()) == []


def test_what_the_peer_does_not_take_is_sent_when_it_does(
    server: FeedServer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "UNSENT_BYTES", 1 << 30)  # more than the system's own buffers hold

    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome())
        server.hold.wait(PATIENCE_S)
        server.listen(peer)

    server.scripts.append(script)
    desk.connect()
    text = "x" * 60_000
    for _ in range(300):
        desk.network.send_text(text)
    server.hold.set()
    deadline_s = desk.clock.now_s() + PATIENCE_S
    while len(server.received) < 300 * (60_000 + 8):
        desk.happened += desk.network.wait(desk.clock.now_s() + 0.05)
        assert desk.clock.now_s() < deadline_s
    assert desk.happened == []


def test_closing_returns_the_bytes_that_still_came(server: FeedServer, desk: Desk) -> None:
    late = FRAME + encode_close(1000)

    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome())
        server.received += peer.recv(100)
        peer.sendall(late)

    server.scripts.append(script)
    desk.connect()
    assert desk.network.close(1001) == late
    assert desk.network.close(1000) == b""
    assert bytes(server.received)[:2] == b"\x88\x82"


def test_over_tls_the_bytes_after_the_handshake_are_not_left_behind(
    tls_server: FeedServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls_server.opens(FRAME)
    desk = Desk(tls_server.url)
    assert desk.connect() == Connected(1, session(1))
    assert [h.data for h in desk.happened if isinstance(h, Received)] == [FRAME]
    desk.network.release()
    desk.wait_for_workers()


# --- the end --------------------------------------------------------------------------------------


def test_after_the_release_nothing_is_left(server: FeedServer) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None
    for epoch in range(1, 4):
        server.opens()
        desk = Desk(server.url)
        desk.connect(epoch)
        desk.network.release()
        desk.network.wake()
        desk.wait_for_workers()
        assert server.hung_up.acquire(timeout=PATIENCE_S)
    if before is not None:
        until(lambda: len(os.listdir("/proc/self/fd")) <= before)  # none is left open


def test_giving_up_at_any_moment_leaves_neither_thread_nor_socket(
    server: FeedServer, desk: Desk
) -> None:
    draw = Random(7)
    hung_up = 0

    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome())
        peer.recv(100)  # a close frame, or the end

    server.scripts = [script] * 80
    for epoch in range(1, 81):
        desk.network.connect(epoch, fresh_login=False)
        until_s = desk.clock.now_s() + draw.uniform(0, 0.004)
        outcomes: list[NetworkEvent] = []
        while desk.clock.now_s() < until_s and not outcomes:
            outcomes = desk.network.wait(until_s)
        assert outcomes in ([], [Connected(epoch, session(1))])
        hung_up += bool(outcomes)
        desk.network.close(1000)
        desk.wait_for_workers()
    assert 0 < hung_up < 80, "some were given up, some were open"
    assert desk.network.wait(desk.clock.now_s()) == []


def test_a_release_in_the_middle_of_a_handshake_leaves_nothing(server: FeedServer) -> None:
    is_reached = threading.Event()

    def script(peer: socket.socket) -> None:
        is_reached.set()
        server.listen(peer)

    server.scripts.append(script)
    desk = Desk(server.url)
    desk.network.connect(1, fresh_login=False)
    assert is_reached.wait(PATIENCE_S)
    desk.network.release()
    assert server.hung_up.acquire(timeout=PATIENCE_S)
    desk.wait_for_workers()
