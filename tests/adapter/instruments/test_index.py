from __future__ import annotations

import json
import multiprocessing
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter.errors import InstrumentMasterError
from ticks.adapter.instruments.index import InstrumentIndex, new_index, open_index
from ticks.adapter.instruments.master import Master
from ticks.adapter.paths import Paths

Build = Callable[[list[dict[str, Any]]], InstrumentIndex]


def _fill(path: Path, records: list[dict[str, Any]], url: str) -> None:
    with new_index(path) as draft:
        draft.fill(Master(json.dumps(records).encode()).rows(), url=url, fetched_ns=5)


def _beside(path: Path) -> list[str]:
    return [found.name for found in path.parent.iterdir()]


def test_an_index_tells_where_and_when_it_came_from(
    home: Paths, real_records: list[dict[str, Any]]
) -> None:
    _fill(home.instruments_file, real_records, "https://there/master")
    index = open_index(home.instruments_file)
    assert index is not None
    assert (index.url, index.fetched_ns) == ("https://there/master", 5)
    assert index.records == len(real_records)
    index.close()
    assert _beside(home.instruments_file) == ["instruments.sqlite"]


def test_of_a_record_that_comes_twice_the_first_counts(
    build: Build, make_record: Callable[..., dict[str, Any]]
) -> None:
    index = build([make_record("NSE", "1", "A-EQ", "A"), make_record("NSE", "1", "B-EQ", "B")])
    assert [one.symbol for one in index.select("1")] == ["A-EQ"]
    assert index.records == 1


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
    assert "delete" in caught.value.remedy
    index.close()


def test_a_folder_that_cannot_be_written_is_named(
    home: Paths, tmp_path: Path, real_records: list[dict[str, Any]]
) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(InstrumentMasterError, match="cannot be written"):
        _fill(home.instruments_file, real_records, "here")
