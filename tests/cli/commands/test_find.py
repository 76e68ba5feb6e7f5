from __future__ import annotations

import csv
import io
import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from master_server import MasterServer
from typer.testing import CliRunner, Result

from ticks.adapter.errors import InstrumentMasterError, UnknownSymbolError, UsageError
from ticks.cli.commands.find import FIELDS, find
from ticks.cli.exit_codes import remedy_of
from ticks.cli.registry import examples_of, load


def _record(exchange: str, token: str, symbol: str, name: str, **more: str) -> dict[str, str]:
    fields = {"expiry": "", "strike": "-1.000000", "lotsize": "1", "instrumenttype": ""}
    named = {"exch_seg": exchange, "token": token, "symbol": symbol, "name": name}
    return named | fields | {"tick_size": "5.000000"} | more


OPTION = {"expiry": "28OCT2025", "instrumenttype": "OPTIDX", "lotsize": "75"}
MASTER = [
    _record("NSE", "99926000", "Nifty 50", "NIFTY", instrumenttype="AMXIDX", tick_size="0.000000"),
    _record("NSE", "2885", "RELIANCE-EQ", "RELIANCE"),
    _record("BSE", "500325", "RELIANCE", "RELIANCE"),
    _record("NFO", "58784", "NIFTY28OCT2524400CE", "NIFTY", strike="2440000.000000", **OPTION),
    _record("NFO", "58785", "NIFTY28OCT2524400PE", "NIFTY", strike="2440000.000000", **OPTION),
    _record("NSE", "5097", "ETERNAL-EQ", "ETERNAL"),
    _record("NSE", "7", 'ODD,"-EQ', 'ODD,"'),
    _record("NSE", "9", "ESC\x1b[2J-EQ", "ESCAPED"),
    _record("NSE", "8", "[bold]-EQ", "[bold]"),
]


@pytest.fixture(scope="module")
def master_url() -> Iterator[str]:
    server = MasterServer()
    server.serves_records(MASTER)
    yield server.url
    server.stop()


@pytest.fixture(autouse=True)
def _home(master_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKS_HOME", str(tmp_path))
    monkeypatch.setenv("TICKS_INSTRUMENTS_URL", master_url)


def _run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(find)
    return CliRunner().invoke(app, arguments)


def test_a_pipe_gets_aligned_columns() -> None:
    result = _run("reliance")
    assert result.stdout.splitlines() == [
        "exchange  symbol       token   name      expiry  strike  lot_size  tick_size  kind",
        "NSE       RELIANCE-EQ  2885    RELIANCE                  1         0.05",
        "BSE       RELIANCE     500325  RELIANCE                  1         0.05",
    ]
    assert result.stderr == ""


def test_csv_has_the_fields_as_header_and_quotes_what_must_be() -> None:
    rows = list(csv.DictReader(io.StringIO(_run("--csv", "odd").stdout)))
    assert tuple(rows[0]) == FIELDS
    assert rows[0]["symbol"] == 'ODD,"-EQ'


def test_csv_prices_are_exact_and_absent_ones_empty() -> None:
    lines = _run("--csv", "NIFTY", "--limit", "2").stdout.split("\n")
    assert lines[1] == "NSE,Nifty 50,99926000,NIFTY,,,1,0.00,AMXIDX"
    assert lines[2] == "NFO,NIFTY28OCT2524400CE,58784,NIFTY,2025-10-28,24400.00,75,0.05,OPTIDX"


def test_json_is_an_array_of_objects_with_the_same_digits() -> None:
    text = _run("--json", "nifty", "24400", "CE").stdout
    assert json.loads(text) == [
        {
            "exchange": "NFO",
            "symbol": "NIFTY28OCT2524400CE",
            "token": "58784",
            "name": "NIFTY",
            "expiry": "2025-10-28",
            "strike": 24400,
            "lot_size": 75,
            "tick_size": 0.05,
            "kind": "OPTIDX",
        }
    ]
    assert '"strike": 24400.00, "lot_size": 75, "tick_size": 0.05' in text


def test_json_of_no_strike_is_null_and_of_odd_names_still_json() -> None:
    (found,) = json.loads(_run("--json", 'ODD,"').stdout)
    assert (found["symbol"], found["strike"]) == ('ODD,"-EQ', None)


def test_an_exchange_and_a_limit_narrow_the_list() -> None:
    def symbols(*arguments: str) -> list[Any]:
        return [one["symbol"] for one in json.loads(_run("--json", *arguments).stdout)]

    assert symbols("RELIANCE", "--exchange", "bse") == ["RELIANCE"]
    assert symbols("NIFTY", "--limit", "1") == ["Nifty 50"]


def test_nothing_found_names_the_nearest() -> None:
    result = _run("RELAINCE")
    assert isinstance(result.exception, UnknownSymbolError)
    assert "'RELAINCE'" in str(result.exception)
    assert str(result.exception.candidates[0]) == "NSE:RELIANCE-EQ"
    assert result.stdout == ""


def test_nothing_found_on_an_exchange_names_it() -> None:
    result = _run("RELIANCE", "--exchange", "MCX")
    assert isinstance(result.exception, UnknownSymbolError)
    assert "'MCX:RELIANCE'" in str(result.exception)
    assert result.exception.remedy == "type a part of its symbol or name, or leave --exchange out"
    assert str(result.exception.candidates[0]) == "NSE:RELIANCE-EQ"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("RELIANCE FUT", "contracts-unlisted"),
        ("NYSE:NIFTY", "exchange-unknown"),
        ("NSE_EQ|INE002A01018", "symbol-isin"),
        ("N" * 65, "symbol-too-long"),
    ],
)
def test_nothing_found_is_explained_as_every_command_does(text: str, kind: str) -> None:
    error = _run(text).exception
    assert isinstance(error, UnknownSymbolError)
    assert error.kind == kind
    assert "ticks find" not in remedy_of(error)


