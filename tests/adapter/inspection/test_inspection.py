"""Files are read as one recording, with the events beside them."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from datetime import date, time
from pathlib import Path

import pytest

from ticks.adapter.errors import RecordingError
from ticks.adapter.history import GapKind
from ticks.adapter.inspection import inspection
from ticks.adapter.inspection.inspection import (
    MOST_DAMAGE_KEPT,
    InspectionOptions,
    Inspector,
    TradingHours,
)
from ticks.adapter.inspection.report import Inspection
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.tick import Mode

from ..files.test_parquet import converted
from .made import SECOND_US, START_US, Row, csv_lines, csv_of, json_of

FRIDAY = date(2026, 11, 20)
MINUTE = Path(__file__).parents[2] / "data" / "demo-minute"
GAP = [Row(n) for n in range(200) if not 50 < n < 100]


class Inspected:
    """Inspects some contents as files, or paths."""

    def __init__(self, folder: Path) -> None:
        self.notes: list[tuple[str, int, str]] = []
        self.progress: list[tuple[int, int | None]] = []
        self._folder = folder

    def of(
        self,
        *contents: bytes | Path,
        events: Sequence[bytes | Path] = (),
        calendar: MarketCalendar | None = None,
    ) -> Inspection:
        options = InspectionOptions(self._paths("r", contents), self._paths("e", events))
        found = Inspector(
            options,
            calendar or MarketCalendar(),
            note=lambda *note: self.notes.append(note),
            progress=lambda *bytes_read: self.progress.append(bytes_read),
        ).run()
        assert found is not None
        return found

    def _paths(self, name: str, contents: Sequence[bytes | Path]) -> tuple[str, ...]:
        paths = []
        for number, content in enumerate(contents):
            path = self._folder / f"{name}{number}"
            if isinstance(content, Path):
                path = content
            else:
                path.write_bytes(content)
            paths.append(str(path))
        return tuple(paths)


@pytest.fixture
def inspected(tmp_path: Path) -> Inspected:
    return Inspected(tmp_path)


def test_the_recorded_minute_has_two_blind_gaps(inspected: Inspected) -> None:
    for name in ("quote.csv", "quote.jsonl"):
        found = inspected.of(MINUTE / name, events=[MINUTE / "events.jsonl"])
        causes = [(gap.kind, gap.cause) for gap in found.gaps]
        assert causes == [(GapKind.BLIND, "network"), (GapKind.BLIND, "closed by server")], name
        assert (found.instruments, found.duplicates, found.damaged) == (2, 0, 0)
        assert not found.has_long_gap


@pytest.mark.parametrize(
    "content", [csv_of(GAP), json_of(GAP), gzip.compress(csv_of(GAP), mtime=0)]
)
def test_any_form_of_a_recording_is_inspected(inspected: Inspected, content: bytes) -> None:
    found = inspected.of(content)
    assert [(gap.from_us, gap.us) for gap in found.gaps] == [
        (START_US + 50 * SECOND_US, 50 * SECOND_US)
    ]
    assert (found.rows, found.has_long_gap, found.is_complete) == (151, True, True)


def test_a_parquet_recording_is_inspected(inspected: Inspected, tmp_path: Path) -> None:
    path = converted(tmp_path / "day.parquet", csv_lines(GAP), Mode.QUOTE)
    found = inspected.of(path)
    assert (found.rows, found.longest_gap_us, found.duplicates) == (151, 50 * SECOND_US, 0)
    assert inspected.of(path, csv_of(GAP)).duplicates == 151
    assert inspected.of(csv_of(GAP), path, json_of(GAP)).duplicates == 302


def test_several_recordings_are_one_in_the_order_of_time(inspected: Inspected) -> None:
    early, late = [Row(n) for n in range(0, 200, 2)], [Row(n) for n in range(1, 200, 2)]
    found = inspected.of(csv_of(late), json_of(early))
    assert (found.rows, found.back_received, found.longest_gap_us) == (200, 0, SECOND_US)
    assert inspected.of(csv_of(GAP[60:]), csv_of(GAP[:60])).back_received == 0


def test_of_two_recorders_gaps_only_what_both_missed_is_one(inspected: Inspected) -> None:
    first = [Row(n + 0.001) for n in range(200) if not 50 < n < 100]
    second = [Row(n + 0.002) for n in range(200) if not 60 < n < 160]
    found = inspected.of(csv_of(first), csv_of(second))
    ((start, end),) = [(gap.from_us, gap.to_us) for gap in found.gaps]
    assert (start, end) == (START_US + 60_002_000, START_US + 100_001_000)


def test_the_same_recording_twice_is_all_duplicates(inspected: Inspected) -> None:
    assert inspected.of(csv_of(GAP), csv_of(GAP)).duplicates == len(GAP)
    assert inspected.of(csv_of(GAP), json_of(GAP)).duplicates == len(GAP)
    assert inspected.of(csv_of([*GAP, *GAP])).duplicates == len(GAP)
    assert inspected.of(csv_of(GAP), csv_of(GAP, Mode.SNAP)).duplicates == len(GAP)


def test_damaged_rows_are_counted_and_the_first_are_named(inspected: Inspected) -> None:
    lines = csv_lines(Row(n) for n in range(100))
    for number in range(0, 40, 2):
        lines[number] = b"damaged\n"
    found = inspected.of(csv_of([]) + b"".join(lines) + b"torn")
    assert (found.rows, found.damaged, len(found.damage)) == (80, 21, MOST_DAMAGE_KEPT)
    assert found.damage[0].line == 2
    assert found.damage[0].reason == "1 cell, not 17"


def test_a_damaged_line_of_events_is_noted(inspected: Inspected) -> None:
    events = (MINUTE / "events.jsonl").read_bytes().replace(b'"event":"waiting"', b'"vent":0')
    inspected.of(MINUTE / "ltp.csv", events=[events])
    assert [line for _, line, _ in inspected.notes] == [5, 11]


@pytest.mark.parametrize(
    ("contents", "kind"),
    [
        ([csv_of([])], "recording-without-rows"),
        ([csv_of([]) + b"damaged\n"], "recording-without-rows"),
        ([csv_of(GAP), csv_of([])], "recording-without-rows"),
        ([b"anything else\n"], "not-a-recording"),
        ([b""], "not-a-recording"),
        ([Path("/nowhere/day.csv")], "recording-unreadable"),
    ],
)
def test_a_file_without_one_good_row_is_an_error(
    inspected: Inspected, contents: list[bytes | Path], kind: str
) -> None:
    with pytest.raises(RecordingError) as caught:
        inspected.of(*contents)
    assert caught.value.kind == kind


def test_a_row_at_the_end_of_the_calendar_is_named(inspected: Inspected) -> None:
    text = csv_of([Row(0)]).splitlines(keepends=True)
    last = b"9999-12-31T23:59:59" + text[1][19:]
    with pytest.raises(RecordingError, match="31 December 9999"):
        inspected.of(text[0] + text[1] + last)


def test_progress_is_reported_in_bytes(inspected: Inspected) -> None:
    content = csv_of(Row(n / 10) for n in range(30_000))
    inspected.of(content)
    assert len(inspected.progress) > 1
    assert all(total == len(content) for _, total in inspected.progress)


def test_a_demo_is_open_at_any_hour(inspected: Inspected) -> None:
    day_and_night = [Row(0), Row(12 * 3600), Row(12 * 3600 + 60)]
    demo = b'{"at":"2026-11-20T09:15:00+05:30","event":"summary","is_demo":true}\n'
    assert len(inspected.of(csv_of(day_and_night), events=[demo]).gaps) == 2
    always = MarketCalendar(is_always_open=True)
    assert len(inspected.of(csv_of(day_and_night), calendar=always).gaps) == 2


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """What is written here comes from stdin, which does not end."""
    reading, writing = os.pipe()
    monkeypatch.setattr("ticks.adapter.files.inputs.STDIN_FD", reading)
    yield writing
    os.close(writing)
    os.close(reading)


def test_a_pipe_that_is_stopped_reports_what_came(
    pipe: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "REPORT_EVERY", 1)
    os.write(pipe, csv_of(GAP))
    inspector = Inspector(
        InspectionOptions(("-",)),
        MarketCalendar(),
        note=lambda *_: None,
        progress=lambda *_: inspector.stop(),
    )
    found = inspector.run()
    assert found is not None
    assert (found.rows, found.is_complete, found.damaged) == (151, False, 0)
    assert found.files == ("stdin",)


def test_a_stop_is_not_delayed_by_text_without_a_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_of([]) + b"no row\n" * 100_000)
    inspector = Inspector(InspectionOptions((str(path),)), MarketCalendar(), note=lambda *_: None)
    seen: list[int] = []

    def damaged(name: str, line: int, reason: str) -> None:
        seen.append(line)
        inspector.stop()

    inspector._keep_damage = damaged  # type: ignore[method-assign]
    assert inspector.run() is None
    assert len(seen) < 50_000


def test_what_is_stopped_before_its_first_row_has_no_report(pipe: int) -> None:
    inspector = Inspector(InspectionOptions(("-",)), MarketCalendar(), note=lambda *_: None)
    inspector.stop()
    assert inspector.run() is None


# --- hours ----------------------------------------------------------------------------------------


def hours(exchange: str, symbol: str, token: str) -> tuple[time, time]:
    spans = TradingHours(MarketCalendar()).of_segments({(exchange, token): symbol})
    ((start, end),) = [
        tuple((us - START_US) / SECOND_US / 60 for us in span) for span in spans(exchange, FRIDAY)
    ]
    minutes = [round(9 * 60 + 15 + minute) for minute in (start, end)]
    return time(*divmod(minutes[0], 60)), time(*divmod(minutes[1], 60))


@pytest.mark.parametrize(
    ("exchange", "symbol", "token", "closes"),
    [
        ("NSE", "Nifty 50", "99926000", time(15, 30)),
        ("NSE", "RELIANCE-EQ", "2885", time(15, 15)),
        ("NFO", "NIFTY24NOV2624400CE", "43854", time(15, 40)),
        ("MCX", "GOLD05DEC26FUT", "1", time(23, 55)),
        ("MCX", "MENTHAOIL30NOV26FUT", "2", time(17, 0)),
        ("CDS", "USDINR26NOVFUT", "3", time(17, 0)),
    ],
)
def test_hours_are_those_of_the_instruments_in_the_recording(
    exchange: str, symbol: str, token: str, closes: time
) -> None:
    assert hours(exchange, symbol, token)[1] == closes


def test_a_segment_that_nobody_knows_has_no_sessions() -> None:
    of = TradingHours(MarketCalendar()).of_segments({("42", "1"): "X"})
    assert of("42", FRIDAY) == []
    whole = TradingHours(MarketCalendar()).of_instrument("42", "X", "1", FRIDAY)
    assert [end - start for start, end in whole] == [86_400 * SECOND_US]
