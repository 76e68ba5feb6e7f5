"""Two recorders of one feed make one recording: nothing twice, nothing lost, however they ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.errors import RecordingError
from ticks.adapter.replay import unique
from ticks.adapter.replay.merge import merged
from ticks.adapter.replay.unique import WINDOW_S, UniqueFilter
from ticks.adapter.rows import block as blocks
from ticks.adapter.rows.block import RecordedBlock, RowBlock
from ticks.adapter.rows.decode import Recorded
from ticks.adapter.rows.format import Csv, Jsonl
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.packet import encode_packet

from ..rows.recordings import START_NS, SYMBOLS

INDEX = "99926000"
SPACING_MS = 1_000
"""Ticks of an instrument follow each other at this distance at least; clocks differ by less."""


def packet(token: str, number: int, price: int = 100) -> bytes:
    """The quote number `number` of an instrument; an index has no sequence."""
    sequence = 0 if token == INDEX else 1000 + number
    head = (0, Mode.QUOTE, 1, token, "", sequence, START_NS // 10**6 + number * 1000, price)
    return encode_packet(Tick(*head, 1, 2, number, 0.0, 5.5, 6, 7, 8, 9))


def csv_block(rows: Sequence[Recorded], mode: Mode = Mode.QUOTE) -> RowBlock:
    symbols = {(1, each.packet[2:27].rstrip(b"\0").decode()): each.symbol for each in rows}
    encoder = Csv(mode).encoder(symbols)
    text = b"".join(encoder.encode(each.received_ns, [each.packet]) for each in rows)
    return RowBlock(Csv(mode), text)


def json_block(rows: Sequence[Recorded]) -> RowBlock:
    encoder = Jsonl().encoder(SYMBOLS)
    text = b"".join(encoder.encode(each.received_ns, [each.packet]) for each in rows)
    return RowBlock(Jsonl(), text)


def through_pandas(rows: Sequence[Recorded]) -> RowBlock:
    """As a program writes that makes doubles of all numbers."""
    text = csv_block(rows).text.replace(b",0,5.5,", b",0.0,5.5,")
    return RowBlock(Csv(Mode.QUOTE), text)


MAKERS: list[Callable[[Sequence[Recorded]], RowBlock]] = [
    csv_block,
    lambda rows: csv_block(rows, Mode.SNAP),
    json_block,
    through_pandas,
    RecordedBlock,
]


def unified(recordings: Sequence[Iterable[RowBlock]]) -> list[Recorded]:
    keep = UniqueFilter()
    blocks = (keep.of(block, number) for number, block in merged([iter(r) for r in recordings]))
    return [row for block in blocks for row in block.recorded()]


@dataclass(frozen=True)
class Recorder:
    """One way to record a feed: a clock that is off, spans without a link, begun again after."""

    offset_ms: int
    gaps: tuple[tuple[int, int], ...]

    def record(self, feed: Sequence[tuple[int, str, bytes]]) -> list[Recorded]:
        """What it has of the ticks (time in ms, token, packet), and the feed's last words again."""
        heard = [(at, token, data) for at, token, data in feed if not self._is_blind(at)]
        for _, end in self.gaps:
            last = {token: data for at, token, data in feed if at <= end and token != INDEX}
            heard += [(end, token, data) for token, data in last.items()]
        heard.sort(key=lambda each: each[0])
        return [
            Recorded(START_NS + (at + self.offset_ms) * 10**6, SYMBOLS.get((1, token), ""), data)
            for at, token, data in heard
        ]

    def _is_blind(self, at: int) -> bool:
        return any(start <= at <= end for start, end in self.gaps)


@st.composite
def feeds(draw: st.DrawFn) -> list[tuple[int, str, bytes]]:
    feed = []
    for token in ("1", "2", INDEX):
        at = draw(st.integers(0, 900))
        for number in range(draw(st.integers(0, 12))):
            feed.append((at, token, packet(token, number)))
            at += SPACING_MS + draw(st.integers(0, 3_000) | st.just(200_000))
    return sorted(feed)


