"""What `ticks health` shows: findings in lines, and all that is watched in a frame that fits.

The looks are kept under `snapshots/` as text. After a change that is meant:
`TICKS_UPDATE_SNAPSHOTS=1 pytest tests/cli/view/test_health_view.py`, and read the difference.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import IST
from ticks.adapter.errors import NetworkError, RateLimitedError
from ticks.adapter.events import LogEntry, Lost, Waiting
from ticks.adapter.health import Check, CheckStatus, Owner
from ticks.adapter.snapshot import FeedSnapshot
from ticks.adapter.status_file import RunningStream
from ticks.cli.view.frame import Frame
from ticks.cli.view.health_view import (
    Watched,
    advice_for,
    as_dict,
    changes,
    ends,
    finding,
    finding_text,
    render,
    running,
    verdict,
)

SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = [(80, 23), (40, 23), (200, 59)]
SKIPPED = "not checked while a stream runs: its own state says more"
ANSWERS = "answers for A1 (nse_cm nse_fo bse_cm bse_fo mcx_fo cde_fo)"
WELL = (
    Check("credentials", CheckStatus.OK, "all four are in the environment"),
    Check("session", CheckStatus.OK, "A1, valid until 2026-11-21 00:00:00 IST", 0.01),
    Check("REST", CheckStatus.OK, ANSWERS, 0.123),
    Check("handshake", CheckStatus.OK, "the feed opened", 0.05),
    Check("first tick", CheckStatus.OK, "Nifty 50 24150.35 after 210 ms", 0.21),
    Check("running streams", CheckStatus.OK, "none"),
    Check("disk", CheckStatus.OK, "83.5 GB free at /home/a/.local/state/ticks"),
)
NAMES = [check.name for check in WELL]
WAITING_NS = 1_795_147_018_200_000_000
"""2026-11-20 09:26:58.2 IST."""
EVENTS = (
    LogEntry(WAITING_NS - 100_000_000, 1, Lost("silence", "no data for 30.1 s")),
    LogEntry(
        WAITING_NS,
        1,
        Waiting("silence", "no data for 30.1 s", attempt=2, max_attempts=3, delay_s=4.1),
    ),
)


def failed(name: str, error: NetworkError) -> Check:
    return Check(name, CheckStatus.FAILED, error.message, 10.0, error=error)


REFUSED = failed(
    "handshake",
    RateLimitedError(
        "wss://feed/ refused the handshake with HTTP 429",
        remedy="a client code may hold 3 connections over all apps; close one and wait",
    ),
)


def watched(*checks: Check, streams: Mapping[int, FeedSnapshot] | None = None) -> Watched:
    return Watched(
        at=datetime(2026, 11, 20, 9, 27, 42, 123_000, IST),
        uptime_s=62.0,
        names=NAMES,
        checks={check.name: check for check in checks},
        statuses=[RunningStream(pid, each) for pid, each in (streams or {}).items()],
    )


@pytest.fixture
def well() -> Watched:
    return watched(*WELL)


@pytest.fixture
def failing() -> Watched:
    """The feed refuses the handshake; what stands on it is skipped."""
    first_tick = Check("first tick", CheckStatus.SKIPPED, "the feed was not opened")
    return watched(*WELL[:3], REFUSED, first_tick, *WELL[5:])


@pytest.fixture
def streams(live: FeedSnapshot, waiting: FeedSnapshot) -> Watched:
    """Two streams, one of which waits to reconnect."""
    asked_not = [Check(name, CheckStatus.SKIPPED, SKIPPED) for name in ("handshake", "first tick")]
    both = {4242: live, 4711: replace(waiting, events=EVENTS)}
    return watched(*WELL[:3], *asked_not, *WELL[5:], streams=both)


def words(seen: Watched, width: int = 80, height: int = 23) -> list[str]:
    return render(seen, width=width, height=height).plain()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", ["well", "failing", "streams"])
def test_a_look_is_the_one_that_was_designed(
    look: str, size: tuple[int, int], request: pytest.FixtureRequest
) -> None:
    file = SNAPSHOTS / f"health-{look}-{size[0]}x{size[1]}.txt"
    drawn = "\n".join(words(request.getfixturevalue(look), *size)) + "\n"
    if os.environ.get("TICKS_UPDATE_SNAPSHOTS"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


# --- findings -------------------------------------------------------------------------------------


def test_a_finding_is_a_line_with_its_mark_and_time() -> None:
    assert finding_text(WELL[2]).startswith("✓ REST                 0.12 s  answers for A1")
    skipped = Check("first tick", CheckStatus.SKIPPED, "closed")
    assert finding_text(skipped).startswith("- first tick")


def test_what_failed_comes_with_advice_below() -> None:
    first, second = finding_text(REFUSED).splitlines()
    assert first.startswith("✗ handshake           10.00 s  wss://feed/ refused")
    assert second.strip() == f"try: {advice_for(REFUSED)}"
    assert second.index("try:") == first.index("wss:")


def test_a_finding_may_come_with_advice_or_with_what_else_was_noticed() -> None:
    saved = Check("credentials", CheckStatus.OK, "not needed now", kind="session-only-saved")
    assert finding_text(saved).splitlines()[1].strip().startswith("try: set them, or log in again")
    stale = Check("instrument master", CheckStatus.OK, "3 instruments", notes="a copy is used")
    assert finding_text(stale).splitlines()[1].strip() == "a copy is used"
    found = as_dict([saved, stale], [], {})["checks"]
    assert isinstance(found, list)
    assert [check["advice"] for check in found] == [advice_for(saved), "a copy is used"]


def test_the_same_fault_is_explained_once() -> None:
    again = replace(REFUSED, name="heartbeat")
    assert finding_text(again, [REFUSED]).splitlines() == [
        "✗ heartbeat           10.00 s  for the same reason as handshake"
    ]
    other = replace(again, error=RateLimitedError("another reason"))
    assert "for the same reason" not in finding_text(other, [REFUSED])
    assert "for the same reason" not in finding_text(REFUSED, [REFUSED])


def test_what_a_broker_says_cannot_move_the_cursor() -> None:
    hostile = Check("REST", CheckStatus.FAILED, "\x1b[2Jgone", notes="\x1b[A")
    assert "\x1b" not in finding_text(hostile)


def test_a_finding_of_several_lines_keeps_them() -> None:
    found = "2 names cannot be resolved:\n  nothing is called 'A'\n  nothing is called 'B'"
    text = finding_text(Check("instrument master", CheckStatus.FAILED, found))
    first, *others = text.split("\n")
    assert first.endswith("2 names cannot be resolved:")
    assert [line.strip() for line in others] == ["nothing is called 'A'", "nothing is called 'B'"]


def test_in_a_narrow_pane_the_detail_stands_below() -> None:
    lines = Frame(tuple(finding(WELL[2], 40))).plain()
    assert lines[0] == "✓ REST                 0.12 s"
    assert " ".join(line.strip() for line in lines[1:]) == WELL[2].detail


def test_a_check_under_way_shows_how_long_it_takes() -> None:
    assert Frame((running("first tick", 3.2, 80),)).plain() == ["◌ first tick           3.20 s"]


def test_the_last_words_name_what_to_fix_first(failing: Watched) -> None:
    assert Frame(tuple(verdict(WELL, 80))).plain() == ["✓ all is well · 7 checks in 0.4 s"]
    demo = Frame(tuple(verdict(WELL, 80, is_demo=True))).plain()
    assert demo == ["✓ all is well · demo · 7 checks in 0.4 s"]
    skipped = [*WELL[:3], Check("first tick", CheckStatus.SKIPPED, "the market is closed")]
    assert Frame(tuple(verdict(skipped, 80))).plain() == [
        "✓ 3 checks are well, 1 skipped · 4 checks in 0.1 s"
    ]
    last = Frame(tuple(verdict(failing.findings, 80))).plain()
    assert last == ["✗ 1 of 7 checks failed · fix handshake first"]


# --- the frame ------------------------------------------------------------------------------------


def test_what_is_wrong_stands_in_the_first_line(
    failing: Watched, streams: Watched, silent: FeedSnapshot, lost: FeedSnapshot
) -> None:
    assert words(failing)[0].startswith("✗ 1 check failed: handshake")
    assert words(streams)[0].startswith("◔ stream 4711 waiting")
    assert words(watched(*WELL, streams={7: silent}))[0].startswith("◔ stream 7 silent")
    assert words(watched(*WELL, streams={7: lost}))[0].startswith("✗ stream 7 lost")


def test_well_is_said_only_of_what_was_looked_at(streams: Watched, live: FeedSnapshot) -> None:
    skipped = watched(*streams.findings, streams={7: live})
    assert words(skipped)[0].startswith("✓ 5 checks are well, 2 skipped · 1 stream")


def test_a_stream_of_others_is_marked_and_makes_nothing_red(
    lost: FeedSnapshot, waiting: FeedSnapshot
) -> None:
    owners = {7: Owner.DEMO, 8: Owner.OTHER_BROKER}
    seen = replace(watched(*WELL, streams={7: lost, 8: waiting}), owners=owners)
    lines = words(seen, height=40)
    assert lines[0].startswith(
        "✓ all is well · no stream of this account, 1 of a demo, 1 of another broker"
    )
    assert any(line.startswith("stream 7 · demo · Nifty 50") for line in lines)
    assert any(line.startswith("stream 8 · another broker · Nifty 50") for line in lines)


def test_streams_that_are_not_well_are_named_one_by_one(streams: Watched) -> None:
    ailing = Check("running streams", CheckStatus.FAILED, "4711 waiting")
    seen = watched(*WELL[:5], ailing, WELL[6], streams=streams.streams)
    assert words(seen)[0].startswith("◔ stream 4711 waiting")


def test_until_every_check_was_done_nothing_is_said_to_be_well() -> None:
    drawn = words(watched(*WELL[:2]))
    assert drawn[0].startswith("◌ checking")
    assert "◌ REST" in drawn


def test_a_stream_shows_attempt_next_try_blind_seconds_and_history(streams: Watched) -> None:
    drawn = "\n".join(words(streams))
    for each in (
        "stream 4242 · Nifty 50, RELIANCE-EQ, SBIN-EQ +1",
        "12 ticks/s · silence 0.2 s of 30 s · backoff none · blind 0.0 s",
        "◔ WAITING  attempt 2 of 3, next try in 3.2 s",
        "silence not connected · attempt 2 of 3 · blind 37.5 s",
        "history  09:26:58 waiting: attempt 2 of 3 in 4.1 s · silence: no data for 30.1 s",
    ):
        assert each in drawn


def test_where_room_is_short_what_is_well_shrinks_and_what_failed_stays(
    failing: Watched, live: FeedSnapshot
) -> None:
    crowd = watched(*failing.findings, streams=dict.fromkeys((1, 2, 3), live))
    drawn = words(crowd, 80, 20)
    assert "well     credentials · session · REST · disk" in drawn
    assert any(line.startswith("✗ handshake") for line in drawn)
    assert sum(line.startswith("stream ") for line in drawn) == 3


@given(
    width=st.integers(0, 120),
    height=st.integers(0, 60),
    checks=st.integers(0, 7),
    streams=st.integers(0, 4),
)
def test_a_frame_always_fits(
    waiting: FeedSnapshot, width: int, height: int, checks: int, streams: int
) -> None:
    found = [*WELL[:3], REFUSED, *WELL[4:]][:checks]
    stream = replace(waiting, events=EVENTS)
    seen = watched(*found, streams=dict.fromkeys(range(streams), stream))
    frame = render(seen, width=width, height=height)
    assert len(frame.lines) <= height
    assert all(taken <= width for taken in frame.widths())


# --- what changed ---------------------------------------------------------------------------------


def test_a_finding_is_shown_when_it_is_new_or_turned(well: Watched, failing: Watched) -> None:
    assert list(changes(None, well)) == [finding_text(check) for check in WELL]
    assert list(changes(well, well)) == []
    turned = list(changes(well, failing))
    assert turned[0].startswith("09:27:42 ✗ handshake")
    assert len(turned) == 2


def test_a_stream_is_shown_when_it_comes_changes_and_goes(
    well: Watched, live: FeedSnapshot, waiting: FeedSnapshot
) -> None:
    began = watched(*WELL, streams={7: live})
    assert list(changes(well, began)) == ["09:27:42 stream 7 live · 4 instruments"]
    lost = watched(*WELL, streams={7: replace(waiting, events=EVENTS)})
    why = "silence: no data for 30.1 s"
    assert list(changes(began, lost)) == [
        f"09:26:58 stream 7 waiting: attempt 2 of 3 in 4.1 s · {why}"
    ]
    again = watched(*WELL, streams={7: replace(live, events=EVENTS)})
    assert list(changes(lost, again)) == ["09:27:42 stream 7 live"]
    assert list(changes(again, well)) == list(ends(again, well))
    assert list(ends(again, well)) == ["09:27:42 stream 7 ended · 6,204 ticks · blind 0.0 s"]


def test_a_stream_of_others_is_marked_in_lines_and_json(
    well: Watched, live: FeedSnapshot, waiting: FeedSnapshot
) -> None:
    owners = {7: Owner.DEMO}
    began = replace(watched(*WELL, streams={7: live}), owners=owners)
    lost = replace(watched(*WELL, streams={7: replace(waiting, events=EVENTS)}), owners=owners)
    lines = [*changes(well, began), *changes(began, lost), *ends(lost, well)]
    assert all(" stream 7 (demo) " in line for line in lines)
    both = replace(watched(*WELL, streams={7: live, 8: live}), owners=owners)
    assert words(both)[0].startswith("✓ all is well · 1 stream, 1 of a demo")
    streams = json.loads(json.dumps(both.to_dict()))["streams"]
    assert [(each["pid"], each["owner"]) for each in streams] == [(7, "demo"), (8, "ours")]


def test_one_of_several_connections_is_named(well: Watched, crowded: FeedSnapshot) -> None:
    before = watched(*WELL, streams={7: crowded})
    after = watched(*WELL, streams={7: replace(crowded, events=EVENTS)})
    assert next(changes(before, after)).startswith("09:26:58 stream 7 feed 1 waiting:")


def test_a_stream_that_hangs_did_not_end(well: Watched, live: FeedSnapshot) -> None:
    before = watched(*WELL, streams={7: live})
    after = replace(well, unheard=frozenset({7}))
    assert "no longer reports, but its process runs" in next(ends(before, after))


def test_the_json_is_that_of_the_checkup_with_the_time(failing: Watched) -> None:
    document = failing.to_dict()
    assert list(document) == ["at", "ok", "checks", "streams"]
    assert document["ok"] is False
