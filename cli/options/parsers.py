"""What a user typed becomes a value, or a reason that a person understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from math import inf, nan

from ...adapter.clock import IST
from ...adapter.errors import UsageError
from ...adapter.instrument import EXCHANGE_TYPES
from ...adapter.jetstream.address import NatsAddress, parse_address
from ...adapter.settings_file import quoted
from ...adapter.tick import MODES_BY_LABEL, Mode

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+(?:_\d+)*", re.ASCII)
_LONGEST_S = 366 * 86_400.0
_HIGHEST_RATE = 1_000_000
_SIZE = re.compile(r"(\d{1,12}) ?([KMGT]?)i?B?", re.ASCII | re.IGNORECASE)
_HOST_PORT = re.compile(r"(?:(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\])?:)?(?P<port>\d{1,5})", re.ASCII)
_DASHES = ("\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2015", "\u2212")
"""What a text program makes of hyphens that are copied from it."""


def duration_s(text: str) -> float:
    """Seconds in `90s`, `5m`, `1h`, `1h30m` or `250ms`. Raises ValueError with the reason."""
    compact = text.strip().lower()
    if re.fullmatch(r"\d{1,9}", compact, re.ASCII) and int(compact):
        raise ValueError(f"{quoted(text)} has no unit; write {compact}s, {compact}m or {compact}h")
    if not (_DURATION.fullmatch(compact) or compact == "0"):
        raise ValueError(f"{quoted(text)} is not a valid duration (examples: 90s, 5m, 1h30m)")
    seconds = sum(float(number) * _UNITS_S[u] for number, u in _DURATION_PART.findall(compact))
    if not 0 < seconds <= _LONGEST_S:
        raise ValueError(f"{quoted(text)} is not between 1ms and 366 days")
    return seconds


CLOSE_NS = 0
"""Stands for `close`: which time that is depends on what is subscribed (`closing_ns`)."""


def until_ns(text: str, now: datetime) -> int:
    """Nanoseconds since the epoch of `15:30` (today, IST) or `2026-11-23T15:30`; CLOSE_NS for
    `close`.

    Raises ValueError with the reason; a time that has passed is one.
    """
    if text.strip().lower() == "close":
        return CLOSE_NS
    try:
        at = _moment(text.strip(), now)
    except ValueError:
        raise ValueError(
            f"{quoted(text)} is not a valid time"
            " (examples: 15:40, close, 15:30:00, 2026-11-23T15:30; Indian time)"
        ) from None
    check_ahead(text, at, now)
    if at - now > timedelta(seconds=_LONGEST_S):
        raise ValueError(f"{quoted(text)} is more than a year away")
    return int(at.timestamp() * 1_000_000) * 1000


def check_ahead(text: str, at: datetime, now: datetime) -> None:
    """Raises ValueError when the time that `text` names is not ahead."""
    if at > now:
        return
    passed = f"{quoted(text)} has passed: it is {now:%H:%M:%S} IST on {now:%Y-%m-%d}"
    if at.date() != now.date():
        raise ValueError(passed)
    raise ValueError(f"{passed}; for tomorrow write {now + timedelta(days=1):%Y-%m-%d}T{at:%H:%M}")


def _moment(text: str, now: datetime) -> datetime:
    clock = _TIME_OF_DAY.fullmatch(text)
    if clock:
        hour, minute, second = (int(part or 0) for part in clock.groups())
        return datetime.combine(now.date(), time(hour, minute, second), IST)
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=IST)


def mode(text: str) -> Mode:
    """The mode that ltp, quote or snap names. Raises ValueError with the reason."""
    found = MODES_BY_LABEL.get(text.strip().lower())
    if found is Mode.DEPTH:
        raise ValueError("the broker withdrew depth (mode 4) on 2025-04-25; use ltp, quote or snap")
    if found is None:
        raise ValueError(f"{quoted(text)} is not a valid mode; use ltp, quote or snap")
    return found


def shard(text: str) -> tuple[int, int]:
    """(I, N) of `I/N`, 1 <= I <= N. Raises ValueError with the reason."""
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip(), re.ASCII)
    index, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= index <= count:
        raise ValueError(
            f"{quoted(text)} is not a valid shard; write I/N with I from 1 to N, such as 2/3"
        )
    return index, count


def count(text: str) -> int:
    """A number from 1 on, such as `100000` or `100_000`. Raises ValueError with the reason."""
    return whole_number(text, least=1)


def whole_number(text: str, least: int = 0, most: int = 1_000_000_000) -> int:
    """A number from `least` to `most`. Raises ValueError with the reason."""
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError(f"{quoted(text)} is not a whole number (examples: 1, 100, 100_000)")
    try:
        number = int(text)
    except ValueError:  # Python refuses to convert thousands of digits
        number = most + 1
    if not least <= number <= most:
        raise ValueError(f"{quoted(text)} is not between {least:,} and {most:,}")
    return number


def process_number(text: str) -> int:
    """The number of a process. Raises ValueError with the reason."""
    if not re.fullmatch("0*[1-9][0-9]{0,9}", text.strip()):
        raise ValueError(f"{quoted(text)} is not a process number; `ticks status` lists them")
    return int(text)


def port(text: str) -> int:
    """A port, or 0 for a free one. Raises ValueError with the reason."""
    return whole_number(text, most=65_535)


def size(text: str) -> int:
    """Bytes in `500MB` or `20GB` (of 1000 each). Raises ValueError with the reason."""
    match = _SIZE.fullmatch(text.strip())
    bytes_ = int(match[1]) * 1000 ** " KMGT".index(match[2].upper() or " ") if match else 0
    if bytes_ <= 0:
        raise ValueError(f"{quoted(text)} is not a valid size (examples: 500MB, 20GB)")
    return bytes_


def nats_address(text: str) -> NatsAddress:
    """The server and stream of `nats://host[:port][/STREAM]`. Raises ValueError with the reason,
    which never shows what may be a secret."""
    try:
        return parse_address(text.strip())
    except UsageError as error:
        example = (
            "example: nats://127.0.0.1:4222/TICKS; credentials belong in the variables NATS_..."
        )
        raise ValueError(f"{error.message} ({example})") from None


def host_port(text: str) -> tuple[str, int]:
    """Host and port of `9100`, `:9100`, `0.0.0.0:9100` or `[::1]:9100`; without a host 127.0.0.1.

    Raises ValueError with the reason.
    """
    match = _HOST_PORT.fullmatch(text.strip())
    if match is None or int(match["port"]) > 65_535:
        raise ValueError(
            f"{quoted(text)} is not an address to listen on"
            " (examples: 9100, 0.0.0.0:9100, [::1]:9100)"
        )
    return (match["host"] or "127.0.0.1").strip("[]"), int(match["port"])


def rate(text: str) -> float:
    """How many a second, from 0 on. Raises ValueError with the reason."""
    number = _number(text)
    if not 0 <= number <= _HIGHEST_RATE:
        raise ValueError(
            f"{quoted(text)} is not a valid rate; write a number from 0 to 1,000,000,"
            " such as 4 or 0.5"
        )
    return number


def speed(text: str) -> float:
    """How many times as fast; infinity for `max`. Raises ValueError with the reason."""
    compact = text.strip().lower()
    if compact == "max":
        return inf
    number = _number(compact)
    if not 0 < number < inf:
        factor = compact.removesuffix("x")
        meant = factor if factor != compact and _number(factor) > 0 else "10"
        raise ValueError(
            f"{quoted(text)} is not a valid speed; write a number over 0, such as {meant}, or max"
        )
    return number


def _number(text: str) -> float:
    """The number that ASCII text writes, nan for anything else."""
    try:
        return float(text) if text.isascii() else nan
    except ValueError:
        return nan


def exchange(text: str) -> str:
    """The exchange that NSE, nfo ... names. Raises ValueError with the reason."""
    name = text.strip().upper()
    if name not in EXCHANGE_TYPES:
        raise ValueError(
            f"{quoted(text)} is not an exchange; use one of {', '.join(EXCHANGE_TYPES)}"
        )
    return name


def client_code(text: str) -> str:
    """A client code. Raises ValueError with the reason."""
    code = text.strip()
    if not (code.isascii() and code.isalnum()):
        raise ValueError(
            f"{quoted(text)} is not a client code: it has letters and digits only, such as A123456"
        )
    return code


def symbol(text: str) -> str:
    """A symbol that is there. Raises ValueError with the reason."""
    if not text.strip():
        raise ValueError(f"{quoted(text)} is not a symbol")
    return text


def accounts(text: str) -> int:
    """A number of simulated accounts. Raises ValueError with the reason."""
    return whole_number(text, least=1, most=1_000)


def columns(text: str) -> tuple[str, ...]:
    """The names in `symbol,ltp,volume`. Raises ValueError with the reason."""
    names = tuple(name.strip().lower() for name in text.split(","))
    if not all(names):
        raise ValueError(f"{quoted(text)} lacks a name; write them as symbol,ltp,volume")
    return names


def command(text: str) -> str:
    """A command for the shell. Raises ValueError with the reason."""
    if not text.strip():
        raise ValueError("the command is empty")
    return text


def checked_symbols(names: Sequence[str], command: str) -> tuple[str, ...]:
    """The symbols typed for `ticks command`, blank ones left out.

    Raises UsageError for what was meant as something else.
    """
    for name in names:
        if "," in name:
            parts = (part for each in names for part in re.split(r"\s*,\s*", each) if part)
            apart = " ".join(map(shlex.quote, parts))
            raise UsageError(
                f"{quoted(name)} is not a symbol: spaces separate symbols, not commas",
                remedy=f"ticks {command} {apart}",
            )
        if name.lower() == "help":
            raise UsageError(f"{quoted(name)} is not a symbol", remedy=f"ticks {command} --help")
        if name.startswith(_DASHES):
            option = name.lstrip("-" + "".join(_DASHES))
            raise UsageError(
                f"{quoted(name)} begins with a dash that is not a hyphen",
                remedy=f"type it: --{option}",
            )
    return tuple(name for name in names if name.strip())


def color(text: str) -> str:
    """`auto`, `always` or `never`. Raises ValueError with the reason."""
    word = text.strip().lower()
    if word not in ("auto", "always", "never"):
        raise ValueError(f"{quoted(text)} is not valid; use auto, always or never")
    return word


def on_full(text: str) -> str:
    """`drop` or `stop`. Raises ValueError with the reason."""
    word = text.strip().lower()
    if word not in ("drop", "stop"):
        raise ValueError(f"{quoted(text)} is not valid; use drop or stop")
    return word
