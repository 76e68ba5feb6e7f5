"""The names of a watch list, resolved: what is there, and what had to be skipped, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..errors import AmbiguousSymbolError, ExpiredSymbolError, SymbolError
from ..instrument import Instrument, InstrumentKey
from .index import InstrumentIndex
from .naming import NO_ALIASES, Aliases, read_name
from .renames import Note
from .resolve import Resolved, resolve

if TYPE_CHECKING:
    from .chain import Chain
    from .watch_list import Entry

Reason: TypeAlias = Literal["unknown", "ambiguous", "expired", "no name"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A name of a list that is not subscribed: where it is in the list, and why."""

    source: str
    """The file as it was named."""
    line: int
    name: str
    reason: Reason
    detail: str
    """One sentence; for people."""
    error: SymbolError | None = None
    """With the candidates; None where the entry is no name at all."""

    def __str__(self) -> str:
        """`day.txt, line 3: ...`"""
        return f"{self.source}, line {self.line}: {self.detail}"


@dataclass(slots=True)
class ListedNames:
    """The outcome for the names of one or several lists."""

    found: dict[InstrumentKey, Instrument] = field(default_factory=dict)
    """Each instrument once, in the order of its first naming; the spot of a chain is one."""
    chains: list[Chain] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def add(self, answer: Resolved | Chain) -> None:
        if isinstance(answer, Resolved):
            one = answer.instrument
        else:
            one = answer.spot
            self.chains += [answer] if answer not in self.chains else []
        self.found.setdefault(one.key, one)
        self.notes += [note for note in answer.notes if note not in self.notes]


def resolve_name(
    index: InstrumentIndex, text: str, today: str, aliases: Aliases
) -> Resolved | Chain:
    """The instrument, or the option chain, that `text` names on `today` (ISO date).

    Raises SymbolError.
    """
    if "chain" in aliases.spelling_of(text).lower():
        from .chain import chain_of, read_chain  # what a plain name does not need

        wanted = read_chain(text, aliases)
        if wanted is not None:
            return chain_of(index, wanted, today)
    return resolve(index, read_name(text, aliases), today)


def resolve_list(
    index: InstrumentIndex,
    entries: Iterable[tuple[str, Entry]],
    today: str,
    aliases: Aliases = NO_ALIASES,
    *,
    into: ListedNames | None = None,
) -> ListedNames:
    """Every entry, with the file that it is in, resolved on `today` (ISO date).

    What was found, skipped and noted is added to `into` where that is given.
    """
    names = ListedNames() if into is None else into
    for source, entry in entries:
        if entry.problem:
            detail = f"{entry.name!r}: {entry.problem}" if entry.name else entry.problem
            names.skipped.append(Skipped(source, entry.line, entry.name, "no name", detail))
            continue
        try:
            answer = resolve_name(index, entry.name, today, aliases)
        except SymbolError as error:
            names.skipped.append(
                Skipped(source, entry.line, entry.name, _reason(error), error.message, error)
            )
        else:
            names.add(answer)
    return names


def _reason(error: SymbolError) -> Reason:
    if isinstance(error, ExpiredSymbolError):
        return "expired"
    return "ambiguous" if isinstance(error, AmbiguousSymbolError) else "unknown"
