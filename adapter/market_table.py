"""[market] of config.toml: what the exchanges announced by circular, for all or for one of them.

    [market]
    holidays = ["2026-11-09"]
    sessions = ["2026-11-08 18:00-19:00", "2026-02-01 09:15-15:30 NSE,BSE"]

    [market.NFO]
    hours = "09:15-15:40"
    holidays = ["2026-11-09"]
    sessions = ["2026-11-08 18:00-19:00"]

A session is a day, its opening and closing time in India, and the exchanges that trade then; no
exchange named means all. It comes on top of what the day holds otherwise, and on a holiday nothing
trades but such a session. Hours are those of an ordinary day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from functools import partial
from typing import TypeVar

from .instrument import EXCHANGE_TYPES
from .market.calendar import MarketCalendar, SegmentRules, SpecialSession
from .settings_file import SettingsFile, quoted

T = TypeVar("T")

MARKET = "market"
HOLIDAYS, SESSIONS, HOURS = "holidays", "sessions", "hours"
_SPAN = r"(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})"
_SESSION = re.compile(rf"(\S+)\s+{_SPAN}(?:\s+(\S.*))?", re.ASCII)
_HOURS = re.compile(_SPAN, re.ASCII)


def calendar_of(file: SettingsFile, *, is_always_open: bool = False) -> MarketCalendar:
    """The exchanges' hours with what the file adds. Raises UsageError."""
    file.check_keys((HOLIDAYS, SESSIONS, *EXCHANGE_TYPES), MARKET)
    sessions = _listed(file, session, MARKET, SESSIONS)
    rules: dict[int, SegmentRules] = {}
    for name in own_tables(file):
        file.check_keys((HOURS, HOLIDAYS, SESSIONS), MARKET, name)
        rules[EXCHANGE_TYPES[name]] = SegmentRules(
            _hours_of(file, name), frozenset(_listed(file, holiday, MARKET, name, HOLIDAYS))
        )
        sessions += _listed(file, partial(_own_session, name), MARKET, name, SESSIONS)
    return MarketCalendar(
        is_always_open=is_always_open,
        special_sessions=tuple(sessions),
        extra_holidays=frozenset(_listed(file, holiday, MARKET, HOLIDAYS)),
        rules=rules,
    )


def own_tables(file: SettingsFile) -> list[str]:
    """The exchanges that have a table of their own in the file. Raises UsageError."""
    given = file.table(MARKET)
    names = [name for name in EXCHANGE_TYPES if name in given]
    for name in names:
        if not isinstance(given[name], dict):
            file.refuse_value(f"write a table, [{MARKET}.{name}]", MARKET, name)
    return names


def _hours_of(file: SettingsFile, name: str) -> tuple[time, time] | None:
    given = file.table(MARKET, name).get(HOURS)
    if given is None:
        return None
    try:
        return hours(str(given))
    except ValueError as error:
        file.refuse_value(str(error), MARKET, name, HOURS)


def hours(text: str) -> tuple[time, time]:
    """What `09:15-15:40` says. Raises ValueError with the reason."""
    parts = _HOURS.fullmatch(text.strip())
    if parts is None:
        raise ValueError(f"{quoted(text)} is not a valid span of hours; write 09:15-15:40")
    return _span(text, *parts.groups())


def _span(text: str, opens: str, closes: str) -> tuple[time, time]:
    span = _time(opens), _time(closes)
    if span[0] >= span[1]:
        raise ValueError(f"{quoted(text)} closes before it opens")
    return span


def holiday(text: str) -> date:
    """The day that `2026-11-09` names. Raises ValueError with the reason."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{quoted(text)} is not a valid day; write 2026-11-09") from None


def session(text: str) -> SpecialSession:
    """The session in `2026-11-08 18:00-19:00 NSE,BSE`. Raises ValueError with the reason."""
    parts = _SESSION.fullmatch(text.strip())
    if parts is None:
        raise ValueError(
            f"{quoted(text)} is not a valid session; write 2026-11-08 18:00-19:00 NSE,BSE"
        )
    day, opens, closes, exchanges = parts.groups()
    return SpecialSession(holiday(day), *_span(text, opens, closes), _exchanges(exchanges or ""))


def _own_session(name: str, text: str) -> SpecialSession:
    """A session in the table of one exchange, which need not be named again."""
    found, own = session(text), frozenset({EXCHANGE_TYPES[name]})
    if found.exchange_types not in (frozenset(), own):
        raise ValueError(f"{quoted(text)} names another exchange than its table does")
    return replace(found, exchange_types=own)


def _time(text: str) -> time:
    hour, minute = map(int, text.split(":"))
    try:
        return time(hour, minute)
    except ValueError:
        raise ValueError(f"{quoted(text)} is not a valid time of day") from None


def _exchanges(text: str) -> frozenset[int]:
    names = [name.upper() for name in re.split(r"[,\s]+", text) if name]
    for name in names:
        if name not in EXCHANGE_TYPES:
            raise ValueError(
                f"{quoted(name)} is not a known exchange; there are {', '.join(EXCHANGE_TYPES)}"
            )
    return frozenset(EXCHANGE_TYPES[name] for name in names)


def _listed(file: SettingsFile, parse: Callable[[str], T], *keys: str) -> list[T]:
    """The values of a list, parsed; a TOML date needs no quotes."""
    given = file.table(*keys[:-1]).get(keys[-1], [])
    if not isinstance(given, list):
        file.refuse_value("write a list", *keys)
    try:
        return [parse(str(one)) for one in given]
    except ValueError as error:
        file.refuse_value(str(error), *keys)
