"""Rows are exactly the text that docs/row-format.md promises."""

from __future__ import annotations

import json
import struct

import pytest

from ticks.adapter.errors import PacketError
from ticks.adapter.rows.columns import columns
from ticks.adapter.rows.encode import CsvRows, JsonRows
from ticks.adapter.tick import Mode

RECEIVED_NS = 1_746_171_226_250_123_999
RECEIVED_AT = "2025-05-02T13:03:46.250123+05:30"

RELIANCE_LTP = bytes.fromhex(
    "01013238383500000000000000000000000000000000000000000017209a00000000009067ea8f96010000102a020000"
    "000000"
)
INFY_SNAP = bytes.fromhex(
    "0301313539340000000000000000000000000000000000000000007cc8b80000000000c01e1102940100000fe9020000"
    "0000000300000000000000b3e90200000000009a7e2000000000000000000088610b4100000000f0090e41b9e9020000"
    "000000e7ed02000000000016e7020000000000b9e9020000000000b8126d67000000008049aa0400000000d1ea3659ae"
    "e29e3f01000200000000000000ece8020000000000020001000700000000000000bae8020000000000010001002f0000"
    "0000000000b5e8020000000000030001006700000000000000b0e802000000000003000100aa00000000000000abe802"
    "0000000000070000002b000000000000000fe902000000000003000000530000000000000014e9020000000000030000"
    "00630000000000000019e902000000000002000000cd000000000000001ee9020000000000060000006201000000000000"
    "23e902000000000009004b34030000000000279f020000000000c50f0300000000009b12020000000000"
)
SYMBOLS = {(1, "2885"): "RELIANCE-EQ", (1, "1594"): "INFY-EQ"}

INFY_QUOTE_CELLS = (
    f"{RECEIVED_AT},2024-12-26T13:54:24.000+05:30,NSE,INFY-EQ,1594,%s,12109948,1907.35,"
    "3,1908.99,2129562,224305,246078,1909.05,1919.75,1902.30,1909.05"
)
INFY_SNAP_CELLS = (
    INFY_QUOTE_CELLS % "snap" + ",2024-12-26T13:54:24+05:30,78268800,0.030161594577047538,"
    "2099.95,1718.15,2006.45,1358.35,"
    "1907.00,2,2,1906.50,7,1,1906.45,47,3,1906.40,103,3,1906.35,170,7,"
    "1907.35,43,3,1907.40,83,3,1907.45,99,2,1907.50,205,6,1907.55,354,9"
)
INFY_SNAP_JSON = (
    f'{{"received_at":"{RECEIVED_AT}","exchange_time":"2024-12-26T13:54:24.000+05:30",'
    '"exchange":"NSE","symbol":"INFY-EQ","token":"1594","mode":"snap","sequence":12109948,'
    '"ltp":1907.35,"last_quantity":3,"average_price":1908.99,"volume":2129562,'
    '"total_buy_quantity":224305,"total_sell_quantity":246078,"open":1909.05,"high":1919.75,'
    '"low":1902.30,"close":1909.05,"last_trade_time":"2024-12-26T13:54:24+05:30",'
    '"open_interest":78268800,"oi_change_percent":0.030161594577047538,"upper_circuit":2099.95,'
    '"lower_circuit":1718.15,"high_52w":2006.45,"low_52w":1358.35,'
    '"bids":[{"price":1907.00,"quantity":2,"orders":2},{"price":1906.50,"quantity":7,"orders":1},'
    '{"price":1906.45,"quantity":47,"orders":3},{"price":1906.40,"quantity":103,"orders":3},'
    '{"price":1906.35,"quantity":170,"orders":7}],'
    '"asks":[{"price":1907.35,"quantity":43,"orders":3},{"price":1907.40,"quantity":83,"orders":3},'
    '{"price":1907.45,"quantity":99,"orders":2},{"price":1907.50,"quantity":205,"orders":6},'
    '{"price":1907.55,"quantity":354,"orders":9}]}'
)


def infy_quote() -> bytes:
    return b"\x02" + INFY_SNAP[1:123]


def changed(packet: bytes, **values: object) -> bytes:
    """`packet` with the values at `at_<offset>` replaced."""
    buffer = bytearray(packet)
    for place, value in values.items():
        if isinstance(value, bytes):
            buffer[int(place[3:]) : int(place[3:]) + len(value)] = value
        else:
            code = "<d" if isinstance(value, float) else "<q"
            struct.pack_into(code, buffer, int(place[3:]), value)
    return bytes(buffer)


def csv_row(packet: bytes, symbols: dict[tuple[int, str], str] = SYMBOLS) -> dict[str, str]:
    """The row of a packet that needs no quotes, by column."""
    mode = Mode(packet[0])
    [row] = CsvRows(mode, symbols).encode(RECEIVED_NS, [packet]).decode().splitlines()
    return dict(zip(columns(mode), row.split(","), strict=True))


def json_row(packet: bytes) -> dict[str, object]:
    row = JsonRows(SYMBOLS).encode(RECEIVED_NS, [packet])
    return json.loads(row, parse_float=str, parse_int=str)


