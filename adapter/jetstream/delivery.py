"""A message as a consumer delivers it, and what its headers and its reply subject say. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from ..redaction import shown

_NO_RESPONDERS = "503"


class Delivery(NamedTuple):
    """A message as a consumer delivers it.

    `reply` is where a server's request for flow control is answered, "" for none; a message of the
    stream has its sequence there, its number at this consumer, and how many follow.
    """

    subject: str
    reply: str
    body: bytes
    headers: Mapping[str, str] | None

    @property
    def refusal(self) -> str:
        """Why a message was not stored, of the server's answer to it; "" where it was."""
        if not self.body:
            is_nobody = self.headers is not None and self.headers.get("Status") == _NO_RESPONDERS
            return "no stream takes the messages" if is_nobody else "an empty answer"
        if b'"error"' not in self.body:
            return ""
        try:
            return shown(str(json.loads(self.body)["error"]["description"]))
        except (ValueError, LookupError, TypeError):
            return "the server refuses the messages"


class Position(NamedTuple):
    """The place of a delivered message: in the stream, at this consumer, and how many follow."""

    stream_sequence: int
    consumer_sequence: int
    stored_ns: int
    pending: int


def position_of(reply: str) -> Position | None:
    """The position in a message's reply subject; None where there is none.

    Either form: `$JS.ACK.stream.consumer.deliveries.stream_seq.consumer_seq.time.pending`, or with
    domain and account before `stream`, and more after it.
    """
    parts = reply.split(".")
    if parts[:2] != ["$JS", "ACK"] or len(parts) < 9:
        return None
    at = 5 if len(parts) == 9 else 7
    try:
        return Position(*map(int, parts[at : at + 4]))
    except (ValueError, TypeError):
        return None
