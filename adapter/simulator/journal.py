"""What a simulator sent and received, with times, for a test to compare with a client's report.

Times come in pairs: `at_s` on the monotonic clock (`time.monotonic`, comparable in one process)
and `wall_ns` since the epoch. The simulator's thread writes, any thread reads: lists only grow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from .faults import Fault


class Timestamp(NamedTuple):
    """One instant on both clocks."""

    at_s: float
    wall_ns: int

    @classmethod
    def now(cls) -> Timestamp:
        return cls(time.monotonic(), time.time_ns())


class RestCall(NamedTuple):
    """One REST request; `call` is login, refresh, profile, logout, instruments or the path.

    `code` is the broker's error code in the reply, "" for success.
    """

    moment: Timestamp
    call: str
    status: int
    code: str
    headers: dict[str, str]
    body: bytes


class Handshake(NamedTuple):
    """One feed handshake: 101, or the refusal's status with its `x-error-message`."""

    moment: Timestamp
    status: int
    message: str
    headers: dict[str, str]


class SentPacket(NamedTuple):
    """One packet that was put on a socket."""

    wall_ns: int
    packet: bytes


@dataclass(slots=True, eq=False)
class Span:
    """The time for which a fault (silence, stall, ...) held a connection; None while it lasts."""

    what: str
    begun: Timestamp
    ended: Timestamp | None = None


class Injection(NamedTuple):
    """A fault that happened, and the numbers of the connections that it affected."""

    moment: Timestamp
    fault: Fault
    connections: tuple[int, ...]


@dataclass(slots=True, eq=False)
class ConnectionLog:
    """The life of one feed connection.

    `packet_count` counts what was put on the socket; `packets` holds it where packets are kept.
    `texts` are the text messages of the client but its pings, `errors` the error codes answered,
    `spans` the times for which faults held it. `client_code` is the account's.
    `ended_by` is "" while it is open, then `client` (close frame), `server` (we closed), `lost` (no
    close frame came) or `dropped` (we reset it); `close_code` is the client's or ours.
    """

    number: int
    opened: Timestamp
    client_code: str = ""
    packet_count: int = 0
    packets: list[SentPacket] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ping_count: int = 0
    units: int = 0
    spans: list[Span] = field(default_factory=list)
    closed: Timestamp | None = None
    ended_by: str = ""
    close_code: int | None = None

    @property
    def is_open(self) -> bool:
        return self.closed is None


class Journal:
    """Everything that happened since the simulator was made."""

    def __init__(self, *, keep_packets: bool) -> None:
        self.keep_packets = keep_packets
        self.calls: list[RestCall] = []
        self.handshakes: list[Handshake] = []
        self.connections: list[ConnectionLog] = []
        self.injections: list[Injection] = []
        self._changed = threading.Condition()

    def count(self, call: str, code: str = "") -> int:
        """How many REST calls of that name ended with that code ("" is success)."""
        return sum(1 for each in self.calls if (each.call, each.code) == (call, code))

    @property
    def logins(self) -> int:
        """Successful logins."""
        return self.count("login")

    @property
    def refreshes(self) -> int:
        """Successful refreshes."""
        return self.count("refresh")

    @property
    def packet_count(self) -> int:
        """Packets put on all sockets so far."""
        return sum(each.packet_count for each in self.connections)

    def open_connections(self, client_code: str | None = None) -> list[ConnectionLog]:
        """The feed connections that are open now, oldest first; of one account, or of all."""
        return [
            each
            for each in self.connections
            if each.is_open and client_code in (None, each.client_code)
        ]

    def changed(self) -> None:
        """Wake the threads in `wait_until`."""
        with self._changed:
            self._changed.notify_all()

    def wait_until(self, is_true: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Wait until `is_true()`, checked after each change; False when time is up."""
        with self._changed:
            return self._changed.wait_for(is_true, timeout_s)
