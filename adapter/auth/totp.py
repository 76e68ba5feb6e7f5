"""Six-digit codes from a TOTP secret (RFC 6238, 30 s windows). The only file that knows pyotp."""

from __future__ import annotations

import base64
import binascii
import re

from ..errors import TotpSecretError
from ..redaction import remember

WINDOW_S = 30


def code_at(secret: str, wall_s: float) -> str:
    """The six digits of the window that holds `wall_s` (seconds since the epoch).

    Spaces, dashes, padding and lower case in `secret` do not matter.
    Raises TotpSecretError, which never shows the secret.
    """
    import pyotp  # 15 ms that only a login needs

    key = checked_key(secret)
    remember(secret, base64.b32encode(key).decode())

    class Generator(pyotp.TOTP):
        """The broker made the secret: how long it must be is not judged here, as pyotp would."""

        def byte_secret(self) -> bytes:
            return key

    return Generator(base64.b32encode(key).decode()).at(int(wall_s))


def next_window_s(wall_s: float) -> float:
    """When the window after the one that holds `wall_s` starts (seconds since the epoch)."""
    return float((int(wall_s) // WINDOW_S + 1) * WINDOW_S)


def checked_key(secret: str) -> bytes:
    """The bytes that `secret` stands for. Raises TotpSecretError."""
    bare = "".join(secret.split()).replace("-", "").rstrip("=").upper()
    if re.fullmatch("[0-9]{6}", bare):
        # Often valid base32, and then a secret whose codes the broker would refuse.
        raise TotpSecretError(
            "the TOTP secret is a six-digit code, which is valid for 30 s; nothing was sent",
            kind="totp-secret",
        )
    try:
        key = base64.b32decode(bare + "=" * (-len(bare) % 8))
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise TotpSecretError(
            "the TOTP secret is not base32 text (letters A-Z and digits 2-7); nothing was sent",
            kind="totp-secret",
        )
    return key
