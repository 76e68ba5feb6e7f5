"""Reads recordings as one, with their events, and reports how far they can be trusted.

The recordings are merged by time and every row is checked, as in a replay; memory does not grow
with them. An inspection that is stopped reports what it has read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from ..clock import midnight_us
from ..errors import RecordingError
from ..files.event_file import read_history
from ..files.inputs import Input, OnDamage, bytes_of
from ..files.recording import open_recording, without_rows
from ..instrument import exchange_number
from ..intervals import Interval
from ..market.calendar import MarketCalendar
from ..market.hours import Kind, Segment, kind_of
from ..replay.merge import merged
from ..rows.block import RecordedBlock, RowBlock
from ..rows.format import TickFormat
from ..waker import Waker
from .report import Damage, Evidence, Inspection, SegmentSpans, report
from .tally import LEAST_GAP_US, SECOND_US, Tally

MOST_DAMAGE_KEPT = 10
_BLOCK_BYTES = 1 << 16
_INDEX_TOKENS = "999"
"""How the tokens of indices begin. Source: protocol.md, section 4."""
REPORT_EVERY = 16
"""Blocks to a report of the progress: about two megabytes."""


@dataclass(frozen=True, slots=True)
class InspectionOptions:
    """What to read, and which gap is too long."""

    paths: tuple[str, ...]
    events: tuple[str, ...] = ()
    max_gap_s: float = 30.0


class Inspector:
    """One inspection: `run`. `stop` may come from a signal handler.

    `note` takes a line on each damaged row of an events file; those of the recordings are in the
    report. `progress` is called with the bytes read and in all (None: not known).
    """

    def __init__(
        self,
        options: InspectionOptions,
        calendar: MarketCalendar,
        *,
        note: OnDamage,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        self._options = options
        self._calendar = calendar
        self._hours = TradingHours(calendar)
        self._note = note
        self._progress = progress
        self._waker = Waker()
        self._inputs = [
            Input(path, waker=self._waker, is_stopping=self._stops) for path in options.paths
        ]
        self._damaged = 0
        self._damage: list[Damage] = []
        self._is_stopping = False

    def stop(self) -> None:
        """End soon. Safe in a signal handler."""
        self._is_stopping = True
        self._waker.wake()

    def _stops(self) -> bool:
        return self._is_stopping

    def run(self) -> Inspection | None:
        """Read all, and report; None when it was stopped before the first row.

        Raises RecordingError for a file that cannot be read or has no good row.
        """
        options = self._options
        histories = [
            read_history(path, on_damage=self._note, waker=self._waker, is_stopping=self._stops)
            for path in options.events
        ]
        max_gap_us = round(options.max_gap_s * SECOND_US)
        tally = Tally(self._hours.of_instrument, least_gap_us=min(LEAST_GAP_US, max_gap_us))
        blocks = _gathered([self._blocks_of(source) for source in self._inputs])
        for number, block in enumerate(blocks, 1):
            try:
                tally.take(block)
            except OverflowError as error:  # it counts days and seconds on from the rows' times
                reason = "a row was received at the end of the calendar (31 December 9999)"
                raise RecordingError(reason) from error
            if self._progress is not None and number % REPORT_EVERY == 0:
                self._progress(*bytes_of(self._inputs))
            if self._is_stopping and tally.rows:
                break
        if not tally.rows:
            return None
        tally.end()
        is_demo = any(history.is_demo for history in histories)
        is_always_open = is_demo or self._calendar.is_always_open
        evidence = Evidence(
            files=tuple(source.name for source in self._inputs),
            is_complete=not self._is_stopping,
            damaged=self._damaged,
            damage=tuple(self._damage),
            histories=histories,
            names=options.events,
            max_gap_us=max_gap_us,
        )
        return report(
            tally, evidence, None if is_always_open else self._hours.of_segments(tally.instruments)
        )

    def _blocks_of(self, source: Input) -> Iterator[RowBlock]:
        try:
            reader = open_recording(source, self._keep_damage)
            yield from reader.blocks()
        except RecordingError:
            if self._is_stopping:  # a pipe of which nothing had come
                return
            raise
        if not (reader.rows or self._is_stopping):
            raise without_rows(source.name)

    def _keep_damage(self, name: str, line_number: int, reason: str) -> None:
        if self._is_stopping:
            return  # a line of standard input of which the end was not waited for
        self._damaged += 1
        if len(self._damage) < MOST_DAMAGE_KEPT:
            self._damage.append(Damage(name, line_number, reason))


class TradingHours:
    """The calendar as an inspection asks it: by the texts of a row, in microseconds."""

    def __init__(self, calendar: MarketCalendar) -> None:
        self._calendar = calendar
        self._spans = lru_cache(maxsize=4096)(self._spans_of)

    def of_instrument(
        self, exchange: str, symbol: str, token: str, day: date
    ) -> Sequence[Interval]:
        """The sessions of an instrument on a day; the whole day where none is known."""
        kinds = frozenset({_kind_of(exchange, symbol, token)})
        return self._spans(exchange, kinds, day) or [_whole(day)]

    def of_segments(self, instruments: Mapping[tuple[str, str], str]) -> SegmentSpans:
        """Those of a segment with the given instruments: symbols by exchange and token."""
        kinds: dict[str, set[Kind]] = {}
        for (exchange, token), symbol in instruments.items():
            kinds.setdefault(exchange, set()).add(_kind_of(exchange, symbol, token))
        return lambda exchange, day: self._spans(exchange, frozenset(kinds[exchange]), day)

    def _spans_of(self, exchange: str, kinds: frozenset[Kind], day: date) -> list[Interval]:
        segment = Segment(exchange_number(exchange) or 0, kinds)
        return [
            (_us(opens), _us(closes)) for opens, closes in self._calendar.sessions(segment, day)
        ]


def _kind_of(exchange: str, symbol: str, token: str) -> Kind:
    """What sets the hours of an instrument, as far as its row says.

    Any share may be one of the closing auction, whose silence is not a gap; an index ticks on.
    """
    is_share = not token.startswith(_INDEX_TOKENS)
    return kind_of(exchange_number(exchange) or 0, symbol, is_auction_share=is_share)


def _whole(day: date) -> Interval:
    return midnight_us(day), midnight_us(day + timedelta(days=1))


def _us(moment: datetime) -> int:
    return round(moment.timestamp()) * SECOND_US


def _gathered(recordings: Sequence[Iterator[RowBlock]]) -> Iterator[RowBlock]:
    """The rows of all by time, in blocks of some size: those of several come one by one."""
    if len(recordings) == 1:
        yield from recordings[0]
        return
    texts: list[bytes] = []
    size = 0
    text_format: TickFormat | None = None
    for _, block in merged(recordings):
        row_format = None if isinstance(block, RecordedBlock) else block.format
        if text_format is not None and (row_format != text_format or size >= _BLOCK_BYTES):
            yield RowBlock(text_format, b"".join(texts))
            texts, size = [], 0
        text_format = row_format
        if row_format is None:
            yield block
        else:
            texts.append(block.text)
            size += len(block.text)
    if text_format is not None:
        yield RowBlock(text_format, b"".join(texts))
