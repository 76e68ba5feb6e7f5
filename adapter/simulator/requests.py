"""What a client asks of the feed: the JSON of its text messages, judged.

Source: protocol.md, "Subscribe, unsubscribe" and "Limits". A request that is not right in every
part is refused whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..instrument import EXCHANGE_NAMES
from .instrument_model import MODES, unit_prefix

UNITS_PER_CONNECTION = 1000

ERROR_MESSAGES = {
    "E1001": "Invalid Request Payload.",
    "E1002": "Invalid Request. Subscription Limit Exceeded",
}
"""The codes are the broker's (protocol.md, "Text frames"); the words may differ."""


class RequestRefusedError(Exception):
    """The request is refused whole; `code` is one of `ERROR_MESSAGES`."""

    def __init__(self, code: str, correlation_id: str) -> None:
        super().__init__(ERROR_MESSAGES[code])
        self.code = code
        self.correlation_id = correlation_id

    def text(self) -> str:
        """The text message that answers the request."""
        return json.dumps(
            {
                "correlationID": self.correlation_id,
                "errorCode": self.code,
                "errorMessage": ERROR_MESSAGES[self.code],
            }
        )


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """A subscribe (or an unsubscribe) for units, each once, in the order given."""

    correlation_id: str
    is_subscribe: bool
    units: tuple[bytes, ...]

    def added_to(self, standing: dict[bytes, None]) -> dict[bytes, None]:
        """The units after this request. Raises RequestRefusedError E1002 over a limit."""
        if not self.is_subscribe:
            return {unit: None for unit in standing if unit not in set(self.units)}
        wanted = standing | dict.fromkeys(self.units)
        if len(wanted) > UNITS_PER_CONNECTION:
            raise RequestRefusedError("E1002", self.correlation_id)
        return wanted


def parse_request(text: str) -> SubscriptionRequest:
    """The request in a text message. Raises RequestRefusedError E1001 for anything else."""
    correlation_id = ""
    try:
        request = json.loads(text)
        correlation_id = str(request.get("correlationID", ""))
        mode = request["params"]["mode"]
        if mode not in MODES:
            raise ValueError(f"mode {mode}")
        is_subscribe = {1: True, 0: False}[request["action"]]
        units = dict.fromkeys(
            _unit(mode, group["exchangeType"], token)
            for group in request["params"]["tokenList"]
            for token in group["tokens"]
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise RequestRefusedError("E1001", correlation_id) from error
    if not units:
        raise RequestRefusedError("E1001", correlation_id)
    return SubscriptionRequest(correlation_id, is_subscribe, tuple(units))


def _unit(mode: int, exchange_type: object, token: object) -> bytes:
    if not isinstance(token, str) or not token or not isinstance(exchange_type, int):
        raise ValueError("a token is a text and an exchange type a number")
    if exchange_type not in EXCHANGE_NAMES:
        raise ValueError(f"exchange type {exchange_type}")
    return unit_prefix(mode, exchange_type, token)
