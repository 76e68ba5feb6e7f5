"""Snapshots of a made-up feed, and a terminal of paper to draw them on."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ticks.adapter.snapshot import FeedSnapshot

from . import feeds


@pytest.fixture(scope="session")
def live() -> FeedSnapshot:
    """A feed that is well: one connection, four instruments."""
    return feeds.LIVE


@pytest.fixture(scope="session")
def partial() -> FeedSnapshot:
    """The same, but that one instrument never ticked."""
    return feeds.PARTIAL


@pytest.fixture(scope="session")
def losing() -> FeedSnapshot:
    """A feed that is well, and an output that is not read fast enough."""
    return feeds.LOSING


@pytest.fixture(scope="session")
def silent() -> FeedSnapshot:
    """The same, 21.4 s after its last tick."""
    return feeds.SILENT


@pytest.fixture(scope="session")
def waiting() -> FeedSnapshot:
    """The same, about to reconnect for the second time."""
    return feeds.WAITING


@pytest.fixture(scope="session")
def lost() -> FeedSnapshot:
    """The same, given up."""
    return feeds.LOST


@pytest.fixture(scope="session")
def crowded() -> FeedSnapshot:
    """2,500 instruments over three connections, the third of which reconnects."""
    return feeds.crowded()


class PaperTerminal:
    """What a terminal shows of the text written to it, scroll-back included.

    Knows what `Screen` writes: CR, LF, cursor up, clearing, wrap on and off; other modes are noted
    in `modes` while they are on.
    """

    _CODE = re.compile(r"\x1b\[(\??)(\d*)([A-Za-z])")

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.rows: list[str] = [""]
        self.modes: set[str] = set()
        self._row = self._column = 0
        self._wraps = True

    def write(self, text: str) -> None:
        at = 0
        while at < len(text):
            code = self._CODE.match(text, at)
            if code is None:
                self._put(text[at])
                at += 1
                continue
            self._obey(code[1] + code[3], code[2])
            at = code.end()

    def _obey(self, code: str, number: str) -> None:
        if code in ("?h", "?l"):
            self._switch(number, is_on=code == "?h")
        elif code == "A":
            top = max(0, len(self.rows) - self.height)
            self._row = max(top, self._row - int(number or 1))
        elif code == "B":
            self._row = min(len(self.rows) - 1, self._row + int(number or 1))
        elif code == "K":
            self.rows[self._row] = self.rows[self._row][: self._column]
        elif code != "m":
            raise AssertionError(f"unknown code {code}")

    def _switch(self, number: str, *, is_on: bool) -> None:
        is_away_from_normal = is_on if number == "2026" else not is_on
        (self.modes.add if is_away_from_normal else self.modes.discard)(number)
        if number == "7":
            self._wraps = is_on

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row += 1
            if self._row == len(self.rows):
                self.rows.append("")
        else:
            if self._column == self.width:
                if not self._wraps:
                    return
                self._put("\r")
                self._put("\n")
            row = self.rows[self._row].ljust(self._column)
            self.rows[self._row] = row[: self._column] + character + row[self._column + 1 :]
            self._column += 1

    def narrow(self, width: int) -> None:
        """The window is made narrower: rows that are too long go on below, as most terminals do."""
        self.rows = [
            row[at : at + width] for row in self.rows for at in range(0, max(1, len(row)), width)
        ]
        self.width, self._row = width, len(self.rows) - 1

    @property
    def shown(self) -> list[str]:
        return [row.rstrip() for row in self.rows]


@pytest.fixture
def paper() -> Callable[[int, int], PaperTerminal]:
    """Makes terminals of paper."""
    return PaperTerminal
