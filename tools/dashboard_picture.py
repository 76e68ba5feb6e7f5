"""Draws the dashboard's pictures in the README from a real stream against a simulated broker.

python tools/dashboard_picture.py                                replaces docs/dashboard*.svg
python tools/dashboard_picture.py --seconds 2 --into FOLDER      a short one, elsewhere

The seed fixes the market; times and rates are those of the run, so each picture is a little
different. `dashboard.svg` is a feed that is well, `dashboard-waiting.svg` the same one after its
connection was reset and the broker turned the next attempt down, `dashboard-chain.svg` an option
chain.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path

from rich.console import Console

from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.clock import SystemClock
from ticks.adapter.config import Config
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.instruments import open_catalog
from ticks.adapter.instruments.chain import Chain
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.recorder import Limits, Recorder
from ticks.adapter.rows.format import Csv
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.sinks.file import open_sink
from ticks.adapter.snapshot import FeedSnapshot
from ticks.adapter.tick import Mode
from ticks.cli.view.dashboard import render, selection_of
from ticks.cli.view.view_state import ViewState

DOCS = Path(__file__).parent.parent / "docs"
TITLES = {
    "dashboard": "ticks stream --from watch.txt --csv day.csv",
    "dashboard-waiting": "ticks stream --from watch.txt --csv day.csv",
    "dashboard-chain": "ticks stream 'NIFTY chain 10' --mode snap --csv day.csv",
}
SYMBOLS = (
    *("NIFTY", "BANKNIFTY", "SENSEX", "RELIANCE", "HDFCBANK"),
    *("INFY", "TCS", "SBIN", "ITC", "BSE:RELIANCE"),
)
CHAIN = ("NIFTY chain 10",)
TABLE, CHAIN_VIEW = ViewState(has_keys=True), ViewState(has_keys=True, shows_chain=True)
WIDTH, HEIGHT = 80, 24
LOOK_EVERY_S = 0.25
LONGEST_WAIT_S = 30.0


@contextmanager
def streaming(
    symbols: Sequence[str], mode: Mode, view: ViewState
) -> Iterator[tuple[Simulator, Callable[[], FeedSnapshot]]]:
    """A stream of these to a file, and how it stands when it is looked at as `view` says."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder), Simulator(seed=7) as simulator:
        config = Config.from_env({**simulator.environment(), "TICKS_HOME": folder})
        broker = BrokerAdapter(
            config.authenticator(),
            feed_url=config.endpoints.feed_url,
            calendar=MarketCalendar(is_always_open=True),
        )
        url = config.endpoints.instruments_url
        chains: list[Chain] = []
        with open_catalog(config.paths, url, clock=SystemClock(), note=print) as catalog:
            broker.subscribe(catalog.resolve_all(symbols, follow=chains.append), mode)
        for chain in chains:
            broker.follow(chain, mode)
        sink = open_sink("day.csv", Csv(mode), symbols=broker.symbols, note=print)
        recorder = Recorder(broker, [sink], Limits())
        thread = threading.Thread(target=recorder.run)
        thread.start()
        try:
            yield simulator, lambda: recorder.snapshot(selection_of(view, WIDTH, HEIGHT))
        finally:
            recorder.stop()
            thread.join()


def look_until(
    look: Callable[[], FeedSnapshot],
    is_wanted: Callable[[FeedSnapshot], bool],
    longest_s: float = LONGEST_WAIT_S,
) -> FeedSnapshot:
    """The first snapshot that is wanted; looked at often, for the rates live from that."""
    pause = threading.Event()
    until_s = SystemClock().now_s() + longest_s
    while SystemClock().now_s() < until_s:
        snapshot = look()
        if is_wanted(snapshot):
            return snapshot
        pause.wait(LOOK_EVERY_S)
    raise SystemExit(f"the feed did not come so far within {longest_s:g} s")


def looks(seconds: float) -> Iterator[tuple[str, FeedSnapshot, ViewState]]:
    """The pictures' names and what they show: a feed that is well, one that waits, a chain."""
    with streaming(SYMBOLS, Mode.QUOTE, TABLE) as (simulator, look):
        for second in range(2, int(seconds), 3):
            simulator.inject(f"{second}s:burst:{30 + second * 17 % 50}")
        well = look_until(
            look,
            lambda snapshot: snapshot.uptime_s >= seconds and snapshot.never_ticked == 0,
            LONGEST_WAIT_S + seconds,
        )
        yield "dashboard", well, TABLE
        simulator.inject("connect:refuse:503")
        simulator.inject("0s:drop")
        waiting = look_until(
            look,
            lambda snapshot: (
                snapshot.phase is Phase.WAITING and snapshot.connections[0].attempt == 2
            ),
        )
        yield "dashboard-waiting", waiting, TABLE
    with streaming(CHAIN, Mode.SNAP, CHAIN_VIEW) as (_, look):
        chained = look_until(
            look,
            lambda snapshot: (
                snapshot.uptime_s >= seconds
                and snapshot.instruments_total > len(CHAIN)
                and snapshot.never_ticked == 0
            ),
            LONGEST_WAIT_S + seconds,
        )
        yield "dashboard-chain", chained, CHAIN_VIEW


def picture(name: str, snapshot: FeedSnapshot, view: ViewState) -> str:
    """The frame that a terminal of 80x24 would show, as SVG that loads nothing from elsewhere."""
    frame = render(snapshot, view, width=WIDTH, height=HEIGHT)
    console = Console(record=True, width=WIDTH, height=HEIGHT, file=io.StringIO())
    console.print(frame)
    svg = console.export_svg(title=TITLES[name], unique_id=name)
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draws the dashboard's pictures in the README.")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to stream before")
    parser.add_argument("--into", type=Path, default=DOCS, help="where they go (docs/)")
    asked = parser.parse_args()
    folder = asked.into.absolute()
    for name, snapshot, view in looks(asked.seconds):
        (folder / f"{name}.svg").write_text(picture(name, snapshot, view), encoding="utf-8")


if __name__ == "__main__":
    main()
