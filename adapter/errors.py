"""Every fault this project names, in one place.

An error carries what a program needs: its class (which side is at fault, and whether trying again
can help: `can_retry`, nobody else decides that), its `kind` (which fault of that class) and the
`values` involved, never a secret. The message states what happened; what to do about it is the
command line's to say (`cli/exit_codes.py` owns the one table kind -> exit code, words, remedy).
Foreign exceptions become one of these in the file that owns the foreign library, with the cause
kept (`raise ... from error`).
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol


class TicksError(Exception):
    """Base of all faults that are reported to a user.

    `can_retry`: whether the same call may succeed later with nothing changed by the user.
    `label`: the fault's name where a connection's history names it.
    `kind`: which fault of its class, a stable word such as "output-exists"; "" where the class
    says it all. `values`: what the fault is about, by name.
    `remedy`: what to do about it, where the command line raises the error itself; the adapter
    leaves it empty (a test holds that) and the command line looks the kind up.
    """

    can_retry: ClassVar[bool] = False
    label: ClassVar[str] = "error"

    def __init__(self, message: str, *, kind: str = "", remedy: str = "", **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.remedy = remedy
        self.values: dict[str, Any] = values


# --- invalid input (exit 2) ----------------------------------------------------------------------


class UsageError(TicksError):
    """An option, variable, configuration value or address that cannot be used."""


# --- no session, or login refused (exit 3) -------------------------------------------------------


class SessionError(TicksError):
    """There is no usable session, and no way to get one."""

    label = "session"


class CredentialsMissingError(SessionError):
    """A login is needed and a credential is missing; the text names the variables."""


class CredentialsRefusedError(SessionError):
    """The broker refused the login: client code, PIN or API key (AB1007, AG8004, AB1034)."""


class TotpSecretError(SessionError):
    """The TOTP secret is not base32 text."""


class TotpRefusedError(SessionError):
    """The broker refused the code (AB1050), in two windows running or with a skewed clock."""


class SessionFileError(SessionError):
    """The session file cannot be trusted (others may read it), read, written or deleted."""


class TokenRefusedError(SessionError):
    """The broker refuses this session's tokens (AG8001-3, AB1010, AB8050, AB8051, HTTP 401)."""

    label = "tokens refused"


# --- a symbol or a subscription (exit 4) ---------------------------------------------------------


