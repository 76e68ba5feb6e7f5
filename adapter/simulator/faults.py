"""What can be made to go wrong, and when: faults, and the grammar that names them.

A time counts from the first subscription that the simulator accepted, a number of ticks from the
first packet (the fault comes after the write that reaches it). `connect:` and the REST calls name
the next handshakes or calls, TIMES of them.

Rules
- A fault at a time or a count affects the connections that are open then, not later ones.
  `connect:` affects those to come, from the handshake on.
- A fault of the market (`halt`, `holiday`, `snapshots`) holds for every connection, also those to
  come, until its time is over. Its segments may be named: `20s:halt:NSE:NFO:45s`.
- `expire` ends all JWTs and feed tokens and closes open feeds with 1008; refresh tokens stay good.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import UsageError
from ..instrument import EXCHANGE_TYPES
from ..wire.frames import is_legal_close_code
from .accounts import MESSAGES
from .requests import ERROR_MESSAGES

CONNECT = "connect"
REST_CALLS = ("login", "refresh", "profile", "logout", "instruments")
REFUSALS = (401, 403, 429, 503)

GRAMMAR = """WHEN:WHAT[:ARGUMENT][xTIMES]
  WHEN: 500ms, 20s, 2m (after the first subscription), 1000ticks (packets sent),
        connect (next handshakes), login, refresh, profile, logout, instruments (next calls)
  WHAT after a time, after ticks, or at connect:
        silence[:45s] stall[:45s] slow[:5s] drop close[:1011] garbage truncate fragment oversize
        text[:E1002] flood:1000 pongs[:45s] foreign[:3] ahead[:1h] ignore-close[:10s]
        halt[:NSE][:45s] holiday[:NSE][:45s] snapshots[:NSE][:45s]
  WHAT after a time or after ticks only: burst:500 expire
  WHAT at connect only: refuse:401|403|429|503 delay:3s
  WHAT at a call: A[:AB1004] B[:AG8001] C D null false[:AB1004] null-data[:AB1004]
        list-data[:AB1004] delay:3s; at login and refresh no-refresh; at refresh once
  xTIMES: number of handshakes or calls, 1 by default: connect:refuse:429x2"""


class What(StrEnum):
    """The ways in which things go wrong."""

    SILENCE = "silence"
    """The connection is open and pongs, and no packet comes; for a duration, or until its end."""
    STALL = "stall"
    """Nothing comes at all, no pong either."""
    SLOW = "slow"
    """Bytes come a few at a time."""
    DROP = "drop"
    """A reset, no close frame."""
    CLOSE = "close"
    """A close frame with that code."""
    GARBAGE = "garbage"
    """A binary message of an unknown mode."""
    TRUNCATE = "truncate"
    """A packet that is cut short."""
    FRAGMENT = "fragment"
    """The next packet comes in two fragments with a ping between them."""
    OVERSIZE = "oversize"
    """A message over 64 KiB."""
    TEXT = "text"
    """A text error of that code, of no request."""
    FLOOD = "flood"
    """That many text messages at once, none of them an error or a pong."""
    PONGS = "pongs"
    """Text pongs that answer no ping, a hundred a second."""
    FOREIGN = "foreign"
    """That many packets of other tokens, segments and modes than were asked for."""
    AHEAD = "ahead"
    """The exchange time of the next packet is that far ahead."""
    IGNORE_CLOSE = "ignore-close"
    """The client's close frame is not answered: packets come as fast as they can be sent."""
    HALT = "halt"
    """Nothing trades: no packets, and a subscribe is answered with one of before the halt."""
    HOLIDAY = "holiday"
    """As a halt, but what has not traded yet is dated in the last session before today."""
    SNAPSHOTS = "snapshots"
    """The market goes on, and the feed sends one packet a subscribe and no other."""
    BURST = "burst"
    """That many packets at once."""
    EXPIRE = "expire"
    """The tokens end."""
    REFUSE = "refuse"
    """The handshake is refused with that status."""
    DELAY = "delay"
    """The handshake, or the call, is answered that much later."""
    SHAPE_A = "A"
    """The call fails as the application does: `errorcode`."""
    SHAPE_B = "B"
    """The call fails as the gateway does: `errorCode`."""
    SHAPE_C = "C"
    """The call fails with the plain text of the rate limit, HTTP 403."""
    SHAPE_D = "D"
    """The call fails with the web firewall's page."""
    NULL = "null"
    """The call is answered with JSON's null."""
    FALSE = "false"
    """The call fails as in A, but with the status as a text: "false"."""
    NULL_DATA = "null-data"
    """The data are the text "null"; with a code the call fails, without one it succeeds."""
    LIST_DATA = "list-data"
    """The same with an empty list as data."""
    NO_REFRESH = "no-refresh"
    """The call succeeds and its tokens lack `refreshToken`."""
    ONCE = "once"
    """The refresh succeeds, and its refresh token is invalid after it."""


