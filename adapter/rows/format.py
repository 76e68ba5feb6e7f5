"""What an output must know of the rows in it: how a file begins, where rows end. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowFormat:
    """What the rows of a file are: how it begins, and how a row of it is known.

    A file without a header (b"") holds JSON lines: each begins with `line_start`, and
    `check_line` raises RecordingError for one that is none of this kind.
    """

    header: bytes = b""
    line_start: bytes = b""
    check_line: Callable[[bytes], object] = bytes

    def whole_rows(self, text: bytes) -> tuple[int, int]:
        """How many rows `text` holds whole, and the bytes up to the end of the last of them."""
        if b'"' not in text or not self.header:
            return text.count(b"\n"), text.rfind(b"\n") + 1
        rows = end = position = 0
        is_quoted = False
        for line in text.splitlines(keepends=True):
            position += len(line)
            is_quoted ^= line.count(b'"') % 2 == 1
            if line.endswith(b"\n") and not is_quoted:
                rows, end = rows + 1, position
        return rows, end
