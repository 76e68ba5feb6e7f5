"""The log of events: taken in order by every reader, and never without the ones that count."""

from __future__ import annotations

import threading

from ticks.adapter.clock import SystemClock
from ticks.adapter.event_log import EventLog
from ticks.adapter.events import (
    Connected,
    Dropped,
    EventsDropped,
    GaveUp,
    Lost,
    Malformed,
    Recovered,
    Stopped,
)
from ticks.adapter.waker import Waker


def log(most_events: int = 100, waker: Waker | None = None) -> EventLog:
    return EventLog(SystemClock(), waker, most_events=most_events)


def test_events_are_taken_once_in_their_order() -> None:
    full = log()
    for event in (Connected(), Lost("network"), Stopped()):
        full.add(event, connection=1)
    assert [entry.event for entry in full.take()] == [Connected(), Lost("network"), Stopped()]
    assert full.take() == []
    assert [entry.event.name for entry in full.recent()] == ["connected", "lost", "stopped"]


def test_an_event_wakes_a_waiting_reader() -> None:
    waker = Waker()
    log(waker=waker).add(Connected())
    assert waker.wait(0)


def test_a_full_log_drops_the_oldest_counts_them_and_keeps_every_loss() -> None:
    full = log(most_events=3)
    losses = [Lost("network"), Recovered("network"), GaveUp("network", attempts=3, blind_s=1.0)]
    for loss in losses:
        full.add(loss, connection=1)
        for number in range(5):
            full.add(Malformed(number))
    taken = [entry.event for entry in full.take()]
    assert taken == [*losses, Malformed(2), Malformed(3), Malformed(4), EventsDropped(12)]
    assert full.take() == [], "what was dropped is reported once"


def test_losses_that_nobody_takes_are_bounded_too_and_counted() -> None:
    full = log(most_events=2)
    for number in range(25):
        full.add(Lost(str(number)))
        full.add(Connected())
    *kept, last = [entry.event for entry in full.take()]
    assert [event.cause for event in kept if isinstance(event, Lost)] == [
        str(number) for number in range(5, 25)
    ]
    assert last == EventsDropped(5 + 23)


def test_every_reader_takes_all_events_and_a_stuck_one_costs_nobody_else() -> None:
    full = log(most_events=3)
    full.add(Connected())
    late = full.reader()
    for number in range(4):
        full.add(Malformed(number))
        full.take()
    assert [entry.event for entry in late.take()] == [
        *(Malformed(number) for number in range(1, 4)),
        EventsDropped(1),
    ]
    assert full.take() == late.take() == []


def test_nothing_is_lost_between_threads() -> None:
    full = log(most_events=10_000)

    def add(number: int) -> None:
        for count in range(500):
            full.add(Dropped(count), connection=number)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    taken = []
    while any(thread.is_alive() for thread in threads):
        taken += full.take()
    taken += full.take()
    for number in range(4):
        of_one = [entry.event for entry in taken if entry.connection == number]
        assert of_one == [Dropped(i) for i in range(500)]


def test_a_reader_waits_for_an_event_or_until_it_is_woken() -> None:
    full = log()
    reader = full.reader()
    waited = threading.Semaphore(0)

    def wait_twice() -> None:
        for _ in range(2):
            reader.wait()
            reader.take()
            waited.release()

    thread = threading.Thread(target=wait_twice)
    thread.start()
    full.add(Connected())
    assert waited.acquire(timeout=20)
    reader.wake()
    thread.join(20)
    assert not thread.is_alive()


def test_an_alert_is_set_by_every_event() -> None:
    full, news = log(), threading.Event()
    full.alert(news)
    for _ in range(2):
        full.add(Connected())
        assert news.is_set()
        news.clear()
