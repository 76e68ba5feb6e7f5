"""What a dashboard shows of the instruments of a replay."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ticks.adapter.replay import instruments
from ticks.adapter.replay.instruments import SeenInstruments
from ticks.adapter.rows.block import RecordedBlock, RowBlock
from ticks.adapter.rows.decode import Recorded
from ticks.adapter.rows.format import Csv, Jsonl, TickFormat
from ticks.adapter.selection import SOME, Selection
from ticks.adapter.tick import Mode

from ..rows.recordings import csv_text, json_text

CSV = Csv(Mode.LTP)


def block_of(row_format: TickFormat, text: bytes) -> RowBlock:
    return RowBlock(row_format, text.removeprefix(row_format.header))


def ticks_of(block: RowBlock) -> list[Recorded]:
    return list(block.recorded())


@pytest.mark.parametrize("kind", ["csv", "jsonl", "ticks"])
def test_each_instrument_shows_its_last_row_and_how_many_there_were(kind: str) -> None:
    seen = SeenInstruments()
    if kind == "jsonl":
        block = block_of(Jsonl(), json_text(range(5)))
    else:
        block = block_of(CSV, csv_text(range(5)))
    rows = ticks_of(block)
    seen.add(RecordedBlock(rows) if kind == "ticks" else block)
    (shown,) = seen.page(SOME, rows[-1].received_ns + 2_500_000_000, 0.0).instruments
    assert seen.total == 1
    assert (shown.symbol, shown.ticks, shown.age_s) == (rows[-1].symbol, 5, 2.5)
    assert isinstance(shown.ltp, Decimal)


def test_the_most_active_come_first_and_no_more_than_are_asked_for() -> None:
    seen = SeenInstruments()
    seen.add(block_of(CSV, csv_text(range(2), token="1")))
    seen.add(block_of(CSV, csv_text(range(50), token="2")))
    seen.add(block_of(CSV, csv_text(range(9), token="3")))
    now_ns = ticks_of(block_of(CSV, csv_text(range(1))))[0].received_ns
    assert [one.token for one in seen.page(Selection(2), now_ns, 0.0).instruments] == ["2", "3"]
    assert seen.total == 3


def test_a_time_that_went_back_makes_no_age_below_0() -> None:
    seen = SeenInstruments()
    seen.add(block_of(CSV, csv_text(range(1))))
    assert seen.page(SOME, 0, 0.0).instruments[0].age_s == 0.0


def test_a_block_without_rows_changes_nothing() -> None:
    seen = SeenInstruments()
    seen.add(block_of(CSV, b""))
    assert (seen.total, seen.page(SOME, 0, 0.0).instruments) == (0, ())


def test_a_price_that_moved_since_the_last_look_is_marked() -> None:
    seen = SeenInstruments()
    moves = []
    for look, number in enumerate((0, 7, 7, 3)):
        seen.add(block_of(CSV, csv_text(range(number, number + 1))))
        moves.append(seen.page(SOME, 0, float(look)).instruments[0].move)
    assert moves == [0, 1, 0, -1]


@pytest.mark.parametrize(
    ("cell", "symbol"), [("M\\u0026M-EQ", "M&M-EQ"), ("A\\B", "A\\B"), ("M&M-EQ", "M&M-EQ")]
)
def test_a_symbol_is_shown_without_the_escapes_of_json(cell: str, symbol: str) -> None:
    row = csv_text(range(1), header=False).replace(b",ONE-EQ,", f",{cell},".encode())
    seen = SeenInstruments()
    seen.add(RowBlock(CSV, row))
    assert seen.page(SOME, 0, 0.0).instruments[0].symbol == symbol


@pytest.mark.parametrize("kind", ["csv", "ticks"])
def test_past_a_limit_the_first_instruments_are_shown(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instruments, "MOST_INSTRUMENTS", 2)
    seen = SeenInstruments()
    for token in ("1", "2", "3", "2"):
        block = block_of(CSV, csv_text(range(2), token=token))
        seen.add(RecordedBlock(ticks_of(block)) if kind == "ticks" else block)
    shown = seen.page(SOME, ticks_of(block)[-1].received_ns, 0.0).instruments
    assert [(one.token, one.ticks) for one in shown] == [("1", 2), ("2", 4)]
    assert seen.total == 2
