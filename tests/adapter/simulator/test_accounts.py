from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

import pyotp
import pytest

from ticks.adapter.simulator.accounts import (
    Accounts,
    CallRefusedError,
    Credentials,
    HeaderRefusedError,
    Tokens,
    totp_code,
)

EVENING_S = 1_795_440_600.0  # 2026-11-23 19:00 IST
MIDNIGHT_S = EVENING_S + 5 * 3600
ME = Credentials()


@dataclass
class Book:
    """The accounts of a broker whose clock a test turns."""

    now_s: float = EVENING_S
    lifetime_s: float | None = None
    accepts_code_once: bool = True
    accounts: Accounts = field(init=False)

    def __post_init__(self) -> None:
        self.accounts = Accounts(
            ME,
            lambda: self.now_s,
            lifetime_s=self.lifetime_s,
            accepts_code_once=self.accepts_code_once,
        )

    def code(self) -> str:
        return pyotp.TOTP(ME.totp_secret).at(int(self.now_s))

    def login(self, **changes: str) -> Tokens:
        given = {"client_code": ME.client_code, "pin": ME.pin, "totp": self.code()} | changes
        return self.accounts.login(**given)


def refusal(call: object, *args: object) -> str:
    with pytest.raises(CallRefusedError) as refused:
        call(*args)  # type: ignore[operator]
    return refused.value.code


def claims(token: str) -> dict[str, object]:
    text = token.split(".")[1]
    decoded: dict[str, object] = json.loads(base64.urlsafe_b64decode(text + "=="))
    return decoded


