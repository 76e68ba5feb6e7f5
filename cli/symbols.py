"""What the completion scripts ask for: `ticks __symbols NIF` lists the symbols that begin so.

Answered from the copy of the instrument master, without the network and without the rest of the
program, for somebody waits at every key. Whatever goes wrong: no line, no word, exit code 0.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from ..adapter.clock import SystemClock
from ..adapter.instruments import open_copy
from ..adapter.instruments.index import INDEX_KIND
from ..adapter.paths import Paths

_MOST = 5_000
"""As many as an index has contracts: a shell types what all candidates share, so it needs all."""


def answer(arguments: Sequence[str]) -> None:
    """Print the symbols that begin with the first argument, one a line."""
    with contextlib.suppress(Exception, KeyboardInterrupt):
        lines = [f"{symbol}\n" for symbol in beginning_with("".join(arguments[:1]))]
        os.write(sys.stdout.fileno(), "".join(lines).encode())


def beginning_with(text: str) -> Iterator[str]:
    """Each symbol that begins with `text` in any case, an exchange in front of it kept.

    An index is offered by the name that people type (NIFTY), if that begins so.
    """
    exchange, colon, beginning = text.rpartition(":")
    book = open_copy(Paths.from_env(os.environ), clock=SystemClock())
    if book is None:
        return
    with book:
        seen: set[str] = set()
        for one in book.prefix(text, _MOST):
            names = (one.name, one.symbol) if one.kind == INDEX_KIND else (one.symbol,)
            for name in names:
                begins_so = name.upper().startswith(beginning.upper())
                if begins_so and name not in seen and name.isprintable():
                    seen.add(name)
                    yield f"{exchange}{colon}{name}"
                    break