def test_real_packets_become_these_csv_rows() -> None:
    ltp = CsvRows(Mode.LTP, SYMBOLS).encode(RECEIVED_NS, [RELIANCE_LTP])
    assert ltp.decode() == (
        f"{RECEIVED_AT},2025-05-02T13:03:46.000+05:30,NSE,RELIANCE-EQ,2885,ltp,10100759,1418.40\n"
    )
    quote = CsvRows(Mode.QUOTE, SYMBOLS).encode(RECEIVED_NS, [infy_quote()])
    assert quote.decode() == INFY_QUOTE_CELLS % "quote" + "\n"
    snap = CsvRows(Mode.SNAP, SYMBOLS).encode(RECEIVED_NS, [INFY_SNAP])
    assert snap.decode() == INFY_SNAP_CELLS + "\n"


def test_real_packets_become_these_json_lines() -> None:
    rows = JsonRows(SYMBOLS).encode(RECEIVED_NS, [RELIANCE_LTP, INFY_SNAP])
    assert rows.decode() == (
        f'{{"received_at":"{RECEIVED_AT}","exchange_time":"2025-05-02T13:03:46.000+05:30",'
        '"exchange":"NSE","symbol":"RELIANCE-EQ","token":"2885","mode":"ltp","sequence":10100759,'
        '"ltp":1418.40}\n' + INFY_SNAP_JSON + "\n"
    )


def test_modes_mixed_in_a_drain_keep_their_order_and_lower_ones_are_padded() -> None:
    rows = CsvRows(Mode.SNAP, SYMBOLS).encode(
        RECEIVED_NS, [RELIANCE_LTP, INFY_SNAP, infy_quote(), infy_quote()]
    )
    first, second, third, fourth = rows.decode().splitlines()
    assert first.endswith(",ltp,10100759,1418.40" + "," * 46)
    assert second == INFY_SNAP_CELLS
    assert third == fourth == INFY_QUOTE_CELLS % "quote" + "," * 37


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (INFY_SNAP, "a snap packet does not fit a quote recording"),
        (bytes([4]) + bytes(442), "a packet of mode 4 has no row"),
        (bytes([9]) + bytes(500), "a packet of mode 9 has no row"),
    ],
)
def test_a_packet_of_a_higher_mode_is_refused(packet: bytes, words: str) -> None:
    with pytest.raises(PacketError) as caught:
        CsvRows(Mode.QUOTE, SYMBOLS).encode(RECEIVED_NS, [infy_quote(), packet])
    assert (str(caught.value), caught.value.reason) == (words, "mode")


def test_no_packets_make_no_rows() -> None:
    assert CsvRows(Mode.LTP, SYMBOLS).encode(RECEIVED_NS, []) == b""


def test_what_follows_a_packet_is_ignored() -> None:
    rows = CsvRows(Mode.SNAP, SYMBOLS).encode(RECEIVED_NS, [INFY_SNAP + b"more"])
    assert rows.decode() == INFY_SNAP_CELLS + "\n"


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (0, "0.00"),
        (5, "0.05"),
        (-5, "-0.05"),
        (-100, "-1.00"),
        (141840, "1418.40"),
        (2**63 - 1, "92233720368547758.07"),
        (-(2**63), "-92233720368547758.08"),
    ],
)
def test_prices_have_two_digits(price: int, text: str) -> None:
    packet = changed(RELIANCE_LTP, at_43=price)
    assert csv_row(packet)["ltp"] == text
    assert json_row(packet)["ltp"] == text


def test_currency_prices_have_seven_digits_and_others_two() -> None:
    currency = changed(RELIANCE_LTP, at_1=b"\x0d", at_43=848_325_000)
    rows = CsvRows(Mode.LTP, {}).encode(RECEIVED_NS, [currency, changed(currency, at_1=b"\x01")])
    assert [row.rpartition(",")[2] for row in rows.decode().split()] == ["84.8325000", "8483250.00"]


def test_an_unknown_exchange_type_is_its_number() -> None:
    assert csv_row(changed(RELIANCE_LTP, at_1=b"\x06"))["exchange"] == "6"


@pytest.mark.parametrize(
    ("time_ms", "cell", "value"),
    [
        (0, "", None),
        (1, "1970-01-01T05:30:00.001+05:30", "1970-01-01T05:30:00.001+05:30"),
        (253402280999999, "9999-12-31T23:59:59.999+05:30", "9999-12-31T23:59:59.999+05:30"),
        (253402281000000, "253402281000000", "253402281000000"),
        (-1, "-1", "-1"),
    ],
)
def test_times_off_the_calendar_are_bare_and_absent_ones_empty(
    time_ms: int, cell: str, value: str | None
) -> None:
    packet = changed(INFY_SNAP, at_35=time_ms)
    assert csv_row(packet)["exchange_time"] == cell
    row = json.loads(JsonRows({}).encode(RECEIVED_NS, [packet]))
    assert row["exchange_time"] == value


