"""The fields of a contract in what a user typed: every reading, the likelier first. Pure.

One text has several: `NIFTY26DEC24500CE` is 26 Dec 2024 strike 500, December 2026 strike 24500, or
26 December strike 24500. All are offered, in this order, and the first that is listed decides:

a. NAME DD MMM YY(YY)       Angel on NFO and MCX         NIFTY22SEP2624500CE
                            Shoonya                      NIFTY22SEP26C24500
b. NAME yy M dd             weekly: Kite, Angel on BFO   NIFTY2692224500CE; M is 1-9, O, N, D
c. NAME yyMMdd C strike     TradingView                  NIFTY260922C24500
d. NAME yy MMM              monthly: Kite, BFO, CDS      NIFTY26SEP24500CE
f. NAME DD MMM              no year                      nifty22sep24500ce
g. words in any order       by hand; ISO dates (e) too   NIFTY 24500 CE 22 SEP 26
h. NAME MMM, NAME-MMMYYYY   Dhan                         NIFTYOCTFUT, NIFTY-Sep2026-24500-CE
i. the nth future           1!, FUT1, -I                 NIFTY1!, NIFTY-I

a to d, f, h and i are read where no separator follows NAME; where one does, the words say
what belongs together. A year more than six ahead is no reading: 22SEP2624500 is never of 2262.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from string import digits
from typing import TypeAlias

from .naming import MONTHS

_YEARS_AHEAD = 6
_MONTH_LETTERS = "123456789OND"


@dataclass(frozen=True, slots=True)
class OnDay:
    """The expiry of this day; without a year its nearest that has not passed."""

    month: int
    day: int
    year: int | None = None
    is_soon: bool = False
    """Within a year from today: a number that could be the year of a month as well."""


@dataclass(frozen=True, slots=True)
class InMonth:
    """The last expiry of a month; without a year the nearest such month."""

    month: int
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Nth:
    """The nth expiry that has not passed, of all or of the last ones of each month."""

    number: int
    monthly: bool


Expiry: TypeAlias = OnDay | InMonth | Nth | None
"""None: it was not given."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The fields of a contract, as one reading of a text has them."""

    underlying: str
    """As typed (`naming.name_key`)."""
    expiry: Expiry = None
    strike: Decimal | None = None
    """In rupees; None where none was given."""
    right: str = ""
    """CE, PE, FUT, or "" where it was not given."""


_M = rf"(?P<month>{'|'.join(MONTHS)})"
_STRIKE = r"(?P<strike>[0-9]{1,7}(?:\.[0-9]{1,4})?)"
_RIGHT = rf"(?:{_STRIKE}(?P<right>CE|PE)|(?P<future>FUT))"
_RIGHT_FIRST = rf"(?P<right>CE?|PE?){_STRIKE}"
_DAY = r"(?P<day>[0-9]{1,2})"
_YEAR = r"(?P<year>[0-9]{2})"
_LONG_YEAR = r"(?P<year>20[0-9]{2})"
_COMPACT = [
    re.compile(pattern)
    for pattern in (
        rf"{_DAY}{_M}{_YEAR}{_RIGHT}?",
        rf"{_DAY}{_M}{_LONG_YEAR}{_RIGHT}?",
        rf"{_DAY}{_M}{_YEAR}{_RIGHT_FIRST}",
        rf"{_DAY}{_M}{_LONG_YEAR}{_RIGHT_FIRST}",
        rf"{_YEAR}(?P<letter>[1-9OND])(?P<day>[0-9]{{2}}){_RIGHT}",
        rf"(?:20)?{_YEAR}(?P<digits>[0-9]{{2}})(?P<day>[0-9]{{2}}){_RIGHT_FIRST}",
        rf"{_YEAR}{_M}{_RIGHT}?",
        rf"{_DAY}{_M}{_RIGHT}?",
    )
]
_COMPACT_LAST = [
    re.compile(pattern)
    for pattern in (
        rf"{_M}{_RIGHT}?",
        rf"{_M}{_YEAR}{_RIGHT}?",
        rf"{_M}{_LONG_YEAR}{_RIGHT}?",
        r"(?P<nth>[1-9])!",
        r"FUT[ -]?(?P<nth>[1-9])",
        r"[ -](?P<roman>I{1,3})(?:[ -]?FUT)?",
        _RIGHT,
    )
]
_ROMAN = {"I": 1, "II": 2, "III": 3}

