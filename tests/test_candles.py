"""Candles against pandas, row for row: of a real day, and of made ones with everything that comes.

The real day is NIFTY's 2022-11-10, every 23rd second of it from the pre-open to the last packet,
and every second at the opening and the close.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ticks.adapter.files.event_file import read_history
from ticks.adapter.files.inputs import Input, OnDamage
from ticks.adapter.files.recording import open_recording, raise_damage
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.rows.encode import CsvRows
from ticks.adapter.rows.format import Csv
from ticks.adapter.sinks.blindness import Blindness
from ticks.adapter.sinks.candles import BarPlan, open_recorded_candle_sink
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.packet import encode_packet

NIFTY_DAY = Path(__file__).parent / "data" / "nifty-2022-11-10.csv.gz"
WIDTHS = pytest.mark.parametrize(
    ("width_s", "frequency"),
    [
        (60, "1min"),
        (900, "15min"),
        (3600, "1h"),
        (4500, "75min"),
        (7500, "125min"),
        (86_400, "24h"),
    ],
)
NO_DAMAGE: OnDamage = raise_damage


def ignored(text: str) -> None:
    """Notes are not looked at here."""


def candles(
    recording: Path,
    path: Path,
    width_s: int,
    *,
    events: tuple[Path, ...] = (),
    note: Callable[[str], None] = ignored,
) -> pd.DataFrame:
    """The bars of a recording as they are in the file, which is appended to."""
    calendar = MarketCalendar()
    histories = [read_history(str(each), on_damage=NO_DAMAGE) for each in events]
    plan = BarPlan(width_s, calendar, lambda: Blindness(histories, calendar))
    sink = open_recorded_candle_sink(str(path), Csv(Mode.QUOTE), plan, note=note)
    for block in open_recording(Input(str(recording)), NO_DAMAGE).blocks():
        sink.write_block(block)
        sink.flush()
    sink.close()
    return pd.read_csv(path, parse_dates=["bar_time"], dtype={"token": str})


def resampled(ticks: pd.DataFrame, frequency: str, origin: str) -> pd.DataFrame:
    """The bars that pandas makes of trades."""
    times = ticks.set_index(pd.to_datetime(ticks["exchange_time"]))
    bins = times.resample(frequency, origin=pd.Timestamp(origin), label="left", closed="left")
    bars = bins["ltp"].agg(open="first", high="max", low="min", close="last", ticks="size")
    if "traded" in times:
        bars["volume"] = bins["traded"].sum()
    bars = bars[bars["ticks"] > 0]
    return bars.rename_axis("bar_time").reset_index()


def assert_same(bars: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Row for row and cell for cell."""
    pd.testing.assert_frame_equal(
        bars[list(expected)].reset_index(drop=True),
        expected,
        check_dtype=False,
        check_index_type=False,
        check_freq=False,
        check_exact=True,
    )


@WIDTHS
def test_a_real_day_has_the_bars_that_pandas_makes(
    tmp_path: Path, width_s: int, frequency: str
) -> None:
    ticks = pd.read_csv(NIFTY_DAY)
    trades = ticks[ticks["exchange_time"] >= "2022-11-10T09:15"]
    assert 0 < len(trades) < len(ticks)
    expected = resampled(trades, frequency, "2022-11-10T09:15:00+05:30")
    bars = candles(NIFTY_DAY, tmp_path / "bars.csv", width_s)
    assert_same(bars, expected)
    assert bars["volume"].isna().all()
    assert bars["blind_s"].isna().all()


