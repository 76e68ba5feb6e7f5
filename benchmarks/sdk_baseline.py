"""What a user does today: the official SDK's client and decoder, and csv.DictWriter.

    python benchmarks/sdk_baseline.py [--flush] PORT COUNT TOKEN...

writes COUNT ticks (0: until it is ended) as CSV on stdout, prices in rupees and times in ISO 8601,
block-buffered, or with a flush a line as whoever reads a pipe needs it.
Importing the SDK asks a public service for this machine's address; that call is cut off.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest import mock

IST = timezone(timedelta(hours=5, minutes=30))
MODES = {1: "ltp", 2: "quote", 3: "snap"}
QUOTE_COLUMNS = {
    "last_quantity": ("last_traded_quantity", 1),
    "average_price": ("average_traded_price", 100),
    "volume": ("volume_trade_for_the_day", 1),
    "total_buy_quantity": ("total_buy_quantity", 1),
    "total_sell_quantity": ("total_sell_quantity", 1),
    "open": ("open_price_of_the_day", 100),
    "high": ("high_price_of_the_day", 100),
    "low": ("low_price_of_the_day", 100),
    "close": ("closed_price", 100),
}
SNAP_COLUMNS = {
    "open_interest": ("open_interest", 1),
    "oi_change_percent": ("open_interest_change_percentage", 1),
    "upper_circuit": ("upper_circuit_limit", 100),
    "lower_circuit": ("lower_circuit_limit", 100),
    "high_52w": ("52_week_high_price", 100),
    "low_52w": ("52_week_low_price", 100),
}


def row_of(data: dict[str, Any]) -> dict[str, object]:
    """The same columns as ours, from the SDK's dictionary."""
    mode = data["subscription_mode"]
    sent = datetime.fromtimestamp(data["exchange_timestamp"] / 1000, IST)
    row: dict[str, object] = {
        "received_at": datetime.now(IST).isoformat(timespec="microseconds"),
        "exchange_time": sent.isoformat(timespec="milliseconds"),
        "exchange": "NSE",
        "symbol": data["token"],
        "token": data["token"],
        "mode": MODES[mode],
        "sequence": data["sequence_number"],
        "ltp": data["last_traded_price"] / 100,
    }
    for name, (key, scale) in QUOTE_COLUMNS.items() if mode >= 2 else ():
        row[name] = data[key] / scale if scale > 1 else data[key]
    if mode == 3:
        traded = datetime.fromtimestamp(data["last_traded_timestamp"], IST)
        row["last_trade_time"] = traded.isoformat(timespec="seconds")
        for name, (key, scale) in SNAP_COLUMNS.items():
            row[name] = data[key] / scale if scale > 1 else data[key]
        for side, key in (("bid", "best_5_buy_data"), ("ask", "best_5_sell_data")):
            for number, level in enumerate(data[key], 1):
                row[f"{side}{number}_price"] = level["price"] / 100
                row[f"{side}{number}_quantity"] = level["quantity"]
                row[f"{side}{number}_orders"] = level["no of orders"]
    return row


def main() -> None:
    flushes = sys.argv[1] == "--flush"
    port, wanted, *tokens = sys.argv[2 if flushes else 1 :]
    folder = tempfile.mkdtemp()
    os.chdir(folder)  # the SDK makes a folder called logs where it stands
    with mock.patch("requests.get", return_value=mock.Mock(text="")):
        from SmartApi.smartWebSocketV2 import SmartWebSocketV2
    writer: csv.DictWriter[str] | None = None
    count = 0
    SmartWebSocketV2.ROOT_URI = f"ws://127.0.0.1:{port}/smart-stream"
    feed = SmartWebSocketV2("jwt", "key", "code", "feed")

    def on_data(_app: object, data: dict[str, Any]) -> None:
        nonlocal writer, count
        row = row_of(data)
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
        count += 1
        if flushes:
            sys.stdout.flush()
        if count == int(wanted):
            sys.stdout.flush()
            os._exit(0)

    def on_open(_app: object) -> None:
        feed.subscribe("baseline", 1, [{"exchangeType": 1, "tokens": tokens}])

    feed.on_data, feed.on_open = on_data, on_open
    feed.connect()


if __name__ == "__main__":
    main()
