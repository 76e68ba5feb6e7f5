"""Some columns of CSV rows, for the reader of a pipe: a recording needs all columns. Pure."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UsageError
from .encode import csv_cell
from .format import RowFormat


@dataclass(frozen=True, slots=True)
class CsvView(RowFormat):
    """The columns `shown`, in that order, of rows with the columns `whole`."""

    whole: tuple[str, ...]
    shown: tuple[str, ...]
    has_header: bool = True

    @property
    def header(self) -> bytes:
        return ",".join(self.shown).encode() + b"\n" if self.has_header else b""

    def cut(self, rows: bytes) -> bytes:
        """Whole rows, each with its line end, as they are shown."""
        places = [self.whole.index(column) for column in self.shown]
        if b'"' in rows:  # a cell may hold a comma then
            read = csv.reader(f"{line}\n" for line in rows.decode().split("\n")[:-1])
            lines = [",".join(csv_cell(cells[place]) for place in places) for cells in read]
            return "".join(f"{line}\n" for line in lines).encode()
        split = [line.split(b",") for line in rows.split(b"\n")[:-1]]
        return b"".join([b",".join([cells[place] for place in places]) + b"\n" for cells in split])


def csv_view(
    whole: Sequence[str], shown: Sequence[str] | None, *, has_header: bool = True
) -> CsvView:
    """The view of rows with the columns `whole`; `shown` None is all of them.

    Raises UsageError (kind "column-unknown") for a column that they do not have.
    """
    for column in shown or ():
        if column not in whole:
            raise UsageError(
                f"{column!r} is not a column of these rows",
                kind="column-unknown",
                column=column,
                columns=", ".join(whole),
            )
    return CsvView(tuple(whole), tuple(whole if shown is None else shown), has_header)
