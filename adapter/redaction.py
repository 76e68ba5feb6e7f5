"""Masks secrets in text that others wrote: replies, headers, reason phrases, tracebacks.

Rules
- A server or a proxy may echo whatever it was sent. So every file that sends or uses a secret
  hands it to `remember` first, and every file that shows foreign text passes it through `shown`
  (a message) or `redacted` (a traceback).
- What looks like a token, a credential header or a password in a URL is masked without having been
  remembered: a broker may send tokens that nobody here has seen yet.
- Mask first, cut afterwards: half a token is a secret too.
- The time grows with the text and no faster: a server must not be able to keep us busy with a reply
  of a megabyte. So a pattern takes a whole run of letters, whatever is in it, and looks at none of
  them twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
_SHORTEST = 4
"""Shorter texts are not secrets, and masking them would destroy every message."""
_MOST_SHOWN = 200

_LOOKS_SECRET = ((re.compile(r"(?i)\b(bearer|basic)[ :=]+[\w.~+/=-]{6,}"), rf"\1 {MASK}"),)
_DOTTED = re.compile(r"[\w.-]+")
_TOKEN_BEGINS = re.compile(r"\beyJ[\w-]")
"""A JWT is two or three runs of letters with dots between them, and begins with `{"` in base64."""
_IN_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_ESCAPED = re.compile("%[0-9A-F]{2}")
_WORD = re.compile(r"[^\s\"'<>]+")
"""What an address may be: a password in it is what is between `://` and the last `@`."""

# Written by any thread that is about to send a secret, read by any that shows a text. Both are
# single operations on the set, so no lock is needed.
_secrets: set[str] = set()


def remember(*secrets: str | None) -> None:
    """Mask these from now on, in this process. None and what is too short are passed over."""
    for secret in secrets:
        if secret is not None and len(secret) >= _SHORTEST:
            _secrets.update(_spellings(secret))


def _spellings(secret: str) -> Iterator[str]:
    """A secret as an address, a form, JSON and HTML have it; most are the same in all."""
    in_address = quote(secret, safe="")
    yield from (
        secret,
        in_address,
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        secret.translate(_IN_HTML),
    )
    yield _ESCAPED.sub(lambda found: found[0].lower(), in_address)


def redacted(text: str) -> str:
    """`text` with every secret masked."""
    for secret in sorted(_secrets, key=len, reverse=True):
        # A PIN or a code inside a longer number is that number, not the secret.
        text = (
            re.sub(rf"(?<!\d){secret}(?!\d)", MASK, text)
            if secret.isdecimal() and secret.isascii()
            else text.replace(secret, MASK)
        )
    for pattern, mask in _LOOKS_SECRET:
        text = pattern.sub(mask, text)
    if "eyJ" in text:
        text = _DOTTED.sub(_without_token, text)
    return _WORD.sub(_without_password, text) if "@" in text else text


def _without_token(found: re.Match[str]) -> str:
    dotted = found[0]
    begins = _TOKEN_BEGINS.search(dotted, 0, max(0, dotted.rfind(".")))
    return dotted if begins is None else dotted[: begins.start()] + MASK


def _without_password(found: re.Match[str]) -> str:
    word = found[0]
    begin, end = word.find("://") + 3, word.rfind("@")
    return f"{word[:begin]}{MASK}{word[end:]}" if 3 <= begin < end else word


def shown(text: str, limit: int = _MOST_SHOWN) -> str:
    """`text` as a message may show it: masked, on one line, printable, `limit` characters long."""
    safe = "".join(letter if letter.isprintable() else " " for letter in redacted(text))
    return " ".join(safe.split())[:limit]
