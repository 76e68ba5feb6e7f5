"""Strategies: what others write, from plausible to absurd."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

_HUGE = "a number of 5,000 digits"
"""Stands for one: Python neither reads nor writes it."""
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 1 << 31, 1 << 63, -(1 << 63), 10**30, _HUGE]),
    st.floats(),
    st.sampled_from([1e308, -0.0, 5e-324]),
)
TEXTS = st.one_of(
    st.text(),
    st.sampled_from(
        ["", "\0", "\ud800", "\x1b[2J", "null", "9" * 5_000, "٣", "²", "İ", "ﬁ", "\u202e"]
    ),
    st.text("0123456789-:+.eE xXnNTZ", max_size=40),
)
TIMES = st.sampled_from(
    [
        "0001-01-01T00:00:00+05:30",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59.999999-23:59",
        "2026-11-20T09:15:00.123456+05:30",
        "2026-11-20T09:15:00",
        "2026-02-30T00:00:00+05:30",
    ]
)


def json_values(keys: list[str]) -> st.SearchStrategy[Any]:
    """Any JSON, with objects that have some of `keys`."""
    leaves = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, TIMES)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.one_of(st.sampled_from(keys), TEXTS), inner, max_size=6),
        ),
        max_leaves=12,
    )


def written(value: Any) -> str:
    """JSON as other programs write it: also what Python's own reader would not."""
    return json.dumps(value).replace(f'"{_HUGE}"', "9" * 5_000)


NESTED = st.sampled_from(["[" * 9_000, '{"a":' * 9_000, "[" * 900 + "]" * 900])


def json_texts(keys: list[str]) -> st.SearchStrategy[str]:
    return st.one_of(json_values(keys).map(written), NESTED, TEXTS)


@st.composite
def mutated(draw: st.DrawFn, good: bytes) -> bytes:
    """`good` with a few changes: bytes replaced, cut out, doubled, put in."""
    data = bytearray(good)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        size = draw(st.integers(0, 40))
        match draw(st.sampled_from(["put", "cut", "double", "insert", "end"])):
            case "put":
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "cut":
                del data[at : at + size]
            case "double":
                data[at:at] = data[at : at + size]
            case "insert":
                data[at:at] = draw(st.one_of(st.binary(max_size=40), TEXTS.map(_encoded)))
            case "end":
                del data[at:]
    return bytes(data)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
