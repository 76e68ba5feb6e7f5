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
    numbered_accounts,
    totp_code,
)

EVENING_S = 1_795_440_600.0  # 2026-11-23 19:00 IST
MIDNIGHT_S = EVENING_S + 5 * 3600
ME, OTHER = numbered_accounts(Credentials(), 2)


@dataclass
class Broker:
    """The accounts of a broker, whose clock a test sets."""

    now_s: float = EVENING_S
    lifetime_s: float | None = None
    accepts_code_once: bool = True
    accounts: Accounts = field(init=False)

    def __post_init__(self) -> None:
        self.accounts = Accounts(
            [ME, OTHER],
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
    assert len(set(Broker().login())) == 3


@pytest.mark.parametrize("change", [{"client_code": "X1"}, {"pin": "0000"}])
def test_a_wrong_client_code_or_pin_is_ab1007(change: dict[str, str]) -> None:
    broker = Broker()
    assert refusal(lambda: broker.login(**change)) == "AB1007"


@pytest.mark.parametrize("code", ["000000", "", "12345", "abcdef", "１２３４５６"])
def test_a_wrong_code_is_ab1050(code: str) -> None:
    broker = Broker()
    assert refusal(lambda: broker.login(totp=code)) == "AB1050"


def test_a_code_is_good_once() -> None:
    broker = Broker()
    broker.login()
    assert refusal(broker.login) == "AB1050"
    broker.now_s += 30
    broker.login()


def test_a_code_may_be_used_again_where_that_is_wanted() -> None:
    broker = Broker(accepts_code_once=False)
    assert broker.login() != broker.login()


@pytest.mark.parametrize(
    ("late_s", "is_good"), [(-30, True), (30, True), (-60, False), (90, False)]
)
def test_a_code_is_good_in_its_own_window_and_its_neighbours(late_s: int, is_good: bool) -> None:
    broker = Broker(now_s=EVENING_S + 15)
    code = broker.code()
    broker.now_s += late_s
    if is_good:
        broker.login(totp=code)
    else:
        assert refusal(lambda: broker.login(totp=code)) == "AB1050"


def test_tokens_end_at_midnight_in_india_and_say_so() -> None:
    broker = Broker()
    tokens = broker.login()
    assert {claims(token)["exp"] for token in tokens} == {int(MIDNIGHT_S)}
    broker.now_s = MIDNIGHT_S - 1
    broker.accounts.check_jwt(tokens.jwt)
    broker.now_s = MIDNIGHT_S
    assert refusal(broker.accounts.check_jwt, tokens.jwt) == "AG8002"
    assert refusal(broker.accounts.refresh, tokens.jwt, tokens.refresh) == "AB8051"


def test_a_short_lifetime_ends_jwt_and_feed_token_but_not_the_refresh_token() -> None:
    broker = Broker(lifetime_s=2)
    tokens = broker.login()
    broker.now_s += 2
    assert refusal(broker.accounts.check_jwt, tokens.jwt) == "AG8002"
    new = broker.accounts.refresh(tokens.jwt, tokens.refresh)
    broker.accounts.check_jwt(new.jwt)


def test_a_jwt_that_is_missing_forged_or_another_simulators_is_refused() -> None:
    accounts = Broker().accounts
    assert refusal(accounts.check_jwt, "") == "AG8003"
    for forged in ("nonsense", "a.b.c", Broker().login().jwt, Broker().login().jwt[:-2]):
        assert refusal(accounts.check_jwt, forged) == "AG8001"


def test_a_token_is_good_for_its_own_use_only() -> None:
    broker = Broker()
    tokens = broker.login()
    assert refusal(broker.accounts.check_jwt, tokens.feed) == "AG8001"
    assert refusal(broker.accounts.refresh, tokens.jwt, tokens.jwt) == "AB8050"


def test_a_refresh_leaves_the_old_tokens_good() -> None:
    broker = Broker()
    old = broker.login()
    new = broker.accounts.refresh(old.jwt, old.refresh)
    assert not set(new) & set(old)
    broker.accounts.check_jwt(old.jwt)
    broker.accounts.check_jwt(new.jwt)


def test_a_refresh_needs_a_jwt_that_was_once_issued() -> None:
    broker = Broker()
    tokens = broker.login()
    assert refusal(broker.accounts.refresh, "", tokens.refresh) == "AG8003"
    assert refusal(broker.accounts.refresh, "forged", tokens.refresh) == "AG8001"
    assert refusal(broker.accounts.refresh, tokens.jwt, None) == "AB8050"


def test_logout_ends_its_own_session_only() -> None:
    broker = Broker(accepts_code_once=False)
    mine, other = broker.login(), broker.login()
    assert refusal(broker.accounts.logout, mine.jwt, "X1") == "AB1007"
    broker.accounts.logout(mine.jwt, ME.client_code)
    assert refusal(broker.accounts.check_jwt, mine.jwt) == "AG8001"
    assert refusal(broker.accounts.refresh, mine.jwt, mine.refresh) == "AB8050"
    broker.accounts.check_jwt(other.jwt)


def test_expiring_spares_the_refresh_token_and_revoking_does_not() -> None:
    broker = Broker()
    tokens = broker.login()
    broker.accounts.expire()
    assert refusal(broker.accounts.check_jwt, tokens.jwt) == "AG8002"
    tokens = broker.accounts.refresh(tokens.jwt, tokens.refresh)
    broker.accounts.check_jwt(tokens.jwt)
    broker.accounts.revoke()
    assert refusal(broker.accounts.check_jwt, tokens.jwt) == "AG8001"
    assert refusal(broker.accounts.refresh, tokens.jwt, tokens.refresh) == "AB8050"


def test_a_missing_api_key_has_another_code_than_a_wrong_one() -> None:
    accounts = Broker().accounts
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
    broker = Broker()
    good = headers(broker.login())
    broker.accounts.check_feed_headers(good | {"authorization": prefix + good["authorization"]})


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
    broker = Broker()
    given = headers(broker.login())
    del given[name]
    if value is not None:
        given[name] = value
    with pytest.raises(HeaderRefusedError, match=message):
        broker.accounts.check_feed_headers(given)


def test_the_first_wrong_header_is_the_one_that_is_named() -> None:
    with pytest.raises(HeaderRefusedError, match="Auth token"):
        Broker().accounts.check_feed_headers({})


# --- several accounts -----------------------------------------------------------------------------


def test_accounts_are_numbered_from_the_first_and_all_different() -> None:
    accounts = numbered_accounts(ME, 5)
    assert accounts[0] == ME
    for values in zip(*((a.api_key, a.client_code, a.totp_secret) for a in accounts), strict=True):
        assert len(set(values)) == 5
    assert {len(each.totp_secret) for each in accounts} == {32}


def test_each_account_logs_in_with_its_own_code_in_the_same_window() -> None:
    broker = Broker()
    mine = broker.login()
    code = pyotp.TOTP(OTHER.totp_secret).at(int(broker.now_s))
    theirs = broker.login(client_code=OTHER.client_code, pin=OTHER.pin, totp=code)
    assert claims(mine.jwt)["username"] == ME.client_code
    assert claims(theirs.jwt)["username"] == OTHER.client_code
    assert refusal(broker.accounts.login, OTHER.client_code, OTHER.pin, broker.code()) == "AB1050"


def test_a_refresh_stays_with_the_account_of_its_token() -> None:
    accounts = Broker().accounts
    old = accounts.new_session(OTHER.client_code)
    assert claims(accounts.refresh(old.jwt, old.refresh).jwt)["username"] == OTHER.client_code


def test_a_handshake_gives_its_client_code_and_mixes_no_accounts() -> None:
    accounts = Broker().accounts
    mine, theirs = (accounts.new_session(each.client_code) for each in (ME, OTHER))
    good = {
        "authorization": f"Bearer {theirs.jwt}",
        "x-client-code": OTHER.client_code,
        "x-api-key": OTHER.api_key,
        "x-feed-token": theirs.feed,
    }
    assert accounts.check_feed_headers(good) == OTHER.client_code
    for wrong, reason in (
        ({"authorization": f"Bearer {mine.jwt}"}, "Client Code"),
        ({"x-client-code": ME.client_code}, "Client Code"),
        ({"x-api-key": ME.api_key}, "API Key"),
        ({"x-feed-token": mine.feed}, "Feed Token"),
    ):
        with pytest.raises(HeaderRefusedError, match=reason):
            accounts.check_feed_headers(good | wrong)


def test_a_logout_is_for_its_own_client_code_only() -> None:
    accounts = Broker().accounts
    mine = accounts.new_session(ME.client_code)
    assert refusal(accounts.logout, mine.jwt, OTHER.client_code) == "AB1007"
    accounts.check_jwt(mine.jwt)


# --- a refresh token that works once --------------------------------------------------------------


def test_a_refresh_token_works_again_unless_the_broker_ends_it() -> None:
    accounts = Broker().accounts
    tokens = accounts.new_session(ME.client_code)
    accounts.refresh(tokens.jwt, tokens.refresh)
    accounts.refresh(tokens.jwt, tokens.refresh, once=True)
    assert refusal(accounts.refresh, tokens.jwt, tokens.refresh) == "AB8050"


def test_a_broker_may_take_each_refresh_token_once() -> None:
    accounts = Accounts([ME], lambda: EVENING_S, refreshes_once=True)
    first = accounts.new_session(ME.client_code)
    second = accounts.refresh(first.jwt, first.refresh)
    assert refusal(accounts.refresh, first.jwt, first.refresh) == "AB8050"
    accounts.refresh(second.jwt, second.refresh)