@pytest.mark.parametrize(
    ("time_s", "cell"),
    [(0, ""), (1, "1970-01-01T05:30:01+05:30"), (253402281000, "253402281000"), (-9, "-9")],
)
def test_the_last_trade_has_seconds(time_s: int, cell: str) -> None:
    packet = changed(INFY_SNAP, at_123=time_s)
    assert csv_row(packet)["last_trade_time"] == cell
    assert json_row(packet)["last_trade_time"] == (cell or None)


@pytest.mark.parametrize(
    ("double", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (224305.0, "224305"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (999999999999999.0, "999999999999999"),
        (1e15, "1000000000000000"),
        (1e16, "1e+16"),
        (5e-324, "5e-324"),
    ],
)
def test_doubles_are_the_shortest_text(double: float, text: str) -> None:
    packet = changed(INFY_SNAP, at_75=double, at_83=double, at_139=double)
    for row in (csv_row(packet), json_row(packet)):
        assert row["total_buy_quantity"] == text
        assert row["total_sell_quantity"] == text
        assert row["oi_change_percent"] == text


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_doubles_that_json_does_not_know_are_strings(text: str) -> None:
    packet = changed(INFY_SNAP, at_75=float(text), at_139=float(text))
    assert csv_row(packet)["total_buy_quantity"] == text
    line = JsonRows({}).encode(RECEIVED_NS, [packet]).decode()
    assert f'"total_buy_quantity":"{text}","total_sell_quantity":246078' in line
    assert f'"oi_change_percent":"{text}",' in line


def test_an_empty_level_leaves_its_cells_empty_at_its_place() -> None:
    packet = changed(INFY_SNAP, at_167=bytes(20), at_327=bytes(20))
    row = csv_row(packet)
    assert [row[f"bid2_{part}"] for part in ("price", "quantity", "orders")] == ["", "", ""]
    assert [row[f"ask5_{part}"] for part in ("price", "quantity", "orders")] == ["", "", ""]
    assert row["bid3_price"] == "1906.45"
    depth = json_row(packet)
    assert depth["bids"][1] is None
    assert depth["asks"][4] is None
    assert depth["bids"][2] == {"price": "1906.45", "quantity": "47", "orders": "3"}


@pytest.mark.parametrize("place", range(10))
def test_one_empty_level_is_empty_wherever_it_stands_and_no_other_is(place: int) -> None:
    whole = csv_row(INFY_SNAP)
    row = csv_row(changed(INFY_SNAP, **{f"at_{147 + 20 * place}": bytes(20)}))
    side, number = ("bid", place + 1) if place < 5 else ("ask", place - 4)
    emptied = {f"{side}{number}_{part}": "" for part in ("price", "quantity", "orders")}
    assert row == whole | emptied


def test_sells_before_buys_are_recognized_by_their_flags() -> None:
    packet = INFY_SNAP[:147] + INFY_SNAP[247:347] + INFY_SNAP[147:247] + INFY_SNAP[347:]
    rows = CsvRows(Mode.SNAP, SYMBOLS).encode(RECEIVED_NS, [packet])
    assert rows.decode() == INFY_SNAP_CELLS + "\n"


@pytest.mark.parametrize(
    ("symbol", "cell", "value"),
    [
        ("M&M-EQ", "M&M-EQ", '"M&M-EQ"'),
        ("A,B", '"A,B"', '"A,B"'),
        ('12" PIPE', '"12"" PIPE"', '"12\\" PIPE"'),
        ("two\nlines", '"two\nlines"', '"two\\nlines"'),
        ("a\rb", '"a\rb"', '"a\\rb"'),
        ("निफ्टी", "निफ्टी", '"निफ्टी"'),
        ("100%d", "100%d", '"100%d"'),
        ("MAX X", "MAX X", '"MAX X"'),
    ],
)
def test_odd_symbols_are_quoted_and_escaped(symbol: str, cell: str, value: str) -> None:
    symbols = {(1, "2885"): symbol}
    assert f",NSE,{cell},2885," in CsvRows(Mode.LTP, symbols).encode(0, [RELIANCE_LTP]).decode()
    assert f'"symbol":{value},' in JsonRows(symbols).encode(0, [RELIANCE_LTP]).decode()


def test_a_symbol_that_comes_later_is_found_and_one_that_never_comes_is_empty() -> None:
    symbols: dict[tuple[int, str], str] = {}
    rows = CsvRows(Mode.SNAP, symbols)
    assert b",NSE,,2885," in rows.encode(0, [RELIANCE_LTP])
    symbols[(1, "1594")] = "INFY-EQ"
    assert b",NSE,INFY-EQ,1594," in rows.encode(0, [INFY_SNAP])


def test_bytes_after_the_tokens_end_do_not_show() -> None:
    assert csv_row(changed(RELIANCE_LTP, at_6=b"\0garbage"))["token"] == "2885"


def test_more_distinct_prices_than_are_remembered_are_all_right() -> None:
    rows = CsvRows(Mode.LTP, SYMBOLS)
    prices = [*range(20_000), *range(20_000)]
    packets = [changed(RELIANCE_LTP, at_43=price) for price in prices]
    written = rows.encode(RECEIVED_NS, packets).decode().splitlines()
    assert [int(row.rpartition(",")[2].replace(".", "")) for row in written] == prices