_SAID_OTHERWISE = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<![0-9])([0-9]{1,2})(?:ST|ND|RD|TH)(?=[ -]|[A-Z]{3}|$)", r"\1"),
        (r"(?<![A-Z&])CALLS?(?![A-Z])", "CE"),
        (r"(?<![A-Z&])PUTS?(?![A-Z])", "PE"),
        (r"FUT(?:URE)?S?(?![A-Z])", "FUT"),
        (r"(?<![A-Z&])(JAN)UARY(?![A-Z])", r"\1"),
        (r"(?<![A-Z&])(FEB)RUARY(?![A-Z])", r"\1"),
        (r"(?<![A-Z&])(MAR)CH(?![A-Z])", r"\1"),
        (r"(?<![A-Z&])(APR)IL(?![A-Z])", r"\1"),
        (r"(?<![A-Z&])(JU[NL])[EY](?![A-Z])", r"\1"),
        (r"(?<![A-Z&])(AUG)UST(?![A-Z])", r"\1"),
        (r"(?<![A-Z&])(SEP|OCT|NOV|DEC)(?:T|(?:T?EM|O|EM)BER)(?![A-Z])", r"\1"),
        (r"^(?:OPT|FUT)(?:IDX|STK|COM|CUR|FUT|IRC|IRT) (.+?)( XX 0)?$", r"\1"),
        (r"(?<= )(NEAR|THIS|CURRENT|NEXT|FAR)(?:EST)? EXPIRY(?= |$)", r"\1 WEEK"),
        (r"(?<= )(?:EXPIRY|EXP)(?= |$)", ""),
        (r"(?<=[A-Z])['\u2019](?=[0-9]{2}(?![0-9]))", ""),  # DEC'26
        (r",(?= )", ""),
        # 24,500 and 1,01,000; but 2885,1594 are two tokens
        (r"(?<![0-9,])([0-9]{1,3}),(?:([0-9]{2}),)?([0-9]{3})(?![0-9,])", r"\1\2\3"),
    )
]
_FUTURE_LONG_FORM = re.compile(r"^FUT(?:IDX|STK|COM|CUR|IRC|IRT) (.+?)(?: XX 0)?$")


@lru_cache(maxsize=64)  # a name that means nothing is read five times on its way to candidates
def readings(name: str, today: date) -> tuple[Reading, ...]:
    """What `name` (a `name_key`) says of a contract, in the order in which it is to be tried."""
    if long_form := _FUTURE_LONG_FORM.match(name):
        name = f"{long_form.group(1)} FUT"
    for pattern, replacement in _SAID_OTHERWISE:
        name = pattern.sub(replacement, name)
    name = " ".join(name.split())
    found = chain(
        _compact(name, _COMPACT, today),
        _of_words(name, today),
        _compact(name, _COMPACT_LAST, today),
    )
    return tuple(dict.fromkeys(found))


def year_of(digits: str, today: date) -> int | None:
    """`26` or `2026` as 2026; None where that is too far ahead to be meant."""
    year = int(digits) if len(digits) == 4 else 2000 + int(digits)
    return year if year <= today.year + _YEARS_AHEAD else None


def _compact(name: str, patterns: list[re.Pattern[str]], today: date) -> Iterator[Reading]:
    """The readings whose tail, behind any part of `name`, one of `patterns` fits as a whole."""
    for pattern in patterns:
        for start in range(1, len(name)):
            if found := pattern.fullmatch(name, start):
                underlying = name[:start].rstrip(" -")
                reading = _read_tail(underlying, found.groupdict(), today)
                if underlying and reading is not None:
                    yield reading


def _read_tail(underlying: str, parts: dict[str, str | None], today: date) -> Reading | None:
    nth = parts.get("nth")
    roman = parts.get("roman")
    if nth or roman:
        return Reading(
            underlying, Nth(int(nth) if nth else _ROMAN[roman or "I"], True), None, "FUT"
        )
    expiry: Expiry = None
    if month := _month_of(parts):
        year = None
        if parts.get("year"):
            year = year_of(str(parts["year"]), today)
            if year is None:
                return None
        day = parts.get("day")
        expiry = _on_day(month, int(day), year) if day else InMonth(month, year)
        if expiry is None:
            return None
    elif parts.get("letter") or parts.get("digits"):
        return None
    strike = parts.get("strike")
    right = "FUT" if parts.get("future") else parts.get("right") or ""
    return Reading(underlying, expiry, Decimal(strike) if strike else None, _RIGHTS.get(right, ""))


