"""The state of a stream at one moment: what a dashboard draws, and other processes read.

A snapshot holds values (aware datetimes, seconds, phases, counts, exact decimals); the text for
people is made where it is shown. As JSON its times are ISO 8601 in India, its prices text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from .events import CONVERTING, LogEntry
from .feed.lifecycle import Phase
from .market.evidence import MarketState
from .quotes import ChainSnapshot, InstrumentSnapshot, StrikeSnapshot
from .selection import TYPED

__all__ = [
    "ChainSnapshot",
    "ConnectionSnapshot",
    "FeedSnapshot",
    "InstrumentSnapshot",
    "MarketSnapshot",
    "OutputSnapshot",
    "StrikeSnapshot",
    "client_digest",
]


@dataclass(frozen=True, slots=True)
class ConnectionSnapshot:
    """One connection; seconds end in `_s`. `next_try_s` None: no wait is running. `attempts` and
    `episodes` (losses that needed attempts) are those of the whole run, `attempt` is the present
    one."""

    number: int
    phase: Phase
    is_quiet: bool
    instruments: int
    attempt: int
    max_attempts: int | None
    delay_s: float
    next_try_s: float | None
    silence_s: float
    reconnects: int
    blind_s: float
    last_cause: str
    ticks: int
    uncertain_s: float = 0.0
    attempts: int = 0
    episodes: int = 0


@dataclass(frozen=True, slots=True)
class MarketSnapshot:
    """One exchange segment (market/state.py). `newest` is its newest exchange time, None: none.
    `silence_limit_s`: how long its silence may last, None where the policy says. `closes_at`: the
    end of the session that the calendar knows to run, None where it knows of none."""

    exchange: str
    state: MarketState
    newest: datetime | None
    silence_limit_s: float | None = None
    closes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutputSnapshot:
    """Where ticks go: name, whole rows and bytes written. `is_left`: its reader has gone, or it
    failed; nothing more is written to it."""

    name: str
    rows: int
    bytes_written: int
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class FeedSnapshot:
    """The whole stream at one moment.

    `phase` is the worst of the connections'; `silence_s` the longest. Rates are ticks a second,
    `rates` one a second of the last minute, oldest first. Latency is from the socket to the flushed
    outputs in the last minute, None where nothing was written. `session_expires_at` is None while
    it is not known, `market_opens_at` while the market is open. `instruments` holds the most
    active; `instruments_total` counts all, `never_ticked` those without a tick since they were
    subscribed. `uncertain_s`: seconds in which the feed answered and nothing moved; `foreign`:
    packets that nobody subscribed to; `names_skipped`: names of watch lists that mean no
    instrument.

    `recent_...` are counts of the last minute. `behind_s` is the age of the oldest tick that is not
    written yet, `slow_output` the output that is being waited for. `login_wait_s`: until the next
    TOTP code is sent, None where none is waited for. `feed` is the broker's address, `client` a
    digest of the client code ("" while it is not known): by them other processes see whose stream
    it is.
    """

    at: datetime
    started_at: datetime
    uptime_s: float
    phase: Phase
    connections: tuple[ConnectionSnapshot, ...]
    ticks: int
    rate_now: float
    rate_mean: float
    rate_peak: float
    rates: tuple[float, ...]
    silence_s: float
    silence_after_s: float
    reconnects: int
    blind_s: float
    last_cause: str
    dropped: int
    malformed: int
    out_of_order: int
    duplicates: int
    buffered: int
    buffer_limit: int
    session_expires_at: datetime | None
    is_market_open: bool
    market_opens_at: datetime | None
    instruments: tuple[InstrumentSnapshot, ...]
    instruments_total: int
    never_ticked: int
    latency_p50_us: float | None = None
    latency_p99_us: float | None = None
    outputs: tuple[OutputSnapshot, ...] = ()
    uncertain_s: float = 0.0
    foreign: int = 0
    names_skipped: int = 0
    is_demo: bool = False
    attempts: int = 0
    recent_dropped: int = 0
    recent_malformed: int = 0
    recent_foreign: int = 0
    behind_s: float = 0.0
    slow_output: str = ""
    login_wait_s: float | None = None
    feed: str = ""
    client: str = ""
    market: tuple[MarketSnapshot, ...] = ()
    first_row: int = 0
    matching: int | None = None
    order: str = TYPED
    chains: tuple[ChainSnapshot, ...] = ()
    events: tuple[LogEntry, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """JSON values, as the status file and `--json` give them."""
        plain: dict[str, object] = msgspec.to_builtins(replace(self, events=()))
        return {**plain, "events": [entry.to_dict() for entry in self.events]}

    @classmethod
    def from_dict(cls, given: Mapping[str, object]) -> FeedSnapshot:
        """What `to_dict` gave, perhaps in another version of this program.

        Keys and events that are not known are ignored. Raises ValueError where a value is missing
        or of another type.
        """
        with CONVERTING:
            plain = msgspec.convert({**given, "events": ()}, cls)
        return replace(plain, events=tuple(_entries(given.get("events"))))


def _entries(given: object) -> list[LogEntry]:
    if not isinstance(given, list):
        raise ValueError("events: not a list")
    entries = [LogEntry.from_dict(each) for each in given]
    return [entry for entry in entries if entry is not None]


def client_digest(client_code: str) -> str:
    """Identifies the streams of an account to other processes, without the code itself."""
    return hashlib.sha256(client_code.encode()).hexdigest()[:16]
