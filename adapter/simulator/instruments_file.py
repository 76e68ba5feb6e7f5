"""The instrument master that is served: everything that is listed, as the broker publishes it.

Source: protocol.md, "Instrument master", whose oddities are all in it: bare second rows of indices
and spot rows, of which no packet ever comes; debt, block-deal and trade-to-trade series; a token
that is two instruments' on two exchanges; a token that is in the file twice; numbers and keys
written otherwise than elsewhere in the file; contracts that expired and are still listed. The odd
row comes before the ordinary one, so that a reader who takes the first that fits takes the wrong
one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date

from .cash import cash_listings
from .contracts import contracts
from .listings import Listing


def listings(today: date, *, extra: int = 0) -> list[Listing]:
    """Everything listed on `today`, about 1,900, and `extra` made-up equities (SIM00001-EQ)."""
    return [*cash_listings(extra), *contracts(today)]


def master_json(listed: Iterable[Listing]) -> bytes:
    """The file that the broker publishes."""
    return json.dumps([each.record() for each in listed]).encode()
