"""Completion of symbols: from the copy of the master, or nothing at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ticks.adapter.instrument import INDEX_KIND
from ticks.adapter.instruments.index import Row, new_index
from ticks.cli.symbols import answer, beginning_with

ROWS: list[Row] = [
    (1, "99926000", "Nifty 50", "NIFTY", INDEX_KIND, "", None, 1, 5, False),
    (1, "99926009", "Nifty Bank", "BANKNIFTY", INDEX_KIND, "", None, 1, 5, False),
    (1, "2885", "RELIANCE-EQ", "RELIANCE", "", "", None, 1, 5, False),
    (3, "500325", "RELIANCE", "RELIANCE", "", "", None, 1, 5, False),
    (1, "3045", "SBIN-EQ", "SBIN", "", "", None, 1, 5, False),
    (2, "1", "NIFTY28OCT25FUT", "NIFTY", "FUTIDX", "2025-10-28", None, 75, 5, False),
    (2, "2", "NIFTY28OCT2524400CE", "NIFTY", "OPTIDX", "2025-10-28", 2440000, 75, 5, False),
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TICKS_HOME", str(tmp_path))
    with new_index(tmp_path / "instruments.sqlite") as draft:
        draft.fill(ROWS, url="https://example.org/master.json", fetched_ns=1)
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "symbols"),
    [
        ("RELI", ["RELIANCE-EQ", "RELIANCE"]),
        ("reliance-", ["RELIANCE-EQ"]),
        ("bse:rel", ["bse:RELIANCE"]),
        ("NSE:REL", ["NSE:RELIANCE-EQ"]),
        ("NIF", ["NIFTY", "Nifty Bank", "NIFTY28OCT2524400CE", "NIFTY28OCT25FUT"]),
        ("bank", ["BANKNIFTY"]),
        ("nifty b", ["Nifty Bank"]),
        ("", ["NIFTY", "BANKNIFTY"]),
        ("XYZ", []),
        ("NYSE:REL", []),
    ],
)
def test_a_beginning_finds_its_symbols_in_any_case(typed: str, symbols: list[str]) -> None:
    assert list(beginning_with(typed)) == symbols


def test_a_name_that_would_change_the_terminal_is_not_offered(home: Path) -> None:
    with new_index(home / "instruments.sqlite") as draft:
        rows: list[Row] = [(1, "7", "ODD\x1b[2J-EQ", "ODD", "", "", None, 1, 5, False), *ROWS]
        draft.fill(rows, url="https://example.org/master.json", fetched_ns=1)
    assert list(beginning_with("ODD")) == []


def test_the_answer_is_a_line_a_symbol(capfd: pytest.CaptureFixture[str]) -> None:
    answer(["sbi"])
    assert capfd.readouterr() == ("SBIN-EQ\n", "")


def test_without_a_copy_there_is_no_word(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for content in (b"not a database", None):
        (home / "instruments.sqlite").unlink()
        if content is not None:
            (home / "instruments.sqlite").write_bytes(content)
        answer(["NIF"])
        assert capfd.readouterr() == ("", "")


def test_the_rest_of_the_program_is_not_loaded(home: Path) -> None:
    program = (
        "import sys; from ticks.cli.__main__ import main\n"
        "sys.argv[1:] = ['__symbols', 'sbi']; main(); print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "SBIN-EQ\n"
    assert {"typer", "rich", "msgspec", "ticks.cli.app"}.isdisjoint(ran.stderr.split())


def test_an_output_that_fails_is_silent_too(home: Path) -> None:
    command = [sys.executable, "-m", "ticks.cli", "__symbols", "NIF"]
    with Path("/dev/full").open("wb") as nowhere:
        ran = subprocess.run(command, stdout=nowhere, stderr=subprocess.PIPE, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
