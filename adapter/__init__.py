"""Angel One SmartAPI's live feed as ticks: the core. It knows nothing of the command line.

`__all__` is what is promised to programs, and nothing else is. Names are imported when they are
first used, so that a command which needs none of them pays nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import connect, resolve
    from .broker import BrokerAdapter
    from .config import Config
    from .errors import (
        AmbiguousSymbolError,
        BrokerError,
        FeedLostError,
        OutputError,
        RecordingError,
        SessionError,
        SymbolError,
        TicksError,
        UnknownSymbolError,
        UsageError,
    )
    from .feed.lifecycle import Policy
    from .files.recording import read_ticks
    from .instrument import Instrument
    from .market.calendar import MarketCalendar
    from .tick import Level, Mode, Tick

__all__ = [
    "AmbiguousSymbolError",
    "BrokerAdapter",
    "BrokerError",
    "Config",
    "FeedLostError",
    "Instrument",
    "Level",
    "MarketCalendar",
    "Mode",
    "OutputError",
    "Policy",
    "RecordingError",
    "SessionError",
    "SymbolError",
    "Tick",
    "TicksError",
    "UnknownSymbolError",
    "UsageError",
    "connect",
    "read_ticks",
    "resolve",
]

_HOMES = {
    "connect": "api",
    "BrokerAdapter": "broker",
    "Config": "config",
    "Policy": "feed.lifecycle",
    "read_ticks": "files.recording",
    "resolve": "api",
    "Instrument": "instrument",
    "MarketCalendar": "market.calendar",
    "Level": "tick",
    "Mode": "tick",
    "Tick": "tick",
}
"""Where a promised name is defined; an error is in `errors`."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
