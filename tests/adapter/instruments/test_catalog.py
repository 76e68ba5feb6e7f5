from __future__ import annotations

import errno
import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter import http
from ticks.adapter.clock import IST
from ticks.adapter.errors import (
    BrokerBusyError,
    BrokerError,
    InstrumentMasterError,
    NetworkError,
    SymbolError,
    UnknownSymbolError,
    UsageError,
)
from ticks.adapter.instruments import InstrumentCatalog, open_catalog, open_copy
from ticks.adapter.instruments import index as index_module
from ticks.adapter.instruments.catalog import is_fresh
from ticks.adapter.instruments.lists import Skipped
from ticks.adapter.instruments.naming import Aliases
from ticks.adapter.instruments.watch_list import Entry
from ticks.adapter.paths import Paths


class Opener:
    """Opens books on one home from one server, and keeps what was noted."""

    def __init__(self, home: Paths, clock: Any, server: Any) -> None:
        self.home, self.clock, self.server = home, clock, server
        self.notes: list[str] = []
        self.opened: list[InstrumentCatalog] = []

    def __call__(self, url: str = "") -> InstrumentCatalog:
        book = open_catalog(
            self.home, url or self.server.url, clock=self.clock, note=self.notes.append
        )
        self.opened.append(book)
        return book


@pytest.fixture
def open_it(
    home: Paths, clock: Any, server: Any, real_records: list[dict[str, Any]]
) -> Iterator[Opener]:
    """An Opener whose server serves the real records."""
    server.serves_records(real_records)
    opener = Opener(home, clock, server)
    yield opener
    for book in opener.opened:
        book.close()


def test_the_first_opening_fetches_and_the_next_ones_do_not(open_it: Opener) -> None:
    assert open_it().resolve("NIFTY").token == "99926000"
    open_it.clock.turn(5 * 3600)
    assert open_it().resolve("NIFTY").token == "99926000"
    assert len(open_it.server.requests) == 1
    assert open_it.notes == []


def test_the_next_mornings_master_is_fetched_once(open_it: Opener) -> None:
    open_it()
    open_it.clock.turn(days=1)
    book = open_it()
    open_it()
    assert len(open_it.server.requests) == 2
    assert book.fetched_ns == open_it.clock.wall_ns()


@pytest.mark.parametrize(
    ("fetched", "now", "fresh"),
    [
        ("2026-11-23 08:30", "2026-11-23 23:59", True),  # a Monday
        ("2026-11-23 08:29", "2026-11-23 08:30", False),
        ("2026-11-23 09:00", "2026-11-24 08:29", True),
        ("2026-11-23 09:00", "2026-11-24 08:30", False),
        ("2026-11-20 09:00", "2026-11-21 12:00", True),  # Friday, Saturday
        ("2026-11-20 09:00", "2026-11-23 08:29", True),
        ("2026-11-20 09:00", "2026-11-23 08:30", False),
        ("2026-11-20 08:00", "2026-11-22 12:00", False),
        ("2026-11-24 09:00", "2026-11-23 12:00", False),  # the clock was set back
    ],
)
def test_a_copy_is_fresh_until_the_next_weekdays_master(
    fetched: str, now: str, fresh: bool
) -> None:
    def ns(text: str) -> int:
        return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * 10**9

    assert is_fresh(ns(fetched), ns(now)) is fresh


@pytest.mark.parametrize("body", [b"null", b"<html>maintenance</html>", b"[]", b'[{"token"'])
def test_a_bad_master_never_replaces_the_copy(open_it: Opener, body: bytes) -> None:
    open_it()
    open_it.clock.turn(days=3)
    open_it.server.serves(body)
    assert open_it().resolve("RELIANCE").token == "2885"
    (note,) = open_it.notes
    assert note.startswith("using the instrument master of 2026-11-23 10:00, 3 days old: it is ")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_server_that_refuses_leaves_the_copy(open_it: Opener, status: int) -> None:
    open_it()
    open_it.clock.turn(days=1)
    open_it.server.serves(b"no", status=status)
    assert open_it().resolve("SBIN").token == "3045"
    assert f"1 day old: the server answered HTTP {status}" in open_it.notes[0]


def test_where_nothing_can_be_saved_the_index_is_kept_in_memory_and_that_is_said(
    open_it: Opener,
) -> None:
    open_it.home = Paths(*[Path("/proc/nobody")] * 3)
    catalog = open_it()
    assert catalog.resolve("NIFTY").token == "99926000"
    assert str(catalog.find("reliance")[0]) == "NSE:RELIANCE-EQ"
    (note,) = open_it.notes
    assert "/proc/nobody/instruments.sqlite cannot be written" in note
    assert note.endswith("; it is kept in memory for this run")


