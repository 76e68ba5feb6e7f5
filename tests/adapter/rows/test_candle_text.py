"""Candles as rows, and back."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import IST
from ticks.adapter.errors import RecordingError
from ticks.adapter.rows.candle_text import COLUMNS, CsvCandles, JsonCandles, candle_format
from ticks.adapter.rows.candles import Candle
from ticks.adapter.rows.format import Csv, Jsonl
from ticks.adapter.tick import Mode

OPEN_MS = int(datetime(2026, 11, 20, 9, 15, tzinfo=IST).timestamp()) * 1000
FORMATS = (CsvCandles(), JsonCandles())


def test_what_is_not_known_is_an_empty_cell() -> None:
    candle = Candle(OPEN_MS, 1, "3045", "SBIN-EQ", *[81245] * 4, None, 1)
    row = "2026-11-20T09:15:00+05:30,NSE,SBIN-EQ,3045,812.45,812.45,812.45,812.45,,1,\n"
    assert CsvCandles().text([candle]).decode() == row
    fields = json.loads(JsonCandles().text([candle]))
    assert (fields["volume"], fields["blind_s"]) == (None, None)


@pytest.mark.parametrize(
    ("blind_ms", "text"), [(0, "0"), (30_000, "30"), (1246, "1.246"), (100, "0.1")]
)
def test_blind_time_is_shown_in_seconds(blind_ms: int, text: str) -> None:
    candle = Candle(OPEN_MS, 1, "1", "", *[1] * 4, 2, 3, blind_ms=blind_ms)
    assert CsvCandles().text([candle]).decode().endswith(f",2,3,{text}\n")
    assert (
        json.loads(JsonCandles().text([candle]), parse_float=str, parse_int=str)["blind_s"] == text
    )


def test_json_has_the_names_and_digits_of_csv() -> None:
    candle = Candle(OPEN_MS, 13, "1", 'a "b", c', 7, -7, 0, 10**7, 3, 4)
    header = CsvCandles().header.decode().strip()
    assert header == ",".join(COLUMNS)
    line = JsonCandles().text([candle]).decode()
    read = json.loads(line, parse_float=str, parse_int=str)
    assert list(read) == list(COLUMNS)
    assert read["open"] == "0.0000007"
    assert read["close"] == "1.0000000"
    assert read["symbol"] == 'a "b", c'
    assert '"a ""b"", c"' in CsvCandles().text([candle]).decode()
    JsonCandles().check_line(line.encode())


CANDLES = st.builds(
    Candle,
    st.integers(0, 10**9).map(lambda seconds: OPEN_MS + seconds * 1000),
    st.sampled_from([1, 2, 5, 13, 99]),
    st.text("0123456789", max_size=9),
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12),
    *[st.integers(-(10**12), 10**12)] * 4,
    st.none() | st.integers(0, 10**12),
    st.integers(1, 10**9),
    st.just(0),
    st.none() | st.integers(0, 10**8),
)


@given(CANDLES, st.sampled_from(FORMATS))
def test_a_row_gives_its_candle_and_its_place_again(
    candle: Candle, row_format: CsvCandles | JsonCandles
) -> None:
    line = row_format.text([candle])
    assert row_format.candle(line) == candle
    assert row_format.place(line) == (candle.start_ms, candle.key)


QUOTED = Candle(OPEN_MS, 1, "1", 'a, "b"', 1, 2, 1, 2, 3, 4)
"""Of a row with quotes the place is read the slow way."""


@pytest.mark.parametrize("row_format", FORMATS)
def test_quotes_in_a_symbol_do_not_hide_the_place(row_format: CsvCandles | JsonCandles) -> None:
    line = row_format.text([QUOTED])
    assert row_format.candle(line) == QUOTED
    assert row_format.place(line) == (OPEN_MS, QUOTED.key)


def test_half_a_letter_in_a_line_is_damage() -> None:
    line = JsonCandles().text([QUOTED]).replace(b"2026-", b"\xed\xa0\x802026-")
    for read in (JsonCandles().check_line, JsonCandles().candle, JsonCandles().place):
        with pytest.raises(RecordingError):
            read(line)


@pytest.mark.parametrize("line", [b"", b"[1]", b'{"received_at":1}', b"{", b"a,b,c,d,e", b"\n"])
@pytest.mark.parametrize("row_format", FORMATS)
def test_a_line_that_is_not_a_candle_is_refused(
    line: bytes, row_format: CsvCandles | JsonCandles
) -> None:
    for read in (row_format.candle, row_format.place):
        with pytest.raises(RecordingError):
            read(line)
    if isinstance(row_format, JsonCandles):
        with pytest.raises(RecordingError):
            row_format.check_line(line)


def test_the_header_is_not_a_candle() -> None:
    with pytest.raises(RecordingError):
        CsvCandles().place(CsvCandles().header)


def test_candles_are_written_as_ticks_would_be() -> None:
    assert isinstance(candle_format(Csv(Mode.LTP)), CsvCandles)
    assert isinstance(candle_format(Jsonl()), JsonCandles)


@pytest.mark.parametrize(
    "line",
    [
        b"2026-11-20T09:15:00+05:30,NOWHERE,A,1,1.00,1.00,1.00,1.00,,1,\n",
        b'"2026-11-20T09:15:00+05:30",NOWHERE,A,1,1.00,1.00,1.00,1.00,,1,\n',
        b"0000-00-00,NSE,A,1,1.00,1.00,1.00,1.00,,1,\n",
    ],
)
def test_a_row_of_no_exchange_or_time_is_refused(line: bytes) -> None:
    for read in (CsvCandles().candle, CsvCandles().place):
        with pytest.raises(RecordingError):
            read(line)


def test_a_row_with_a_price_too_few_is_not_a_candle() -> None:
    with pytest.raises(RecordingError, match="not a candle"):
        CsvCandles().candle(b"2026-11-20T09:15:00+05:30,NSE,A,1,1.00,1.00,1.00,,1,\n")


def test_json_that_is_nested_without_end_is_refused() -> None:
    with pytest.raises(RecordingError):
        JsonCandles().check_line(b"[" * 100_000)
