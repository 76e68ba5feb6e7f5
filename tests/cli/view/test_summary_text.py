"""The line that ends a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ticks.adapter.events import Summary
from ticks.adapter.recorder import Limits
from ticks.adapter.replay.replay import OutputFigures, ReplaySnapshot
from ticks.adapter.snapshot import FeedSnapshot
from ticks.cli.view.summary_text import live_text, replay_summary, stream_summary

SUMMARY = Summary(
    ticks=10_234,
    instruments=1,
    seconds=8.0,
    reconnects=0,
    blind_s=0.0,
    dropped=0,
    malformed=0,
    out_of_order=0,
    duplicates=0,
    outputs={"out.csv": 10_234},
)
PLAYED = ReplaySnapshot(
    recordings=("day.csv",),
    position="",
    speed=None,
    seconds=2.0,
    ticks=1_000,
    read=1_000,
    damaged=0,
    late=0,
    bytes_read=0,
    bytes_total=None,
    bytes_held=0,
    outputs=(OutputFigures("stdout", 1_000, 0),),
)


def test_a_stream_ends_with_one_line_that_counts_everything() -> None:
    assert stream_summary(SUMMARY) == (
        "10,234 ticks · 1 instrument · 8.0 s · 1,279/s · 0 reconnects · blind 0.0 s"
        " · 0 dropped · 0 malformed · out.csv 10,234 rows"
    )


@pytest.mark.parametrize(
    ("rare", "text"),
    [
        ({"out_of_order": 2}, "2 out of order"),
        ({"duplicates": 1}, "1 duplicate"),
        ({"foreign": 3}, "3 foreign"),
        ({"uncertain_s": 22_500.4}, "uncertain 22,500 s"),
        ({"names_skipped": 2}, "2 names skipped"),
        ({"names_skipped": 1}, "1 name skipped"),
        ({"is_demo": True}, "demo"),
    ],
)
def test_what_is_rare_stands_before_the_outputs_where_it_is_not_0(
    rare: dict[str, float], text: str
) -> None:
    line = stream_summary(replace(SUMMARY, **rare))  # type: ignore[arg-type]
    assert line.endswith(f" · 0 malformed · {text} · out.csv 10,234 rows")


def test_a_run_that_took_no_time_has_no_rate() -> None:
    assert " · 0.0 s · 0/s · " in stream_summary(replace(SUMMARY, seconds=0.0))


def test_a_replay_says_how_many_of_the_rows_it_gave_out() -> None:
    assert replay_summary(PLAYED) == "1,000 ticks · 2.0 s · 500/s · 0 damaged · stdout 1,000 rows"
    some = replace(PLAYED, ticks=1, late=4, outputs=())
    assert replay_summary(some) == "1 of 1,000 ticks · 2.0 s · 0/s · 0 damaged · 4 late"
    one = replace(PLAYED, ticks=1, read=1, outputs=())
    assert replay_summary(one).startswith("1 tick · ")


def test_a_stream_that_is_live_says_of_what_where_to_and_until_when(live: FeedSnapshot) -> None:
    until_ns = 1_795_169_400_000_000_000
    assert live_text(live, Limits(until_ns=until_ns)) == (
        "live: 4 instruments (NSE:Nifty 50, NSE:RELIANCE-EQ, NSE:SBIN-EQ and 1 more), out.csv,"
        " until 15:40"
    )
    few = replace(live, instruments=live.instruments[:2], instruments_total=2, outputs=())
    assert live_text(few, Limits(duration_s=90.0, count=1)) == (
        "live: 2 instruments (NSE:Nifty 50, NSE:RELIANCE-EQ), for 1 min 30 s, up to 1 tick"
    )
    assert live_text(replace(few, is_demo=True), Limits()).startswith("live: demo, 2 instruments")
