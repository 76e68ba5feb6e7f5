"""What a stream holds after many losses is what it held after a few.

All objects that are reachable from it are counted, by type. Not counted are the texts that the
encoder remembers: they grow with what the market sends, up to limits of their own (rows/encode.py).
"""

from __future__ import annotations

import gc
import threading
from collections import Counter
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.config import Config
from ticks.adapter.feed.lifecycle import Policy
from ticks.adapter.instrument import Instrument
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.recorder import Limits, Recorder
from ticks.adapter.rows import encode
from ticks.adapter.rows.format import Csv
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.sinks.file import open_sink
from ticks.adapter.tick import Mode

INSTRUMENTS = (
    Instrument(1, "99926000", "Nifty 50", "NIFTY", kind="AMXIDX"),
    Instrument(1, "2885", "RELIANCE-EQ", "RELIANCE"),
    Instrument(3, "500325", "RELIANCE", "RELIANCE"),
)
AT_ONCE = Policy(max_attempts=None, backoff_max_s=0.01, stable_after_s=0.0)
FEW, MANY = 110, 220
MOST_MORE = 50
"""Objects: what is under way at one moment and not at the other. One for each loss is 110."""


def held(*roots: object) -> Counter[str]:
    """The objects that can be reached, by type."""
    found: Counter[str] = Counter()
    waiting, seen = list(roots), set[int]()
    while waiting:
        each = waiting.pop()
        is_text_memory = type(each).__module__ == encode.__name__
        if id(each) in seen or is_text_memory or isinstance(each, ModuleType | type):
            continue
        seen.add(id(each))
        found[type(each).__name__] += 1
        if isinstance(each, FunctionType):
            waiting += each.__closure__ or ()
        else:
            waiting += gc.get_referents(each)
    return found


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "faults",
    [["0s:drop"], ["0s:close:1001"], ["connect:refuse:503", "0s:drop"], ["0s:expire"]],
    ids=lambda faults: faults[0],
)
def test_hundreds_of_losses_leave_no_objects_behind(faults: list[str], tmp_path: Path) -> None:
    with Simulator(rate=100, keep_packets=False, accepts_code_once=False) as simulator:
        config = Config.from_env({**simulator.environment(), "TICKS_HOME": str(tmp_path / "home")})
        sessions, calendar = config.authenticator(_ignore), MarketCalendar(is_always_open=True)
        broker = BrokerAdapter(
            sessions, feed_url=config.endpoints.feed_url, policy=AT_ONCE, calendar=calendar
        )
        broker.subscribe(INSTRUMENTS, Mode.QUOTE)
        ticks = open_sink(
            str(tmp_path / "ticks.csv"), Csv(Mode.QUOTE), symbols=broker.symbols, note=_ignore
        )
        recorder = Recorder(broker, [ticks], Limits())
        runner = threading.Thread(target=recorder.run)
        runner.start()

        def await_packet() -> None:
            at = simulator.journal.packet_count
            assert simulator.wait_until(lambda: simulator.journal.packet_count > at)

        def held_after(losses: int) -> Counter[str]:
            while broker.snapshot().reconnects < losses:
                await_packet()
                for fault in faults:
                    simulator.inject(fault)
                broker.events.take()
            looks = []
            for _ in range(3):  # a connect may be under way in one of them
                await_packet()
                recorder.snapshot()
                broker.events.take()
                looks.append(held(broker, recorder))
            return min(looks, key=Counter.total)

        few, many = held_after(FEW), held_after(MANY)
        recorder.stop()
        runner.join(20)
    assert many.total() - few.total() < MOST_MORE, many - few


def _ignore(_line: str) -> None:
    pass