_AT_HANDSHAKE = {What.REFUSE, What.DELAY}
_AT_CALL = {
    *(What.SHAPE_A, What.SHAPE_B, What.SHAPE_C, What.SHAPE_D, What.NULL, What.DELAY),
    *(What.FALSE, What.NULL_DATA, What.LIST_DATA, What.NO_REFRESH, What.ONCE),
}
_AT_SOME_CALLS = {What.NO_REFRESH: ("login", "refresh"), What.ONCE: ("refresh",)}
OF_MARKET = frozenset({What.HALT, What.HOLIDAY, What.SNAPSHOTS, What.BURST})
"""Faults that change what the market does: they cannot be applied to a recording."""
ON_CONNECTION = frozenset(set(What) - _AT_HANDSHAKE - _AT_CALL)
"""Faults that can happen while connections are open."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    When: `call` (connect or a REST call; its next `times`), else `after_ticks`, else `after_s`
    since the first subscription (at once where that has passed). `connection` limits it to the one
    of that number in the journal. `duration_s` None has no end. `number`: close code, status,
    or how many packets or texts; `code`: the error code of a text or a failed call; `exchanges`:
    exchange types, none of them is all. `then` is armed when it happens.
    """

    what: What
    after_s: float = 0.0
    after_ticks: int | None = None
    call: str = ""
    times: int = 1
    connection: int | None = None
    duration_s: float | None = None
    number: int = 0
    code: str = ""
    exchanges: tuple[int, ...] = ()
    then: tuple[Fault, ...] = ()


class _FaultTextError(ValueError):
    """Why a text is not a fault."""


def parse_fault(text: str) -> Fault:
    """The fault that `text` names.

    Raises UsageError (kind `fault-invalid`) with the text, the reason and the grammar.
    """
    try:
        head, _, rest = text.partition(":")
        when = _when(head)
        match = re.fullmatch(r"(.*?)(?:x(\d+))?", rest, re.DOTALL)
        body, times = (match[1], match[2]) if match else (rest, None)
        name, separator, argument = body.partition(":")
        what = _what(name, when.get("call", ""))
        if times is not None:
            if "call" not in when or int(times) == 0:
                raise _FaultTextError("xTIMES is for handshakes and calls, and at least 1")
            when["times"] = int(times)
        return Fault(what, **when, **_argument(what, argument if separator else None))
    except _FaultTextError as error:
        raise UsageError(
            f"{text!r} is not a valid fault: {error}",
            kind="fault-invalid",
            fault=text,
            reason=str(error),
            grammar=GRAMMAR,
        ) from error


def _when(text: str) -> dict[str, Any]:
    if text == CONNECT or text in REST_CALLS:
        return {"call": text}
    if match := re.fullmatch(r"([0-9]{1,12})ticks", text):
        return {"after_ticks": int(match[1])}
    return {"after_s": _seconds(text, f"{text!r} is not a time, a number of ticks or a call")}


