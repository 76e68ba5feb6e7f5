"""The instrument catalog: today's instrument master, and what things are called in it.

The broker publishes the master each morning by 08:30 IST. A copy is fresh when it was fetched after
the last weekday's 08:30, so that it is fetched at most once a trading day (on an exchange holiday
once for nothing). A copy that is not fresh is still used, and named, when the broker has no better
one: out of reach, or an answer that is not a master, or one less than half as large as the copy
(believed after `SHRUNK_DISBELIEVED_S`). A copy made from another address does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Self

from ..clock import IST, Clock, ist_time
from ..errors import (
    BrokerBusyError,
    BrokerError,
    InstrumentMasterError,
    SymbolError,
    UnknownSymbolError,
    UsageError,
)
from ..instrument import EXCHANGE_NAMES, Instrument
from ..paths import Paths
from ..urls import without_secrets
from .index import InstrumentIndex, MasterFault, index_in_memory, new_index, open_index
from .lists import ListedNames, Skipped, resolve_list, resolve_name
from .naming import NO_ALIASES, Aliases, exchange_type_of, loose_key, read_name
from .resolve import resolve
from .search import beginning_with, find

if TYPE_CHECKING:
    from ..http import Progress
    from .chain import Chain
    from .watch_list import Entry

PUBLISHED_BY = time(8, 30)
"""The time, IST, by which the day's master is published (protocol.md: likely)."""

SHRUNK_DISBELIEVED_S = 4 * 86_400
"""How long a copy is preferred to a master that suddenly has less than half the records."""

LARGEST_MASTER_BYTES = 256 << 20
"""Seven times the size of the largest one seen; unpacked as well."""

_SATURDAY = 5
_NAMED_FAULTS = 5


class InstrumentCatalog:
    """One copy of the instrument master. A context manager; made by `open_catalog` and `open_copy`.

    Every method raises InstrumentMasterError when the copy on disk turns out to be damaged and
    cannot be rebuilt.
    """

    def __init__(self, index: InstrumentIndex, clock: Clock, aliases: Aliases = NO_ALIASES) -> None:
        self._index = index
        self._clock = clock
        self._aliases = aliases

    @property
    def fetched_ns(self) -> int:
        """When this copy was fetched, nanoseconds since the epoch."""
        return self._index.fetched_ns

    @property
    def records(self) -> int:
        """How many instruments it holds."""
        return self._index.records

    @property
    def faults(self) -> list[MasterFault]:
        """What is wrong with the master that this was made of."""
        return self._index.faults

    def resolve(self, text: str) -> Instrument:
        """The one instrument that `text` names; `resolve.py` has the rules.

        Raises UnknownSymbolError, AmbiguousSymbolError or ExpiredSymbolError, with candidates.
        """
        return resolve(self._index, read_name(text, self._aliases), self._today).instrument

    def resolve_all(
        self,
        texts: Iterable[str],
        listed: Iterable[tuple[str, Entry]] = (),
        *,
        note: Callable[[str], None] = lambda _line: None,
        skip: Callable[[Skipped], None] = lambda _skipped: None,
        follow: Callable[[Chain], None] = lambda _chain: None,
    ) -> list[Instrument]:
        """Each instrument named, once, in the order of its first naming.

        `texts` were typed: raises one SymbolError that names all of them that could not be
        resolved. `listed` are entries of watch lists, with their file: what of them cannot be
        resolved goes to `skip`, and only when nothing is left an UnknownSymbolError is raised
        (kind "names-all-skipped"). `note` gets what a user should know of an answer ("X is Y now").
        An option chain is its spot here, and also goes to `follow`.
        """
        names = ListedNames()
        faults: dict[str, SymbolError] = {}
        for text in texts:
            try:
                names.add(resolve_name(self._index, text, self._today, self._aliases))
            except SymbolError as error:
                faults[text] = error
        if faults:
            self._note_dropped(faults, note)
            raise all_in_one(list(faults.values()))
        resolve_list(self._index, listed, self._today, self._aliases, into=names)
        self._note_dropped((skipped.name for skipped in names.skipped), note)
        for sentence in names.notes:
            note(str(sentence))
        for skipped in names.skipped:
            skip(skipped)
        for chain in names.chains:
            follow(chain)
        if names.skipped and not names.found:
            raise UnknownSymbolError(
                f"none of {len(names.skipped):,} names can be subscribed",
                kind="names-all-skipped",
            )
        return list(names.found.values())

    def _note_dropped(self, texts: Iterable[str], note: Callable[[str], None]) -> None:
        """The master may have a record of that symbol, whose exchange and token are another's."""
        wanted = tuple(filter(None, (loose_key(text.rpartition(":")[2]) for text in texts)))
        for fault in self.faults if wanted else ():
            if fault.kind != "long-token" and loose_key(fault.symbol).startswith(wanted):
                note(str(fault))

    def find(
        self,
        text: str,
        exchange: str | None = None,
        limit: int = 20,
        *,
        note: Callable[[str], None] = lambda _sentence: None,
    ) -> list[Instrument]:
        """What fits `text`, the best first (`search.find` has the order), on one exchange or all.

        `note` gets what a user should know of an answer ("X is Y now"). Raises SymbolError if
        nothing fits, as `resolve` does, and UsageError when `exchange` is none.
        """
        wanted = read_name(text, self._aliases)
        if exchange is not None:
            there = _exchange_type(exchange)
            shown = f"{EXCHANGE_NAMES[there]}:{wanted.text}"
            wanted = replace(wanted, exchange_type=there, text=shown)
        found = find(self._index, wanted, self._today, limit, note)
        if not found:
            resolve(self._index, wanted, self._today)
        return found

    def prefix(self, text: str, limit: int = 20) -> list[Instrument]:
        """Those whose symbol, or an index's name, begins with `text`; fast, for completions."""
        return beginning_with(self._index, read_name(text), limit)

    def close(self) -> None:
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def _today(self) -> str:
        return ist_time(self._clock.wall_ns()).date().isoformat()


