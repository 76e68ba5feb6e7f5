"""When the last session of each segment ended: the date of a closed market's packets.

Source: protocol.md, "Market hours" and "Snapshots and exchange time". Holidays are not known here:
the last session was on the last working day before today.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from ..clock import IST
from ..instrument import BFO, BSE, CDS, MCX, NCO, NFO, NSE
from .expiries import working_day

_ENDS = {
    NSE: time(15, 29, 59),
    BSE: time(15, 29, 59),
    NFO: time(15, 39, 59),
    BFO: time(15, 39, 59),
    MCX: time(23, 29, 59),
    NCO: time(23, 29, 59),
    CDS: time(16, 59, 59),
}


def last_session_end_s(exchange_type: int, wall_s: float) -> int:
    """The last second of the segment's session of the last working day before that of `wall_s`.

    Both are seconds since the epoch.
    """
    today = datetime.fromtimestamp(wall_s, IST).date()
    day = working_day(today - timedelta(days=1))
    return int(datetime.combine(day, _ENDS[exchange_type], IST).timestamp())
