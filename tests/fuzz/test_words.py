"""Whatever a user types: it is understood, or refused by name with the text and the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ticks.adapter import market_table
from ticks.adapter.clock import IST
from ticks.adapter.errors import SymbolError, TicksError
from ticks.adapter.http import _wall_s
from ticks.adapter.instruments.index import InstrumentIndex, new_index, open_index
from ticks.adapter.instruments.master import Master
from ticks.adapter.instruments.naming import read_name
from ticks.adapter.instruments.resolve import resolve
from ticks.adapter.instruments.search import find
from ticks.adapter.instruments.spellings import readings
from ticks.adapter.proxy import proxy_for
from ticks.adapter.simulator.faults import parse_fault
from ticks.adapter.urls import checked_url
from ticks.cli.options import parsers
from ticks.cli.printable import printable

from .strangers import TEXTS

TODAY = date(2026, 9, 17)
MASTER = Path(__file__).parents[1] / "data" / "master-2026-09-17.json"
WORDS = (
    *("NIFTY", "BANKNIFTY", "FUT", "CE", "PE", "24600", "22SEP", "2026", "weekly", "chain", "10"),
    *("NSE:", "|", "-EQ", ".NS", "monthly", "next", "0", "ATM", "26", "SEP", "M&M", "1e9", "٣"),
)
NAMES = st.one_of(
    TEXTS,
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).flatmap(
        lambda words: st.sampled_from(["", " ", "-", ":"]).map(lambda gap: gap.join(words))
    ),
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstrumentIndex]:
    path = tmp_path_factory.mktemp("index") / "instruments.sqlite"
    with new_index(path) as draft:
        draft.fill(Master(MASTER.read_bytes()).rows(), url="http://127.0.0.1/", fetched_ns=1)
    opened = open_index(path)
    assert opened is not None
    yield opened
    opened.close()


@given(NAMES)
@example("9" * 5_000)
@example("NIFTY chain " + "9" * 5_000)
@example("NIFTY 0001-01-01 CE")
@example("0 ²")
def test_a_name_means_one_instrument_or_is_refused(index: InstrumentIndex, name: str) -> None:
    wanted = read_name(name)
    try:
        resolved = resolve(index, wanted, TODAY.isoformat())
    except SymbolError as error:
        assert error.message
    else:
        assert resolved.instrument.symbol
    find(index, wanted, TODAY.isoformat(), 20)
    readings(name, TODAY)


READERS: list[Callable[[str], object]] = [
    parsers.duration_s,
    lambda text: parsers.until_ns(text, datetime(2026, 9, 17, 10, tzinfo=IST)),
    parsers.mode,
    parsers.shard,
    parsers.count,
    parsers.port,
    parsers.size,
    parsers.nats_address,
    parsers.host_port,
    parsers.rate,
    parsers.speed,
    parsers.columns,
    parsers.command,
    parsers.color,
    market_table.hours,
    market_table.holiday,
    market_table.session,
]


@given(st.sampled_from(READERS), TEXTS)
def test_the_value_of_an_option_is_read_or_refused_with_a_reason(
    read: Callable[[str], object], text: str
) -> None:
    try:
        read(text)
    except (ValueError, TicksError) as error:
        assert len(str(error)) < 1_000


FAULT_WORDS = (
    *("0s", "connect", "login", "5ticks", "refuse", "silence", "drop", "close", "1008", "x3", "x0"),
    *("text", "E1002", "delay", "90ms", "burst", "500", "A", "AB1004", "9" * 5_000),
)
FAULTS = st.lists(st.sampled_from(FAULT_WORDS), max_size=6).map(":".join)


@given(st.one_of(FAULTS, TEXTS))
def test_a_fault_is_read_or_refused_with_the_grammar(text: str) -> None:
    try:
        parse_fault(text)
    except TicksError as error:
        assert error.kind == "fault-invalid"


@given(TEXTS)
@example("Mon, 01 Jan 0001 00:00:00 GMT")
@example("Mon, 31 Dec 9999 23:59:59 -2359")
@example("Thu, 01 Jan 1970 99:99:99 +9999")
@example("1 Jan 1 1 1")
def test_a_date_header_is_a_time_or_none(text: str) -> None:
    assert _wall_s(text) is None or isinstance(_wall_s(text), float)


ADDRESSES = st.one_of(
    TEXTS,
    st.tuples(
        st.sampled_from(["http", "https", "ws", "wss", "", "ftp", "HTTPS"]),
        st.sampled_from(["://", ":/", ":"]),
        st.sampled_from(["a.example", "[::1]", "[", "user:secret@b", "127.0.0.1", "", "x" * 300]),
        st.sampled_from(["", ":80", ":99999", ":-1", ":x", ":" + "9" * 5_000]),
        TEXTS,
    ).map("".join),
)


@given(ADDRESSES)
def test_an_address_is_taken_or_refused(text: str) -> None:
    try:
        checked_url(text, "TICKS_REST_URL", ("http", "https"))
    except TicksError as error:
        assert "secret" not in error.message


@given(ADDRESSES, ADDRESSES)
def test_a_proxy_variable_is_taken_or_refused_without_its_value(value: str, no_proxy: str) -> None:
    try:
        proxy_for("https://rest.example/x", {"https_proxy": value, "no_proxy": no_proxy})
    except TicksError as error:
        assert "secret" not in error.message


@given(st.text())
def test_what_is_printed_moves_no_cursor(text: str) -> None:
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in printable(text))
