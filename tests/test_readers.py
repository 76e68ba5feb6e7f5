"""What a recording is to pandas, polars and DuckDB; the recipes of docs/recordings.md are run."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from ticks.adapter.clock import IST
from ticks.adapter.rows.candle_text import COLUMNS as CANDLE_COLUMNS
from ticks.adapter.rows.columns import columns
from ticks.adapter.tick import Mode

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
MINUTE = Path(__file__).parent / "data" / "demo-minute"
PAGE = (ROOT / "docs" / "recordings.md").read_text(encoding="utf-8")
TICKS = str(Path(sys.executable).with_name("ticks"))
TIMES = ("received_at", "exchange_time", "last_trade_time")
TEXTS = ("exchange", "symbol", "token", "mode")
MODES = pytest.mark.parametrize("mode", [Mode.LTP, Mode.QUOTE, Mode.SNAP], ids=lambda m: m.label)


RECIPES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def kind_of(column: str) -> str:
    """time, text, price or number: what the column is by docs/row-format.md."""
    if column in TIMES:
        return "time"
    if column in TEXTS:
        return "text"
    is_count = re.search(r"quantity|orders|sequence|volume|interest|percent", column)
    return "number" if is_count else "price"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `day.csv` and `events.jsonl` lie."""
    shutil.copy(MINUTE / "quote.csv", tmp_path / "day.csv")
    shutil.copy(MINUTE / "events.jsonl", tmp_path / "events.jsonl")
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- types ---------------------------------------------------------------------------------------


@MODES
def test_pandas_reads_times_texts_and_numbers(mode: Mode) -> None:
    times = [column for column in TIMES if column in columns(mode)]
    ticks = pd.read_csv(MINUTE / f"{mode.label}.csv", parse_dates=times, dtype={"token": "string"})
    assert tuple(ticks.columns) == columns(mode)
    assert len(ticks) == 122
    for column in columns(mode):
        kind, dtype = kind_of(column), ticks[column].dtype
        if kind == "time":
            assert ticks[column].dt.tz.utcoffset(None) == timedelta(hours=5, minutes=30)
        elif kind == "text":
            assert pd.api.types.is_string_dtype(dtype)
        else:
            assert pd.api.types.is_numeric_dtype(dtype), column


@MODES
def test_polars_reads_times_texts_and_exact_prices(mode: Mode) -> None:
    prices = [column for column in columns(mode) if kind_of(column) == "price"]
    overrides: dict[str, Any] = {"token": pl.String, **dict.fromkeys(prices, pl.Decimal(18, 2))}
    path = MINUTE / f"{mode.label}.csv"
    ticks = pl.read_csv(path, try_parse_dates=True, schema_overrides=overrides)
    for column, dtype in ticks.schema.items():
        kind = kind_of(column)
        assert kind != "time" or dtype == pl.Datetime("us", "UTC")
        assert kind != "text" or dtype == pl.String
        assert kind != "number" or dtype.is_numeric()
    with path.open(newline="") as file:
        expected = [Decimal(row["ltp"]) for row in csv.DictReader(file)]
    assert ticks["ltp"].to_list() == expected


@MODES
def test_duckdb_reads_times_texts_and_numbers(mode: Mode) -> None:
    path = MINUTE / f"{mode.label}.csv"
    ticks = duckdb.sql(f"FROM read_csv('{path}', types = {{'token': 'VARCHAR'}})")
    for column, dtype in zip(ticks.columns, ticks.types, strict=True):
        kind = kind_of(column)
        assert kind != "time" or str(dtype) == "TIMESTAMP WITH TIME ZONE", column
        assert kind != "text" or str(dtype) == "VARCHAR", column
        assert kind not in ("price", "number") or str(dtype) in ("DOUBLE", "BIGINT"), column


@MODES
def test_json_lines_hold_the_same_to_all_three(mode: Mode) -> None:
    path = MINUTE / f"{mode.label}.jsonl"
    as_csv = pd.read_csv(MINUTE / f"{mode.label}.csv")
    names = ("sequence", "ltp", "symbol", *(["bids"] if mode is Mode.SNAP else []))
    by_duckdb = duckdb.sql(f"FROM read_json('{path}')").select(*names).fetchall()
    for ticks in (
        pd.read_json(path, lines=True, dtype={"token": str}),
        pl.read_ndjson(path).to_dict(as_series=False),
        dict(zip(names, zip(*by_duckdb, strict=True), strict=True)),
    ):
        for column in ("sequence", "ltp", "symbol"):
            assert list(ticks[column]) == list(as_csv[column])
        if mode is Mode.SNAP:
            best = [levels[0]["price"] for levels in ticks["bids"] if levels[0]]
            assert best == list(as_csv["bid1_price"].dropna())


@pytest.fixture(scope="module", params=[False, True], ids=["decimals", "doubles"])
def parquet_files(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, bool]:
    """A folder with the minute in each mode as Parquet, and whether its prices are doubles."""
    folder = tmp_path_factory.mktemp("parquet")
    options = ["--float-prices"] if request.param else []
    for mode in ("ltp", "quote", "snap"):
        source, target = MINUTE / f"{mode}.csv", folder / f"{mode}.parquet"
        command = [TICKS, "replay", str(source), "--parquet", str(target), *options]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    return folder, request.param


