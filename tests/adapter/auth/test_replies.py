from __future__ import annotations

import json

import pytest

from ticks.adapter.auth.replies import Asked, Call, data_of
from ticks.adapter.errors import (
    BrokerBusyError,
    CredentialsRefusedError,
    NotSmartApiError,
    RateLimitedError,
    TicksError,
    TokenRefusedError,
    TotpRefusedError,
)
from ticks.adapter.http import Reply
from ticks.adapter.redaction import remember

TOKENS = {"jwtToken": "Bearer j.w.t", "refreshToken": "r", "feedToken": "f"}
STATUSES = [200, 400, 401, 403, 404, 500, 503]
SECURED = [Call.REFRESH, Call.PROFILE, Call.LOGOUT]


def asked(call: Call, skew_s: float | None = None) -> Asked:
    return Asked(call, "https://broker.example", skew_s)


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
    assert caught.value.kind
    return caught.value


def test_a_success_gives_its_data_with_the_jwt_bare() -> None:
    body = json.dumps({"status": True, "message": "SUCCESS", "errorcode": "", "data": TOKENS})
    data = data_of(Reply(200, body.encode()), asked(Call.LOGIN))
    assert {"jwtToken": "j.w.t", "refreshToken": "r", "feedToken": "f"}.items() <= data.items()


@pytest.mark.parametrize("refresh", [{}, {"refreshToken": None}, {"refreshToken": ""}])
def test_a_login_without_a_refresh_token_is_a_login(refresh: dict[str, object]) -> None:
    tokens = {"jwtToken": "j.w.t", "feedToken": "f", **refresh}
    body = json.dumps({"status": "true", "message": "SUCCESS", "data": tokens})
    data = data_of(Reply(200, body.encode()), asked(Call.LOGIN))
    assert (data["jwtToken"], data["refreshToken"], data["feedToken"]) == ("j.w.t", "", "f")


def test_a_logout_needs_no_data() -> None:
    body = b'{"success": true, "message": "SUCCESS", "errorCode": "", "data": ""}'
    assert data_of(Reply(200, body), asked(Call.LOGOUT)) is not None


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("shape", [shape_a, shape_b])
@pytest.mark.parametrize(
    ("code", "error_type", "kind"),
    [
        ("AB1007", CredentialsRefusedError, "login-refused"),
        ("AG8001", CredentialsRefusedError, "api-key-refused"),
        ("AG8004", CredentialsRefusedError, "api-key-refused"),
        ("AB1034", CredentialsRefusedError, "api-key-refused"),
        ("AB1050", TotpRefusedError, "totp-refused"),
        ("AB1004", BrokerBusyError, "broker-busy"),
    ],
)
def test_a_refused_login_is_recognized_by_its_code_whatever_the_status_and_shape(
    status: int, shape: object, code: str, error_type: type[TicksError], kind: str
) -> None:
    error = failure(Reply(status, shape(code)), Call.LOGIN)  # type: ignore[operator]
    assert (type(error), error.kind) == (error_type, kind)
    assert f"{code}: Some words" in str(error)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    "body",
    [
        '{"status": "false", "message": "Wrong PIN", "errorcode": "AB1007", "data": null}',
        '{"status": "False", "message": "Wrong PIN", "errorcode": "AB1007", "data": "null"}',
        '{"success": "false", "message": "Wrong PIN", "errorCode": "AB1007", "data": ""}',
        '{"status": 0, "message": "Wrong PIN", "errorcode": "AB1007"}',
        '{"status": null, "message": "Wrong PIN", "errorcode": "AB1007"}',
        '{"status": true, "message": "Wrong PIN", "errorcode": "AB1007", "data": null}',
        '{"status": "error", "message": "Wrong PIN", "error_code": "AB1007", "data": []}',
        '{"message": "Wrong PIN", "errorcode": "AB1007"}',
        '{"errorMessage": "Wrong PIN", "ErrorCode": "AB1007"}',
        '{"status": false, "message": "Wrong PIN", "errorcode": 1007}',
        '{"status": false, "message": "Wrong PIN"}',
        '{"status": "false", "message": "Wrong PIN", "errorcode": "", "data": null}',
        '{"status": false, "message": ["Wrong PIN"], "error": {"message": "Wrong PIN"}}',
        '{"status": false, "data": {"errorcode": "AB1007", "message": "Wrong PIN"}}',
        '{"status": true, "data": [{"errorcode": "AB1007", "message": "Wrong PIN"}]}',
        '[{"status": false, "message": "Wrong PIN", "errorcode": "AB1007", "data": null}]',
        '{"error": {"code": "AB1007", "message": "Wrong PIN"}}',
        '{"error": {"code": "E77", "message": "Wrong PIN"}}',
        '{"errors": [{"errCode": "E77", "errMsg": "Wrong PIN"}]}',
        '{"stat": "Not_Ok", "emsg": "Wrong PIN"}',
        '{"status": "E", "message": "Wrong PIN"}',
        '{"statusCode": 401, "message": "Wrong PIN"}',
        '{"status": 400, "error": "Bad Request", "message": "Wrong PIN"}',
        '{"message": "Wrong PIN", "errorcode": "AB1007", "jwtToken": "a", "feedToken": "b"}',
    ],
)
def test_a_login_that_is_refused_in_any_shape_is_refused_in_the_brokers_words(
    status: int, body: str
) -> None:
    error = failure(Reply(status, body.encode()), Call.LOGIN)
    assert (type(error), error.kind) == (CredentialsRefusedError, "login-refused")
    assert "Wrong PIN" in str(error)


