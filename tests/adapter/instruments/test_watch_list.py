from __future__ import annotations

from ticks.adapter.instruments import read_watch_list


def test_a_watch_list_is_one_name_a_line() -> None:
    lines = ["\ufeffNIFTY\r\n", "  NIFTY 28OCT 24400 CE \r\n", "NSE:SBIN"]
    assert read_watch_list(lines) == ["NIFTY", "NIFTY 28OCT 24400 CE", "NSE:SBIN"]


def test_comments_and_blank_lines_name_nothing() -> None:
    lines = ["# indices\n", "\n", "NIFTY   # the main one\n", "   # nothing\n", " \t\n"]
    assert read_watch_list(lines) == ["NIFTY"]


def test_a_hash_within_a_name_is_part_of_it() -> None:
    assert read_watch_list(["A#B"]) == ["A#B"]


def test_a_list_of_comments_is_empty() -> None:
    assert read_watch_list(["# one\n", "#two"]) == []
