from __future__ import annotations

import random
import string

import pytest

from ticks.adapter.instruments.near_names import NearNames, distance

NAMES = ["RELIANCE", "RELINFRA", "NIFTY", "BANKNIFTY", "SBIN", "TCS", "ITC", "BAJAJAUTO", "LT"]


@pytest.mark.parametrize(
    ("one", "other", "wrong"),
    [
        ("RELIANCE", "RELIANCE", 0),
        ("RELIANSE", "RELIANCE", 1),
        ("RELAINCE", "RELIANCE", 1),
        ("RELANCE", "RELIANCE", 1),
        ("RELIANNCE", "RELIANCE", 1),
        ("RELAIMCE", "RELIANCE", 2),
        ("", "IT", 2),
        ("ABCDEF", "RELIANCE", 3),
        ("NIFTY", "BANKNIFTY", 3),
    ],
)
def test_letters_put_in_left_out_replaced_or_changed_about_are_wrong(
    one: str, other: str, wrong: int
) -> None:
    assert distance(one, other, 2) == wrong
    assert distance(other, one, 2) == wrong


def test_the_nearest_comes_first_and_at_most_two_letters_are_wrong() -> None:
    near = NearNames(NAMES)
    assert near.near("RELIANSE") == [(1, "RELIANCE")]
    assert near.near("NIFTI") == [(1, "NIFTY")]
    assert near.near("BANKNIFT") == [(1, "BANKNIFTY")]
    assert near.near("RELIANCE") == [(0, "RELIANCE")]
    assert near.near("ZZZZZZ") == []


def test_of_short_names_under_half_the_letters_may_be_wrong() -> None:
    near = NearNames(NAMES)
    assert near.near("TCX") == [(1, "TCS")]
    assert near.near("TXX") == []
    assert near.near("XY") == near.near("L") == near.near("") == []


def test_a_separator_that_was_left_out_counts_as_a_letter() -> None:
    near = NearNames(NAMES)
    assert near.near("LX", typed=len("L&X")) == [(1, "LT")]
    assert near.near("LX", typed=2) == []
    assert near.near("XY", typed=len("X - Y")) == []


def test_every_name_with_one_or_two_wrong_letters_is_found() -> None:
    draw = random.Random(7)
    names = ["".join(draw.choices("ABCDE", k=draw.randint(5, 12))) for _ in range(200)]
    near = NearNames(names)
    for name in names:
        text = list(name)
        for _ in range(2):
            at = draw.randrange(len(text))
            text[at : at + 1] = draw.choice(["", draw.choice(string.ascii_uppercase), "XY"])
        typed = "".join(text)
        if (wrong := distance(typed, name, 2)) <= min(2, (len(typed) - 1) // 2):
            assert (wrong, name) in near.near(typed)


def test_names_are_found_by_their_beginning_and_by_a_part_the_shortest_first() -> None:
    near = NearNames(NAMES)
    assert near.beginning_with("REL", 5) == ["RELIANCE", "RELINFRA"]
    assert near.beginning_with("REL", 1) == ["RELIANCE"]
    assert near.containing("NIFTY", 5) == ["NIFTY", "BANKNIFTY"]
    assert near.beginning_with("Q", 5) == near.containing("Q", 5) == []
