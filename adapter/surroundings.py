"""What the environment says: where things lie, whom to talk to, who the user is.

broker = BrokerAdapter(Surroundings.of(os.environ).session_keeper())
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .account.credentials import Credentials
from .account.session import SessionKeeper
from .address import FEED_URL, INSTRUMENTS_URL, REST_URL, Addresses
from .clock import SystemClock
from .home import Home


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The user's folders, the broker's addresses, and what is known of the user."""

    home: Home
    addresses: Addresses
    credentials: Credentials

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Surroundings:
        """From the `TICKS_...` variables. Raises UsageError for what cannot be used."""
        return cls(
            Home.from_environment(environ),
            Addresses.checked(
                environ.get("TICKS_REST_URL") or REST_URL,
                environ.get("TICKS_FEED_URL") or FEED_URL,
                environ.get("TICKS_INSTRUMENTS_URL") or INSTRUMENTS_URL,
            ),
            Credentials.from_environment(environ),
        )

    def session_keeper(self, note: Callable[[str], None] = lambda _line: None) -> SessionKeeper:
        """The session of this user, which logs in and renews as needed; `note` is told in words."""
        return SessionKeeper(
            self.home,
            self.addresses.rest_url,
            self.credentials,
            clock=SystemClock(),
            pause=_pause,
            note=note,
        )


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
