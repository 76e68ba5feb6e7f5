"""What the completion scripts call: `ticks __symbols NIF` lists the symbols with that prefix.

Answered from the copy of the instrument master, without the network and without loading the rest
of the program: this runs at every press of TAB. Whatever goes wrong, it prints nothing and ends
with exit code 0.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from ..adapter.clock import SystemClock
from ..adapter.instruments import open_copy
from ..adapter.paths import Paths

_MOST = 5_000
"""As many contracts as an index has: a shell completes what all candidates share, and needs all."""


def answer(arguments: Sequence[str]) -> None:
    """Print the symbols that begin with the first argument, one per line."""
    with contextlib.suppress(Exception, KeyboardInterrupt):
        lines = [f"{symbol}\n" for symbol in beginning_with("".join(arguments[:1]))]
        os.write(sys.stdout.fileno(), "".join(lines).encode())


def beginning_with(text: str) -> Iterator[str]:
    """Each symbol that begins with `text`, in any case; an exchange prefix is kept.

    An index is offered under the name that people type (NIFTY), where that has the prefix.
    """
    exchange, colon, beginning = text.rpartition(":")
    catalog = open_copy(Paths.from_env(os.environ), clock=SystemClock())
    if catalog is None:
        return
    with catalog:
        seen: set[str] = set()
        for one in catalog.prefix(text, _MOST):
            names = (one.name, one.symbol) if one.is_index else (one.symbol,)
            for name in names:
                has_prefix = name.upper().startswith(beginning.upper())
                if has_prefix and name not in seen and name.isprintable():
                    seen.add(name)
                    yield f"{exchange}{colon}{name}"
                    break
