"""What the environment says becomes folders, addresses and credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticks.adapter.config import Config
from ticks.adapter.errors import CredentialsMissingError, UsageError
from ticks.adapter.urls import FEED_URL


def test_the_environment_names_home_addresses_and_credentials() -> None:
    found = Config.from_env(
        {"TICKS_HOME": "/x", "TICKS_REST_URL": "http://127.0.0.1:1", "TICKS_PIN": "1"}
    )
    assert str(found.paths.session_file) == "/x/session.json"
    assert found.endpoints.rest_url == "http://127.0.0.1:1"
    assert found.endpoints.feed_url == FEED_URL
    assert found.credentials.missing() == (
        "TICKS_API_KEY",
        "TICKS_CLIENT_CODE",
        "TICKS_TOTP_SECRET",
    )


def test_an_address_that_would_leak_tokens_is_refused() -> None:
    with pytest.raises(UsageError, match=r"TICKS_FEED_URL.*clear text to example\.com"):
        Config.from_env({"TICKS_FEED_URL": "ws://example.com/feed"})


def test_a_keeper_without_credentials_says_what_it_lacks(tmp_path: Path) -> None:
    authenticator = Config.from_env({"TICKS_HOME": str(tmp_path), "TICKS_PIN": "1"}).authenticator()
    with pytest.raises(CredentialsMissingError, match="TICKS_TOTP_SECRET"):
        authenticator.session()
