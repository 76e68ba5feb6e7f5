"""Endpoints that may carry tokens."""

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.urls import (
    FEED_URL,
    INSTRUMENTS_URL,
    REST_URL,
    Endpoints,
    checked_url,
    is_loopback,
    without_secrets,
)

SECRET = "hunter2"


def test_the_brokers_own_addresses_are_fit_for_tokens() -> None:
    assert Endpoints.checked(REST_URL, FEED_URL, INSTRUMENTS_URL) == Endpoints()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "[::1]", "localhost", "LOCALHOST."])
def test_plain_ws_is_for_this_machine(host: str) -> None:
    url = f"ws://{host}:8765/smart-stream"
    assert checked_url(url, "TICKS_FEED_URL", ("wss", "ws")) == url


@pytest.mark.parametrize(
    "host", ["example.com", "10.0.0.1", "0.0.0.0", "localhost.example.com", "127.0.0.1.example.com"]
)
def test_plain_ws_to_another_machine_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="clear text") as refusal:
        checked_url(f"ws://{host}/feed", "TICKS_FEED_URL", ("wss", "ws"))
    error = refusal.value
    assert "TICKS_FEED_URL" in error.message
    assert (error.kind, error.values) == ("url-plain", {"scheme": "wss", "plain": "ws"})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com",
        "wss://example.com",
        "https://",
        "https://example.com:nope",
        "https://example.com:99999",
        "https://[::1",
        f"https://me:{SECRET}@example.com",
        f"https://{SECRET}@example.com",
        f"https://example.com/?feedToken={SECRET}",
        f"http://example.com/#{SECRET}",
        f"https://me:{SECRET}#word@example.com",
        f"https://me:{SECRET}/word@example.com",
        "https://example.com/ rest",
        "https://bröker.example",
        "https://example.com\n",
    ],
)
def test_what_cannot_be_used_is_refused_without_telling_its_secret(url: str) -> None:
    with pytest.raises(UsageError, match="TICKS_REST_URL") as refusal:
        checked_url(url, "TICKS_REST_URL", ("https", "http"))
    assert SECRET not in refusal.value.message
    assert refusal.value.kind in ("url", "url-secret")
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com:8443/a/b", "https://example.com:8443/a/b"),
        (f"https://me:{SECRET}@example.com/a", "https://example.com/a"),
        (f"https://example.com/a?token={SECRET}#{SECRET}", "https://example.com/a"),
        (f"https://example.com?next=https://{SECRET}", "https://example.com"),
        (f"https://me:{SECRET}#word@example.com", "https://***"),
        (f"https://example.com?next=me@{SECRET}", "https://***"),
        (f"me:{SECRET}@example.com", "example.com"),
    ],
)
def test_an_address_is_shown_without_what_could_be_secret(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


def test_a_name_that_only_begins_like_this_machine_is_another_one() -> None:
    assert is_loopback("::1")
    assert not is_loopback("localhost.example.com")
    assert not is_loopback("")
