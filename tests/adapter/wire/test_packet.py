"""Packets: the real ones, every wrong one, every possible one, and the official SDK's decoder."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticks.adapter.clock import IST
from ticks.adapter.errors import PacketError
from ticks.adapter.tick import Level, Mode, Tick
from ticks.adapter.wire.packet import (
    BEST_FIVE,
    FIELDS,
    PACKET_SIZES,
    decode_packet,
    encode_packet,
    malformed_reason,
    price_and_close,
)

CAPTURED = json.loads(
    Path(__file__).with_name("captured_packets.json").read_text(encoding="utf-8")
)["packets"]

SNAP = bytes.fromhex(CAPTURED[1]["hex"])
WHOLE: dict[Mode, bytes] = {
    Mode.LTP: b"\x01" + SNAP[1:51],
    Mode.QUOTE: b"\x02" + SNAP[1:123],
    Mode.SNAP: SNAP,
}
each_mode = pytest.mark.parametrize("packet", WHOLE.values(), ids=[mode.label for mode in WHOLE])

Item = tuple[int, int, int, int]
EMPTY: Item = (0, 0, 0, 0)


def buy(n: int) -> Item:
    return (1, n, 1000 - n, n)


def sell(n: int) -> Item:
    return (0, n, 1000 + n, n)


def with_best_five(items: list[Item]) -> bytes:
    """A snap packet with these ten depth items."""
    block = BEST_FIVE.pack(*(value for item in items for value in item))
    return SNAP[:147] + block + SNAP[347:]


def with_token(packet: bytes, padded: bytes) -> bytes:
    """The packet with these 25 bytes as its token field."""
    assert len(padded) == 25
    return packet[:2] + padded + packet[27:]


# --- the real ones -------------------------------------------------------------------------------


@pytest.mark.parametrize("captured", CAPTURED, ids=[c["name"] for c in CAPTURED])
def test_a_real_packet_decodes_to_its_published_fields(captured: dict[str, Any]) -> None:
    tick = decode_packet(bytes.fromhex(captured["hex"]), received_ns=7, symbol="S")
    expected = {"received_ns": 7, "symbol": "S", **captured["fields"]}
    for side in ("bids", "asks"):
        expected[side] = tuple(Level(*level) for level in expected.get(side, ()))
    assert tick == Tick(**expected)
    assert type(tick.mode) is Mode


@pytest.mark.parametrize("captured", CAPTURED, ids=[c["name"] for c in CAPTURED])
def test_a_real_packet_is_written_back_byte_for_byte(captured: dict[str, Any]) -> None:
    packet = bytes.fromhex(captured["hex"])
    assert encode_packet(decode_packet(packet)) == packet


def test_a_real_packet_shows_rupees_and_indian_time() -> None:
    tick = decode_packet(SNAP)
    assert (tick.exchange, tick.ltp) == ("NSE", Decimal("1907.35"))
    assert tick.high_52w == Decimal("2006.45")
    assert tick.exchange_time == datetime(2024, 12, 26, 13, 54, 24, tzinfo=IST)


# --- the table -----------------------------------------------------------------------------------


def test_packets_have_the_sizes_of_the_wire() -> None:
    assert PACKET_SIZES == {1: 51, 2: 123, 3: 379}


@pytest.mark.parametrize("mode", FIELDS)
def test_every_field_has_a_unit_and_its_place_in_the_tick(mode: Mode) -> None:
    assert all(field.unit for field in FIELDS[mode])
    assert {field.name for field in FIELDS[mode]} - {"best_five"} <= set(Tick._fields)


# --- wrong ones ----------------------------------------------------------------------------------


@each_mode
def test_a_packet_cut_at_any_length_is_refused(packet: bytes) -> None:
    for size in range(len(packet)):
        assert malformed_reason(packet[:size]) == "length", size
        with pytest.raises(PacketError) as caught:
            decode_packet(packet[:size])
        assert caught.value.reason == "length"


@each_mode
def test_a_longer_packet_is_taken_without_what_follows(packet: bytes) -> None:
    assert malformed_reason(packet + b"\xff" * 40) is None
    assert decode_packet(packet + b"\xff" * 40) == decode_packet(packet)


@pytest.mark.parametrize("mode", [0, 5, 49, 255])
def test_an_unknown_mode_is_refused(mode: int) -> None:
    packet = bytes([mode]) + bytes(500)
    assert malformed_reason(packet) == "mode"
    with pytest.raises(PacketError) as caught:
        decode_packet(packet)
    assert caught.value.reason == "mode"


@pytest.mark.parametrize("exchange_type", [0, 6, 14, 255])
def test_an_unknown_exchange_type_is_a_number(exchange_type: int) -> None:
    tick = decode_packet(bytes([1, exchange_type]) + SNAP[2:51])
    assert (tick.exchange_type, tick.exchange) == (exchange_type, str(exchange_type))


@each_mode
def test_garbage_behind_the_tokens_nul_is_ignored(packet: bytes) -> None:
    garbage = with_token(packet, b"1594\0\xff\xfe junk" + b"\x80" * 13)
    assert decode_packet(garbage) == decode_packet(packet)


@each_mode
def test_a_token_may_fill_its_field_or_be_empty(packet: bytes) -> None:
    assert decode_packet(with_token(packet, b"7" * 25)).token == "7" * 25
    assert decode_packet(with_token(packet, bytes(25))).token == ""


@each_mode
def test_a_token_that_is_not_utf8_is_refused(packet: bytes) -> None:
    with pytest.raises(PacketError) as caught:
        decode_packet(with_token(packet, b"15\xff4".ljust(25, b"\0")))
    assert caught.value.reason == "token"


@each_mode
@pytest.mark.parametrize("token", ["7" * 26, "é" * 13, "15\x0094"])
def test_a_token_that_does_not_fit_is_not_written(packet: bytes, token: str) -> None:
    with pytest.raises(PacketError) as caught:
        encode_packet(decode_packet(packet)._replace(token=token))
    assert caught.value.reason == "token"


@pytest.mark.parametrize(
    ("packet", "changes"),
    [
        (WHOLE[Mode.LTP], {"last_price": 1 << 63}),
        (WHOLE[Mode.LTP], {"exchange_type": 256}),
        (WHOLE[Mode.QUOTE], {"volume": None}),
        (SNAP, {"oi_change_percent": None}),
        (SNAP, {"bids": ()}),
        (SNAP, {"asks": (None,) * 6}),
        (SNAP, {"bids": (Level(1, 1, 1 << 16),) + (None,) * 4}),
    ],
)
def test_a_tick_that_fits_no_packet_is_not_written(packet: bytes, changes: dict[str, Any]) -> None:
    with pytest.raises(PacketError) as caught:
        encode_packet(decode_packet(packet)._replace(**changes))
    assert caught.value.reason == "range"


# --- depth ---------------------------------------------------------------------------------------

FIVE_BUYS = [buy(n) for n in range(1, 6)]
FIVE_SELLS = [sell(n) for n in range(1, 6)]


def level(item: Item) -> Level | None:
    return None if item == EMPTY else Level(*item[1:])


@pytest.mark.parametrize(
    ("items", "bids", "asks"),
    [
        pytest.param(FIVE_BUYS + FIVE_SELLS, FIVE_BUYS, FIVE_SELLS, id="as documented"),
        pytest.param(FIVE_SELLS + FIVE_BUYS, FIVE_BUYS, FIVE_SELLS, id="sides swapped"),
        pytest.param(
            [i for pair in zip(FIVE_BUYS, FIVE_SELLS, strict=True) for i in pair],
            FIVE_BUYS,
            FIVE_SELLS,
            id="sides in turn",
        ),
        pytest.param(
            [buy(1), EMPTY, buy(3), EMPTY, EMPTY, EMPTY, sell(2), EMPTY, EMPTY, sell(5)],
            [buy(1), EMPTY, buy(3), EMPTY, EMPTY],
            [EMPTY, sell(2), EMPTY, EMPTY, sell(5)],
            id="empty levels stay at their positions",
        ),
        pytest.param([EMPTY] * 10, [EMPTY] * 5, [EMPTY] * 5, id="an empty book"),
        pytest.param(
            [sell(1), EMPTY, sell(3), EMPTY, EMPTY, EMPTY, buy(2), EMPTY, EMPTY, EMPTY],
            [buy(2), EMPTY, EMPTY, EMPTY, EMPTY],
            [sell(1), sell(3), EMPTY, EMPTY, EMPTY],
            id="swapped with empty levels: best first",
        ),
        pytest.param(
            [*FIVE_BUYS, buy(6), *FIVE_SELLS[:4]],
            FIVE_BUYS,
            [buy(6), *FIVE_SELLS[:4]],
            id="six buys: the positions decide",
        ),
        pytest.param(
            [sell(9), *FIVE_BUYS[:4], *FIVE_SELLS],
            [sell(9), *FIVE_BUYS[:4]],
            FIVE_SELLS,
            id="six sells: the positions decide",
        ),
        pytest.param(
            [*FIVE_BUYS[:3], EMPTY, EMPTY, FIVE_BUYS[3], *FIVE_SELLS[:4]],
            [*FIVE_BUYS[:4], EMPTY],
            [*FIVE_SELLS[:4], EMPTY],
            id="a buy among the sells",
        ),
        pytest.param(
            [(2, 8, 8, 8), *FIVE_SELLS[:4], *FIVE_BUYS],
            [(2, 8, 8, 8), *FIVE_SELLS[:4]],
            FIVE_BUYS,
            id="an unknown flag: the positions decide",
        ),
        pytest.param(
            [(-1, 8, 8, 8), *[EMPTY] * 9],
            [(-1, 8, 8, 8), *[EMPTY] * 4],
            [EMPTY] * 5,
            id="a negative flag: the positions decide",
        ),
    ],
)
def test_depth_goes_to_the_side_of_its_flag(
    items: list[Item], bids: list[Item], asks: list[Item]
) -> None:
    tick = decode_packet(with_best_five(items))
    assert tick.bids == tuple(map(level, bids))
    assert tick.asks == tuple(map(level, asks))


def test_orders_are_unsigned() -> None:
    items = [(1, 1, 1, 65535), *FIVE_BUYS[1:], *FIVE_SELLS]
    assert decode_packet(with_best_five(items)).bids[0] == Level(1, 1, 65535)


def test_depth_is_written_as_five_buys_and_five_sells_whatever_its_order_was() -> None:
    documented, swapped = with_best_five(FIVE_BUYS + FIVE_SELLS), FIVE_SELLS + FIVE_BUYS
    assert encode_packet(decode_packet(with_best_five(swapped))) == documented


@pytest.mark.parametrize("mode", [Mode.LTP, Mode.QUOTE, Mode.SNAP])
def test_price_and_close_are_those_of_the_whole_tick(mode: Mode) -> None:
    tick = decode_packet(WHOLE[mode])
    assert price_and_close(WHOLE[mode]) == (tick.last_price, tick.close_price or 0)


def test_what_is_not_given_with_a_packet_is_empty() -> None:
    tick = decode_packet(WHOLE[Mode.LTP])
    assert (tick.received_ns, tick.symbol) == (0, "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": Mode.DEPTH}, "mode 4 (depth) was withdrawn and has no packet"),
        ({"token": "x" * 26}, f"token {'x' * 26!r} does not fit 25 bytes"),
        ({"bids": (None,) * 4}, "4 bids and 5 asks, not 5 and 5"),
        ({"asks": (None,) * 6}, "5 bids and 6 asks, not 5 and 5"),
        ({"sequence": 2**63}, "a field does not fit its packet: "),
        ({"bids": (Level(1, 2, 65536), *(None,) * 4)}, "a level does not fit its packet: "),
    ],
)
def test_a_tick_without_a_packet_says_why(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(PacketError) as caught:
        encode_packet(decode_packet(SNAP)._replace(**changes))
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (b"\x01" * 50, "50 bytes that are not a packet (length)"),
        (b"\x01\x01\xff".ljust(51, b"\0"), r"token b'\xff' is not UTF-8"),
    ],
)
def test_bytes_without_a_tick_say_why(packet: bytes, words: str) -> None:
    with pytest.raises(PacketError) as caught:
        decode_packet(packet)
    assert str(caught.value) == words


def test_the_longest_token_is_written() -> None:
    tick = decode_packet(SNAP)._replace(token="x" * 25)
    assert decode_packet(encode_packet(tick)) == tick


def test_the_withdrawn_mode_4_has_no_packet_any_more() -> None:
    packet = b"\x04" + bytes(442)
    assert malformed_reason(packet) == "mode"
    with pytest.raises(PacketError) as caught:
        encode_packet(decode_packet(SNAP)._replace(mode=Mode.DEPTH))
    assert caught.value.reason == "mode"


# --- every possible one --------------------------------------------------------------------------

I64 = st.integers(-(1 << 63), (1 << 63) - 1)
DOUBLES = st.floats(allow_nan=True, allow_infinity=True)
TOKENS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=25),
    st.from_regex(r"[0-9]{1,8}", fullmatch=True),
).filter(lambda token: len(token.encode()) <= 25)


def levels(quantity: st.SearchStrategy[int], price: st.SearchStrategy[int]) -> Any:
    orders = st.integers(0, 65535)
    written = st.builds(Level, quantity, price, orders).filter(any)  # all zero is an empty level
    return st.one_of(st.none(), written)


def tuples_of(strategy: Any, count: int) -> Any:
    return st.lists(strategy, min_size=count, max_size=count).map(tuple)


HEAD: dict[str, Any] = {
    "received_ns": st.integers(0, (1 << 63) - 1),
    "exchange_type": st.integers(0, 255),
    "token": TOKENS,
    "symbol": st.text(max_size=5),
    "exchange_time_ms": I64,
}


def _values(mode: Mode) -> dict[str, Any]:
    values: dict[str, Any] = {
        field.name: {"q": I64, "d": DOUBLES}[field.code]
        for field in FIELDS[mode]
        if field.code in "qd"
    }
    if mode is Mode.SNAP:
        values |= {side: tuples_of(levels(I64, I64), 5) for side in ("bids", "asks")}
    return values


TICKS = st.one_of(
    *(
        st.fixed_dictionaries({**HEAD, "mode": st.just(mode), **values}).map(lambda v: Tick(**v))
        for mode, values in ((mode, _values(mode)) for mode in FIELDS)
    )
)


@given(TICKS)
def test_any_tick_comes_back_from_its_packet(tick: Tick) -> None:
    packet = encode_packet(tick)
    assert len(packet) == PACKET_SIZES[tick.mode]
    again = decode_packet(packet, received_ns=tick.received_ns, symbol=tick.symbol)
    assert repr(again) == repr(tick)  # as text: nan is not equal to itself, -0.0 is to 0.0


@st.composite
def canonical_packets(draw: st.DrawFn) -> bytes:
    """Random bytes, but for what makes a canonical packet of modes 1-3."""
    mode = draw(st.sampled_from([Mode.LTP, Mode.QUOTE, Mode.SNAP]))
    size = PACKET_SIZES[mode]
    packet = bytearray(draw(st.binary(min_size=size, max_size=size)))
    packet[0] = mode
    packet[2:27] = draw(TOKENS).encode().ljust(25, b"\0")
    if mode is Mode.SNAP:
        for i in range(10):
            packet[147 + 20 * i : 149 + 20 * i] = struct.pack("<h", 1 if i < 5 else 0)
    return bytes(packet)


@given(canonical_packets())
def test_any_canonical_packet_is_written_back_byte_for_byte(packet: bytes) -> None:
    assert encode_packet(decode_packet(packet)) == packet


@pytest.mark.parametrize("value", [math.inf, -math.inf, 5e-324, 1.7976931348623157e308, -0.0])
def test_a_double_at_its_extremes_survives(value: float) -> None:
    tick = decode_packet(SNAP)._replace(oi_change_percent=value, total_buy_quantity=value)
    again = decode_packet(encode_packet(tick))
    assert str((again.oi_change_percent, again.total_buy_quantity)) == str((value, value))


@given(st.integers(0, 5), st.binary(max_size=500))
def test_random_bytes_decode_or_are_refused_by_name(mode: int, rest: bytes) -> None:
    packet = bytes([mode]) + rest
    reason = malformed_reason(packet)
    try:
        decode_packet(packet)
        outcome = "decoded"
    except PacketError as error:
        outcome = error.reason
    assert outcome in ({"decoded", "token"} if reason is None else {reason})


# --- the official SDK ----------------------------------------------------------------------------

Decoder = Callable[[bytes], dict[str, Any]]

SDK_NAMES = {
    "exchange_type": "exchange_type",
    "token": "token",
    "sequence_number": "sequence",
    "exchange_timestamp": "exchange_time_ms",
    "last_traded_price": "last_price",
    "last_traded_quantity": "last_quantity",
    "average_traded_price": "average_traded_price",
    "volume_trade_for_the_day": "volume",
    "total_buy_quantity": "total_buy_quantity",
    "total_sell_quantity": "total_sell_quantity",
    "open_price_of_the_day": "open_price",
    "high_price_of_the_day": "high_price",
    "low_price_of_the_day": "low_price",
    "closed_price": "close_price",
    "last_traded_timestamp": "last_trade_time_s",
    "open_interest": "open_interest",
    "upper_circuit_limit": "upper_circuit_price",
    "lower_circuit_limit": "lower_circuit_price",
    "52_week_high_price": "high_52w_price",
    "52_week_low_price": "low_52w_price",
}
SDK_OTHERS = {
    "subscription_mode",
    "subscription_mode_val",
    "open_interest_change_percentage",
    "best_5_buy_data",
    "best_5_sell_data",
}


@pytest.fixture
def sdk_decode(official_sdk: ModuleType) -> Decoder:
    """The SDK's decoder, which needs nothing that its constructor does."""
    feed = official_sdk.SmartWebSocketV2
    decode: Decoder = feed.__new__(feed)._parse_binary_data
    return decode


