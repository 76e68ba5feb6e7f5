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


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_text_of_two_or_four_bytes_needs_no_mark(encoding: str, end: str) -> None:
    data = f"NIFTY{end}M&M{end}".encode(encoding)
    assert read_watch_list(data) == [Entry(1, "NIFTY"), Entry(2, "M&M")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_a_line_ends_as_on_any_system(end: str) -> None:
    assert read_watch_list(f"NIFTY{end}SBIN".encode()) == [Entry(1, "NIFTY"), Entry(2, "SBIN")]


def test_a_list_of_windows_eight_bits_is_read() -> None:
    assert read_watch_list("BANK\u00a0NIFTY\rSBIN".encode("cp1252")) == [
        Entry(1, "BANK NIFTY"),
        Entry(2, "SBIN"),
    ]


def test_names_may_be_quoted_and_several_on_a_line() -> None:
    text = '"NIFTY"\nSBIN, "NIFTY 22SEP 24,500 CE",TCS,\n2885,1594\n,,'
    assert _names(text) == ["NIFTY", "SBIN", "NIFTY 22SEP 24,500 CE", "TCS", "2885", "1594"]


@pytest.mark.parametrize("text", ["NIFTY;M&M;\n;SBIN", "NIFTY\tM&M\n\tSBIN", "NIFTY; M&M,SBIN"])
def test_semicolons_and_tabs_stand_between_names_too(text: str) -> None:
    assert _names(text) == ["NIFTY", "M&M", "SBIN"]


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
        ("Symbol\tName\nSBIN\tState Bank\n", ["SBIN"]),
        ("sep=;\r\nSymbol;Name\r\nSBIN;State Bank\r\n", ["SBIN"]),
        ("Symbol / ISIN,Qty\nSBIN,4\n", ["SBIN"]),
        ("SC_CODE,SC_NAME,SC_GROUP\n500325,RELIANCE ,A\n", ["RELIANCE"]),
        ("exchange,token\nNSE,2885\nBSE,500325\n", ["NSE:2885", "BSE:500325"]),
        ("instrument_token,exchange_token\n738561,2885\n", ["2885"]),
        ("tradingsymbol,segment\nNIFTY26SEPFUT,NFO-FUT\nSBIN,BSE Equity\n",
         ["NFO:NIFTY26SEPFUT", "BSE:SBIN"]),
        ("name,token\nReliance Industries,2885\n", ["2885"]),
        ("Name,Last Price\nSBIN,1\n", ["SBIN"]),
        ("instrument_key,name\nNSE_INDEX|Nifty 50,x\n", ["NSE_INDEX|Nifty 50"]),
        ("Exch,Symbol\nMOON,SBIN\nNSE,BSE:TCS\n# NSE,X\n", ["SBIN", "BSE:TCS"]),
    ],
)  # fmt: skip
def test_the_column_of_symbols_is_known_by_its_heading(text: str, names: list[str]) -> None:
    assert _names(text) == names


def test_lines_before_a_table_are_read_as_names() -> None:
    assert read_watch_list(b"My list\n\nSymbol,Exchange\nSBIN,BSE\n") == [
        Entry(1, "My list"),
        Entry(4, "BSE:SBIN"),
    ]


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
        "###One,\nNSE:NIFTY,\nNSE:RELIANCE,\n###Two,\nNSE:M_M",
    ],
)
def test_the_export_of_tradingview_is_read_without_its_sections(text: str) -> None:
    assert _names(text) == ["NSE:NIFTY", "NSE:RELIANCE", "NSE:M_M"]


@pytest.mark.parametrize("text", ["###One,SBIN,###Two,TCS", "SBIN,###One,TCS"])
def test_symbols_between_sections_may_lack_their_exchange(text: str) -> None:
    assert _names(text) == ["SBIN", "TCS"]


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
