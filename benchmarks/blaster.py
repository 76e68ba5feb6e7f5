"""A feed that sends as fast as it is read: unique packets, framed ahead, from a process of its own.

    python benchmarks/blaster.py --mode quote --packets 300000

prints its port, shakes hands with every client that comes, one after the other, waits for the
first subscription and then sends every packet once. `unique_packets` makes the same packets for
whoever wants to compare them with rows.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import random
import socket
from collections.abc import Iterator

from ticks.adapter.tick import Mode
from ticks.adapter.wire.frames import Opcode, encode_frame
from ticks.adapter.wire.packet import BEST_FIVE, LAYOUTS

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BLOCK_BYTES = 1 << 16
FIRST_TIME_MS = 1_763_610_300_000


def unique_packets(mode: Mode, tokens: list[str], count: int) -> Iterator[bytes]:
    """`count` packets of NSE `tokens` in turn, each unlike every other, as a busy market moves."""
    draw = random.Random(20_261_123)
    pack = LAYOUTS[mode].pack
    encoded = [token.encode() for token in tokens]
    prices = [draw.randrange(10_000, 400_000) for _ in tokens]
    opened = [(p, p + 2_000, p - 2_000, p - 150) for p in prices]
    volumes = [0] * len(tokens)
    for number in range(count):
        which = number % len(tokens)
        prices[which] = price = prices[which] + draw.choice((-10, -5, 0, 5, 10))
        quantity = 1 + draw.randrange(500)
        volumes[which] += quantity
        values: list[object] = [mode, 1, encoded[which], number + 1]
        values += [FIRST_TIME_MS + number // 5_000 * 1000, price]
        if mode >= Mode.QUOTE:
            values += [quantity, price - draw.randrange(300), volumes[which]]
            values += [float(draw.randrange(900_000)), float(draw.randrange(900_000))]
            values += opened[which]
        if mode is Mode.SNAP:
            levels: list[int] = []
            for flag, step in ((1, -5), (0, 5)):
                for level in range(1, 6):
                    levels += [
                        flag,
                        1 + draw.randrange(5000),
                        price + step * level,
                        1 + draw.randrange(40),
                    ]
            values += [FIRST_TIME_MS // 1000 + number // 5_000, 1_000_000 + number, 0.25]
            values += [BEST_FIVE.pack(*levels), price * 11 // 10, price * 9 // 10]
            values += [price * 2, price // 2]
        yield pack(*values)


def framed_blocks(packets: Iterator[bytes]) -> list[bytes]:
    """The packets as WebSocket frames, in blocks that one `send` takes."""
    blocks: list[bytes] = []
    frames: list[bytes] = []
    size = 0
    for packet in packets:
        frames.append(encode_frame(Opcode.BINARY, packet))
        size += len(frames[-1])
        if size >= BLOCK_BYTES:
            blocks.append(b"".join(frames))
            frames, size = [], 0
    return [*blocks, b"".join(frames)]


def serve(blocks: list[bytes]) -> None:
    """Clients one after the other, each from its handshake to its going."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            client, _ = server.accept()
            with client:
                shake_hands(client)
                client.recv(65_536)
                try:
                    for block in blocks:
                        client.sendall(block)
                    while client.recv(65_536):
                        pass
                except OSError:
                    continue


def shake_hands(client: socket.socket) -> None:
    """Answer an upgrade, whatever its headers say."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(65_536)
    headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
    key = next(value for name, value in headers.items() if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    client.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", default="quote", choices=["ltp", "quote", "snap"])
    parser.add_argument("--packets", type=int, default=300_000)
    parser.add_argument("tokens", nargs="+")
    asked = parser.parse_args()
    packets = unique_packets(Mode[asked.mode.upper()], asked.tokens, asked.packets)
    serve(framed_blocks(packets))


if __name__ == "__main__":
    main()
