"""Streams of a real server: found, made, refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from nats_server import NatsServer, linked

from ticks.adapter.jetstream.address import StreamLimits
from ticks.adapter.jetstream.link import Link, LinkError
from ticks.adapter.jetstream.streams import consume, ensure_stream, find_stream


def test_a_stream_that_is_missing_is_made_on_the_disk_and_knows_message_ids(
    server: NatsServer,
) -> None:
    facts = linked(
        server.url,
        lambda link: ensure_stream(
            link, "TICKS", StreamLimits(max_age_s=3600.0, max_bytes=1 << 20)
        ),
    )
    assert (facts.prefix, facts.window_s, facts.messages) == ("ticks", 120.0, 0)
    info = server.ask(lambda jetstream: jetstream.stream_info("TICKS"))
    config = info.config
    assert (config.subjects, config.storage) == (["ticks.>"], "file")
    assert (config.max_age, config.max_bytes, config.duplicate_window) == (3600, 1 << 20, 120)


def test_ids_are_not_known_longer_than_ticks_are_kept(server: NatsServer) -> None:
    facts = linked(
        server.url, lambda link: ensure_stream(link, "TICKS", StreamLimits(max_age_s=30.0))
    )
    assert facts.window_s == 30.0


def test_a_stream_that_is_there_stays_as_it_is(server: NatsServer) -> None:
    server.ask(
        lambda jetstream: jetstream.add_stream(
            name="DAY", subjects=["market.*.*"], duplicate_window=60
        )
    )
    facts = linked(
        server.url, lambda link: ensure_stream(link, "DAY", StreamLimits(max_age_s=3600.0))
    )
    assert (facts.prefix, facts.window_s) == ("market", 60.0)


def test_a_second_stream_of_a_server_has_subjects_of_its_own(server: NatsServer) -> None:
    async def both(link: Link) -> list[str | None]:
        return [
            (await ensure_stream(link, name, StreamLimits())).prefix for name in ("DAY", "NIGHT")
        ]

    assert linked(server.url, both) == ["ticks", "NIGHT"]


def test_a_stream_that_takes_other_subjects_only_is_refused(server: NatsServer) -> None:
    server.ask(lambda jetstream: jetstream.add_stream(name="ORDERS", subjects=["orders"]))
    with pytest.raises(LinkError) as refused:
        linked(server.url, lambda link: ensure_stream(link, "ORDERS", StreamLimits()))
    assert refused.value.kind == "nats-stream"


def test_what_the_server_says_against_a_stream_is_passed_on(tmp_path: Path) -> None:
    with NatsServer(tmp_path, max_file_store="1M") as small, pytest.raises(LinkError) as refused:
        linked(small.url, lambda link: ensure_stream(link, "TICKS", StreamLimits(None, 1 << 40)))
    assert refused.value.kind == "nats-stream"
    assert "storage" in str(refused.value)


def test_a_server_without_jetstream_is_named_as_such(tmp_path: Path) -> None:
    with NatsServer(tmp_path, has_jetstream=False) as bare, pytest.raises(LinkError) as refused:
        linked(bare.url, lambda link: ensure_stream(link, "TICKS", StreamLimits()))
    assert refused.value.kind == "nats-no-jetstream"


def test_no_stream_is_made_for_a_reader(server: NatsServer) -> None:
    assert linked(server.url, lambda link: find_stream(link, "TICKS")) is None
    with pytest.raises(LinkError) as refused:
        linked(server.url, lambda link: consume(link, "TICKS", "inbox", start={}))
    assert refused.value.kind == "nats-no-stream"