def open_catalog(
    paths: Paths,
    url: str,
    *,
    clock: Clock,
    progress: Progress | None = None,
    note: Callable[[str], None],
    aliases: Aliases = NO_ALIASES,
) -> InstrumentCatalog:
    """The catalog of today's master, fetched from `url` where the copy is not fresh.

    `progress` gets the bytes received and, where known, expected; `note` gets a line when an older
    copy has to suffice, when the index cannot be saved or was damaged, and about records that had
    to be skipped. Raises InstrumentMasterError, with the BrokerError that prevented it as its
    cause, when there is no copy either.
    """
    copy = open_index(paths.instruments_file)
    if copy is not None and copy.url != without_secrets(url):
        copy.close()
        copy = None
    if copy is not None and is_fresh(copy.fetched_ns, clock.wall_ns()):
        copy.rebuild = partial(_rebuilt, paths, url, clock, note)
        return InstrumentCatalog(copy, clock, aliases)
    try:
        fetched = _fetch(paths, url, clock, progress, copy, note)
    except BrokerError as error:
        if copy is None:
            raise InstrumentMasterError(
                f"there is no instrument master at {without_secrets(url)}: {error.message}",
                kind=error.kind or "no-master",
                **error.values,
            ) from error
        note(f"{_described(copy.fetched_ns, clock.wall_ns())}: {error.message}")
        return InstrumentCatalog(copy, clock, aliases)
    except BaseException:
        if copy is not None:
            copy.close()
        raise
    if copy is not None:
        copy.close()
    if left_out := [fault for fault in fetched.faults if fault.kind == "conflict"]:
        count = "1 record" if len(left_out) == 1 else f"{len(left_out):,} records"
        note(f"{count} of the instrument master skipped: {left_out[0]}")
    return InstrumentCatalog(fetched, clock, aliases)


def _rebuilt(
    paths: Paths,
    url: str,
    clock: Clock,
    note: Callable[[str], None],
    damage: InstrumentMasterError,
) -> InstrumentIndex:
    """A new index in the place of a damaged one. Raises InstrumentMasterError."""
    try:
        rebuilt = _fetch(paths, url, clock, None, None, note)
    except BrokerError as error:
        raise InstrumentMasterError(
            f"{damage.message}; it cannot be rebuilt: {error.message}",
            kind=damage.kind,
            **damage.values,
        ) from error
    note(f"{damage.message}; it was rebuilt")
    return rebuilt


def open_copy(
    paths: Paths, *, clock: Clock, aliases: Aliases = NO_ALIASES
) -> InstrumentCatalog | None:
    """The copy that is there, fresh or not, without ever asking the network; None without one."""
    copy = open_index(paths.instruments_file)
    return None if copy is None else InstrumentCatalog(copy, clock, aliases)


