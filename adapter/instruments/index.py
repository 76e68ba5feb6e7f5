"""The instrument master on disk: one SQLite file that is built once and then only read.

A new index is drawn up in a file of its own beside the old one and takes its place in one step,
so that a reader never sees half of one, two builders do not meet, and a failure leaves the old
one as it was. A file that cannot be read, or was made by another version of this module, is no
index. Names are compared by their folded keys (`naming.folded`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import InstrumentMasterError
from ..instrument import Instrument
from .naming import folded

Row: TypeAlias = tuple[int, str, str, str, str, str, int | None, int, int]
"""The fields of an `Instrument`, in its order."""

INDEX_KIND = "AMXIDX"
SCHEMA_VERSION = 1

_COLUMNS = "exchange_type, token, symbol, name, kind, expiry, strike, lot_size, tick_size"
_TABLES = """
CREATE TABLE instruments (
    exchange_type INTEGER, token TEXT, symbol TEXT, name TEXT, kind TEXT, expiry TEXT,
    strike INTEGER, lot_size INTEGER, tick_size INTEGER, symbol_key TEXT, name_key TEXT);
CREATE TABLE source (url TEXT, fetched_ns INTEGER, records INTEGER);
"""
_KEY_IS_UNIQUE = "CREATE UNIQUE INDEX by_token ON instruments (token, exchange_type)"
_DELETE_REPEATED = """
DELETE FROM instruments WHERE rowid NOT IN
    (SELECT min(rowid) FROM instruments GROUP BY token, exchange_type)
"""
_BY_NAMES = f"""
CREATE INDEX by_symbol ON instruments (symbol_key);
CREATE INDEX by_name ON instruments (name_key, strike);
CREATE INDEX cash_by_symbol ON instruments (symbol_key) WHERE kind IN ('', '{INDEX_KIND}');
CREATE INDEX index_by_name ON instruments (name_key) WHERE kind = '{INDEX_KIND}';
"""
LIKELY_FIRST = f"""
    CASE WHEN kind = '{INDEX_KIND}' THEN 0 WHEN kind = '' THEN 1 WHEN kind LIKE 'FUT%' THEN 2
         ELSE 3 END,
    expiry != '' AND expiry < :today, expiry, exchange_type, symbol NOT LIKE '%-EQ',
    length(symbol), strike, symbol
"""
"""SQL: indices, cash, futures, options; of these the nearest expiry that is not in the past."""


class InstrumentIndex:
    """An index that was opened with `open_index`; close it when done."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Raises sqlite3.DatabaseError, TypeError or ValueError when it is no index."""
        self._connection = connection
        self._path = path
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != SCHEMA_VERSION:
            raise ValueError(f"schema {version}")
        source = connection.execute("SELECT url, fetched_ns, records FROM source").fetchone()
        self.url: str = source[0]
        self.fetched_ns: int = source[1]
        self.records: int = source[2]

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
        the file turns out to be damaged.
        """
        if exchange_type is not None:
            where = f"({where}) AND exchange_type = :exchange_type"
        query = f"SELECT {_COLUMNS} FROM instruments WHERE {where} ORDER BY {order} LIMIT :limit"
        named = {**values, "exchange_type": exchange_type, "today": today, "limit": limit}
        return [Instrument(*row) for row in self._rows(query, named)]

    def texts(self, query: str, **values: str | int) -> list[str]:
        """The first column of what an SQL query over `instruments` gives."""
        return [row[0] for row in self._rows(query, values)]

    def _rows(self, query: str, values: Mapping[str, str | int | None]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise InstrumentMasterError(
                f"the instrument index {self._path} is damaged: {error}",
                remedy="delete it; the next command builds it anew",
            ) from error


def open_index(path: Path) -> InstrumentIndex | None:
    """The index at `path`; None when there is none that this version can read."""
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
    """An index being drawn up in a file of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _TABLES)

    def fill(self, rows: Iterable[Row], *, url: str, fetched_ns: int) -> int:
        """Write `rows` and where they came from; returns how many instruments there are.

        The master may hold a record twice; the first one counts.
        """
        connection = self._connection
        folded_name = cache(folded)
        with connection:
            connection.executemany(
                f"INSERT INTO instruments VALUES ({', '.join('?' * 11)})",
                ((*row, folded(row[2]), folded_name(row[3])) for row in rows),
            )
        try:
            connection.execute(_KEY_IS_UNIQUE)
        except sqlite3.IntegrityError:
            connection.execute(_DELETE_REPEATED)
            connection.execute(_KEY_IS_UNIQUE)
        (records,) = connection.execute("SELECT count(*) FROM instruments").fetchone()
        connection.execute("INSERT INTO source VALUES (?, ?, ?)", (url, fetched_ns, records))
        connection.commit()
        connection.executescript(f"{_BY_NAMES} PRAGMA user_version = {SCHEMA_VERSION};")
        return int(records)


@contextmanager
def new_index(path: Path) -> Iterator[Draft]:
    """A draft that takes the place of the index at `path` when the block ends well.

    Otherwise the draft is deleted. Raises InstrumentMasterError when it cannot be written.
    """
    import tempfile  # 4 ms that a lookup does not need

    name = ""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
        os.close(handle)
        with closing(sqlite3.connect(name)) as connection:
            yield Draft(connection)
        os.replace(name, path)
    except (OSError, sqlite3.Error) as error:
        raise InstrumentMasterError(
            f"the instrument index {path} cannot be written: {error}",
            remedy="make room there, or name another folder in TICKS_HOME",
        ) from error
    finally:
        with suppress(OSError):
            os.unlink(name)
