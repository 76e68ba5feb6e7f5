"""The disconnects of a recording become faults at their times."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.errors import RecordingError, UsageError
from ticks.adapter.simulator.faults import Fault, What
from ticks.adapter.simulator.playback import HEAD_START_S
from ticks.adapter.simulator.recorded_faults import recorded_faults

FIRST = datetime(2022, 11, 10, 9, 15, tzinfo=IST)
ROW = (
    "received_at,exchange_time,exchange,symbol,token,mode,sequence,ltp\n"
    "2022-11-10T09:15:00.000000+05:30,,NSE,Nifty 50,99926000,ltp,0,18044.35\n"
)


def event(after_s: float, name: str, **facts: object) -> str:
    at = (FIRST + timedelta(seconds=after_s)).isoformat(timespec="microseconds")
    return json.dumps({"at": at, "connection": 1, "event": name, **facts}) + "\n"


def faults(folder: Path, *events: str, speed: float | None = 1.0) -> list[Fault]:
    (folder / "day.csv").write_text(ROW, encoding="utf-8")
    (folder / "events.jsonl").write_text("".join(events), encoding="utf-8")
    return recorded_faults(folder / "events.jsonl", folder / "day.csv", speed)


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        ({"cause": "network"}, Fault(What.DROP, after_s=40.0)),
        ({"cause": "closed by server", "code": 1011}, Fault(What.CLOSE, after_s=40.0, number=1011)),
        ({"cause": "closed by server", "code": 1006}, Fault(What.DROP, after_s=40.0)),
        ({"cause": "closed by server"}, Fault(What.DROP, after_s=40.0)),
        ({"cause": "link dead"}, Fault(What.STALL, after_s=10.0)),
    ],
)
def test_a_loss_comes_back_at_its_time(
    tmp_path: Path, facts: dict[str, object], fault: Fault
) -> None:
    [found] = faults(tmp_path, event(-0.1, "connected"), event(40, "lost", **facts))
    assert found.after_s == pytest.approx(fault.after_s + HEAD_START_S)
    assert (found.what, found.number, found.then) == (fault.what, fault.number, ())


def test_the_speed_divides_its_distance(tmp_path: Path) -> None:
    history = (event(-0.1, "connected"), event(40, "lost", cause="network"))
    [found] = faults(tmp_path, *history, speed=10)
    assert found.after_s == pytest.approx(4 + HEAD_START_S)


def test_silence_is_in_the_recording_itself(tmp_path: Path) -> None:
    assert faults(tmp_path, event(0, "connected"), event(40, "lost", cause="silence")) == []


def test_failed_connects_follow_the_loss_before_them(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        event(-5, "lost", cause="handshake refused", code=403),
        event(-1, "connected"),
        event(40, "lost", cause="silence"),
        event(41, "lost", cause="429"),
        event(101, "lost", cause="network"),
        event(105, "connected"),
        event(200, "lost", cause="network"),
    )
    assert [(fault.what, fault.call, fault.number) for fault in found] == [
        (What.REFUSE, "connect", 403),
        (What.SILENCE, "", 0),
        (What.DROP, "", 0),
    ]
    assert [(fault.what, fault.number) for fault in found[1].then] == [
        (What.REFUSE, 429),
        (What.REFUSE, 503),
    ]


def test_events_of_an_earlier_run_are_left_out(tmp_path: Path) -> None:
    day = 86_400
    assert faults(tmp_path, event(-day, "connected"), event(40 - day, "lost", cause="x")) == []


def test_an_empty_recording_has_no_disconnects(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    assert recorded_faults(tmp_path / "a.jsonl", tmp_path / "a.jsonl", 1.0) == []


def test_full_speed_has_no_times(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="full speed"):
        faults(tmp_path, speed=None)


@pytest.mark.parametrize("line", ["rubbish\n", "[1]\n", "{}\n", '{"at": 3, "event": "lost"}\n'])
def test_what_is_not_an_event_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(RecordingError, match="line 2: not an event"):
        faults(tmp_path, event(0, "connected"), line)


def test_events_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text(ROW, encoding="utf-8")
    with pytest.raises(RecordingError, match="cannot be read: No such file"):
        recorded_faults(tmp_path / "missing", tmp_path / "day.csv", 1.0)
    (tmp_path / "events").write_bytes(b"\xff\xff")
    with pytest.raises(RecordingError, match="not UTF-8"):
        recorded_faults(tmp_path / "events", tmp_path / "day.csv", 1.0)


def test_events_of_another_version_are_skipped(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        event(-0.1, "connected"),
        event(1, "moved_house"),
        event(40, "lost", cause="network", mood="bad"),
    )
    assert [fault.what for fault in found] == [What.DROP]