@pytest.mark.parametrize("status", [400, 401, 422])
@pytest.mark.parametrize("body", [b'{"error": "Wrong PIN"}', b'{"message": "Wrong PIN"}'])
def test_words_with_a_status_that_denies_are_a_refusal(status: int, body: bytes) -> None:
    error = failure(Reply(status, body), Call.LOGIN)
    assert type(error) is CredentialsRefusedError
    assert "Wrong PIN" in str(error)


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("verdict", ["", '"status": null, ', '"status": true, "data": null, '])
def test_words_of_a_reply_that_is_not_understood_are_shown(status: int, verdict: str) -> None:
    body = f'{{{verdict}"message": "Wrong path"}}'.encode()
    error = failure(Reply(status, body), Call.LOGIN)
    assert type(error) is NotSmartApiError
    assert "(Wrong path)" in str(error)


def test_a_code_denies_whatever_stands_beside_it() -> None:
    body = json.dumps({"status": True, "errorcode": "AB1007", "data": TOKENS}).encode()
    assert type(failure(Reply(200, body), Call.LOGIN)) is CredentialsRefusedError


def test_a_success_may_say_that_there_is_no_error() -> None:
    for code in ("", "0", None, "SUCCESS", 0):
        body = json.dumps({"status": True, "errorcode": code, "data": TOKENS}).encode()
        assert data_of(Reply(200, body), asked(Call.LOGIN))["feedToken"] == "f"


@pytest.mark.parametrize("body", [b"AB1007: Wrong PIN", b"<error>AB1007</error>", b"AB1007"])
def test_a_code_in_a_text_is_a_refusal_too(body: bytes) -> None:
    error = failure(Reply(400, body), Call.LOGIN)
    assert type(error) is CredentialsRefusedError
    assert error.values["code"] == "AB1007"


def test_a_bare_no_is_a_refusal_without_a_reason() -> None:
    error = failure(Reply(200, b'{"status": false}'), Call.LOGIN)
    assert (type(error), error.kind) == (CredentialsRefusedError, "login-refused")
    assert "without a reason" in str(error)


