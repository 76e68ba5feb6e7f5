from __future__ import annotations

from typing import cast

from ticks.adapter.simulator.subscribers import Subscriber, Subscribers

ONE, OTHER = (cast(Subscriber, object()) for _ in range(2))


def test_subscribers_of_a_unit_come_in_their_order_and_once() -> None:
    subscribers = Subscribers()
    for subscriber in (ONE, OTHER, ONE):
        subscribers.add(b"unit", subscriber)
    assert list(subscribers.of(b"unit")) == [ONE, OTHER]
    assert list(subscribers.of(b"another")) == []


def test_who_leaves_a_unit_leaves_the_others_there() -> None:
    subscribers = Subscribers()
    for unit in (b"a", b"b"):
        subscribers.add(unit, ONE)
        subscribers.add(unit, OTHER)
    subscribers.remove([b"a"], ONE)
    assert list(subscribers.of(b"a")) == [OTHER]
    assert list(subscribers.of(b"b")) == [ONE, OTHER]
