from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from ticks.adapter.auth.tokens import Session, bare_token, is_header_safe, next_midnight_ns
from ticks.adapter.clock import IST


def session(jwt_token: str, issued_ns: int = 0) -> Session:
    return Session("A123", "the-key", jwt_token, "the-refresh", "the-feed", issued_ns)


def test_a_session_ends_when_its_jwt_does(jwt: Callable[..., str]) -> None:
    held = session(jwt(1_700_000_000))
    assert held.expires_ns == 1_700_000_000 * 10**9
    assert held.is_valid(held.expires_ns - 1)
    assert not held.is_valid(held.expires_ns)


@pytest.mark.parametrize("exp", ["soon", None, True, -1, 0, 1e30, float("inf"), [1]])
def test_an_exp_that_makes_no_sense_means_the_next_midnight_in_india(
    jwt: Callable[..., str], exp: object
) -> None:
    evening = datetime(2026, 11, 20, 23, 59, 59, tzinfo=IST)
    midnight = datetime(2026, 11, 21, tzinfo=IST)
    held = session(jwt(exp), int(evening.timestamp()) * 10**9)
    assert held.expires_ns == int(midnight.timestamp()) * 10**9


@pytest.mark.parametrize(
    "text", ["opaque", "a.b.c", "a.e30.c", "a.W10.c", "..", "a.!!!.c", "a.é.c"]
)
def test_a_token_that_is_not_a_jwt_means_the_next_midnight_in_india(text: str) -> None:
    assert session(text).expires_ns == next_midnight_ns(0) == (18 * 60 + 30) * 60 * 10**9


def test_midnight_itself_belongs_to_the_new_day() -> None:
    midnight_ns = next_midnight_ns(0)
    assert next_midnight_ns(midnight_ns) == midnight_ns + 24 * 3600 * 10**9


def test_a_repr_shows_who_and_no_secret(jwt: Callable[..., str]) -> None:
    text = repr(session(jwt(1)))
    assert "A123" in text
    assert not any(part in text for part in ("the-key", "head.", "the-refresh", "the-feed"))


def test_bearer_is_cut_off() -> None:
    assert bare_token("Bearer abc.def") == bare_token("abc.def") == "abc.def"


@pytest.mark.parametrize("text", ["", "a b", "a\nb", "a\x00", "é"])
def test_what_would_break_a_header_is_not_safe(text: str) -> None:
    assert not is_header_safe(text)
