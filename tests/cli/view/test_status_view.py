"""The streams that run, in a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.snapshot import FeedSnapshot
from ticks.adapter.status_file import RunningStream
from ticks.cli.view.status_view import as_list, status_lines


def test_each_stream_has_a_line_and_the_columns_line_up(
    live: FeedSnapshot, waiting: FeedSnapshot
) -> None:
    streams = [
        RunningStream(7, live),
        RunningStream(123_456, replace(waiting, is_demo=True)),
        RunningStream(99, None),
    ]
    head, *lines = status_lines(streams)
    assert head.split() == [
        *("PID", "PHASE", "RUNNING", "INSTRUMENTS", "TICKS", "RATE", "SILENCE", "BLIND"),
        "OUTPUTS",
    ]
    at = head.index("PHASE")
    assert [line[:at].strip() for line in lines] == ["7", "123456", "99"]
    assert [line[at:].partition("  ")[0] for line in lines] == [
        "live",
        "waiting, attempt 2, demo",
        "status unreadable",
    ]
    assert "6,204" in lines[0]


def test_as_json_each_stream_is_its_pid_and_its_snapshot(live: FeedSnapshot) -> None:
    found = as_list([RunningStream(7, live), RunningStream(99, None)])
    assert found[1] == {"pid": 99}
    assert found[0] == {"pid": 7, **live.to_dict()}
    assert json.loads(json.dumps(found))[0]["phase"] == Phase.LIVE


def test_no_stream_is_an_empty_list() -> None:
    assert as_list([]) == []
