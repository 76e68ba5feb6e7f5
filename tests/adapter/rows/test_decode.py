"""Rows decode to the packets they came from, byte for byte; damaged ones are named."""

from __future__ import annotations

import csv
import io
import struct
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.errors import RecordingError
from ticks.adapter.instrument import price_digits
from ticks.adapter.rows import decode
from ticks.adapter.rows.columns import columns
from ticks.adapter.rows.decode import (
    CsvReader,
    JsonReader,
    Recorded,
    csv_mode,
    csv_reader,
    exchange_ms_of,
    price_of,
    received_ns_of,
)
from ticks.adapter.rows.encode import CsvRows, JsonRows
from ticks.adapter.tick import Level, Mode, Tick
from ticks.adapter.wire.packet import decode_packet, encode_packet

I64 = st.integers(-(2**63), 2**63 - 1)
NEAR = st.integers(-100_000, 10_000_000) | I64
TIMES_MS = st.sampled_from([0, 1, -1, 999, 253402280999999, 253402281000000]) | NEAR
TIMES_S = st.sampled_from([0, 1, -1, 253402280999, 253402281000]) | NEAR
DOUBLES = st.floats() | st.sampled_from([0.0, -0.0, 1e15, 1e16, 1e22, -1.0, 2.0**53, 5e-324])
TOKENS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).filter(
    lambda token: len(token.encode()) <= 25
)
SYMBOLS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(',"\n\r\\%{}'))
LEVELS = st.builds(Level, quantity=NEAR, price=NEAR, orders=st.integers(0, 65535))
SIDES = st.tuples(*[st.none() | LEVELS] * 5)
RECEIVED_NS = st.integers(0, 253402280999 * 10**6).map(lambda us: us * 1000)


@st.composite
def ticks(draw: st.DrawFn) -> Tick:
    mode = draw(st.sampled_from([Mode.LTP, Mode.QUOTE, Mode.SNAP]))
    tick = Tick(
        draw(RECEIVED_NS),
        mode,
        draw(st.sampled_from([1, 2, 3, 4, 5, 7, 13]) | st.integers(0, 255)),
        draw(TOKENS),
        draw(SYMBOLS),
        draw(I64),
        draw(TIMES_MS),
        draw(NEAR),
    )
    if mode >= Mode.QUOTE:
        tick = tick._replace(
            last_quantity=draw(NEAR),
            average_traded_price=draw(NEAR),
            volume=draw(I64),
            total_buy_quantity=draw(DOUBLES),
            total_sell_quantity=draw(DOUBLES),
            open_price=draw(NEAR),
            high_price=draw(NEAR),
            low_price=draw(NEAR),
            close_price=draw(NEAR),
        )
    if mode == Mode.SNAP:
        tick = tick._replace(
            last_trade_time_s=draw(TIMES_S),
            open_interest=draw(I64),
            oi_change_percent=draw(DOUBLES),
            upper_circuit_price=draw(NEAR),
            lower_circuit_price=draw(NEAR),
            high_52w_price=draw(NEAR),
            low_52w_price=draw(NEAR),
            bids=draw(SIDES),
            asks=draw(SIDES),
        )
    return tick


def canonical(tick: Tick) -> bytes:
    """The packet with one NaN for all."""
    doubles = ("total_buy_quantity", "total_sell_quantity", "oi_change_percent")
    nans = {name: float("nan") for name in doubles if getattr(tick, name) != getattr(tick, name)}
    return encode_packet(tick._replace(**nans))


def csv_cells(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline=""), strict=True))


@given(ticks(), st.sampled_from([Mode.LTP, Mode.QUOTE, Mode.SNAP]))
def test_a_csv_row_decodes_to_its_packet_byte_for_byte(tick: Tick, mode: Mode) -> None:
    mode = max(mode, tick.mode)
    rows = CsvRows(mode, {(tick.exchange_type, tick.token): tick.symbol})
    [cells] = csv_cells(rows.encode(tick.received_ns, [encode_packet(tick)]))
    recorded = CsvReader(mode).read(cells)
    assert recorded == Recorded(tick.received_ns, tick.symbol, canonical(tick))


