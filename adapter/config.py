"""What the environment says: the user's folders, the broker's addresses, the credentials.

config = Config.from_env(os.environ)
broker = BrokerAdapter(config.authenticator(), feed_url=config.endpoints.feed_url)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .auth.authenticator import Authenticator
from .auth.credentials import Credentials
from .clock import SystemClock
from .instruments.naming import NO_ALIASES, Aliases
from .paths import Paths
from .urls import FEED_URL, INSTRUMENTS_URL, REST_URL, Endpoints


@dataclass(frozen=True, slots=True)
class Config:
    """The user's folders, the broker's addresses, and what is known of the user.

    `aliases` are the user's own names for instruments; no variable holds them.
    """

    paths: Paths
    endpoints: Endpoints
    credentials: Credentials
    aliases: Aliases = NO_ALIASES

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Config:
        """From the `TICKS_...` variables. Raises UsageError for what cannot be used."""
        return cls(
            Paths.from_env(environ),
            Endpoints.checked(
                environ.get("TICKS_REST_URL") or REST_URL,
                environ.get("TICKS_FEED_URL") or FEED_URL,
                environ.get("TICKS_INSTRUMENTS_URL") or INSTRUMENTS_URL,
            ),
            Credentials.from_env(environ),
        )

    def authenticator(self, note: Callable[[str], None] = lambda _line: None) -> Authenticator:
        """Logs this user in and renews as needed; `note` gets a line for people where it does."""
        return Authenticator(
            self.paths,
            self.endpoints.rest_url,
            self.credentials,
            clock=SystemClock(),
            pause=_pause,
            note=note,
        )


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
