"""The last events of a stream, on its screen."""

from __future__ import annotations

from ticks.adapter.events import Connected, Foreign, Subscribed, Waiting
from ticks.cli.view.frame import Frame
from ticks.cli.view.recent_events import event_lines

from .. import feeds

EVENTS = feeds.WAITING.events


def words(width: int = 80, height: int = 3, *, several: bool = False) -> list[str]:
    return Frame(tuple(event_lines(EVENTS, width, height, is_one_of_several=several))).plain()


def test_the_newest_events_stand_below_the_older_ones() -> None:
    assert words() == [
        "09:15:00 first tick after 0.4 s",
        "09:27:39 silent for 30.4 s",
        "09:27:40 waiting: attempt 2 of 3 in 4.1 s · broker busy: the broker is busy",
    ]
    assert words(height=1) == words()[-1:]
    assert words(height=0) == []


def test_where_there_are_few_lines_a_long_event_is_cut() -> None:
    assert words(width=40)[-1] == "09:27:40 waiting: attempt 2 of 3 in 4.1…"


def test_where_there_are_many_it_goes_on_below_its_time() -> None:
    assert words(width=40, height=20)[-3:] == [
        "09:27:40 waiting: attempt 2 of 3 in 4.1",
        "         s · broker busy: the broker is",
        "         busy",
    ]


def test_of_several_connections_each_event_names_its_own() -> None:
    assert words(several=True)[0] == "09:15:00 feed 1 first tick after 0.4 s"


def test_what_is_calm_stays_in_the_background() -> None:
    events = [feeds.ago(2, Connected()), feeds.ago(1, Foreign(3))]
    lines = event_lines(events, 80, 5, is_one_of_several=False)
    assert [line[-1].style for line in lines] == ["faint", ""]


def test_each_single_request_is_no_news() -> None:
    events = [feeds.ago(1, Subscribed("r1", "quote", 50))] * 60
    assert event_lines(events, 80, 5, is_one_of_several=False) == []


def test_a_tiny_place_holds_a_line_at_most() -> None:
    waiting = Waiting("network", "reset", attempt=1, max_attempts=3, delay_s=1.0)
    assert len(event_lines([feeds.ago(1, waiting)], 5, 1, is_one_of_several=False)) == 1


def test_an_event_that_needs_more_lines_than_are_left_is_left_out_with_those_before_it() -> None:
    shown = words(width=24, height=9)
    assert shown[0].startswith("09:27:39 silent for")
    assert len(shown) == 8
