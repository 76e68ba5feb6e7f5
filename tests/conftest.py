"""What the tests of several rooms share: signals and Hypothesis's profile as they are anywhere, and
the official SDK, contained.

Importing the SDK asks a public service for this machine's address, and its constructors make a
`logs` folder in the current directory and add handlers to logzero's logger (protocol.md,
section 3). Neither the network nor the tree is touched here.
"""

from __future__ import annotations

import importlib
import logging
import signal
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings

# Hypothesis has limits in seconds of the wall clock, and lifts them where the variable CI is set.
# A first run builds its tables of Unicode inside the first draw, which takes seconds, and a busy
# machine may stop any example for as long: neither is a fault of a test. One profile for all.
settings.register_profile(
    "ticks",
    settings.get_profile("default"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("ticks")

# A script that starts the tests with `&` has them ignore SIGINT and SIGQUIT, nohup SIGHUP, and
# whoever started that one may have had reasons for others. Commands that they start would inherit
# that; of a handler, even one that does nothing, they inherit nothing.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP, signal.SIGCHLD):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda _number, _frame: None)


@pytest.fixture(scope="session")
def _imported_sdk() -> tuple[ModuleType, ModuleType]:
    with (
        mock.patch("requests.get", return_value=mock.Mock(text="127.0.0.1")),
        mock.patch("socket.gethostbyname", return_value="127.0.0.1"),
    ):
        feed = importlib.import_module("SmartApi.smartWebSocketV2")
        rest = importlib.import_module("SmartApi.smartConnect")
    # logzero's own handler writes to what stderr was at this moment.
    feed.logger.handlers[:] = [logging.NullHandler()]
    return feed, rest


@pytest.fixture
def _contained_sdk(
    _imported_sdk: tuple[ModuleType, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[ModuleType, ModuleType]:
    feed, rest = _imported_sdk
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("logzero.logfile", lambda *_args, **_options: None)
    # The list to subscribe again belongs to the class, so one test would see another's.
    monkeypatch.setattr(feed.SmartWebSocketV2, "input_request_dict", {})
    return feed, rest


@pytest.fixture
def official_sdk(_contained_sdk: tuple[ModuleType, ModuleType]) -> ModuleType:
    """The module `SmartApi.smartWebSocketV2`: the SDK's feed client and decoder."""
    return _contained_sdk[0]


@pytest.fixture
def official_rest(_contained_sdk: tuple[ModuleType, ModuleType]) -> ModuleType:
    """The module `SmartApi.smartConnect`: the SDK's REST client."""
    return _contained_sdk[1]
