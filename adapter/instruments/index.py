"""The instrument master on disk: one SQLite file that is built once and then only read.

A new index is built in a file of its own next to the old one and replaces it in one step,
so that a reader never sees half of one, two builders do not meet, and a failure leaves the old
one as it was. A file that cannot be read, or was made by another version of this module, is no
index. Names are compared by `naming.name_key`, and where nothing fits by `naming.loose_key`.

Besides the instruments it holds what would take long to gather from 180 thousand rows: which names
there are, which expiries an underlying has, and what is wrong with the master. `role` is
`roles.Role`; rows that are hidden have one of their own.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from ..errors import InstrumentMasterError
from ..instrument import BSE, EXCHANGE_TYPES, NSE, Instrument, exchange_name
from .naming import loose_key, name_key
from .near_names import NearNames
from .roles import EXCHANGE_ORDER, Role, role_of

__all__ = ["Draft", "InstrumentIndex", "Row", "new_index", "open_index"]

Row: TypeAlias = tuple[int, str, str, str, str, str, int | None, int, int, bool]
"""The fields of an `Instrument`, in its order."""

SCHEMA_VERSION = 2
LONGEST_TOKEN = 25
"""Bytes of a token in a packet (protocol: binary packets)."""

_COLUMNS = (
    "exchange_type, token, symbol, name, kind, expiry, strike, lot_size, tick_size, closing_auction"
)
_TABLES = """
CREATE TABLE instruments (
    exchange_type INTEGER, token TEXT, symbol TEXT, name TEXT, kind TEXT, expiry TEXT,
    strike INTEGER, lot_size INTEGER, tick_size INTEGER, closing_auction INTEGER,
    role INTEGER, symbol_key TEXT, name_key TEXT);
CREATE TABLE names (loose TEXT, key TEXT, PRIMARY KEY (loose, key)) WITHOUT ROWID;
CREATE TABLE expiries (
    loose TEXT, name_key TEXT, exchange_type INTEGER, is_future INTEGER, expiry TEXT,
    PRIMARY KEY (loose, name_key, exchange_type, is_future, expiry)) WITHOUT ROWID;
CREATE TABLE faults (kind TEXT, exchange_type INTEGER, token TEXT, symbol TEXT, kept TEXT);
CREATE TABLE source (url TEXT, fetched_ns INTEGER, records INTEGER);
"""
_KEY_IS_UNIQUE = "CREATE UNIQUE INDEX by_token ON instruments (token, exchange_type)"
_NOTE_REPEATED = """
INSERT INTO faults SELECT
    CASE dropped.name_key WHEN kept.name_key THEN 'repeated' ELSE 'conflict' END,
    dropped.exchange_type, dropped.token, dropped.symbol,
    kept.symbol FROM instruments AS dropped JOIN
    (SELECT min(rowid) AS first, token, exchange_type FROM instruments
     GROUP BY token, exchange_type HAVING count(*) > 1) AS twice USING (token, exchange_type)
    JOIN instruments AS kept ON kept.rowid = twice.first
    WHERE dropped.rowid != twice.first
"""
_DELETE_REPEATED = """
DELETE FROM instruments WHERE rowid NOT IN
    (SELECT min(rowid) FROM instruments GROUP BY token, exchange_type)
"""
_HIDE_BARE_ROWS_OF_INDICES = f"""
UPDATE instruments SET role = {Role.HIDDEN:d}
WHERE role = {Role.SHARE:d} AND kind = '' AND exchange_type IN ({NSE}, {BSE})
    AND (exchange_type = {BSE} OR instr(symbol, '-') = 0)
    AND name_key IN (SELECT name_key FROM instruments WHERE role = {Role.INDEX:d})
"""
# A bare row would otherwise be found as the share that it looks like, and it never ticks.
_INDICES = f"""
CREATE INDEX by_symbol ON instruments (symbol_key);
CREATE INDEX by_name ON instruments (name_key, role, expiry, strike);
CREATE INDEX cash_by_symbol ON instruments (symbol_key) WHERE role <= {Role.SHARE:d};
CREATE INDEX index_by_name ON instruments (name_key) WHERE role = {Role.INDEX:d};
"""
_EXCHANGES_IN_ORDER = " ".join(
    f"WHEN {EXCHANGE_TYPES[name]} THEN {rank}" for rank, name in enumerate(EXCHANGE_ORDER)
)
_STRIKE_RANGE = f"""
SELECT exchange_type, min(strike), max(strike) FROM instruments
WHERE name_key = ? AND role IN ({Role.CALL:d}, {Role.PUT:d}) AND strike > 0 GROUP BY exchange_type
"""
LIKELY_FIRST = f"""
    expiry != '' AND expiry < :today, min(role, {Role.CALL:d}), expiry,
    CASE exchange_type {_EXCHANGES_IN_ORDER} ELSE 9 END,
    symbol NOT LIKE '%-EQ', length(symbol), strike, symbol
