"""What a connection asks for and what was refused, without a connection."""

from __future__ import annotations

import json

import pytest

from ticks.adapter.clock import SystemClock
from ticks.adapter.errors import SubscriptionRefusedError
from ticks.adapter.events import FeedEvent, Refused, Subscribed, Unsubscribed
from ticks.adapter.feed.requests import Requests
from ticks.adapter.tick import Mode
from ticks.adapter.wire.subscription import FeedMessage, Unit

NIFTY, RELIANCE = Unit(1, "99926000", Mode.LTP), Unit(1, "2885", Mode.QUOTE)


class Desk:
    """Requests on one link, with all that they sent and logged."""

    def __init__(self, *units: Unit) -> None:
        self.sent: list[dict[str, object]] = []
        self.logged: list[FeedEvent] = []
        self.requests = Requests(
            units,
            SystemClock(),
            send=lambda text: self.sent.append(json.loads(text)),
            log=self.logged.append,
        )

    def refuse(self, request: str, *, has_ticked: bool = False) -> SubscriptionRefusedError | None:
        error = FeedMessage(request, "E1002", "over the limit")
        return self.requests.refused(error, lambda _unit, _since_s: has_ticked)


@pytest.fixture
def desk() -> Desk:
    desk = Desk(NIFTY, RELIANCE)
    desk.requests.send_changes()
    return desk


def test_what_is_wanted_is_asked_for_once_by_mode(desk: Desk) -> None:
    desk.requests.send_changes()
    assert desk.logged == [Subscribed("s1ltp", "ltp", 1), Subscribed("s2quote", "quote", 1)]
    assert [each["correlationID"] for each in desk.sent] == ["s1ltp", "s2quote"]
    assert desk.requests.is_settled


def test_a_change_sends_the_difference_alone(desk: Desk) -> None:
    desk.requests.want([RELIANCE])
    assert not desk.requests.is_settled
    desk.requests.send_changes()
    assert desk.logged[2:] == [Unsubscribed("u3ltp", "ltp", 1)]


def test_a_new_link_is_asked_for_everything_again(desk: Desk) -> None:
    desk.requests.begin_link()
    desk.requests.send_changes()
    assert [each["correlationID"] for each in desk.sent[2:]] == ["s3ltp", "s4quote"]


def test_what_was_refused_is_wanted_no_more_and_taken_once(desk: Desk) -> None:
    assert desk.refuse("s1ltp") is None
    assert desk.requests.wanted == (RELIANCE,)
    assert desk.requests.take_refused() == {NIFTY}
    assert desk.requests.take_refused() == set()
    assert desk.logged[-1] == Refused("E1002", "over the limit", "s1ltp", 1)


def test_the_last_refusal_is_the_end(desk: Desk) -> None:
    desk.refuse("s1ltp")
    cause = desk.refuse("s2quote")
    assert cause is not None
    assert cause.values == {"request": "s2quote", "instruments": 1, "code": "E1002"}


@pytest.mark.parametrize(
    ("request_id", "has_ticked"), [("s1ltp", True), ("s9ltp", False), ("", False)]
)
def test_a_text_about_what_ticks_or_was_never_asked_changes_nothing(
    desk: Desk, request_id: str, has_ticked: bool
) -> None:
    assert desk.refuse(request_id, has_ticked=has_ticked) is None
    assert desk.requests.wanted == (NIFTY, RELIANCE)
    assert isinstance(desk.logged[-1], Refused)


def test_a_flood_of_refusals_is_counted_to_the_last(desk: Desk) -> None:
    for _ in range(500):
        desk.refuse("")
    desk.requests.report_withheld()
    refusals = [event for event in desk.logged if isinstance(event, Refused)]
    assert sum(1 + (refusal.others or 0) for refusal in refusals) == 500
    assert len(refusals) < 50
