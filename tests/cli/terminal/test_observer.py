"""What happens beside the recorder: shown, written, drawn, each at its time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from waits import until

from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.clock import SystemClock
from ticks.adapter.errors import OutputError
from ticks.adapter.event_log import MOST_EVENTS, EventReader
from ticks.adapter.events import Connected, FeedEvent, LogEntry, Lost, Rotated, Stopped
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.recorder import Limits, Recorder
from ticks.adapter.selection import Selection
from ticks.adapter.snapshot import FeedSnapshot
from ticks.adapter.status_file import StatusFile
from ticks.cli.terminal import event_writer
from ticks.cli.terminal import observer as observer_module
from ticks.cli.terminal.console import Console
from ticks.cli.terminal.observer import Observer
from ticks.cli.view.view_state import ViewState

DEADLINE_S = 20.0


class FakeFeed:
    """Broker, recorder, log and clock in one: a snapshot, events to take, looks counted."""

    def __init__(self, snapshot: FeedSnapshot) -> None:
        self.feed = snapshot
        self.at_s = 100.0
        self.clock = self
        self.events = self
        self.entries: list[LogEntry] = []
        self.readers: list[EventReader] = []
        self.lock = threading.Lock()
        self.looks = threading.Semaphore(0)
        self.news = threading.Event()

        self.limits = Limits(duration_s=10.0)

    def now_s(self) -> float:
        return self.at_s

    def add(self, entry: LogEntry) -> None:
        self.entries.append(entry)
        self.news.set()
        with self.lock:
            for reader in self.readers:
                reader.keep(entry)

    def alert(self, news: threading.Event) -> None:
        self.news = news

    def reader(self) -> EventReader:
        self.readers.append(EventReader(SystemClock(), self.lock, MOST_EVENTS))
        return self.readers[-1]

    def take(self) -> list[LogEntry]:
        taken, self.entries = self.entries, []
        self.looks.release()
        return taken

    def snapshot(self, selection: Selection | None = None) -> FeedSnapshot:
        """What is filtered has no instruments here."""
        if selection is not None and selection.text:
            return replace(self.feed, instruments=())
        return self.feed

    def looked(self, times: int = 3) -> None:
        """Wait until so many looks began; all but the last of them are over then."""
        while self.looks.acquire(blocking=False):
            continue  # looks from before
        for _ in range(times):
            assert self.looks.acquire(timeout=DEADLINE_S)


class FakeConsole:
    """Keeps what was logged and shown. `screen` itself has a size."""

    def __init__(self) -> None:
        self.screen = self
        self.width = 80
        self.logged: list[str] = []
        self.said: list[str] = []
        self.shown: list[FeedSnapshot] = []
        self.views: list[ViewState] = []
        self.is_showing = False

    def size(self) -> tuple[int, int]:
        return self.width, 23

    @contextmanager
    def showing(self, keys: object) -> Iterator[None]:
        self.keys = keys
        self.is_showing = True
        yield
        self.is_showing = False

    def log_event(self, entry: LogEntry, *, is_one_of_several: bool) -> None:
        self.logged.append(f"{entry.connection} {entry.event.name} {is_one_of_several}")

    def print_line(self, line: str) -> None:
        self.said.append(line)

    def show(self, snapshot: FeedSnapshot, view: ViewState, now: FeedSnapshot) -> None:
        assert self.is_showing
        self.shown.append(snapshot)
        self.views.append(view)
        self.newest = now


@pytest.fixture
def feed(live: FeedSnapshot, monkeypatch: pytest.MonkeyPatch) -> FakeFeed:
    monkeypatch.setattr(observer_module, "_LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(observer_module, "_LOOK_UNSEEN_EVERY_S", 0.001)
    monkeypatch.setattr(event_writer, "_WRITES_APART_S", 0.001)
    return FakeFeed(live)


@pytest.fixture
def console() -> FakeConsole:
    return FakeConsole()


@pytest.fixture
def observer(feed: FakeFeed, console: FakeConsole, tmp_path: Path) -> Callable[..., Observer]:
    def made(
        events: str | None = None,
        status: Path = tmp_path,
        on_event: Callable[[LogEntry], None] = lambda _entry: None,
        end: Callable[[], None] = lambda: None,
    ) -> Observer:
        return Observer(
            cast(BrokerAdapter, feed),
            cast(Recorder, feed),
            cast(Console, console),
            StatusFile(status, pid=7),
            events=events,
            on_event=on_event,
            end=end,
        )

    return made


def entry(event: FeedEvent, connection: int = 1) -> LogEntry:
    return LogEntry(1_763_609_400_000_000_000, connection, event)


def test_events_are_shown_and_written_the_last_ones_too(
    feed: FakeFeed, console: FakeConsole, observer: Callable[..., Observer], tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    with observer(events=str(path)):
        feed.add(entry(Connected()))
        feed.looked()
        feed.add(entry(Stopped()))
    assert console.logged == ["1 connected False", "1 stopped False"]
    lines = path.read_text(encoding="utf-8").splitlines()
    assert ["connected" in lines[0], "stopped" in lines[1], len(lines)] == [True, True, 2]


def test_each_event_is_handed_on_before_it_is_shown_the_last_one_too(
    feed: FakeFeed, console: FakeConsole, observer: Callable[..., Observer]
) -> None:
    seen: list[tuple[str, int]] = []
    with observer(on_event=lambda entry: seen.append((entry.event.name, len(console.logged)))):
        feed.entries.append(entry(Connected()))
        feed.looked()
        feed.entries.append(entry(Stopped()))
    assert seen == [("connected", 0), ("stopped", 1)]


def test_connections_are_named_where_there_are_several(
    feed: FakeFeed,
    console: FakeConsole,
    observer: Callable[..., Observer],
    crowded: FeedSnapshot,
) -> None:
    feed.feed = crowded
    with observer():
        feed.add(entry(Lost("network"), 3))
    assert console.logged == ["3 lost True"]


def test_an_events_file_that_is_full_is_reported_once_and_is_the_failure(
    feed: FakeFeed, console: FakeConsole, observer: Callable[..., Observer]
) -> None:
    with observer(events="/dev/full") as running:
        for event in (Connected(), Stopped()):
            feed.add(entry(event))
            feed.looked()
    [said] = console.said
    assert said.startswith("the events can no longer be written: /dev/full: the disk is full")
    assert running.failure is not None


def test_a_file_name_that_is_no_utf8_text_is_escaped_in_the_events(
    feed: FakeFeed, observer: Callable[..., Observer], tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    with observer(events=str(path)):
        feed.add(entry(Rotated("bad\udcff.csv", 1, "b.csv"), 0))
    assert json.loads(path.read_text(encoding="utf-8"))["finished"] == "bad\udcff.csv"


def test_an_events_file_that_cannot_be_opened_is_an_output_error(
    observer: Callable[..., Observer], tmp_path: Path
) -> None:
    with (
        pytest.raises(OutputError, match="its folder does not exist"),
        observer(events=str(tmp_path / "nowhere" / "events.jsonl")),
    ):
        pass


def test_an_events_file_is_repaired_appended_to_and_has_one_writer(
    feed: FakeFeed, console: FakeConsole, observer: Callable[..., Observer], tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    whole = entry(Connected()).to_json() + "\n"
    path.write_text(whole + whole[:20], encoding="utf-8")
    with observer(events=str(path)):
        with pytest.raises(OutputError, match="another recorder"), observer(events=str(path)):
            pass
        feed.add(entry(Connected()))
    assert path.read_text(encoding="utf-8") == whole * 2
    assert console.said == [f"{path}: a torn last line (20 bytes) was cut off"]


def test_while_all_is_well_a_second_passes_between_frames(
    feed: FakeFeed, console: FakeConsole, observer: Callable[..., Observer]
) -> None:
    with observer():
        feed.looked(5)
        assert len(console.shown) == 1
        feed.at_s += 1.0
        feed.looked()
        assert len(console.shown) == 2
    assert len(console.shown) == 3, "the last frame"


@pytest.mark.parametrize("cause", ["event", "resize"])
def test_a_change_is_drawn_at_once(
    feed: FakeFeed, console: FakeConsole, observer: Callable[..., Observer], cause: str
) -> None:
    with observer():
        feed.looked()
        if cause == "event":
            feed.add(entry(Lost("network")))
        else:
            console.width = 40
        feed.looked(5)
        assert len(console.shown) == 2


def test_a_countdown_is_drawn_at_every_look(
    feed: FakeFeed,
    console: FakeConsole,
    observer: Callable[..., Observer],
    waiting: FeedSnapshot,
) -> None:
    feed.feed = waiting
    with observer():
        feed.looked(5)
        assert len(console.shown) >= 4


def test_without_a_screen_the_rate_is_sampled_all_the_same(
    feed: FakeFeed, console: FakeConsole, observer: Callable[..., Observer]
) -> None:
    cast(Any, console).screen = None
    with observer():
        feed.looked()
    assert console.shown == [feed.feed] * 2


def test_other_programs_see_the_stream_once_a_second_until_its_end(
    feed: FakeFeed, observer: Callable[..., Observer], tmp_path: Path, waiting: FeedSnapshot
) -> None:
    path = tmp_path / "7.json"
    feed.feed = waiting
    with observer():
        until(lambda: path.exists() and '"phase": "waiting"' in path.read_text(encoding="utf-8"))
        feed.feed = replace(waiting, phase=Phase.LIVE)
        feed.looked(5)
        assert '"phase": "waiting"' in path.read_text(encoding="utf-8")
        feed.at_s += 1.0
        until(lambda: '"phase": "live"' in path.read_text(encoding="utf-8"))
    assert not path.exists()


def test_where_other_programs_cannot_see_it_that_is_said_once(
    feed: FakeFeed, console: FakeConsole, observer: Callable[..., Observer], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with observer(status=tmp_path / "file"):
        for _ in range(3):
            feed.at_s += 1.0
            feed.looked()
    assert len(console.said) == 1
    assert console.said[0].startswith("other programs cannot see this stream: the status file")


def test_without_a_dashboard_a_line_says_what_has_begun_once_all_connections_are_live(
    feed: FakeFeed, console: FakeConsole, observer: Callable[..., Observer], live: FeedSnapshot
) -> None:
    second = replace(live.connections[0], number=2)
    feed.feed = replace(live, connections=(*live.connections, second))
    console.screen = None
    with observer():
        feed.add(entry(Connected(), 1))
        feed.looked()
        assert console.said == []
        for number in (2, 1):
            feed.add(entry(Connected(1), number))
        feed.looked()
    (line,) = console.said
    assert line.startswith("09:00:00 live: 4 instruments (NSE:Nifty 50,")
    assert line.endswith("out.csv, for 10.0 s")


def test_the_status_follows_a_change_of_the_phase_at_once(
    feed: FakeFeed, observer: Callable[..., Observer], tmp_path: Path, live: FeedSnapshot
) -> None:
    def phase() -> str:
        path = tmp_path / "7.json"
        return str(json.loads(path.read_text())["phase"]) if path.exists() else ""

    with observer():
        until(lambda: phase() == "live")
        feed.feed = replace(live, phase=Phase.WAITING)
        feed.add(entry(Lost("network")))  # the clock stands: no second has passed
        until(lambda: phase() == "waiting")


def test_a_held_screen_stands_but_for_the_verdict_and_what_others_see_goes_on(
    feed: FakeFeed,
    console: FakeConsole,
    observer: Callable[..., Observer],
    live: FeedSnapshot,
    waiting: FeedSnapshot,
    tmp_path: Path,
) -> None:
    running = observer()
    with running:
        feed.looked()
        running._control.press(["p"])
        until(lambda: console.views[-1].is_held)
        feed.feed = waiting
        feed.at_s += 5.0
        until(lambda: console.newest == waiting)
        assert console.shown[-1] == live
        assert console.views[-1].held_s == 5.0
        status = tmp_path / "7.json"
        until(lambda: status.exists() and '"phase": "waiting"' in status.read_text("utf-8"))
        running._control.press(["p"])
        until(lambda: console.shown[-1] == waiting)


def test_what_is_filtered_on_the_screen_is_not_filtered_for_other_processes(
    feed: FakeFeed, console: FakeConsole, observer: Callable[..., Observer], tmp_path: Path
) -> None:
    running = observer()
    with running:
        running._control.press(["/", "x"])
        until(lambda: bool(console.shown) and console.shown[-1].instruments == ())
        status = tmp_path / "7.json"
        feed.feed = replace(feed.feed, uptime_s=4242.0)
        feed.at_s += 5.0
        until(lambda: status.exists() and '"uptime_s": 4242.0' in status.read_text("utf-8"))
        assert "RELIANCE-EQ" in status.read_text(encoding="utf-8")


def test_a_key_is_drawn_at_once_and_q_asks_for_the_end(
    feed: FakeFeed,
    console: FakeConsole,
    observer: Callable[..., Observer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(observer_module, "_LOOK_EVERY_S", 3600.0)
    ended: list[bool] = []
    running = observer(end=lambda: ended.append(True))
    with running:
        until(lambda: len(console.shown) == 1)
        running._control.press(["s"])
        until(lambda: len(console.shown) == 2)
        running._control.press(["q"])
        assert ended == [True]
