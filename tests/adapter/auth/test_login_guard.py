"""Logins through the authenticator: what is sent, what is never sent again, what is waited for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ticks.adapter.auth.totp import code_at
from ticks.adapter.errors import (
    BrokerBusyError,
    CredentialsRefusedError,
    LoginUnclearError,
    NetworkError,
    NotSmartApiError,
    RateLimitedError,
    TicksError,
    TotpRefusedError,
    TotpSecretError,
)

REFUSED_CODE = TotpRefusedError(
    "the broker refused the TOTP code", kind="totp-refused", code="AB1050"
)


def test_a_code_is_tried_at_once_even_if_its_window_was_used(desk, credentials) -> None:
    authenticator = desk.authenticator()
    authenticator.login(credentials)
    authenticator.login(credentials)
    assert desk.broker.calls[0] == desk.broker.calls[1]
    assert desk.pauses == []


def test_a_refused_code_waits_for_the_next_window_once_and_says_so(desk, credentials) -> None:
    desk.broker.failures["login"] = [REFUSED_CODE]
    desk.clock.turn(8)
    session = desk.authenticator().login(credentials)
    assert desk.pauses == [12.0]
    assert desk.notes == ["the broker refused the code; waiting 12 s for the next one"]
    first, second = (call[4] for call in desk.broker.calls)
    assert first != second == code_at("TICKSDEMOTICKSDE", desk.clock.wall / 1e9)
    assert session.issued_ns == desk.clock.wall


def test_a_reply_that_came_in_the_next_window_costs_no_wait(desk, credentials) -> None:
    real_login = desk.broker.login

    def slow(*call: str) -> object:
        desk.clock.turn(25)
        return real_login(*call)

    desk.broker.login = slow
    desk.broker.failures["login"] = [REFUSED_CODE]
    desk.authenticator().login(credentials)
    assert desk.pauses == [0.0]


def test_the_wait_for_the_next_code_counts_down(desk, credentials) -> None:
    desk.broker.failures["login"] = [REFUSED_CODE]
    seen: list[float | None] = []

    def pause(seconds: float) -> None:
        seen.append(authenticator.totp_wait_s)
        desk.clock.turn(seconds - 5)
        seen.append(authenticator.totp_wait_s)
        desk.clock.turn(5)

    desk.pause = pause
    authenticator = desk.authenticator()
    assert authenticator.totp_wait_s is None
    authenticator.login(credentials)
    assert seen == [20.0, 5.0]
    assert authenticator.totp_wait_s is None


def test_a_code_that_was_typed_is_sent_as_it_is_and_not_waited_for(desk, credentials) -> None:
    typed = replace(credentials, totp_secret=None, totp_code="123456")
    desk.broker.failures["login"] = [REFUSED_CODE]
    authenticator = desk.authenticator()
    with pytest.raises(TotpRefusedError):
        authenticator.login(typed)
    assert [call[4] for call in desk.broker.calls] == ["123456"]
    assert desk.pauses == []
    assert authenticator.login(replace(typed, totp_code="654321")).client_code == "A123"


def test_an_answer_that_is_not_understood_lets_the_pin_be_sent_once_more_at_most(desk) -> None:
    desk.broker.failures["login"] = [NotSmartApiError("what?") for _ in range(9)]
    authenticator = desk.authenticator()
    with pytest.raises(NotSmartApiError):
        authenticator.session()
    for _ in range(3):
        with pytest.raises(LoginUnclearError, match=r"last: what\?") as caught:
            authenticator.session()
        assert not caught.value.can_retry
        desk.clock.turn(3600)
    assert desk.broker.count("login") == 2


def test_codes_refused_in_two_windows_are_never_tried_again(desk, credentials) -> None:
    desk.broker.failures["login"] = [REFUSED_CODE, REFUSED_CODE]
    authenticator = desk.authenticator()
    for _ in range(3):
        with pytest.raises(TotpRefusedError, match="refused the TOTP code") as caught:
            authenticator.login(credentials)
        assert (caught.value.kind, caught.value.values) == ("totp-refused", {"code": "AB1050"})
    assert desk.broker.count("login") == 2
    assert len(desk.pauses) == 1


def test_refused_credentials_are_never_tried_twice(desk, credentials) -> None:
    desk.broker.failures["login"] = [CredentialsRefusedError("AB1007", kind="login-refused")]
    authenticator = desk.authenticator()
    for call in (
        authenticator.session,
        authenticator.renew,
        lambda: authenticator.login(credentials),
    ):
        with pytest.raises(CredentialsRefusedError, match="AB1007") as caught:
            call()
        assert caught.value.kind == "login-refused"
    assert desk.broker.count("login") == 1
    assert authenticator.login(replace(credentials, pin="1357")).client_code == "A123"


@pytest.mark.parametrize(
    "fault",
    [
        BrokerBusyError("AB1004", kind="broker-busy", code="AB1004"),
        BrokerBusyError("HTTP 502", kind="broker-busy"),
        BrokerBusyError("the web firewall", kind="firewall"),
        NetworkError("no answer", kind="unreachable", was_sent=True),
    ],
)
def test_a_broker_in_trouble_is_sent_the_pin_twice_and_then_once_a_minute(
    desk, fault: TicksError
) -> None:
    desk.broker.failures["login"] = [fault] * 3
    authenticator = desk.authenticator()
    for call in (authenticator.session, authenticator.renew) * 3:
        with pytest.raises(type(fault), match=fault.message) as caught:
            call()
        assert (caught.value.kind, caught.value.can_retry) == (fault.kind, True)
        desk.clock.turn(9)
    assert desk.broker.count("login") == 2
    desk.clock.turn(60)
    with pytest.raises(type(fault)):
        authenticator.session()
    assert desk.broker.count("login") == 3
    desk.clock.turn(60)
    assert authenticator.session().client_code == "A123"


def test_a_login_that_never_left_may_be_tried_again_at_once(desk) -> None:
    desk.broker.failures["login"] = [NetworkError("down") for _ in range(5)]
    authenticator = desk.authenticator()
    for _ in range(5):
        with pytest.raises(NetworkError):
            authenticator.session()
    assert authenticator.session().client_code == "A123"


@pytest.mark.parametrize("fault", [NetworkError("down"), BrokerBusyError("HTTP 503")])
def test_a_fault_that_passes_does_not_bar_the_next_login(desk, fault: TicksError) -> None:
    desk.broker.failures["login"] = [fault]
    authenticator = desk.authenticator()
    with pytest.raises(type(fault)):
        authenticator.session()
    assert authenticator.session().client_code == "A123"


def test_after_too_many_calls_no_login_is_sent_for_a_minute(desk) -> None:
    desk.broker.failures["login"] = [RateLimitedError("too many calls")]
    authenticator = desk.authenticator()
    for seconds in (0, 30, 29):
        desk.clock.turn(seconds)
        with pytest.raises(RateLimitedError):
            authenticator.session()
    assert desk.broker.count("login") == 1
    desk.clock.turn(1)
    assert authenticator.session().client_code == "A123"


def test_a_secret_that_is_not_base32_is_named_before_anything_is_sent(desk, credentials) -> None:
    with pytest.raises(TotpSecretError) as caught:
        desk.authenticator().login(replace(credentials, totp_secret="0189-nonsense"))
    assert "0189" not in str(caught.value)
    assert desk.broker.calls == []
