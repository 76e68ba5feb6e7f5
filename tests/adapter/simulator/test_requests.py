from __future__ import annotations

import json

import pytest

from ticks.adapter.simulator.instrument_model import unit_prefix
from ticks.adapter.simulator.requests import (
    RequestRefusedError,
    SubscriptionRequest,
    parse_request,
)


def text(**changes: object) -> str:
    """A request's JSON; `mode` and `tokenList` stand in `params`."""
    params = {"mode": 1, "tokenList": [{"exchangeType": 1, "tokens": ["2885"]}]}
    request = {"correlationID": "abc", "action": 1, "params": params}
    for name, value in changes.items():
        (params if name in params else request)[name] = value
    return json.dumps(request)


def units(mode: int, count: int, start: int = 0) -> tuple[bytes, ...]:
    return tuple(unit_prefix(mode, 1, str(n)) for n in range(start, start + count))


def test_a_request_names_units_each_once_over_several_exchanges() -> None:
    groups = [
        {"exchangeType": 1, "tokens": ["2885", "1594", "2885"]},
        {"exchangeType": 5, "tokens": ["2885"]},
    ]
    request = parse_request(text(mode=3, tokenList=groups))
    assert request.is_subscribe
    assert request.units == (
        unit_prefix(3, 1, "2885"),
        unit_prefix(3, 1, "1594"),
        unit_prefix(3, 5, "2885"),
    )


def test_action_0_unsubscribes() -> None:
    assert not parse_request(text(action=0)).is_subscribe


def test_a_request_without_correlation_id_is_right_as_the_sdk_sends_such() -> None:
    request = json.loads(text())
    del request["correlationID"]
    assert parse_request(json.dumps(request)).correlation_id == ""


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "nonsense",
        "[]",
        "7",
        "{}",
        text(action=2),
        text(action="1x"),
        text(params=None),
        text(mode=0),
        text(mode=5),
        text(tokenList=[]),
        text(tokenList=[{"exchangeType": 1, "tokens": []}]),
        text(tokenList=[{"exchangeType": 6, "tokens": ["1"]}]),
        text(tokenList=[{"exchangeType": "1", "tokens": ["1"]}]),
        text(tokenList=[{"exchangeType": 1, "tokens": [2885]}]),
        text(tokenList=[{"exchangeType": 1, "tokens": [""]}]),
        text(tokenList=[{"exchangeType": 1, "tokens": ["9" * 26]}]),
        text(tokenList=[{"tokens": ["1"]}]),
        text(mode=4),  # twenty levels of depth, withdrawn
        text(mode="1"),
        text(mode=None),
    ],
)
def test_a_request_that_is_not_right_is_e1001(payload: str) -> None:
    with pytest.raises(RequestRefusedError) as refused:
        parse_request(payload)
    assert refused.value.code == "E1001"


def test_a_refusal_names_the_request() -> None:
    with pytest.raises(RequestRefusedError) as refused:
        parse_request(text(mode=9))
    assert json.loads(refused.value.text()) == {
        "correlationID": "abc",
        "errorCode": "E1001",
        "errorMessage": "Invalid Request Payload.",
    }


def test_a_thousand_units_fit_and_duplicates_do_not_count() -> None:
    standing = dict.fromkeys(units(1, 999))
    again = SubscriptionRequest("a", is_subscribe=True, units=units(1, 1000))
    assert len(again.added_to(standing)) == 1000
    assert len(again.added_to(again.added_to(standing))) == 1000


def test_one_unit_too_many_refuses_the_whole_request() -> None:
    standing = dict.fromkeys(units(1, 999))
    request = SubscriptionRequest("a", is_subscribe=True, units=units(2, 2))
    with pytest.raises(RequestRefusedError) as refused:
        request.added_to(standing)
    assert refused.value.code == "E1002"
    assert len(standing) == 999


def test_unsubscribing_leaves_the_rest_and_forgives_what_is_not_there() -> None:
    request = SubscriptionRequest("a", is_subscribe=False, units=units(1, 5, start=3))
    assert tuple(request.added_to(dict.fromkeys(units(1, 5)))) == units(1, 3)


def test_json_that_is_nested_without_end_is_refused() -> None:
    with pytest.raises(RequestRefusedError):
        parse_request("[" * 100_000)
