"""What is counted in one pass is what a slow look at all the rows, and pandas, find."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.errors import RecordingError
from ticks.adapter.inspection import tally as tallies
from ticks.adapter.inspection.tally import FROZEN_ROWS, Freeze, Tally
from ticks.adapter.intervals import Interval
from ticks.adapter.rows import block as blocks
from ticks.adapter.rows.block import RecordedBlock, RowBlock
from ticks.adapter.tick import Mode

from .made import (
    DAY_S,
    NIFTY,
    SECOND_US,
    START_US,
    Row,
    csv_block,
    csv_of,
    json_block,
)

ALWAYS: Interval = (0, 1 << 62)


def always(exchange: str, symbol: str, token: str, day: date) -> Sequence[Interval]:
    return [ALWAYS]


def counted(*blocks: RowBlock, least_gap_us: int = SECOND_US) -> Tally:
    tally = Tally(always, least_gap_us=least_gap_us)
    for block in blocks:
        tally.take(block)
    tally.end()
    return tally


ROWS = st.lists(
    st.builds(
        Row,
        at=st.one_of(
            st.integers(0, 4_000).map(lambda tenths: tenths / 10),
            st.integers(0, 3).map(lambda days: days * DAY_S + 5.5),
        ),
        price=st.sampled_from([0, 100, 105]),
        volume=st.sampled_from([0, 5, 9, 10, 100]),
        token=st.sampled_from([NIFTY, "2885"]),
        exchange_type=st.just(1),
        exchanged=st.sampled_from([None, 0.0, 1.0, 50.0, 2.0 * DAY_S]),
        mode=st.just(Mode.QUOTE),
    ),
    min_size=1,
    max_size=40,
)
SPLITS = st.integers(1, 10)


def frame_of(rows: Sequence[Row]) -> pd.DataFrame:
    times = ["received_at", "exchange_time"]
    text = csv_of(rows).decode()
    frame = pd.read_csv(io.StringIO(text), dtype={"token": "string"}, parse_dates=times)
    frame["exchange_time"] = pd.to_datetime(frame["exchange_time"], format="ISO8601")
    frame["received_at"] = pd.to_datetime(frame["received_at"], format="ISO8601")
    return frame


@given(ROWS, SPLITS)
def test_rows_steps_back_and_duplicates_are_those_of_pandas(rows: list[Row], split: int) -> None:
    found = counted(*(csv_block(rows[i : i + split]) for i in range(0, len(rows), split)))
    frame = frame_of(rows)
    instrument = frame.groupby(["exchange", "token"])
    assert found.rows == len(frame)
    assert found.duplicates.count == frame.duplicated().sum()
    assert found.back_received == (frame["received_at"].diff() < pd.Timedelta(0)).sum()
    last = instrument["exchange_time"].ffill()
    steps = last.groupby([frame["exchange"], frame["token"]]).diff()
    assert found.back_exchange == (steps < pd.Timedelta(0)).sum()
    assert len(found.instruments) == instrument.ngroups
    by_minute = {
        (day, number): rows
        for day, counted in found.days.items()
        for number, rows in enumerate(counted.rows_by_minute)
        if rows
    }
    minutes = frame["received_at"].dt.floor("min").value_counts()
    assert by_minute == {
        (at.date(), at.hour * 60 + at.minute): rows for at, rows in minutes.items()
    }


@given(ROWS, SPLITS)
def test_a_volume_steps_back_within_a_day(rows: list[Row], split: int) -> None:
    found = counted(*(csv_block(rows[i : i + split]) for i in range(0, len(rows), split)))
    assert found.back_volume == slow_volume_steps(rows)


def slow_volume_steps(rows: Iterable[Row]) -> int:
    """Steps of an instrument within one day of receiving, unless the exchange's day has changed
    since the volume came that is the larger one."""
    steps = 0
    exchanged: dict[str, int] = {}
    volumes: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        exchanged[row.token] = row.exchange_ms or exchanged.get(row.token, 0)
        exchange_day = (exchanged[row.token] + 19_800_000) // 86_400_000
        day = int(row.at + 9.25 * 3600) // DAY_S
        last_day, volume, since_day = volumes.get(row.token, (day, -1, 0))
        if day == last_day and row.volume < volume:
            steps += exchange_day == since_day
        if day != last_day or row.volume != volume:
            volumes[row.token] = (day, row.volume, exchange_day)
    return steps


def slow_distances(rows: Sequence[Row]) -> list[tuple[int, int]]:
    times = [row.received_ns // 1000 for row in rows]
    return [(a, b) for a, b in pairwise(times) if b - a >= SECOND_US]


@given(ROWS, SPLITS)
def test_every_distance_of_a_second_is_kept(rows: list[Row], split: int) -> None:
    found = counted(*(csv_block(rows[i : i + split]) for i in range(0, len(rows), split)))
    kept = sorted((start, end) for _, start, end in found.distances)
    assert kept == sorted(slow_distances(rows))
    assert all(us == end - start for us, start, end in found.distances)


def test_shorter_distances_are_kept_when_they_are_asked_for() -> None:
    rows = [Row(at) for at in (0, 0.1, 0.4, 0.45, 1.0)]
    found = counted(csv_block(rows), least_gap_us=300_000)
    assert sorted(us for us, _, _ in found.distances) == [300_000, 550_000]


def test_the_longest_distances_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "MOST_DISTANCES", 3)
    found = counted(csv_block([Row(number**2) for number in range(10)]))
    assert sorted(us // SECOND_US for us, _, _ in found.distances) == [13, 15, 17]


@given(ROWS)
def test_what_the_rows_are_written_in_makes_no_difference(rows: list[Row]) -> None:
    csv = csv_block(rows)
    forms = [json_block(rows), RecordedBlock(list(csv.recorded())), csv_block(rows, Mode.SNAP)]
    expected = facts_of(counted(csv))
    assert [facts_of(counted(form)) for form in forms] == [expected] * 3


def facts_of(tally: Tally) -> list[object]:
    return [
        tally.rows,
        tally.duplicates.count,
        (tally.back_received, tally.back_exchange, tally.back_volume),
        sorted(tally.distances),
        (tally.delays.count, tally.delays.percentile_s(50), tally.delays.most_s),
        tally.instruments,
        tally.freezes,
        {day: (each.rows_by_minute, each.live) for day, each in tally.days.items()},
    ]


def test_a_row_equals_itself_in_another_format() -> None:
    rows = [Row(0), Row(1, mode=Mode.LTP), Row(2, token="2885")]
    csv = csv_block(rows)
    recorded = RecordedBlock(list(csv.recorded()))
    blocks = [csv, json_block(rows), csv_block(rows, Mode.SNAP), recorded]
    for first in blocks:
        assert counted(first, *blocks).duplicates.count == 12
    narrow = csv_block([Row(1, mode=Mode.LTP)], Mode.LTP)
    assert counted(narrow, csv, csv).duplicates.count == 4


def test_another_symbol_is_another_row() -> None:
    packets = list(csv_block([Row(0)]).recorded())
    renamed = [recorded._replace(symbol="NIFTY") for recorded in packets]
    assert counted(csv_block([Row(0)]), RecordedBlock(renamed)).duplicates.count == 0


# --- delays ---------------------------------------------------------------------------------------


def test_a_delay_is_counted_where_the_exchange_time_moves_on() -> None:
    rows = [
        Row(0.9, exchanged=-DAY_S),  # a snapshot of yesterday
        Row(1.25, exchanged=1),
        Row(1.75, exchanged=1),
        Row(2.5, exchanged=0),  # none at all
        Row(3.5, exchanged=3),
        Row(3.6, exchanged=2),  # a step back
    ]
    delays = counted(csv_block(rows)).delays
    assert (delays.count, delays.percentile_s(50), delays.most_s) == (2, 0.25, 0.5)


def test_delays_are_those_of_pandas() -> None:
    rows = [
        Row(number / 7, exchanged=number // 9 + 1, token=str(number % 3)) for number in range(900)
    ]
    found = counted(csv_block(rows)).delays
    frame = frame_of(rows)
    moved = frame.groupby("token")["exchange_time"].diff() > pd.Timedelta(0)
    delay_s = (frame["received_at"] - frame["exchange_time"])[moved].dt.total_seconds()
    assert found.count == len(delay_s)
    assert found.most_s == pytest.approx(delay_s.max(), abs=1e-6)
    for percent in (50, 90, 99):
        exact = delay_s.quantile(percent / 100, interpolation="lower")
        assert found.percentile_s(percent) == pytest.approx(exact, abs=0.15)


# --- prices that froze ----------------------------------------------------------------------------


def frozen(rows: Iterable[Row], spans: Sequence[Interval] = (ALWAYS,)) -> list[Freeze]:
    tally = Tally(lambda *_: spans)
    tally.take(csv_block(rows))
    tally.end()
    return list(tally.freezes.values())


def standing(start: float, seconds: float, step: float = 5) -> list[Row]:
    """Rows of one price, with times and volumes that go on."""
    count = int(seconds / step) + 1
    return [Row(start + n * step, volume=int(start) + n) for n in range(count)]


def test_a_price_that_stands_while_its_time_goes_on_froze() -> None:
    rows = [Row(0, price=1), *standing(10, 600), Row(700, price=2)]
    (found,) = frozen(rows)
    assert (found.us, found.rows, found.price) == (600 * SECOND_US, 121, "24150.35")
    assert (found.exchange, found.symbol, found.token) == ("NSE", "Nifty 50", NIFTY)
    assert (found.from_us, found.to_us) == (START_US + 10 * SECOND_US, START_US + 610 * SECOND_US)


def test_a_price_that_stands_at_the_end_froze_too() -> None:
    assert len(frozen(standing(0, 300))) == 1


@pytest.mark.parametrize(
    "rows",
    [
        standing(0, 299),
        standing(0, 3600, step=3600 / (FROZEN_ROWS - 2)),
        [row._replace(price=0) for row in standing(0, 600)],
        [row._replace(exchanged=1.0, volume=0) for row in standing(0, 600)],
        [row._replace(price=100 + n % 2 * 5) for n, row in enumerate(standing(0, 600))],
    ],
    ids=["too short", "too few rows", "never traded", "nothing goes on", "it moves"],
)
def test_a_price_did_not_freeze(rows: list[Row]) -> None:
    assert frozen(rows) == []


def test_a_volume_alone_shows_that_a_price_froze() -> None:
    assert len(frozen([row._replace(exchanged=1.0) for row in standing(0, 600)])) == 1


def test_only_the_time_in_a_session_counts() -> None:
    session = (START_US, START_US + 400 * SECOND_US)
    assert frozen(standing(0, 600), [session])[0].us == 400 * SECOND_US
    assert frozen(standing(101, 600), [session]) == []


def test_of_an_instrument_the_longest_freeze_is_kept_and_a_night_ends_one() -> None:
    rows = [*standing(0, 400), Row(450, price=1), *standing(500, 700), *standing(DAY_S, 350)]
    assert [freeze.us for freeze in frozen(rows)] == [700 * SECOND_US]


# --- memory ---------------------------------------------------------------------------------------


def test_a_file_joined_to_another_leaves_first_and_last_times_right() -> None:
    tally = counted(csv_block([Row(3600), Row(7200), Row(0), Row(1800), Row(1800.5)]))
    (day,) = tally.days.values()
    segment = day.segments["NSE"]
    assert (segment.first_us, segment.last_us) == (START_US, START_US + 7200 * SECOND_US)
    assert (segment.rows, tally.back_received) == (5, 1)


def test_more_rows_take_no_more_memory() -> None:
    kept = []
    for count in (1_000, 20_000):
        rows = [Row(n / 100, token=str(n % 7)) for n in range(count)]
        tally = counted(*(csv_block(rows[i : i + 1_000]) for i in range(0, count, 1_000)))
        kept.append((len(tally._parked), len(tally.distances), len(tally.days)))
    assert kept[0] == kept[1] == (7, 0, 1)


def test_days_are_counted_by_segment() -> None:
    rows = [Row(0), Row(1, exchange_type=5, token="77"), Row(DAY_S), Row(DAY_S + 1)]
    tally = counted(csv_block(rows))
    rows_of: dict[str, list[int]] = defaultdict(list)
    for day in tally.days.values():
        for exchange, segment in day.segments.items():
            rows_of[exchange].append(segment.rows)
    assert rows_of == {"NSE": [1, 2], "MCX": [1]}


def test_a_row_is_live_where_its_time_is_fresh_or_moves_on() -> None:
    stale = [Row(0, exchanged=-DAY_S), Row(60, exchanged=-DAY_S)]
    (day,) = counted(csv_block(stale)).days.values()
    assert day.live is None
    (day,) = counted(csv_block([*stale, Row(70), Row(80)])).days.values()
    assert day.live == (START_US + 70 * SECOND_US, START_US + 80 * SECOND_US)
    (day,) = counted(csv_block([Row(5)])).days.values()
    assert day.live == (START_US + 5 * SECOND_US,) * 2


def test_days_and_instruments_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "MOST_DAYS", 2)
    monkeypatch.setattr(blocks, "MOST_INSTRUMENTS", 2)
    first = csv_block([Row(0, token="1"), Row(1, token="2"), Row(DAY_S, token="1")])
    counted(first, first)
    with pytest.raises(RecordingError) as days:
        counted(first, csv_block([Row(2 * DAY_S, token="1")]))
    with pytest.raises(RecordingError) as instruments:
        counted(first, csv_block([Row(DAY_S + 1, token="3")]))
    assert (days.value.kind, instruments.value.kind) == ("too-many-days", "too-many-instruments")
