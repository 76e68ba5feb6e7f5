"""From a name that is no longer used to the one that is, and an index's other names. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .naming import loose_key
from .renames_data import INDEX_ALIASES, INDEX_BRAND, MERGERS, RENAMES, SPLITS


@dataclass(frozen=True, slots=True)
class Note:
    """What a user should know of an answer.

    `renamed`: `name` is called `other` now, since the day `since` (ISO, in part or "").
    `commodity`: contracts of the same name are traded on the exchange `other`. `long-token`: no
    packet can hold the token `other`, so that its ticks cannot be recognized. `hidden`: a row of
    which no tick is known to come: the second one of the index `other`, or, "", a spot row.
    """

    kind: Literal["renamed", "commodity", "long-token", "hidden"]
    name: str
    other: str
    since: str = ""

    def __str__(self) -> str:
        if self.kind == "renamed":
            return f"{self.name} is {self.other} now"
        if self.kind == "long-token":
            return f"{self.name} may show no ticks: no packet can hold its token"
        if self.kind == "hidden":
            reason = f"the index is {self.other}" if self.other else "it is a spot row"
            return f"{self.name} may show no ticks: {reason}"
        return f"{self.name} is the share; the contracts of that name are on {self.other}"


@dataclass(frozen=True, slots=True)
class Rename:
    """What became of a name: other names, one after the other, or parts, or a merger."""

    old: str
    names: tuple[str, ...] = ()
    """The new name, then the one that this was changed to later, ..."""
    parts: tuple[str, ...] = ()
    merged_into: str = ""
    since: str = ""

    def note(self, name: str) -> Note:
        """That it is called `name`, one of `names`, now."""
        return Note("renamed", self.old, name, self.since)


_RENAMES = {loose_key(old): (old, new, since) for old, (new, since) in RENAMES.items()}
_SPLITS = {loose_key(old): (old, parts, since) for old, (parts, since) in SPLITS.items()}
_MERGERS = {loose_key(old): (old, new) for old, new in MERGERS.items()}

OLD_NAMES = {old for old, _, _ in (*_RENAMES.values(), *_SPLITS.values())}
"""Every name that was changed."""


def renamed(name: str) -> Rename | None:
    """What became of `name`; None where nothing is known to have."""
    key = loose_key(name)
    names: list[str] = []
    since = ""
    shown = ""
    while (found := _RENAMES.get(key)) is not None and found[1] not in names:
        shown = shown or found[0]
        names.append(found[1])
        since = found[2]
        key = loose_key(found[1])
    if split := _SPLITS.get(key):
        return Rename(shown or split[0], tuple(names), split[1], since=split[2])
    if merger := _MERGERS.get(key):
        followed = renamed(merger[1])
        into = followed.names[-1] if followed and followed.names else merger[1]
        return Rename(shown or merger[0], tuple(names), merged_into=into)
    return Rename(shown, tuple(names), since=since) if names else None


def index_keys(loose: str) -> list[str]:
    """The loose keys under which an index that is called `loose` may be listed, other than that."""
    keys: list[str] = []
    if alias := INDEX_ALIASES.get(loose):
        keys.append(alias)
    old_brand, brand = INDEX_BRAND
    if loose.startswith(old_brand):
        keys.append(brand + loose.removeprefix(old_brand))
    keys += [other for other, known in INDEX_ALIASES.items() if known == loose]
    return keys