def sdk_levels(items: list[dict[str, int]]) -> tuple[Level, ...]:
    return tuple(Level(i["quantity"], i["price"], i["no of orders"]) for i in items)


@st.composite
def packets_the_sdk_reads_rightly(draw: st.DrawFn) -> bytes:
    """Modes 1-3, ASCII tokens with garbage behind, ten levels in any order."""
    packet = bytearray(draw(canonical_packets()))
    token = draw(st.text("0123456789abcXYZ-_", max_size=24)).encode() + b"\0"
    packet[2:27] = token + draw(st.binary(min_size=25, max_size=25))[: 25 - len(token)]
    if packet[0] == Mode.SNAP:
        flags = draw(st.permutations([1] * 5 + [0] * 5))
        for i, flag in enumerate(flags):
            packet[147 + 20 * i : 149 + 20 * i] = struct.pack("<h", flag)
            packet[149 + 20 * i] |= 1  # no item is all zero
    return bytes(packet) + draw(st.binary(max_size=20))


# The decoder holds no state, so all examples may share it.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packet=packets_the_sdk_reads_rightly())
def test_the_sdk_decodes_the_same(sdk_decode: Decoder, packet: bytes) -> None:
    theirs, ours = sdk_decode(packet), decode_packet(packet)
    assert theirs.keys() <= SDK_NAMES.keys() | SDK_OTHERS
    assert theirs["subscription_mode"] == ours.mode
    for sdk_name, name in SDK_NAMES.items():
        assert repr(theirs.get(sdk_name)) == repr(getattr(ours, name)), name
    assert sdk_levels(theirs.get("best_5_buy_data", [])) == ours.bids
    assert sdk_levels(theirs.get("best_5_sell_data", [])) == ours.asks


