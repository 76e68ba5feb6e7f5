"""The one regular expression takes what we write, and nothing that cannot be read."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.errors import RecordingError
from ticks.adapter.rows.format import Csv, Jsonl, TickFormat
from ticks.adapter.tick import Level, Mode, Tick
from ticks.adapter.wire.packet import encode_packet

RECEIVED_NS = 1_746_171_226_250_123_000
FORMATS = (Csv(Mode.LTP), Csv(Mode.QUOTE), Csv(Mode.SNAP), Jsonl())
PRICES = st.integers(0, 10**11)
COUNTS = st.integers(0, 10**15)
DOUBLES = st.floats(0, allow_infinity=False).map(abs)


@st.composite
def everyday_ticks(draw: st.DrawFn) -> Tick:
    """What an exchange may send on any day."""
    mode = draw(st.sampled_from([Mode.LTP, Mode.QUOTE, Mode.SNAP]))
    level = st.none() | st.builds(
        Level, quantity=st.integers(1, 10**9), price=PRICES, orders=st.integers(0, 9999)
    )
    tick = Tick(
        RECEIVED_NS,
        mode,
        draw(st.sampled_from([1, 2, 3, 4, 5, 7, 13])),
        draw(st.from_regex(r"[0-9A-Z_]{1,25}", fullmatch=True)),
        draw(st.sampled_from(["Nifty 50", "M&M-EQ", "RELIANCE-EQ", "NIFTY28OCT2524400CE", ""])),
        draw(COUNTS),
        draw(st.just(0) | st.integers(10**11, 10**13)),
        draw(PRICES),
    )
    if mode >= Mode.QUOTE:
        counts = [draw(COUNTS), draw(PRICES), draw(COUNTS), draw(DOUBLES), draw(DOUBLES)]
        tick = Tick(*tick[:8], *counts, *(draw(PRICES) for _ in range(4)))
    if mode == Mode.SNAP:
        times = draw(st.just(0) | st.integers(10**8, 10**10))
        limits = [draw(PRICES) for _ in range(4)]
        sides = [tuple(draw(level) for _ in range(5)) for _ in range(2)]
        tick = Tick(*tick[:17], times, draw(COUNTS), draw(DOUBLES), *limits, *sides)
    return tick


def has_room_for(row_format: TickFormat, tick: Tick) -> bool:
    return isinstance(row_format, Jsonl) or tick.mode <= row_format.mode


def text_of(row_format: TickFormat, ticks: list[Tick]) -> bytes:
    symbols = {(tick.exchange_type, tick.token): tick.symbol for tick in ticks}
    packets = [encode_packet(tick) for tick in ticks]
    return row_format.encoder(symbols).encode(RECEIVED_NS, packets)


def matched(row_format: TickFormat, text: bytes) -> bytes:
    found = row_format.whole_rows_pattern.match(text)
    assert found is not None
    return found[0]


@given(st.lists(everyday_ticks(), min_size=1, max_size=4), st.sampled_from(FORMATS))
def test_rows_as_we_write_them_are_taken_whole(ticks: list[Tick], row_format: TickFormat) -> None:
    ticks = [tick for tick in ticks if has_room_for(row_format, tick)]
    text = text_of(row_format, ticks)
    assert matched(row_format, text) == text
    through_windows = text.replace(b"\n", b"\r\n")
    assert matched(row_format, through_windows) == through_windows
    assert len(row_format.heads_pattern.findall(text)) == len(ticks)


@pytest.mark.parametrize("row_format", FORMATS)
def test_a_group_is_repeated_possessively_only_where_it_is_atomic(row_format: TickFormat) -> None:
    """Others are wrong up to Python 3.11.4, where this test may not run."""
    for pattern in (row_format.whole_rows_pattern, row_format.heads_pattern):
        assert not re.search(rb"[^)]\)(?:[*+?]|\{[^}]*\})\+", pattern.pattern)


@given(everyday_ticks(), st.integers(0, 10_000), st.data())
def test_what_is_taken_can_be_read_however_it_was_damaged(
    tick: Tick, seed: int, data: st.DataObject
) -> None:
    row_format = data.draw(st.sampled_from([f for f in FORMATS if has_room_for(f, tick)]))
    random = Random(seed)
    text = bytearray(text_of(row_format, [tick]))
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(text))
        new = random.choice([b"", b"0", b"9", b"-", b".", b",", b"\n", b"\0", b"e", b"\xff", b'"'])
        text[at : at + random.randint(0, 2)] = new
    for line in matched(row_format, bytes(text)).splitlines(keepends=True):
        row_format.decode(line)


@pytest.mark.parametrize("row_format", FORMATS)
@pytest.mark.parametrize(
    ("day", "exists"),
    [
        ("2024-02-29", True),
        ("2025-02-28", True),
        ("2025-02-29", False),
        ("2025-04-31", False),
        ("2025-12-31", True),
        ("2025-13-01", False),
        ("0000-01-01", False),
    ],
)
def test_only_days_that_exist_are_taken(row_format: TickFormat, day: str, exists: bool) -> None:
    text = text_of(row_format, [Tick(0, Mode.LTP, 1, "1", "ONE", 1, 0, 100)])
    dated = re.sub(rb"2025-05-02", day.encode(), text)
    assert (matched(row_format, dated) == dated) == exists
    if not exists:
        with pytest.raises(RecordingError):
            row_format.decode(dated)


@pytest.mark.parametrize("row_format", FORMATS)
def test_heads_are_the_cells_that_name_an_instrument_and_its_price(row_format: TickFormat) -> None:
    ltp = Tick(0, Mode.LTP, 1, "1", "ONE", 1, 1_746_171_226_000, 12345)
    text = text_of(row_format, [ltp])
    time = b"2025-05-02T13:03:46.000+05:30"
    assert row_format.heads_pattern.findall(text) == [(time, b"NSE", b"ONE", b"1", b"123.45", b"")]
    if row_format in (Csv(Mode.QUOTE), Jsonl()):
        quote = ltp._replace(mode=Mode.QUOTE, exchange_time_ms=0)
        quote = Tick(*quote[:8], 1, 2, 77, 0.0, 0.0, 1, 2, 3, 4)
        text = text_of(row_format, [quote])
        assert row_format.heads_pattern.findall(text) == [
            (b"", b"NSE", b"ONE", b"1", b"123.45", b"77")
        ]
