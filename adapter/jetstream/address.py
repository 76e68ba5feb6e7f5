"""A stream of NATS JetStream: its address, credentials and options, as values. No library.

The address holds no secret. Credentials come from the variables and files that NATS' own tools use:
NATS_CREDS, NATS_NKEY, NATS_USER with NATS_PASSWORD, NATS_TOKEN, or the user part of NATS_URL where
that is the same server; certificates from NATS_CA, NATS_CERT and NATS_KEY.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from ..errors import UsageError
from ..redaction import remember

DRAIN_TIMEOUT_S = 10.0
DEFAULT_STREAM = "TICKS"
DEFAULT_PORT = 4222
SCHEMES = ("nats", "tls")

_STREAM_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_JWT = re.compile(r"-+BEGIN NATS USER JWT-+\s+\S+\s+-+END NATS USER JWT-+")
_SEED = re.compile(r"-+BEGIN USER NKEY SEED-+\s+(\S+)\s+-+END USER NKEY SEED-+")
_NKEY_SEED = re.compile(r"SU[A-Z2-7]{56}", re.ASCII)

_LONGEST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class NatsAddress:
    """A server and a stream on it. `tls`: nothing is sent before the link is encrypted."""

    scheme: str
    host: str
    port: int
    stream: str

    @property
    def server(self) -> str:
        """The address of the server, as NATS writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def requires_tls(self) -> bool:
        return self.scheme == "tls"

    def __str__(self) -> str:
        return f"{self.server}/{self.stream}"


@dataclass(frozen=True, slots=True)
class NatsAccess:
    """The credentials: none, or exactly one of creds, nkey seed, user, token."""

    creds: str = field(default="", repr=False)
    nkey_seed: str = field(default="", repr=False)
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class StreamLimits(NamedTuple):
    """What a stream that is made here keeps; None: no limit of its own."""

    max_age_s: float | None = None
    max_bytes: int | None = None


NO_LIMITS = StreamLimits()


@dataclass(frozen=True, slots=True)
class NatsOptions:
    """How a stream is written: its limits if it is made; how many ticks wait for a server that is
    away; how long the end waits for it; whether ticks that do not fit end the run, and whether a
    server that is away at the start is waited for, too."""

    limits: StreamLimits = NO_LIMITS
    buffer_limit: int = 100_000
    drain_timeout_s: float = DRAIN_TIMEOUT_S
    stops_when_full: bool = False
    keeps_trying: bool = False


def is_nats_address(text: str) -> bool:
    """Whether `text` is meant as the address of a stream, not as the path of a file."""
    return text.partition("://")[0].lower() in SCHEMES and "://" in text


def parse_address(text: str) -> NatsAddress:
    """The address in `nats://host[:port][/STREAM]`, or `tls://...`.

    Raises UsageError, kind `nats-address`, or `nats-address-secret` where it carries a user; the
    value is then not shown.
    """
    parts = _split(text)
    if parts is None or parts.scheme not in SCHEMES or not parts.hostname:
        raise UsageError(f"{_shown(text)} is not the address of a NATS stream", kind="nats-address")
    if parts.username is not None or parts.query or parts.fragment:
        remember(parts.username, parts.password, parts.query, parts.fragment)
        raise UsageError(
            "the address of a NATS stream carries a user name, a query or a fragment (it is not"
            " shown)",
            kind="nats-address-secret",
        )
    stream = unquote(parts.path.removeprefix("/")) or DEFAULT_STREAM
    if not _STREAM_NAME.fullmatch(stream):
        raise UsageError(
            f"{stream!r} is not the name of a stream: up to 64 letters, digits, - and _",
            kind="nats-address",
        )
    return NatsAddress(parts.scheme, parts.hostname, parts.port or DEFAULT_PORT, stream)


def access_from_env(environ: Mapping[str, str], address: NatsAddress) -> NatsAccess:
    """The credentials for this server. Of several the first counts: creds, nkey, user, token, URL.

    Raises UsageError, kind `nats-file`, for a file that cannot be read or is of another kind.
    """
    access = _access(environ, address)
    seed = _SEED.search(access.creds)
    remember(seed and seed[1], access.nkey_seed, access.password, access.token)
    return access


def _access(environ: Mapping[str, str], address: NatsAddress) -> NatsAccess:
    files = {
        "ca_file": _readable(environ, "NATS_CA"),
        "cert_file": _readable(environ, "NATS_CERT"),
        "key_file": _readable(environ, "NATS_KEY"),
    }
    if path := environ.get("NATS_CREDS"):
        creds = _read("NATS_CREDS", path)
        if not (_JWT.search(creds) and _SEED.search(creds)):
            raise _file_error("NATS_CREDS", path, "it does not hold a user JWT and its seed")
        return NatsAccess(creds=creds, **files)
    if path := environ.get("NATS_NKEY"):
        seed = _read("NATS_NKEY", path).strip()
        if not _NKEY_SEED.fullmatch(seed):
            raise _file_error("NATS_NKEY", path, "it does not hold the seed of a user nkey")
        return NatsAccess(nkey_seed=seed, **files)
    user, password = environ.get("NATS_USER", ""), environ.get("NATS_PASSWORD", "")
    token = environ.get("NATS_TOKEN", "")
    if not (user or token):
        user, password = _user_of_url(environ.get("NATS_URL", ""), address)
    if user and not password:  # as NATS' own tools read a user alone
        user, token = "", token or user
    return NatsAccess(user=user, password=password, token="" if user else token, **files)


def _user_of_url(url: str, address: NatsAddress) -> tuple[str, str]:
    """User and password in an address of the same server; ("", "") for any other."""
    parts = _split(url)
    if parts is None or not parts.username:
        return "", ""
    if (parts.hostname, parts.port or DEFAULT_PORT) != (address.host, address.port):
        return "", ""
    return unquote(parts.username), unquote(parts.password or "")


def _split(url: str) -> SplitResult | None:
    """The parts of an address whose port can be read; None for any other."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _shown(url: str) -> str:
    """`url` in an error: what may hold a secret, wherever it is in it, is not shown, and what is
    too long to be an address is cut."""
    if set(url) & set("@?#"):
        return "(not shown)"
    return repr(url if len(url) <= _LONGEST_SHOWN else f"{url[:_LONGEST_SHOWN]}...")


def _readable(environ: Mapping[str, str], variable: str) -> str:
    """The path that a variable holds, "" for none. Raises UsageError unless it can be read."""
    path = environ.get(variable, "")
    if path:
        _read(variable, path)
    return path


def _read(variable: str, path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise _file_error(variable, path, error.strerror or "no reason given") from error
    except UnicodeDecodeError:
        raise _file_error(variable, path, "it is not text") from None


def _file_error(variable: str, path: str, reason: str) -> UsageError:
    return UsageError(
        f"{variable}: {path} cannot be used: {reason}",
        kind="nats-file",
        variable=variable,
        path=path,
    )
