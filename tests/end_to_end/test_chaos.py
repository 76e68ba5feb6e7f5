"""A stream under a random sequence of faults: no loss unseen, blindness told, nothing left over.

    python tests/end_to_end/test_chaos.py --seconds 300 [--seed N]

runs it as long as you like; the suite runs a short one from a fixed seed and one from a fresh one.
The seed is printed: the same seed draws the same faults (the machine's timing stays its own).
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import tempfile
import threading
import time
from pathlib import Path

import pytest

from ticks.adapter.broker import BrokerAdapter
from ticks.adapter.config import Config
from ticks.adapter.feed.lifecycle import Policy
from ticks.adapter.files.recording import read_recording
from ticks.adapter.instrument import Instrument
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.recorder import Limits, Recorder, Summary
from ticks.adapter.rows.format import Csv
from ticks.adapter.simulator.journal import ConnectionLog
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.sinks.file import open_sink
from ticks.adapter.tick import Mode

INSTRUMENTS = (
    Instrument(1, "99926000", "Nifty 50", "NIFTY", kind="AMXIDX"),
    Instrument(1, "2885", "RELIANCE-EQ", "RELIANCE"),
    Instrument(3, "500325", "RELIANCE", "RELIANCE"),
)
QUICK = Policy(
    silence_after_s=0.6,
    check_every_s=0.2,
    heartbeat_every_s=0.2,
    link_dead_after_s=1.0,
    max_attempts=None,
    backoff_max_s=0.3,
    stable_after_s=0.3,
    rate_limit_wait_s=0.5,
)
FAULTS = (
    "0s:silence:{long}ms",
    "0s:silence:{short}ms",
    "0s:stall:{long}ms",
    "0s:stall:{short}ms",
    "0s:slow:{short}ms",
    "0s:drop",
    "0s:close:1001",
    "0s:close:1011",
    "0s:garbage",
    "0s:truncate",
    "0s:fragment",
    "0s:oversize",
    "0s:text:E1002",
    "0s:burst:500",
    "connect:refuse:503",
    "connect:refuse:429",
    "connect:drop",
    "connect:silence",
    "connect:close:1008",
    "connect:delay:{short}ms",
    "refresh:C",
    "refresh:A:AB1004",
)
TOKEN_FAULTS = ("connect:refuse:401", "connect:refuse:403", "0s:expire")
TOKEN_FAULTS_APART_S = 5.0
CUT_SHORT = {"drop", "oversize"}
HELD_BACK = {"stall", "slow"}
BLIND_TOLERANCE_S = 1.0


def injected(simulator: Simulator, draw: random.Random, seconds: float) -> list[str]:
    """Faults at random moments for so many seconds; those that were injected."""
    pause = threading.Event()
    end_s = time.monotonic() + seconds
    token_fault_at_s = time.monotonic()
    faults: list[str] = []
    while time.monotonic() < end_s:
        pause.wait(draw.uniform(0.1, 1.2))
        wants_tokens = draw.random() < 0.15
        template = draw.choice(TOKEN_FAULTS if wants_tokens else FAULTS)
        fault = template.format(short=draw.randrange(50, 400), long=draw.randrange(700, 2500))
        if wants_tokens:
            if time.monotonic() - token_fault_at_s < TOKEN_FAULTS_APART_S:
                continue
            token_fault_at_s = time.monotonic()
        for each in [fault, "0s:drop"] if wants_tokens else [fault]:
            simulator.inject(each)
            faults.append(each)
    return faults


def run_chaos(seed: int, seconds: float, folder: Path) -> tuple[Summary, list[str]]:
    """One run; raises AssertionError where a promise is broken."""
    draw = random.Random(seed)
    out = folder / "chaos.csv"
    notes: list[str] = []
    with Simulator(rate=100, seed=seed, keep_packets=True, accepts_code_once=False) as simulator:
        config = Config.from_env({**simulator.environment(), "TICKS_HOME": str(folder / "home")})
        sessions = config.authenticator(notes.append)
        threads, descriptors = set(threading.enumerate()), open_descriptors()
        broker = BrokerAdapter(
            sessions,
            feed_url=config.endpoints.feed_url,
            policy=QUICK,
            calendar=MarketCalendar(is_always_open=True),
        )
        broker.subscribe(INSTRUMENTS, Mode.QUOTE)
        sink = open_sink(str(out), Csv(Mode.QUOTE), symbols=broker.symbols, note=notes.append)
        recorder = Recorder(broker, [sink], Limits())
        runner = threading.Thread(target=recorder.run)
        runner.start()
        assert simulator.wait_until(lambda: simulator.journal.packet_count > 0)
        faults = injected(simulator, draw, seconds)
        settled = simulator.journal.packet_count
        assert simulator.wait_until(lambda: simulator.journal.packet_count > settled + 100, 30)
        recorder.stop()
        runner.join(20)
        assert not runner.is_alive()
        assert simulator.wait_until(lambda: not simulator.journal.open_connections())
        summary = recorder.summary()
        del recorder, broker
        gc.collect()
        assert set(threading.enumerate()) <= threads
        assert open_descriptors() <= descriptors
        logs = simulator.journal.connections
        struck = [
            (strike.fault.what, number)
            for strike in simulator.journal.injections
            for number in strike.connections
        ]
    recorded = [row.packet for row in read_recording(out)]
    assert summary.dropped == 0
    assert summary.ticks == len(recorded)
    check_delivery(logs, recorded, {number for what, number in struck if what in CUT_SHORT})
    assert summary.blind_s == pytest.approx(blind_s(logs, recorded), abs=BLIND_TOLERANCE_S)
    return summary, faults


def open_descriptors() -> int:
    """How many files and sockets this process holds."""
    return len(os.listdir("/proc/self/fd"))


def check_delivery(logs: list[ConnectionLog], recorded: list[bytes], cut_short: set[int]) -> None:
    """Each connection's packets in order and once: all where the socket stayed open, else up to
    some point."""
    position = 0
    for log in logs:
        sent = [each.packet for each in log.packets]
        got = delivered(sent, recorded, position)
        position += got
        is_whole = (
            log is not logs[-1]
            and log.ended_by in ("client", "server")
            and log.number not in cut_short
            and not any(span.what in HELD_BACK for span in log.spans)
        )
        assert not is_whole or got == len(sent), f"connection {log.number}: {got} of {len(sent)}"
    assert position == len(recorded), f"{len(recorded) - position} rows that nobody sent, or twice"


def delivered(sent: list[bytes], recorded: list[bytes], position: int) -> int:
    """How many of `sent` stand at `position` of what was recorded."""
    count = 0
    while count < len(sent) and position + count < len(recorded):
        if recorded[position + count] != sent[count]:
            break
        count += 1
    return count


def blind_s(logs: list[ConnectionLog], recorded: list[bytes]) -> float:
    """Seconds from the last packet before each loss to the first after it, as they were sent."""
    total_ns, last_ns, position = 0, None, 0
    for log in logs:
        sent = [each.packet for each in log.packets]
        got = delivered(sent, recorded, position)
        position += got
        if got == 0:
            continue
        if last_ns is not None:
            total_ns += log.packets[0].wall_ns - last_ns
        last_ns = log.packets[got - 1].wall_ns
    return total_ns / 1e9


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [20_261_123, None], ids=["fixed seed", "fresh seed"])
def test_under_random_faults_every_promise_holds(seed: int | None, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    print(f"seed {seed}")
    _, faults = run_chaos(seed, 10.0, tmp_path)
    assert len(faults) > 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int)
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        summary, faults = run_chaos(seed, asked.seconds, Path(folder))
    print(f"{len(faults)} faults: {summary}")


if __name__ == "__main__":
    main()
