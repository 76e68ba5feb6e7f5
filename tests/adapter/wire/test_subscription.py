"""Subscriptions: limits, requests as the wire wants them, error replies, shards, changes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.errors import SubscriptionRefusedError, UsageError
from ticks.adapter.instrument import InstrumentKey
from ticks.adapter.tick import Mode
from ticks.adapter.wire.subscription import (
    FeedMessage,
    Request,
    SubscribeAction,
    Unit,
    difference,
    parse_error,
    requests,
    shard,
    spread,
)


def units(count: int, mode: Mode = Mode.QUOTE) -> list[Unit]:
    return [Unit(1, str(token), mode) for token in range(count)]


UNITS = st.builds(
    Unit,
    st.sampled_from([1, 2, 3, 13]),
    st.integers(0, 12).map(str),
    st.sampled_from([Mode.LTP, Mode.QUOTE, Mode.SNAP]),
)

# --- connections ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, []),
        (1, [1]),
        (1000, [1000]),
        (1001, [500, 501]),
        (2000, [1000, 1000]),
        (2001, [667, 667, 667]),
        (3000, [1000, 1000, 1000]),
    ],
)
def test_units_fill_as_few_connections_as_hold_them(count: int, sizes: list[int]) -> None:
    spread_units = spread(units(count))
    assert [len(part) for part in spread_units] == sizes
    assert [unit for part in spread_units for unit in part] == units(count)


def test_a_duplicate_is_subscribed_and_counted_once() -> None:
    assert spread(units(1000) + units(1000)) == [units(1000)]
    other_mode = units(1, Mode.SNAP)
    assert spread(units(1) + other_mode + units(1)) == [units(1) + other_mode]


def test_over_three_thousand_units_are_refused_with_the_number_and_the_limit() -> None:
    with pytest.raises(SubscriptionRefusedError) as caught:
        spread(units(3001))
    assert "3,001" in caught.value.message
    assert "3,000" in caught.value.message
    assert caught.value.kind == "subscriptions-over-limit"
    assert caught.value.values == {"wanted": 3001, "limit": 3000}


# --- requests ------------------------------------------------------------------------------------


def test_a_request_is_the_json_of_the_wire() -> None:
    wanted = [
        Unit(1, "2885", Mode.LTP),
        Unit(5, "234230", Mode.LTP),
        Unit(1, "1594", Mode.LTP),
    ]
    [request] = requests(wanted, SubscribeAction.SUBSCRIBE)
    assert request.text == (
        '{"correlationID":"s1ltp","action":1,"params":{"mode":1,"tokenList":['
        '{"exchangeType":1,"tokens":["2885","1594"]},{"exchangeType":5,"tokens":["234230"]}]}}'
    )
    assert request == Request("s1ltp", SubscribeAction.SUBSCRIBE, Mode.LTP, tuple(wanted))


def test_each_mode_has_a_request_of_its_own() -> None:
    mixed = [Unit(1, "1", Mode.SNAP), Unit(1, "1", Mode.LTP), Unit(1, "2", Mode.SNAP)]
    made = requests(mixed, SubscribeAction.UNSUBSCRIBE, first_number=7)
    assert [(r.correlation_id, r.action, r.mode, r.units) for r in made] == [
        ("u7snap", SubscribeAction.UNSUBSCRIBE, Mode.SNAP, (mixed[0], mixed[2])),
        ("u8ltp", SubscribeAction.UNSUBSCRIBE, Mode.LTP, (mixed[1],)),
    ]
    assert [json.loads(r.text)["action"] for r in made] == [0, 0]


def test_a_token_that_no_packet_can_hold_is_asked_for_apart_from_the_others() -> None:
    long, longest = Unit(7, "DHANIYA18DEC26CE11300FDEC26", Mode.LTP), Unit(7, "T" * 25, Mode.LTP)
    short = Unit(1, "2885", Mode.LTP)
    asked = requests([short, long, longest], SubscribeAction.SUBSCRIBE)
    assert [request.units for request in asked] == [(short, longest), (long,)]


def test_nothing_wanted_is_nothing_asked() -> None:
    assert requests([], SubscribeAction.SUBSCRIBE) == []


@given(st.integers(1, 10**8), st.lists(UNITS, max_size=20), st.sampled_from(SubscribeAction))
def test_correlation_ids_are_short_alphanumeric_and_used_once(
    first_number: int, wanted: list[Unit], action: SubscribeAction
) -> None:
    made = requests(wanted, action, first_number)
    later = requests(wanted, action, first_number + len(made))
    ids = [request.correlation_id for request in made + later]
    assert len(set(ids)) == len(ids)
    assert all(len(i) <= 10 and i.isascii() and i.isalnum() for i in ids)


@given(st.lists(UNITS, max_size=30, unique=True))
def test_requests_ask_for_every_unit_exactly_once(wanted: list[Unit]) -> None:
    asked = []
    for request in requests(wanted, SubscribeAction.SUBSCRIBE):
        params = json.loads(request.text)["params"]
        exchange_types = [part["exchangeType"] for part in params["tokenList"]]
        assert len(set(exchange_types)) == len(exchange_types)
        asked += [
            Unit(part["exchangeType"], token, Mode(params["mode"]))
            for part in params["tokenList"]
            for token in part["tokens"]
        ]
    assert sorted(asked) == sorted(wanted)


# --- error replies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            '{"correlationID":"s1ltp","errorCode":"E1002","errorMessage":"limit exceeded"}',
            FeedMessage("s1ltp", "E1002", "limit exceeded"),
        ),
        ('{"errorCode":"E1001","new":[1]}', FeedMessage("", "E1001", "")),
        ('{"correlationID":null,"errorMessage":"odd"}', FeedMessage("", "", "odd")),
        ('{"correlationID":7,"errorCode":1002}', FeedMessage("7", "1002", "")),
    ],
)
def test_an_error_is_read_with_whatever_it_holds(text: str, error: FeedMessage) -> None:
    assert parse_error(text) == error


@pytest.mark.parametrize(
    "text",
    [
        *("", "pong", "{", "[]", "null", '"E1002"', "{}", '{"correlationID":"s1ltp"}'),
        *('{"errorCode":null,"errorMessage":""}', "[" * 60_000, "9" * 60_000),
    ],
    ids=lambda text: text[:20],
)
def test_other_text_is_not_an_error(text: str) -> None:
    assert parse_error(text) is None


# --- shards --------------------------------------------------------------------------------------

KEYS: list[InstrumentKey] = [(1 + token % 3, str(token)) for token in range(35_000, 41_000)]


def key_itself(key: InstrumentKey) -> InstrumentKey:
    return key


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_are_in_order_and_hold_every_item_once(count: int) -> None:
    parts = [shard(KEYS, key_itself, index, count) for index in range(1, count + 1)]
    assert sorted(key for part in parts for key in part) == sorted(KEYS)
    place = {key: i for i, key in enumerate(KEYS)}
    assert all(part == sorted(part, key=place.__getitem__) for part in parts)
    assert max(map(len, parts)) < 1.1 * len(KEYS) / count


def test_a_list_that_grows_moves_nothing_to_another_shard() -> None:
    assert set(shard(KEYS[100:200], key_itself, 1, 3)) <= set(shard(KEYS, key_itself, 1, 3))


def test_shards_take_anything_that_has_a_key() -> None:
    items = [Unit(*key, Mode.LTP) for key in KEYS[:50]]
    parts = [shard(items, lambda unit: unit[:2], index, 2) for index in (1, 2)]
    assert [[unit[:2] for unit in part] for part in parts] == [
        shard(KEYS[:50], key_itself, index, 2) for index in (1, 2)
    ]


def test_every_process_and_every_release_comes_to_the_same_shards() -> None:
    tokens = ["2885", "1594", "99926000", "99919000", "3045", "11536"]
    assert [shard(tokens, lambda token: (1, token), index, 3) for index in (1, 2, 3)] == [
        ["2885", "1594"],
        ["3045", "11536"],
        ["99926000", "99919000"],
    ]


@pytest.mark.parametrize(("index", "count"), [(0, 3), (4, 3), (1, 0), (-1, 3)])
def test_a_part_that_is_none_is_refused(index: int, count: int) -> None:
    with pytest.raises(UsageError, match=f"part {index} of {count}"):
        shard(KEYS, key_itself, index, count)


# --- changes -------------------------------------------------------------------------------------


def test_a_change_names_what_comes_and_what_goes_in_order() -> None:
    a, b, c, d = units(4)
    assert difference([a, b, c], [d, c, a]) == ([d], [b])
    assert difference([a, b], [a, b]) == ([], [])
    assert difference([], [c, a, b, a]) == ([c, a, b], [])
    assert difference([b, a], []) == ([], [b, a])


def test_another_mode_is_another_unit() -> None:
    quote, snap = Unit(1, "2885", Mode.QUOTE), Unit(1, "2885", Mode.SNAP)
    assert difference({quote}, {snap}) == ([snap], [quote])


@given(st.sets(UNITS, max_size=20), st.sets(UNITS, max_size=20))
def test_a_change_leads_from_what_stands_to_what_is_wanted(
    standing: set[Unit], wanted: set[Unit]
) -> None:
    to_subscribe, to_unsubscribe = difference(standing, wanted)
    assert (standing - set(to_unsubscribe)) | set(to_subscribe) == wanted
    assert standing.isdisjoint(to_subscribe)
    assert wanted.isdisjoint(to_unsubscribe)
