"""Exchange segments and instruments."""

import pytest

from ticks.adapter.instrument import (
    EXCHANGE_NAMES,
    Instrument,
    exchange_name,
    exchange_number,
    price_digits,
)


@pytest.mark.parametrize(("number", "name"), EXCHANGE_NAMES.items())
def test_a_known_segment_goes_from_number_to_name_and_back(number: int, name: str) -> None:
    assert exchange_name(number) == name
    assert exchange_number(name) == number


@pytest.mark.parametrize("number", [0, 4 + 2, 99, 255])
def test_a_segment_that_nobody_knows_yet_keeps_its_number(number: int) -> None:
    assert exchange_number(exchange_name(number)) == number


@pytest.mark.parametrize("text", ["", "nse", "256", "-1", "1.0", " 1", "٣", "NSE "])
def test_what_is_not_a_segment_is_none(text: str) -> None:
    assert exchange_number(text) is None


def test_prices_have_two_digits_but_currency_pairs_seven() -> None:
    digits = {name: price_digits(number) for number, name in EXCHANGE_NAMES.items()}
    assert digits.pop("CDS") == 7
    assert set(digits.values()) == {2}


def test_one_token_on_two_exchanges_is_two_instruments() -> None:
    on_nse = Instrument(1, "2885", "RELIANCE-EQ", "RELIANCE")
    on_bse = Instrument(3, "2885", "RELIANCE", "RELIANCE")
    assert on_nse.key != on_bse.key
    assert [str(on_nse), str(on_bse)] == ["NSE:RELIANCE-EQ", "BSE:RELIANCE"]
