"""Binary packets of the feed: bytes to `Tick` and back.

Source: protocol.md, "Binary packets". One WebSocket message is one packet is one instrument, all
little endian. `FIELDS` is the one table of offsets; everything else here is made from it.

Rules
- A packet longer than its mode asks for is accepted (fields to come are ignored); a shorter one,
  or one of an unknown mode, is malformed.
- The token ends at its first NUL; what follows can be garbage.
- Depth items are routed by their flag (1 buy, 0 sell), never by position alone. An item that is all
  zero is an empty level at its position. Where the flags cannot fill five and five, the documented
  positions decide.
- `encode_packet` writes the canonical packet: zeros after the token, five buys, then five sells.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ..errors import PacketError
from ..tick import Level, Mode, Tick


class Field(NamedTuple):
    """One row of the packet table: a field's offset, struct code and unit."""

    name: str
    offset: int
    code: str
    unit: str


TOKEN_SIZE = 25

HEAD_FIELDS = (
    Field("mode", 0, "B", "1 ltp, 2 quote, 3 snap quote"),
    Field("exchange_type", 1, "B", "segment: 1 nse_cm, 2 nse_fo, 3 bse_cm, 4 bse_fo, ..."),
    Field("token", 2, f"{TOKEN_SIZE}s", "UTF-8, cut at the first NUL"),
    Field("sequence", 27, "q", "grows over a whole exchange feed; meaningless for indices"),
    Field("exchange_time_ms", 35, "q", "milliseconds since the epoch"),
    Field("last_price", 43, "q", "price unit"),
)
QUOTE_FIELDS = (
    Field("last_quantity", 51, "q", "shares or contracts"),
    Field("average_traded_price", 59, "q", "price unit"),
    Field("volume", 67, "q", "shares or contracts since the day began"),
    Field("total_buy_quantity", 75, "d", "shares or contracts"),
    Field("total_sell_quantity", 83, "d", "shares or contracts"),
    Field("open_price", 91, "q", "price unit"),
    Field("high_price", 99, "q", "price unit"),
    Field("low_price", 107, "q", "price unit"),
    Field("close_price", 115, "q", "price unit; of the previous session while trading"),
)
SNAP_FIELDS = (
    Field("last_trade_time_s", 123, "q", "seconds since the epoch"),
    Field("open_interest", 131, "q", "contracts; non-zero even for cash scrips"),
    Field("oi_change_percent", 139, "d", "percent, documented as unreliable; the SDK reads an i64"),
    Field("best_five", 147, "200s", "10 x i16 flag, i64 quantity, i64 price, u16 orders"),
    Field("upper_circuit_price", 347, "q", "price unit"),
    Field("lower_circuit_price", 355, "q", "price unit"),
    Field("high_52w_price", 363, "q", "price unit"),
    Field("low_52w_price", 371, "q", "price unit"),
)
FIELDS: dict[Mode, tuple[Field, ...]] = {
    Mode.LTP: HEAD_FIELDS,
    Mode.QUOTE: HEAD_FIELDS + QUOTE_FIELDS,
    Mode.SNAP: HEAD_FIELDS + QUOTE_FIELDS + SNAP_FIELDS,
}
"""The packets of modes 1-3, field by field, without gaps (checked at import)."""

BUY_FLAG, SELL_FLAG = 1, 0
LEVELS = 5


def _layout(fields: tuple[Field, ...]) -> struct.Struct:
    layout = struct.Struct("<" + "".join(field.code for field in fields))
    offset = 0
    for field in fields:
        if field.offset != offset:
            raise AssertionError(f"packet table: {field.name} is at {offset}, not {field.offset}")
        offset += struct.calcsize("<" + field.code)
    return layout


LAYOUTS: dict[Mode, struct.Struct] = {mode: _layout(fields) for mode, fields in FIELDS.items()}
PACKET_SIZES: dict[int, int] = {mode: layout.size for mode, layout in LAYOUTS.items()}
"""Bytes of a whole packet by its mode: 51, 123, 379. Mode 4 (depth) is not among them: the broker
withdrew it on 2025-04-25, so a packet that claims it is malformed like any unknown mode."""

_LAST_PRICE, _CLOSE_PRICE = (
    next(field.offset for field in FIELDS[Mode.QUOTE] if field.name == name)
    for name in ("last_price", "close_price")
)
_PRICE = struct.Struct("<q")

BEST_FIVE = struct.Struct("<" + "hqqH" * 2 * LEVELS)
"""The ten items of the best five: flag, quantity, price, orders."""
_NO_ITEM = (0, 0, 0, 0)


def malformed_reason(packet: bytes) -> str | None:
    """Why these bytes are not a packet (`length`, `mode`), or None when they are one."""
    if not packet:
        return "length"
    size = PACKET_SIZES.get(packet[0])
    if size is None:
        return "mode"
    return None if len(packet) >= size else "length"


