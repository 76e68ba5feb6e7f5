"""The figures of an instrument, and which of them mean anything."""

from __future__ import annotations

from dataclasses import replace

from ticks.cli.view.table_columns import filled, is_contract, moved, way

from .. import feeds


def texts(name: str) -> list[str]:
    return next(
        list(each.texts) for each in filled(feeds.SNAP.instruments) if each.column.name == name
    )


def test_the_book_shows_the_best_price_and_its_quantity() -> None:
    assert texts("BID×QTY") == ["–", "1,402.05×1.25k", "24,211.50×75", "–"]
    assert texts("ASK×QTY") == ["–", "1,402.15×310", "24,212.90×150", "118.40×2.25k"]


def test_open_interest_is_that_of_contracts_alone() -> None:
    assert texts("OI") == ["–", "–", "12.8 M", "1.20 M"]
    assert texts("OI %") == ["–", "–", "+1.24", "-12.4"]
    assert [is_contract(one) for one in feeds.SNAP.instruments] == [False, False, True, True]
    assert not is_contract(feeds.INSTRUMENTS[3])


def test_an_index_has_no_volume() -> None:
    assert texts("VOLUME") == ["–", "12,345,678", "1,204,125", "75"]


def test_a_column_is_as_wide_as_its_widest_cell_and_never_jumps_for_less() -> None:
    widths = {each.column.name: each.width for each in filled(feeds.INSTRUMENTS)}
    assert (widths["LTP"], widths["TICKS"], widths["VOLUME"]) == (9, 6, 10)


def test_what_never_ticked_has_no_cells() -> None:
    ltp = next(each for each in filled(feeds.PARTIAL.instruments) if each.column.name == "LTP")
    assert ltp.texts[-1] == ""
    assert [each.width for each in filled(feeds.CONNECTING.instruments)][:1] == [9]


def test_a_way_is_shown_by_its_style() -> None:
    assert [way(change) for change in (1.2, -0.5, 0.0, 0.001, None)] == ["up", "down", "", "", ""]
    one = feeds.INSTRUMENTS[2]
    assert [moved(replace(one, move=move)) for move in (1, 0, -1)] == [
        *("up strong", "", "down strong"),
    ]
