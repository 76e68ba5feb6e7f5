"""What a command line needs of packages that not everybody installs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.jetstream.address import parse_address
from ticks.adapter.replay.nats import read_range
from ticks.cli.exit_codes import message_for
from ticks.cli.extras import check_extras, nats_sources

URL = "nats://desk:4333/DAY"
START = "2026-11-20T09:15:00.000000"
START_NS = 1_795_146_300_000_000_000


def test_nothing_is_asked_of_those_who_ask_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    check_extras(None, None)
    assert nats_sources(["day.csv", "-"], START, "", ["NIFTY"], follows=False) == {}


def test_a_package_that_is_missing_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(UsageError) as nats:
        check_extras(parse_address(URL), None)
    with pytest.raises(UsageError) as metrics:
        check_extras(None, ("127.0.0.1", 9100))
    with pytest.raises(UsageError):
        nats_sources([URL], "", "", (), follows=False)
    assert "pip install 'angel-ticks[nats]'" in message_for(nats.value)
    assert "pip install 'angel-ticks[metrics]'" in message_for(metrics.value)


def test_credentials_that_cannot_be_read_are_found_before_anything_begins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NATS_CREDS", str(tmp_path / "gone"))
    with pytest.raises(UsageError) as refused:
        check_extras(parse_address(URL), None)
    assert "check NATS_CREDS" in message_for(refused.value)


def test_the_streams_of_a_replay_are_those_of_its_files_that_are_addresses() -> None:
    sources = nats_sources(["day.csv", URL], START, "15:30:00.000000", ["NSE:2885"], follows=False)
    (source,) = sources.values()
    assert list(sources) == [URL]
    assert (source.name, source.follows) == (URL, False)
    # A time of each day tells nothing of where a stream begins or ends.
    assert source.wanted == read_range(START_NS, None, ["NSE:2885"])


def test_one_stream_can_be_followed_and_nothing_else() -> None:
    (source,) = nats_sources([URL], "", "", (), follows=True).values()
    assert source.follows
    for files in (["day.csv"], [URL, URL], [URL, "day.csv"], ["-"]):
        with pytest.raises(UsageError, match="--follow"):
            nats_sources(files, "", "", (), follows=True)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError):
        nats_sources(["nats://"], "", "", (), follows=False)