def _what(name: str, call: str) -> What:
    if not name:
        raise _FaultTextError("it does not say what should happen")
    try:
        what = What(name)
    except ValueError:
        raise _FaultTextError(f"there is no fault {name!r}") from None
    possible = set(ON_CONNECTION)
    if call == CONNECT:
        possible = (possible | _AT_HANDSHAKE) - {What.BURST, What.EXPIRE}
    elif call:
        possible = _AT_CALL
    if what not in possible or call not in _AT_SOME_CALLS.get(what, (call,)):
        when = f"at {call}" if call else "after a time or a count"
        raise _FaultTextError(f"{name} cannot happen {when}")
    return what


def _argument(what: What, text: str | None) -> dict[str, Any]:
    reader, default = _ARGUMENTS.get(what, (None, _NOTHING))
    if text is None:
        if default is None:
            raise _FaultTextError(f"{what} needs an argument")
        text = default
        if text is _NOTHING:
            return {}
    if reader is None:
        raise _FaultTextError(f"{what} takes no argument")
    return reader(text)


def _duration(text: str) -> dict[str, Any]:
    return {"duration_s": _seconds(text, f"{text!r} is not a valid duration")}


def _seconds(text: str, reason: str) -> float:
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]+)?)(ms|s|m|h)", text)
    if match is None:
        raise _FaultTextError(reason)
    return float(match[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}[match[2]]


def _number(is_possible: Callable[[int], bool], kind: str) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        if not re.fullmatch("[0-9]{1,9}", text) or not is_possible(int(text)):
            raise _FaultTextError(f"{text!r} is not a {kind}")
        return {"number": int(text)}

    return read


def _code(codes: list[str]) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        if text not in codes:
            raise _FaultTextError(f"{text!r} is not one of {', '.join(codes)}")
        return {"code": text}

    return read


def _standing(text: str) -> dict[str, Any]:
    """Segments, a duration, or both in that order."""
    names = text.split(":")
    found: dict[str, Any] = {}
    if names[-1] not in EXCHANGE_TYPES:
        reason = f"{names[-1]!r} is not a segment or a valid duration"
        found["duration_s"] = _seconds(names.pop(), reason)
    unknown = [name for name in names if name not in EXCHANGE_TYPES]
    if unknown:
        known = ", ".join(EXCHANGE_TYPES)
        raise _FaultTextError(f"{unknown[0]!r} is not a segment: {known}")
    return {**found, "exchanges": tuple(EXCHANGE_TYPES[name] for name in names)}


_NOTHING = ""
_AB_CODES = [code for code in MESSAGES if code.startswith("AB")]
_AG_CODES = [code for code in MESSAGES if code.startswith("AG")]
_COUNT = _number(lambda number: number > 0, "number over 0")
_ARGUMENTS: dict[What, tuple[Callable[[str], dict[str, Any]], str | None]] = {
    What.SILENCE: (_duration, _NOTHING),
    What.STALL: (_duration, _NOTHING),
    What.SLOW: (_duration, _NOTHING),
    What.PONGS: (_duration, _NOTHING),
    What.IGNORE_CLOSE: (_duration, _NOTHING),
    What.AHEAD: (_duration, "1h"),
    What.DELAY: (_duration, None),
    What.HALT: (_standing, _NOTHING),
    What.HOLIDAY: (_standing, _NOTHING),
    What.SNAPSHOTS: (_standing, _NOTHING),
    What.CLOSE: (_number(is_legal_close_code, "close code that may be sent"), "1011"),
    What.REFUSE: (_number(REFUSALS.__contains__, "refusal: 401, 403, 429 or 503"), None),
    What.BURST: (_COUNT, None),
    What.FLOOD: (_COUNT, None),
    What.FOREIGN: (_COUNT, "1"),
    What.TEXT: (_code(list(ERROR_MESSAGES)), "E1002"),
    What.SHAPE_A: (_code(_AB_CODES), "AB1004"),
    What.SHAPE_B: (_code(_AG_CODES), "AG8001"),
    What.FALSE: (_code(_AB_CODES), "AB1004"),
    What.NULL_DATA: (_code(_AB_CODES), _NOTHING),
    What.LIST_DATA: (_code(_AB_CODES), _NOTHING),
}
"""By fault: how its argument is read, and its default (None: there is none)."""
