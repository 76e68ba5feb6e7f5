"""What Prometheus reads of a running stream, and that reading it costs the stream nothing."""

from __future__ import annotations

import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ticks.adapter import metrics
from ticks.adapter.clock import IST
from ticks.adapter.errors import PortTakenError, UsageError
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.metrics import MOST_INSTRUMENTS, MetricsServer
from ticks.adapter.selection import Selection
from ticks.adapter.snapshot import FeedSnapshot, InstrumentSnapshot

NAMES = {
    "ticks_received_total",
    "ticks_instrument_ticks_total",
    "ticks_instrument_age_seconds",
    "ticks_silence_seconds",
    "ticks_blind_seconds_total",
    "ticks_reconnects_total",
    "ticks_attempts",
    "ticks_dropped_total",
    "ticks_malformed_total",
    "ticks_buffer_packets",
    "ticks_session_expiry_timestamp_seconds",
    "ticks_phase",
}
EXPIRES_AT = datetime(2026, 11, 21, 5, 0, tzinfo=IST)
Samples = dict[tuple[str, tuple[str, ...]], float]


def scraped(server: MetricsServer, path: str = "/metrics") -> Samples:
    """The samples by name and the values of their labels, as a scraper reads them."""
    with urllib.request.urlopen(f"http://{server.address}{path}", timeout=10) as reply:
        text = reply.read().decode()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def snapshot(snapshot: FeedSnapshot) -> FeedSnapshot:
    """One in which everything is known."""
    return replace(snapshot, session_expires_at=EXPIRES_AT)


@pytest.fixture
def serve() -> Iterator[Callable[[FeedSnapshot], MetricsServer]]:
    """Serves one snapshot forever."""
    opened: list[MetricsServer] = []

    def serve_one(snapshot: FeedSnapshot) -> MetricsServer:
        server = MetricsServer("127.0.0.1", 0, lambda _most: snapshot)
        opened.append(server)
        server.open()
        return server

    yield serve_one
    for each in opened:
        each.close()
        assert not each._thread.is_alive()


Serve = Callable[[FeedSnapshot], MetricsServer]


def test_the_metrics_are_these_and_no_others(serve: Serve, snapshot: FeedSnapshot) -> None:
    assert {name for name, _ in scraped(serve(snapshot))} == NAMES


def test_the_figures_are_those_of_the_snapshot(serve: Serve, snapshot: FeedSnapshot) -> None:
    instruments = (
        InstrumentSnapshot("NSE", "Nifty 50", "99926000", ticks=7, age_s=0.5),
        InstrumentSnapshot("BSE", 'A "quoted" one\\', "1"),
    )
    samples = scraped(serve(replace(snapshot, instruments=instruments)))
    assert samples["ticks_received_total", ()] == snapshot.ticks
    assert samples["ticks_silence_seconds", ()] == snapshot.silence_s
    assert samples["ticks_blind_seconds_total", ()] == snapshot.blind_s
    assert samples["ticks_reconnects_total", ()] == snapshot.reconnects
    assert samples["ticks_attempts", ()] == max(c.attempt for c in snapshot.connections)
    assert samples["ticks_dropped_total", ()] == snapshot.dropped
    assert samples["ticks_malformed_total", ()] == snapshot.malformed
    assert samples["ticks_buffer_packets", ()] == snapshot.buffered
    assert samples["ticks_session_expiry_timestamp_seconds", ()] == EXPIRES_AT.timestamp()
    nifty, quoted = ("NSE", "Nifty 50", "99926000"), ("BSE", 'A "quoted" one\\', "1")
    assert samples["ticks_instrument_ticks_total", nifty] == 7
    assert samples["ticks_instrument_age_seconds", nifty] == 0.5
    assert samples["ticks_instrument_ticks_total", quoted] == 0
    assert ("ticks_instrument_age_seconds", quoted) not in samples  # it never ticked


@pytest.mark.parametrize("phase", Phase)
def test_one_phase_is_1_and_the_others_are_0(
    serve: Serve, snapshot: FeedSnapshot, phase: Phase
) -> None:
    samples = scraped(serve(replace(snapshot, phase=phase)))
    phases = {
        labels[0]: value for (name, labels), value in samples.items() if name == "ticks_phase"
    }
    assert phases == {each.value: float(each is phase) for each in Phase}


