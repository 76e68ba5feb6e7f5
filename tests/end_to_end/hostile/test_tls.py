"""A feed over TLS: what breaks is tried again, what cannot be trusted never is."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from .attacks import BARE_ATTACKS, Attack, Peer, serve_well
from .client import Client
from .server import HostileFeed

TESTS = Path(__file__).parents[2]
LOOPBACK = TESTS / "adapter" / "loopback.pem"
ANOTHERS = TESTS / "end_to_end" / "broker.pem"
GOOD = range(7_000_000_000, 7_000_000_100)


def good(peer: Peer) -> None:
    peer.end_s = float("inf")
    serve_well(peer, GOOD)


def plain_text(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\n\r\n")


def cut_in_the_handshake(peer: Peer) -> None:
    peer.sock.recv(200)
    peer.send(b"\x16\x03\x03\x00\x7a\x02")


def noise(peer: Peer) -> None:
    peer.send(peer.draw.randbytes(20_000))


def an_alert(peer: Peer) -> None:
    peer.send(b"\x15\x03\x03\x00\x02\x02\x28")


def hang_up(_peer: Peer) -> None:
    """Before a word."""


BARE = (plain_text, cut_in_the_handshake, noise, an_alert, hang_up)
BARE_ATTACKS.update(BARE)


def plain_text_in_the_middle(peer: Peer) -> None:
    """Bytes beneath TLS: records that no key made."""
    peer.accept()
    peer.send(b"\x82\x01x")
    with open(peer.sock.fileno(), "wb", buffering=0, closefd=False) as beneath:
        beneath.write(peer.draw.randbytes(5_000))
    peer.listen()


def cut_without_a_word(peer: Peer) -> None:
    """The connection ends without TLS's own end, as a cut cable's does."""
    peer.accept()
    os.close(peer.sock.detach())


ATTACKS: tuple[Attack, ...] = (*BARE, plain_text_in_the_middle, cut_without_a_word)


def served(certificate: Path, attacks: Iterator[tuple[str, Attack]]) -> HostileFeed:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return HostileFeed(attacks, seed=1, context=context)


@pytest.mark.timeout(120)
def test_what_breaks_in_or_beneath_tls_is_tried_again(
    environ: dict[str, str], tmp_path: Path
) -> None:
    named = [(attack.__name__, attack) for attack in ATTACKS]
    with (
        served(LOOPBACK, chain(named, repeat(("good", good)))) as feed,
        Client(
            environ | {"TICKS_FEED_URL": feed.url, "SSL_CERT_FILE": str(LOOPBACK)}, tmp_path
        ) as client,
    ):
        client.wait_until(lambda: GOOD[-1] in client.sequences(), 90)
        client.check_resources()
        assert client.ends() == 0
    assert feed.failures == []
    recorded = [each for each in client.sequences() if each in GOOD]
    assert [*dict.fromkeys(recorded)] == [*GOOD]


@pytest.mark.parametrize("trusted", [None, ANOTHERS], ids=["unknown", "of another host"])
def test_a_certificate_that_cannot_be_trusted_is_not_tried_again(
    environ: dict[str, str], tmp_path: Path, trusted: Path | None
) -> None:
    more = {} if trusted is None else {"SSL_CERT_FILE": str(trusted)}
    with (
        served(ANOTHERS if trusted else LOOPBACK, repeat(("good", good))) as feed,
        Client(environ | {"TICKS_FEED_URL": feed.url, **more}, tmp_path) as client,
    ):
        assert client.ended(30) == 5
    assert len(feed.met) == 1
    assert "the certificate of 127.0.0.1" in client.said
    assert client.rows() == []
