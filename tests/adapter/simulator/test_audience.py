from __future__ import annotations

from typing import cast

from ticks.adapter.simulator.audience import Audience, Listener

ONE, OTHER = (cast(Listener, object()) for _ in range(2))


def test_listeners_of_a_unit_come_in_their_order_and_once() -> None:
    audience = Audience()
    for listener in (ONE, OTHER, ONE):
        audience.add(b"unit", listener)
    assert list(audience.of(b"unit")) == [ONE, OTHER]
    assert list(audience.of(b"another")) == []


def test_who_leaves_a_unit_leaves_the_others_there() -> None:
    audience = Audience()
    for unit in (b"a", b"b"):
        audience.add(unit, ONE)
        audience.add(unit, OTHER)
    audience.remove([b"a"], ONE)
    assert list(audience.of(b"a")) == [OTHER]
    assert list(audience.of(b"b")) == [ONE, OTHER]
