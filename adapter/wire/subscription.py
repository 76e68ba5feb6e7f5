"""What to subscribe on the feed: units, spread over connections, put into requests.

Source: protocol.md, "Subscribe, unsubscribe", "Limits" and "Text frames".

Rules
- A unit is one instrument in one mode; the broker counts each once, however often it is asked for.
- A request is one mode; an error reply names its request by the correlation id, so each id is
  used once.
- The broker refuses a request as a whole. So tokens that no packet can hold (NCDEX lists some) have
  a request of their own: they must not take others with them.
- What goes to which connection, and into which shard, depends on nothing but the units: every
  run and every machine comes to the same answer.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple, TypeVar

from ..errors import SubscriptionRefusedError, UsageError
from ..instrument import InstrumentKey
from ..tick import Mode
from .packet import TOKEN_SIZE

UNITS_PER_CONNECTION = 1000
"""The broker's limit of (token x mode) units a connection; over it a whole request is refused."""
CONNECTIONS_PER_CLIENT_CODE = 3
"""Over all programs and machines of a client code; the broker answers the fourth with 429."""
CORRELATION_ID_SIZE = 10
"""Longest correlation id, in ASCII letters and digits."""

T = TypeVar("T")


class Unit(NamedTuple):
    """One instrument in one mode: what a subscription is counted in."""

    exchange_type: int
    token: str
    mode: Mode


class SubscribeAction(IntEnum):
    """What a request asks for; the numbers are the wire's."""

    UNSUBSCRIBE = 0
    SUBSCRIBE = 1


class Request(NamedTuple):
    """One message to the feed: units of one mode, to be added or taken away."""

    correlation_id: str
    action: SubscribeAction
    mode: Mode
    units: tuple[Unit, ...]

    @property
    def text(self) -> str:
        """The JSON of the text frame."""
        tokens: dict[int, list[str]] = {}
        for unit in self.units:
            tokens.setdefault(unit.exchange_type, []).append(unit.token)
        body = {
            "correlationID": self.correlation_id,
            "action": self.action,
            "params": {
                "mode": self.mode,
                "tokenList": [
                    {"exchangeType": exchange_type, "tokens": of_exchange}
                    for exchange_type, of_exchange in tokens.items()
                ],
            },
        }
        return json.dumps(body, separators=(",", ":"))


class FeedMessage(NamedTuple):
    """An error that the feed reported in a text frame; what it left out is ""."""

    correlation_id: str
    error_code: str
    error_message: str


def spread(units: Iterable[Unit]) -> list[list[Unit]]:
    """The units of each connection, in the order given and without duplicates.

    Over as few connections as hold them; no two differ by more than one unit, and none is empty.
    Raises SubscriptionRefusedError for more than the broker's connections hold.
    """
    wanted = list(dict.fromkeys(units))
    limit = CONNECTIONS_PER_CLIENT_CODE * UNITS_PER_CONNECTION
    if len(wanted) > limit:
        raise SubscriptionRefusedError(
            f"{len(wanted):,} subscriptions are over the broker's limit of {limit:,}"
            f" ({UNITS_PER_CONNECTION:,} on each of {CONNECTIONS_PER_CLIENT_CODE} connections)",
            kind="subscriptions-over-limit",
            wanted=len(wanted),
            limit=limit,
        )
    count = -(-len(wanted) // UNITS_PER_CONNECTION)
    return [wanted[len(wanted) * i // count : len(wanted) * (i + 1) // count] for i in range(count)]


def requests(
    units: Iterable[Unit], action: SubscribeAction, first_number: int = 1
) -> list[Request]:
    """The requests that subscribe or unsubscribe `units`, one for each mode (the rules above).

    Their correlation ids have the numbers from `first_number` on; the next call must start after
    them, so that an error reply belongs to one request only.
    """
    together: dict[tuple[Mode, bool], list[Unit]] = {}
    for unit in units:
        is_long = len(unit.token.encode()) > TOKEN_SIZE
        together.setdefault((unit.mode, is_long), []).append(unit)
    return [
        Request(_correlation_id(action, number, mode), action, mode, tuple(asked))
        for number, ((mode, _), asked) in enumerate(together.items(), first_number)
    ]


def _correlation_id(action: SubscribeAction, number: int, mode: Mode) -> str:
    """Letter, number, and as much of the mode's name as has room: `s1ltp`, `u12345quot`."""
    return f"{action.name[0].lower()}{number}{mode.label}"[:CORRELATION_ID_SIZE]


def parse_error(text: str) -> FeedMessage | None:
    """The error in a text frame; None for any other text (`pong`, say).

    An error is a JSON object with a code or a message. Nothing else is asked of it: the shape is
    documented, but only few replies were ever seen.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    error = FeedMessage(*("" if body.get(key) is None else str(body[key]) for key in _ERROR_KEYS))
    return error if error.error_code or error.error_message else None


_ERROR_KEYS = ("correlationID", "errorCode", "errorMessage")


def shard(items: Sequence[T], key: Callable[[T], InstrumentKey], index: int, count: int) -> list[T]:
    """The `index`-th (from 1) of `count` parts of `items`, in order.

    Every item falls into exactly one part, by a stable hash of its exchange type and token: not by
    its place, so that a list that grows moves nothing. Raises UsageError for a part that does not
    exist.
    """
    if not 1 <= index <= count:
        raise UsageError(
            f"there is no part {index} of {count}", kind="no-such-part", index=index, count=count
        )
    return [item for item in items if _stable_hash(key(item)) % count == index - 1]


def _stable_hash(key: InstrumentKey) -> int:
    exchange_type, token = key
    return zlib.crc32(f"{exchange_type}:{token}".encode())


def difference(standing: Iterable[Unit], wanted: Iterable[Unit]) -> tuple[list[Unit], list[Unit]]:
    """What to subscribe and what to unsubscribe to come from `standing` to `wanted`, in order."""
    before, after = dict.fromkeys(standing), dict.fromkeys(wanted)
    return [unit for unit in after if unit not in before], [
        unit for unit in before if unit not in after
    ]
