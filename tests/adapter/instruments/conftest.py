"""What the tests of this room share: a small master, a clock turned by hand, a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hand_clock import HandClock
from master_server import MasterServer

from ticks.adapter.clock import IST
from ticks.adapter.instruments.index import InstrumentIndex, new_index, open_index
from ticks.adapter.instruments.master import Master
from ticks.adapter.paths import Paths

REAL_RECORDS = Path(__file__).parent / "real_records.json"
"""Records as they stood in real masters of different days (2024 to 2026)."""
SEPTEMBER_MASTER = Path(__file__).parents[2] / "data" / "master-2026-09-17.json"
"""Real records, and neighbours made up for them, as of 17 September 2026: `names_table.py` says
what names mean in it."""


def record(exchange: str, token: str, symbol: str, name: str, **more: str) -> dict[str, str]:
    """One record of a master, as the broker writes them."""
    fields = {
        "token": token,
        "symbol": symbol,
        "name": name,
        "expiry": "",
        "strike": "-1.000000",
        "lotsize": "1",
        "instrumenttype": "",
        "exch_seg": exchange,
        "tick_size": "5.000000",
    }
    return fields | more


def option(token: str, symbol: str, name: str, expiry: str, rupees: int) -> dict[str, str]:
    """One index option on NFO."""
    return record(
        "NFO", token, symbol, name,
        expiry=expiry, strike=f"{rupees * 100}.000000", instrumenttype="OPTIDX", lotsize="75",
    )  # fmt: skip


MADE_UP = [
    record("NSE", "90001", "BAJAJ-AUTO-EQ", "BAJAJ-AUTO"),
    record("NSE", "90002", "MOVED-BE", "MOVED"),
    record("NSE", "90003", "MOVED-ST", "MOVED"),
    record("NSE", "90004", "SERIES-N1", "SERIES"),
    record("NSE", "90005", "SERIES-N2", "SERIES"),
    record("NSE", "90006", "M&M-EQ", "M&M"),
    record("BSE", "590001", "ONLYBSE", "ONLYBSE"),
    record("BSE", "90001", "SAMETOKEN", "SAMETOKEN"),
    record("MCX", "70001", "GOLD04DEC26FUT", "GOLD", expiry="04DEC2026", instrumenttype="FUTCOM"),
    record("MCX", "70002", "GOLD05FEB27FUT", "GOLD", expiry="05FEB2027", instrumenttype="FUTCOM"),
    record("CDS", "60001", "USDINR26NOV87.5CE", "USDINR", expiry="26NOV2026",
           instrumenttype="OPTCUR", strike="875000000.000000", tick_size="25000.000000"),
    option("80001", "NIFTY24NOV2626000CE", "NIFTY", "24NOV2026", 26000),
    option("80002", "NIFTY24NOV2626000PE", "NIFTY", "24NOV2026", 26000),
    option("80003", "NIFTY24NOV2726000CE", "NIFTY", "24NOV2027", 26000),
    option("80004", "NIFTY29DEC2626000CE", "NIFTY", "29DEC2026", 26000),
    option("80005", "NIFTY24NOV2626050CE", "NIFTY", "24NOV2026", 26050),
    option("80006", "BANKNIFTY29DEC2656000CE", "BANKNIFTY", "29DEC2026", 56000),
]  # fmt: skip


def built(home: Paths, records: list[dict[str, Any]]) -> InstrumentIndex:
    """The index of `records`, in its place in `home`, opened."""
    with new_index(home.instruments_file) as draft:
        rows = Master(json.dumps(records).encode()).rows()
        draft.fill(rows, url="http://127.0.0.1/master", fetched_ns=1)
    index = open_index(home.instruments_file)
    assert index is not None
    return index


@pytest.fixture
def real_records() -> list[dict[str, Any]]:
    """Records as they stood in real masters."""
    records: list[dict[str, Any]] = json.loads(REAL_RECORDS.read_text())
    return records


@pytest.fixture
def make_record() -> Callable[..., dict[str, str]]:
    return record


@pytest.fixture
def home(tmp_path: Path) -> Paths:
    return Paths.from_env({"TICKS_HOME": str(tmp_path / "home")})


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 11, 23, 10, 0, tzinfo=IST))


@pytest.fixture
def build(home: Paths) -> Iterator[Callable[[list[dict[str, Any]]], InstrumentIndex]]:
    """Builds an index of records; what it opened is closed after the test."""
    opened: list[InstrumentIndex] = []

    def build_one(records: list[dict[str, Any]]) -> InstrumentIndex:
        opened.append(built(home, records))
        return opened[-1]

    yield build_one
    for index in opened:
        index.close()


@pytest.fixture
def index(
    build: Callable[[list[dict[str, Any]]], InstrumentIndex], real_records: list[dict[str, Any]]
) -> InstrumentIndex:
    """The real records, and some made up for what they do not show."""
    return build(real_records + MADE_UP)


@pytest.fixture(scope="session")
def september_records() -> list[dict[str, Any]]:
    """The master of 17 September 2026."""
    records: list[dict[str, Any]] = json.loads(SEPTEMBER_MASTER.read_text())
    return records


@pytest.fixture(scope="session")
def september(
    september_records: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InstrumentIndex]:
    """The index of that master. Nobody writes to it."""
    folder = tmp_path_factory.mktemp("september")
    index = built(Paths.from_env({"TICKS_HOME": str(folder)}), september_records)
    yield index
    index.close()


@pytest.fixture
def server() -> Iterator[MasterServer]:
    server = MasterServer()
    yield server
    server.stop()
