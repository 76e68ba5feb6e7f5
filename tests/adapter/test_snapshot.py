"""What a dashboard draws, as values, and as another process reads it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.events import CONVERTING, Connected
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.market.evidence import MarketState
from ticks.adapter.snapshot import (
    ChainSnapshot,
    FeedSnapshot,
    MarketSnapshot,
    StrikeSnapshot,
)


def through_a_file(snapshot: FeedSnapshot) -> dict[str, Any]:
    """What another process reads of it."""
    return json.loads(json.dumps(snapshot.to_dict()))  # type: ignore[no-any-return]


def test_as_json_it_is_values_with_times_in_india_and_exact_prices(snapshot: FeedSnapshot) -> None:
    plain = through_a_file(snapshot)
    assert plain["at"] == "2026-11-20T09:15:00.123000+05:30"
    assert plain["phase"] == "waiting"
    assert plain["connections"][0]["next_try_s"] == 1.5
    assert plain["instruments"][0]["ltp"] == "1.00"
    assert plain["outputs"] == [
        {"name": "out.csv", "rows": 7, "bytes_written": 512, "is_left": False}
    ]
    assert plain["events"] == [
        {
            "at": "2026-11-20T09:15:00.000001+05:30",
            "connection": 1,
            "event": "lost",
            "cause": "silence",
            "detail": "no data",
        }
    ]


def test_a_snapshot_comes_back_whole_from_json(snapshot: FeedSnapshot) -> None:
    assert FeedSnapshot.from_dict(through_a_file(snapshot)) == snapshot


def test_a_chain_and_a_market_come_back_whole_too(snapshot: FeedSnapshot) -> None:
    spot = snapshot.instruments[0]
    side = replace(spot, bid=Decimal("0.05"), bid_quantity=75, oi_change_percent=-1.5, move=-1)
    strike = StrikeSnapshot(Decimal("24150.00"), side, None)
    chain = ChainSnapshot(
        "NIFTY chain 1", "NIFTY", "2026-12-29", spot, strike.strike, (strike,), 1, 3
    )
    segment = MarketSnapshot("NSE", MarketState.LIVE, snapshot.at, closes_at=snapshot.at)
    whole = replace(snapshot, chains=(chain,), market=(segment,), first_row=9, matching=12)
    assert FeedSnapshot.from_dict(through_a_file(whole)) == whole


def test_one_thread_at_a_time_makes_values_of_json(
    snapshot: FeedSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once crash the interpreter, once in some twenty times."""
    was_held: list[bool] = []
    convert = msgspec.convert

    def watched(given: object, to: type[object]) -> object:
        was_held.append(CONVERTING.locked())
        return convert(given, to)

    monkeypatch.setattr(msgspec, "convert", watched)
    FeedSnapshot.from_dict(through_a_file(snapshot))
    Connected.from_facts({"attempt": 1})
    assert len(was_held) >= 2
    assert all(was_held)


def test_what_a_newer_version_added_is_ignored(snapshot: FeedSnapshot) -> None:
    read = through_a_file(snapshot)
    read["events"].append({"at": read["at"], "connection": 1, "event": "moved_house"})
    read["connections"][0]["mood"] = "good"
    assert FeedSnapshot.from_dict({**read, "mood": "good"}) == snapshot


@pytest.mark.parametrize("key", ["uncertain_s", "foreign", "names_skipped", "is_demo", "outputs"])
def test_what_an_older_version_lacks_is_nothing(snapshot: FeedSnapshot, key: str) -> None:
    read = through_a_file(snapshot)
    del read[key]
    assert not getattr(FeedSnapshot.from_dict(read), key)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data())
def test_a_damaged_one_is_a_value_error_at_most(
    snapshot: FeedSnapshot, data: st.DataObject
) -> None:
    read = through_a_file(snapshot)
    key = data.draw(st.sampled_from(sorted(read)))
    read[key] = data.draw(JSON)
    if read["connections"] and isinstance(read["connections"], list):
        read["connections"][0] = data.draw(JSON | st.just(read["connections"][0]))
    with suppress(ValueError):
        assert isinstance(FeedSnapshot.from_dict(read).phase, Phase)
