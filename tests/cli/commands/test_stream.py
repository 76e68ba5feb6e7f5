"""What a stream is asked for, before anybody is asked for anything."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.cli.commands.stream import wanted_names


def test_names_come_from_the_line_and_from_watch_lists(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("SBIN # a bank\n# TCS\n\nINFY\n", encoding="utf-8")
    assert wanted_names(["NIFTY", " "], [str(path)]) == ["NIFTY", "SBIN", "INFY"]


def test_a_watch_list_can_be_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("NIFTY\n"))
    assert wanted_names([], ["-"]) == ["NIFTY"]


def test_no_name_at_all_is_a_usage_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("# nothing yet\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no symbol given"):
        wanted_names([], [])
    with pytest.raises(UsageError, match=r"empty\.txt contains no symbols"):
        wanted_names([], [str(empty)])


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00N"])
def test_a_watch_list_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"list\.txt cannot be read"):
        wanted_names([], [str(path)])
