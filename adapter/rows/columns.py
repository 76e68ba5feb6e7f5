"""The columns of a recording. What each holds: docs/row-format.md."""

from __future__ import annotations

from ..tick import Mode
from ..wire.packet import LEVELS

_HEAD_COLUMNS = (
    "received_at",
    "exchange_time",
    "exchange",
    "symbol",
    "token",
    "mode",
    "sequence",
    "ltp",
)
QUOTE_COLUMNS = (
    "last_quantity",
    "average_price",
    "volume",
    "total_buy_quantity",
    "total_sell_quantity",
    "open",
    "high",
    "low",
    "close",
)
SNAP_COLUMNS = (
    "last_trade_time",
    "open_interest",
    "oi_change_percent",
    "upper_circuit",
    "lower_circuit",
    "high_52w",
    "low_52w",
)
DEPTH_COLUMNS = tuple(
    f"{side}{number}_{part}"
    for side in ("bid", "ask")
    for number in range(1, LEVELS + 1)
    for part in ("price", "quantity", "orders")
)
_COLUMNS = {
    Mode.LTP: _HEAD_COLUMNS,
    Mode.QUOTE: _HEAD_COLUMNS + QUOTE_COLUMNS,
    Mode.SNAP: _HEAD_COLUMNS + QUOTE_COLUMNS + SNAP_COLUMNS + DEPTH_COLUMNS,
}


def columns(mode: Mode) -> tuple[str, ...]:
    """The CSV columns of a recording of `mode` (ltp, quote or snap), in order."""
    return _COLUMNS[mode]


def csv_header(mode: Mode) -> bytes:
    """The first line of a CSV recording of `mode`, with its line end."""
    return ",".join(_COLUMNS[mode]).encode() + b"\n"
