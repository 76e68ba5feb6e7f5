"""The one regular expression takes what we write, and nothing that cannot be read."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.errors import RecordingError
from ticks.adapter.rows import scan
from ticks.adapter.rows.decode import JsonReader, csv_reader
from ticks.adapter.rows.encode import CsvRows, JsonRows
from ticks.adapter.tick import Level, Mode, Tick
from ticks.adapter.wire.packet import encode_packet

RECEIVED_NS = 1_746_171_226_250_123_000
FORMS = (Mode.LTP, Mode.QUOTE, Mode.SNAP, None)
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


def text_of(form: scan.Form, ticks: list[Tick]) -> bytes:
    symbols = {(tick.exchange_type, tick.token): tick.symbol for tick in ticks}
    rows = JsonRows(symbols) if form is None else CsvRows(form, symbols)
    return rows.encode(RECEIVED_NS, [encode_packet(tick) for tick in ticks])


def matched(form: scan.Form, text: bytes) -> bytes:
    found = scan.whole_rows(form).match(text)
    assert found is not None
    return found[0]


def read(form: scan.Form, line: bytes) -> None:
    if form is None:
        JsonReader().read(line)
    else:
        csv_reader(form).read(line.decode().rstrip("\r\n").split(","))


@pytest.mark.slow
@given(st.lists(everyday_ticks(), min_size=1, max_size=4), st.sampled_from(FORMS))
def test_rows_as_we_write_them_are_taken_whole(ticks: list[Tick], form: scan.Form) -> None:
    ticks = [tick for tick in ticks if form is None or tick.mode <= form]
    text = text_of(form, ticks)
    assert matched(form, text) == text
    assert len(scan.heads(form).findall(text)) == len(ticks)


@given(everyday_ticks(), st.integers(0, 10_000), st.data())
def test_what_is_taken_can_be_read_however_it_was_damaged(
    tick: Tick, seed: int, data: st.DataObject
) -> None:
    form = data.draw(
        st.sampled_from([None, *(f for f in FORMS if f is not None and f >= tick.mode)])
    )
    random = Random(seed)
    text = bytearray(text_of(form, [tick]))
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(text))
        new = random.choice([b"", b"0", b"9", b"-", b".", b",", b"\n", b"\0", b"e", b"\xff", b'"'])
        text[at : at + random.randint(0, 2)] = new
    for line in matched(form, bytes(text)).splitlines(keepends=True):
        read(form, line)


@pytest.mark.parametrize("form", FORMS)
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
def test_only_days_that_exist_are_taken(form: scan.Form, day: str, exists: bool) -> None:
    text = text_of(form, [Tick(0, Mode.LTP, 1, "1", "ONE", 1, 0, 100)])
    dated = re.sub(rb"2025-05-02", day.encode(), text)
    assert (matched(form, dated) == dated) == exists
    if not exists:
        with pytest.raises(RecordingError):
            read(form, dated)


@pytest.mark.parametrize("form", FORMS)
def test_heads_are_the_cells_that_name_an_instrument_and_its_price(form: scan.Form) -> None:
    ltp = Tick(0, Mode.LTP, 1, "1", "ONE", 1, 1_746_171_226_000, 12345)
    text = text_of(form, [ltp])
    time = b"2025-05-02T13:03:46.000+05:30"
    assert scan.heads(form).findall(text) == [(time, b"NSE", b"ONE", b"1", b"123.45", b"")]
    if form in (Mode.QUOTE, None):
        quote = ltp._replace(mode=Mode.QUOTE, exchange_time_ms=0)
        quote = Tick(*quote[:8], 1, 2, 77, 0.0, 0.0, 1, 2, 3, 4)
        text = text_of(form, [quote])
        assert scan.heads(form).findall(text) == [(b"", b"NSE", b"ONE", b"1", b"123.45", b"77")]