@MODES
def test_parquet_holds_the_same_to_all_three(parquet_files: tuple[Path, bool], mode: Mode) -> None:
    folder, has_floats = parquet_files
    path = folder / f"{mode.label}.parquet"
    with (MINUTE / f"{mode.label}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    by_pandas, by_polars = pd.read_parquet(path), pl.read_parquet(path)
    by_duckdb = duckdb.sql(f"FROM '{path}'")
    assert tuple(by_pandas.columns) == tuple(by_polars.columns) == columns(mode)
    assert tuple(by_duckdb.columns) == columns(mode)
    duckdb_rows = dict(zip(columns(mode), zip(*rows_of_texts(by_duckdb), strict=True), strict=True))
    for column in columns(mode):
        kind = kind_of(column)
        expected = [as_value(kind, row[column], has_floats) for row in rows]
        assert [None if pd.isna(v) else v for v in by_pandas[column]] == expected, column
        assert by_polars[column].to_list() == expected, column
        assert [as_value(kind, v, has_floats) for v in duckdb_rows[column]] == expected, column
        if kind == "price":
            dtype = by_polars.schema[column]
            assert dtype == (pl.Float64 if has_floats else pl.Decimal(19, 2))
        if kind == "time":
            assert by_polars.schema[column] == pl.Datetime("us", "Asia/Kolkata")
            assert str(by_pandas[column].dtype) == "datetime64[us, Asia/Kolkata]"


def as_value(kind: str, cell: str, has_floats: bool) -> object:
    """What a reader gives for a cell of CSV."""
    if cell == "":
        return None
    if kind == "time":
        return datetime.fromisoformat(cell)
    if kind == "price":
        return float(cell) if has_floats else Decimal(cell)
    return cell if kind == "text" else float(cell)


def rows_of_texts(table: duckdb.DuckDBPyRelation) -> list[tuple[str, ...]]:
    """Every value as text, times as ISO 8601: DuckDB's own times need another library."""
    duckdb.sql("SET TimeZone = 'Asia/Kolkata'")
    cells = (
        f"coalesce(strftime(\"{name}\", '%Y-%m-%dT%H:%M:%S.%f+05:30'), '')"
        if "TIME ZONE" in str(dtype)
        else f"coalesce(\"{name}\"::VARCHAR, '')"
        for name, dtype in zip(table.columns, table.types, strict=True)
    )
    return table.project(", ".join(cells)).fetchall()


# --- the recipes ---------------------------------------------------------------------------------


def candles_of_the_tool(folder: Path) -> list[tuple[object, ...]]:
    command = [TICKS, "replay", "day.csv", "--candles", "1m", "--csv", "bars.csv"]
    subprocess.run(command, check=True, cwd=folder, capture_output=True, timeout=30)
    with (folder / "bars.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CANDLE_COLUMNS
    return sorted(
        (
            row["symbol"],
            datetime.fromisoformat(row["bar_time"]),
            *(float(row[name]) for name in ("open", "high", "low", "close")),
            int(row["volume"]),
            int(row["ticks"]),
        )
        for row in rows
    )


def rows_of(table: Any) -> list[tuple[Any, ...]]:
    """The rows of a frame or relation, its indices among them, prices as floats."""
    if isinstance(table, pl.DataFrame):
        rows = table.rows()
    elif isinstance(table, pd.DataFrame):
        flat = table.reset_index() if table.index.names[0] else table
        rows = [tuple(row) for row in flat.itertuples(index=False)]
    else:
        rows = [tuple(map(as_time, row)) for row in without_time_zones(table).fetchall()]
    return sorted(
        tuple(float(cell) if isinstance(cell, Decimal) else cell for cell in row) for row in rows
    )


def without_time_zones(table: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Its times as text: DuckDB hands them to Python with the help of another library only."""
    zoned = "TIMESTAMP WITH TIME ZONE"
    cells = (
        f"strftime(\"{name}\", 'at %Y-%m-%dT%H:%M:%S.%f+05:30')" if str(dtype) == zoned else name
        for name, dtype in zip(table.columns, table.types, strict=True)
    )
    return table.project(", ".join(cells))


def as_time(cell: Any) -> Any:
    is_time = isinstance(cell, str) and cell.startswith("at ")
    return datetime.fromisoformat(cell[3:]) if is_time else cell


@pytest.mark.parametrize("number", range(3), ids=["pandas", "polars", "duckdb"])
def test_a_recipe_gives_candles_blind_spans_and_joined_symbols(folder: Path, number: int) -> None:
    names: dict[str, Any] = {}
    exec(RECIPES[number], names)  # noqa: S102
    assert rows_of(names["bars"]) == candles_of_the_tool(folder)
    spans = [(end - start) / timedelta(seconds=1) for start, end in rows_of(names["blind"])]
    assert spans == pytest.approx([1.824, 1.759], abs=0.001)
    pair = rows_of(names["pair"])
    assert len(pair) == 61
    first_at, nifty, reliance = pair[-1]
    assert first_at.astimezone(IST).date().isoformat() == "2026-11-23"
    assert (nifty, reliance) == (26000.75, 1498.95)


def test_the_columns_of_candles_are_named_on_the_page() -> None:
    assert " ".join(f"`{column}`" for column in CANDLE_COLUMNS) in PAGE
