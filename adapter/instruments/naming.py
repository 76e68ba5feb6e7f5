"""What a user may call an instrument, made comparable. Pure.

    [EXCHANGE:]NAME or [EXCHANGE|]NAME or NAME.SUFFIX

EXCHANGE is NSE, NFO, ... or what other programs write there (nse_cm, NSE_EQ, NSE_INDEX); SUFFIX is
Yahoo's (.NS, .BO) or GDF's (.NFO). `^` in front and `-INDEX` behind mean an index. Case never
counts; a run of spaces is one, an underscore is one too, every dash is a hyphen, quotes around the
whole are dropped. Two keys are compared:

- `name_key`: the name so cleaned. `BAJAJ-AUTO` is not `BAJAJ AUTO`.
- `loose_key`: without spaces, hyphens and ampersands, for when nothing fits exactly.

Source of the spellings: the broker's master and the documentation of the platforms named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ..errors import UsageError
from ..instrument import BFO, BSE, CDS, EXCHANGE_TYPES, MCX, NCO, NFO, NSE, exchange_number

Kind: TypeAlias = Literal["", "share", "index"]

LONGEST = 64
"""Characters of a name; no symbol of any master is half as long."""

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

_WIRE_NAMES = {
    "NSE_CM": NSE,
    "NSE_FO": NFO,
    "BSE_CM": BSE,
    "BSE_FO": BFO,
    "MCX_FO": MCX,
    "NCX_FO": NCO,
    "NCDEX": NCO,
    "CDE_FO": CDS,
}
_KINDS: dict[str, tuple[int, Kind]] = {
    "NSE_EQ": (NSE, "share"),
    "BSE_EQ": (BSE, "share"),
    "NSE_INDEX": (NSE, "index"),
    "BSE_INDEX": (BSE, "index"),
    "MCX_INDEX": (MCX, "index"),
}
PREFIXES = (*EXCHANGE_TYPES, *_WIRE_NAMES, *_KINDS)
"""What may precede the colon, in upper case."""

_FAMILIES = {
    NSE: (NFO, CDS),
    BSE: (BFO,),
}
"""Other platforms say NSE of its derivatives too."""

_SUFFIXES = {"NS": "NSE", "BO": "BSE"} | {
    name: name for name in ("NSE", "BSE", "NFO", "MCX", "CDS")
}
_SUFFIX = re.compile(rf"(.+)\.({'|'.join(_SUFFIXES)})")
_INDEX_SUFFIX = "-INDEX"

_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_CLEANED = str.maketrans(dict.fromkeys(_DASHES, "-") | dict.fromkeys(_INVISIBLE, ""))
_PLAIN = re.compile(r"[A-Za-z0-9&.-]+").fullmatch
_LOOSENED = str.maketrans("", "", " -&")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One text, read."""

    text: str
    """As typed, or what an alias stands for; spaces single, cut behind `LONGEST` and one more."""
    name: str
    """`name_key` of what follows the exchange."""
    exchange_type: int | None = None
    kind: Kind = ""
    """Whether only a share or only an index may be meant."""
    unknown_exchange: str = ""
    """What stands before the colon where that is no exchange; `name` then holds it as well."""
    alias: str = ""
    """What was typed where that is an alias."""

    @property
    def quoted(self) -> str:
        """How a message names it."""
        return repr(self.text) + (f" (alias {self.alias!r})" if self.alias else "")

    @property
    def key(self) -> str:
        """The name as `folded` makes it, "" when nothing was typed."""
        return folded(self.name)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.name.split())

    @property
    def is_a_name(self) -> bool:
        """Whether it can be looked for; whether anything is called so is another question."""
        return bool(self.name) and not self.unknown_exchange and not self.is_too_long

    @property
    def is_too_long(self) -> bool:
        return len(self.text) > LONGEST

    @property
    def contract_exchanges(self) -> Sequence[int] | None:
        """The exchanges that may list a contract named so; None is any."""
        if self.kind:
            return ()
        if self.exchange_type is None:
            return None
        return _FAMILIES.get(self.exchange_type, (self.exchange_type,))


