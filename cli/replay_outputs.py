"""Where a replay goes: rows, candles or a conversion, to files, to stdout, or nowhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypedDict

from ..adapter.files.event_file import read_history
from ..adapter.files.outputs import Note, ViewOutput, open_output
from ..adapter.files.parquet import open_parquet
from ..adapter.market_table import calendar_of
from ..adapter.replay.replay import ReplayOptions, ReplayStart
from ..adapter.rows.candle_text import COLUMNS as CANDLE_COLUMNS
from ..adapter.rows.columns import columns as columns_of
from ..adapter.rows.format import Csv, Jsonl, TickFormat
from ..adapter.rows.view import CsvView
from ..adapter.sinks.blindness import Blindness
from ..adapter.sinks.candles import (
    BarPlan,
    open_recorded_candle_sink,
    recorded_candle_sink_into,
)
from ..adapter.sinks.file import RowSink
from ..adapter.sinks.sink import BlockSink, FanOut, open_all
from ..adapter.tick import Mode
from .options import paths
from .options.config_file import ConfigFile
from .terminal.console import Console

_MOST_DAMAGE_PRINTED = 10


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where a replay goes, and as what."""

    csv: str | None
    jsonl: str | None
    mode: Mode | None
    candles_s: int | None
    overwrites: bool
    syncs: bool
    parquet: str | None = None
    has_float_prices: bool = False
    keeps_pre_open: bool = False
    events: tuple[str, ...] = ()
    is_always_open: bool = False
    columns: Sequence[str] | None = None
    has_header: bool = True

    @property
    def use_stdout(self) -> bool:
        """Whether rows go there, asked for or not."""
        return "-" in (self.csv, self.jsonl) or self.csv is self.jsonl is self.parquet is None


class DamageReport:
    """Prints the first damaged rows; further ones are in the count of the summary."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed = 0

    def __call__(self, name: str, line_number: int, reason: str) -> None:
        self._printed += 1
        if self._printed <= _MOST_DAMAGE_PRINTED:
            self._console.print_line(f"{name}, line {line_number:,}: {reason}")
        elif self._printed == _MOST_DAMAGE_PRINTED + 1:
            self._console.print_line("further damaged rows are only counted")


class _Opening(TypedDict):
    """How every text output is opened."""

    note: Note
    overwrite: bool
    fsync: bool
    inputs: tuple[str, ...]


def _bar_plan(width_s: int, outputs: Outputs, console: Console) -> BarPlan:
    calendar = calendar_of(ConfigFile.of(os.environ), is_always_open=outputs.is_always_open)
    report = DamageReport(console)
    histories = [read_history(path, on_damage=report) for path in outputs.events]
    return BarPlan(
        width_s,
        calendar,
        lambda: Blindness(histories, calendar),
        keeps_pre_open=outputs.keeps_pre_open,
    )


def open_sinks(
    outputs: Outputs, opening: ReplayStart, settings: ReplayOptions, console: Console
) -> FanOut[BlockSink]:
    """All outputs, or none. Raises OutputError, UsageError."""
    mode = outputs.mode or opening.mode
    csv, parquet = Csv(mode), outputs.parquet
    view = _view(outputs, mode)
    how = _Opening(
        note=console.print_line,
        overwrite=outputs.overwrites,
        fsync=outputs.syncs,
        inputs=settings.paths,
    )
    plan = None if outputs.candles_s is None else _bar_plan(outputs.candles_s, outputs, console)

    def open_one(path: str, row_format: TickFormat) -> BlockSink:
        if plan is None:
            return RowSink(row_format, open_output(path, row_format, **how), {})
        return open_recorded_candle_sink(path, row_format, plan, **how)

    def open_conversion(path: str) -> BlockSink:
        output = open_parquet(
            path,
            mode,
            has_floats=outputs.has_float_prices,
            overwrite=outputs.overwrites,
            inputs=settings.paths,
        )
        return RowSink(csv, output, {})

    texts = _text_outputs(outputs, csv, opening.format, owns_stdout=console.owns_stdout)
    openers = [partial(open_one, *each) for each in texts]
    if view is not None:
        openers[0] = partial(_shown_sink, view, csv, plan, console)
    if parquet is not None:
        openers.append(partial(open_conversion, parquet))
    return FanOut(
        open_all(openers),
        reader_left=lambda name: console.print_line(
            f"the reader of {name} has left; the others go on"
        ),
    )


def _text_outputs(
    outputs: Outputs, csv: Csv, recorded: TickFormat, *, owns_stdout: bool
) -> list[tuple[str, TickFormat]]:
    """Where text goes, CSV first. Without any output asked for: stdout, in the format of the first
    recording, unless the dashboard has that terminal."""
    wanted: list[tuple[str, TickFormat]] = []
    if outputs.csv is not None:
        wanted.append((outputs.csv, csv))
    if outputs.jsonl is not None:
        wanted.append((outputs.jsonl, Jsonl()))
    if not (wanted or outputs.parquet or owns_stdout):
        is_json = isinstance(recorded, Jsonl) and outputs.candles_s is None
        wanted.append(("-", Jsonl() if is_json else csv))
    return wanted


def _shown_sink(view: CsvView, csv: Csv, plan: BarPlan | None, console: Console) -> BlockSink:
    """CSV on stdout, of which some columns are shown."""
    output = ViewOutput(view)
    if plan is None:
        return RowSink(csv, output, {})
    return recorded_candle_sink_into(output, csv, plan, note=console.print_line)


def _view(outputs: Outputs, mode: Mode) -> CsvView | None:
    whole = columns_of(mode) if outputs.candles_s is None else CANDLE_COLUMNS
    return paths.csv_view(outputs.columns, outputs.csv, whole, has_header=outputs.has_header)