@given(ticks())
def test_a_json_row_decodes_to_its_packet_byte_for_byte(tick: Tick) -> None:
    rows = JsonRows({(tick.exchange_type, tick.token): tick.symbol})
    line = rows.encode(tick.received_ns, [encode_packet(tick)])
    assert line.count(b"\n") == 1
    assert JsonReader().read(line) == Recorded(tick.received_ns, tick.symbol, canonical(tick))


@given(ticks())
def test_the_cells_of_a_line_are_those_that_pythons_own_reader_finds(tick: Tick) -> None:
    rows = CsvRows(tick.mode, {(tick.exchange_type, tick.token): tick.symbol})
    line = rows.encode(tick.received_ns, [encode_packet(tick)])
    assert [decode.csv_cells(line)] == csv_cells(line)


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        (b"a,,b", ["a", "", "b"]),
        (b"a,b\n", ["a", "b"]),
        (b"a,b\r\n", ["a", "b"]),
        (b'"a,b",c\r\n', ["a,b", "c"]),
        (b'"say ""a""",c\n', ['say "a"', "c"]),
        (b"a,\xff", ["a", "\udcff"]),
    ],
)
def test_a_line_is_read_whatever_ends_it_and_whatever_is_in_its_quotes(
    line: bytes, cells: list[str]
) -> None:
    assert decode.csv_cells(line) == cells


@pytest.mark.parametrize("line", [b'"a,b', b'"a"b,c'])
def test_quotes_that_do_not_match_are_damage(line: bytes) -> None:
    with pytest.raises(RecordingError, match=r"^quotes do not match"):
        decode.csv_cells(line)


@given(ticks())
def test_single_cells_are_read_as_the_whole_row_is(tick: Tick) -> None:
    rows = CsvRows(Mode.LTP, {})
    packet = encode_packet(tick)[:51]
    line = rows.encode(tick.received_ns, [bytes([Mode.LTP]) + packet[1:]])
    [cells] = csv_cells(line)
    row = dict(zip(columns(Mode.LTP), map(str.encode, cells), strict=True))
    digits = price_digits(tick.exchange_type)
    assert received_ns_of(row["received_at"].removesuffix(b"+05:30")) == tick.received_ns
    assert exchange_ms_of(row["exchange_time"]) == tick.exchange_time_ms
    assert price_of(row["ltp"], digits) == tick.last_price


def test_a_single_cell_with_too_many_digits_is_damage() -> None:
    assert price_of(b"1418.4", 2) == 141840
    with pytest.raises(ValueError, match="at most 2 digits after the point"):
        price_of(b"1418.405", 2)


def test_there_is_one_reader_for_each_mode() -> None:
    assert csv_reader(Mode.LTP).read(ltp_row()).packet[0] == Mode.LTP
    with pytest.raises(RecordingError, match="8 cells"):
        csv_reader(Mode.QUOTE).read(ltp_row())


def cell_text(column: str, value: object) -> str:
    """A value of `Tick.to_row` as CSV writes it."""
    if isinstance(value, datetime):
        digits = {"received_at": "microseconds", "exchange_time": "milliseconds"}
        return value.isoformat(timespec=digits.get(column, "seconds"))
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else str(value).removesuffix(".0")


@given(ticks())
def test_the_row_of_a_tick_is_its_csv_row_column_by_column(tick: Tick) -> None:
    packet = encode_packet(tick)
    rows = CsvRows(tick.mode, {(tick.exchange_type, tick.token): tick.symbol})
    [cells] = csv_cells(rows.encode(tick.received_ns, [packet]))
    decoded = decode_packet(packet, received_ns=tick.received_ns, symbol=tick.symbol)
    row = decoded.to_row()
    assert tuple(row) == columns(tick.mode)
    for (column, value), cell in zip(row.items(), cells, strict=True):
        is_text = column in ("symbol", "token")
        assert (value or "" if is_text else cell_text(column, value)) == cell, column
        assert isinstance(getattr(decoded, column), type(value)) or column in (
            *("mode", "symbol", "token", "exchange_time", "last_trade_time"),
        )


