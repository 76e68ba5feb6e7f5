"""Names spelled nearly alike: at most two letters wrong. Pure.

Every name is kept in three pieces. Two wrong letters leave one of the three as it is, a letter or
two from its place: so a few look-ups find all that can be near, and only those are compared letter
by letter (the method is known as PassJoin). A watch list of 300 names that mean nothing takes well
under a second among 25 thousand names; letter by letter among all of them it took 20.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

MOST_WRONG = 2
_PIECES = MOST_WRONG + 1
_MOST_BEGINNING = 1_000


class NearNames:
    """A set of names that can be searched by likeness."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_piece: defaultdict[tuple[int, int, str], list[str]] = defaultdict(list)
        self._names = sorted(names)
        for name in self._names:
            for number, (start, end) in enumerate(_pieces(len(name))):
                self._by_piece[len(name), number, name[start:end]].append(name)

    def near(self, text: str, typed: int = 0) -> list[tuple[int, str]]:
        """(letters wrong, name) of all that are near `text`, the nearest first.

        At most two, and under half of the letters; two swapped letters count as one. `typed`: how
        many there were before separators were left out: one of three is wrong in `M&N`.
        """
        most = _most_wrong(text, typed)
        letters = set(text)
        found = (
            (distance(text, name, most), name)
            for name in self.candidates(text, most)
            if len(letters.symmetric_difference(name)) <= 2 * most  # a wrong letter is two at most
        )
        return sorted((wrong, name) for wrong, name in found if wrong <= most)

    def beginning_with(self, text: str, limit: int) -> list[str]:
        """The names that begin so, the shortest first, of the first thousand of them."""
        first = bisect_left(self._names, text)
        found = islice(self._names, first, first + _MOST_BEGINNING)
        return sorted((each for each in found if each.startswith(text)), key=len)[:limit]

    def containing(self, text: str, limit: int) -> list[str]:
        """The names that contain `text`, the shortest first."""
        return sorted((each for each in self._names if text in each), key=len)[:limit]

    def candidates(self, text: str, most: int = MOST_WRONG) -> set[str]:
        """The names of which at most `most` letters can be wrong; most of them have more."""
        found: set[str] = set()
        for length in range(len(text) - most, len(text) + most + 1):
            for number, (start, end) in enumerate(_pieces(length)):
                last = min(start + most, len(text) - (end - start))
                for at in range(max(0, start - most), last + 1):
                    piece = text[at : at + end - start]
                    found.update(self._by_piece.get((length, number, piece), ()))
        return found


def _most_wrong(text: str, typed: int) -> int:
    return min(MOST_WRONG, (max(typed, len(text)) - 1) // 2, len(text) // 2)


def distance(one: str, other: str, most: int) -> int:
    """How many letters are wrong: inserted, missing, replaced, or swapped with the next one.

    More than `most` is `most + 1`.
    """
    one, other = _where_they_differ(one, other)
    if abs(len(one) - len(other)) > most:
        return most + 1
    width = len(other)
    row = list(range(width + 1))
    before = before_last = row
    for i, letter in enumerate(one, 1):
        before_last, before = before, row
        # Farther than `most` from the diagonal nothing can end within it.
        first, last = max(1, i - most), min(width, i + most)
        row = [most + 1] * (width + 1)
        row[0] = i
        for j in range(first, last + 1):
            against = other[j - 1]
            cost = before[j - 1] if letter == against else before[j - 1] + 1
            if row[j - 1] < cost:
                cost = row[j - 1] + 1
            if before[j] < cost:
                cost = before[j] + 1
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, before_last[j - 2] + 1)
            row[j] = cost
    return min(row[-1], most + 1)


def _where_they_differ(one: str, other: str) -> tuple[str, str]:
    """Both without what they begin and end with alike."""
    shorter = min(len(one), len(other))
    start = 0
    while start < shorter and one[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]


def _pieces(length: int) -> Iterator[tuple[int, int]]:
    """Where the pieces of a name of this length begin and end; short names have empty ones."""
    for number in range(_PIECES):
        yield length * number // _PIECES, length * (number + 1) // _PIECES
