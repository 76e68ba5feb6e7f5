"""What the tests of several rooms share: the official SDK, contained.

Importing the SDK asks a public service for this machine's address, and its constructors make a
`logs` folder in the current directory and add handlers to logzero's logger (protocol.md,
section 3). Neither the network nor the tree is touched here.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest


@pytest.fixture(scope="session")
def _imported_sdk() -> tuple[ModuleType, ModuleType]:
    with (
        mock.patch("requests.get", return_value=mock.Mock(text="127.0.0.1")),
        mock.patch("socket.gethostbyname", return_value="127.0.0.1"),
    ):
        feed = importlib.import_module("SmartApi.smartWebSocketV2")
        rest = importlib.import_module("SmartApi.smartConnect")
    return feed, rest


@pytest.fixture
def _contained_sdk(
    _imported_sdk: tuple[ModuleType, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ModuleType, ModuleType]]:
    feed, rest = _imported_sdk
    monkeypatch.chdir(tmp_path)
    # The list to subscribe again belongs to the class, so one test would see another's.
    monkeypatch.setattr(feed.SmartWebSocketV2, "input_request_dict", {})
    handlers = list(feed.logger.handlers)
    # The handler that logzero made on import writes to a stderr of that moment.
    feed.logger.handlers[:] = [logging.NullHandler()]
    yield feed, rest
    for handler in feed.logger.handlers:
        handler.close()
    feed.logger.handlers[:] = handlers


@pytest.fixture
def official_sdk(_contained_sdk: tuple[ModuleType, ModuleType]) -> ModuleType:
    """The module `SmartApi.smartWebSocketV2`: the SDK's feed client and decoder."""
    return _contained_sdk[0]


@pytest.fixture
def official_rest(_contained_sdk: tuple[ModuleType, ModuleType]) -> ModuleType:
    """The module `SmartApi.smartConnect`: the SDK's REST client."""
    return _contained_sdk[1]
