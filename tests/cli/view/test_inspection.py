"""What a person and a program read of an inspection."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import IST
from ticks.adapter.history import GapKind
from ticks.adapter.inspection.report import Damage, Gap, Inspection, Rate, Session
from ticks.adapter.inspection.tally import Freeze
from ticks.cli.view.inspection import as_dict, report_frame

SNAPSHOTS = Path(__file__).parent / "snapshots"


def us(text: str, day: int = 20) -> int:
    """`15:30`, `10:00:00.123` on a day of November 2026."""
    at = datetime.fromisoformat(f"2026-11-{day}T{text}").replace(tzinfo=IST)
    return round(at.timestamp() * 1_000_000)


WELL = Inspection(
    files=("day.csv",),
    is_complete=True,
    from_us=us("09:15:00.123"),
    to_us=us("15:29:59.5"),
    rows=1_234_567,
    instruments=250,
    sessions=(
        Session("NFO", us("09:15"), us("15:40"), (us("09:15:00.2"), us("15:29:59.5"))),
        Session("NSE", us("09:15"), us("15:30"), (us("09:15:00.123"), us("15:29:59.5"))),
    ),
    max_gap_us=30_000_000,
    longest_gap_us=2_300_000,
    gaps=(),
    gaps_not_listed=0,
    duplicates=0,
    back_received=0,
    back_exchange=0,
    back_volume=0,
    damaged=0,
    damage=(),
    freezes=(),
    delays=900_000,
    delay_percentiles_s={50.0: 0.412, 90.0: 0.9, 99.0: 1.05},
    delay_most_s=3.25,
    rates=(Rate(date(2026, 11, 20), 555, tuple(3000 + n * 7 % 900 for n in range(375))),),
)
STILL = "the feed answers, the market stands still"
ILL = replace(
    WELL,
    files=("a.csv", "b.csv"),
    sessions=(
        Session("NSE", us("09:15"), us("15:30"), (us("09:25:12"), us("15:29:59.5"))),
        Session("MCX", us("09:00"), us("23:55"), None),
        Session("NSE", us("18:00", 21), us("19:00", 21), (us("18:00", 21),) * 2, is_listed=False),
    ),
    longest_gap_us=100_000_000,
    gaps=(
        Gap(us("10:00:01.1"), us("10:01:41.1"), GapKind.BLIND, "network"),
        Gap(us("11:12:00"), us("11:12:45.1"), GapKind.UNEXPLAINED, None),
        Gap(us("12:00:00"), us("12:00:10"), GapKind.QUIET, STILL),
    ),
    duplicates=1,
    back_received=2,
    damaged=12,
    damage=(Damage("a.csv", 12_345, "ltp: 'x\x1b[2J' cannot be read"),),
    freezes=(
        Freeze(*(720_000_000, "NSE", "IDEA-EQ", "14366", "14.55"), us("10:01"), us("10:13"), 1_423),
    ),
)


def words(found: Inspection, width: int = 80) -> str:
    return "\n".join(report_frame(found, width).plain())


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize("look", ["well", "ill"])
def test_a_look_is_the_one_that_was_designed(look: str, width: int) -> None:
    file = SNAPSHOTS / f"inspection-{look}-{width}.txt"
    drawn = words({"well": WELL, "ill": ILL}[look], width) + "\n"
    if os.environ.get("TICKS_UPDATE_SNAPSHOTS"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


@given(st.sampled_from([WELL, ILL]), st.integers(1, 200))
def test_it_fits_any_width(found: Inspection, width: int) -> None:
    assert max(report_frame(found, width).widths()) <= width


def test_the_first_line_is_the_verdict() -> None:
    assert words(WELL).startswith("✓ no gap longer than 30 s\n")
    assert words(ILL).startswith("✗ 2 gaps longer than 30 s: 1 blind, 1 unexplained\n")
    assert words(replace(WELL, max_gap_us=90_000_000)).startswith("✓ no gap longer than 1 min 30 s")


def test_what_was_not_read_to_its_end_is_said_to_be_so() -> None:
    assert "the rest of it was not read" in words(replace(WELL, is_complete=False))


def test_a_foreign_text_moves_no_cursor() -> None:
    assert "\x1b" not in words(ILL)


def test_the_longest_gaps_are_shown_in_the_order_of_time() -> None:
    starts = [us("10:00") + n * 100_000_000 for n in range(31, 61)]
    gaps = [
        Gap(start, start + number * 1_000_000, GapKind.BLIND, "x")
        for number, start in enumerate(starts, 31)
    ]
    shown = words(replace(ILL, gaps=tuple(gaps), gaps_not_listed=7))
    assert shown.count("  blind ") == 10
    assert "and 27 shorter" in shown
    assert "37 gaps longer" in shown


def test_many_days_are_summed_up() -> None:
    sessions = tuple(
        Session("NSE", us("09:15", day), us("15:30", day), (us("09:15", day), us("15:30", day)))
        for day in range(10, 28)
    )
    rates = tuple(Rate(date(2026, 11, day), 555, (1, 2, 3)) for day in range(10, 28))
    shown = words(replace(WELL, sessions=sessions, rates=rates))
    assert "of 18 in 18 days 18 whole" in shown
    assert "and 13 days more" in shown


def test_without_sessions_it_says_that_no_gap_was_judged() -> None:
    shown = " ".join(words(replace(WELL, sessions=())).split())
    assert "no gap is judged" in shown


def test_never_is_a_session_whole_when_a_minute_is_missing() -> None:
    session = WELL.sessions[1]._replace(covered=(us("09:16"), us("15:30")))
    assert "NSE 09:15-15:30 99.7 %, from 09:16:00" in words(replace(WELL, sessions=(session,)))


def test_a_program_reads_all_of_it() -> None:
    told = json.loads(json.dumps(as_dict(ILL)))
    assert told["ok"] is False
    assert (told["rows"], told["duplicates"], told["damaged"]) == (1_234_567, 1, 12)
    assert told["backwards"] == {"received": 2, "exchange": 0, "volume": 0}
    assert told["gaps"][0] == {
        "from": "2026-11-20T10:00:01.100000+05:30",
        "to": "2026-11-20T10:01:41.100000+05:30",
        "seconds": 100.0,
        "kind": "blind",
        "cause": "network",
    }
    assert told["gaps"][1]["cause"] is None
    assert told["sessions"][1]["covered_from"] is None
    assert told["sessions"][0]["missing_before_s"] == 612.0
    assert told["delay"] == {
        "rows": 900_000,
        "p50_s": 0.412,
        "p90_s": 0.9,
        "p99_s": 1.05,
        "max_s": 3.25,
    }
    assert told["rate"][0]["from"] == "2026-11-20T09:15:00+05:30"
    assert as_dict(WELL)["ok"] is True