"""
"""SQL: indices, cash, futures, options, of these the nearest expiry; last what has expired."""


class Listed(NamedTuple):
    """That an underlying has futures, or options, of an expiry on an exchange."""

    name_key: str
    exchange_type: int
    is_future: bool
    expiry: str


@dataclass(frozen=True, slots=True)
class MasterFault:
    """What is wrong with one record of the master.

    `conflict`: another instrument, of symbol `kept`, came first with this exchange and token, and
    is the one that counts. `repeated`: the same, but both have one name; the master lists shares
    with an old series too. `long-token`: no packet can hold the token, so no tick is known by it.
    """

    kind: Literal["conflict", "repeated", "long-token"]
    exchange_type: int
    token: str
    symbol: str
    kept: str = ""

    def __str__(self) -> str:
        place = f"{exchange_name(self.exchange_type)}:{self.symbol}"
        if self.kind != "long-token":
            return f"{place} has the exchange and token ({self.token}) of {self.kept}"
        return f"{place} has a token of more than {LONGEST_TOKEN} bytes, which no packet can hold"


class InstrumentIndex:
    """An index that was opened with `open_index`, or is kept in memory; close it when done.

    `rebuild`: what to do once, where it turns out to be damaged; it gives an index to go on with.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Raises sqlite3.DatabaseError, TypeError or ValueError when it is no index."""
        self.rebuild: Callable[[InstrumentMasterError], InstrumentIndex] | None = None
        self._path = path
        self._use(connection)

    def _use(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != SCHEMA_VERSION:
            raise ValueError(f"schema {version}")
        source = connection.execute("SELECT url, fetched_ns, records FROM source").fetchone()
        self.url: str = source[0]
        self.fetched_ns: int = source[1]
        self.records: int = source[2]
        self._strike_ranges: dict[str, tuple[Decimal, Decimal]] = {}

    def close(self) -> None:
        self._connection.close()

    def select(
        self,
        where: str,
        *,
        exchange_type: int | None = None,
        today: str = "",
        order: str = LIKELY_FIRST,
        limit: int = -1,
        **values: str | int,
    ) -> list[Instrument]:
        """The instruments for which the SQL `where` holds, on one exchange or on all.

        `today` (ISO) is for the order; a limit of -1 is none. Raises InstrumentMasterError when
        the file turns out to be damaged and cannot be rebuilt.
        """
        if exchange_type is not None:
            where = f"({where}) AND exchange_type = :exchange_type"
        query = f"SELECT {_COLUMNS} FROM instruments WHERE {where} ORDER BY {order} LIMIT :limit"
        named = {**values, "exchange_type": exchange_type, "today": today, "limit": limit}
        return [_instrument(row) for row in self._rows(query, named)]

    def keys_like(self, loose: str) -> list[str]:
        """The names (`name_key`), and symbols of indices, of which this is the loose key."""
        return [key for (key,) in self._rows("SELECT key FROM names WHERE loose = ?", (loose,))]

    def expiries(self, loose: Sequence[str]) -> list[Listed]:
        """What contracts there are of the underlyings with one of these loose keys."""
        marks = ", ".join("?" * len(loose))
        query = "SELECT name_key, exchange_type, is_future, expiry FROM expiries"
        return [Listed(*row) for row in self._rows(f"{query} WHERE loose IN ({marks})", loose)]

    def strike_range(self, name_key: str) -> tuple[Decimal, Decimal]:
        """The lowest and the highest strike of an underlying's options, in rupees; 0 without."""
        if name_key not in self._strike_ranges:
            strikes = [
                Instrument(exchange_type, "", "", "", strike=strike).strike_rupees or Decimal(0)
                for exchange_type, *ends in self._rows(_STRIKE_RANGE, (name_key,))
                for strike in ends
            ] or [Decimal(0)]
            self._strike_ranges[name_key] = min(strikes), max(strikes)
        return self._strike_ranges[name_key]

    @cached_property
    def near_names(self) -> NearNames:
        """All loose keys, searchable by how nearly they are spelled like another."""
        rows = self._rows("SELECT DISTINCT loose FROM names", ())
        return NearNames(loose for (loose,) in rows)

    @property
    def faults(self) -> list[MasterFault]:
        """What is wrong with the master that this was built of."""
        query = "SELECT kind, exchange_type, token, symbol, kept FROM faults"
        return [MasterFault(*row) for row in self._rows(query, ())]

    def _rows(
        self, query: str, values: Mapping[str, str | int | None] | Sequence[str]
    ) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            damage = InstrumentMasterError(
                f"the instrument index {self._path} is damaged: {error}",
                kind="index-damaged",
                path=str(self._path),
            )
            if self.rebuild is None:
                raise damage from error
            rebuild, self.rebuild = self.rebuild, None
            self._connection.close()
            self._use(rebuild(damage)._connection)
        return self._rows(query, values)


def _instrument(row: tuple[Any, ...]) -> Instrument:
    # SQLite has no booleans: the last is 0 or 1
    return Instrument(*(*row[:9], bool(row[9])))


