"""`ticks replay`: what cannot be played is refused."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.cli.commands.replay import replay

RECORDING = str(Path(__file__).parents[2] / "data" / "demo-minute" / "quote.csv")


def test_stdin_is_read_once() -> None:
    with pytest.raises(UsageError, match="twice"):
        replay(["-", "-"])
    with pytest.raises(UsageError, match="twice"):
        replay(["-"], candles=60, events=["-"])
    with pytest.raises(UsageError, match="only once"):
        replay(["-"], loop=True)


@pytest.mark.parametrize(
    ("start", "end"),
    [("15:30:00.000000", "09:15:00.000000"), ("2026-11-20T09:15:00.000000",) * 2],
)
def test_a_start_is_before_the_end(start: str, end: str) -> None:
    with pytest.raises(UsageError, match="is not before"):
        replay(["a.csv"], start=start, end=end)


def test_a_name_of_ones_own_is_what_it_stands_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKS_HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text('[aliases]\nmine = "NIFTY"\n')
    out = tmp_path / "out.csv"
    replay([RECORDING], symbols=["mine"], speed=inf, csv=str(out), quiet=True)
    symbols = {line.split(",")[3] for line in out.read_text().splitlines()[1:]}
    assert symbols == {"Nifty 50"}
