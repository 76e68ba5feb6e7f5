from __future__ import annotations

from ticks.adapter.auth.credentials import VARIABLES, Credentials
from ticks.adapter.auth.tokens import Session

SAVED = Session("A123", "saved-key", "j", "r", "f", 0)


def test_they_come_from_the_environment_without_the_blanks_around() -> None:
    environ = {name: f" {name.lower()}\n" for name in VARIABLES.values()}
    assert Credentials.from_env(environ) == Credentials(
        "ticks_api_key", "ticks_client_code", "ticks_pin", "ticks_totp_secret"
    )


def test_an_empty_variable_is_a_missing_one() -> None:
    found = Credentials.from_env({"TICKS_PIN": " ", "TICKS_API_KEY": "k"})
    assert found.missing() == ("TICKS_CLIENT_CODE", "TICKS_PIN", "TICKS_TOTP_SECRET")


def test_a_code_from_a_phone_stands_in_for_the_secret() -> None:
    assert Credentials("k", "A123", "2468", totp_code="123456").missing() == ()


def test_a_repr_names_what_is_missing_and_shows_no_secret() -> None:
    text = repr(Credentials("the-key", "A123", "2468", None))
    assert "123456" not in repr(Credentials(totp_code="123456"))
    assert text == "Credentials(client_code='A123', missing=('TICKS_TOTP_SECRET',))"


def test_another_accounts_session_is_not_ones_own() -> None:
    assert Credentials().own(SAVED)
    assert Credentials(client_code="A123", api_key="saved-key").own(SAVED)
    assert not Credentials(client_code="B456").own(SAVED)
    assert not Credentials(api_key="new-key").own(SAVED)


def test_a_saved_session_completes_what_is_unknown_and_no_more() -> None:
    completed = Credentials(api_key="mine", pin="2468").completed_by(SAVED)
    assert completed == Credentials("mine", "A123", "2468", None)
