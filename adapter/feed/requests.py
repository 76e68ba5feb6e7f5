"""What one connection asks the broker for: what is wanted, subscribed, and refused.

Rules
- While nothing changes this costs nothing: two tuples, compared by identity (`is_settled`).
- A text error E1001 or E1002 is no reason to reconnect: the request that it answers is reported and
  its units are wanted no more. With nothing left the connection ends.
- A request of which anything has ticked was accepted, whatever the text says: the broker refuses
  whole requests.
- Of a flood of refusals the first few of a second are reported one by one, the others as a count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from .. import events
from ..clock import Clock
from ..errors import SubscriptionRefusedError
from ..redaction import shown
from ..wire.subscription import (
    FeedMessage,
    Request,
    SubscribeAction,
    Unit,
    difference,
    requests,
)

_REPORTED_AT_ONCE = 20
"""Text errors that are logged one by one between two reports of counts: all of a stream of 1000
instruments in three modes, and few enough for a screen."""


class Requests:
    """The subscriptions of one connection. `send` takes the text of a request, `log` an event.

    Threads: the feed thread sends, and handles refusals. `wanted` is replaced by `want` too, and
    the refused units are emptied by `take_refused`, so both under the lock.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        clock: Clock,
        *,
        send: Callable[[str], None],
        log: Callable[[events.FeedEvent], None],
    ) -> None:
        self.wanted: tuple[Unit, ...] = tuple(units)
        self._clock = clock
        self._send = send
        self._log = log
        self._standing: tuple[Unit, ...] = ()
        self._refused_units: set[Unit] = set()
        self._sent: dict[str, tuple[Request, float]] = {}
        """The requests on this link and when they were sent, by their correlation ids."""
        self._number = 1
        self._refusals = 0
        self._withheld: _Refusal | None = None
        self._lock = threading.Lock()

    # --- for any thread ---

    def want(self, units: Sequence[Unit]) -> None:
        """Ask for these from now on, with the next `send_changes`."""
        with self._lock:
            self.wanted = tuple(units)

    def take_refused(self) -> set[Unit]:
        """What the broker has refused since the last call; it is wanted no more."""
        if not self._refused_units:
            return set()
        with self._lock:
            taken, self._refused_units = self._refused_units, set()
        return taken

    # --- for the feed thread ---

    @property
    def is_settled(self) -> bool:
        """Whether what is wanted has been asked for on this link."""
        return self._standing is self.wanted

    def begin_link(self) -> None:
        """A new link: nothing has been asked for on it."""
        self._sent.clear()
        self._standing = ()

    def send_changes(self) -> None:
        """Subscribe to what is wanted and not subscribed yet; unsubscribe the reverse."""
        if self.is_settled:
            return
        with self._lock:
            wanted = self.wanted
        missing, surplus = difference(self._standing, wanted)
        self._ask(SubscribeAction.UNSUBSCRIBE, surplus)
        self._ask(SubscribeAction.SUBSCRIBE, missing)
        self._standing = wanted

    def _ask(self, action: SubscribeAction, units: Sequence[Unit]) -> None:
        is_subscribe = action is SubscribeAction.SUBSCRIBE
        event = events.Subscribed if is_subscribe else events.Unsubscribed
        for request in requests(units, action, self._number):
            self._number += 1
            self._sent[request.correlation_id] = (request, self._clock.now_s())
            self._send(request.text)
            count = len(request.units)
            self._log(event(request.correlation_id, request.mode.label, count))

    def refused(
        self, error: FeedMessage, has_ticked_since: Callable[[Unit, float], bool]
    ) -> SubscriptionRefusedError | None:
        """The broker refused a request: report which. The error where nothing is left to wait for.

        `has_ticked_since(unit, since_s)`: whether it has sent anything since then.
        """
        request, sent_s = self._sent.get(error.correlation_id, (None, 0.0))
        if request is None or request.action is not SubscribeAction.SUBSCRIBE:
            self._report(_Refusal(error))
            return None
        if any(has_ticked_since(unit, sent_s) for unit in request.units):
            self._report(_Refusal(error, request.correlation_id, 0))
            return None
        refused = set(request.units)
        with self._lock:  # read and replaced as one: `want` may come in between
            self.wanted = tuple(unit for unit in self.wanted if unit not in refused)
            self._refused_units |= refused
        self._standing = tuple(unit for unit in self._standing if unit not in refused)
        self._report(_Refusal(error, request.correlation_id, len(refused)))
        if self._standing:
            return None
        code, detail = shown(error.error_code), shown(error.error_message)
        return SubscriptionRefusedError(
            f"the broker refused {request.correlation_id} ({len(refused)} instruments,"
            f" mode {request.mode.label}): {code} {detail}",
            kind="subscription-refused",
            request=request.correlation_id,
            instruments=len(refused),
            code=code,
        )

    def _report(self, refusal: _Refusal) -> None:
        self._refusals += 1
        if self._refusals <= _REPORTED_AT_ONCE:
            self._log(refusal.event())
        else:
            self._withheld = refusal

    def report_withheld(self) -> None:
        """Report those that were not, as a count with the last of them."""
        if self._withheld is not None:
            others = self._refusals - _REPORTED_AT_ONCE - 1
            self._log(replace(self._withheld.event(), others=others))
        self._refusals, self._withheld = 0, None


class _Refusal(NamedTuple):
    """An error of the broker as it came. Making it fit to be shown costs more than reading it, so
    that is done only for those that are logged."""

    error: FeedMessage
    request: str | None = None
    instruments: int | None = None

    def event(self) -> events.Refused:
        code, detail = shown(self.error.error_code), shown(self.error.error_message)
        return events.Refused(code, detail, self.request, self.instruments)
