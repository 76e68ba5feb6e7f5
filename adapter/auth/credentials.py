"""What a login needs, where it comes from, and how it stays unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..errors import CredentialsMissingError
from .tokens import Session

VARIABLES = {
    "api_key": "TICKS_API_KEY",
    "client_code": "TICKS_CLIENT_CODE",
    "pin": "TICKS_PIN",
    "totp_secret": "TICKS_TOTP_SECRET",
}
"""Each field of `Credentials` that a variable of the environment holds, and its name."""


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What a login needs; None is not known. The `repr` shows only what is missing.

    `totp_code`: the current six digits, from a phone; they replace the secret, once.
    """

    api_key: str | None = None
    client_code: str | None = None
    pin: str | None = None
    totp_secret: str | None = None
    totp_code: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Credentials:
        """From the variables; an empty one counts as missing, blanks around a value are cut."""
        return cls(
            **{field: environ.get(name, "").strip() or None for field, name in VARIABLES.items()}
        )

    def missing(self) -> tuple[str, ...]:
        """The variables of what is not known, in their usual order."""
        return tuple(
            name
            for field, name in VARIABLES.items()
            if not getattr(self, field) and not (field == "totp_secret" and self.totp_code)
        )

    def require_complete(self) -> None:
        """Raises CredentialsMissingError, which names the variables of what is not known."""
        missing = ", ".join(self.missing())
        if missing:
            raise CredentialsMissingError(
                f"there is no usable session, and a login needs {missing}",
                kind="credentials-missing",
                missing=missing,
            )

    def own(self, session: Session) -> bool:
        """Whether `session` may be this account's: nothing that is known here contradicts it."""
        return self.client_code in (None, session.client_code) and self.api_key in (
            None,
            session.api_key,
        )

    def completed_by(self, session: Session) -> Credentials:
        """The same, with the client code and the API key of a saved session where unknown here."""
        return replace(
            self,
            api_key=self.api_key or session.api_key,
            client_code=self.client_code or session.client_code,
        )

    def __repr__(self) -> str:
        return f"Credentials(client_code={self.client_code!r}, missing={self.missing()!r})"
