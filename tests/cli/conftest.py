"""Snapshots of a made-up feed, and a terminal of paper to draw them on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.snapshot import (
    ConnectionSnapshot,
    FeedSnapshot,
    InstrumentSnapshot,
    OutputSnapshot,
)

CONNECTION = ConnectionSnapshot(
    number=1,
    phase=Phase.LIVE,
    is_quiet=False,
    instruments=4,
    attempt=0,
    max_attempts=3,
    delay_s=0.0,
    next_try_s=None,
    silence_s=0.2,
    reconnects=0,
    blind_s=0.0,
    last_cause="",
    ticks=6_204,
)
NIFTY, RELIANCE, SBIN = Decimal("24150.35"), Decimal("1402.10"), Decimal("801.00")
INSTRUMENTS = (
    InstrumentSnapshot("NSE", "Nifty 50", "99926000", NIFTY, 0.4213, 0, 3_120, 0.12),
    InstrumentSnapshot("NSE", "RELIANCE-EQ", "2885", RELIANCE, -1.2, 12_345_678, 2_044, 2.14),
    InstrumentSnapshot("NSE", "SBIN-EQ", "3045", SBIN, -0.001, 4_020_118, 1_040, 44.7),
    InstrumentSnapshot("NFO", "NIFTY24NOV2624400CE", "43854", Decimal("118.25"), -4.2, 75, 3, 9.0),
)
LIVE = FeedSnapshot(
    at=datetime(2026, 11, 20, 9, 27, 42, 123_000, IST),
    started_at=datetime(2026, 11, 20, 9, 15, tzinfo=IST),
    uptime_s=762.1,
    phase=Phase.LIVE,
    connections=(CONNECTION,),
    ticks=6_204,
    rate_now=12.0,
    rate_mean=8.14,
    rate_peak=19.0,
    rates=tuple(float(second * 7 % 20) for second in range(60)),
    silence_s=0.2,
    silence_after_s=30.0,
    reconnects=0,
    blind_s=0.0,
    last_cause="",
    dropped=0,
    malformed=0,
    out_of_order=0,
    duplicates=0,
    buffered=3,
    buffer_limit=100_000,
    latency_p50_us=65.0,
    latency_p99_us=1210.0,
    session_expires_at=datetime(2026, 11, 21, tzinfo=IST),
    is_market_open=True,
    market_opens_at=None,
    instruments=INSTRUMENTS,
    instruments_total=4,
    never_ticked=0,
    outputs=(OutputSnapshot("out.csv", 6_201, 941_223),),
)


@pytest.fixture(scope="session")
def live() -> FeedSnapshot:
    """A feed that is well: one connection, four instruments."""
    return LIVE


@pytest.fixture(scope="session")
def partial() -> FeedSnapshot:
    """The same, but that one instrument never ticked."""
    never = InstrumentSnapshot("NFO", "NIFTY24NOV2624400CE", "43854")
    return replace(LIVE, instruments=(*INSTRUMENTS[:3], never), never_ticked=1)


@pytest.fixture(scope="session")
def losing() -> FeedSnapshot:
    """A feed that is well, and an output that is not read fast enough."""
    return replace(
        LIVE,
        outputs=(OutputSnapshot("stdout", 6_201, 941_223),),
        buffered=100_000,
        dropped=93_015,
        recent_dropped=93_015,
        behind_s=2.1,
        slow_output="stdout",
    )


@pytest.fixture(scope="session")
def silent() -> FeedSnapshot:
    """The same, 21.4 s after its last tick."""
    connection = replace(CONNECTION, silence_s=21.4)
    return replace(LIVE, connections=(connection,), silence_s=21.4, rate_now=0.0)


@pytest.fixture(scope="session")
def waiting() -> FeedSnapshot:
    """The same, about to reconnect for the second time."""
    connection = replace(
        CONNECTION,
        phase=Phase.WAITING,
        attempt=2,
        delay_s=4.1,
        next_try_s=3.2,
        blind_s=37.5,
        last_cause="silence",
    )
    return replace(
        LIVE,
        phase=Phase.WAITING,
        connections=(connection,),
        silence_s=0.0,
        rate_now=0.0,
        blind_s=37.5,
        last_cause="silence",
    )


@pytest.fixture(scope="session")
def lost(waiting: FeedSnapshot) -> FeedSnapshot:
    """The same, given up."""
    connection = replace(waiting.connections[0], phase=Phase.LOST, attempt=3, next_try_s=None)
    return replace(waiting, phase=Phase.LOST, connections=(connection,), blind_s=61.8)


@pytest.fixture(scope="session")
def crowded(live: FeedSnapshot) -> FeedSnapshot:
    """2,500 instruments over three connections, the third of which reconnects."""
    connections = tuple(
        replace(CONNECTION, number=number, instruments=units, ticks=units * 700)
        for number, units in ((1, 1000), (2, 1000), (3, 500))
    )
    third = replace(
        connections[2],
        phase=Phase.WAITING,
        attempt=1,
        delay_s=1.0,
        next_try_s=0.4,
        blind_s=0.6,
        last_cause="network",
    )
    instruments = tuple(
        replace(INSTRUMENTS[number % 3], symbol=f"SYMBOL{number}-EQ", ticks=9_000 - number)
        for number in range(100)
    )
    return replace(
        live,
        phase=Phase.WAITING,
        connections=(*connections[:2], third),
        ticks=1_750_000,
        rate_now=12_480.0,
        rate_mean=14_962.2,
        rate_peak=16_220.0,
        blind_s=0.6,
        last_cause="network",
        instruments=instruments,
        instruments_total=2_500,
        never_ticked=12,
        outputs=(*live.outputs, OutputSnapshot("ticks.jsonl.gz", 1_749_998, 90_112_000)),
    )


class PaperTerminal:
    """What a terminal shows of the text written to it, scroll-back included.

    Knows what `Screen` writes: CR, LF, cursor up, clearing, wrap on and off; other modes are noted
    in `modes` while they are on.
    """

    _CODE = re.compile(r"\x1b\[(\??)(\d*)([A-Za-z])")

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.rows: list[str] = [""]
        self.modes: set[str] = set()
        self._row = self._column = 0
        self._wraps = True

    def write(self, text: str) -> None:
        at = 0
        while at < len(text):
            code = self._CODE.match(text, at)
            if code is None:
                self._put(text[at])
                at += 1
                continue
            self._obey(code[1] + code[3], code[2])
            at = code.end()

    def _obey(self, code: str, number: str) -> None:
        if code in ("?h", "?l"):
            self._switch(number, is_on=code == "?h")
        elif code == "A":
            top = max(0, len(self.rows) - self.height)
            self._row = max(top, self._row - int(number or 1))
        elif code == "B":
            self._row = min(len(self.rows) - 1, self._row + int(number or 1))
        elif code == "K":
            self.rows[self._row] = self.rows[self._row][: self._column]
        elif code != "m":
            raise AssertionError(f"unknown code {code}")

    def _switch(self, number: str, *, is_on: bool) -> None:
        is_away_from_normal = is_on if number == "2026" else not is_on
        (self.modes.add if is_away_from_normal else self.modes.discard)(number)
        if number == "7":
            self._wraps = is_on

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row += 1
            if self._row == len(self.rows):
                self.rows.append("")
        else:
            if self._column == self.width:
                if not self._wraps:
                    return
                self._put("\r")
                self._put("\n")
            row = self.rows[self._row].ljust(self._column)
            self.rows[self._row] = row[: self._column] + character + row[self._column + 1 :]
            self._column += 1

    def narrow(self, width: int) -> None:
        """The window is made narrower: rows that are too long go on below, as most terminals do."""
        self.rows = [
            row[at : at + width] for row in self.rows for at in range(0, max(1, len(row)), width)
        ]
        self.width, self._row = width, len(self.rows) - 1

    @property
    def shown(self) -> list[str]:
        return [row.rstrip() for row in self.rows]


@pytest.fixture
def paper() -> Callable[[int, int], PaperTerminal]:
    """Makes terminals of paper."""
    return PaperTerminal
