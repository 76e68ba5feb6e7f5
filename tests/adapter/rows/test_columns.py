"""The columns are those that docs/row-format.md lists."""

from __future__ import annotations

from ticks.adapter.rows.columns import columns, csv_header
from ticks.adapter.tick import Mode


def test_the_header_lists_the_columns_of_the_design() -> None:
    ltp = "received_at,exchange_time,exchange,symbol,token,mode,sequence,ltp"
    quote = (
        ",last_quantity,average_price,volume,total_buy_quantity,total_sell_quantity"
        ",open,high,low,close"
    )
    snap = (
        ",last_trade_time,open_interest,oi_change_percent,upper_circuit,lower_circuit"
        ",high_52w,low_52w"
        ",bid1_price,bid1_quantity,bid1_orders,bid2_price,bid2_quantity,bid2_orders"
        ",bid3_price,bid3_quantity,bid3_orders,bid4_price,bid4_quantity,bid4_orders"
        ",bid5_price,bid5_quantity,bid5_orders"
        ",ask1_price,ask1_quantity,ask1_orders,ask2_price,ask2_quantity,ask2_orders"
        ",ask3_price,ask3_quantity,ask3_orders,ask4_price,ask4_quantity,ask4_orders"
        ",ask5_price,ask5_quantity,ask5_orders"
    )
    assert csv_header(Mode.LTP).decode() == ltp + "\n"
    assert csv_header(Mode.QUOTE).decode() == ltp + quote + "\n"
    assert csv_header(Mode.SNAP).decode() == ltp + quote + snap + "\n"
    assert ",".join(columns(Mode.SNAP)) == ltp + quote + snap
