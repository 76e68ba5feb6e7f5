from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ticks.adapter.errors import InstrumentMasterError
from ticks.adapter.instrument import Instrument
from ticks.adapter.instruments.master import Master


def _instruments(records: list[Any]) -> list[Instrument]:
    return [Instrument(*row) for row in Master(json.dumps(records).encode()).rows()]


def test_every_real_record_can_be_used(real_records: list[dict[str, Any]]) -> None:
    found = _instruments(real_records)
    assert [(one.exchange, one.token, one.symbol) for one in found] == [
        (record["exch_seg"], record["token"], record["symbol"]) for record in real_records
    ]


def test_the_real_index_and_option_read_as_the_broker_means_them(
    real_records: list[dict[str, Any]],
) -> None:
    found = {one.symbol: one for one in _instruments(real_records)}
    assert found["Nifty 50"] == Instrument(1, "99926000", "Nifty 50", "NIFTY", "AMXIDX", "", None,
                                           1, 0)  # fmt: skip
    assert found["RELIANCE-EQ"].strike is None
    assert found["NIFTY28OCT2524400CE"] == Instrument(
        2, "58784", "NIFTY28OCT2524400CE", "NIFTY", "OPTIDX", "2025-10-28", 2_440_000, 75, 5
    )
    assert found["NIFTY04APR2423000CE"].expiry == "2024-04-04"
    assert found["SENSEX24MAR75000PE"].expiry == "2024-03-28"
    assert found["SENSEX24MAR75000PE"].strike == 7_500_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("exch_seg", "MOON"),
        ("token", ""),
        ("symbol", ""),
        ("strike", "high"),
        ("lotsize", "9" * 30),
        ("token", 2885),
        ("tick_size", []),
    ],
)
def test_a_record_that_cannot_be_used_is_skipped_and_counted(
    make_record: Callable[..., dict[str, Any]], field: str, value: object
) -> None:
    good = make_record("NSE", "1", "A-EQ", "A")
    other = make_record("NSE", "2", "B-EQ", "B")
    bad = make_record("NSE", "3", "C-EQ", "C") | {field: value}
    master = Master(json.dumps([good, bad, other]).encode())
    assert [row[1] for row in master.rows()] == ["1", "2"]
    assert (master.usable, master.skipped) == (2, 1)


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\x07", "\u202e", "\x9b", "\n"])
def test_a_symbol_or_name_that_would_command_a_terminal_is_made_harmless(
    make_record: Callable[..., dict[str, Any]], hostile: str
) -> None:
    (found,) = _instruments([make_record("NSE", "1", f"A{hostile}-EQ", f"A{hostile}B")])
    assert found.symbol.isprintable()
    assert found.name.isprintable()
    assert found.symbol.startswith("A\ufffd")


def test_a_token_with_control_characters_cannot_be_used(
    make_record: Callable[..., dict[str, Any]],
) -> None:
    master = Master(
        json.dumps([make_record("NSE", f"1{c}", "A-EQ", "A") for c in ("", "", "\x1b")]).encode()
    )
    assert len(list(master.rows())) == 2
    assert master.skipped == 1


@pytest.mark.parametrize(
    ("flag", "is_set"), [(True, True), (False, False), ("true", True), (1, True), (None, False)]
)
def test_the_flag_of_the_closing_auction_is_read_in_any_type(
    make_record: Callable[..., dict[str, Any]], flag: object, is_set: bool
) -> None:
    record = make_record("NSE", "1", "A-EQ", "A") | {"is_cas_enabled": flag}
    assert _instruments([record])[0].has_closing_auction is is_set


def test_fields_may_be_missing_null_or_new() -> None:
    bare = {"token": "7", "symbol": "X-EQ", "exch_seg": "NSE", "expiry": None, "moon_phase": [1]}
    assert _instruments([bare]) == [Instrument(1, "7", "X-EQ", "X-EQ", "", "", None, 1, 0)]


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("28OCT2025", "2025-10-28"),
        ("04Apr2024", "2024-04-04"),
        ("4-Apr-2024", "2024-04-04"),
        ("28XYZ2025", ""),
        ("31FEB2026", ""),
        ("soon", ""),
    ],
)
def test_an_expiry_in_any_known_spelling_becomes_iso_and_in_any_other_none(
    make_record: Callable[..., dict[str, Any]], written: str, iso: str
) -> None:
    assert _instruments([make_record("NFO", "1", "A", "A", expiry=written)])[0].expiry == iso


@pytest.mark.parametrize(
    "body", [b"null", b"", b"{}", b"[]", b'"text"', b"<html>no</html>", b'[{"token": "1"', b"\xff"]
)
def test_what_is_no_array_of_records_is_no_master(body: bytes) -> None:
    with pytest.raises(InstrumentMasterError):
        list(Master(body).rows())


def test_an_array_of_mostly_unusable_records_is_no_master(
    make_record: Callable[..., dict[str, Any]],
) -> None:
    records = [make_record("NSE", "1", "A-EQ", "A"), {"error": 1}, 5]
    with pytest.raises(InstrumentMasterError, match="only 1 of its 3 records"):
        list(Master(json.dumps(records).encode()).rows())


@pytest.mark.parametrize("body", [b"[" * 100_000, b'[{"a":' * 50_000, b"[" + b"[" * 100_000])
def test_json_that_is_nested_without_end_is_refused(body: bytes) -> None:
    with pytest.raises(InstrumentMasterError):
        list(Master(body).rows())