def open_index(path: Path) -> InstrumentIndex | None:
    """The index at `path`; None when there is none that this version can read."""
    if not path.is_file():  # a FIFO: SQLite would wait for a writer
        return None
    with suppress(OSError, sqlite3.Error, TypeError, ValueError):
        # immutable: the file is only ever replaced, so nothing need be locked.
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            return InstrumentIndex(connection, path)
        except BaseException:
            connection.close()
            raise
    return None


class Draft:
    """An index being built in a file of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(
            "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;" + _TABLES
        )
        self._names: set[str] = set()
        self._expiries: set[tuple[str, int, bool, str]] = set()
        self._faults: list[tuple[str, int, str, str, str]] = []

    def fill(self, rows: Iterable[Row], *, url: str, fetched_ns: int) -> int:
        """Write `rows` and where they came from; returns how many instruments there are.

        Of two records with the same exchange and token the first counts; `InstrumentIndex.faults`
        names the others.
        """
        connection = self._connection
        with connection:
            connection.executemany(
                f"INSERT INTO instruments VALUES ({', '.join('?' * 13)})", self._gathered(rows)
            )
            names = self._names.union(key for key, *_ in self._expiries)
            loose = {key: loose_key(key) for key in names}
            connection.executemany(
                "INSERT INTO names VALUES (?, ?)", sorted((loose[key], key) for key in names)
            )
            connection.executemany(
                "INSERT INTO expiries VALUES (?, ?, ?, ?, ?)",
                sorted((loose[listed[0]], *listed) for listed in self._expiries),
            )
            connection.executemany("INSERT INTO faults VALUES (?, ?, ?, ?, ?)", self._faults)
        try:
            connection.execute(_KEY_IS_UNIQUE)
        except sqlite3.IntegrityError:
            connection.execute(_NOTE_REPEATED)
            connection.execute(_DELETE_REPEATED)
            connection.execute(_KEY_IS_UNIQUE)
        (records,) = connection.execute("SELECT count(*) FROM instruments").fetchone()
        connection.execute("INSERT INTO source VALUES (?, ?, ?)", (url, fetched_ns, records))
        connection.execute(_HIDE_BARE_ROWS_OF_INDICES)
        connection.commit()
        connection.executescript(f"{_INDICES} PRAGMA user_version = {SCHEMA_VERSION};")
        return int(records)

    def _gathered(self, rows: Iterable[Row]) -> Iterator[tuple[object, ...]]:
        """Each row with its role and keys; names, expiries and faults are gathered on the way."""
        key_of, hidden, first_contract = cache(name_key), Role.HIDDEN, Role.FUTURE
        names, expiries, faults = self._names, self._expiries, self._faults
        for row in rows:
            exchange_type, token, symbol, name, kind, expiry = row[:6]
            role = role_of(exchange_type, symbol, kind)
            key, symbol_key = key_of(name), name_key(symbol)
            if role is not hidden:
                if role >= first_contract:
                    expiries.add((key, exchange_type, role is first_contract, expiry))
                else:
                    names.add(key)
                    if role == Role.INDEX:
                        names.add(symbol_key)
            if len(token) * 4 > LONGEST_TOKEN and len(token.encode()) > LONGEST_TOKEN:
                faults.append(("long-token", exchange_type, token, symbol, ""))
            yield (*row, int(role), symbol_key, key)


def index_in_memory(
    path: Path, rows: Iterable[Row], *, url: str, fetched_ns: int
) -> InstrumentIndex:
    """An index that ends with its use, where the one at `path` cannot be written."""
    connection = sqlite3.connect(":memory:")
    Draft(connection).fill(rows, url=url, fetched_ns=fetched_ns)
    return InstrumentIndex(connection, path)


@contextmanager
def new_index(path: Path) -> Iterator[Draft]:
    """A draft that takes the place of the index at `path` when the block ends well.

    Otherwise the draft is deleted. Raises InstrumentMasterError when it cannot be written.
    """
    import tempfile  # 4 ms that a lookup does not need

    name, handle = "", -1
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep_drafts(path)
        handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
        _lock(handle)
        with closing(sqlite3.connect(name)) as connection:
            yield Draft(connection)
        os.replace(name, path)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InstrumentMasterError(
            f"the instrument index {path} cannot be written: {reason}",
            kind="index-unwritable",
            path=str(path),
        ) from error
    finally:
        with suppress(OSError):
            os.unlink(name)
        if handle >= 0:
            os.close(handle)  # not before: it would take the database's own locks with it


def _sweep_drafts(path: Path) -> None:
    """Delete the drafts of killed builders; a running one holds a lock on its draft."""
    for draft in path.parent.glob(f"{path.name}.*.new"):
        with suppress(OSError):
            handle = os.open(draft, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if _lock(handle):
                    draft.unlink()
            finally:
                os.close(handle)


def _lock(handle: int) -> bool:
    """Lock a draft for this process; False where another has it, or the folder knows no locks."""
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