def price_and_close(packet: bytes) -> tuple[int, int]:
    """Last and closing price of a whole packet, in its price unit; a close of 0 where it has none.

    For comparing thousands of packets without decoding them.
    """
    (price,) = _PRICE.unpack_from(packet, _LAST_PRICE)
    if len(packet) < PACKET_SIZES[Mode.QUOTE]:
        return price, 0
    return price, _PRICE.unpack_from(packet, _CLOSE_PRICE)[0]


def decode_packet(packet: bytes, *, received_ns: int = 0, symbol: str = "") -> Tick:
    """The tick in `packet` (modes 1-3).

    `received_ns` and `symbol` are what the packet itself does not carry.
    Raises PacketError for a short packet, an unknown mode or a token that is not UTF-8.
    """
    reason = malformed_reason(packet)
    if reason is not None:
        raise PacketError(f"{len(packet)} bytes that are not a packet ({reason})", reason=reason)
    mode = Mode(packet[0])
    token = token_text(packet[2:27])
    _, exchange_type, _, *rest = LAYOUTS[mode].unpack_from(packet)
    head = (received_ns, mode, exchange_type, token, symbol)
    if mode is not Mode.SNAP:
        return Tick(*head, *rest)
    bids, asks = split_best_five(rest[15])
    return Tick._make((*head, *rest[:15], *rest[16:], bids, asks))


def encode_packet(tick: Tick) -> bytes:
    """The canonical packet of a tick of modes 1-3: zeros after the token, buys before sells.

    Raises PacketError when a field is missing, out of its range, or the token is over 25 bytes.
    """
    mode = tick.mode
    if mode is Mode.DEPTH:
        raise PacketError("mode 4 (depth) was withdrawn and has no packet", reason="mode")
    values = [
        join_best_five(tick.bids, tick.asks)
        if field.name == "best_five"
        else getattr(tick, field.name)
        for field in FIELDS[mode][3:]
    ]
    try:
        return LAYOUTS[mode].pack(mode, tick.exchange_type, _token_bytes(tick.token), *values)
    except struct.error as error:
        raise PacketError(f"a field does not fit its packet: {error}", reason="range") from error


def token_text(padded: bytes) -> str:
    """The token in its 25 bytes. Raises PacketError when it is not UTF-8."""
    raw = padded.partition(b"\0")[0]
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise PacketError(f"token {raw!r} is not UTF-8", reason="token") from error


def _token_bytes(token: str) -> bytes:
    raw = token.encode()
    if len(raw) > TOKEN_SIZE or b"\0" in raw:
        raise PacketError(f"token {token!r} does not fit 25 bytes", reason="token")
    return raw


def split_best_five(block: bytes) -> tuple[tuple[Level | None, ...], tuple[Level | None, ...]]:
    """The bids and the asks in the 200 bytes of the best five, five each; None: empty level."""
    flat = BEST_FIVE.unpack(block)
    items = [flat[i : i + 4] for i in range(0, len(flat), 4)]
    buys, sells = items[:LEVELS], items[LEVELS:]
    in_place = all(item[0] == BUY_FLAG or item == _NO_ITEM for item in buys) and all(
        item[0] == SELL_FLAG for item in sells
    )
    if not in_place:
        by_flag = _routed_by_flag(items)
        if by_flag is not None:
            buys, sells = by_flag
    return tuple(map(_level, buys)), tuple(map(_level, sells))


def _routed_by_flag(
    items: list[tuple[int, ...]],
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]] | None:
    present = [item for item in items if item != _NO_ITEM]
    buys = [item for item in present if item[0] == BUY_FLAG]
    sells = [item for item in present if item[0] == SELL_FLAG]
    if len(buys) + len(sells) < len(present) or max(len(buys), len(sells)) > LEVELS:
        return None
    return (
        buys + [_NO_ITEM] * (LEVELS - len(buys)),
        sells + [_NO_ITEM] * (LEVELS - len(sells)),
    )


def _level(item: tuple[int, ...]) -> Level | None:
    return None if item == _NO_ITEM else Level(*item[1:])


def join_best_five(bids: tuple[Level | None, ...], asks: tuple[Level | None, ...]) -> bytes:
    """The 200 bytes of the best five. Raises PacketError unless there are five and five levels."""
    if len(bids) != LEVELS or len(asks) != LEVELS:
        raise PacketError(
            f"{len(bids)} bids and {len(asks)} asks, not {LEVELS} and {LEVELS}", reason="range"
        )
    values: list[int] = []
    for flag, levels in ((BUY_FLAG, bids), (SELL_FLAG, asks)):
        for level in levels:
            values += _NO_ITEM if level is None else (flag, *level)
    try:
        return BEST_FIVE.pack(*values)
    except struct.error as error:
        raise PacketError(f"a level does not fit its packet: {error}", reason="range") from error
