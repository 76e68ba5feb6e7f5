"""What a terminal sends, as keys. Pure: bytes in any pieces, and no clock.

Rules
- A key is the character that was typed, or a `Key`. What means nothing here gives nothing: unknown
  sequences, Alt and a character, control characters, bytes that are not UTF-8.
- However the bytes are split, the keys are the same. An Escape may be the beginning of a sequence:
  it is a key of its own once `flush` says that nothing follows, or at the next Escape.
- A sequence that does not end is given up after `_LONGEST` characters, or by `flush`: garbage never
  swallows a key that comes after it.
"""

from __future__ import annotations

import codecs
import re

from ..view.key_bindings import Key

_ESCAPE = "\x1b"
_CONTROLS = {
    "\r": Key.ENTER,
    "\n": Key.ENTER,
    "\x7f": Key.BACKSPACE,
    "\b": Key.BACKSPACE,
    "\x0c": Key.REDRAW,  # Ctrl-L, as everywhere
    "\x15": Key.ERASE_LINE,  # Ctrl-U
}
_LETTERS = {
    "A": Key.UP,
    "B": Key.DOWN,
    "C": Key.RIGHT,
    "D": Key.LEFT,
    "F": Key.END,
    "H": Key.HOME,
}
"""The last character of `ESC [ A` (normal mode) and `ESC O A` (application mode)."""
_KEYPAD = {"M": Key.ENTER}
"""The last character of `ESC O M` alone."""
_NUMBERS = {
    "1": Key.HOME,
    "4": Key.END,
    "5": Key.PAGE_UP,
    "6": Key.PAGE_DOWN,
    "7": Key.HOME,  # rxvt
    "8": Key.END,
}
"""The number of `ESC [ 5 ~`."""
_LONGEST = 256
_CONTROL_SEQUENCE = re.compile(r"\x1b\[([0-?]*)[ -/]*([@-~])?")
_PLAIN_NUMBERS = re.compile(r"[0-9;]*")
_TEXT_BEGINS = "]PX^_"
"""After an Escape: an answer of the terminal as a text, up to its end."""
_TEXT_ENDS = re.compile(r"\x07|\x1b\\")


class KeyDecoder:
    """`feed` it what was read, and `flush` it when nothing has followed for a moment."""

    def __init__(self) -> None:
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        """An Escape and what came after it."""

    @property
    def is_waiting(self) -> bool:
        """Whether what came last may go on."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[str]:
        """The keys that are complete."""
        keys: list[str] = []
        for character in self._text.decode(data):
            keys += self._take(character)
        return keys

    def flush(self) -> list[str]:
        """Nothing follows: a lone Escape is that key, and what else was begun is dropped."""
        is_escape, self._held = self._held == _ESCAPE, ""
        return [Key.ESCAPE] if is_escape else []

    def _take(self, character: str) -> list[str]:
        if not self._held:
            return self._begin(character)
        self._held += character
        introducer = self._held[1]
        if introducer == _ESCAPE:
            self._held = _ESCAPE
            return [Key.ESCAPE]
        if introducer == "[":
            return self._take_control_sequence(character)
        if introducer == "O":
            return self._take_application_key(character)
        if introducer in _TEXT_BEGINS:
            if _TEXT_ENDS.search(self._held, 2) or len(self._held) > _LONGEST:
                self._held = ""
            return []
        self._held = ""  # Alt and a character
        return []

    def _begin(self, character: str) -> list[str]:
        if character == _ESCAPE:
            self._held = _ESCAPE
            return []
        if character in _CONTROLS:
            return [_CONTROLS[character]]
        is_text = character.isprintable() and character != "\N{REPLACEMENT CHARACTER}"
        return [character] if is_text else []

    def _take_control_sequence(self, character: str) -> list[str]:
        if self._held == "\x1b[[":  # the Linux console's F1 to F5: one more follows
            return []
        if self._held.startswith("\x1b[["):
            self._held = ""
            return []
        found = _CONTROL_SEQUENCE.fullmatch(self._held)
        if found is None:  # broken off: what broke it off counts by itself
            self._held = ""
            return self._begin(character)
        numbers, final = found.groups()
        if final is None:
            if len(self._held) > _LONGEST:
                self._held = ""
            return []
        self._held = ""
        if not _PLAIN_NUMBERS.fullmatch(numbers):  # a mouse, an answer
            return []
        number = numbers.partition(";")[0]
        key = _NUMBERS.get(number) if final == "~" else _LETTERS.get(final)
        return [] if key is None else [key]

    def _take_application_key(self, character: str) -> list[str]:
        if character == "O" and len(self._held) == 2:
            return []
        self._held = ""
        key = _LETTERS.get(character) or _KEYPAD.get(character)
        if key is not None:
            return [key]
        return self._begin(character) if character == _ESCAPE else []
