"""Watch lists from files and from standard input."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.instruments.watch_list import Entry
from ticks.cli.options.watch_lists import listed_names


def test_each_name_comes_with_its_file_and_line(tmp_path: Path) -> None:
    first, second = str(tmp_path / "a.txt"), str(tmp_path / "b.csv")
    Path(first).write_text("SBIN # a bank\n# TCS\n\nINFY\n", encoding="utf-16")
    Path(second).write_text("Symbol,Qty\nM&M,3\n")
    assert listed_names([first, second]) == [
        (first, Entry(1, "SBIN")),
        (first, Entry(4, "INFY")),
        (second, Entry(2, "M&M")),
    ]
    assert listed_names([]) == []


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfNIFTY\r\n"))
    monkeypatch.setattr("sys.stdin", stdin)
    assert listed_names(["-"]) == [("stdin", Entry(1, "NIFTY"))]


def test_standard_input_is_one_list() -> None:
    with pytest.raises(UsageError, match="stdin is given twice"):
        listed_names(["-", "list.txt", "-"])


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"list\.txt cannot be read: No such file"):
        listed_names([str(tmp_path / "list.txt")])
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        listed_names([str(tmp_path)])


def test_a_list_without_an_end_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        listed_names(["/dev/zero"])
    assert caught.value.kind == "watch-list-too-large"
