"""Where the ticks of a stream go: rows or candles, to files, to stdout, to NATS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..adapter.broker import BrokerAdapter
from ..adapter.events import Rotated
from ..adapter.feed.lifecycle import Policy
from ..adapter.files.outputs import ViewOutput
from ..adapter.jetstream.address import NatsAddress, NatsOptions
from ..adapter.market.calendar import MarketCalendar
from ..adapter.rows.format import Csv, Jsonl, TickFormat
from ..adapter.rows.view import CsvView
from ..adapter.sinks.blindness import LiveBlindness
from ..adapter.sinks.candles import BarPlan, candle_sink_into, open_candle_sink
from ..adapter.sinks.file import RowSink, open_sink
from ..adapter.sinks.sink import PacketSink, open_all
from ..adapter.tick import Mode
from .extras import open_nats
from .terminal.console import Console

_HOLD_LONGER_S = 2.0
"""What a check takes at most to find a feed silent, once it is due."""


@dataclass(frozen=True, slots=True)
class StreamOutputs:
    """What is written where; None: not there. Candles take the place of rows."""

    mode: Mode
    csv: str | None
    jsonl: str | None
    view: CsvView | None
    overwrites: bool
    syncs: bool
    candles_s: int | None
    keeps_pre_open: bool
    nats: NatsAddress | None
    nats_options: NatsOptions


def opened_sinks(
    outputs: StreamOutputs,
    broker: BrokerAdapter,
    console: Console,
    policy: Policy,
    calendar: MarketCalendar,
) -> list[PacketSink]:
    """All outputs, or none: those opened before one that fails are closed again."""

    def plan() -> BarPlan:
        found_silent_s = policy.silence_after_s + policy.check_every_s
        return BarPlan(
            outputs.candles_s or 0,
            calendar,
            lambda: LiveBlindness(broker.events.reader(), calendar),
            keeps_pre_open=outputs.keeps_pre_open,
            hold_s=found_silent_s + _HOLD_LONGER_S,
        )

    def log_rotation(finished: str, rows: int, next_path: str) -> None:
        broker.events.add(Rotated(finished, rows, next_path))

    opened: Callable[[str, TickFormat], PacketSink] = partial(
        open_sink if outputs.candles_s is None else partial(open_candle_sink, plan=plan()),
        symbols=broker.symbols,
        overwrite=outputs.overwrites,
        fsync=outputs.syncs,
        note=console.print_line,
        rotated=log_rotation,
    )
    places: tuple[tuple[str | None, TickFormat], ...] = (
        (outputs.csv, Csv(outputs.mode)),
        (outputs.jsonl, Jsonl()),
    )
    openers: list[Callable[[], PacketSink]] = [
        partial(opened, path, row_format) for path, row_format in places if path is not None
    ]
    if outputs.view is not None:
        openers[0] = partial(_shown_sink, outputs, outputs.view, plan, broker, console)
    if outputs.nats is not None:
        open_stream = partial(
            open_nats, outputs.nats, outputs.nats_options, broker.symbols, console.print_line
        )
        openers.insert(0, open_stream)  # a server that is not there is found before a file is made
    sinks = open_all(openers)
    # Its acknowledgements are waited for when the files are closed.
    return sinks if outputs.nats is None else [*sinks[1:], sinks[0]]


def _shown_sink(
    outputs: StreamOutputs,
    view: CsvView,
    plan: Callable[[], BarPlan],
    broker: BrokerAdapter,
    console: Console,
) -> PacketSink:
    """CSV on stdout, of which some columns are shown."""
    output, ticks = ViewOutput(view), Csv(outputs.mode)
    if outputs.candles_s is None:
        return RowSink(ticks, output, broker.symbols)
    return candle_sink_into(output, ticks, plan(), symbols=broker.symbols, note=console.print_line)
