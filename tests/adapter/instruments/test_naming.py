from __future__ import annotations

from decimal import Decimal

import pytest

from ticks.adapter.instruments.naming import Contract, exchange_type_of, folded, read_name


@pytest.mark.parametrize("text", ["Nifty 50", "nifty50", " NIFTY_50 ", "NIFTY   50", "nifty\t50"])
def test_case_spaces_and_underscores_do_not_matter(text: str) -> None:
    assert folded(text) == "NIFTY50"
    assert read_name(text).key == "NIFTY50"


@pytest.mark.parametrize(
    ("text", "exchange_type", "key"),
    [
        ("NSE:RELIANCE", 1, "RELIANCE"),
        ("bse:500325", 3, "500325"),
        ("nse_cm|2885", 1, "2885"),
        ("NSE|2885", 1, "2885"),
        ("nfo : nifty fut", 2, "NIFTYFUT"),
        ("ncdex:X", 7, "X"),
        ("13|60001", 13, "60001"),
        ("RELIANCE", None, "RELIANCE"),
        ("NYSE:IBM", None, "NYSE:IBM"),
        ("", None, ""),
        ("NSE:", 1, ""),
    ],
)
def test_an_exchange_may_stand_before_the_name(
    text: str, exchange_type: int | None, key: str
) -> None:
    wanted = read_name(text)
    assert (wanted.exchange_type, wanted.key) == (exchange_type, key)


@pytest.mark.parametrize(
    ("name", "number"),
    [("NSE", 1), ("nfo", 2), ("bse_fo", 4), ("NCO", 7), ("cde_fo", 13), ("5", 5), ("XX", None)],
)
def test_exchanges_go_by_their_names_the_wires_names_and_numbers(
    name: str, number: int | None
) -> None:
    assert exchange_type_of(name) == number


@pytest.mark.parametrize(
    ("text", "contract"),
    [
        ("NIFTY 28OCT 24400 CE", Contract("NIFTY", "____-10-28", False, Decimal(24400), "CE")),
        ("nifty 28oct25 24400ce", Contract("NIFTY", "2025-10-28", True, Decimal(24400), "CE")),
        ("NIFTY 28-Oct-2025 24400 PE", Contract("NIFTY", "2025-10-28", True, Decimal(24400), "PE")),
        ("NIFTY 28 OCT 2025 24400 PE", Contract("NIFTY", "2025-10-28", True, Decimal(24400), "PE")),
        ("NIFTY 2025-10-28 24400 PE", Contract("NIFTY", "2025-10-28", True, Decimal(24400), "PE")),
        ("NIFTY 24400 CE 28OCT", Contract("NIFTY", "____-10-28", False, Decimal(24400), "CE")),
        ("NIFTY CE 24400", Contract("NIFTY", "%", False, Decimal(24400), "CE")),
        ("NIFTY 50 CE 24400", Contract("NIFTY50", "%", False, Decimal(24400), "CE")),
        ("NIFTY 50 OCT FUT", Contract("NIFTY50", "____-10-__", False, None, "FUT")),
        ("NIFTY OCT25 FUT", Contract("NIFTY", "2025-10-__", True, None, "FUT")),
        ("NIFTY FUT", Contract("NIFTY", "%", False, None, "FUT")),
        ("NIFTY 4APR 24400", Contract("NIFTY", "____-04-04", False, Decimal(24400), "")),
        ("IDEA 28OCT 2025 CE", Contract("IDEA", "____-10-28", False, Decimal(2025), "CE")),
        ("IDEA 28 OCT 2025 10 CE", Contract("IDEA", "2025-10-28", True, Decimal(10), "CE")),
        ("USDINR 26NOV 87.5 CE", Contract("USDINR", "____-11-26", False, Decimal("87.5"), "CE")),
        ("RELIANCE", None),
        ("NIFTY 50", None),
        ("NIFTY28OCT2524400CE", None),
        ("24400 CE", None),
    ],
)
def test_the_fields_of_a_contract_are_read_in_any_usual_order(
    text: str, contract: Contract | None
) -> None:
    assert read_name(text).contract == contract


def test_text_that_no_encoding_can_hold_is_read_all_the_same() -> None:
    assert read_name("NIF\udcffTY").key == "NIF?TY"


def test_an_endless_name_is_cut() -> None:
    assert len(read_name("A" * 100_000).key) < 100
