from __future__ import annotations

import pytest

from ticks.adapter.jetstream.delivery import Delivery, Position, position_of


@pytest.mark.parametrize(
    ("reply", "position"),
    [
        ("$JS.ACK.TICKS.c1.1.12.3.1700000000000000000.9", Position(12, 3, 1700000000000000000, 9)),
        ("$JS.ACK._.hash.TICKS.c1.1.12.3.17.9.random", Position(12, 3, 17, 9)),
        ("$JS.FC.TICKS.c1.x", None),
        ("_INBOX.abc.1", None),
        ("$JS.ACK.TICKS.c1.1.x.3.17.9", None),
        ("", None),
    ],
)
def test_a_position_is_read_from_where_the_server_puts_it(
    reply: str, position: Position | None
) -> None:
    assert position_of(reply) == position


@pytest.mark.parametrize(
    ("body", "headers", "refusal"),
    [
        (b'{"stream":"TICKS","seq":7}', None, ""),
        (b'{"stream":"TICKS","seq":7,"duplicate":true}', None, ""),
        (
            b'{"error":{"err_code":10077,"description":"maximum bytes exceeded"},"seq":0}',
            None,
            "maximum bytes exceeded",
        ),
        (b'{"error":1}', None, "the server refuses the messages"),
        (b"", {"Status": "503"}, "no stream takes the messages"),
        (b"", None, "an empty answer"),
    ],
)
def test_an_acknowledgement_is_distinguished_from_a_refusal(
    body: bytes, headers: dict[str, str] | None, refusal: str
) -> None:
    assert Delivery("inbox.1", "", body, headers).refusal == refusal
