"""Checks beside the one who shows them: what comes, when it is repeated, how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from typing import cast

import pytest

from ticks.adapter.health import LOCAL_CHECKS, Check, CheckStatus, Checkup
from ticks.adapter.waker import Waker
from ticks.cli.terminal import check_thread
from ticks.cli.terminal.check_thread import CheckThread

DEADLINE_S = 20.0
ALL = ("credentials", "session", "disk")


class FakeCheckup:
    """Checks that are done at once, or never (`waits_at`), and a clock that stands."""

    def __init__(self, waits_at: str = "", fails_at: str = "") -> None:
        self.runs: list[tuple[str, ...]] = []
        self.at_s = 100.0
        self.waits_at, self.fails_at = waits_at, fails_at
        self.stopped = threading.Event()

    def now_s(self) -> float:
        return self.at_s

    def wall_ns(self) -> int:
        return 0

    def run(self, names: Collection[str] | None = None) -> Iterator[Check]:
        chosen = tuple(name for name in ALL if names is None or name in names)
        self.runs.append(chosen)
        for name in chosen:
            if name == self.waits_at:
                assert self.stopped.wait(DEADLINE_S)
            if name == self.fails_at:
                raise RuntimeError("broken")
            yield Check(name, CheckStatus.OK, "")

    def stop(self) -> None:
        self.stopped.set()


@pytest.fixture
def waker() -> Waker:
    return Waker()


@pytest.fixture
def started(waker: Waker, monkeypatch: pytest.MonkeyPatch) -> Callable[..., CheckThread]:
    monkeypatch.setattr(check_thread, "_LOCAL_EVERY_S", 0.001)

    def start(checkup: FakeCheckup, *, repeats: bool) -> CheckThread:
        return CheckThread(cast(Checkup, checkup), waker, checkup, repeats=repeats)

    return start


def taken(thread: CheckThread, waker: Waker, most: int) -> list[str]:
    """The names of the next checks."""
    names: list[str] = []
    while len(names) < most and not thread.is_over:
        assert waker.wait(DEADLINE_S)
        names += [check.name for check in thread.take()]
    return names + [check.name for check in thread.take()]


def test_each_check_wakes_its_owner_and_so_does_the_end(
    started: Callable[..., CheckThread], waker: Waker
) -> None:
    with started(FakeCheckup(), repeats=False) as thread:
        assert taken(thread, waker, 99) == list(ALL)
        assert thread.is_over


def test_what_costs_nothing_is_repeated_and_the_rest_once_a_minute(
    started: Callable[..., CheckThread], waker: Waker
) -> None:
    checkup = FakeCheckup()
    local = tuple(name for name in ALL if name in LOCAL_CHECKS)
    with started(checkup, repeats=True) as thread:
        taken(thread, waker, 9)
        assert checkup.runs[0] == ALL
        assert set(checkup.runs[1:]) == {local}
        checkup.at_s += 60.0
        taken(thread, waker, 9)
    assert checkup.runs.count(ALL) == 2


def test_an_end_stops_the_check_that_waits(
    started: Callable[..., CheckThread], waker: Waker
) -> None:
    checkup = FakeCheckup(waits_at="session")
    with started(checkup, repeats=True) as thread:
        assert taken(thread, waker, 1) == ["credentials"]
    assert checkup.stopped.is_set()
    assert "checks" not in {each.name for each in threading.enumerate()}


def test_what_breaks_is_raised_where_it_can_be_shown(
    started: Callable[..., CheckThread], waker: Waker
) -> None:
    with (
        pytest.raises(RuntimeError, match="broken"),
        started(FakeCheckup(fails_at="disk"), repeats=False) as thread,
    ):
        taken(thread, waker, 99)
