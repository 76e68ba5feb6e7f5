"""One connection to a real server: who is let in, what is sent before TLS, what a stream is."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import nkeys
import pytest
from nats_server import NatsServer, linked

from ticks.adapter.errors import UsageError
from ticks.adapter.jetstream import link as link_module
from ticks.adapter.jetstream.address import NatsAccess, StreamLimits, access_from_env, parse_address
from ticks.adapter.jetstream.link import (
    Link,
    LinkError,
    again_after_s,
    check_installed,
    open_link,
)
from ticks.adapter.jetstream.streams import ensure_stream
from ticks.adapter.simulator.certificate import make_certificate

SECRET = "wolpertinger"
NOBODY = NatsAccess()


async def nothing(_link: Link) -> None: ...


def refusal(url: str, access: NatsAccess | None = None) -> LinkError:
    with pytest.raises(LinkError) as refused:
        linked(url, nothing, access)
    return refused.value


# --- who is let in -------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    error = refusal(f"nats://127.0.0.1:{port}")
    assert error.kind == "nats-unreachable"
    assert str(port) in str(error)


def test_something_else_that_listens_there_is_no_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "CONNECT_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        error = refusal(f"nats://127.0.0.1:{mute.getsockname()[1]}")
    assert error.kind == "nats-unreachable"


def test_opening_ends_at_once_when_it_is_cancelled_though_the_library_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = asyncio.Event()

    async def stubborn(*_values: object, **_options: object) -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    async def run() -> None:
        monkeypatch.setattr("nats.aio.client.Client.connect", stubborn)
        opening = asyncio.create_task(
            open_link(parse_address("nats://127.0.0.1"), NOBODY, lambda: None)
        )
        await begun.wait()
        opening.cancel()
        await asyncio.wait([opening], timeout=20)
        assert opening.cancelled()

    asyncio.run(run())


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[NatsServer]:
    config = f"authorization {{ user: desk, password: {SECRET} }}"
    with NatsServer(tmp_path / "guarded", config=config) as server:
        yield server


def test_a_user_with_the_right_password_is_let_in(guarded: NatsServer) -> None:
    linked(guarded.url, nothing, NatsAccess(user="desk", password=SECRET))


def test_wrong_credentials_are_refused_at_once_and_not_shown(guarded: NatsServer) -> None:
    began_s = time.monotonic()
    error = refusal(guarded.url, NatsAccess(user="desk", password=SECRET[:-1]))
    assert error.kind == "nats-refused"
    assert SECRET[:-1] not in f"{error} {error.__cause__!r}"
    assert refusal(guarded.url).kind == "nats-refused"
    assert time.monotonic() - began_s < 5


def test_a_token_is_let_in(tmp_path: Path) -> None:
    with NatsServer(tmp_path, config=f"authorization {{ token: {SECRET} }}") as server:
        linked(server.url, nothing, NatsAccess(token=SECRET))
        assert refusal(server.url, NatsAccess(token="another")).kind == "nats-refused"


def key_pair(prefix: int) -> tuple[str, str]:
    """Seed and public key of a new pair."""
    seed = nkeys.encode_seed(os.urandom(32), prefix)
    return seed.decode(), nkeys.from_seed(bytearray(seed)).public_key.decode()


def test_an_nkey_is_let_in_and_another_is_not(tmp_path: Path) -> None:
    seed, public = key_pair(nkeys.PREFIX_BYTE_USER)
    other, _ = key_pair(nkeys.PREFIX_BYTE_USER)
    config = f"authorization {{ users: [{{ nkey: {public} }}] }}"
    path = tmp_path / "user.nk"
    path.write_text(seed, encoding="utf-8")
    with NatsServer(tmp_path / "nats", config=config) as server:
        address = parse_address(server.url)
        linked(server.url, nothing, access_from_env({"NATS_NKEY": str(path)}, address))
        assert refusal(server.url, NatsAccess(nkey_seed=other)).kind == "nats-refused"


def test_a_seed_that_is_none_is_refused_and_not_shown(server: NatsServer) -> None:
    seed = "SU" + 56 * "1"
    error = refusal(server.url, NatsAccess(nkey_seed=seed))
    assert error.kind == "nats-refused"
    assert seed not in f"{error} {error.__cause__!r}"


def signed_jwt(seed: str, issuer: str, subject: str, claims: dict[str, object]) -> str:
    """A token as NATS' `nsc` makes it."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    body = {"jti": "A", "iat": 1, "iss": issuer, "sub": subject, "name": "desk"}
    text = ".".join((part({"typ": "JWT", "alg": "ed25519-nkey"}), part({**body, "nats": claims})))
    signature = nkeys.from_seed(bytearray(seed.encode())).sign(text.encode())
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_a_creds_file_is_let_in(tmp_path: Path) -> None:
    operator_seed, operator = key_pair(nkeys.PREFIX_BYTE_OPERATOR)
    _, system = key_pair(nkeys.PREFIX_BYTE_ACCOUNT)
    account_seed, account = key_pair(nkeys.PREFIX_BYTE_ACCOUNT)
    user_seed, user = key_pair(nkeys.PREFIX_BYTE_USER)
    version: dict[str, object] = {"version": 2}
    limits = {"subs": -1, "data": -1, "payload": -1, "conn": -1, "leaf": -1}
    limits |= {"imports": -1, "exports": -1, "wildcards": True}
    limits |= {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    operator_claims = {**version, "type": "operator", "system_account": system}
    account_claims = {**version, "type": "account", "limits": limits}
    user_claims = {**version, "type": "user", "subs": -1, "data": -1, "payload": -1}
    operator_jwt = signed_jwt(operator_seed, operator, operator, operator_claims)
    system_jwt = signed_jwt(operator_seed, operator, system, {**version, "type": "account"})
    account_jwt = signed_jwt(operator_seed, operator, account, account_claims)
    user_jwt = signed_jwt(account_seed, account, user, user_claims)
    creds = tmp_path / "user.creds"
    creds.write_text(
        f"-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user_seed}\n------END USER NKEY SEED------\n",
        encoding="utf-8",
    )
    config = f"operator: {operator_jwt}\nresolver: MEMORY\n"
    config += f"resolver_preload: {{ {account}: {account_jwt}, {system}: {system_jwt} }}"
    with NatsServer(tmp_path / "nats", config=config) as server:
        address = parse_address(server.url)
        access = access_from_env({"NATS_CREDS": str(creds)}, address)
        facts = linked(
            server.url, lambda link: ensure_stream(link, "TICKS", StreamLimits()), access
        )
    assert facts.prefix == "ticks"


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[NatsServer, Path]]:
    """A server with TLS, and the certificate that its clients must trust."""
    certificate, _ = make_certificate(tmp_path)
    config = f'tls {{ cert_file: "{certificate}", key_file: "{tmp_path / "key.pem"}" }}'
    with NatsServer(tmp_path / "nats", config=config) as server:
        yield server, certificate


