from __future__ import annotations

import json

import pytest

from ticks.adapter.auth.replies import Asked, Call, Reply, data_of
from ticks.adapter.errors import (
    BrokerBusyError,
    CredentialsRefusedError,
    NotSmartApiError,
    RateLimitedError,
    TicksError,
    TokenRefusedError,
    TotpRefusedError,
)

TOKENS = {"jwtToken": "Bearer j.w.t", "refreshToken": "r", "feedToken": "f"}
STATUSES = [200, 400, 401, 403, 404, 500, 503]
SECURED = [Call.REFRESH, Call.PROFILE, Call.LOGOUT]


def asked(call: Call, skew_s: float | None = None, secrets: tuple[str, ...] = ()) -> Asked:
    return Asked(call, "https://broker.example", skew_s, secrets)


def shape_a(code: str, message: str = "Some words") -> bytes:
    return json.dumps(
        {"status": False, "message": message, "errorcode": code, "data": None}
    ).encode()


def shape_b(code: str, message: str = "Some words") -> bytes:
    return json.dumps(
        {"success": False, "message": message, "errorCode": code, "data": ""}
    ).encode()


def failure(reply: Reply, call: Call, **rest: object) -> TicksError:
    with pytest.raises(TicksError) as caught:
        data_of(reply, asked(call, **rest))  # type: ignore[arg-type]
    assert caught.value.remedy
    return caught.value


def test_a_success_gives_its_data_with_the_jwt_bare() -> None:
    body = json.dumps({"status": True, "message": "SUCCESS", "errorcode": "", "data": TOKENS})
    data = data_of(Reply(200, body.encode()), asked(Call.LOGIN))
    assert data == {"jwtToken": "j.w.t", "refreshToken": "r", "feedToken": "f"}


def test_a_logout_needs_no_data() -> None:
    body = b'{"success": true, "message": "SUCCESS", "errorCode": "", "data": ""}'
    assert data_of(Reply(200, body), asked(Call.LOGOUT)) == {}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("shape", [shape_a, shape_b])
@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        ("AB1007", CredentialsRefusedError, "TICKS_PIN"),
        ("AG8001", CredentialsRefusedError, "TICKS_API_KEY"),
        ("AG8004", CredentialsRefusedError, "TICKS_API_KEY"),
        ("AB1034", CredentialsRefusedError, "TICKS_API_KEY"),
        ("AB1050", TotpRefusedError, "TICKS_TOTP_SECRET"),
        ("AB1004", BrokerBusyError, "again"),
    ],
)
def test_a_refused_login_is_told_by_its_code_whatever_the_status_and_shape(
    status: int, shape: object, code: str, kind: type[TicksError], hint: str
) -> None:
    error = failure(Reply(status, shape(code)), Call.LOGIN)  # type: ignore[operator]
    assert type(error) is kind
    assert f"{code}: Some words" in str(error)
    assert hint in error.remedy


@pytest.mark.parametrize("call", SECURED)
@pytest.mark.parametrize("shape", [shape_a, shape_b])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("code", ["AG8001", "AG8002", "AG8003", "AB1010", "AB8050", "AB8051"])
def test_tokens_that_are_over_are_told_by_their_code(
    call: Call, shape: object, status: int, code: str
) -> None:
    error = failure(Reply(status, shape(code)), call)  # type: ignore[operator]
    assert type(error) is TokenRefusedError
    assert code in str(error)
    assert "ticks login" in error.remedy


def test_an_unknown_code_refuses_a_login_for_good_and_other_calls_for_now() -> None:
    assert type(failure(Reply(200, shape_a("AB9999")), Call.LOGIN)) is CredentialsRefusedError
    assert type(failure(Reply(200, shape_a("AB9999")), Call.REFRESH)) is BrokerBusyError
    assert type(failure(Reply(500, shape_a("AB9999")), Call.LOGIN)) is BrokerBusyError
    assert type(failure(Reply(401, shape_a("AB9999")), Call.REFRESH)) is TokenRefusedError