class Aliases:
    """Names of the user's own, each for a spelling; one may lead to another."""

    def __init__(self, spellings: Mapping[str, str]) -> None:
        """Raises UsageError (kind "alias-empty", "alias-twice" or "alias-loop")."""
        self._spellings = {name_key(name): spelling for name, spelling in spellings.items()}
        names: dict[str, str] = {}
        for name, spelling in spellings.items():
            first = names.setdefault(name_key(name), name)
            if first != name:
                raise UsageError(
                    f"the aliases {first!r} and {name!r} are the same name",
                    kind="alias-twice",
                    alias=name,
                )
            if not name_key(name) or not name_key(spelling):
                raise UsageError(
                    f"the alias {name!r} = {spelling!r} is empty",
                    kind="alias-empty",
                    alias=name,
                )
            self._check(name)

    def spelling_of(self, text: str) -> str:
        """What `text` stands for; `text` itself where it is no alias."""
        while (spelling := self._spellings.get(name_key(text))) is not None:
            text = spelling
        return text

    def _check(self, name: str) -> None:
        way = [name]
        passed = {name_key(name)}
        while (spelling := self._spellings.get(name_key(way[-1]))) is not None:
            way.append(spelling)
            if name_key(spelling) in passed:
                raise UsageError(
                    f"the alias {name!r} refers back to itself: {' -> '.join(way)}",
                    kind="alias-loop",
                    alias=name,
                )
            passed.add(name_key(spelling))


NO_ALIASES = Aliases({})


def read_name(text: str, aliases: Aliases = NO_ALIASES) -> Wanted:
    """The parts of what a user typed. Any text can be read."""
    typed = _shown(text)
    if (spelling := aliases.spelling_of(typed)) is not typed:
        return replace(_parted(_shown(spelling)), alias=typed)
    return _parted(typed)


def _shown(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().split())[: LONGEST + 1]


def _parted(shown: str) -> Wanted:
    name = _cleaned(shown)
    before, separator, behind = _split_at_exchange(name)
    if not separator:
        return _read(shown, name, None, "")
    prefix = before.strip().upper()
    exchange_type, kind = _KINDS.get(prefix) or (exchange_type_of(prefix), "")
    if exchange_type is None:
        return Wanted(shown, name_key(name), unknown_exchange=before.strip() or separator)
    return _read(shown, behind, exchange_type, kind)


def name_key(text: str) -> str:
    """`text` as names are compared: upper case, single spaces, plain hyphens, no quotes around."""
    if _PLAIN(text):  # nearly every symbol of a master
        return text.upper()
    return " ".join(_cleaned(text).upper().replace("_", " ").split())


def loose_key(text: str) -> str:
    """`text` as names are compared where nothing fits exactly."""
    return name_key(text).translate(_LOOSENED)


def folded(text: str) -> str:
    """`text` in upper case, without spaces and underscores: how rows of a recording are matched."""
    if text.isalnum():
        return text.upper()
    return "".join(text.upper().replace("_", " ").split())


def exchange_type_of(name: str) -> int | None:
    """The wire's number of `NSE`, `nse_cm`, `NCDEX` or `1`, in any case; None for anything else."""
    upper = name.strip().upper()
    return _WIRE_NAMES.get(upper) or exchange_number(upper)


def _cleaned(text: str) -> str:
    return " ".join(text.translate(_CLEANED).split()).strip(_QUOTES).strip()


def _split_at_exchange(name: str) -> tuple[str, str, str]:
    found = re.search(r"[:|]", name)
    if found is None:
        return "", "", name
    return name[: found.start()], found.group(), name[found.end() :]


def _read(shown: str, text: str, exchange_type: int | None, kind: Kind) -> Wanted:
    name = name_key(text)
    if suffix := _SUFFIX.fullmatch(name):
        named = EXCHANGE_TYPES[_SUFFIXES[suffix.group(2)]]
        # NSE:X.BO names two exchanges: it stays as it is, and nothing is called so.
        if exchange_type in (None, named):
            name, exchange_type = suffix.group(1).strip(), named
    if name.startswith("^") or (name.endswith(_INDEX_SUFFIX) and name != _INDEX_SUFFIX):
        name, kind = name.removeprefix("^").removesuffix(_INDEX_SUFFIX).strip(), "index"
    return Wanted(shown, name, exchange_type, kind)
