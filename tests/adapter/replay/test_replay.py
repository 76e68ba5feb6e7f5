"""A recording is played at its pace or any other, in part or again, and every way it can end."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter.errors import OutputError, ReaderLeftError, RecordingError
from ticks.adapter.replay.replay import Replay, ReplayOptions
from ticks.adapter.replay.row_filter import RowFilter
from ticks.adapter.rows.block import RecordedBlock, RowBlock
from ticks.adapter.rows.format import Csv, Jsonl
from ticks.adapter.selection import Selection
from ticks.adapter.sinks.file import RowSink
from ticks.adapter.sinks.sink import FanOut
from ticks.adapter.tick import Mode

from ..rows.recordings import MemoryOutput, VirtualTime, csv_text, json_text

HOUR = range(3601)
CSV = Csv(Mode.LTP)


@pytest.fixture
def clock() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def output(clock: VirtualTime) -> MemoryOutput:
    return MemoryOutput(clock)


class Played:
    """A replay of some texts, made ready by `of`."""

    def __init__(self, folder: Path, clock: VirtualTime) -> None:
        self.damage: list[tuple[str, int, str]] = []
        self.progress: list[tuple[int, int | None]] = []
        self._folder = folder
        self._clock = clock

    def of(
        self,
        *texts: bytes,
        row_filter: RowFilter | None = None,
        keeps_instruments: bool = False,
        **options: Any,
    ) -> Replay:
        paths = []
        for number, text in enumerate(texts):
            path = self._folder / f"{number}.jsonl"
            path.write_bytes(text)
            paths.append(str(path))
        return Replay(
            ReplayOptions(tuple(paths), **options),
            row_filter or RowFilter(),
            clock=self._clock,
            waker=self._clock,
            on_damage=lambda *told: self.damage.append(told),
            progress=lambda *told: self.progress.append(told),
            keeps_instruments=keeps_instruments,
        )


@pytest.fixture
def played(tmp_path: Path, clock: VirtualTime) -> Played:
    return Played(tmp_path, clock)


def run(replay: Replay, output: MemoryOutput, *others: MemoryOutput) -> Any:
    row_format = replay.open().format
    return replay.run(FanOut([RowSink(row_format, each, {}) for each in (output, *others)]))


def seconds(flushed: Sequence[tuple[float, int]]) -> list[float]:
    return [at_s - 1000 for at_s, _ in flushed]


class Pausing(MemoryOutput):
    """An output that pauses the replay after so many rows, for 100 s."""

    def __init__(self, clock: VirtualTime, after_rows: int) -> None:
        super().__init__(clock)
        self.replay: Any = None
        self.seen_in_the_pause: list[Any] = []
        self._time = clock
        self._left = after_rows

    def take(self, text: bytes, rows: int, received_ns: int) -> None:
        super().take(text, rows, received_ns)
        self._left -= rows
        if self._left == 0:
            self._time.in_a_pause = self._resume
            self.replay.pause()

    def _resume(self) -> None:
        self._time.s += 100
        self.seen_in_the_pause.append(self.replay.snapshot())
        self.replay.resume()


# --- a pause -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"loops": True, "count": 20}])
def test_a_pause_shifts_what_follows_and_takes_no_part_in_the_speed(
    played: Played, clock: VirtualTime, how: dict[str, Any]
) -> None:
    output = Pausing(clock, 5)
    output.replay = played.of(csv_text(range(10)), **how)
    summary = run(output.replay, output)
    at = seconds(output.flushed_at)
    assert at[:6] == pytest.approx([0, 1, 2, 3, 4, 105])
    assert at[-1] - summary.seconds == pytest.approx(100)
    [paused] = output.seen_in_the_pause
    assert (paused.ticks, paused.seconds, paused.played_s) == (5, pytest.approx(4), 4)
    assert summary.played_s / summary.seconds == pytest.approx(1)


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_the_share_is_of_the_rows_given_out_whatever_was_read_ahead(
    played: Played, clock: VirtualTime, packed: Callable[[bytes], bytes]
) -> None:
    output = Pausing(clock, 5)
    output.replay = played.of(packed(csv_text(range(10))))
    assert run(output.replay, output).share == 1.0
    [paused] = output.seen_in_the_pause
    assert paused.share == pytest.approx(0.5, abs=0.01)


def test_at_full_speed_a_pause_holds_the_next_block(played: Played, clock: VirtualTime) -> None:
    output = Pausing(clock, 10)
    output.replay = played.of(csv_text(range(10)), csv_text(range(20, 30)), speed=None)
    summary = run(output.replay, output)
    assert seconds(output.flushed_at) == [0, 100]
    assert (summary.ticks, summary.seconds) == (20, 0)


@pytest.mark.parametrize("speed", [None, 1.0])
def test_a_stop_in_a_pause_gives_out_nothing_more(
    played: Played, clock: VirtualTime, speed: float | None
) -> None:
    output = Pausing(clock, 10)
    replay = played.of(csv_text(range(10)), csv_text(range(20, 30)), speed=speed)
    output.replay = replay
    output._resume = replay.stop  # type: ignore[method-assign]
    summary = run(replay, output)
    assert (summary.ticks, output.rows, replay.is_paused) == (10, 10, True)


# --- what is shown -------------------------------------------------------------------------------


def test_the_instruments_are_shown_where_they_are_wanted(
    played: Played, output: MemoryOutput, clock: VirtualTime
) -> None:
    texts = csv_text(range(10)), csv_text(range(5), token="2")
    assert run(played.of(*texts), output).instruments == ()
    replay = played.of(*texts, keeps_instruments=True)
    summary = run(replay, MemoryOutput(clock))
    assert summary.instruments_total == 2
    assert [(one.token, one.ticks, one.age_s) for one in summary.instruments] == [
        ("1", 10, 0.0),
        ("2", 5, 5.0),
    ]
    clock.s += 3
    assert [one.age_s for one in replay.snapshot().instruments] == [3.0, 8.0]
    assert len(replay.snapshot(Selection(1)).instruments) == 1


# --- pace ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("speed", "end_s"), [(1.0, 3600), (10.0, 360), (0.5, 7200)])
def test_an_hour_takes_an_hour_divided_by_the_speed_and_no_row_is_early_or_late(
    played: Played, output: MemoryOutput, speed: float, end_s: float
) -> None:
    summary = run(played.of(csv_text(HOUR), speed=speed), output)
    assert summary.seconds == pytest.approx(end_s, abs=1e-6)
    assert [rows for _, rows in output.flushed_at] == [second + 1 for second in HOUR]
    assert seconds(output.flushed_at) == pytest.approx([s / speed for s in HOUR], abs=1e-6)


@pytest.mark.slow
def test_work_that_takes_time_does_not_add_up(
    played: Played, output: MemoryOutput, clock: VirtualTime
) -> None:
    plain_take = output.take

    def slow_take(text: bytes, rows: int, received_ns: int) -> None:
        clock.s += 0.3
        plain_take(text, rows, received_ns)

    output.take = slow_take  # type: ignore[method-assign]
    run(played.of(csv_text(HOUR)), output)
    assert seconds(output.flushed_at)[-1] == pytest.approx(3600.3, abs=1e-6)


def test_a_replay_that_was_held_up_catches_up(
    played: Played, output: MemoryOutput, clock: VirtualTime
) -> None:
    plain_flush, is_held = output.flush, [True]

    def held_once() -> None:
        plain_flush()
        clock.s += 100.5 if is_held else 0
        is_held.clear()

    output.flush = held_once  # type: ignore[method-assign]
    run(played.of(csv_text(range(201))), output)
    assert [rows for _, rows in output.flushed_at[:3]] == [1, 101, 102]
    assert seconds(output.flushed_at)[-1] == pytest.approx(200, abs=1e-6)


def test_full_speed_waits_for_nothing(
    played: Played, output: MemoryOutput, clock: VirtualTime
) -> None:
    run(played.of(csv_text(HOUR), speed=None), output)
    assert (clock.waits, output.rows) == ([], 3601)


def test_silence_can_be_skipped(played: Played, output: MemoryOutput) -> None:
    text = csv_text([0, 1, 7200, 7201])
    assert run(played.of(text, skips_idle=True), output).seconds == pytest.approx(2)


# --- what is played ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("make", [csv_text, json_text])
@pytest.mark.parametrize("token", ["1", "33"])
def test_full_speed_gives_the_input_back_byte_for_byte(
    played: Played, output: MemoryOutput, make: Callable[..., bytes], token: str
) -> None:
    text = make(range(9000), token)
    replay = played.of(text, speed=None)
    header = replay.open().format.header
    replay.run(FanOut([RowSink(Jsonl() if make is json_text else CSV, output, {})]))
    assert header + output.text == text


def test_several_recordings_are_one_by_time(played: Played, output: MemoryOutput) -> None:
    replay = played.of(csv_text([1, 3], "1"), csv_text([2, 4], "2"), speed=None)
    replay.open()
    replay.run(FanOut([RowSink(CSV, output, {})]))
    assert [line.split(b",")[6] for line in output.text.splitlines()] == [b"1", b"2", b"3", b"4"]


def test_the_richest_recording_says_how_many_columns_there_are(played: Played) -> None:
    opening = played.of(csv_text([1]), json_text([2], mode=Mode.QUOTE)).open()
    assert opening == (CSV, Mode.QUOTE)


def test_a_choice_leaves_rows_out_and_the_summary_says_of_how_many(
    played: Played, output: MemoryOutput
) -> None:
    replay = played.of(
        csv_text([1, 2]) + csv_text([3], "2", header=False),
        row_filter=RowFilter(names={"TWO": ["TWO"]}),
        speed=None,
    )
    played_rows = run(replay, output)
    assert (played_rows.ticks, played_rows.read) == (1, 3)


@pytest.mark.parametrize("count", [1, 5, 3600])
def test_a_count_ends_it_at_exactly_so_many_rows(
    played: Played, output: MemoryOutput, count: int
) -> None:
    assert run(played.of(csv_text(HOUR), speed=None, count=count), output).ticks == count
    assert output.rows == output.text.count(b"\n") == count


def test_a_loop_begins_again_at_its_pace_until_the_count(
    played: Played, output: MemoryOutput
) -> None:
    summary = run(played.of(csv_text([0, 2]), loops=True, count=7), output)
    assert summary.ticks == 7
    assert seconds(output.flushed_at) == pytest.approx([0, 2, 2, 4, 4, 6, 6])


@pytest.mark.parametrize("speed", [2.0, None])
def test_what_was_played_counts_each_repetition_and_file(
    played: Played, output: MemoryOutput, speed: float | None
) -> None:
    looped = run(played.of(csv_text([0, 2]), loops=True, count=7, speed=speed), output)
    assert looped.played_s == 6
    days = [csv_text([0, 5]), csv_text([90_000, 90_004])]
    assert run(played.of(*days, skips_idle=True, speed=speed), output).played_s == 9
    assert run(played.of(csv_text([0, 10]), csv_text([4, 14]), speed=speed), output).played_s == 14


def test_a_loop_without_a_row_ends(played: Played, output: MemoryOutput) -> None:
    row_filter = RowFilter(names={"x": ["x"]})
    assert run(played.of(csv_text([1]), row_filter=row_filter, loops=True), output).ticks == 0


@pytest.mark.parametrize("text", [b"", csv_text([]), csv_text([]) + b"rubbish\n", b"{}\n"])
def test_a_recording_without_a_good_row_is_refused_before_anything_is_played(
    played: Played, text: bytes
) -> None:
    with pytest.raises(RecordingError, match="no row that can be read") as caught:
        played.of(csv_text([1]), text, speed=None).open()
    assert caught.value.kind == "recording-without-rows"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(played: Played, output: MemoryOutput) -> None:
    output.take = lambda *_: None  # type: ignore[method-assign]
    replay = played.of(csv_text(range(60_000)), csv_text(range(60_000), "2"), speed=None)
    tracemalloc.start()
    try:
        run(replay, output)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


# --- ends ----------------------------------------------------------------------------------------


def test_a_stop_ends_a_wait_and_nothing_more_is_played(
    played: Played, output: MemoryOutput, clock: VirtualTime
) -> None:
    replay = played.of(csv_text(HOUR))
    plain_wait = clock.wait

    def stopped_at_ten(timeout_s: float | None) -> bool:
        if len(clock.waits) == 9:
            replay.stop()
            return True
        return plain_wait(timeout_s)

    clock.wait = stopped_at_ten  # type: ignore[method-assign]
    assert run(replay, output).ticks == 10
    assert (output.rows, output.is_closed) == (10, True)
    assert clock.woken_after == 9


def test_damage_is_reported_counted_and_skipped(played: Played, output: MemoryOutput) -> None:
    rows = csv_text([1, 2, 3]).splitlines(keepends=True)
    replay = played.of(b"".join([*rows[:2], b"rubbish\n", *rows[2:], b"torn"]), speed=None)
    summary = run(replay, output)
    assert output.text == b"".join(rows[1:])
    assert [(Path(name).name, line) for name, line, _ in played.damage] == [
        ("0.jsonl", 3),
        ("0.jsonl", 6),
    ]
    assert summary.damaged == 2


def test_strictly_damage_ends_it_after_the_rows_before(
    played: Played, output: MemoryOutput
) -> None:
    text = csv_text([1, 2]) + b"rubbish\n" + csv_text([3], header=False)
    with pytest.raises(RecordingError, match=r"0\.jsonl, line 4: "):
        run(played.of(text, speed=None, is_strict=True), output)
    assert (output.rows, output.is_closed) == (2, True)


def test_an_output_that_fails_ends_it_after_the_others_are_written(
    played: Played, output: MemoryOutput, clock: VirtualTime
) -> None:
    full = MemoryOutput(clock)
    full.fails = OutputError("full")
    with pytest.raises(OutputError, match="full"):
        run(played.of(csv_text([1, 2])), full, output)
    assert (output.rows, output.is_closed) == (1, True)


def test_a_reader_that_leaves_ends_it_well(
    played: Played, output: MemoryOutput, clock: VirtualTime
) -> None:
    pipe = MemoryOutput(clock)
    pipe.fails = ReaderLeftError("gone")
    assert run(played.of(csv_text([1, 2])), pipe).ticks == 1


def test_a_reader_that_leaves_leaves_the_other_outputs_alone(
    played: Played, output: MemoryOutput, clock: VirtualTime
) -> None:
    pipe = MemoryOutput(clock)
    pipe.fails = ReaderLeftError("gone")
    assert run(played.of(csv_text([1, 2])), pipe, output).ticks == 2
    assert (output.rows, output.is_closed) == (2, True)


def test_a_missing_recording_is_reported_before_anything_is_played(tmp_path: Path) -> None:
    time = VirtualTime()
    options = ReplayOptions((str(tmp_path / "missing"),))
    with pytest.raises(RecordingError, match="cannot be read"):
        Replay(options, RowFilter(), clock=time, waker=time).open()


def test_a_snapshot_says_where_it_is(played: Played, output: MemoryOutput) -> None:
    text = csv_text(range(21))
    replay = played.of(text, speed=2.0)
    summary = run(replay, output)
    assert summary == replay.snapshot()
    assert summary.position == "2026-11-20T09:15:20.000000"
    assert (summary.speed, summary.damaged, summary.late) == (2.0, 0, 0)
    assert summary.bytes_read == summary.bytes_total == len(text)
    assert (summary.bytes_held, summary.share) == (0, 1.0)
    assert summary.outputs == (("memory", 21, 0),)
    assert (summary.ticks, summary.read, summary.seconds) == (21, 21, 10.0)
    assert played.progress[-1] == (len(text), len(text))


def test_rows_that_come_without_text_are_written_before_they_fill_the_memory(
    played: Played, output: MemoryOutput
) -> None:
    """Two inputs whose blocks are packets, as those of Parquet files and of streams are."""
    texts = [csv_text(range(at, at + 100), header=False) for at in range(0, 3_000, 100)]
    rows = [RecordedBlock(list(RowBlock(CSV, text).recorded())) for text in texts]
    replay = played.of(csv_text(range(1)), csv_text(range(1)), speed=None)
    replay.open()
    replay._opened = [iter(rows), iter(())]
    replay.run(FanOut([RowSink(CSV, output, {})]))
    assert [count for _, count in output.flushed_at][-1] == 3_000
    assert len(output.flushed_at) > 3
