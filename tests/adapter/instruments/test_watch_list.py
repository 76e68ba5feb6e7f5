from __future__ import annotations

import io
from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.instruments.watch_list import LARGEST, Entry, read_limited, read_watch_list


def _names(text: str) -> list[str]:
    entries = read_watch_list(text.encode())
    assert [entry for entry in entries if entry.problem] == []
    return [entry.name for entry in entries]


def test_a_watch_list_is_one_name_a_line_each_with_its_number() -> None:
    text = "NIFTY\r\n\n  NIFTY 28OCT 24400 CE \r\nNSE:SBIN"
    assert read_watch_list(text.encode()) == [
        Entry(1, "NIFTY"),
        Entry(3, "NIFTY 28OCT 24400 CE"),
        Entry(4, "NSE:SBIN"),
    ]


def test_comments_and_blank_lines_name_nothing() -> None:
    assert _names("# indices\n\nNIFTY   # the main one\n   # nothing\n \t\n#SBIN") == ["NIFTY"]
    assert _names("# one\n#two") == _names("") == []
    assert _names("A#B") == ["A#B"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_every_encoding_with_a_byte_order_mark_is_read(encoding: str) -> None:
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    data = f"{mark}NIFTY\r\nM&M\r\n".encode(encoding)
    assert [entry.name for entry in read_watch_list(data)] == ["NIFTY", "M&M"]


def test_a_list_of_windows_eight_bits_is_read() -> None:
    assert read_watch_list("BANK\u00a0NIFTY\rSBIN".encode("cp1252")) == [
        Entry(1, "BANK NIFTY"),
        Entry(2, "SBIN"),
    ]


def test_names_may_be_quoted_and_several_on_a_line() -> None:
    text = '"NIFTY"\nSBIN, "NIFTY 22SEP 24,500 CE",TCS,\n2885,1594\n,,'
    assert _names(text) == ["NIFTY", "SBIN", "NIFTY 22SEP 24,500 CE", "TCS", "2885", "1594"]


def test_a_number_beside_a_name_is_reported_and_not_taken_for_a_token() -> None:
    entries = read_watch_list(b"RELIANCE,10,2500.50\nTCS,-3%")
    assert [(entry.name, bool(entry.problem)) for entry in entries] == [
        ("RELIANCE", False),
        ("10", True),
        ("2500.50", True),
        ("TCS", False),
        ("-3%", True),
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('"Instrument","Qty.","Avg. cost"\n"SBIN",10,800.5\n"M&M",3,3250', ["SBIN", "M&M"]),
        ("Symbol\nNIFTY\nSBIN, TCS # both\n", ["NIFTY", "SBIN", "TCS"]),
        ("# mine\nexchange;tradingsymbol\nNSE;SBIN\nNFO;NIFTY26SEPFUT\n",
         ["NSE:SBIN", "NFO:NIFTY26SEPFUT"]),
        ("Company Name,Industry,Symbol,Series,ISIN Code\nITC Ltd.,FMCG,ITC,EQ,INE154A01025",
         ["ITC-EQ"]),
        ("SYMBOL\tLTP\nNIFTY 50\t24,500\n\nBANKNIFTY\t52,000\n", ["NIFTY 50", "BANKNIFTY"]),
        ('"SYMBOL \n","OPEN \n"\n"RELIANCE","1,400.00"\n"TCS","3,000"', ["RELIANCE", "TCS"]),
        ("Exch,Symbol\nMOON,SBIN\nNSE,BSE:TCS\n# NSE,X\n", ["SBIN", "BSE:TCS"]),
    ],
)  # fmt: skip
def test_the_column_of_symbols_is_known_by_its_heading(text: str, names: list[str]) -> None:
    assert _names(text) == names


def test_the_lines_of_a_table_are_counted_as_an_editor_counts_them() -> None:
    text = '"SYMBOL \n","OPEN \n"\n"RELIANCE",1\n\n"TCS",2\n,3'
    assert read_watch_list(text.encode()) == [
        Entry(4, "RELIANCE"),
        Entry(6, "TCS"),
        Entry(7, ",3", "nothing in the column of symbols"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "NSE:NIFTY,NSE:RELIANCE,###Section,NSE:M_M",
        "###INDICES,NSE:NIFTY,###SHARES,NSE:RELIANCE,NSE:M_M",
        "###One\nNSE:NIFTY,NSE:RELIANCE\n### Two, of them\nNSE:M_M",
        "NSE:NIFTY, NSE:RELIANCE, ###Section, NSE:M_M",
    ],
)
def test_the_export_of_tradingview_is_read_without_its_sections(text: str) -> None:
    assert _names(text) == ["NSE:NIFTY", "NSE:RELIANCE", "NSE:M_M"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"NIF\0TY", "it is not text"),
        (b"\x1b[31mNIFTY", "it is not text"),
        (b"A" * 65, "a name has at most 64 characters"),
        (b"A" * 200_000, "a name has at most 64 characters"),
        (b"\xff\xfeN\0I\0F", "it is not text"),
        (b'Symbol,X\n"NIFTY\n' + b"SBIN\n" * 30, "a name has at most 64 characters"),
    ],
)
def test_what_cannot_be_a_name_is_an_entry_that_says_why(data: bytes, problem: str) -> None:
    entries = read_watch_list(data)
    assert problem in [entry.problem for entry in entries]
    assert all(len(entry.name) < 70 and entry.name.isprintable() for entry in entries)


def test_a_table_with_an_endless_cell_is_reported_where_it_ends() -> None:
    entries = read_watch_list(b"Symbol,X\nSBIN,1\n" + b"A" * 200_000)
    assert entries[0] == Entry(2, "SBIN")
    assert (entries[1].line, "cannot be read" in entries[1].problem) == (3, True)


def test_a_list_without_an_end_is_refused() -> None:
    with pytest.raises(UsageError) as caught, Path("/dev/zero").open("rb") as endless:
        read_limited(endless, "zero")
    assert caught.value.kind == "watch-list-too-large"
    assert read_limited(io.BytesIO(b"A" * LARGEST), "full") == b"A" * LARGEST
