"""A hand-turned clock, and a broker that answers from a script."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from hand_clock import HandClock

from ticks.adapter.auth.authenticator import Authenticator
from ticks.adapter.auth.credentials import Credentials
from ticks.adapter.auth.tokens import Tokens
from ticks.adapter.clock import IST
from ticks.adapter.paths import Paths

MORNING = datetime(2026, 11, 20, 9, 0, 10, tzinfo=IST)
SECRET = "TICKSDEMOTICKSDE"
REST_URL = "https://broker.example"


def jwt(exp_s: object, serial: int = 0) -> str:
    """A JWT's shape with that `exp`; `serial` tells two of them apart."""
    payload = json.dumps({"exp": exp_s, "serial": serial}).encode()
    return f"head.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.signature"


class FakeBroker:
    """Hands out tokens that hold for an hour; `failures` are raised first, one a call."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.calls: list[tuple[str, ...]] = []
        self.failures: dict[str, list[Exception]] = {"login": [], "refresh": [], "logout": []}
        self.lifetime_s = 3600.0
        self.refresh_tokens = True
        self.skew_s: float | None = None
        self.gate: threading.Event | None = None
        self.entered = threading.Event()

    def login(self, api_key: str, client_code: str, pin: str, code: str) -> Tokens:
        return self._tokens("login", api_key, client_code, pin, code)

    def refresh(self, api_key: str, jwt_token: str, refresh_token: str) -> Tokens:
        return self._tokens("refresh", api_key, jwt_token, refresh_token)

    def logout(self, api_key: str, client_code: str, jwt_token: str) -> None:
        self._tokens("logout", api_key, client_code, jwt_token)

    def count(self, name: str) -> int:
        return sum(call[0] == name for call in self.calls)

    def _tokens(self, *call: str) -> Tokens:
        self.calls.append(call)
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.failures[call[0]]:
            raise self.failures[call[0]].pop(0)
        serial = len(self.calls)
        exp_s = self.clock.wall / 1e9 + self.lifetime_s
        refresh = f"refresh-{serial}" if self.refresh_tokens else ""
        return Tokens(jwt(exp_s, serial), refresh, f"feed-{serial}")


@dataclass
class Desk:
    """Makes authenticators, and has everything that they touch."""

    home: Paths
    clock: HandClock
    broker: FakeBroker
    notes: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def authenticator(
        self, credentials: Credentials | None = None, rest_url: str = REST_URL
    ) -> Authenticator:
        """A new process, as it were: same folder, same broker, nothing remembered."""
        return Authenticator(
            self.home,
            rest_url,
            complete() if credentials is None else credentials,
            clock=self.clock,
            pause=self.pause,
            note=self.notes.append,
            api=self.broker,
        )

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.turn(seconds)


def complete() -> Credentials:
    return Credentials("my-api-key", "A123", "2468", SECRET)


@pytest.fixture
def credentials() -> Credentials:
    return complete()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    clock = HandClock(MORNING)
    folder = tmp_path / "home"
    return Desk(Paths(folder, folder, folder), clock, FakeBroker(clock))


@pytest.fixture(name="jwt")
def _jwt() -> Callable[..., str]:
    return jwt


@pytest.fixture
def clock() -> HandClock:
    return HandClock(MORNING)