def made_day(path: Path, seed: int) -> None:
    """A day of three instruments of two segments, received with all that a feed sends."""
    draw = random.Random(seed)
    exchanges = {(1, "2885"): "09:15:00", (1, "11536"): "09:15:00", (5, "430268"): "09:00:00"}
    packets = []
    for (exchange_type, token), opening in exchanges.items():
        start_ms = round(pd.Timestamp(f"2026-11-20T{opening}+05:30").timestamp() * 1000)

        def tick(
            exchange_ms: int,
            price: int,
            volume: int,
            late_ms: int,
            exchange_type: int = exchange_type,
            token: str = token,
        ) -> Tick:
            received_ns = (exchange_ms + late_ms) * 10**6
            head = Tick(received_ns, Mode.QUOTE, exchange_type, token, "", 0, exchange_ms, price)
            return head._replace(
                last_quantity=1,
                average_traded_price=price,
                volume=volume,
                total_buy_quantity=1.0,
                total_sell_quantity=1.0,
                open_price=1,
                high_price=1,
                low_price=1,
                close_price=1,
            )

        yesterday_ms = start_ms - 20 * 3_600_000
        packets.append(tick(yesterday_ms, 99, 10**6, 20 * 3_600_000 - 900_000))
        packets.append(tick(start_ms - 600_000, 0, 0, 5))
        second, received_ms = 0, 0
        price, volume = draw.randrange(10_000, 900_000), draw.choice([0, 5000])
        while second < 6 * 3600:
            price += draw.randrange(-50, 51) * 5
            volume += draw.randrange(0, 40)
            exchange_ms = start_ms + second * 1000
            received_ms = max(received_ms, exchange_ms + draw.randrange(900)) + 1
            packets.append(tick(exchange_ms, price, volume, received_ms - exchange_ms))
            if draw.random() < 0.01:
                packets.append(tick(exchange_ms + 50 * 60_000, 1, 1, -50 * 60_000))
            if draw.random() < 0.02:  # a new connection sends what is known
                packets.append(tick(exchange_ms, price, volume, draw.randrange(2001, 2900)))
                second += 3
            second += draw.choice([0, 1, 1, 2, 3, 60, 200])
    packets.sort(key=lambda tick: tick.received_ns)
    rows = CsvRows(Mode.QUOTE, {key: f"S{key[1]}" for key in exchanges})
    text = [rows.encode(tick.received_ns, [encode_packet(tick)]) for tick in packets]
    path.write_bytes(Csv(Mode.QUOTE).header + b"".join(text))


@pytest.mark.parametrize("seed", [1, 2])
@WIDTHS
def test_a_made_day_has_the_bars_that_pandas_makes_of_its_trades(
    tmp_path: Path, seed: int, width_s: int, frequency: str
) -> None:
    made_day(tmp_path / "day.csv", seed)
    bars = candles(tmp_path / "day.csv", tmp_path / "bars.csv", width_s)
    ticks = pd.read_csv(tmp_path / "day.csv", dtype={"token": str})
    delay = pd.to_datetime(ticks["received_at"]) - pd.to_datetime(ticks["exchange_time"])
    usual = (delay >= pd.Timedelta(0)) & (delay < pd.Timedelta("2s"))
    trades = ticks[usual & (ticks["ltp"] > 0)].copy()
    trades["traded"] = trades.groupby("token")["volume"].transform(
        lambda volumes: volumes.diff().fillna(volumes.iloc[0])
    )
    assert len(trades) < len(ticks) - 10
    for token, opening in {"2885": "09:15", "11536": "09:15", "430268": "09:00"}.items():
        origin = f"2026-11-20T{opening}:00+05:30"
        expected = resampled(trades[trades["token"] == token], frequency, origin)
        assert_same(bars[bars["token"] == token], expected)


@WIDTHS
def test_what_is_appended_again_is_not_there_twice(
    tmp_path: Path, width_s: int, frequency: str
) -> None:
    made_day(tmp_path / "day.csv", 3)
    once = candles(tmp_path / "day.csv", tmp_path / "bars.csv", width_s)
    notes: list[str] = []
    twice = candles(tmp_path / "day.csv", tmp_path / "bars.csv", width_s, note=notes.append)
    pd.testing.assert_frame_equal(once, twice)
    assert any("there already" in note for note in notes), frequency
    other = candles(NIFTY_DAY, tmp_path / "bars.csv", width_s)
    assert len(other) > len(once)
    assert not other.duplicated(["bar_time", "exchange", "token"]).any()
