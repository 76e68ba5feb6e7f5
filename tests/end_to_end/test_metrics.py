"""Prometheus' text of a real stream, scraped while its feed has faults."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from waits import until

from ticks.adapter.simulator.simulator import Simulator

from .conftest import Begun, Ticks

Samples = dict[str, float]
QUICK = {"TICKS_SILENCE_AFTER": "600ms", "TICKS_CHECK_EVERY": "200ms", "TICKS_BACKOFF_MAX": "300ms"}


class Scraped:
    """A running stream that serves metrics, and the address that it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        self.process = process
        line = next(iter(line for line in process.stderr if "metrics at" in line))
        found = re.search(r"http://127\.0\.0\.1:(\d+)/metrics", line)
        assert found is not None
        self.port = int(found[1])

    def samples(self) -> Samples:
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as reply:
            text = reply.read().decode()
        return {
            sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def until(self, name: str, least: float) -> Samples:
        """The samples once one of them is large enough."""
        until(lambda: self.samples().get(name, 0.0) >= least)
        return self.samples()


@pytest.fixture
def scraped(begun: Begun) -> Scraped:
    arguments = ["stream", "NIFTY", "RELIANCE", "--metrics", "0", "--csv", "day.csv"]
    return Scraped(begun(*arguments, "--keep-trying", "--no-dashboard", more=QUICK))


def test_the_figures_follow_the_feed_through_its_faults(
    scraped: Scraped, simulator: Simulator
) -> None:
    well = scraped.until("ticks_received_total", 10)
    assert well["ticks_phase live"] == 1
    assert well["ticks_reconnects_total"] == well["ticks_malformed_total"] == 0
    assert well["ticks_instrument_ticks_total NSE Nifty 50 99926000"] > 0
    assert well["ticks_instrument_age_seconds NSE RELIANCE-EQ 2885"] < 5
    assert well["ticks_session_expiry_timestamp_seconds"] > time.time()

    simulator.inject("0s:garbage")
    scraped.until("ticks_malformed_total", 1)

    simulator.inject("0s:silence:1500ms")
    scraped.until("ticks_silence_seconds", 0.3)
    back = scraped.until("ticks_reconnects_total", 1)
    scraped.until("ticks_received_total", back["ticks_received_total"] + 10)
    assert scraped.samples()["ticks_blind_seconds_total"] > 0.5

    simulator.inject("connect:refuse:503x3")
    simulator.inject("0s:drop")
    trying = scraped.until("ticks_attempts", 2)
    assert trying["ticks_phase live"] == 0
    assert trying["ticks_phase waiting"] + trying["ticks_phase connecting"] == 1
    scraped.until("ticks_phase live", 1)


def test_a_scraper_that_never_reads_delays_neither_ticks_nor_the_end(scraped: Scraped) -> None:
    scraped.until("ticks_received_total", 10)
    idle = [socket.create_connection(("127.0.0.1", scraped.port)) for _ in range(20)]
    for peer in idle:
        peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n")
    before = scraped.samples()["ticks_received_total"]
    scraped.until("ticks_received_total", before + 100)
    began_s = time.monotonic()
    scraped.process.send_signal(signal.SIGTERM)
    assert scraped.process.wait(20) == 0
    assert time.monotonic() - began_s < 5
    for peer in idle:
        peer.close()


def test_a_taken_port_ends_with_6_before_a_file_is_touched(ticks: Ticks, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = ticks("stream", "NIFTY", "--metrics", str(port), "--csv", "day.csv", "--count", "1")
    assert ran.returncode == 6
    assert f"cannot listen on 127.0.0.1:{port}" in ran.stderr
    assert "try: choose another port" in ran.stderr
    assert not (tmp_path / "day.csv").exists()


@pytest.mark.parametrize("value", ["nobody", "70000", "127.0.0.1:", ":::9100", "a b:1"])
def test_an_address_that_is_none_is_a_usage_error(ticks: Ticks, value: str) -> None:
    ran = ticks("stream", "NIFTY", "--metrics", value)
    assert ran.returncode == 2
    assert repr(value) in ran.stderr