GAPS = st.lists(
    st.tuples(st.integers(0, 40_000), st.integers(0, 15_000)).map(lambda g: (g[0], g[0] + g[1])),
    max_size=3,
).map(tuple)
RECORDERS = st.builds(Recorder, st.integers(0, SPACING_MS // 2 - 1), GAPS)


@given(feeds(), st.lists(RECORDERS, min_size=1, max_size=3), st.data())
def test_every_tick_that_any_recorder_has_comes_once_in_the_order_of_the_feed(
    feed: list[tuple[int, str, bytes]], recorders: list[Recorder], data: st.DataObject
) -> None:
    recordings = [recorder.record(feed) for recorder in recorders]
    makers = [data.draw(st.sampled_from(MAKERS)) for _ in recorders]
    rows = unified(
        [
            [make(part) for part in (rows[:5], rows[5:]) if part]
            for make, rows in zip(makers, recordings, strict=True)
        ]
    )
    had = {row.packet for recording in recordings for row in recording}
    for token in ("1", "2", INDEX):
        of_token = [data for _, name, data in feed if name == token and data in had]
        assert [row.packet for row in rows if row.packet in of_token] == of_token
    assert len(rows) == len(had)
    first_ns: dict[bytes, int] = {}
    for row in sorted(row for recording in recordings for row in recording):
        first_ns.setdefault(row.packet, row.received_ns)
    assert {row.packet: row.received_ns for row in rows} == first_ns


@given(st.lists(st.lists(st.integers(0, 3), max_size=8), min_size=1, max_size=3))
def test_of_equal_packets_without_a_sequence_as_many_stay_as_one_recording_has(
    seconds: list[list[int]],
) -> None:
    recordings = [
        [Recorded(START_NS + n * 10**6, "Nifty 50", packet(INDEX, second)) for n, second in each]
        for each in (list(enumerate(sorted(numbers))) for numbers in seconds)
    ]
    rows = unified([[csv_block(each)] for each in recordings if each])
    expected: Counter[bytes] = Counter()
    for recording in recordings:
        expected |= Counter(row.packet for row in recording)
    assert Counter(row.packet for row in rows) == expected


def test_a_recording_by_itself_loses_only_what_the_feed_sent_again() -> None:
    sent = [packet("1", 0), packet("1", 1), packet("1", 1), packet(INDEX, 0), packet(INDEX, 0)]
    rows = [Recorded(START_NS + n * 10**9, "", data) for n, data in enumerate(sent)]
    assert [row.packet for row in unified([[csv_block(rows)]])] == [*sent[:2], *sent[3:]]


def test_another_symbol_or_other_columns_make_no_other_tick() -> None:
    rows = [Recorded(START_NS, "ONE-EQ", packet("1", 0))]
    renamed = [Recorded(START_NS + 10**6, "ONE-BE", packet("1", 0))]
    blocks = [csv_block(rows), csv_block(renamed, Mode.SNAP), json_block(renamed)]
    assert unified([[block] for block in blocks]) == rows


def test_the_last_packet_of_an_instrument_is_known_however_long_ago_it_came() -> None:
    hours = [packet("1", 0), packet("2", 0), packet("1", 0)]
    rows = [Recorded(START_NS + n * 3600 * 10**9, "", data) for n, data in enumerate(hours)]
    assert [row.packet for row in unified([[csv_block(rows)]])] == hours[:2]


@pytest.mark.parametrize("step_s", [1, -1])
def test_what_is_remembered_is_bounded_by_the_window(
    monkeypatch: pytest.MonkeyPatch, step_s: int
) -> None:
    monkeypatch.setattr(unique, "WINDOW_S", 10)
    keep = UniqueFilter()
    for number in range(500):
        received_ns = START_NS + step_s * number * 10**9
        keep.of(csv_block([Recorded(received_ns, "", packet("1", number))]), 0)
        assert keep.remembered <= 22
    assert WINDOW_S == 60


def test_instruments_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MOST_INSTRUMENTS", 2)
    keep = UniqueFilter()
    rows = [Recorded(START_NS, "", packet(token, 1)) for token in ("1", "2", "3")]
    assert keep.of(csv_block(rows[:2]), 0).count == 2
    with pytest.raises(RecordingError) as caught:
        keep.of(csv_block(rows[2:]), 0)
    assert caught.value.kind == "too-many-instruments"
