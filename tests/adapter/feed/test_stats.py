from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.feed.stats import (
    ConnectionSnapshot,
    FeedSnapshot,
    InstrumentSnapshot,
    LatencyHistogram,
    OutputSnapshot,
    RateMeter,
    activity,
)


def test_there_is_no_rate_before_the_first_second() -> None:
    meter = RateMeter(100.0)
    meter.sample(100.5, 10)
    assert (meter.now, meter.peak, meter.history) == (0.0, 0.0, ())
    assert meter.mean(100.5) == 20.0


def test_each_second_gives_one_rate() -> None:
    meter = RateMeter(100.0)
    for second, total in enumerate([5, 25, 25, 28], start=1):
        meter.sample(100.0 + second, total)
    assert meter.history == (5, 20, 0, 3)
    assert (meter.now, meter.peak) == (3, 20)
    assert meter.mean(104.0) == 7.0


def test_looking_more_often_than_once_a_second_changes_no_rate() -> None:
    meter = RateMeter(0.0)
    for quarter in range(1, 13):
        meter.sample(quarter / 4, quarter * 10)
    assert meter.history == (40, 40, 40)


def test_a_long_gap_between_samples_is_spread_over_its_seconds() -> None:
    meter = RateMeter(0.0)
    meter.sample(5.0, 50)
    assert meter.history == (10,) * 5
    meter.sample(3605.0, 50)
    assert meter.history == (0,) * 60
    assert (meter.now, meter.peak) == (0, 10)


def test_a_mean_over_no_time_is_nothing() -> None:
    assert RateMeter(7.0).mean(7.0) == 0.0


def test_a_histogram_without_ticks_has_no_quantile() -> None:
    assert LatencyHistogram().quantile(0.5) is None


def test_a_clock_set_back_counts_as_no_latency() -> None:
    histogram = LatencyHistogram()
    histogram.add(-5_000_000)
    assert histogram.count == 1
    assert histogram.quantile(0.99) == pytest.approx(0.25)


@given(st.floats(min_value=1, max_value=1e9))
def test_a_quantile_names_a_latency_within_a_quarter(microseconds: float) -> None:
    histogram = LatencyHistogram()
    histogram.add(microseconds)
    found = histogram.quantile(0.5)
    assert found is not None
    assert microseconds <= found <= microseconds * 1.25 + 0.25


def test_quantiles_of_many_ticks_are_near_the_true_ones() -> None:
    draw = Random(3)
    latencies = sorted(draw.lognormvariate(6, 1.5) for _ in range(5000))
    histogram = LatencyHistogram()
    for latency in latencies:
        histogram.add(latency)
    for share in (0.5, 0.9, 0.99):
        true = latencies[round(share * len(latencies)) - 1]
        assert histogram.quantile(share) == pytest.approx(true, rel=0.3)


def test_a_batch_counts_for_each_of_its_ticks() -> None:
    histogram = LatencyHistogram()
    histogram.add(10, times=99)
    histogram.add(10_000, times=1)
    assert histogram.count == 100
    assert histogram.quantile(0.5) == pytest.approx(10, rel=0.26)
    assert histogram.quantile(1.0) == pytest.approx(10_000, rel=0.26)


def test_a_latency_beyond_all_buckets_falls_into_the_last() -> None:
    histogram = LatencyHistogram()
    histogram.add(1e30)
    found = histogram.quantile(0.5)
    assert found is not None
    assert found > 1e9


@pytest.fixture
def snapshot() -> FeedSnapshot:
    """A stream of two instruments that waits to reconnect."""
    connection = ConnectionSnapshot(
        number=1,
        phase="waiting",
        is_quiet=False,
        instruments=2,
        attempt=2,
        max_attempts=None,
        delay_s=2.1,
        next_try_s=1.5,
        silence_s=0.0,
        reconnects=1,
        blind_s=3.5,
        last_cause="silence",
        ticks=7,
    )
    return FeedSnapshot(
        at="2026-11-20T09:15:00.000+05:30",
        started_at="2026-11-20T09:00:00.000+05:30",
        uptime_s=900.0,
        phase="waiting",
        connections=(connection,),
        ticks=7,
        rate_now=0.0,
        rate_mean=0.1,
        rate_peak=2.0,
        rates=(1.0, 2.0),
        silence_s=0.0,
        silence_after_s=30.0,
        reconnects=1,
        blind_s=3.5,
        last_cause="silence",
        dropped=0,
        malformed=0,
        out_of_order=0,
        duplicates=0,
        buffered=0,
        buffer_limit=100,
        latency_p50_us=None,
        latency_p99_us=None,
        session_expires_at=None,
        is_market_open=True,
        market_opens_at=None,
        instruments=(InstrumentSnapshot("NSE", "Nifty 50", "99926000", "1.00", None, None, 7, 0),),
        instruments_total=2,
        never_ticked=1,
        outputs=(OutputSnapshot("out.csv", 7, 512),),
        events=({"event": "lost"},),
    )


def test_a_snapshot_is_plain_values_all_the_way_down(snapshot: FeedSnapshot) -> None:
    plain = json.loads(json.dumps(snapshot.to_dict()))
    assert plain["connections"][0]["next_try_s"] == 1.5
    assert plain["instruments"][0]["symbol"] == "Nifty 50"
    assert plain["outputs"] == [{"name": "out.csv", "rows": 7, "bytes_written": 512}]
    assert plain["events"] == [{"event": "lost"}]


def test_a_snapshot_comes_back_whole_from_plain_values(snapshot: FeedSnapshot) -> None:
    assert FeedSnapshot.from_dict(snapshot.to_dict()) == snapshot
    assert FeedSnapshot.from_dict(json.loads(json.dumps(snapshot.to_dict()))) == snapshot


def test_a_snapshot_of_another_version_keeps_what_both_know(snapshot: FeedSnapshot) -> None:
    given = snapshot.to_dict()
    del given["blind_s"], given["outputs"], given["at"]
    found = FeedSnapshot.from_dict({**given, "mood": "good", "connections": [{"phase": "live"}]})
    assert (found.phase, found.ticks, found.blind_s, found.outputs) == ("waiting", 7, 0.0, ())
    assert found.connections[0].phase == "live"
    assert (found.connections[0].attempt, found.connections[0].next_try_s) == (0, None)
    assert datetime.fromisoformat(found.at).tzinfo is not None


WORDS = "a1-.: é\x00\ud800"
"""Letters of a string: a few are enough, all of Unicode would be slow to draw."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(WORDS, max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(WORDS, max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from([each.name for each in fields(FeedSnapshot)]), JSON),
    st.dictionaries(st.sampled_from([each.name for each in fields(ConnectionSnapshot)]), JSON),
)
def test_whatever_a_status_file_holds_becomes_a_snapshot(
    stream: dict[str, object], connection: dict[str, object]
) -> None:
    found = FeedSnapshot.from_dict({"connections": [connection], **stream})
    assert isinstance(found.phase, str)
    assert isinstance(found.silence_s + found.rate_now, float | int)
    assert all(isinstance(each.attempt, int) for each in found.connections)


def test_activity_grows_with_the_ticks_and_ignores_one_more() -> None:
    assert activity(0) < activity(1) < activity(2) < activity(1000) < activity(1300)
    assert activity(1000) == activity(1001)
