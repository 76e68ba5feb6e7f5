from __future__ import annotations

import shutil
import socket
import ssl
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ticks.adapter.errors import PortTakenError, RecordingError, UsageError
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.urls import Endpoints


def test_it_takes_free_ports_and_gives_clients_its_addresses() -> None:
    with Simulator() as simulator:
        variables = simulator.environment()
        Endpoints.checked(
            variables["TICKS_REST_URL"],
            variables["TICKS_FEED_URL"],
            variables["TICKS_INSTRUMENTS_URL"],
        )
        assert variables["TICKS_ALWAYS_OPEN"] == "1"
        assert set(variables) == {
            "TICKS_REST_URL",
            "TICKS_FEED_URL",
            "TICKS_INSTRUMENTS_URL",
            "TICKS_API_KEY",
            "TICKS_CLIENT_CODE",
            "TICKS_PIN",
            "TICKS_TOTP_SECRET",
            "TICKS_ALWAYS_OPEN",
        }


def test_a_stopped_one_leaves_no_thread_and_no_port() -> None:
    before = threading.active_count()
    simulator = Simulator()
    simulator.start()
    ports = [urlsplit(url).port for url in (simulator.rest_url, simulator.feed_url)]
    simulator.stop()
    simulator.stop()
    assert threading.active_count() == before
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port or 0), timeout=5)


@pytest.mark.parametrize("which", ["port", "feed_port"])
def test_a_port_in_use_is_named_and_leaves_nothing_behind(which: str) -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        simulator = Simulator(port=port) if which == "port" else Simulator(feed_port=port)
        with pytest.raises(PortTakenError, match=f"{port}.*in use"):
            simulator.start()
    assert threading.active_count() == before


def test_a_recording_that_cannot_be_read_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere\.csv"):
        Simulator(recording=tmp_path / "nowhere.csv").start()


@pytest.mark.parametrize(("rate", "speed"), [(-1.0, 1.0), (1.0, 0.0), (1.0, -2.0)])
def test_an_impossible_rate_or_speed_is_refused(rate: float, speed: float) -> None:
    with pytest.raises(UsageError) as refused:
        Simulator(rate=rate, speed=speed)
    assert (refused.value.kind, refused.value.values) == (
        "rate-invalid",
        {"rate": rate, "speed": speed},
    )


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_a_client_that_does_not_trust_the_certificate_harms_nobody() -> None:
    with Simulator(tls=True) as simulator:
        host, port = "127.0.0.1", urlsplit(simulator.feed_url).port
        with (
            socket.create_connection((host, port or 0), timeout=5) as raw,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        trusting = ssl.create_default_context(cafile=simulator.environment()["SSL_CERT_FILE"])
        with socket.create_connection((host, port or 0), timeout=5) as raw:
            trusting.wrap_socket(raw, server_hostname=host).close()


def test_a_fault_of_its_own_is_not_swallowed() -> None:
    simulator = Simulator()
    simulator.start()

    def fail() -> None:
        raise ZeroDivisionError

    simulator._loop.call_soon_threadsafe(fail)
    assert simulator._thread is not None
    simulator._thread.join(5)
    with pytest.raises(ZeroDivisionError):
        simulator.stop()
