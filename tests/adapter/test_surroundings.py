"""What the environment says becomes folders, addresses and credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticks.adapter.address import FEED_URL
from ticks.adapter.errors import CredentialsMissingError, UsageError
from ticks.adapter.surroundings import Surroundings


def test_the_environment_names_home_addresses_and_credentials() -> None:
    found = Surroundings.of(
        {"TICKS_HOME": "/x", "TICKS_REST_URL": "http://127.0.0.1:1", "TICKS_PIN": "1"}
    )
    assert str(found.home.session_file) == "/x/session.json"
    assert found.addresses.rest_url == "http://127.0.0.1:1"
    assert found.addresses.feed_url == FEED_URL
    assert found.credentials.missing() == (
        "TICKS_API_KEY",
        "TICKS_CLIENT_CODE",
        "TICKS_TOTP_SECRET",
    )


def test_an_address_that_would_leak_tokens_is_refused() -> None:
    with pytest.raises(UsageError, match=r"TICKS_FEED_URL.*clear text to example\.com"):
        Surroundings.of({"TICKS_FEED_URL": "ws://example.com/feed"})


def test_a_keeper_without_credentials_says_what_it_lacks(tmp_path: Path) -> None:
    keeper = Surroundings.of({"TICKS_HOME": str(tmp_path), "TICKS_PIN": "1"}).session_keeper()
    with pytest.raises(CredentialsMissingError, match="TICKS_TOTP_SECRET"):
        keeper.session()