@pytest.mark.parametrize("status", [200, 403, 429])
def test_too_many_calls_is_told_by_the_words_or_the_status(status: int) -> None:
    words = b"Access denied because of exceeding access rate"
    error = failure(Reply(status, words), Call.LOGIN)
    assert type(error) is RateLimitedError
    assert "minute" in error.remedy
    assert type(failure(Reply(429, shape_a("AB1007")), Call.LOGIN)) is RateLimitedError
    assert type(failure(Reply(429, b"<html>"), Call.LOGIN)) is RateLimitedError


@pytest.mark.parametrize("status", [200, 403])
def test_the_web_firewalls_page_is_a_busy_broker(status: int) -> None:
    page = b"<html><head><title>Request Rejected</title></head></html>"
    assert type(failure(Reply(status, page), Call.LOGIN)) is BrokerBusyError
    assert type(failure(Reply(403, b"<html>"), Call.LOGIN)) is BrokerBusyError


def test_a_server_in_trouble_is_a_busy_broker() -> None:
    assert type(failure(Reply(502, b"<html>Bad Gateway"), Call.PROFILE)) is BrokerBusyError


def test_a_bare_401_ends_the_tokens_but_proves_nothing_at_login() -> None:
    assert type(failure(Reply(401, b""), Call.PROFILE)) is TokenRefusedError
    assert type(failure(Reply(401, b""), Call.LOGIN)) is NotSmartApiError


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<html>It works!</html>",
        b"\xff\xfe",
        b"[1, 2]",
        b"null",
        b"{}",
        b"[" * 5000,
        b'{"status": "ok"}',
        b'{"status": false}',
        b'{"status": false, "message": "what?"}',
        b'{"status": true}',
        b'{"status": true, "data": null}',
        b'{"status": true, "data": []}',
        b'{"status": true, "data": {"jwtToken": "a", "refreshToken": "b"}}',
        b'{"status": true, "data": {"jwtToken": 1, "refreshToken": "b", "feedToken": "c"}}',
        b'{"status": true, "data": {"jwtToken": "", "refreshToken": "b", "feedToken": "c"}}',
        b'{"status": true, "data": {"jwtToken": "a\\nb", "refreshToken": "b", "feedToken": "c"}}',
    ],
)
def test_whatever_else_answers_is_no_smartapi(body: bytes) -> None:
    error = failure(Reply(200, body), Call.LOGIN)
    assert type(error) is NotSmartApiError
    assert "https://broker.example" in str(error)
    assert "TICKS_REST_URL" in error.remedy


def test_a_redirect_is_no_smartapi_and_its_target_is_named_without_secrets() -> None:
    body = json.dumps({"status": True, "data": TOKENS}).encode()
    error = failure(Reply(302, body, location="https://u:p@hotel.example/in?k=v"), Call.LOGIN)
    assert type(error) is NotSmartApiError
    assert "to https://hotel.example/in)" in str(error)


@pytest.mark.parametrize(
    ("skew_s", "words"), [(40.2, "40 s ahead of"), (-3600.0, "3600 s behind the broker's")]
)
def test_a_skewed_clock_is_named_where_a_code_is_refused(skew_s: float, words: str) -> None:
    error = failure(Reply(200, shape_a("AB1050")), Call.LOGIN, skew_s=skew_s)
    assert words in str(error)
    assert "clock" in error.remedy


@pytest.mark.parametrize("skew_s", [None, 4.9, -4.9])
def test_a_small_or_unknown_skew_is_not_blamed(skew_s: float | None) -> None:
    error = failure(Reply(200, shape_a("AB1050")), Call.LOGIN, skew_s=skew_s)
    assert "clock is" not in str(error)


def test_the_brokers_words_are_shown_without_secrets_escapes_and_length() -> None:
    words = "bad pin 2468 for my-api-key \x1b[31m" + "x" * 1000
    error = failure(
        Reply(200, shape_a("AB1007", words)), Call.LOGIN, secrets=("2468", "my-api-key", "")
    )
    assert "bad pin *** for ***" in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 300


def test_a_repr_shows_no_body_and_no_secret() -> None:
    shown = repr(Reply(200, b"the-jwt")) + repr(asked(Call.LOGIN, None, ("2468",)))
    assert "the-jwt" not in shown
    assert "2468" not in shown
