"""Watch lists: what to stream, one instrument a line."""

from __future__ import annotations

import re
from collections.abc import Iterable

_COMMENT = re.compile(r"(?:^|\s)#.*")


def read_watch_list(lines: Iterable[str]) -> list[str]:
    """The names in `lines`, in their order; a `#` begins a comment, blank lines do not count."""
    names = (_COMMENT.sub("", line.lstrip("\ufeff")).strip() for line in lines)
    return [name for name in names if name]