@each_mode
def test_the_sdk_refuses_the_same_cut_packets(sdk_decode: Decoder, packet: bytes) -> None:
    for size in range(len(packet)):
        with pytest.raises(struct.error):
            sdk_decode(packet[:size])


def test_the_sdk_reads_the_change_of_open_interest_as_an_integer(sdk_decode: Decoder) -> None:
    assert sdk_decode(SNAP)["open_interest_change_percentage"] == 4_584_350_709_158_701_777
    assert decode_packet(SNAP).oi_change_percent == 0.030161594577047538


def test_the_sdk_names_the_sides_wrongly_and_swaps_them_back(
    sdk_decode: Decoder, official_sdk: ModuleType
) -> None:
    feed = official_sdk.SmartWebSocketV2
    inner = feed.__new__(feed)._parse_best_5_buy_and_sell_data(SNAP[147:347])
    assert sdk_levels(inner["best_5_buy_data"]) == decode_packet(SNAP).asks
    assert sdk_levels(sdk_decode(SNAP)["best_5_buy_data"]) == decode_packet(SNAP).bids


def test_the_sdk_takes_an_empty_bid_for_an_ask(sdk_decode: Decoder) -> None:
    packet = with_best_five([*FIVE_BUYS[:4], EMPTY, *FIVE_SELLS])
    theirs, ours = sdk_decode(packet), decode_packet(packet)
    assert (len(theirs["best_5_buy_data"]), len(theirs["best_5_sell_data"])) == (4, 6)
    assert sdk_levels(theirs["best_5_sell_data"])[0] == Level(0, 0, 0)
    assert (ours.bids[4], ours.asks[0]) == (None, level(sell(1)))


def test_the_sdk_takes_every_unknown_flag_for_a_buy(sdk_decode: Decoder) -> None:
    packet = with_best_five([*FIVE_BUYS, *FIVE_SELLS[:4], (2, 5, 1005, 5)])
    assert sdk_levels(sdk_decode(packet)["best_5_buy_data"])[5] == Level(5, 1005, 5)
    assert decode_packet(packet).asks[4] == Level(5, 1005, 5)


def test_the_sdk_reads_a_token_byte_by_byte(sdk_decode: Decoder) -> None:
    packet = with_token(WHOLE[Mode.LTP], "é₹".encode().ljust(25, b"\0"))
    assert sdk_decode(packet)["token"] == "é₹".encode().decode("latin-1")
    assert decode_packet(packet).token == "é₹"


def test_the_sdk_reads_a_packet_of_an_unknown_mode_as_an_ltp(sdk_decode: Decoder) -> None:
    packet = b"\x09" + WHOLE[Mode.LTP][1:]
    assert sdk_decode(packet)["last_traded_price"] == 190_735
    assert malformed_reason(packet) == "mode"
