"""Days of one stream in virtual time: an exchange, a feed, and the evidence that watches them.

A `Day` scripts when each unit ticks, what the feed withholds, when the link is cut and how wrong
the user's clock is; `run` lives through it with the waits and attempts of a connection, and what
came of it (attempts, connects, events, blind and uncertain seconds) can be asked afterwards.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ticks.adapter.clock import IST
from ticks.adapter.market.announced import ANNOUNCED, Announced
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.market.clock import MarketClock
from ticks.adapter.market.evidence import UnitTimes
from ticks.adapter.market.hours import Kind, Segment, segments
from ticks.adapter.market.losses import Reason
from ticks.adapter.market.state import Demand, MarketWatch, Verdict

NS = 1_000_000_000
STEP_S = 0.5
MAX_ATTEMPTS = 3


def moment(text: str) -> float:
    """Seconds since the epoch of a time in India."""
    return datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()


def unlisted(*days: str) -> Announced:
    """The lists as somebody had them who did not know of these days."""
    gone = {datetime.fromisoformat(day).date() for day in days}
    return Announced(
        years=ANNOUNCED.years,
        equity={day: why for day, why in ANNOUNCED.equity.items() if day not in gone},
        currency={day: why for day, why in ANNOUNCED.currency.items() if day not in gone},
        commodity={day: why for day, why in ANNOUNCED.commodity.items() if day not in gone},
        estimated=ANNOUNCED.estimated,
        special=tuple(special for special in ANNOUNCED.special if special.day not in gone),
    )


class ScriptedUnit:
    """One unit: when it changes on the exchange. `spans` are (from, to, every so many seconds)."""

    def __init__(
        self,
        exchange_type: int,
        *spans: tuple[str, str, float],
        last: str = "",
        kind: Kind = Kind.ORDINARY,
    ) -> None:
        self.exchange_type = exchange_type
        self.kind = kind
        times = [moment(last)] if last else []
        for start, end, every_s in spans:
            at_s, end_s = moment(start), moment(end)
            while at_s <= end_s:
                times.append(at_s)
                at_s += every_s
        self.times = sorted(times)
        self.sent = 0

    def due(self, now_s: float) -> list[float]:
        """The changes up to now that were not sent yet."""
        upto = bisect_right(self.times, now_s)
        due, self.sent = self.times[self.sent : upto], upto
        return due

    def last_change(self, now_s: float) -> float | None:
        upto = bisect_right(self.times, now_s)
        return self.times[upto - 1] if upto else None


@dataclass
class Day:
    """A stream's day. Spans of time are texts ("2026-11-20 10:00", "2026-11-20 10:05")."""

    units: list[ScriptedUnit]
    start: str
    end: str
    calendar: MarketCalendar = field(default_factory=MarketCalendar)
    clock_error_s: float = 0.0
    date_offset_s: float = 0.0
    withheld: list[tuple[str, str]] = field(default_factory=list)
    """When the feed sends snapshots only: what changes is not sent."""
    withheld_of: int | None = None
    """The exchange type of which `withheld` speaks; None: all."""
    mute: list[tuple[str, str]] = field(default_factory=list)
    """When the feed sends nothing at all."""
    cut: list[tuple[str, str]] = field(default_factory=list)
    """When the link is down: it breaks at the start, connects fail until the end."""
    deaf_links: list[tuple[str, str]] = field(default_factory=list)
    """When a link that was made before the start gets nothing any more; a new one does."""
    silence_after_s: float = 30.0
    check_every_s: float = 10.0
    draw: float = 0.0
    keeps_trying: bool = False
    repeats_every_s: float = 0.0
    """The feed repeats its last packets so often; 0: never."""

    def __post_init__(self) -> None:
        self.now_s = moment(self.start)
        self.base_s = self.now_s - 1000.0
        self.watch = MarketWatch(
            self.calendar,
            silence_after_s=self.silence_after_s,
            clock=MarketClock(self.date_offset_s),
        )
        self.events: list[tuple[float, str, dict[str, object]]] = []
        self.attempt = self.connects = self.faults = self.probes = 0
        self.attempts_spent = 0
        self.lost_at_s: float | None = None
        self.opened_s: float | None = None
        self.has_news = False
        self.connect_at_s = self.now_s
        self.check_at_s = self.now_s
        self.states: list[tuple[float, dict[str, str]]] = []
        self.times = {
            id(unit): UnitTimes(self.watch.segment(unit.exchange_type, self.mono_s))
            for unit in self.units
        }
        wanted = segments((unit.exchange_type, unit.kind) for unit in self.units)
        self.watch.want({segment: self._count(segment) for segment in wanted}, self.mono_s)

    def _count(self, segment: Segment) -> int:
        return sum(unit.exchange_type == segment.exchange_type for unit in self.units)

    @property
    def mono_s(self) -> float:
        return self.now_s - self.base_s

    @property
    def wall_ns(self) -> int:
        return round((self.now_s + self.clock_error_s) * NS)

    def run(self) -> Day:
        """Live until the end, or until the attempts are used up."""
        end_s = moment(self.end)
        while self.now_s < end_s and self.lost_at_s is None:
            self._step()
            self.now_s = max(self.now_s + STEP_S, min(self._next_s(), end_s))
        return self

    def _next_s(self) -> float:
        """The step at which something happens next."""
        if self.repeats_every_s or self.opened_s is None:
            return self.now_s
        edges = [moment(edge) for spans in (self.cut, self.mute) for span in spans for edge in span]
        times = [unit.times[unit.sent] for unit in self.units if unit.sent < len(unit.times)]
        due_s = self.watch.due_s + self.base_s
        ahead = [at_s for at_s in (*edges, *times, due_s) if at_s > self.now_s]
        return math.floor(min([self.check_at_s, *ahead]) / STEP_S) * STEP_S

    def _step(self) -> None:
        if self.opened_s is None:
            if self.now_s >= self.connect_at_s:
                self._connect()
        elif self._is_in(self.cut):
            self._lose("network")
        if self.opened_s is not None:
            self._deliver()
        if self.now_s >= self.check_at_s or self.mono_s >= self.watch.due_s:
            self._check()
        self._take()

    def _connect(self) -> None:
        self.connects += 1
        if self._is_in(self.cut):
            self._lose("network")
            return
        self.opened_s = self.check_at_s = self.now_s
        self.watch.asked(self.mono_s)
        for unit in self.units:
            unit.due(self.now_s)
            last_s = unit.last_change(self.now_s)
            if last_s is not None and not self._is_in(self.mute):
                self._packet(unit, last_s)

    def _deliver(self) -> None:
        for unit in self.units:
            for at_s in unit.due(self.now_s):
                if not (self._is_withheld(unit) or self._is_in(self.mute) or self._is_deaf()):
                    self._packet(unit, at_s)
        if self.repeats_every_s and self.now_s % self.repeats_every_s == 0:
            for unit in self.units:
                self._packet(unit, unit.last_change(self.now_s) or 0)
        has_news, self.has_news = self.has_news, False
        if has_news and self.watch.look(self.mono_s, self.wall_ns) and self._is_stable():
            self.attempt = 0

    def _packet(self, unit: ScriptedUnit, changed_s: float) -> None:
        """What the tracker's loop does with a packet."""
        times, exchange_ms = self.times[id(unit)], int(changed_s) * 1000
        evidence = times.segment
        limit_ms = self.watch.limit_ms(self.mono_s, self.wall_ns)
        if exchange_ms > times.exchange_ms:
            if times.exchange_ms and exchange_ms <= limit_ms:
                times.exchange_ms = exchange_ms
                times.moves += 1
                evidence.live_ms = max(evidence.live_ms, exchange_ms)
            else:
                evidence.judge(times, exchange_ms, self.mono_s, limit_ms)
        self.has_news = True
        times.at_s = self.mono_s
        times.ticks += 1

    def _check(self) -> None:
        if self.now_s >= self.check_at_s:
            self.check_at_s = self.now_s + self.check_every_s
        verdict = self.watch.check(self.mono_s, self.wall_ns, self.draw)
        self.states.append((self.now_s, {s.exchange: s.state.value for s in self.watch.sights()}))
        if self.opened_s is None:
            return
        if verdict.is_resting and self._is_stable():
            self.attempt = 0
        if verdict.demand is Demand.FAULT:
            self._tell("silent", {"silence_s": verdict.silence_s, "is_mute": verdict.is_mute})
            self.faults += 1
            self._lose("silence")
        elif verdict.demand is Demand.PROBE:
            self._probe(verdict)

    def _probe(self, verdict: Verdict) -> None:
        self.probes += 1
        self.watch.lost(self.mono_s, self.wall_ns, Reason("silence"), is_probe=True)
        self.opened_s, self.connect_at_s = None, self.now_s + STEP_S

    def _lose(self, cause: str) -> None:
        self.watch.lost(self.mono_s, self.wall_ns, Reason(cause))
        self.opened_s = None
        self._spend()
        self.connect_at_s = self.now_s + 2.0 ** (self.attempt - 1)

    def _spend(self) -> None:
        self.attempt += 1
        self.attempts_spent += 1
        if self.attempt <= MAX_ATTEMPTS:
            return
        if self.keeps_trying:
            self.attempt = MAX_ATTEMPTS
        else:
            self.lost_at_s = self.now_s

    def _take(self) -> None:
        for event in self.watch.take_events():
            self._tell(event.name, event.facts())
        for settled in self.watch.take_settled():
            if settled.fault_silence_s is None:
                self.attempt = 0
            else:
                self._spend()

    def _tell(self, name: str, facts: dict[str, object]) -> None:
        self.events.append((self.now_s, name, facts))

    def _is_stable(self) -> bool:
        return self.opened_s is not None and self.now_s - self.opened_s >= 5

    def _is_in(self, spans: Iterable[tuple[str, str]]) -> bool:
        return any(moment(start) <= self.now_s < moment(end) for start, end in spans)

    def _is_withheld(self, unit: ScriptedUnit) -> bool:
        return self.withheld_of in {None, unit.exchange_type} and self._is_in(self.withheld)

    def _is_deaf(self) -> bool:
        assert self.opened_s is not None
        return any(
            self.opened_s < moment(start) <= self.now_s < moment(end)
            for start, end in self.deaf_links
        )

    # --- what came of it ---

    @property
    def blind_s(self) -> float:
        return self.watch.blind_s(self.mono_s)

    @property
    def uncertain_s(self) -> float:
        return self.watch.uncertain_s(self.mono_s)

    def told(self, name: str) -> list[dict[str, object]]:
        """The facts of the events of that name."""
        return [facts for _, each, facts in self.events if each == name]

    def told_at(self, name: str) -> list[str]:
        """When the events of that name were told."""
        return [shown(at_s) for at_s, each, _ in self.events if each == name]

    def market(self, exchange: str = "NSE") -> list[str]:
        """The states of an exchange that were told."""
        return [str(f["state"]) for f in self.told("market") if f["exchange"] == exchange]

    def state_at(self, text: str, exchange: str = "NSE") -> str:
        """The state that the last check before then found."""
        at_s = moment(text)
        return [states for when_s, states in self.states if when_s <= at_s][-1][exchange]


def shown(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, IST).strftime("%H:%M:%S")
