"""What a hostile or broken feed server may do to a client, each as a function of one connection.

`ATTACKS` has all of them by name. An attack ends when it is done or when the client has hung up;
none takes longer than `PATIENCE_S`. To add one: write it, with `@attack`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import random
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat

from ticks.adapter.wire.frames import Opcode, encode_close, encode_frame

PATIENCE_S = 1.0
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TOKENS = ("99926000", "2885")
"""Of the simulator's NIFTY and RELIANCE, the instruments that are subscribed."""
_ERROR_KEYS = ("correlationID", "errorCode", "errorMessage")


class Peer:
    """One client: its socket, and its request, which has been read."""

    def __init__(self, sock: socket.socket, request: bytes, draw: random.Random) -> None:
        self.sock = sock
        self.request = request
        self.draw = draw
        self.end_s = time.monotonic() + PATIENCE_S

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.sock.sendall(piece)

    def flood(self, pieces: Iterator[bytes]) -> None:
        """Send at full speed until the time is up or the client has hung up; read nothing."""
        for piece in pieces:
            if time.monotonic() > self.end_s:
                return
            self.sock.sendall(piece)

    def drip(self, data: bytes, apart_s: float) -> None:
        for at in range(len(data)):
            self.sock.sendall(data[at : at + 1])
            time.sleep(apart_s)

    def listen(self) -> None:
        """Take what the client sends until it hangs up."""
        self.sock.settimeout(max(0.01, self.end_s - time.monotonic()))
        while self.sock.recv(65536):
            pass

    def accept(self, *headers: str) -> None:
        """The right answer to the handshake, with `headers` besides."""
        key = next(
            line.split(b": ")[1]
            for line in self.request.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key")
        )
        digest = hashlib.sha1(key + _GUID.encode(), usedforsecurity=False).digest()
        lines = [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}",
            *headers,
        ]
        self.send("".join(f"{line}\r\n" for line in (*lines, "")).encode())


Attack = Callable[[Peer], None]
ATTACKS: dict[str, Attack] = {}
BARE_ATTACKS: set[Attack] = set()
"""Those that begin before TLS and before the client's request."""


def attack(function: Attack) -> Attack:
    ATTACKS[function.__name__] = function
    return function


def after_handshake(function: Attack) -> Attack:
    """An attack on a link that is open."""

    def opened(peer: Peer) -> None:
        peer.accept()
        function(peer)

    ATTACKS[function.__name__] = opened
    return function


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return encode_frame(opcode, payload, fin=fin)


def quote(number: int, token: str = _TOKENS[0], price: int = 2_415_035) -> bytes:
    """A good quote packet, the `number`-th of its instrument."""
    now_ms = time.time_ns() // 1_000_000
    head = struct.pack("<BB25sqqq", 2, 1, token.encode(), number, now_ms, price)
    return head + struct.pack("<qqqddqqqq", 1, price, 100, 1.0, 1.0, price, price, price, price)


def serve_well(peer: Peer, sequences: Iterable[int]) -> None:
    """A feed as it should be: a tick for each number, the last again and again until its time is
    up or the client leaves."""
    peer.accept()
    last = 0
    for last in sequences:
        peer.send(frame(Opcode.BINARY, quote(last)))
    peer.sock.settimeout(0.1)
    while time.monotonic() < peer.end_s:
        peer.send(frame(Opcode.BINARY, quote(last)))
        with contextlib.suppress(TimeoutError):
            if not peer.sock.recv(65536):
                return


# --- handshakes -----------------------------------------------------------------------------------


@attack
def hang_up(peer: Peer) -> None:
    """At once, without a word."""


@attack
def reset(peer: Peer) -> None:
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@attack
def noise(peer: Peer) -> None:
    peer.send(peer.draw.randbytes(65_536))


