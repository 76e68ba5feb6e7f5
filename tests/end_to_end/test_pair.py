"""Two recorders of one list without a server, as docs/scaling.md has them under systemd."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from pages import blocks
from waits import until

from ticks.adapter.files.recording import read_recording
from ticks.adapter.simulator.simulator import Simulator

from .conftest import TICKS


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(rate=50, seed=11, accounts=2, accepts_code_once=False)


def command_of(instance: str, watch_list: Path) -> list[str]:
    """What the unit starts, with a program, a list and an end of this test's own."""
    units = ["\n".join(block.lines) for block in blocks("ini") if block.page == "docs/scaling.md"]
    (unit,) = [unit for unit in units if "recorder %i" in unit]
    found = re.search(r"(?m)^ExecStart=(.+)$", unit)
    assert found is not None
    line = found[1].replace("%i", instance).replace("%%", "%").replace(" --until close", "")
    _, *words = shlex.split(line)
    words[words.index("/etc/ticks/watch.txt")] = str(watch_list)
    return [TICKS, *words]


def packets(*paths: Path) -> Counter[bytes]:
    return Counter(row.packet for path in paths for row in read_recording(path))


def test_what_one_missed_the_other_has(
    simulator: Simulator, environ: dict[str, str], tmp_path: Path
) -> None:
    watch_list = tmp_path / "list.txt"
    watch_list.write_text("NIFTY\nRELIANCE\nSBIN\n", encoding="utf-8")

    def start(instance: str) -> subprocess.Popen[str]:
        account = simulator.environment(account="ab".index(instance))
        return subprocess.Popen(
            command_of(instance, watch_list),
            env={**environ, **account, "TICKS_HOME": str(tmp_path / f"home-{instance}")},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def file_of(instance: str) -> Path:
        (path,) = tmp_path.glob(f"{instance}-*.csv.gz")
        return path

    def size(instance: str) -> int:
        return sum(path.stat().st_size for path in tmp_path.glob(f"{instance}-*.csv.gz"))

    with simulator:
        pair = {instance: start(instance) for instance in "ab"}
        until(lambda: min(size("a"), size("b")) > 20_000)
        pair["a"].kill()  # as a machine that fails; systemd starts it again
        pair["a"].communicate()
        before = size("b")
        until(lambda: size("b") > before + 20_000)
        pair["a"] = start("a")
        before = size("a")
        until(lambda: size("a") > before + 20_000)
        for process in pair.values():
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
            assert process.returncode == 0
    a, b, day = file_of("a"), file_of("b"), tmp_path / "day.csv"
    merge = [TICKS, "replay", a.name, b.name, "--unique", "--speed", "max", "--csv", day.name]
    ran = subprocess.run(
        merge, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert packets(b) - packets(a), "the one that was killed missed nothing: no test"
    assert packets(day) == packets(a) | packets(b)
