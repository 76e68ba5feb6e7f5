"""The requests to a running stream and its replies: one JSON line each way. Pure.

Rules
- Nothing that a peer sends is trusted: a line that is not exactly a message raises ValueError.
- An error travels as what it is (class, kind, values, candidates), so that the client can show it,
  and exit with its code, as if it had happened there. Only our own classes are made again, from
  their name.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import msgspec

from . import errors
from .errors import SymbolError, TicksError
from .instrument import Instrument, exchange_number

LARGEST_REQUEST = 256 * 1024
"""Bytes of a line: 3,000 names of the longest kind are less."""
LARGEST_REPLY = 1024 * 1024


class Stop(msgspec.Struct, frozen=True, tag_field="do", tag="stop", forbid_unknown_fields=True):
    """End the stream. Answered when it has ended."""


class Add(msgspec.Struct, frozen=True, tag_field="do", tag="add", forbid_unknown_fields=True):
    """Subscribe what these names mean, in the stream's mode; all of them or none."""

    symbols: tuple[str, ...]


class Drop(msgspec.Struct, frozen=True, tag_field="do", tag="drop", forbid_unknown_fields=True):
    """End the subscription of what these names mean; all of them or none."""

    symbols: tuple[str, ...]


Change: TypeAlias = Add | Drop
Request: TypeAlias = Stop | Add | Drop


class SentCandidate(msgspec.Struct, frozen=True):
    """An instrument that may have been meant."""

    exchange: str
    symbol: str
    token: str
    expiry: str


class SentError(msgspec.Struct, frozen=True, rename={"name": "class"}):
    """One of our errors; `name` is its class."""

    name: str
    message: str
    kind: str = ""
    values: dict[str, Any] = {}
    candidates: tuple[SentCandidate, ...] = ()


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a request.

    `symbols`: what was added or dropped; `unchanged`: what was subscribed before it was to be
    added. `notes` are sentences about names ("X is Y now"). `summary`: the facts of the stream's
    last event, once it has ended. `error`: why nothing was done, or what the stream ended with.
    """

    symbols: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    summary: dict[str, Any] | None = None
    error: SentError | None = None


def to_line(message: Request | Reply) -> bytes:
    """A message as it is sent, with its line end.

    Whatever is not text in a command line or a file name is sent as `?`.
    """
    plain = msgspec.to_builtins(message, enc_hook=str)
    return json.dumps(plain, ensure_ascii=False).encode(errors="replace") + b"\n"


def read_request(line: bytes) -> Request:
    """The request in a line. Raises ValueError for anything else."""
    try:
        request: Request = _requests.decode(line)
    except RecursionError as error:
        raise ValueError("not a request") from error
    return request


def read_reply(line: bytes) -> Reply:
    """The reply in a line. Raises ValueError for anything else."""
    try:
        return _replies.decode(line)
    except RecursionError as error:
        raise ValueError("not a reply") from error


_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_replies = msgspec.json.Decoder(Reply)


def sent(error: TicksError) -> SentError:
    """An error as it travels; a value that JSON does not have goes as its text."""
    candidates = error.candidates if isinstance(error, SymbolError) else ()
    return SentError(
        type(error).__name__,
        error.message,
        error.kind,
        msgspec.to_builtins(error.values, enc_hook=str),
        tuple(SentCandidate(c.exchange, c.symbol, c.token, c.expiry) for c in candidates),
    )


def raised_again(given: SentError) -> TicksError:
    """The error that `sent` was given; of the base class where this version does not know its."""
    known = getattr(errors, given.name, None)
    made: TicksError
    if isinstance(known, type) and issubclass(known, SymbolError):
        made = known.__new__(known)
        SymbolError.__init__(made, given.message, candidates=tuple(map(_named, given.candidates)))
    elif isinstance(known, type) and issubclass(known, TicksError):
        made = known.__new__(known)
        TicksError.__init__(made, given.message)
    else:
        made = TicksError(given.message)
    made.kind, made.values = given.kind, dict(given.values)
    return made


def _named(given: SentCandidate) -> Instrument:
    """A candidate as it was; what does not travel (lot size, kind) is not known."""
    exchange_type = exchange_number(given.exchange) or 0
    return Instrument(exchange_type, given.token, given.symbol, given.symbol, expiry=given.expiry)
