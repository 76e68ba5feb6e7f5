"""Several sinks are written as one, whatever happens to one of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ticks.adapter.errors import OutputError, ReaderLeftError
from ticks.adapter.sinks.sink import FanOut, open_all


class FakeSink:
    """Fails at a flush with `fault`."""

    def __init__(self, name: str, fault: OutputError | None = None) -> None:
        self.name = name
        self.rows = self.bytes_written = 0
        self.is_closed = False
        self._fault = fault

    def flush(self) -> None:
        if self._fault is not None:
            raise self._fault
        self.rows += 1

    def close(self) -> None:
        self.is_closed = True


def test_a_sink_that_fails_is_out_and_the_first_failure_is_kept() -> None:
    first, second = OutputError("first"), OutputError("second")
    sinks = [FakeSink("a", first), FakeSink("b"), FakeSink("c", second)]
    outputs = FanOut(sinks)
    outputs.flush()
    outputs.flush()
    outputs.close()
    assert outputs.failure is first
    assert [sink.is_closed for sink in sinks] == [False, True, False]
    assert [figures.rows for figures in outputs.figures()] == [0, 2, 0]
    assert not outputs.is_over


def test_a_reader_that_left_is_reported_and_the_others_go_on() -> None:
    left: list[str] = []
    outputs = FanOut([FakeSink("a", ReaderLeftError("")), FakeSink("b")], reader_left=left.append)
    outputs.flush()
    assert (left, outputs.failure, outputs.is_over) == (["a"], None, False)


def test_the_run_is_over_when_the_reader_of_the_only_output_left() -> None:
    left: list[str] = []
    outputs = FanOut([FakeSink("a", ReaderLeftError(""))], reader_left=left.append)
    outputs.flush()
    assert (left, outputs.failure, outputs.is_over) == ([], None, True)


def test_a_run_without_outputs_is_not_over() -> None:
    outputs: FanOut[FakeSink] = FanOut(())
    outputs.flush()
    assert not outputs.is_over


def test_outputs_are_opened_all_or_none() -> None:
    opened = [FakeSink("a"), FakeSink("b")]

    def fails() -> FakeSink:
        raise OutputError("taken")

    openers: list[Callable[[], FakeSink]] = [lambda: opened[0], lambda: opened[1], fails]
    with pytest.raises(OutputError, match="taken"):
        open_all(openers)
    assert [sink.is_closed for sink in opened] == [True, True]
