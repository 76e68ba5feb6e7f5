"""The tick: exact prices, honest times."""

from datetime import datetime
from decimal import Decimal, localcontext

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.errors import PacketError
from ticks.adapter.tick import MODES_BY_LABEL, Level, Mode, Tick

PRICES = {
    "ltp": "last_price",
    "average_price": "average_traded_price",
    "open": "open_price",
    "high": "high_price",
    "low": "low_price",
    "close": "close_price",
    "upper_circuit": "upper_circuit_price",
    "lower_circuit": "lower_circuit_price",
    "high_52w": "high_52w_price",
    "low_52w": "low_52w_price",
}
TIMES = [
    (1_668_051_900_000, "2022-11-10T09:15:00+05:30"),
    (253_402_280_999_999, "9999-12-31T23:59:59.999000+05:30"),
    (253_402_281_000_000, None),
    (0, None),
    (-1, None),
    (2**63 - 1, None),
    (-(2**63), None),
]


def ltp_tick(**changed: object) -> Tick:
    """An LTP tick of NIFTY with some fields changed."""
    tick = Tick(
        received_ns=1_668_051_900_250_000_000,
        mode=Mode.LTP,
        exchange_type=1,
        token="99926000",
        symbol="Nifty 50",
        sequence=0,
        exchange_time_ms=1_668_051_900_000,
        last_price=1_802_840,
    )
    return tick._replace(**changed)  # type: ignore[arg-type]  # names are checked by _replace


@pytest.mark.parametrize(("column", "field"), PRICES.items())
def test_a_price_is_shown_exactly_with_the_digits_of_its_segment(column: str, field: str) -> None:
    in_paise = ltp_tick(**{field: 2_415_035})
    of_a_currency = ltp_tick(**{field: 835_012_500}, exchange_type=13)
    assert str(getattr(in_paise, column)) == "24150.35"
    assert str(getattr(of_a_currency, column)) == "83.5012500"


@pytest.mark.parametrize("column", [column for column in PRICES if column != "ltp"])
def test_a_price_that_the_mode_does_not_carry_is_none(column: str) -> None:
    assert getattr(ltp_tick(), column) is None


def test_the_largest_price_on_the_wire_loses_no_digit() -> None:
    assert ltp_tick(last_price=2**63 - 1).ltp == Decimal("92233720368547758.07")


def test_the_price_of_a_level_is_shown_like_the_ticks_own() -> None:
    tick = ltp_tick(bids=(Level(quantity=75, price=2_415_030, orders=2), None))
    assert tick.bids[0] is not None
    assert str(tick.decimal(tick.bids[0].price)) == "24150.30"


@pytest.mark.parametrize(("milliseconds", "expected"), TIMES)
def test_an_exchange_time_is_indian_time_or_none(milliseconds: int, expected: str | None) -> None:
    shown = ltp_tick(exchange_time_ms=milliseconds).exchange_time
    assert (shown and shown.isoformat()) == expected


def test_the_last_trade_time_counts_seconds_and_may_be_missing() -> None:
    traded = ltp_tick(last_trade_time_s=1_668_051_899).last_trade_time
    assert traded is not None
    assert traded.isoformat() == "2022-11-10T09:14:59+05:30"
    assert ltp_tick(last_trade_time_s=0).last_trade_time is None
    assert ltp_tick().last_trade_time is None


def test_a_tick_says_where_and_when_it_was_received() -> None:
    tick = ltp_tick()
    assert tick.exchange == "NSE"
    assert tick.received_at.isoformat() == "2022-11-10T09:15:00.250000+05:30"


def test_a_tick_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        ltp_tick().last_price = 1  # type: ignore[misc]  # the fault under test


def test_a_mode_is_named_by_a_word_or_its_number() -> None:
    assert Mode.of("quote") is Mode.of("QUOTE") is Mode.of(2)
    with pytest.raises(ValueError, match="not a valid Mode"):
        Mode.of("all")
    assert {label: int(mode) for label, mode in MODES_BY_LABEL.items()} == {
        "ltp": 1,
        "quote": 2,
        "snap": 3,
        "depth": 4,
    }


def test_a_price_is_exact_whatever_the_program_has_set_for_its_decimals() -> None:
    with localcontext(prec=4):
        assert ltp_tick(last_price=2_415_035).to_row()["ltp"] == Decimal("24150.35")


def test_a_row_has_the_columns_of_its_mode_and_none_for_empty_cells() -> None:
    tick = ltp_tick(exchange_time_ms=0, symbol="")
    assert tick.to_row() == {
        "received_at": datetime(2022, 11, 10, 9, 15, 0, 250_000, IST),
        "exchange_time": None,
        "exchange": "NSE",
        "symbol": None,
        "token": "99926000",
        "mode": "ltp",
        "sequence": 0,
        "ltp": Decimal("18028.40"),
    }


def test_a_time_that_no_calendar_holds_is_its_integer_in_a_row() -> None:
    assert ltp_tick(exchange_time_ms=-1).to_row()["exchange_time"] == -1


def test_a_depth_tick_has_no_row() -> None:
    with pytest.raises(PacketError):
        ltp_tick(mode=Mode.DEPTH).to_row()