_RIGHTS = {"CE": "CE", "PE": "PE", "C": "CE", "P": "PE", "FUT": "FUT"}


def _month_of(parts: dict[str, str | None]) -> int:
    """The month, 1 to 12; 0 where there is none."""
    if month := parts.get("month"):
        return MONTHS.index(month) + 1
    if letter := parts.get("letter"):
        return _MONTH_LETTERS.index(letter) + 1
    number = int(parts.get("digits") or 0)
    return number if number <= 12 else 0


def _on_day(month: int, day: int, year: int | None) -> OnDay | None:
    """None where there is no such day; 29 February needs a leap year only where one is named."""
    try:
        date(year or 2000, month, day)
    except ValueError:
        return None
    return OnDay(month, day, year)


# --- words in any order --------------------------------------------------------------------------

_DATES = [
    re.compile(rf"(?<![0-9.]){pattern}(?![0-9])")
    for pattern in (
        r"(?P<y>20[0-9]{2})(?P<gap>[-/.])(?P<m>[0-9]{1,2})(?P=gap)(?P<d>[0-9]{1,2})",
        r"(?P<y>20[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})",
        r"(?P<d>[0-9]{1,2})(?P<gap>[-/.])(?P<m>[0-9]{1,2})(?P=gap)(?P<y>(?:20)?[0-9]{2})",
    )
]
"""ISO's, with and without hyphens, and the day first, as in India."""
_RELATIVE = re.compile(
    r"(?:\b(?P<which>NEAR|THIS|CURRENT|NEXT|FAR)[ -])?\b(?P<what>WEEK|MONTH)(?:LY)?\b"
)
_WHICH_ALONE = re.compile(r"\b(?P<which>NEAR|CURRENT|NEXT|FAR)\b")
_WHICH = {"NEAR": 1, "THIS": 1, "CURRENT": 1, "NEXT": 2, "FAR": 3}
_ATOM = re.compile(r"([ -]*)([0-9]+(?:\.[0-9]+)?|[^0-9 \-]+)")


@dataclass(frozen=True, slots=True)
class _Atom:
    """A run of letters or one number, and what precedes it."""

    gap: str
    text: str

    @property
    def is_number(self) -> bool:
        return self.text[0] in digits  # not isdigit(): that is true of "²"

    @property
    def is_glued(self) -> bool:
        return not self.gap


def _of_words(name: str, today: date) -> Iterator[Reading]:
    """The readings of `name` by its words, whatever their order."""
    if " " not in name and "-" not in name:
        return
    for pattern in _DATES:
        if found := pattern.search(name):
            year = year_of(found["y"], today)
            day = _on_day(int(found["m"]), int(found["d"]), year) if int(found["m"]) else None
            if day is not None and year is not None:
                yield from _with_expiry(_without(name, found), day)
            return
    atoms = _atoms(name)
    has_month = False
    for place, atom in enumerate(atoms):
        if atom.text in MONTHS:
            has_month = True
            yield from _around_month(atoms, place, today)
    if has_month:
        return
    yield from _with_expiry(atoms, None)
    if found := _RELATIVE.search(name):
        nth = Nth(_WHICH[found["which"] or "THIS"], monthly=found["what"] == "MONTH")
        yield from _with_expiry(_without(name, found), nth)
        return
    # "next" alone is said of futures; of an option it could be a week or a month: all fit.
    has_future = any(atom.text == "FUT" for atom in atoms)
    for found in _WHICH_ALONE.finditer(name):  # NIFTY NEXT 50 has one in its name
        is_nth = found["which"] == "FAR" or has_future
        which = Nth(_WHICH[found["which"]], monthly=True) if is_nth else None
        yield from _with_expiry(_without(name, found), which)


def _without(name: str, found: re.Match[str]) -> list[_Atom]:
    return _atoms(f"{name[: found.start()]} {name[found.end() :]}".strip())


def _atoms(name: str) -> list[_Atom]:
    return [_Atom(gap[:1], text) for gap, text in _ATOM.findall(name)]