def test_codes_are_those_of_rfc_6238() -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert [totp_code(secret, at // 30) for at in (59, 1111111109, 20000000000)] == [
        "287082",
        "081804",
        "353130",
    ]


def test_a_login_with_the_right_code_gives_three_different_tokens() -> None:
    assert len(set(Book().login())) == 3


@pytest.mark.parametrize("change", [{"client_code": "X1"}, {"pin": "0000"}])
def test_a_wrong_client_code_or_pin_is_ab1007(change: dict[str, str]) -> None:
    book = Book()
    assert refusal(lambda: book.login(**change)) == "AB1007"


@pytest.mark.parametrize("code", ["000000", "", "12345", "abcdef", "１２３４５６"])
def test_a_wrong_code_is_ab1050(code: str) -> None:
    book = Book()
    assert refusal(lambda: book.login(totp=code)) == "AB1050"


def test_a_code_is_good_once() -> None:
    book = Book()
    book.login()
    assert refusal(book.login) == "AB1050"
    book.now_s += 30
    book.login()


def test_a_code_may_be_used_again_where_that_is_wanted() -> None:
    book = Book(accepts_code_once=False)
    assert book.login() != book.login()


@pytest.mark.parametrize(
    ("late_s", "is_good"), [(-30, True), (30, True), (-60, False), (90, False)]
)
def test_a_code_is_good_in_its_own_window_and_its_neighbours(late_s: int, is_good: bool) -> None:
    book = Book(now_s=EVENING_S + 15)
    code = book.code()
    book.now_s += late_s
    if is_good:
        book.login(totp=code)
    else:
        assert refusal(lambda: book.login(totp=code)) == "AB1050"


def test_tokens_end_at_midnight_in_india_and_say_so() -> None:
    book = Book()
    tokens = book.login()
    assert {claims(token)["exp"] for token in tokens} == {int(MIDNIGHT_S)}
    book.now_s = MIDNIGHT_S - 1
    book.accounts.check_jwt(tokens.jwt)
    book.now_s = MIDNIGHT_S
    assert refusal(book.accounts.check_jwt, tokens.jwt) == "AG8002"
    assert refusal(book.accounts.refresh, tokens.jwt, tokens.refresh) == "AB8051"


def test_a_short_lifetime_ends_jwt_and_feed_token_but_not_the_refresh_token() -> None:
    book = Book(lifetime_s=2)
    tokens = book.login()
    book.now_s += 2
    assert refusal(book.accounts.check_jwt, tokens.jwt) == "AG8002"
    new = book.accounts.refresh(tokens.jwt, tokens.refresh)
    book.accounts.check_jwt(new.jwt)


def test_a_jwt_that_is_missing_forged_or_another_simulators_is_refused() -> None:
    accounts = Book().accounts
    assert refusal(accounts.check_jwt, "") == "AG8003"
    for forged in ("nonsense", "a.b.c", Book().login().jwt, Book().login().jwt[:-2]):
        assert refusal(accounts.check_jwt, forged) == "AG8001"


def test_a_token_is_good_for_its_own_use_only() -> None:
    book = Book()
    tokens = book.login()
    assert refusal(book.accounts.check_jwt, tokens.feed) == "AG8001"
    assert refusal(book.accounts.refresh, tokens.jwt, tokens.jwt) == "AB8050"


def test_a_refresh_leaves_the_old_tokens_good() -> None:
    book = Book()
    old = book.login()
    new = book.accounts.refresh(old.jwt, old.refresh)
    assert not set(new) & set(old)
    book.accounts.check_jwt(old.jwt)
    book.accounts.check_jwt(new.jwt)


def test_a_refresh_needs_a_jwt_that_was_once_issued() -> None:
    book = Book()
    tokens = book.login()
    assert refusal(book.accounts.refresh, "", tokens.refresh) == "AG8003"
    assert refusal(book.accounts.refresh, "forged", tokens.refresh) == "AG8001"
    assert refusal(book.accounts.refresh, tokens.jwt, None) == "AB8050"


def test_logout_ends_its_own_session_only() -> None:
    book = Book(accepts_code_once=False)
    mine, other = book.login(), book.login()
    assert refusal(book.accounts.logout, mine.jwt, "X1") == "AB1007"
    book.accounts.logout(mine.jwt, ME.client_code)
    assert refusal(book.accounts.check_jwt, mine.jwt) == "AG8001"
    assert refusal(book.accounts.refresh, mine.jwt, mine.refresh) == "AB8050"
    book.accounts.check_jwt(other.jwt)


def test_expiring_spares_the_refresh_token_and_revoking_does_not() -> None:
    book = Book()
    tokens = book.login()
    book.accounts.expire()
    assert refusal(book.accounts.check_jwt, tokens.jwt) == "AG8002"
    tokens = book.accounts.refresh(tokens.jwt, tokens.refresh)
    book.accounts.check_jwt(tokens.jwt)
    book.accounts.revoke()
    assert refusal(book.accounts.check_jwt, tokens.jwt) == "AG8001"
    assert refusal(book.accounts.refresh, tokens.jwt, tokens.refresh) == "AB8050"


def test_an_api_key_is_told_missing_from_wrong() -> None:
    accounts = Book().accounts
    accounts.check_api_key(ME.api_key)
    assert refusal(lambda: accounts.check_api_key("", wrong="AB1034")) == "AG8004"
    assert refusal(lambda: accounts.check_api_key("other", wrong="AB1034")) == "AB1034"


def headers(tokens: Tokens) -> dict[str, str]:
    return {
        "authorization": tokens.jwt,
        "x-client-code": ME.client_code,
        "x-api-key": ME.api_key,
        "x-feed-token": tokens.feed,
    }


@pytest.mark.parametrize("prefix", ["", "Bearer "])
def test_a_handshake_passes_with_and_without_bearer(prefix: str) -> None:
    book = Book()
    good = headers(book.login())
    book.accounts.check_feed_headers(good | {"authorization": prefix + good["authorization"]})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("authorization", "Invalid Header - Invalid Auth token"),
        ("x-client-code", "Invalid Header - Invalid Client Code"),
        ("x-api-key", "Invalid Header - Invalid API Key"),
        ("x-feed-token", "Invalid Header - Invalid Feed Token"),
    ],
)
@pytest.mark.parametrize("value", [None, "wrong"])
def test_each_wrong_handshake_header_is_named(name: str, message: str, value: str | None) -> None:
    book = Book()
    given = headers(book.login())
    del given[name]
    if value is not None:
        given[name] = value
    with pytest.raises(HeaderRefusedError, match=message):
        book.accounts.check_feed_headers(given)


def test_the_first_wrong_header_is_the_one_that_is_named() -> None:
    with pytest.raises(HeaderRefusedError, match="Auth token"):
        Book().accounts.check_feed_headers({})
