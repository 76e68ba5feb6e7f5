"""Addresses and credentials of NATS: parsed as NATS' own tools do, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.jetstream.address import (
    NatsAddress,
    access_from_env,
    is_nats_address,
    parse_address,
)

SECRET = "wolpertinger"
SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
CREDS = f"""-----BEGIN NATS USER JWT-----
eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.e30.c2ln
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
{SEED}
------END USER NKEY SEED------
"""
LOCAL = NatsAddress("nats", "127.0.0.1", 4222, "TICKS")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("nats://127.0.0.1", LOCAL),
        ("nats://127.0.0.1/", LOCAL),
        ("nats://127.0.0.1:4333/DAY_2", NatsAddress("nats", "127.0.0.1", 4333, "DAY_2")),
        ("NATS://Desk/Day", NatsAddress("nats", "desk", 4222, "Day")),
        ("tls://nats.example.org", NatsAddress("tls", "nats.example.org", 4222, "TICKS")),
        ("nats://[::1]:4222/A-B", NatsAddress("nats", "::1", 4222, "A-B")),
    ],
)
def test_an_address_is_a_server_and_a_stream(text: str, address: NatsAddress) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


def test_what_is_shown_of_an_address_can_be_typed_again() -> None:
    assert str(parse_address("nats://desk")) == "nats://desk:4222/TICKS"
    assert str(parse_address("nats://[::1]")) == "nats://[::1]:4222/TICKS"


@pytest.mark.parametrize(
    "text",
    [
        "desk:4222",
        "nats://",
        "nats:///DAY",
        "http://desk",
        "nats://desk:port",
        "nats://desk:70000",
        "nats://desk/a/b",
        "nats://desk/a.b",
        "nats://desk/a b",
        "nats://desk/a*",
        "nats://desk/%2A",
        "nats://desk/" + "x" * 65,
        "nats://[::1",
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_address(text)
    assert refused.value.kind == "nats-address"


@pytest.mark.parametrize(
    "text",
    [
        f"nats://user:{SECRET}@desk/DAY",
        f"nats://{SECRET}@desk",
        f"nats://desk?token={SECRET}",
        f"nats://desk/DAY#{SECRET}",
        f"http://user:{SECRET}@desk",
        f"nats://user:{SECRET}@",
        f"user:{SECRET}@desk:4222",
        f"nats://user:{SECRET}@desk:port/",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_address(text)
    assert SECRET not in str(refused.value)
    assert SECRET not in str(refused.value.values)


def test_an_address_is_distinguished_from_the_path_of_a_file() -> None:
    assert is_nats_address("nats://desk")
    assert is_nats_address("TLS://desk")
    assert not is_nats_address("nats.csv")
    assert not is_nats_address("http://desk")


def test_nobody_in_particular_connects_without_variables() -> None:
    assert access_from_env({}, LOCAL) == access_from_env({"NATS_USER": ""}, LOCAL)
    assert not any(vars_of(access_from_env({}, LOCAL)))


def vars_of(access: object) -> list[object]:
    return [getattr(access, name) for name in ("creds", "nkey_seed", "user", "password", "token")]


def test_credentials_come_from_the_variables_that_nats_tools_use(tmp_path: Path) -> None:
    creds, nkey = tmp_path / "user.creds", tmp_path / "user.nk"
    creds.write_text(CREDS, encoding="utf-8")
    nkey.write_text(SEED + "\n", encoding="utf-8")
    assert access_from_env({"NATS_CREDS": str(creds)}, LOCAL).creds == CREDS
    assert access_from_env({"NATS_NKEY": str(nkey)}, LOCAL).nkey_seed == SEED
    user = access_from_env({"NATS_USER": "desk", "NATS_PASSWORD": SECRET}, LOCAL)
    assert (user.user, user.password) == ("desk", SECRET)
    assert access_from_env({"NATS_TOKEN": SECRET}, LOCAL).token == SECRET
    alone = access_from_env({"NATS_USER": SECRET}, LOCAL)
    assert (alone.user, alone.token) == ("", SECRET)


def test_the_user_of_nats_url_counts_for_that_server_alone() -> None:
    url = f"nats://de%40sk:{SECRET}@127.0.0.1:4222"
    same = access_from_env({"NATS_URL": url}, LOCAL)
    assert (same.user, same.password) == ("de@sk", SECRET)
    other = parse_address("nats://127.0.0.1:4333")
    assert access_from_env({"NATS_URL": url}, other).user == ""
    assert access_from_env({"NATS_URL": "nats://[::1"}, LOCAL).user == ""


def test_credentials_are_in_no_repr(tmp_path: Path) -> None:
    creds = tmp_path / "user.creds"
    creds.write_text(CREDS, encoding="utf-8")
    for environ in (
        {"NATS_CREDS": str(creds)},
        {"NATS_USER": "desk", "NATS_PASSWORD": SECRET},
        {"NATS_TOKEN": SECRET},
    ):
        shown = repr(access_from_env(environ, LOCAL))
        assert SECRET not in shown
        assert SEED not in shown


@pytest.mark.parametrize(
    "variable", ["NATS_CREDS", "NATS_NKEY", "NATS_CA", "NATS_CERT", "NATS_KEY"]
)
def test_a_file_that_is_missing_is_named_with_its_variable(variable: str, tmp_path: Path) -> None:
    path = tmp_path / "gone"
    with pytest.raises(UsageError) as refused:
        access_from_env({variable: str(path)}, LOCAL)
    assert refused.value.kind == "nats-file"
    assert refused.value.values == {"variable": variable, "path": str(path)}


@pytest.mark.parametrize("variable", ["NATS_CREDS", "NATS_NKEY"])
@pytest.mark.parametrize(
    "held", ["", f"password={SECRET}", CREDS.replace("SEED", "SAAT"), "S" * 58]
)
def test_a_file_that_holds_something_else_is_refused_and_not_shown(
    variable: str, held: str, tmp_path: Path
) -> None:
    path = tmp_path / "credentials"
    path.write_text(held, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        access_from_env({variable: str(path)}, LOCAL)
    assert refused.value.kind == "nats-file"
    assert SECRET not in str(refused.value)
    assert SEED not in str(refused.value)
