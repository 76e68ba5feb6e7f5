"""What a dashboard draws, as values, and as another process reads it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.snapshot import FeedSnapshot


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
