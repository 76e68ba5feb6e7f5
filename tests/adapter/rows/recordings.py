"""Recordings to play with: small, and of every kind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from ticks.adapter.files.inputs import Input
from ticks.adapter.files.recording import RecordingReader
from ticks.adapter.rows.block import RowBlock
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.encode import CsvRows, JsonRows
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.packet import encode_packet

START_NS = 1_795_146_300_000_000_000
"""2026-11-20T09:15:00+05:30"""
SYMBOLS = {
    (1, "1"): "ONE-EQ",
    (1, "2"): "TWO-EQ",
    (1, "33"): 'three\n"lines", 33',
    (1, "99926000"): "Nifty 50",
}


def packet(number: int, token: str = "1", mode: Mode = Mode.LTP) -> bytes:
    """A packet whose sequence number is `number`."""
    tick = Tick(0, mode, 1, token, "", number, START_NS // 10**6 + number * 1000, 10_000 + number)
    if mode == Mode.QUOTE:
        tick = Tick(*tick[:8], 1, 2, number, 4.0, 5.0, 6, 7, 8, 9)
    return encode_packet(tick)


def csv_text(
    seconds: Iterable[float], token: str = "1", mode: Mode = Mode.LTP, header: bool = True
) -> bytes:
    """A CSV recording of ticks that came so many seconds after the start; also their numbers."""
    rows = CsvRows(mode, SYMBOLS)
    text = [rows.encode(START_NS + int(s * 10**9), [packet(int(s), token, mode)]) for s in seconds]
    return (csv_header(mode) if header else b"") + b"".join(text)


def json_text(seconds: Iterable[float], token: str = "1", mode: Mode = Mode.LTP) -> bytes:
    """The same as JSON lines."""
    rows = JsonRows(SYMBOLS)
    text = [rows.encode(START_NS + int(s * 10**9), [packet(int(s), token, mode)]) for s in seconds]
    return b"".join(text)


def blocks_of(path: Path, content: bytes) -> list[RowBlock]:
    """The rows that reading `content` gives."""
    path.write_bytes(content)

    def no_damage(name: str, line_number: int, reason: str) -> None:
        raise AssertionError((name, line_number, reason))

    blocks = RecordingReader(Input(str(path)), no_damage).blocks()
    return [block for block in blocks if block.count]


class VirtualTime:
    """A clock and a waker: a wait takes no time and moves the clock on."""

    def __init__(self) -> None:
        self.s = 1000.0
        self.waits: list[float] = []
        self.woken_after: int | None = None
        self.in_a_pause: Callable[[], None] | None = None
        """What happens while there is no end of a wait."""

    def now_s(self) -> float:
        return self.s

    def wall_ns(self) -> int:
        return int(self.s * 10**9)

    def wait(self, timeout_s: float | None) -> bool:
        if timeout_s is None:
            assert self.in_a_pause is not None
            self.in_a_pause()
            return True
        self.waits.append(timeout_s)
        self.s += timeout_s
        return False

    def wake(self) -> None:
        self.woken_after = len(self.waits)

    def clear(self) -> None:
        pass

    def fileno(self) -> int:
        raise AssertionError("only standard input is waited for")


class MemoryOutput:
    """Keeps what it is given; raises `fails` at a flush, once `fails` is set."""

    def __init__(self, clock: VirtualTime | None = None, *, is_rotating: bool = False) -> None:
        self.name = "memory"
        self.is_rotating = is_rotating
        self.rows = 0
        self.bytes_written = 0
        self.taken: list[tuple[bytes, int, int]] = []
        self.flushed_at: list[tuple[float, int]] = []
        self.is_finished = self.is_closed = False
        self.fails: Exception | None = None
        self.flushed = threading.Event()
        self._clock = clock or VirtualTime()
        self.begun: list[int] = []

    def begin(self, received_ns: int) -> None:
        self.begun.append(received_ns)

    def take_back(self, surplus: int) -> None:
        raise AssertionError("nothing was there before")

    @property
    def text(self) -> bytes:
        return b"".join(text for text, _, _ in self.taken)

    def take(self, text: bytes, rows: int, received_ns: int) -> None:
        self.taken.append((text, rows, received_ns))

    def flush(self) -> None:
        if self.fails is not None:
            raise self.fails
        rows = sum(rows for _, rows, _ in self.taken)
        if rows > self.rows:
            self.flushed_at.append((self._clock.now_s(), rows))
            self.rows = rows
            self.flushed.set()

    def finish(self) -> None:
        self.is_finished = True

    def close(self) -> None:
        self.flush()
        self.is_closed = True
