from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ticks.adapter.errors import (
    BrokerBusyError,
    CertificateError,
    HandshakeRefusedError,
    NetworkError,
    NotSmartApiError,
    RateLimitedError,
    TicksError,
    TokenRefusedError,
)
from ticks.adapter.feed import link as link_module
from ticks.adapter.feed.link import DRAIN_BYTES, Handshake, Link
from ticks.adapter.wire.frames import FrameReader, Opcode, Text, encode_close, encode_frame

if TYPE_CHECKING:
    from conftest import FeedServer

HEADERS = {"Authorization": "Bearer secret-jwt", "x-feed-token": "secret-feed"}
PATIENCE_S = 10.0
ANOTHERS_ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: bm90IHlvdXJzIGF0IGFsbA==\r\n\r\n"
)


def opened(server: FeedServer) -> Link:
    return Handshake(server.url, HEADERS, timeout_s=PATIENCE_S).run()


def refusal(server: FeedServer, *, timeout_s: float = PATIENCE_S) -> TicksError:
    with pytest.raises(TicksError) as caught:
        Handshake(server.url, HEADERS, timeout_s=timeout_s).run()
    error = caught.value
    # A traceback shows what libraries say; source lines that name a secret are not among it.
    assert "secret" not in "".join(traceback.format_exception(error))
    assert server.host in error.message
    return error


def wait_readable(link: Link) -> None:
    assert select.select([link], [], [], PATIENCE_S)[0]


def receive(link: Link, size: int) -> bytes:
    """Exactly `size` bytes, in as many drains as they take."""
    data = b""
    while len(data) < size:
        wait_readable(link)
        data += link.receive()
    assert len(data) == size
    return data


def unmasked(data: bytes) -> bytes:
    """The payloads of masked frames under 64 KiB, as a server reads them."""
    payloads = b""
    at = 0
    while at < len(data):
        size, start = data[at + 1] & 0x7F, at + 2
        if size == 126:
            size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
        mask, at = data[start : start + 4], start + 4 + size
        payloads += bytes(b ^ mask[i % 4] for i, b in enumerate(data[start + 4 : at]))
    return payloads


