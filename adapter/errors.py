"""Every fault this project names, in one place.

A class says two things about its fault: what kind it is (the command line maps kinds to exit
codes) and whether trying again can help (`can_retry`; nobody else decides that). The text says
what happened and which value was involved, never a secret; `remedy` says what to do next.
Foreign exceptions become one of these in the file that owns the foreign library, with the cause
kept (`raise ... from error`).
"""

from __future__ import annotations

from typing import ClassVar


class TicksError(Exception):
    """Base of all faults that a user is told about.

    `can_retry`: whether the same call may succeed later with nothing changed by the user.
    `cause`: the fault's name where a connection's history names it.
    `remedy`: what the user can do, one sentence, or "".
    """

    can_retry: ClassVar[bool] = False
    cause: ClassVar[str] = "error"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


# --- what the user asked for makes no sense (exit 2) ---------------------------------------------


class UsageError(TicksError):
    """A flag, variable, configuration value or address that cannot be used."""


# --- no session, or login refused (exit 3) -------------------------------------------------------


class SessionError(TicksError):
    """There is no usable session, and none can be had."""

    cause = "session"


class CredentialsMissingError(SessionError):
    """A login is needed and a credential is missing; the text names the variables."""


class CredentialsRefusedError(SessionError):
    """The broker refused the login: client code, PIN or API key (AB1007, AG8004, AB1034)."""


class TotpSecretError(SessionError):
    """The TOTP secret is no base32 text."""


class TotpRefusedError(SessionError):
    """The broker refused the code (AB1050), in two windows running or with a skewed clock."""


class SessionFileError(SessionError):
    """The session file cannot be trusted (others may read it), read, written or deleted."""


class TokenRefusedError(SessionError):
    """The broker refuses this session's tokens (AG8001-3, AB1010, AB8050, AB8051, HTTP 401)."""

    cause = "tokens refused"


# --- a symbol or a subscription (exit 4) ---------------------------------------------------------


class SymbolError(TicksError):
    """What the user named is not one instrument; `candidates` holds the nearest symbols."""

    def __init__(self, message: str, *, remedy: str = "", candidates: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.candidates = candidates


class UnknownSymbolError(SymbolError):
    """Nothing is called that."""


class AmbiguousSymbolError(SymbolError):
    """Several instruments are called that, and no documented preference decides."""


class SubscriptionRefusedError(SymbolError):
    """The broker refused a subscription (E1001, E1002), or it is over the broker's limits."""

    cause = "subscription refused"


# --- the broker is out of reach, or the feed is lost (exit 5) ------------------------------------


class BrokerError(TicksError):
    """The broker does not answer, or not as SmartAPI answers."""


class NetworkError(BrokerError):
    """Nobody answers: refused, reset, DNS, time-out."""

    can_retry = True
    cause = "network"


class BrokerBusyError(BrokerError):
    """The broker works but turned this call down for now (AB1004, HTTP 5xx, HTTP 403 pages)."""

    can_retry = True
    cause = "broker busy"


class RateLimitedError(BrokerBusyError):
    """Too many calls or connections (HTTP 429, "exceeding access rate"): wait a minute at least."""

    cause = "429"


class CertificateError(BrokerError):
    """The server's certificate is not to be trusted. Never tried again."""

    cause = "certificate"


class NotSmartApiError(BrokerError):
    """Something answers there, but it is no SmartAPI."""

    can_retry = True
    cause = "no SmartAPI"


class HandshakeRefusedError(BrokerError):
    """The feed answered the handshake with an HTTP status; `status` holds it."""

    can_retry = True
    cause = "handshake refused"

    def __init__(self, message: str, *, status: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status


class ProtocolError(BrokerError):
    """The peer broke RFC 6455; `close_code` is what the RFC asks to close with."""

    can_retry = True
    cause = "protocol error"

    def __init__(self, message: str, *, close_code: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.close_code = close_code


class SilenceError(BrokerError):
    """The feed is open and sends no data, in market hours."""

    can_retry = True
    cause = "silence"

    def __init__(self, silence_s: float) -> None:
        super().__init__(f"no data for {silence_s:.1f} s")


class LinkDeadError(BrokerError):
    """Nothing at all came from the feed, not even an answer to the heartbeat."""

    can_retry = True
    cause = "link dead"

    def __init__(self, unheard_s: float) -> None:
        super().__init__(f"nothing heard for {unheard_s:.1f} s, not even an answer to `ping`")


class ClosedByServerError(BrokerError):
    """The server closed the feed; `code` is its close code, None where it gave none."""

    can_retry = True
    cause = "closed by server"

    def __init__(self, code: int | None, reason: str = "") -> None:
        said = "without a code" if code is None else f"with code {code}"
        super().__init__(f"the server closed the feed {said}" + (f": {reason}" if reason else ""))
        self.code = code


class InstrumentMasterError(BrokerError):
    """No usable instrument master could be had, and no earlier copy exists."""

    can_retry = True


class FeedLostError(BrokerError):
    """The feed is lost for good: the attempts are used up, or trying again cannot help."""


# --- data ----------------------------------------------------------------------------------------


class PacketError(TicksError):
    """Bytes that are no packet; `reason` is a word for counting (`length`, `mode`, `token`)."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class RecordingError(TicksError):
    """A line of a recording that is no row of it (exit 6 where it stops a command)."""


class OutputError(TicksError):
    """Where the ticks go cannot be written (exit 6)."""


class ReaderLeftError(OutputError):
    """Whoever read our standard output has left (`head`): a good end, not a fault (exit 0)."""