def test_that_a_company_was_renamed_is_reported_on_stderr() -> None:
    result = _run("ZOMATO")
    assert "ETERNAL-EQ" in result.stdout
    assert result.stderr == "ticks: ZOMATO is ETERNAL now\n"


@pytest.mark.parametrize("exchange", ["MOON", "0", ""])
def test_an_unknown_exchange_is_a_usage_error(exchange: str) -> None:
    result = _run("x", "--exchange", exchange)
    assert result.exit_code == 2
    assert f"{exchange!r} is not an exchange" in result.output


def test_an_empty_text_is_a_usage_error() -> None:
    assert isinstance(_run("  ").exception, UsageError)


def test_a_plain_address_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKS_INSTRUMENTS_URL", "http://example.org/master.json")
    assert isinstance(_run("NIFTY").exception, UsageError)


def test_without_a_master_and_a_copy_the_broker_is_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TICKS_INSTRUMENTS_URL", "http://127.0.0.1:9/master.json")
    assert isinstance(_run("NIFTY").exception, InstrumentMasterError)


def _shown_on_terminal(*arguments: str, columns: int) -> list[str]:
    program = "import typer; from ticks.cli.commands.find import find; typer.run(find)"
    controller, terminal = pty.openpty()
    surroundings = os.environ | {"COLUMNS": str(columns), "TERM": "dumb"}
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=terminal,
        stderr=subprocess.PIPE,
        env=surroundings,
    ) as process:
        os.close(terminal)
        shown = _read_all(controller)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0
    return shown.splitlines()


def test_a_terminal_gets_a_table_that_shows_names_as_they_are() -> None:
    lines = _shown_on_terminal("[bold]", columns=80)
    assert lines[0].split()[:3] == ["exchange", "symbol", "token"]
    assert set(lines[1]) == {"─"}
    assert lines[2].split() == ["NSE", "[bold]-EQ", "8", "[bold]", "1", "0.05"]


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        (200, ("exchange", "symbol", "token", "name", "expiry", "strike", "lot", "size", "tick")),
        (80, ("exchange", "symbol", "token", "expiry", "strike", "lot", "size", "kind")),
        (72, ("exchange", "symbol", "token", "expiry", "strike", "kind")),
        (40, ("exchange", "symbol", "token")),
        (10, ("exchange", "symbol")),
    ],
)
def test_a_narrow_terminal_does_without_fields_but_has_the_whole_symbol(
    columns: int, fields: tuple[str, ...]
) -> None:
    lines = _shown_on_terminal("24400", columns=columns)
    assert tuple(lines[0].split())[: len(fields)] == fields
    assert columns == 200 or len(lines[0].split()) == len(fields)
    for line, symbol in zip(lines[2:], ("NIFTY28OCT2524400CE", "NIFTY28OCT2524400PE"), strict=True):
        assert symbol in line
        assert len(line) <= max(columns, 29)


def test_an_escape_in_a_name_reaches_neither_a_terminal_nor_the_data() -> None:
    for arguments in (("escaped",), ("escaped", "--csv"), ("escaped", "--json")):
        assert "\x1b" not in "".join(_shown_on_terminal(*arguments, columns=80))
        assert "\x1b" not in _run(*arguments).stdout


@pytest.mark.parametrize("line", examples_of(load("find").help or ""))
def test_the_examples_have_answers(line: str) -> None:
    _, _, *arguments = shlex.split(line)
    result = _run(*arguments, "--demo")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 1


def _read_all(descriptor: int) -> str:
    """What a terminal was sent, until the other side closes it."""
    parts: list[bytes] = []
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except OSError:  # Linux says EIO where others say the end
        pass
    os.close(descriptor)
    return b"".join(parts).decode()