@given(ticks(), st.binary(min_size=200, max_size=200), st.binary(max_size=20))
def test_any_flags_in_the_depth_end_as_the_canonical_packet(
    tick: Tick, items: bytes, rest: bytes
) -> None:
    packet = encode_packet(tick)
    if tick.mode == Mode.SNAP:
        packet = packet[:147] + items + packet[347:]
    expected = canonical(decode_packet(packet))
    [cells] = csv_cells(CsvRows(Mode.SNAP, {}).encode(0, [packet + rest]))
    assert CsvReader(Mode.SNAP).read(cells).packet == expected
    assert JsonReader().read(JsonRows({}).encode(0, [packet + rest])).packet == expected


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 256, 7, -1]), st.booleans()), min_size=10, max_size=10
    )
)
def test_levels_lie_by_their_flag_and_all_zero_ones_are_empty(
    items: list[tuple[int, bool]],
) -> None:
    depth = b"".join(
        struct.pack("<hqqH", flag, *((1, 2, 3) if is_filled else (0, 0, 0)))
        for flag, is_filled in items
    )
    packet = bytes([3, 1]) + bytes(145) + depth + bytes(32)
    [cells] = csv_cells(CsvRows(Mode.SNAP, {}).encode(0, [packet]))
    assert CsvReader(Mode.SNAP).read(cells).packet == canonical(decode_packet(packet))


LTP_CELLS = {
    "received_at": "2025-05-02T13:03:46.250000+05:30",
    "exchange_time": "2025-05-02T13:03:46.000+05:30",
    "exchange": "NSE",
    "symbol": "RELIANCE-EQ",
    "token": "2885",
    "mode": "ltp",
    "sequence": "10100759",
    "ltp": "1418.40",
}


def ltp_row(**changes: str) -> list[str]:
    return list({**LTP_CELLS, **changes}.values())


def test_prices_with_fewer_digits_than_the_unit_are_read() -> None:
    reader = CsvReader(Mode.LTP)
    assert reader.read(ltp_row(ltp="1418.4")) == reader.read(ltp_row())
    assert reader.read(ltp_row(ltp="1418")) == reader.read(ltp_row(ltp="1418.00"))


def test_a_token_may_fill_its_field() -> None:
    packet = CsvReader(Mode.LTP).read(ltp_row(token="x" * 25)).packet
    assert packet[2:27] == b"x" * 25


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("received_at", "noon", "not a time with 6 decimal digits and +05:30"),
        ("exchange_time", "1969-12-31T23:59:59.000+05:30", "a time before 1970"),
        ("exchange", "NYSE", "not an exchange"),
        ("token", "x" * 26, "longer than 25 bytes, or with a NUL in it"),
        ("mode", "depth", "not ltp, quote or snap"),
        ("sequence", str(2**63), "does not fit 64 bits"),
        ("sequence", str(-(2**63) - 1), "does not fit 64 bits"),
        ("ltp", "1418.405", "not a decimal with at most 2 digits after the point"),
    ],
)
def test_a_damaged_cell_says_what_is_wrong_with_it(column: str, value: str, reason: str) -> None:
    with pytest.raises(RecordingError) as caught:
        CsvReader(Mode.LTP).read(ltp_row(**{column: value}))
    assert str(caught.value) == f"{column}: {value!r} cannot be read ({reason})"