def reset(peer: socket.socket) -> None:
    """Close with RST."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


# --- the handshake --------------------------------------------------------------------------------


def test_tokens_travel_as_headers_and_never_in_the_address(server: FeedServer) -> None:
    server.opens()
    opened(server).abort()
    request = server.requests[0].decode()
    assert request.startswith("GET /smart-stream HTTP/1.1\r\n")
    assert "\r\nAuthorization: Bearer secret-jwt\r\n" in request
    assert "\r\nx-feed-token: secret-feed\r\n" in request


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("401 Unauthorized", TokenRefusedError),
        ("403 Forbidden", TokenRefusedError),
        ("429 Too Many Requests", RateLimitedError),
        ("500 Internal Server Error", BrokerBusyError),
        ("503 Service Unavailable", BrokerBusyError),
        ("404 Not Found", HandshakeRefusedError),
        ("200 OK", HandshakeRefusedError),
    ],
)
def test_a_refusal_is_named_by_its_http_status(
    server: FeedServer, status: str, kind: type[TicksError]
) -> None:
    server.refuses(status, body="<html><body>secret page</body></html>")
    error = refusal(server)
    assert type(error) is kind
    assert f"HTTP {status[:3]}" in error.message


def test_the_broker_s_own_words_are_shown_printable_and_short(server: FeedServer) -> None:
    words = "Invalid Header - Invalid Auth token\x1b[31m"
    server.refuses("401 Unauthorized", f"x-error-message: {words}{'!' * 500}\r\n")
    message = refusal(server).message
    assert "Invalid Header - Invalid Auth token [31m!!!" in message
    assert "\x1b" not in message
    assert len(message) < 400


def test_a_redirect_is_refused_and_not_followed(server: FeedServer) -> None:
    for status in ("301 Moved", "302 Found", "307 Temporary Redirect"):
        server.refuses(status, f"Location: {server.url}\r\n")
        error = refusal(server)
        assert isinstance(error, HandshakeRefusedError)
        assert error.status == int(status[:3])
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "reply",
    [
        b"\x16\x03\x01\x02garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        ANOTHERS_ACCEPT,
        b"HTTP/1.1 503 Busy\r\nContent-Length: many\r\n\r\n",
    ],
    ids=["binary", "ssh", "bare 101", "another's accept", "no length"],
)
def test_what_is_no_websocket_is_named_as_that(server: FeedServer, reply: bytes) -> None:
    server.says(reply)
    assert isinstance(refusal(server), NotSmartApiError | NetworkError)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nx: " + b"y" * 300_000,
        b"HTTP/1.1 101 Switching Protocols\r\n" + b"x: y\r\n" * 60_000,
        b"HTTP/1.1 500 Sorry\r\nContent-Length: 300000\r\n\r\n" + b"y" * 300_000,
        b"y" * 300_000,
    ],
    ids=["a line", "headers", "a body", "no line"],
)
def test_of_a_reply_without_end_only_so_much_is_read(server: FeedServer, reply: bytes) -> None:
    server.says(reply)
    error = refusal(server)
    assert "its reply is larger than 65,536 bytes" in error.message or "500" in error.message


def test_a_cookie_is_not_kept(server: FeedServer) -> None:
    cookie = "Set-Cookie: a=tracked; Domain=127.0.0.1\r\n"
    server.refuses("503 Busy", cookie)
    server.refuses("503 Busy", cookie)
    refusal(server)
    refusal(server)
    assert b"tracked" not in b"".join(server.requests)


def test_a_hang_up_in_the_handshake_is_the_network_s_fault(server: FeedServer) -> None:
    server.says(b"", b"HTTP/1.1 101 Swit")
    server.scripts.append(reset)
    for _ in range(3):
        error = refusal(server)
        assert isinstance(error, NetworkError)
        assert error.can_retry


def test_a_server_that_says_nothing_does_not_answer(server: FeedServer) -> None:
    server.scripts.append(server.stay)
    error = refusal(server, timeout_s=0.1)
    assert isinstance(error, NetworkError)
    assert "gave no answer to the handshake within 0.1 s" in error.message


def test_nobody_listening_is_the_network_s_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1.*refused"):
        Handshake(f"ws://127.0.0.1:{port}/", {}, timeout_s=PATIENCE_S).run()


def test_a_name_that_nobody_knows_is_the_network_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NetworkError, match="the name cannot be found"):
        Handshake("wss://feed.example/", {}, timeout_s=PATIENCE_S).run()


def test_an_abandoned_handshake_ends_at_once(server: FeedServer) -> None:
    opening = Handshake(server.url, HEADERS, timeout_s=PATIENCE_S)

    def abandon_and_wait(peer: socket.socket) -> None:
        opening.abandon()
        server.listen(peer)

    server.scripts.append(abandon_and_wait)
    began_s = time.monotonic()
    with pytest.raises(NetworkError):
        opening.run()
    assert time.monotonic() - began_s < PATIENCE_S / 2
    assert server.hung_up.acquire(timeout=PATIENCE_S)


# --- TLS ------------------------------------------------------------------------------------------


def test_an_untrusted_certificate_is_refused_for_good(tls_server: FeedServer) -> None:
    tls_server.opens()
    error = refusal(tls_server)
    assert isinstance(error, CertificateError)
    assert not error.can_retry
    assert tls_server.requests == []


def test_a_trusted_certificate_opens(
    tls_server: FeedServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    frame = encode_frame(Opcode.TEXT, b"pong")
    tls_server.opens(frame)
    link = opened(tls_server)
    assert isinstance(link._sock, ssl.SSLSocket)
    data = link.receive()  # in the same record as the handshake's answer: no selector shows it
    assert data == frame
    link.send_text("ping")
    link.close(1000, linger_s=0.1)
    assert tls_server.hung_up.acquire(timeout=PATIENCE_S)
    assert unmasked(bytes(tls_server.received)).startswith(b"ping")


def test_whatever_tls_holds_comes_out_while_the_selector_shows_it(
    tls_server: FeedServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    sent = bytes(range(256)) * 2000
    tls_server.opens(*[sent[at : at + 40_000] for at in range(0, len(sent), 40_000)])
    link = opened(tls_server)
    data = link.receive()
    assert data + receive(link, len(sent) - len(data)) == sent
    link.abort()


# --- bytes in, bytes out --------------------------------------------------------------------------


def test_an_open_link_gives_what_came_and_never_blocks(server: FeedServer) -> None:
    frame = encode_frame(Opcode.BINARY, b"packet")
    server.opens(frame)
    link = opened(server)
    assert receive(link, len(frame)) == frame
    assert link.receive() == b""
    link.abort()


def test_frames_of_a_client_are_masked(server: FeedServer) -> None:
    server.opens()
    link = opened(server)
    link.send_text("ping")
    link.send_pong(b"abc")
    link.close(1000, linger_s=0.1)
    assert server.hung_up.acquire(timeout=PATIENCE_S)
    sent = bytes(server.received)
    assert sent[:2] == b"\x81\x84"
    assert sent[10:12] == b"\x8a\x83"
    assert unmasked(sent) == b"pingabc" + struct.pack(">H", 1000)


@pytest.mark.parametrize("end", [socket.socket.close, reset])
def test_a_peer_that_is_gone_is_the_network_s_fault(server: FeedServer, end: object) -> None:
    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome())
        end(peer)  # type: ignore[operator]

    server.scripts.append(script)
    link = opened(server)
    wait_readable(link)
    with pytest.raises(NetworkError):
        link.receive()
    link.abort()


def test_what_the_peer_does_not_take_is_kept_and_sent_later_whole(server: FeedServer) -> None:
    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome())
        server.hold.wait(PATIENCE_S)
        server.listen(peer)

    server.scripts.append(script)
    link = opened(server)
    texts = []
    while not link.wants_write:
        texts.append(f"{len(texts):06d}" * 9000)
        link.send_text(texts[-1])
        assert len(texts) < 10_000
    texts.append("the last")
    link.send_text(texts[-1])
    assert link.wants_write
    server.hold.set()
    while link.wants_write:
        assert select.select([], [link], [], PATIENCE_S)[1]
        link.flush()
    link.abort()
    assert server.hung_up.acquire(timeout=PATIENCE_S)
    assert unmasked(bytes(server.received)).decode() == "".join(texts)


def test_of_pongs_that_the_peer_does_not_take_only_the_newest_is_kept(server: FeedServer) -> None:
    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome())
        server.hold.wait(PATIENCE_S)
        server.listen(peer)

    server.scripts.append(script)
    link = opened(server)
    with contextlib.suppress(NetworkError):  # at its limit
        while True:
            link.send_text("x" * 9_000)
    for number in range(10_000):
        link.send_pong(b"%d" % number)
    server.hold.set()
    while link.wants_write:
        assert select.select([], [link], [], PATIENCE_S)[1]
        link.flush()
    link.abort()
    assert server.hung_up.acquire(timeout=PATIENCE_S)
    assert unmasked(bytes(server.received)).replace(b"x", b"") == b"9999"


def test_a_peer_that_reads_nothing_is_given_up_before_memory_is(server: FeedServer) -> None:
    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome())
        server.stay(peer)

    server.scripts.append(script)
    link = opened(server)

    def send_on() -> None:
        while True:
            link.send_text("x" * 9_000)

    with pytest.raises(NetworkError, match="the peer reads nothing"):
        send_on()
    link.abort()


# --- the end --------------------------------------------------------------------------------------


def test_closing_sends_a_close_frame_and_returns_what_still_came(server: FeedServer) -> None:
    late = encode_frame(Opcode.BINARY, b"late packet") + encode_close(1000)

    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome())
        server.received += peer.recv(100)
        peer.sendall(late)

    server.scripts.append(script)
    link = opened(server)
    assert link.close(1001, linger_s=PATIENCE_S) == late
    assert unmasked(bytes(server.received)) == struct.pack(">H", 1001)
    assert link.fileno() == -1


def test_a_peer_that_does_not_hang_up_is_not_waited_for(server: FeedServer) -> None:
    server.opens()
    link = opened(server)
    began_s = time.monotonic()
    assert link.close(1000, linger_s=0.05) == b""
    assert 0.05 <= time.monotonic() - began_s < PATIENCE_S / 2


def test_a_peer_that_never_stops_talking_is_not_listened_to_for_ever(server: FeedServer) -> None:
    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome())
        while True:
            peer.sendall(encode_frame(Opcode.TEXT, b"pong"))

    server.scripts.append(script)
    link = opened(server)
    began_s = time.monotonic()
    assert FrameReader().read(link.close(1000, linger_s=0.05))[1][0] == Text("pong")
    assert time.monotonic() - began_s < PATIENCE_S / 2


def test_of_a_peer_that_floods_the_close_only_so_much_is_read(
    server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "AFTER_CLOSE_BYTES", 1 << 20)

    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome())
        while True:
            peer.sendall(bytes(1 << 20))

    server.scripts.append(script)
    link = opened(server)
    began_s = time.monotonic()
    late = link.close(1000, linger_s=PATIENCE_S)
    assert 1 << 20 <= len(late) < (1 << 20) + DRAIN_BYTES
    assert time.monotonic() - began_s < PATIENCE_S / 2


def test_closing_after_the_peer_hung_up_still_returns_what_it_sent(server: FeedServer) -> None:
    last = encode_frame(Opcode.BINARY, b"the last packet")

    def script(peer: socket.socket) -> None:
        peer.sendall(server.welcome() + last)

    server.scripts.append(script)
    link = opened(server)
    deadline_s = time.monotonic() + PATIENCE_S
    while True:  # until the kernel knows that nobody takes what we send
        try:
            link.send_text("ping")
        except NetworkError:
            break
        assert time.monotonic() < deadline_s
    assert link.close(1000, linger_s=PATIENCE_S) in {last, b""}
    assert link.fileno() == -1


def test_aborting_twice_is_harmless(server: FeedServer) -> None:
    server.opens()
    link = opened(server)
    link.abort()
    link.abort()
    assert server.hung_up.acquire(timeout=PATIENCE_S)
