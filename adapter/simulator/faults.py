"""What can be made to go wrong, and when: faults, and the grammar that names them.

A time counts from the first subscription that the simulator accepted, a number of ticks the packets
put on all sockets (the fault comes after the write that reaches it). `connect:` and the REST calls
name the next handshakes or calls, TIMES of them.

Rules
- A fault of a time or a count strikes the connections that are open then: a reconnect escapes it.
  `connect:` strikes those to come, from the handshake on.
- `expire` ends all JWTs and feed tokens and closes open feeds with 1008; refresh tokens stay good.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import UsageError
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
        text[:E1002] burst:500 expire
  WHAT at connect only: refuse:401|403|429|503 delay:3s
  WHAT at a call: A[:AB1004] B[:AG8001] C D null delay:3s
  xTIMES: so many handshakes or calls, 1 if not given: connect:refuse:429x2"""


class What(StrEnum):
    """The ways in which things go wrong."""

    SILENCE = "silence"
    """The connection is open and pongs, and no packet comes; for a duration, or for ever."""
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
    BURST = "burst"
    """So many packets at once (a made-up market only)."""
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


_AT_HANDSHAKE = {What.REFUSE, What.DELAY}
_AT_CALL = {What.SHAPE_A, What.SHAPE_B, What.SHAPE_C, What.SHAPE_D, What.NULL, What.DELAY}
ON_CONNECTION = frozenset(set(What) - _AT_HANDSHAKE - _AT_CALL)
"""What can strike an open connection."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    When: `call` (connect or a REST call; its next `times`), else `after_ticks`, else `after_s`
    since the first subscription (at once where that has passed). `connection` strikes only the
    one of that number in the journal. `duration_s` None is for ever. `number`: close code, status
    or size of a burst; `code`: the error code of `text`, `A` and `B`. `then` is armed when it
    strikes.
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
    then: tuple[Fault, ...] = ()


class _FaultTextError(ValueError):
    """Why a text is no fault."""


def parse_fault(text: str) -> Fault:
    """The fault that `text` names. Raises UsageError with the text, the reason and the grammar."""
    try:
        head, _, rest = text.partition(":")
        when = _when(head)
        match = re.fullmatch(r"(.*?)(?:x(\d+))?", rest, re.DOTALL)
        body, times = (match[1], match[2]) if match else (rest, None)
        name, separator, argument = body.partition(":")
        what = _what(name, when.get("call", ""))
        if times is not None:
            if "call" not in when or int(times) == 0:
                raise _FaultTextError("only handshakes and calls are counted with xTIMES, from 1")
            when["times"] = int(times)
        return Fault(what, **when, **_argument(what, argument if separator else None))
    except _FaultTextError as error:
        raise UsageError(f"{text!r} is no fault: {error}", remedy=GRAMMAR) from error


def _when(text: str) -> dict[str, Any]:
    if text == CONNECT or text in REST_CALLS:
        return {"call": text}
    if match := re.fullmatch(r"([0-9]{1,12})ticks", text):
        return {"after_ticks": int(match[1])}
    return {"after_s": _seconds(text, f"{text!r} is no time, no number of ticks and no call")}


def _what(name: str, call: str) -> What:
    try:
        what = What(name)
    except ValueError:
        raise _FaultTextError(f"nothing is called {name!r}") from None
    possible = set(ON_CONNECTION)
    if call == CONNECT:
        possible = (possible | _AT_HANDSHAKE) - {What.BURST, What.EXPIRE}
    elif call:
        possible = _AT_CALL
    if what not in possible:
        when = f"at {call}" if call else "after a time or a count"
        raise _FaultTextError(f"{name} does not happen {when}")
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
    return {"duration_s": _seconds(text, f"{text!r} is no duration")}


def _seconds(text: str, reason: str) -> float:
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]+)?)(ms|s|m|h)", text)
    if match is None:
        raise _FaultTextError(reason)
    return float(match[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}[match[2]]


def _number(is_possible: Callable[[int], bool], kind: str) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        if not re.fullmatch("[0-9]{1,9}", text) or not is_possible(int(text)):
            raise _FaultTextError(f"{text!r} is no {kind}")
        return {"number": int(text)}

    return read


def _code(codes: list[str]) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        if text not in codes:
            raise _FaultTextError(f"{text!r} is none of {', '.join(codes)}")
        return {"code": text}

    return read


def may_be_sent(code: int) -> bool:
    """Whether a close frame may carry this code (RFC 6455, 7.4)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


_NOTHING = ""
_ARGUMENTS: dict[What, tuple[Callable[[str], dict[str, Any]], str | None]] = {
    What.SILENCE: (_duration, _NOTHING),
    What.STALL: (_duration, _NOTHING),
    What.SLOW: (_duration, _NOTHING),
    What.DELAY: (_duration, None),
    What.CLOSE: (_number(may_be_sent, "close code that may be sent"), "1011"),
    What.REFUSE: (_number(REFUSALS.__contains__, "refusal: 401, 403, 429 or 503"), None),
    What.BURST: (_number(lambda number: number > 0, "number of packets"), None),
    What.TEXT: (_code(list(ERROR_MESSAGES)), "E1002"),
    What.SHAPE_A: (_code([code for code in MESSAGES if code.startswith("AB")]), "AB1004"),
    What.SHAPE_B: (_code([code for code in MESSAGES if code.startswith("AG")]), "AG8001"),
}
"""By fault: how its argument is read, and what stands for a missing one (None: it is needed)."""
