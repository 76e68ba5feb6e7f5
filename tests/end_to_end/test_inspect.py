"""`ticks inspect` as a user runs it: a bad morning is found, and its events explain it."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import TICKS, Ticks
from .test_bad_morning import MINUTE, simulated
from .window import Window

START = "2026-11-20T10:{minute:02}:{second:02}.000000+05:30"
HEADER = "received_at,exchange_time,exchange,symbol,token,mode,sequence,ltp\n"


def inspected(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the findings of `ticks inspect --json` in a folder."""
    ran = subprocess.run(
        [TICKS, "inspect", *arguments, "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr
    return ran.returncode, json.loads(ran.stdout)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a recording with a reset, and with a silence that nobody noticed."""
    import os

    folder = tmp_path_factory.mktemp("morning")
    stream = ("stream", "NIFTY", "RELIANCE", "--csv", "day.csv", "--events", "events.jsonl")
    ran = simulated(
        {**os.environ, "HOME": str(folder)},
        *("--rate", "20", "--fault", "2s:drop", "--fault", "6s:silence:2s"),
        *("--", TICKS, *stream, "--duration", "10s"),
    )
    assert ran.returncode == 0, ran.stderr
    return folder


def test_the_gaps_of_a_bad_morning_are_found_and_explained(morning: Path) -> None:
    code, found = inspected(morning, "day.csv", "--events", "events.jsonl", "--max-gap", "500ms")
    assert code == 1
    told = [json.loads(line) for line in (morning / "events.jsonl").read_text().splitlines()]
    (back,) = [event for event in told if event["event"] == "recovered"]
    blind, silent = found["gaps"]
    assert (blind["kind"], blind["cause"]) == ("blind", back["cause"])
    assert blind["seconds"] == pytest.approx(back["blind_s"], abs=0.2)
    assert (silent["kind"], silent["cause"]) == ("unexplained", None)
    assert silent["seconds"] == pytest.approx(2, abs=0.5)
    rows = (morning / "day.csv").read_text().splitlines()[1:]
    equal = len(rows) - len(set(rows))  # an index that stands still, read twice in one drain
    assert (found["rows"], found["damaged"], found["duplicates"]) == (len(rows), 0, equal)
    assert found["instruments"] == 2


def test_without_events_nothing_explains_them(morning: Path) -> None:
    code, found = inspected(morning, "day.csv", "--max-gap", "500ms")
    assert (code, {gap["kind"] for gap in found["gaps"]}) == (1, {"unexplained"})


def test_gaps_within_the_limit_are_not_a_failure(morning: Path) -> None:
    code, found = inspected(morning, "day.csv", "--events", "events.jsonl")
    assert (code, found["ok"]) == (0, True)
    assert "blind" in {gap["kind"] for gap in found["gaps"]}


def recording(seconds: set[int], microsecond: int = 0) -> str:
    """LTP rows of NIFTY at these seconds after ten."""
    rows = []
    for second in sorted(seconds):
        exchanged = f"2026-11-20T10:{second // 60:02}:{second % 60:02}"
        rows.append(
            f"{exchanged}.{microsecond:06}+05:30,{exchanged}.000+05:30,NSE,Nifty 50,99926000,"
            f"ltp,0,24150.{second % 100:02}\n"
        )
    return HEADER + "".join(rows)


def events(lost: int, back: int) -> str:
    """The history of a stream that was lost from one second to another."""
    facts: list[tuple[int, dict[str, Any]]] = [
        (0, {"event": "connected", "attempt": 0}),
        (lost, {"event": "lost", "cause": "network"}),
        (back, {"event": "recovered", "cause": "network", "blind_s": back - lost}),
    ]
    lines = [
        json.dumps({"at": START.format(minute=s // 60, second=s % 60), "connection": 1, **more})
        for s, more in facts
    ]
    return "\n".join(lines) + "\n"


def test_of_two_recorders_only_what_both_missed_is_blind(ticks: Ticks, tmp_path: Path) -> None:
    whole = set(range(600))
    (tmp_path / "a.csv").write_text(recording(whole - set(range(101, 200))))
    (tmp_path / "b.csv.gz").write_bytes(
        gzip.compress(recording(whole - set(range(151, 250)) - set(range(301, 400)), 5).encode())
    )
    (tmp_path / "a.jsonl").write_text(events(100, 200))
    (tmp_path / "b.jsonl").write_text(events(150, 250))
    both = ("a.csv", "b.csv.gz", "--events", "a.jsonl", "--events", "b.jsonl")
    code, found = inspected(tmp_path, *both)
    ((kind, seconds),) = [(gap["kind"], gap["seconds"]) for gap in found["gaps"]]
    assert (code, kind, seconds) == (1, "blind", pytest.approx(50))
    code, found = inspected(tmp_path, "b.csv.gz", "--events", "a.jsonl", "--events", "b.jsonl")
    assert [gap["kind"] for gap in found["gaps"]] == ["unexplained"] * 2
    code, found = inspected(tmp_path, "b.csv.gz", "--events", "b.jsonl")
    assert [gap["kind"] for gap in found["gaps"]] == ["blind", "unexplained"]


def test_a_recording_comes_through_a_pipe_as_well(ticks: Ticks) -> None:
    text = (MINUTE / "quote.csv").read_text()
    ran = ticks("inspect", "-", "--events", str(MINUTE / "events.jsonl"), stdin=text)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("✓ no gap longer than 30 s\nfiles    stdin\n")


def test_no_bar_is_drawn_over_what_the_writer_of_the_pipe_says(
    window: Window, environ: dict[str, str], tmp_path: Path
) -> None:
    header, *rows = (MINUTE / "quote.csv").read_bytes().splitlines(keepends=True)
    (tmp_path / "long.csv").write_bytes(header + b"".join(rows) * 500)
    with (
        subprocess.Popen(["cat", "long.csv"], cwd=tmp_path, stdout=subprocess.PIPE) as writer,
        subprocess.Popen(
            [TICKS, "inspect", "-"],
            stdin=writer.stdout,
            stdout=window.tty,
            stderr=window.tty,
            env={**environ, "TERM": "xterm"},
            cwd=tmp_path,
        ) as process,
    ):
        window.read_until(lambda: "rows a minute" in window.text)
        assert process.wait(timeout=50) == 0
    assert "━" not in window.text


def test_a_torn_recording_is_inspected_as_far_as_it_goes(ticks: Ticks, tmp_path: Path) -> None:
    (tmp_path / "torn.csv").write_text((MINUTE / "quote.csv").read_text()[:-20])
    ran = ticks("inspect", "torn.csv")
    assert ran.returncode == 0
    assert "1 damaged" in ran.stdout
    assert "torn.csv, line 123: a torn last line" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "FILE"),
        (("day.csv", "--max-gap", "soon"), 2, "'soon' is not a valid duration"),
        (("nowhere.csv",), 6, "nowhere.csv cannot be read"),
        (("empty.csv",), 6, "empty.csv has no row that can be read"),
        (("notes.txt",), 6, "notes.txt is not a recording"),
        (("day.csv", "--events", "day.csv"), 6, "not an event"),
        (("day.csv", "--events", "nowhere.jsonl"), 6, "nowhere.jsonl cannot be read"),
        (("-", "-"), 2, "twice"),
    ],
)
def test_what_cannot_be_inspected_is_reported_in_words(
    ticks: Ticks, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (tmp_path / "day.csv").write_text(recording(set(range(10))))
    (tmp_path / "empty.csv").write_text(HEADER + "damaged\n")
    (tmp_path / "notes.txt").write_text("remember the milk\n")
    ran = ticks("inspect", *arguments)
    assert (ran.returncode, ran.stdout) == (code, ""), ran.stderr
    assert words in ran.stderr
    assert "try: " in ran.stderr
