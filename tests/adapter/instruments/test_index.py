from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter.errors import InstrumentMasterError
from ticks.adapter.instruments.index import (
    InstrumentIndex,
    Listed,
    MasterFault,
    new_index,
    open_index,
)
from ticks.adapter.instruments.master import Master
from ticks.adapter.paths import Paths

Build = Callable[[list[dict[str, Any]]], InstrumentIndex]


def _fill(path: Path, records: list[dict[str, Any]], url: str) -> None:
    with new_index(path) as draft:
        draft.fill(Master(json.dumps(records).encode()).rows(), url=url, fetched_ns=5)


def _beside(path: Path) -> list[str]:
    return [found.name for found in path.parent.iterdir()]


def test_an_index_says_where_and_when_it_came_from(
    home: Paths, real_records: list[dict[str, Any]]
) -> None:
    _fill(home.instruments_file, real_records, "https://there/master")
    index = open_index(home.instruments_file)
    assert index is not None
    assert (index.url, index.fetched_ns) == ("https://there/master", 5)
    assert index.records == len(real_records)
    index.close()
    assert _beside(home.instruments_file) == ["instruments.sqlite"]


def test_of_two_records_with_one_exchange_and_token_the_first_counts_and_the_other_is_reported(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    index = build(
        [
            make_record("NCDEX", "1", "A20OCT2026", "A"),
            make_record("NSE", "1", "C-EQ", "C"),
            make_record("NCO", "1", "B05OCT26FUT", "B"),
        ]
    )
    assert [one.symbol for one in index.select("1")] == ["C-EQ", "A20OCT2026"]
    assert index.records == 2
    assert index.faults == [MasterFault("conflict", 7, "1", "B05OCT26FUT", "A20OCT2026")]
    assert "A20OCT2026" in str(index.faults[0])


def test_a_share_that_stands_there_with_an_old_series_too_is_no_conflict(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    index = build([make_record("NSE", "1", "A-BE", "A"), make_record("NSE", "1", "A-EQ", "A")])
    assert index.faults == [MasterFault("repeated", 1, "1", "A-EQ", "A-BE")]
    assert [one.symbol for one in index.select("1")] == ["A-BE"]


def test_a_token_that_no_packet_can_hold_is_reported(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    fits, too_long = "T" * 25, "T" * 26
    index = build([make_record("NCO", fits, "A", "A"), make_record("NCO", too_long, "B", "B")])
    assert index.records == 2
    assert index.faults == [MasterFault("long-token", 7, too_long, "B")]
    assert "25 bytes" in str(index.faults[0])


def test_a_sound_master_has_no_faults(build: Build, real_records: list[dict[str, Any]]) -> None:
    assert build(real_records).faults == []


def test_a_share_of_the_closing_auction_is_known_as_one(september: InstrumentIndex) -> None:
    (itc,) = september.select("symbol = 'ITC-EQ'")
    (microns,) = september.select("symbol = '20MICRONS-EQ'")
    assert (itc.has_closing_auction, microns.has_closing_auction) == (True, False)


def test_what_contracts_an_underlying_has_is_known_without_reading_them(
    september: InstrumentIndex,
) -> None:
    assert september.expiries(["FINNIFTY"]) == [
        Listed("FINNIFTY", 2, False, "2024-03-19"),
        Listed("FINNIFTY", 2, False, "2026-09-29"),
        Listed("FINNIFTY", 2, True, "2026-09-29"),
    ]
    assert september.expiries(["RELIANC"]) == []


def test_names_are_known_by_their_loose_keys_but_those_that_are_hidden(
    september: InstrumentIndex,
) -> None:
    assert september.keys_like("BAJAJAUTO") == ["BAJAJ-AUTO"]
    assert september.keys_like("NIFTYBANK") == ["NIFTY BANK"]
    assert september.keys_like("MIBOR") == []
    assert (0, "RELIANCE") in september.near_names.near("RELIANCE")


def test_a_failure_leaves_the_old_index_and_no_litter(
    home: Paths, real_records: list[dict[str, Any]]
) -> None:
    _fill(home.instruments_file, real_records, "old")
    with pytest.raises(InstrumentMasterError):
        _fill(home.instruments_file, [{"bad": 1}], "new")
    index = open_index(home.instruments_file)
    assert index is not None
    assert index.url == "old"
    index.close()
    assert _beside(home.instruments_file) == ["instruments.sqlite"]


def test_an_index_is_replaced_under_a_reader_that_keeps_the_old_one(
    home: Paths, real_records: list[dict[str, Any]]
) -> None:
    _fill(home.instruments_file, real_records, "old")
    reader = open_index(home.instruments_file)
    assert reader is not None
    _fill(home.instruments_file, real_records[:3], "new")
    assert len(reader.select("1")) == len(real_records)
    reader.close()


def test_two_processes_may_build_at_once(home: Paths, real_records: list[dict[str, Any]]) -> None:
    spawn = multiprocessing.get_context("fork")
    builders = [
        spawn.Process(target=_fill, args=(home.instruments_file, real_records * 50, f"by {number}"))
        for number in range(2)
    ]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join(30)
    assert [builder.exitcode for builder in builders] == [0, 0]
    index = open_index(home.instruments_file)
    assert index is not None
    assert len(index.select("1")) == len(real_records)
    index.close()
    assert _beside(home.instruments_file) == ["instruments.sqlite"]


@pytest.mark.parametrize("content", [b"", b"no database at all, only text" * 99])
def test_a_file_that_is_no_index_counts_as_none(home: Paths, content: bytes) -> None:
    home.cache.mkdir()
    home.instruments_file.write_bytes(content)
    assert open_index(home.instruments_file) is None


def test_a_missing_or_truncated_file_counts_as_none(
    home: Paths, real_records: list[dict[str, Any]]
) -> None:
    assert open_index(home.instruments_file) is None
    _fill(home.instruments_file, real_records * 20, "here")
    whole = home.instruments_file.read_bytes()
    home.instruments_file.write_bytes(whole[: len(whole) // 2])
    assert open_index(home.instruments_file) is None


def test_an_index_of_another_version_counts_as_none(
    home: Paths, real_records: list[dict[str, Any]]
) -> None:
    _fill(home.instruments_file, real_records, "here")
    connection = sqlite3.connect(home.instruments_file)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert open_index(home.instruments_file) is None


def test_damage_found_on_the_way_is_named_with_its_remedy(
    home: Paths, real_records: list[dict[str, Any]]
) -> None:
    _fill(home.instruments_file, real_records, "here")
    content = bytearray(home.instruments_file.read_bytes())
    content[4096:8192] = bytes(4096)
    home.instruments_file.write_bytes(content)
    index = open_index(home.instruments_file)
    assert index is not None
    with pytest.raises(InstrumentMasterError, match="damaged") as caught:
        index.select("1")
    assert caught.value.kind == "index-damaged"
    index.close()


def test_a_folder_that_cannot_be_written_is_named(
    home: Paths, tmp_path: Path, real_records: list[dict[str, Any]]
) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(InstrumentMasterError, match="cannot be written"):
        _fill(home.instruments_file, real_records, "here")


def test_what_is_not_a_file_counts_as_none_and_is_not_waited_for(home: Paths) -> None:
    home.cache.mkdir(parents=True, exist_ok=True)
    os.mkfifo(home.instruments_file)
    assert open_index(home.instruments_file) is None


def test_the_draft_of_a_builder_that_was_killed_is_swept_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    builder = (
        "import os, pathlib, sys; from ticks.adapter.instruments.index import new_index\n"
        "with new_index(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", builder, str(path)], check=False)
    assert [each.suffix for each in tmp_path.iterdir()] == [".new"]
    with new_index(path) as draft:
        draft.fill([], url="", fetched_ns=1)
    assert [*tmp_path.iterdir()] == [path]


def test_the_draft_of_a_builder_at_work_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with new_index(path) as slow:
        with new_index(path) as quick:
            quick.fill([], url="quick", fetched_ns=1)
        slow.fill([], url="slow", fetched_ns=2)
    index = open_index(path)
    assert index is not None
    assert index.fetched_ns == 2
    index.close()
    assert [*tmp_path.iterdir()] == [path]
