"""The history of the connections: one event for every change, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from .clock import ist_time


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """Something changed. `at_ns` is wall time; `connection` counts from 1, 0 is the whole stream.

    Names: connected, subscribed, unsubscribed, first_tick, silent, lost, waiting, renewed,
    renewal_failed, recovered, gave_up, quiet, market, probe, refused, malformed, out_of_order,
    dropped, rotated, stopped, summary. `facts` are JSON values; seconds end in `_s`.
    """

    at_ns: int
    connection: int
    name: str
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def at(self) -> str:
        """When, in IST, ISO 8601 with microseconds."""
        return ist_time(self.at_ns).isoformat(timespec="microseconds")

    def to_json(self) -> str:
        """One line of `--events`, without its line end."""
        head = {"at": self.at, "connection": self.connection, "event": self.name}
        return json.dumps({**head, **self.facts}, ensure_ascii=False, separators=(",", ":"))

    def __str__(self) -> str:
        facts = " ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.name} {facts}".rstrip()
