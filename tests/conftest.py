"""What the tests of several rooms share: the official SDK, contained.

Importing the SDK asks a public service for this machine's address, and its constructors make a
`logs` folder in the current directory and add handlers to logzero's logger (protocol.md,
section 3). Neither the network nor the tree is touched here.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest


@pytest.fixture(scope="session")
def _imported_sdk() -> tuple[ModuleType, ModuleType]:
    offline = mock.patch("requests.get", side_effect=ConnectionError("the tests are offline"))
    with offline, mock.patch("logging.Logger.error"):
        rest = importlib.import_module("SmartApi.smartConnect")
        feed = importlib.import_module("SmartApi.smartWebSocketV2")
    return feed, rest


@pytest.fixture
def _contained_sdk(
    _imported_sdk: tuple[ModuleType, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ModuleType, ModuleType]]:
    feed, rest = _imported_sdk
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(feed.SmartWebSocketV2, "input_request_dict", {})
    handlers = list(feed.logger.handlers)
    yield feed, rest
    for handler in set(feed.logger.handlers) - set(handlers):
        feed.logger.removeHandler(handler)
        handler.close()


@pytest.fixture
def official_sdk(_contained_sdk: tuple[ModuleType, ModuleType]) -> ModuleType:
    """The module `SmartApi.smartWebSocketV2`: the SDK's feed client and decoder."""
    return _contained_sdk[0]


@pytest.fixture
def official_rest(_contained_sdk: tuple[ModuleType, ModuleType]) -> ModuleType:
    """The module `SmartApi.smartConnect`: the SDK's REST client."""
    return _contained_sdk[1]