def test_a_session_whose_end_is_not_known_has_no_series(
    serve: Serve, snapshot: FeedSnapshot
) -> None:
    samples = scraped(serve(replace(snapshot, session_expires_at=None)))
    assert {name for name, _ in samples} == NAMES - {"ticks_session_expiry_timestamp_seconds"}


def test_the_number_of_instruments_is_bounded(snapshot: FeedSnapshot) -> None:
    asked: list[Selection] = []

    def look(selection: Selection) -> FeedSnapshot:
        asked.append(selection)
        return snapshot

    with MetricsServer("127.0.0.1", 0, look) as server:
        scraped(server)
    assert [each.most for each in asked] == [MOST_INSTRUMENTS]


def test_a_taken_port_is_an_error_that_names_it(serve: Serve, snapshot: FeedSnapshot) -> None:
    port = serve(snapshot).port
    with pytest.raises(PortTakenError) as refused:
        MetricsServer("127.0.0.1", port, lambda _most: snapshot).open()
    assert refused.value.kind == "metrics-port"
    assert refused.value.values == {"host": "127.0.0.1", "port": port}


def test_an_address_of_another_machine_is_an_error_too(snapshot: FeedSnapshot) -> None:
    for host in ("192.0.2.1", "no-such-host.invalid"):
        with pytest.raises(PortTakenError, match=host):
            MetricsServer(host, 0, lambda _most: snapshot).open()


def test_it_listens_on_ipv6_too(snapshot: FeedSnapshot) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with MetricsServer("::1", 0, lambda _most: snapshot) as server:
        assert server.address.startswith("[::1]:")
        assert {name for name, _ in scraped(server)} == NAMES


def test_without_the_package_its_extra_is_named(
    snapshot: FeedSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(UsageError) as refused:
        MetricsServer("127.0.0.1", 0, lambda _most: snapshot).open()
    assert (refused.value.kind, refused.value.values) == ("extra-missing", {"extra": "metrics"})


def test_scrapers_that_are_slow_or_leave_delay_neither_another_nor_the_end(
    serve: Serve, snapshot: FeedSnapshot, capfd: pytest.CaptureFixture[str]
) -> None:
    server = serve(snapshot)
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
    for peer in idle[:2]:
        peer.sendall(b"GET /metrics HTTP/1.1\r\n")
    for peer in idle[2:4]:
        peer.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()  # a reset
    assert scraped(server)
    began_s = time.monotonic()
    server.close()
    assert time.monotonic() - began_s < 0.2
    for peer in idle:
        peer.close()
    assert capfd.readouterr() == ("", "")


def test_a_snapshot_that_fails_prints_nothing_on_the_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(_most: int) -> FeedSnapshot:
        raise ZeroDivisionError

    with (
        MetricsServer("127.0.0.1", 0, fail) as server,
        pytest.raises(urllib.request.HTTPError) as failed,
    ):
        scraped(server)
    assert failed.value.code == 500
    failed.value.close()
    assert capfd.readouterr() == ("", "")


def test_many_scrapers_at_once_are_all_answered(serve: Serve, snapshot: FeedSnapshot) -> None:
    server = serve(snapshot)
    answered: list[int] = []
    scrapers = [
        threading.Thread(target=lambda: answered.append(len(scraped(server)))) for _ in range(20)
    ]
    for each in scrapers:
        each.start()
    for each in scrapers:
        each.join(20)
    assert len(answered) == 20
    assert len(set(answered)) == 1


def test_the_port_is_free_again_when_it_is_closed(serve: Serve, snapshot: FeedSnapshot) -> None:
    server = serve(snapshot)
    server.close()
    again = MetricsServer("127.0.0.1", server.port, lambda _most: snapshot)
    again.open()
    again.close()
    again.close()


def test_a_server_that_nobody_asks_wakes_nobody(
    serve: Serve, snapshot: FeedSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    wakes: list[None] = []
    handle = metrics._Server.handle_request
    monkeypatch.setattr(
        metrics._Server, "handle_request", lambda self: (wakes.append(None), handle(self))
    )
    server = serve(snapshot)
    scraped(server)
    before = len(wakes)
    threading.Event().wait(0.6)
    assert len(wakes) == before
