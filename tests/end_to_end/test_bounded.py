"""What a stream holds after many losses is what it held after a few.

    python tests/end_to_end/test_bounded.py 500 2000 5000

prints what it holds after so many losses. All objects that can be reached from it are counted, by
type. Not counted are the texts that the encoder remembers: they grow with what the market sends, up
to limits of their own (rows/texts.py); they are printed beside the others.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TypeGuard

import pytest

from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.config import Config
from ticks.adapter.feed.lifecycle import Policy
from ticks.adapter.instrument import Instrument
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.recorder import Limits, Recorder
from ticks.adapter.rows import texts
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
        if id(each) in seen or _is_text_memory(each) or isinstance(each, ModuleType | type):
            continue
        seen.add(id(each))
        found[type(each).__name__] += 1
        if isinstance(each, FunctionType):
            waiting += each.__closure__ or ()
        else:
            waiting += gc.get_referents(each)
    return found


@contextmanager
def recording(faults: Sequence[str], folder: Path) -> Iterator[Callable[[int], Counter[str]]]:
    """A stream into a file, whose link is lost again and again; yields what it holds after so many
    losses."""
    with Simulator(rate=100, keep_packets=False, accepts_code_once=False) as simulator:
        config = Config.from_env({**simulator.environment(), "TICKS_HOME": str(folder / "home")})
        broker = BrokerAdapter(
            config.authenticator(_ignore),
            feed_url=config.endpoints.feed_url,
            policy=AT_ONCE,
            calendar=MarketCalendar(is_always_open=True),
        )
        broker.subscribe(INSTRUMENTS, Mode.QUOTE)
        sink = open_sink(
            str(folder / "ticks.csv"), Csv(Mode.QUOTE), symbols=broker.symbols, note=_ignore
        )
        recorder = Recorder(broker, [sink], Limits())
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

        try:
            yield held_after
        finally:
            recorder.stop()
            runner.join(20)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "faults",
    [["0s:drop"], ["0s:close:1001"], ["connect:refuse:503", "0s:drop"], ["0s:expire"]],
    ids=lambda faults: faults[0],
)
def test_hundreds_of_losses_leave_no_objects_behind(faults: list[str], tmp_path: Path) -> None:
    with recording(faults, tmp_path) as held_after:
        few, many = held_after(FEW), held_after(MANY)
    assert many.total() - few.total() < MOST_MORE, many - few


def main() -> None:
    before: Counter[str] | None = None
    with tempfile.TemporaryDirectory() as folder, recording(["0s:drop"], Path(folder)) as after:
        for losses in map(int, sys.argv[1:]):
            now = after(losses)
            known = sum(len(each) for each in gc.get_objects() if _is_text_memory(each))
            more = "" if before is None else f", more are {dict(now - before)}"
            print(f"{losses:,} losses: {now.total():,} objects, {known:,} texts{more}", flush=True)
            before = now


def _is_text_memory(each: object) -> TypeGuard[dict[object, str]]:
    return isinstance(each, dict) and type(each).__module__ == texts.__name__


def _ignore(_line: str) -> None:
    pass


if __name__ == "__main__":
    main()