def is_fresh(fetched_ns: int, now_ns: int) -> bool:
    """Whether a copy fetched then is of the last trading day's master. One from the future is
    not."""
    now = ist_time(now_ns)
    published = datetime.combine(now, PUBLISHED_BY, IST)
    if published > now:
        published -= timedelta(days=1)
    while published.weekday() >= _SATURDAY:
        published -= timedelta(days=1)
    return published <= ist_time(fetched_ns) <= now


def _fetch(
    paths: Paths,
    url: str,
    clock: Clock,
    progress: Progress | None,
    copy: InstrumentIndex | None,
    note: Callable[[str], None],
) -> InstrumentIndex:
    """The index of the master as it is served now, saved where that is possible."""
    # Imported here: a lookup in a fresh copy needs neither, and they take 60 ms to import.
    from .master import Master

    fetched_ns, source = clock.wall_ns(), without_secrets(url)
    body = _download(url, progress, has_copy=copy is not None)
    try:
        with new_index(paths.instruments_file) as draft:
            records = draft.fill(Master(body).rows(), url=source, fetched_ns=fetched_ns)
            _check_size(records, fetched_ns, copy)
        index = open_index(paths.instruments_file)
        if index is None:
            raise InstrumentMasterError(
                f"the instrument index {paths.instruments_file} cannot be read back",
                kind="index-unwritable",
            )
    except InstrumentMasterError as error:
        if error.kind != "index-unwritable":
            raise
        note(f"{error.message}; it is kept in memory for this run")
        rows = Master(body).rows()
        index = index_in_memory(paths.instruments_file, rows, url=source, fetched_ns=fetched_ns)
        _check_size(index.records, fetched_ns, copy)
    return index


def _check_size(records: int, fetched_ns: int, copy: InstrumentIndex | None) -> None:
    """Raises InstrumentMasterError for a master that has lost too much since the copy."""
    if copy is None or records * 2 >= copy.records:
        return
    if (fetched_ns - copy.fetched_ns) / 1e9 < SHRUNK_DISBELIEVED_S:
        raise InstrumentMasterError(f"the new one has only {records:,} of {copy.records:,} records")


def _download(url: str, progress: Progress | None, *, has_copy: bool) -> bytes | bytearray:
    """The master as it is served. Raises a BrokerError."""
    from ..http import Limits, exchange

    limits = Limits(
        # With a copy at hand a user should not wait long for a better one.
        total_s=30.0 if has_copy else 300.0,
        silence_s=20.0,
        body_bytes=LARGEST_MASTER_BYTES,
    )
    reply = exchange("GET", url, {"User-Agent": "ticks"}, limits=limits, progress=progress)
    if reply.status == 200:
        return reply.body
    words = f"the server answered HTTP {reply.status} {reply.reason}".rstrip()
    if 300 <= reply.status < 400:
        words += ", and redirects are not followed"
    if reply.status in (403, 429) or reply.status >= 500:
        raise BrokerBusyError(words, kind="master-refused", status=reply.status)
    raise InstrumentMasterError(words, kind="master-refused", status=reply.status)


def _described(fetched_ns: int, now_ns: int) -> str:
    fetched, now = ist_time(fetched_ns), ist_time(now_ns)
    days = (now.date() - fetched.date()).days
    age = "of today" if days == 0 else f"{days} day{'s' if days != 1 else ''} old"
    return f"using the instrument master of {fetched:%Y-%m-%d %H:%M}, {age}"


def _exchange_type(exchange: str) -> int:
    found = exchange_type_of(exchange)
    if found is None:
        raise UsageError(
            f"{exchange!r} is not an exchange",
            kind="exchange-value",
            exchanges=", ".join(EXCHANGE_NAMES.values()),
        )
    return found


def all_in_one(faults: list[SymbolError]) -> SymbolError:
    """One error that names all of them; the only one as it is."""
    if len(faults) == 1:
        return faults[0]
    more = len(faults) - _NAMED_FAULTS
    messages = [fault.message for fault in faults[:_NAMED_FAULTS]]
    return UnknownSymbolError(
        "\n  ".join(
            [
                f"{len(faults):,} names cannot be resolved:",
                *messages,
                *([f"and {more:,} more"] if more > 0 else []),
            ]
        ),
        kind="names-unresolved",
        candidates=tuple(candidate for fault in faults for candidate in fault.candidates),
    )
