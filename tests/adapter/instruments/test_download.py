from __future__ import annotations

import gzip
import socket
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter.errors import (
    BrokerBusyError,
    BrokerError,
    CertificateError,
    InstrumentMasterError,
    NetworkError,
)
from ticks.adapter.instruments.download import download

CERTIFICATE = Path(__file__).parent.parent / "auth" / "loopback.pem"
BODY = b'[{"token": "1"}]' * 5000


def test_the_body_comes_whole_and_its_progress_is_told(server: Any, clock: Any) -> None:
    server.serves(BODY)
    told: list[tuple[int, int | None]] = []
    body = download(
        server.url, clock=clock, progress=lambda done, total: told.append((done, total))
    )
    assert body == BODY
    assert told[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_gzip_is_unpacked_and_counted_as_it_came(server: Any, clock: Any) -> None:
    packed = gzip.compress(BODY)
    server.serves(packed, Content_Encoding="gzip")
    told: list[tuple[int, int | None]] = []
    body = download(
        server.url, clock=clock, progress=lambda done, total: told.append((done, total))
    )
    assert body == BODY
    assert told[-1] == (len(packed), len(packed))


def test_a_body_of_unknown_length_comes_whole(server: Any, clock: Any) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(BODY)

    server.answer = answer
    told: list[int | None] = []
    assert download(server.url, clock=clock, progress=lambda _, total: told.append(total)) == BODY
    assert set(told) == {None}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, InstrumentMasterError),
        (403, BrokerBusyError),
        (429, BrokerBusyError),
        (503, BrokerBusyError),
    ],
)
def test_a_refusal_is_named_by_its_status(
    server: Any, clock: Any, status: int, kind: type[BrokerError]
) -> None:
    server.serves(b"no", status=status)
    with pytest.raises(kind, match=str(status)):
        download(server.url, clock=clock)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(server: Any, clock: Any, status: int) -> None:
    server.serves(b"", status=status, Location=f"{server.url}/elsewhere")
    with pytest.raises(InstrumentMasterError, match="redirects are not followed"):
        download(server.url, clock=clock)
    assert len(server.requests) == 1


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_that_ends_too_early_is_not_taken_for_whole(
    server: Any, clock: Any, packed: bool
) -> None:
    if packed:
        part = gzip.compress(BODY)[:-20]
        server.serves(part, Content_Encoding="gzip")
    else:
        server.serves(BODY, Content_Length=str(len(BODY) + 1))
    with pytest.raises(NetworkError, match="ended too early"):
        download(server.url, clock=clock)


def test_what_only_says_that_it_is_gzip_is_refused(server: Any, clock: Any) -> None:
    server.serves(BODY, Content_Encoding="gzip")
    with pytest.raises(InstrumentMasterError, match="gzip"):
        download(server.url, clock=clock)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_the_size_is_bounded_packed_or_not(server: Any, clock: Any, encoding: str) -> None:
    body = bytes(1_000_000)
    server.serves(gzip.compress(body) if encoding == "gzip" else body, Content_Encoding=encoding)
    with pytest.raises(InstrumentMasterError, match="larger than 500,000 bytes"):
        download(server.url, clock=clock, size_limit_bytes=500_000)


def test_a_server_that_says_nothing_is_given_up(server: Any, clock: Any) -> None:
    server.answer = lambda handler: server.released.wait(30)
    with pytest.raises(NetworkError, match=r"nothing came for 0\.05 s"):
        download(server.url, clock=clock, silence_limit_s=0.05)


def test_a_server_that_falls_silent_is_given_up(server: Any, clock: Any) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"[")
        handler.wfile.flush()
        server.released.wait(30)

    server.answer = answer
    with pytest.raises(NetworkError, match="nothing came"):
        download(server.url, clock=clock, silence_limit_s=0.05)


def test_a_download_that_takes_too_long_in_all_is_given_up(server: Any, clock: Any) -> None:
    server.serves(BODY)

    def turn_clock(_done: int, _total: int | None) -> None:
        clock.passed_s += 301

    with pytest.raises(NetworkError, match=r"longer than 300 s \(.* of 80,000 bytes came\)"):
        download(server.url, clock=clock, progress=turn_clock)


def test_nobody_there_is_a_network_error(clock: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(NetworkError, match="refused"):
            download(f"http://127.0.0.1:{port}/", clock=clock)


def test_a_certificate_that_nobody_vouches_for_is_refused(server: Any, clock: Any) -> None:
    server.speak_tls()
    server.serves(BODY)
    with pytest.raises(CertificateError, match="self-signed") as caught:
        download(server.url.replace("http:", "https:"), clock=clock)
    assert "SSL_CERT_FILE" in caught.value.remedy
    assert server.requests == []


def test_a_certificate_that_the_user_trusts_is_accepted(
    server: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    server.speak_tls()
    server.serves(BODY)
    assert download(server.url.replace("http:", "https:"), clock=clock) == BODY


def test_what_does_not_speak_http_is_a_network_error(server: Any, clock: Any) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH\r\n")

    server.answer = answer
    with pytest.raises(NetworkError):
        download(server.url, clock=clock)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,[]"])
def test_no_other_scheme_is_opened(clock: Any, url: str) -> None:
    with pytest.raises(BrokerError):
        download(url, clock=clock)


def test_a_proxy_is_not_asked_for_this_machine(
    server: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    server.serves(BODY)
    assert download(server.url, clock=clock) == BODY
