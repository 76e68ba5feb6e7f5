"""What a watch shows, and when, until it is told to stop."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from ticks.adapter.clock import SystemClock
from ticks.adapter.health import Check, CheckStatus, Checkup, Owner
from ticks.adapter.snapshot import FeedSnapshot
from ticks.adapter.status_file import RunningStream, StatusFile
from ticks.cli.terminal import check_thread, health_watch
from ticks.cli.terminal.health_watch import Watch, drawn_on, show_changes, show_json
from ticks.cli.terminal.outlet import Outlet
from ticks.cli.terminal.screen import Screen
from ticks.cli.view.health_view import Watched

NAMES = ("session", "disk")


class FakeCheckup:
    """Two checks; the disk is full from run `full_from` on."""

    def __init__(self) -> None:
        self.names = NAMES
        self.runs = 0
        self.full_from: float = 3

    def run(self, names: Collection[str] | None = None) -> Iterator[Check]:
        self.runs += 1
        if names is None:
            yield Check("session", CheckStatus.OK, "A1")
        is_full = self.runs >= self.full_from
        yield Check("disk", CheckStatus.FAILED if is_full else CheckStatus.OK, "full")

    def stop(self) -> None:
        """Nothing waits."""

    def owner_of(self, stream: RunningStream) -> Owner:
        return Owner.DEMO if stream.pid == 1 else Owner.OURS


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Watch]:
    monkeypatch.setattr(check_thread, "_LOCAL_EVERY_S", 0.001)
    monkeypatch.setattr(health_watch, "_SHOW_EVERY_S", 0.01)

    def made(*, is_steady: bool = False) -> Watch:
        checkup = cast(Checkup, FakeCheckup())
        return Watch(checkup, tmp_path, SystemClock(), is_steady=is_steady)

    return made


def shown(watch: Watch, is_enough: Callable[[list[Watched]], bool]) -> list[Watched]:
    """What was shown until there was enough of it."""
    seen: list[Watched] = []

    def show(before: Watched | None, now: Watched) -> None:
        assert before is (seen[-1] if seen else None)
        seen.append(now)
        if is_enough(seen):
            watch.stop()

    watch.run(show)
    return seen


def has_failed(seen: list[Watched]) -> bool:
    return any(check.status is CheckStatus.FAILED for check in seen[-1].findings)


def test_a_check_that_turned_is_shown_at_once(
    watch: Callable[..., Watch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_watch, "_SHOW_EVERY_S", 3600.0)
    seen = shown(watch(), has_failed)
    assert [check.name for check in seen[-1].findings] == list(NAMES)
    assert len(seen) < 6, "what did not turn is no reason to draw"


def test_a_steady_watch_keeps_its_pace(
    watch: Callable[..., Watch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_watch, "_SHOW_EVERY_S", 0.05)
    seen = shown(watch(is_steady=True), lambda seen: len(seen) == 4)
    apart = [after.uptime_s - before.uptime_s for before, after in itertools.pairwise(seen)]
    assert min(apart) >= 0.05


def test_streams_are_followed_from_their_first_status_to_their_last(
    watch: Callable[..., Watch], tmp_path: Path, live: FeedSnapshot
) -> None:
    status = StatusFile(tmp_path)
    status.replace(live)

    def is_enough(seen: list[Watched]) -> bool:
        if seen[-1].streams:
            status.remove()
        return not seen[-1].streams

    seen = shown(watch(), is_enough)
    assert seen[0].streams[os.getpid()].ticks == live.ticks
    assert seen[-1].unheard == frozenset()


def test_a_status_that_is_no_longer_replaced_is_one_of_a_stream_that_hangs(
    watch: Callable[..., Watch], tmp_path: Path, live: FeedSnapshot
) -> None:
    status = StatusFile(tmp_path)
    status.replace(live)

    def is_enough(seen: list[Watched]) -> bool:
        os.utime(status.path, (0, 0))
        return not seen[-1].streams

    assert shown(watch(), is_enough)[-1].unheard == {os.getpid()}


def test_without_a_terminal_only_changes_are_shown(
    watch: Callable[..., Watch], capsys: pytest.CaptureFixture[str]
) -> None:
    watching = watch()
    checkup = cast(FakeCheckup, watching._checkup)
    checkup.full_from = math.inf

    def show(before: Watched | None, now: Watched) -> None:
        show_changes(before, now)
        if len(now.findings) == len(NAMES):
            checkup.full_from = 0  # now that both were shown well
        if any(check.status is CheckStatus.FAILED for check in now.findings):
            watching.stop()

    watching.run(show)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:2]] == list(NAMES)
    assert lines[2].split()[1:3] == ["✗", "disk"]


def test_json_is_one_document_a_line(
    watch: Callable[..., Watch], capsys: pytest.CaptureFixture[str]
) -> None:
    for now in shown(watch(), has_failed):
        show_json(None, now)
    documents: list[dict[str, Any]] = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert [document["ok"] for document in documents][-1] is False
    assert {tuple(document) for document in documents} == {("at", "ok", "checks", "streams")}


def test_json_says_nothing_before_anything_was_looked_at(
    live: FeedSnapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    show_json(None, Watched(live.at, 0.0, NAMES, {}, []))
    assert capsys.readouterr().out == ""


def test_on_a_terminal_a_stream_that_ended_is_shown_above_the_frame(live: FeedSnapshot) -> None:
    reads, writes = os.pipe()
    show = drawn_on(Screen(Outlet(writes)), has_color=False)
    before = Watched(live.at, 1.0, NAMES, {}, [RunningStream(7, live)])
    after = Watched(live.at, 2.0, NAMES, {}, [])
    show(None, before)
    show(before, after)
    os.close(writes)
    with open(reads, encoding="utf-8") as file:
        text = file.read()
    end = text.index("09:27:42 stream 7 ended")
    assert text.index("stream 7 · Nifty 50") < end < text.index("streams  none runs")