class Candidate(Protocol):
    """An instrument that may have been meant (`instrument.Instrument`); its text is its name."""

    @property
    def exchange(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def expiry(self) -> str: ...


class SymbolError(TicksError):
    """What the user named is not one instrument that can be subscribed.

    `candidates`: the instruments that may have been meant, the likeliest first. Of `values`,
    `typed` is what was typed and `understood` how it was read ("NIFTY, 22 Sep 2026, 24600 CE"),
    "" where it is not a contract.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "",
        remedy: str = "",
        candidates: tuple[Candidate, ...] = (),
        **values: object,
    ) -> None:
        super().__init__(message, kind=kind, remedy=remedy, **values)
        self.candidates = candidates


class UnknownSymbolError(SymbolError):
    """Nothing is called that."""


class AmbiguousSymbolError(SymbolError):
    """Several instruments are called that, and no documented preference decides."""


class ExpiredSymbolError(SymbolError):
    """Only contracts that have expired were meant: `expired`. Of `values`, `expired_on` is the
    last day (ISO) of the one that expired last."""

    def __init__(
        self,
        message: str,
        *,
        kind: str = "",
        remedy: str = "",
        candidates: tuple[Candidate, ...] = (),
        expired: tuple[Candidate, ...] = (),
        **values: object,
    ) -> None:
        super().__init__(message, kind=kind, remedy=remedy, candidates=candidates, **values)
        self.expired = expired


class SubscriptionRefusedError(SymbolError):
    """The broker refused a subscription (E1001, E1002), or it is over the broker's limits."""

    label = "subscription refused"


# --- the broker is out of reach, or the feed is lost (exit 5) ------------------------------------


class BrokerError(TicksError):
    """The broker does not answer, or not as SmartAPI answers."""


class NetworkError(BrokerError):
    """Nobody answers: refused, reset, DNS, time-out. Of `values`, `was_sent` is True where the
    request had gone out."""

    can_retry = True
    label = "network"


class BrokerBusyError(BrokerError):
    """The broker works but turned this call down for now (AB1004, HTTP 5xx, HTTP 403 pages)."""

    can_retry = True
    label = "broker busy"


class RateLimitedError(BrokerBusyError):
    """Too many calls or connections (HTTP 429, "exceeding access rate"): wait a minute at least."""

    label = "429"


class CertificateError(BrokerError):
    """The server's certificate cannot be trusted. Never tried again."""

    label = "certificate"


class ProxyError(BrokerError):
    """The proxy of the environment refuses us, or is of a kind that is not supported."""

    label = "proxy"


class NotSmartApiError(BrokerError):
    """Something answers there, but it is not SmartAPI."""

    can_retry = True
    label = "no SmartAPI"


class LoginUnclearError(BrokerError):
    """Two answers to a login were not understood: sending the PIN again could lock the account."""

    label = "login unclear"


class HandshakeRefusedError(BrokerError):
    """The feed answered the handshake with an HTTP status; `status` holds it."""

    can_retry = True
    label = "handshake refused"

    def __init__(
        self, message: str, *, status: int, kind: str = "", remedy: str = "", **values: object
    ) -> None:
        super().__init__(message, kind=kind, remedy=remedy, **values)
        self.status = status


class ProtocolError(BrokerError):
    """The peer broke RFC 6455; `close_code` is what the RFC asks to close with."""

    can_retry = True
    label = "protocol error"

    def __init__(self, message: str, *, close_code: int) -> None:
        super().__init__(message)
        self.close_code = close_code


class SilenceError(BrokerError):
    """The feed is open and sends no data, in market hours."""

    can_retry = True
    label = "silence"

    def __init__(self, silence_s: float, *, is_mute: bool = False) -> None:
        """`is_mute`: not one packet came since the subscription."""
        words = f"no data for {silence_s:.1f} s"
        if is_mute:
            words += ", not one packet since the subscription: a dead feed, or an unlisted holiday?"
        super().__init__(words)


class LinkDeadError(BrokerError):
    """Nothing at all came from the feed, not even an answer to the heartbeat."""

    can_retry = True
    label = "link dead"

    def __init__(self, unheard_s: float) -> None:
        super().__init__(f"nothing received for {unheard_s:.1f} s, not even an answer to `ping`")


class ClosedByServerError(BrokerError):
    """The server closed the feed; `code` is its close code, None where it gave none."""

    can_retry = True
    label = "closed by server"

    def __init__(self, code: int | None, reason: str = "") -> None:
        said = "without a code" if code is None else f"with code {code}"
        super().__init__(f"the server closed the feed {said}" + (f": {reason}" if reason else ""))
        self.code = code


class InstrumentMasterError(BrokerError):
    """No usable instrument master could be downloaded, and no earlier copy exists."""

    can_retry = True


class FeedLostError(BrokerError):
    """The feed is lost for good: the attempts are used up, or trying again cannot help."""


# --- this machine, not the broker ---------------------------------------------------------------


class LocalFaultError(TicksError):
    """A fault of this machine, not of the broker: `values` say what."""


class ResourceLimitError(LocalFaultError):
    """This machine is out of threads, open files or memory (exit 5)."""

    can_retry = True
    label = "this machine"


class DiskError(LocalFaultError):
    """A folder of ours cannot be written, or its disk has no room (exit 6)."""


class ClockSkewError(LocalFaultError):
    """This machine's clock differs from the broker's by more than TOTP codes tolerate (exit 5)."""


class PortTakenError(LocalFaultError):
    """A port that should be listened on is taken (exit 6)."""


class NoStreamError(LocalFaultError):
    """The running stream that is meant is not there, or does not answer (exit 5)."""


# --- data ----------------------------------------------------------------------------------------


class PacketError(TicksError):
    """Bytes that are not a packet; `reason` is a word for counting (`length`, `mode`, `token`)."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class RecordingError(TicksError):
    """A line of a recording that is not a row (exit 6 where it stops a command)."""


class OutputError(TicksError):
    """An output cannot be written (exit 6)."""


class ReaderLeftError(OutputError):
    """The reader of standard output has left (`head`): a normal end, not a fault (exit 0)."""