@attack
def half_a_status_line(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 10")


@attack
def a_line_without_end(peer: Peer) -> None:
    peer.flood(repeat(b"x" * 65_536))


@attack
def a_header_line_without_end(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 101 Switching Protocols\r\nx-header: ")
    peer.flood(repeat(b"x" * 65_536))


@attack
def headers_without_end(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 101 Switching Protocols\r\n")
    lines = (b"".join(b"h%d-%d: x\r\n" % (n, m) for m in range(1_000)) for n in range(10**6))
    peer.flood(lines)


@attack
def continue_without_end(peer: Peer) -> None:
    peer.flood(repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000))


def _answers(*heads: bytes, body: bytes = b"") -> Attack:
    def answer(peer: Peer) -> None:
        peer.send(b"\r\n".join((*heads, b"", body)))
        peer.listen()

    return answer


ATTACKS |= {
    "success_without_a_websocket": _answers(b"HTTP/1.1 200 OK", body=b"<html>"),
    "no_answer_key": _answers(b"HTTP/1.1 101 X", b"Upgrade: websocket", b"Connection: Upgrade"),
    "a_redirect": _answers(b"HTTP/1.1 302 Found", b"Location: ws://127.0.0.1:9/steal"),
    "a_redirect_to_itself": _answers(b"HTTP/1.1 301 X", b"Location: /smart-stream"),
    "a_status_of_20_digits": _answers(b"HTTP/1.1 99999999999999999999 X"),
    "a_status_of_5000_digits": _answers(b"HTTP/1.1 " + b"9" * 5_000 + b" X"),
    "a_status_of_words": _answers(b"HTTP/1.1 one hundred X"),
    "a_body_of_an_exabyte": _answers(b"HTTP/1.1 503 X", b"Content-Length: " + b"9" * 18),
    "a_body_of_negative_size": _answers(b"HTTP/1.1 503 X", b"Content-Length: -1"),
    "a_body_of_5000_digits": _answers(b"HTTP/1.1 500 X", b"Content-Length: " + b"9" * 5_000),
    "a_cookie_of_a_megabyte": _answers(b"HTTP/1.1 503 X", b"Set-Cookie: a=" + b"x" * (1 << 20)),
    "words_that_move_a_cursor": _answers(
        b"HTTP/1.1 503 \x1b[2J\x1b]0;owned\x07",
        b"x-error-message: \x1b[31m\x9b2J\r\x08" + b"y" * 9_999,
    ),
    "headers_of_bytes": _answers(b"HTTP/1.1 503 X", b"x-error-message: \xff\0", b"\x80: \x80"),
    "another_http": _answers(b"HTTP/0.9 hello"),
    "an_echo_of_the_tokens": lambda peer: peer.send(
        b"HTTP/1.1 503 X\r\nx-error-message: "
        + peer.request.replace(b"\r\n", b" ")
        + b"\r\nContent-Length: 0\r\n\r\n"
    ),
}


@attack
def an_extension_that_nobody_asked_for(peer: Peer) -> None:
    peer.accept("Sec-WebSocket-Extensions: permessage-deflate")
    peer.send(b"\xc2\x05hello")


@attack
def a_protocol_that_nobody_asked_for(peer: Peer) -> None:
    peer.accept("Sec-WebSocket-Protocol: chat")
    peer.send(frame(Opcode.BINARY, b"hello"))


# --- frames ---------------------------------------------------------------------------------------


def _sends(*pieces: bytes) -> Attack:
    def send(peer: Peer) -> None:
        peer.accept()
        peer.send(*pieces)
        peer.listen()

    return send


ATTACKS |= {
    "reserved_bits": _sends(b"\xf2\x01x"),
    "a_reserved_opcode": _sends(b"\x83\x01x"),
    "a_reserved_control_opcode": _sends(b"\x8b\x00"),
    "a_masked_frame": _sends(b"\x82\x81abcdx"),
    "a_control_frame_in_fragments": _sends(b"\x09\x00"),
    "a_long_ping": _sends(b"\x89\x7e\x00\x7e" + bytes(126)),
    "a_length_in_too_many_bytes": _sends(b"\x82\x7e\x00\x05hello"),
    "a_length_in_far_too_many_bytes": _sends(b"\x82\x7f" + (5).to_bytes(8, "big") + b"hello"),
    "a_length_with_its_highest_bit": _sends(b"\x82\x7f" + b"\xff" * 8),
    "a_frame_of_a_terabyte": _sends(b"\x82\x7f" + (1 << 40).to_bytes(8, "big") + b"x"),
    "a_message_just_too_large": _sends(b"\x82\x7f" + (65_537).to_bytes(8, "big") + bytes(65_537)),
    "a_continuation_of_nothing": _sends(b"\x80\x01x"),
    "a_message_in_a_message": _sends(b"\x02\x01x\x82\x01y"),
    "text_that_is_none": _sends(b"\x81\x02\xc3\x28"),
    "a_close_with_half_a_code": _sends(b"\x88\x01\x03"),
    "a_close_with_a_forbidden_code": _sends(b"\x88\x02\x03\xed"),
    "a_close_with_a_reason_that_is_no_text": _sends(b"\x88\x04\x03\xe8\xc3\x28"),
    "a_close_with_words_that_move_a_cursor": _sends(encode_close(4000, "\x1b[2J\r" + "x" * 100)),
    "data_after_the_close": _sends(encode_close(1000), frame(Opcode.BINARY, quote(1))),
    "packets_of_all_sizes": _sends(*(frame(Opcode.BINARY, bytes(size)) for size in range(400))),
    "json_that_is_nested": _sends(frame(Opcode.TEXT, b"[" * 60_000)),
    "json_with_a_number_of_5000_digits": _sends(
        frame(Opcode.TEXT, b'{"errorCode":%s}' % (b"9" * 5_000))
    ),
    "json_with_half_a_letter": _sends(frame(Opcode.TEXT, b'{"errorCode":"\\ud800"}')),
    "errors_of_all_kinds": _sends(
        *(
            frame(Opcode.TEXT, json.dumps(dict.fromkeys(_ERROR_KEYS, odd)).encode())
            for odd in ([], {}, 0, 1.5, True, None, "", "\x1b[2J", "s1quote\0", [[[["x"]]]])
        )
    ),
}


@after_handshake
def a_frame_cut_in_the_middle(peer: Peer) -> None:
    peer.send(frame(Opcode.BINARY, quote(1))[:50])


@after_handshake
def half_a_close(peer: Peer) -> None:
    """It sends no more, and still reads."""
    peer.sock.shutdown(socket.SHUT_WR)
    peer.listen()


@after_handshake
def a_frame_by_single_bytes(peer: Peer) -> None:
    for number in range(20):
        peer.drip(frame(Opcode.BINARY, quote(number)), 0.0001)


@after_handshake
def a_message_that_never_ends(peer: Peer) -> None:
    peer.send(frame(Opcode.BINARY, b"", fin=False))
    peer.flood(repeat(frame(Opcode.CONTINUATION, b"", fin=False) * 10_000))


@after_handshake
def a_message_that_grows(peer: Peer) -> None:
    peer.send(frame(Opcode.BINARY, b"", fin=False))
    peer.flood(repeat(frame(Opcode.CONTINUATION, bytes(1000), fin=False)))


@after_handshake
def mutated_frames(peer: Peer) -> None:
    good = b"".join(frame(Opcode.BINARY, quote(number)) for number in range(50))
    for _ in range(20):
        bad = bytearray(good)
        for _ in range(3):
            bad[peer.draw.randrange(len(bad))] = peer.draw.randrange(256)
        peer.send(bytes(bad))
    peer.listen()


# --- values ---------------------------------------------------------------------------------------


@after_handshake
def numbers_at_their_ends(peer: Peer) -> None:
    ends = (-(1 << 63), -1, 0, 1, (1 << 63) - 1)
    for end in ends:
        head = struct.pack("<BB25sqqq", 2, 1, _TOKENS[0].encode(), end, end, end)
        for double in (float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1.7e308):
            tail = struct.pack("<qqqddqqqq", end, end, end, double, double, end, end, end, end)
            peer.send(frame(Opcode.BINARY, head + tail))
    peer.listen()


@after_handshake
def tokens_of_strangers(peer: Peer) -> None:
    names = (f"{peer.draw.randrange(10**12)}" for _ in range(10**9))
    peer.flood(
        b"".join(frame(Opcode.BINARY, quote(1, next(names))) for _ in range(100))
        for _ in range(10**9)
    )


@after_handshake
def tokens_that_are_no_text(peer: Peer) -> None:
    for token in (b"\xff\xfe", b"a,b", b'"', b"a\nb", b"\x1b[2J", b"=1+1", b"\0" * 25, b"x" * 25):
        head = struct.pack("<BB25sqqq", 2, 1, token, 1, 1, 1)
        peer.send(frame(Opcode.BINARY, head + bytes(72)))
    peer.listen()


@after_handshake
def rubbish_after_the_token(peer: Peer) -> None:
    """Each packet has another head, and all are of one instrument."""

    def packets() -> Iterator[bytes]:
        number = 0
        while True:
            number += 1
            token = _TOKENS[0].encode() + b"\0" + number.to_bytes(8, "big")
            head = struct.pack("<BB25sqqq", 2, 1, token, number, 1, 1)
            yield frame(Opcode.BINARY, head + bytes(72))

    peer.flood(packets())


# --- floods ---------------------------------------------------------------------------------------


@after_handshake
def pings(peer: Peer) -> None:
    peer.flood(repeat(frame(Opcode.PING, b"x" * 125) * 500))


@after_handshake
def pongs(peer: Peer) -> None:
    peer.flood(repeat(frame(Opcode.PONG, b"x" * 125) * 500))


@after_handshake
def empty_messages(peer: Peer) -> None:
    peer.flood(repeat(frame(Opcode.BINARY) * 30_000))


@after_handshake
def packets_of_rubbish(peer: Peer) -> None:
    peer.flood(repeat(frame(Opcode.BINARY, peer.draw.randbytes(200)) * 300))


@after_handshake
def large_errors(peer: Peer) -> None:
    words = json.dumps({"errorCode": "E1001", "errorMessage": "x" * 60_000}).encode()
    peer.flood(repeat(frame(Opcode.TEXT, words)))


@after_handshake
def small_errors(peer: Peer) -> None:
    words = json.dumps({"errorCode": "E1001", "errorMessage": "no"}).encode()
    peer.flood(repeat(frame(Opcode.TEXT, words) * 500))


@after_handshake
def after_the_clients_close(peer: Peer) -> None:
    """At full speed once the client has said good-bye."""
    peer.send(b"\x83\x01x")  # makes it close
    peer.flood(repeat(frame(Opcode.BINARY, quote(1)) * 300))


@after_handshake
def small_frames_after_the_clients_close(peer: Peer) -> None:
    peer.send(b"\x83\x01x")
    peer.flood(repeat(frame(Opcode.TEXT) * 30_000))
