"""The limits of a stream, once it is known what is subscribed."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.errors import UsageError
from ticks.adapter.instrument import Instrument
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.recorder import Limits
from ticks.cli.commands import stream
from ticks.cli.commands.stream import dated
from ticks.cli.options.parsers import CLOSE_NS

NIFTY = Instrument(1, "99926000", "Nifty 50", "NIFTY", kind="AMXIDX")


def at(monkeypatch: pytest.MonkeyPatch, *time: int) -> None:
    class Now(datetime):
        """A datetime whose clock stands."""

        moment: ClassVar[datetime] = datetime(*time, tzinfo=IST)  # type: ignore[misc,arg-type]

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return cls.moment

    monkeypatch.setattr(stream, "datetime", Now)


def test_close_is_five_minutes_after_the_last_session_of_what_is_subscribed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at(monkeypatch, 2026, 11, 26, 9, 0)
    limits = dated(Limits(until_ns=CLOSE_NS, count=5), MarketCalendar(), [NIFTY])
    assert limits.count == 5
    assert limits.until_ns is not None
    until = datetime.fromtimestamp(limits.until_ns / 1e9, IST)
    assert (until.date().day, until.hour) == (26, 15)


def test_after_the_close_there_is_none_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, 2026, 11, 26, 22, 0)
    with pytest.raises(UsageError) as caught:
        dated(Limits(until_ns=CLOSE_NS), MarketCalendar(), [NIFTY])
    assert caught.value.message.startswith("--until:")


def test_other_limits_stay_as_they_were_typed() -> None:
    limits = Limits(duration_s=3.0)
    assert dated(limits, MarketCalendar(), [NIFTY]) is limits