def _around_month(atoms: list[_Atom], place: int, today: date) -> Iterator[Reading]:
    """The readings in which the atom at `place` is the month of the expiry."""
    month = MONTHS.index(atoms[place].text) + 1
    before, rest_before = _number_before(atoms, place)
    behind = atoms[place + 1] if place + 1 < len(atoms) and atoms[place + 1].is_number else None
    year = _year_behind(behind, today)
    without_both = rest_before + atoms[place + 2 :]
    day = int(before) if before and before.isdigit() and len(before) <= 2 else 0
    if day and (on := _on_day(month, day, year)) and year:
        yield from _with_expiry(without_both, on)
    on = _on_day(month, day, None) if day else None
    rest = rest_before + atoms[place + 1 :]
    # 26SEP in one piece may be the month of a year; 26 SEP in two is a day. By hand nobody means a
    # year farther ahead than the next one: 29DEC is a day that is not listed.
    monthly = year_of(before, today) if len(before) == 2 and atoms[place].is_glued else None
    if monthly is not None and monthly <= today.year + 1:
        if on:
            yield from _with_expiry(rest, replace(on, is_soon=True))
        yield from _with_expiry(rest, InMonth(month, monthly))
    if on:
        yield from _with_expiry(rest, on)
    day_behind = _day_behind(behind, month)
    rest = atoms[:place] + atoms[place + 2 :]
    if day_behind and behind and not behind.is_glued:
        following = atoms[place + 2] if place + 2 < len(atoms) else None
        if year_behind := _year_behind(following, today):  # SEP 22 2026
            dated = replace(day_behind, year=year_behind)
            yield from _with_expiry(atoms[:place] + atoms[place + 3 :], dated)
        yield from _with_expiry(rest, replace(day_behind, is_soon=True))  # SEP 22
    if year:
        yield from _with_expiry(rest, InMonth(month, year))
    yield from _with_expiry(atoms[:place] + atoms[place + 1 :], InMonth(month))
    if day_behind:
        yield from _with_expiry(rest, day_behind)


def _day_behind(behind: _Atom | None, month: int) -> OnDay | None:
    if behind is None or not behind.text.isdigit() or len(behind.text) > 2:
        return None
    return _on_day(month, int(behind.text), None)


def _number_before(atoms: list[_Atom], place: int) -> tuple[str, list[_Atom]]:
    """The number before the month and what precedes it; SENSEX5026 SEP has 26."""
    if place == 0 or not atoms[place - 1].is_number:
        return "", atoms[:place]
    number = atoms[place - 1]
    rest = atoms[: place - 1]
    if number.is_glued and rest and len(number.text) > 2 and number.text.isdigit():
        return number.text[-2:], [*rest, _Atom("", number.text[:-2])]
    return number.text, rest


def _year_behind(behind: _Atom | None, today: date) -> int | None:
    if behind is None or not behind.text.isdigit() or len(behind.text) not in (2, 4):
        return None
    if len(behind.text) == 4 and not behind.text.startswith("20"):
        return None
    return year_of(behind.text, today)


def _with_expiry(atoms: list[_Atom], expiry: Expiry) -> Iterator[Reading]:
    """What the atoms besides the expiry say: right, strike, and the rest is the underlying."""
    place = next((n for n, atom in enumerate(atoms) if atom.text in ("CE", "PE", "FUT")), None)
    if place is None:
        place = next((n for n, atom in enumerate(atoms) if n and atom.text in ("C", "P")), None)
    if place is None:
        yield from _without_right(atoms, expiry)
        return
    right = _RIGHTS[atoms[place].text]
    before, behind = atoms[:place], atoms[place + 1 :]
    if right == "FUT":
        yield from _named(before + behind, expiry, None, right)
        return
    if before and before[-1].is_number:
        yield from _named(before[:-1] + behind, expiry, before[-1], right)
    if behind and behind[0].is_number:
        yield from _named(before + behind[1:], expiry, behind[0], right)
    yield from _named(before + behind, expiry, None, right)
    rest = before + behind
    for place in range(len(rest) - 1, -1, -1):  # CE NIFTY 24500
        if rest[place].is_number:
            yield from _named(rest[:place] + rest[place + 1 :], expiry, rest[place], right)


def _without_right(atoms: list[_Atom], expiry: Expiry) -> Iterator[Reading]:
    if expiry is not None:
        yield from _named(atoms, expiry, None, "")
    if len(atoms) > 1 and atoms[-1].is_number and not atoms[-1].is_glued:
        yield from _named(atoms[:-1], expiry, atoms[-1], "")


def _named(
    atoms: list[_Atom], expiry: Expiry, strike: _Atom | None, right: str
) -> Iterator[Reading]:
    underlying = "".join(atom.gap + atom.text for atom in atoms).strip(" -")
    if underlying:
        yield Reading(underlying, expiry, Decimal(strike.text) if strike else None, right)