@pytest.mark.parametrize("call", SECURED)
@pytest.mark.parametrize("shape", [shape_a, shape_b])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("code", ["AG8001", "AG8002", "AG8003", "AB1010", "AB8050", "AB8051"])
def test_tokens_that_are_over_are_recognized_by_their_code(
    call: Call, shape: object, status: int, code: str
) -> None:
    error = failure(Reply(status, shape(code)), call)  # type: ignore[operator]
    assert (type(error), error.kind) == (TokenRefusedError, "session-over")
    assert code in str(error)


def test_an_unknown_code_refuses_a_login_for_good_and_other_calls_for_now() -> None:
    assert type(failure(Reply(200, shape_a("AB9999")), Call.LOGIN)) is CredentialsRefusedError
    assert type(failure(Reply(200, shape_a("AB9999")), Call.REFRESH)) is BrokerBusyError
    assert type(failure(Reply(500, shape_a("AB9999")), Call.LOGIN)) is CredentialsRefusedError
    assert type(failure(Reply(500, shape_a("AB9999")), Call.REFRESH)) is BrokerBusyError
    assert type(failure(Reply(401, shape_a("AB9999")), Call.REFRESH)) is TokenRefusedError


@pytest.mark.parametrize("status", [200, 403, 429])
def test_too_many_calls_is_recognized_by_the_words_or_the_status(status: int) -> None:
    words = b"Access denied because of exceeding access rate"
    error = failure(Reply(status, words), Call.LOGIN)
    assert (type(error), error.kind) == (RateLimitedError, "rate-limit")
    said = shape_a("AB9999", "Access denied because of exceeding access rate")
    assert type(failure(Reply(status, said), Call.LOGIN)) is RateLimitedError
    assert type(failure(Reply(429, shape_a("AB1007")), Call.LOGIN)) is CredentialsRefusedError
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
        b'{"status": true}',
        b'{"status": true, "data": null}',
        b'{"status": true, "data": []}',
        b'{"status": true, "data": {"jwtToken": "a", "refreshToken": "b"}}',
        b'{"status": true, "message": "SUCCESS", "errorcode": "", "data": "null"}',
        b'{"timestamp": 1, "status": 404, "error": "Not Found", "path": "/rest"}',
        b'{"status": true, "data": {"jwtToken": 1, "refreshToken": "b", "feedToken": "c"}}',
        b'{"status": true, "data": {"jwtToken": "", "refreshToken": "b", "feedToken": "c"}}',
        b'{"status": true, "data": {"jwtToken": "a\\nb", "refreshToken": "b", "feedToken": "c"}}',
    ],
)
def test_whatever_else_answers_is_not_smartapi(body: bytes) -> None:
    error = failure(Reply(200, body), Call.LOGIN)
    assert (type(error), error.kind) == (NotSmartApiError, "not-smartapi")
    assert error.values["url"] == "https://broker.example"


def test_a_redirect_is_not_smartapi_and_its_target_is_named_without_secrets() -> None:
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
    assert (error.kind, error.values["skew_s"]) == ("totp-clock", skew_s)


@pytest.mark.parametrize("skew_s", [None, 4.9, -4.9])
def test_a_small_or_unknown_skew_is_not_blamed(skew_s: float | None) -> None:
    error = failure(Reply(200, shape_a("AB1050")), Call.LOGIN, skew_s=skew_s)
    assert "clock is" not in str(error)


def test_the_brokers_words_are_shown_without_secrets_escapes_and_length() -> None:
    remember("8642", "my-api-key")
    words = "bad pin 8642 for my-api-key \x1b[31m" + "x" * 1000
    error = failure(Reply(200, shape_a("AB1007", words)), Call.LOGIN)
    assert "bad pin *** for ***" in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 300
    assert "8642" not in repr(error.values)


def test_a_code_is_shown_even_where_it_holds_the_digits_of_a_pin() -> None:
    remember("1007")
    assert "(AB1007: Some words)" in str(failure(Reply(200, shape_a("AB1007")), Call.LOGIN))