def test_a_long_value_is_cut_in_its_error() -> None:
    for length, shown in [(78, "'" + "x" * 78 + "'"), (79, "'" + "x" * 76 + "...")]:
        with pytest.raises(RecordingError) as caught:
            CsvReader(Mode.LTP).read(ltp_row(ltp="x" * length))
        assert str(caught.value).startswith(f"ltp: {shown} cannot be read")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("received_at", ""),
        ("received_at", "2025-05-02T13:03:46.250+05:30"),
        ("received_at", "2025-05-02T13:03:46.250000Z"),
        ("received_at", "2025-13-02T13:03:46.250000+05:30"),
        ("received_at", "0001-01-01T00:00:00.000000+05:30"),
        ("received_at", "1969-12-31T23:59:59.000000+05:30"),
        ("exchange_time", "0001-01-01T00:00:00.000+05:30"),
        ("exchange_time", "2025-05-02T13:03:46+05:30"),
        ("exchange_time", "yesterday"),
        ("exchange", "NYSE"),
        ("exchange", "256"),
        ("exchange", "²"),
        ("token", "x" * 26),
        ("token", "nul\0"),
        ("symbol", "torn \udcff"),
        ("mode", "depth"),
        ("mode", ""),
        ("sequence", "1.5"),
        ("sequence", str(2**63)),
        ("ltp", ""),
        ("ltp", "1418.405"),
        ("ltp", "1.4e3"),
        ("ltp", "1418.-5"),
        ("ltp", "92233720368547758.08"),
    ],
)
def test_a_damaged_cell_is_named_with_its_value(column: str, value: str) -> None:
    with pytest.raises(RecordingError) as caught:
        CsvReader(Mode.LTP).read(ltp_row(**{column: value}))
    assert str(caught.value).startswith(f"{column}: {value!r}")


def test_a_row_with_too_few_or_too_many_cells_is_damaged() -> None:
    reader = CsvReader(Mode.LTP)
    for cells in (ltp_row()[:-1], [*ltp_row(), ""]):
        with pytest.raises(RecordingError, match=f"{len(cells)} cells, not 8"):
            reader.read(cells)


def test_a_cell_that_the_rows_mode_does_not_have_is_damage() -> None:
    padded = ltp_row() + [""] * 9
    assert CsvReader(Mode.QUOTE).read(padded).packet[0] == Mode.LTP
    padded[10] = "5"
    with pytest.raises(RecordingError, match="volume: '5' in a row of mode ltp"):
        CsvReader(Mode.QUOTE).read(padded)


@pytest.mark.parametrize("mode", [Mode.LTP, Mode.QUOTE, Mode.SNAP])
def test_a_header_tells_the_mode(mode: Mode) -> None:
    assert csv_mode(columns(mode)) is mode


def test_a_header_of_no_recording_is_refused() -> None:
    with pytest.raises(RecordingError, match="time,price"):
        csv_mode(["time", "price"])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"received_at":', "not valid JSON"),
        (b"\xff{}", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[1]", r"^b'\[1\]' is not a JSON object"),
        (b'{"received_at":NaN}', "received_at: 'NaN'"),
        (b"{}", "received_at is missing"),
        (b'{"received_at":true}', "received_at: True"),
        (b'{"bids":[null]}', r"bids: \[None\] are not 5 levels"),
        (b'{"asks":[null,null,3,null,null]}', "asks: '3' is not a level"),
        (b'{"asks":[null,null,{"price":1.00},null,null]}', "asks: .* is not a level"),
    ],
)
def test_a_damaged_line_says_why(line: bytes, reason: str) -> None:
    with pytest.raises(RecordingError, match=reason):
        JsonReader().read(line)


@pytest.mark.parametrize(
    ("part", "value"), [("orders", 65536), ("orders", -1), ("quantity", 2**63)]
)
def test_a_level_that_fits_no_packet_is_named(part: str, value: int) -> None:
    packet = bytes([3, 1]) + bytes(145) + struct.pack("<hqqH", 1, 450, 25815, 3) + bytes(212)
    [cells] = csv_cells(CsvRows(Mode.SNAP, {}).encode(0, [packet]))
    cells[columns(Mode.SNAP).index(f"bid1_{part}")] = str(value)
    bits = 16 if part == "orders" else 64
    with pytest.raises(RecordingError, match=rf"bid1_{part}: '{value}' .*fit {bits} bits\)"):
        CsvReader(Mode.SNAP).read(cells)
