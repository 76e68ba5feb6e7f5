"""`ticks replay`: what cannot be played is refused."""

from __future__ import annotations

import pytest

from ticks.adapter.errors import UsageError
from ticks.cli.commands.replay import replay


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