def test_a_server_with_tls_is_trusted_by_the_authority_that_is_named(
    encrypted: tuple[NatsServer, Path],
) -> None:
    server, certificate = encrypted
    for url in (server.url, server.url.replace("nats:", "tls:")):
        linked(url, nothing, NatsAccess(ca_file=str(certificate)))


def test_a_certificate_that_is_not_trusted_is_refused(encrypted: tuple[NatsServer, Path]) -> None:
    server, _ = encrypted
    error = refusal(server.url)
    assert error.kind == "nats-certificate"
    assert "self-signed" in str(error).replace("self signed", "self-signed")


def test_a_file_that_holds_no_certificate_is_named(server: NatsServer, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        linked(server.url, nothing, NatsAccess(ca_file=str(path)))
    assert refused.value.values == {"variable": "NATS_CA", "path": str(path)}


def test_where_tls_is_asked_for_no_secret_goes_to_a_server_without_it() -> None:
    """A server that says nothing of TLS, perhaps an impostor: what it is told is kept."""
    told: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def impostor() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b'INFO {"server_id":"X","version":"2.11.0","headers":true}\r\n')
            while text := peer.recv(4096):
                told.append(text)
                if b"PING" in text:
                    peer.sendall(b"PONG\r\n")

    thread = threading.Thread(target=impostor)
    thread.start()
    url = f"tls://127.0.0.1:{listener.getsockname()[1]}"
    error = refusal(url, NatsAccess(user="desk", password=SECRET))
    thread.join(10)
    listener.close()
    assert error.kind == "nats-unreachable"
    assert "TLS" in str(error)
    assert SECRET.encode() not in b"".join(told)


def test_where_tls_is_asked_for_a_server_without_it_is_no_use(server: NatsServer) -> None:
    assert "TLS" in str(refusal(server.url.replace("nats:", "tls:")))


# --- the end -------------------------------------------------------------------------------------


def test_a_link_that_is_lost_says_so_once_and_sends_nothing(server: NatsServer) -> None:
    async def run() -> tuple[int, str]:
        lost: list[None] = []
        happened = asyncio.Event()

        def on_lost() -> None:
            lost.append(None)
            happened.set()

        link = await open_link(parse_address(server.url), NOBODY, on_lost)
        server.kill()
        await asyncio.wait_for(happened.wait(), 20)
        await link.publish("ticks.NSE.1", b"")
        link.lose("again")
        await link.close()
        return len(lost), link.reason

    times, reason = asyncio.run(run())
    assert times == 1
    assert reason


def test_without_the_package_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)
    with pytest.raises(UsageError) as refused:
        check_installed()
    assert (refused.value.kind, refused.value.values) == ("extra-missing", {"extra": "nats"})


def test_the_waits_before_another_link_grow_and_have_an_end() -> None:
    waits = [again_after_s(failures) for failures in range(5)]
    assert all(before < after for before, after in pairwise(waits))
    assert again_after_s(10_000) == waits[-1] <= 2
