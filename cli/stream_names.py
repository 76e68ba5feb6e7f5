"""Which instruments a stream is asked for: typed, from watch lists, a shard of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..adapter.api import resolve_symbols
from ..adapter.config import Config
from ..adapter.errors import UnknownSymbolError, UsageError
from ..adapter.instrument import Instrument
from ..adapter.instruments.lists import Skipped
from ..adapter.wire.subscription import shard as shard_of
from .options.watch_lists import listed_names, shown
from .terminal.console import Console
from .view.figures import counted

if TYPE_CHECKING:
    from ..adapter.instruments.chain import Chain

_REPORTED = 20
"""Names of watch lists that are reported one by one."""


@dataclass(frozen=True, slots=True)
class StreamNames:
    """What the user named: `shard` is this part of how many."""

    symbols: tuple[str, ...]
    watch_lists: tuple[str, ...]
    is_strict: bool
    shard: tuple[int, int] | None

    def is_mine(self, instrument: Instrument) -> bool:
        """Whether an instrument belongs to this shard."""
        return self.shard is None or bool(shard_of([instrument], lambda one: one.key, *self.shard))


class Wanted(NamedTuple):
    """What a stream begins with: the spots of its chains are among the instruments."""

    instruments: list[Instrument]
    chains: list[Chain]
    names_skipped: int


def resolved(names: StreamNames, config: Config, console: Console) -> Wanted:
    """The instruments that are wanted, or this shard's part of them.

    Raises UsageError when nothing is named, SymbolError for a name that was typed, for one of a
    list with `--strict`, or when a list leaves none.
    """
    typed = [name for name in names.symbols if name.strip()]
    listed = listed_names(names.watch_lists)
    if not typed and not listed:
        lists = " and ".join(map(shown, names.watch_lists))
        raise UsageError(
            f"{lists} contains no symbols" if lists else "no symbol given",
            remedy="name one, such as NIFTY, or give a list with --from FILE",
        )
    skipped: list[Skipped] = []
    chains: list[Chain] = []
    try:
        with console.progress("instrument master") as progress:
            instruments = resolve_symbols(
                config,
                typed,
                listed,
                progress=progress,
                note=console.print_line,
                skip=skipped.append,
                follow=chains.append,
            )
    finally:
        _report_skipped(skipped, console)
    if skipped and names.is_strict:
        raise UnknownSymbolError(
            f"{counted(len(skipped), 'name')} of the watch list cannot be subscribed",
            kind="names-skipped",
        )
    return Wanted(_part(instruments, chains, names), chains, len(skipped))


def _report_skipped(skipped: Sequence[Skipped], console: Console) -> None:
    for each in skipped[:_REPORTED]:
        console.print_line(f"skipped: {each}")
    if more := skipped[_REPORTED:]:
        console.print_line(f"skipped: {counted(len(more), 'more name')}")


def _part(
    instruments: list[Instrument], chains: Sequence[Chain], names: StreamNames
) -> list[Instrument]:
    """This shard's instruments; each has the spots of all chains, as it follows them by itself."""
    spots = {chain.spot.key for chain in chains}
    mine = [one for one in instruments if one.key in spots or names.is_mine(one)]
    if names.shard is not None and not mine:
        part = "/".join(map(str, names.shard))
        raise UsageError(
            f"--shard {part} has no symbol: {counted(len(instruments), 'symbol')} in all",
            remedy="name more symbols, or use fewer parts",
        )
    return mine
