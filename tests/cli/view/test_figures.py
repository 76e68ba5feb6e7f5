"""Numbers in words: what a person reads off them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import IST
from ticks.cli.view import figures


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-0.1, "0.0 s"),
        (3.24, "3.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (65.2, "1 min 5 s"),
        (3599.7, "1 h 0 min"),
        (53_040, "14 h 44 min"),
        (86_399.9, "1 d 0 h"),
        (183_600, "2 d 3 h"),
    ],
)
def test_a_duration_is_shown_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert figures.brief_s(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3580, "1 h"),
        (85_000, "1 d"),
    ],
)
def test_an_age_is_shown_in_one_unit(seconds: float, words: str) -> None:
    assert figures.age(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1.0, "0:00"), (42.9, "0:42"), (727, "12:07"), (3723, "1:02:03")]
)
def test_a_running_time_is_a_clock(seconds: float, words: str) -> None:
    assert figures.clock_s(seconds) == words


@pytest.mark.parametrize(
    ("per_second", "words"), [(0.0, "0/s"), (0.25, "0.2/s"), (12.4, "12/s"), (15_003.2, "15,003/s")]
)
def test_a_rate_has_a_decimal_where_it_matters(per_second: float, words: str) -> None:
    assert figures.rate(per_second) == words


@pytest.mark.parametrize(
    ("microseconds", "words"),
    [(None, "–"), (65.4, "65 µs"), (1210, "1.2 ms"), (3_400_000, "3.4 s")],
)
def test_a_latency_picks_its_unit(microseconds: float | None, words: str) -> None:
    assert figures.latency(microseconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_960, "1.0 MB"), (10**19, "10,000.0 PB")],
)
def test_a_size_picks_its_unit(count: int, words: str) -> None:
    assert figures.size(count) == words


def test_a_moment_names_the_day_unless_it_is_today() -> None:
    now = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
    assert figures.moment(now.replace(hour=15, minute=30), now) == "15:30"
    assert figures.moment(now.replace(day=24), now) == "Tue 09:15"
    assert figures.moment(now.replace(day=18), now) == "Wed 09:15"
    assert figures.moment(now.replace(day=30), now) == "30 Nov 09:15"


def test_a_sparkline_reaches_from_nothing_to_the_largest() -> None:
    assert figures.sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert figures.sparkline([5, 0, 8], 2) == "▁█"
    assert figures.sparkline([0, 0], 10) == "▁▁"
    assert figures.sparkline([], 10) == ""


@given(st.floats(-10, 10), st.integers(0, 200))
def test_a_bar_has_the_width_that_was_asked_for(share: float, width: int) -> None:
    full, rest = figures.bar(share, width)
    assert len(full + rest) == width


def test_a_bar_is_empty_at_nothing_and_full_at_all() -> None:
    assert figures.bar(0.0, 4) == ("", "░░░░")
    assert figures.bar(0.5, 4) == ("██", "░░")
    assert figures.bar(7.0, 4) == ("████", "")


@pytest.mark.parametrize(
    ("per_second", "words"),
    [(0, "0"), (0.42, "0.4"), (9.96, "10"), (48.4, "48"), (999.6, "1,000"), (12_480, "12,500")],
)
def test_a_rate_has_three_digits_that_count(per_second: float, words: str) -> None:
    assert figures.number(per_second) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        *((0, "0"), (999, "999"), (1_000, "1.00 k"), (310_400, "310 k"), (999_600, "1.00 M")),
        *((1_204_125, "1.20 M"), (12_804_450, "12.8 M"), (2 * 10**10, "20.0 B"), (-75, "-75")),
        (10**21, "1,000,000 Q"),
    ],
)
def test_a_large_count_has_three_digits_and_a_unit(count: int, words: str) -> None:
    assert figures.short_count(count) == words


@pytest.mark.parametrize(
    ("rupees", "words"),
    [
        ("24150.35", "24,150.35"),
        ("0.05", "0.05"),
        ("83.1225000", "83.1225"),
        ("83.1234567", "83.1234567"),
        ("-0.10", "-0.10"),
    ],
)
def test_a_price_has_separators_and_no_zeros_that_say_nothing(rupees: str, words: str) -> None:
    assert figures.price(Decimal(rupees)) == words


def test_a_change_in_points_has_its_sign_but_for_nothing() -> None:
    assert [figures.signed(Decimal(text)) for text in ("32.10", "-1.05", "0.00", "-0.00")] == [
        *("+32.10", "-1.05", "0.00", "0.00"),
    ]


@pytest.mark.parametrize(
    ("share", "words"),
    [
        *((0.13, "+0.13"), (-0.004, "0.00"), (9.996, "+10.0"), (-12.44, "-12.4")),
        *((312.4, "+312"), (99.96, "+100"), (0.0, "0.00")),
    ],
)
def test_a_change_in_per_cent_has_three_digits_that_count(share: float, words: str) -> None:
    assert figures.percent(share) == words


def test_an_age_is_short_where_room_is_short() -> None:
    assert [figures.short_age(seconds) for seconds in (0.12, 44.7, 190, 9_000)] == [
        *("0.1 s", "45 s", "3 m", "2 h"),
    ]


def test_a_minute_of_rates_is_a_line_of_any_width() -> None:
    assert figures.minute_line([0.0] * 30 + [8.0] * 30, 4) == "▁▁██"
    assert figures.minute_line([4.0] * 15, 4) == "   █"
    assert figures.minute_line([], 3) == "   "
    assert figures.minute_line([1.0], 0) == ""


@given(st.lists(st.floats(0, 1e6), max_size=90), st.integers(0, 130))
def test_a_minute_always_has_the_width_that_was_asked_for(rates: list[float], width: int) -> None:
    assert len(figures.minute_line(rates, width)) == width
