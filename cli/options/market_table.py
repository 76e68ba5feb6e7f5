"""[market] of config.toml: the sessions and holidays that the exchanges announced by circular.

    [market]
    holidays = ["2026-11-09"]
    sessions = ["2026-11-08 18:00-19:00", "2026-02-01 09:15-15:30 NSE,BSE"]

A session is a day, its opening and closing time in India, and the exchanges that trade then; no
exchange named means all. On a holiday nothing trades but such a session.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import TypeVar

from ...adapter.instrument import EXCHANGE_TYPES
from ...adapter.market.calendar import MarketCalendar, SpecialSession
from .config_file import MARKET, ConfigFile

T = TypeVar("T")

HOLIDAYS, SESSIONS = "holidays", "sessions"
_SESSION = re.compile(r"(\S+)\s+(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})(?:\s+(\S.*))?", re.ASCII)


def market_calendar(environ: Mapping[str, str], *, is_always_open: bool) -> MarketCalendar:
    """The exchanges' hours with what the user's config.toml adds. Raises UsageError."""
    return calendar_of(ConfigFile.of(environ), is_always_open=is_always_open)


def calendar_of(file: ConfigFile, *, is_always_open: bool = False) -> MarketCalendar:
    """As `market_calendar`, from a file that was read."""
    file.check_keys(MARKET, (HOLIDAYS, SESSIONS))
    return MarketCalendar(
        is_always_open=is_always_open,
        special_sessions=tuple(_listed(file, SESSIONS, session)),
        extra_holidays=frozenset(_listed(file, HOLIDAYS, holiday)),
    )


def holiday(text: str) -> date:
    """The day that `2026-11-09` names. Raises ValueError with the reason."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a valid day; write 2026-11-09") from None


def session(text: str) -> SpecialSession:
    """The session in `2026-11-08 18:00-19:00 NSE,BSE`. Raises ValueError with the reason."""
    parts = _SESSION.fullmatch(text.strip())
    if parts is None:
        raise ValueError(f"{text!r} is not a valid session; write 2026-11-08 18:00-19:00 NSE,BSE")
    day, opens, closes, exchanges = parts.groups()
    found = SpecialSession(holiday(day), _time(opens), _time(closes), _exchanges(exchanges or ""))
    if found.opens >= found.closes:
        raise ValueError(f"{text!r} closes before it opens")
    return found


def _time(text: str) -> time:
    hour, minute = map(int, text.split(":"))
    try:
        return time(hour, minute)
    except ValueError:
        raise ValueError(f"{text!r} is not a valid time of day") from None


def _exchanges(text: str) -> frozenset[int]:
    names = [name.upper() for name in re.split(r"[,\s]+", text) if name]
    for name in names:
        if name not in EXCHANGE_TYPES:
            raise ValueError(
                f"{name!r} is not a known exchange; there are {', '.join(EXCHANGE_TYPES)}"
            )
    return frozenset(EXCHANGE_TYPES[name] for name in names)


def _listed(file: ConfigFile, key: str, parse: Callable[[str], T]) -> list[T]:
    """The values of a list, parsed; a TOML date needs no quotes."""
    given = file.table(MARKET).get(key, [])
    if not isinstance(given, list):
        file.refuse_value("write a list", MARKET, key)
    try:
        return [parse(str(one)) for one in given]
    except ValueError as error:
        file.refuse_value(str(error), MARKET, key)
