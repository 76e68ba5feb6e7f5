"""A feed at a steady rate, in a process of its own: what a market sends, not a flood.

    python benchmarks/paced_feed.py --rate 3000 --instruments 1000

prints its port and serves any number of connections at once. From the first subscription on it
sends `rate` QUOTE packets a second in all, in slots of half a millisecond, so that one or a few
packets share a segment, each to the connections that subscribed its token. The sequence number of
a packet is the sender's monotonic clock in ns: who reads the row knows how long it took.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import struct
import time

from blaster import shake_hands, unique_packets

from ticks.adapter.tick import Mode
from ticks.adapter.wire.frames import MASKED, Opcode, encode_frame

SLOT_S = 0.0005
SEQUENCE_AT = 27
HOST = ("127.0.0.1", 0)
FIRST_TOKEN = 5_000_001
"""The simulator's made-up shares (SIM00001-EQ ...) begin here."""


def tokens_of(instruments: int) -> list[str]:
    """The tokens of the made-up shares."""
    return [str(FIRST_TOKEN + n) for n in range(instruments)]


class Client:
    """One connection, and what it subscribed to."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.tokens: set[str] = set()
        self._unread = b""

    def read(self) -> bool:
        """Take in what the client says; False when it has gone."""
        try:
            data = self.sock.recv(65_536)
        except OSError:
            return False
        self._unread += data
        while len(self._unread) >= 2:
            size, start = self._unread[1] & ~MASKED, 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                size = int.from_bytes(self._unread[2 : 2 + wide], "big")
                start += wide
            if len(self._unread) < start + 4 + size:
                break
            mask = self._unread[start : start + 4]
            masked = self._unread[start + 4 : start + 4 + size]
            opcode = self._unread[0] & 0x0F
            self._unread = self._unread[start + 4 + size :]
            text = bytes(byte ^ mask[n % 4] for n, byte in enumerate(masked))
            self._heard(opcode, text)
        return bool(data)

    def _heard(self, opcode: int, payload: bytes) -> None:
        if opcode == Opcode.PING:
            self.sock.sendall(encode_frame(Opcode.PONG, payload))
        elif opcode == Opcode.TEXT and payload == b"ping":
            self.sock.sendall(encode_frame(Opcode.TEXT, b"pong"))
        elif opcode == Opcode.TEXT:
            request = json.loads(payload)
            for each in request["params"]["tokenList"]:
                self.tokens.update(each["tokens"])


class Feed:
    """The packets, and the clients that want them."""

    def __init__(self, rate: float, instruments: int) -> None:
        self._rate = rate
        self._tokens = tokens_of(instruments)
        unique = unique_packets(Mode.QUOTE, self._tokens, 4 * instruments)
        self._packets = [bytearray(packet) for packet in unique]
        self._header = encode_frame(Opcode.BINARY, bytes(self._packets[0]))[:2]
        self._clients: list[Client] = []
        self._sent = 0
        self._owed = 0.0
        self._paid_at_s = 0.0

    def serve(self) -> None:
        """Serve until killed."""
        with selectors.DefaultSelector() as selector, socket.create_server(HOST) as server:
            selector.register(server, selectors.EVENT_READ)
            print(server.getsockname()[1], flush=True)
            while True:
                began_s = time.monotonic()
                for key, _ in selector.select(0):
                    if key.fileobj is server:
                        self._accept(server, selector)
                    elif not key.data.read():
                        selector.unregister(key.fileobj)
                        self._clients.remove(key.data)
                        key.data.sock.close()
                self._send_what_is_due()
                time.sleep(max(0.0, SLOT_S - (time.monotonic() - began_s)))

    def _accept(self, server: socket.socket, selector: selectors.BaseSelector) -> None:
        sock, _ = server.accept()
        shake_hands(sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients.append(Client(sock))
        selector.register(sock, selectors.EVENT_READ, self._clients[-1])

    def _send_what_is_due(self) -> None:
        now_s = time.monotonic()
        is_wanted = any(client.tokens for client in self._clients)
        self._owed = self._owed + (now_s - self._paid_at_s) * self._rate if is_wanted else 0.0
        self._paid_at_s = now_s
        out: dict[Client, bytes] = {}
        while self._owed >= 1:
            self._owed -= 1
            packet = self._packets[self._sent % len(self._packets)]
            token = self._tokens[self._sent % len(self._tokens)]
            self._sent += 1
            exchange_ms = int(time.time()) * 1000  # a market that is open: whole seconds, of now
            struct.pack_into("<qq", packet, SEQUENCE_AT, time.monotonic_ns(), exchange_ms)
            for client in self._clients:
                if token in client.tokens:
                    out[client] = out.get(client, b"") + self._header + packet
        for client, data in out.items():
            try:
                client.sock.sendall(data)
            except OSError:
                client.tokens.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=3000.0)
    parser.add_argument("--instruments", type=int, default=1000)
    asked = parser.parse_args()
    Feed(asked.rate, asked.instruments).serve()


if __name__ == "__main__":
    main()