def test_a_disk_that_is_full_costs_the_fresh_master_nothing(
    open_it: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_it()
    open_it.clock.turn(days=1)

    def full(source: str, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(index_module.os, "replace", full)
    assert open_it().fetched_ns == open_it.clock.wall_ns()
    assert "No space left" in open_it.notes[0]


def damage(home: Paths) -> None:
    """Wipe a page of the index behind its head."""
    content = bytearray(home.instruments_file.read_bytes())
    content[4096:8192] = bytes(4096)
    home.instruments_file.write_bytes(content)


def test_a_damaged_index_is_rebuilt_and_that_is_said(open_it: Opener) -> None:
    open_it().close()
    damage(open_it.home)
    assert open_it().resolve("NIFTY").token == "99926000"
    assert len(open_it.server.requests) == 2
    (note,) = open_it.notes
    assert note.endswith("it was rebuilt")
    assert open_it().resolve("NIFTY").token == "99926000"
    assert len(open_it.server.requests) == 2


def test_a_damaged_index_that_cannot_be_rebuilt_is_named_with_both_reasons(
    open_it: Opener,
) -> None:
    open_it().close()
    damage(open_it.home)
    open_it.server.serves(b"null")
    with pytest.raises(InstrumentMasterError, match="it cannot be rebuilt: ") as caught:
        open_it().resolve("NIFTY")
    assert caught.value.kind == "index-damaged"


def test_without_a_copy_a_failure_names_the_address_and_keeps_its_cause(open_it: Opener) -> None:
    url = "http://127.0.0.1:9/master.json"
    with pytest.raises(InstrumentMasterError, match=url) as caught:
        open_it(url)
    assert isinstance(caught.value.__cause__, NetworkError)
    assert caught.value.kind == "unreachable"


def test_a_download_is_waited_for_less_where_a_copy_exists(
    open_it: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed: list[float] = []
    real = http.exchange

    def watched(*arguments: Any, limits: http.Limits, **options: Any) -> http.Reply:
        allowed.append(limits.total_s)
        return real(*arguments, limits=limits, **options)

    monkeypatch.setattr(http, "exchange", watched)
    open_it()
    open_it.clock.turn(days=1)
    open_it()
    assert allowed == [300.0, 30.0]


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (302, InstrumentMasterError),
        (404, InstrumentMasterError),
        (403, BrokerBusyError),
        (429, BrokerBusyError),
        (503, BrokerBusyError),
    ],
)
def test_without_a_copy_a_refusal_is_named_by_its_status(
    open_it: Opener, status: int, cause: type[BrokerError]
) -> None:
    open_it.server.serves(b"no", status=status, Location=f"{open_it.server.url}/elsewhere")
    with pytest.raises(InstrumentMasterError, match=f"HTTP {status}") as caught:
        open_it()
    assert type(caught.value.__cause__) is cause
    assert caught.value.kind == "master-refused"
    assert len(open_it.server.requests) == 1


@pytest.mark.parametrize("body", [b"[" + b"0," * (11 << 20) + b"0]", b" " * (17 << 20)])
def test_a_small_download_that_fills_memory_is_refused(open_it: Opener, body: bytes) -> None:
    open_it.server.serves(gzip.compress(body), Content_Encoding="gzip")
    with pytest.raises(InstrumentMasterError, match=r"too many values|100 times its size"):
        open_it()


def test_a_copy_from_another_address_is_none(open_it: Opener) -> None:
    open_it()
    open_it(f"{open_it.server.url}?other")
    with pytest.raises(InstrumentMasterError):
        open_it("http://127.0.0.1:9/master.json")
    assert len(open_it.server.requests) == 1


def test_a_broken_copy_is_fetched_again(open_it: Opener) -> None:
    open_it()
    open_it.home.instruments_file.write_bytes(b"broken" * 1000)
    assert open_it().resolve("TCS").token == "11536"
    assert len(open_it.server.requests) == 2


def test_a_master_that_lost_more_than_half_is_disbelieved_for_four_days(
    open_it: Opener, real_records: list[dict[str, Any]]
) -> None:
    open_it()
    open_it.server.serves_records(real_records[: len(real_records) // 2 - 1])
    open_it.clock.turn(days=1)
    assert open_it().records == len(real_records)
    assert f"of {len(real_records)} records" in open_it.notes[0]
    open_it.clock.turn(days=3)
    assert open_it().records < len(real_records) / 2
    assert len(open_it.notes) == 1


def test_progress_reaches_who_asks_for_it(open_it: Opener) -> None:
    told: list[int] = []
    book = open_catalog(
        open_it.home,
        open_it.server.url,
        clock=open_it.clock,
        progress=lambda done, _: told.append(done),
        note=open_it.notes.append,
    )
    book.close()
    assert told[-1] > 5000


def test_the_copy_opens_without_the_network_however_old(open_it: Opener) -> None:
    assert open_copy(open_it.home, clock=open_it.clock) is None
    open_it()
    open_it.clock.turn(days=30)
    copy = open_copy(open_it.home, clock=open_it.clock)
    assert copy is not None
    with copy:
        assert str(copy.prefix("relia")[0]) == "NSE:RELIANCE-EQ"
    assert len(open_it.server.requests) == 1


def test_find_keeps_to_the_exchange_it_is_given(open_it: Opener) -> None:
    book = open_it()
    assert [str(one) for one in book.find("RELIANCE", "bse")] == ["BSE:RELIANCE"]
    with pytest.raises(UnknownSymbolError) as caught:
        book.find("RELIANCE", "MCX")
    assert str(caught.value.candidates[0]) == "NSE:RELIANCE-EQ"
    with pytest.raises(UsageError, match="'XX' is not an exchange"):
        book.find("RELIANCE", "XX")


def test_many_names_give_each_instrument_once_in_order(open_it: Opener) -> None:
    found = open_it().resolve_all(["SBIN", "NIFTY", "NSE:3045", "nifty 50", "TCS"])
    assert [one.symbol for one in found] == ["SBIN-EQ", "Nifty 50", "TCS-EQ"]


def test_all_unknown_names_are_reported_at_once(open_it: Opener) -> None:
    with pytest.raises(SymbolError) as caught:
        open_it().resolve_all(["SBIN", "RELAINCE", "NIFTY", "HDFCBNK"])
    assert "2 names cannot be resolved" in caught.value.message
    assert "'RELAINCE'" in caught.value.message
    named = {str(one) for one in caught.value.candidates}
    assert {"NSE:RELIANCE-EQ", "NSE:HDFCBANK-EQ"} <= named


def test_one_unknown_name_is_reported_as_by_itself(open_it: Opener) -> None:
    with pytest.raises(UnknownSymbolError, match="no instrument is called 'RELAINCE'"):
        open_it().resolve_all(["SBIN", "RELAINCE"])


def test_names_of_a_list_that_mean_nothing_are_skipped_with_their_line(open_it: Opener) -> None:
    skipped: list[Skipped] = []
    listed = [("a.txt", Entry(3, "RELAINCE")), ("a.txt", Entry(4, "TCS"))]
    found = open_it().resolve_all(["SBIN"], listed, skip=skipped.append)
    assert [one.symbol for one in found] == ["SBIN-EQ", "TCS-EQ"]
    assert [str(each).partition(" no ")[0] for each in skipped] == ["a.txt, line 3:"]
    with pytest.raises(UnknownSymbolError) as caught:
        open_it().resolve_all([], listed[:1])
    assert caught.value.kind == "names-all-skipped"


def test_an_alias_counts_wherever_a_name_does(open_it: Opener) -> None:
    open_it()
    aliases = Aliases({"mine": "RELIANCE"})
    catalog = open_copy(open_it.home, clock=open_it.clock, aliases=aliases)
    assert catalog is not None
    with catalog:
        assert str(catalog.resolve("MINE")) == "NSE:RELIANCE-EQ"
        assert str(catalog.find("mine")[0]) == "NSE:RELIANCE-EQ"


def test_records_that_share_exchange_and_token_are_reported_when_the_master_is_new(
    open_it: Opener, real_records: list[dict[str, Any]]
) -> None:
    twice = real_records[0] | {"symbol": "TWICE-EQ", "name": "TWICE"}
    open_it.server.serves_records([*real_records, twice])
    catalog = open_it()
    assert [(fault.kind, fault.symbol) for fault in catalog.faults] == [("conflict", "TWICE-EQ")]
    assert "1 record of the instrument master skipped: NSE:TWICE-EQ" in open_it.notes[0]
    open_it()
    assert len(open_it.notes) == 1


@pytest.mark.parametrize("name", ["TWICE-EQ", "NSE:twice", "Twice"])
def test_a_name_whose_record_shares_anothers_token_is_refused_with_that_record(
    open_it: Opener, real_records: list[dict[str, Any]], name: str
) -> None:
    twice = real_records[0] | {"symbol": "TWICE-EQ", "name": "TWICE"}
    open_it.server.serves_records([*real_records, twice])
    catalog = open_it()
    notes: list[str] = []
    with pytest.raises(UnknownSymbolError):
        catalog.resolve_all([name], note=notes.append)
    catalog.resolve_all(["RELIANCE"], [("day.txt", Entry(1, name))], note=notes.append)
    said = f"NSE:TWICE-EQ has the exchange and token ({twice['token']}) of "
    assert [note.startswith(said) for note in notes] == [True, True]


def test_a_lookup_loads_no_decoder_no_tls_and_no_http() -> None:
    heavy = ["msgspec", "ssl", "urllib.request", "tempfile", "difflib"]
    program = f"""
import json, sys, ticks.adapter.instruments
print(json.dumps([name for name in {heavy!r} if name in sys.modules]))
"""
    before = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(before.stdout) == []
