"""Paths that a user typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.errors import UsageError
from ticks.adapter.rows.columns import columns as columns_of
from ticks.adapter.tick import Mode
from ticks.cli.options.paths import (
    checked_outputs,
    csv_path,
    csv_view,
    events_path,
    input_path,
    jsonl_path,
    parquet_path,
    readable_file,
    recording_path,
)


@pytest.mark.parametrize(
    "path",
    ["-", "a.csv", "a.csv.gz", "%Y-%m-%d/%H%M.csv", "100%%.csv", "a", "/dev/stdout", "%-d.CSV"],
)
def test_a_path_for_csv_is_taken_as_it_is(path: str) -> None:
    assert csv_path(path) == path


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("x-%Q.csv", "'%Q' is not a time field"),
        ("%!", "'%!' is not a time field"),
        ("100%", "'%' is not a time field"),
        ("x.parquet", "for Parquet, record first"),
        ("x.jsonl", "for JSON lines, use --jsonl"),
        ("x.JSONL.gz", "for JSON lines, use --jsonl"),
        ("x.zip", "use .gz"),
        ("x.csv.zst", "use .gz"),
        ("x.xlsx", "a spreadsheet"),
    ],
)
def test_a_path_that_promises_something_else_is_refused(path: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        csv_path(path)
    assert repr(path) in str(caught.value)


def test_a_path_for_json_lines_is_not_one_for_csv() -> None:
    assert jsonl_path("a.json") == "a.json"
    with pytest.raises(ValueError, match="for CSV, use --csv"):
        jsonl_path("a.csv.gz")


def test_two_outputs_to_one_place_are_refused() -> None:
    checked_outputs("-", "a.jsonl", None, None)
    with pytest.raises(UsageError, match="two outputs go to stdout"):
        checked_outputs("-", "-")
    with pytest.raises(UsageError, match=r"two outputs go to a\.csv"):
        checked_outputs("a.csv", "./a.csv")


def test_two_names_of_one_file_are_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").touch()
    Path("hard.txt").hardlink_to("a.txt")
    Path("soft.txt").symlink_to("a.txt")
    today = datetime.now(IST)
    pairs = (
        ("a.txt", "hard.txt"),
        ("soft.txt", "./hard.txt"),
        ("%Y.txt", f"{today:%Y}.txt"),
        ("-", "/dev/stdout"),
    )
    for first, second in pairs:
        with pytest.raises(UsageError, match="two outputs go to"):
            checked_outputs(first, None, second)
    checked_outputs("/dev/null", "a.txt", "new.txt")


@pytest.mark.parametrize("parse", [csv_path, jsonl_path, events_path, parquet_path, input_path])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'' is not a path"),
        (" ", "' ' is not a path"),
        ("http://host/day", "is an address, not a path"),
        ("nats://host/day", "is an address, not a path"),
        ("~nobody-of-this-name/day", "a user who does not exist on this machine"),
    ],
)
def test_what_is_not_a_path_is_named(parse: Callable[[str], str], text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(text)


@pytest.mark.parametrize("parse", [csv_path, jsonl_path, events_path, parquet_path, input_path])
def test_nats_is_named_only_where_ticks_can_go_there(parse: Callable[[str], str]) -> None:
    with pytest.raises(ValueError, match="is an address") as refused:
        parse("nats://host/day")
    assert ("ticks stream --nats" in str(refused.value)) == (parse in (csv_path, jsonl_path))


def test_a_home_is_expanded_where_no_shell_did_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/trader")
    assert csv_path("~/%Y.csv") == "/home/trader/%Y.csv"
    assert input_path("~/watch.txt") == "/home/trader/watch.txt"
    assert input_path("~") == "/home/trader"
    assert input_path("day~.csv") == "day~.csv"


def test_a_recording_to_read_may_be_a_stream_of_nats() -> None:
    assert recording_path("nats://desk/DAY") == "nats://desk/DAY"
    with pytest.raises(ValueError, match="is an address, not a path"):
        recording_path("https://desk/day.csv")


@pytest.mark.parametrize("text", ["-", "%Y.parquet", "day.csv", "day.parquet.gz"])
def test_what_cannot_be_parquet_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be a Parquet file"):
        parquet_path(text)


def test_fields_of_a_name_of_events_are_checked_too() -> None:
    with pytest.raises(ValueError, match="'%Q' is not a time field"):
        events_path("%Q.jsonl")


def test_a_file_to_read_is_there_and_no_folder(tmp_path: Path) -> None:
    there = tmp_path / "day.csv"
    there.write_bytes(b"")
    assert readable_file(str(there)) == there
    for path, reason in ((tmp_path, "it is a folder"), (tmp_path / "no.csv", "does not exist")):
        with pytest.raises(ValueError, match=reason):
            readable_file(str(path))


@pytest.mark.parametrize(
    ("asked", "wanted", "needed"),
    [
        (Mode.QUOTE, "bid1_price", "snap"),
        (Mode.LTP, "bid1_price", "snap"),
        (Mode.LTP, "volume", "quote"),
    ],
)
def test_a_column_of_a_richer_mode_names_the_least_mode_that_has_it(
    asked: Mode, wanted: str, needed: str
) -> None:
    with pytest.raises(UsageError) as refused:
        csv_view(("ltp", wanted), "-", columns_of(asked), has_header=True)
    assert refused.value.message.startswith(f"--columns: '{wanted}' is not a column")
    assert refused.value.remedy == f"use --mode {needed}, whose rows have it"


def test_a_column_of_no_mode_names_the_columns_that_there_are() -> None:
    whole = columns_of(Mode.QUOTE)
    with pytest.raises(UsageError, match="'bid' is not a column") as refused:
        csv_view(("bid",), "-", whole, has_header=True)
    assert refused.value.remedy == ""


@pytest.mark.parametrize("has_header", [True, False])
def test_a_view_is_for_csv_on_stdout(has_header: bool) -> None:
    view = csv_view(("ltp",), "-", ("symbol", "ltp"), has_header=has_header)
    assert view is not None
    assert view.header == (b"ltp\n" if has_header else b"")
    assert csv_view(None, "day.csv", ("symbol",), has_header=True) is None


@pytest.mark.parametrize(
    ("shown", "csv", "has_header", "words"),
    [
        (
            ("symbol",),
            "day.csv",
            True,
            "--columns is for CSV on stdout: day.csv would not be a rec",
        ),
        (None, "day.csv", False, "--no-header is for CSV on stdout: day.csv would not be a rec"),
        (("symbol",), None, True, "--columns is for CSV on stdout, and none goes there"),
        (("price",), "-", True, "'price' is not a column"),
    ],
)
def test_a_view_of_anything_else_is_refused_with_the_reason(
    shown: tuple[str, ...] | None, csv: str | None, has_header: bool, words: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        csv_view(shown, csv, ("symbol", "ltp"), has_header=has_header)
