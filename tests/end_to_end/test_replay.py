"""`ticks replay` as a user runs it: pipes, files, merges, candles, and every way it can end."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.encode import CsvRows, JsonRows
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.packet import encode_packet

from .conftest import TICKS
from .window import Window, is_whole

START_NS = 1_795_146_300_000_000_000
SYMBOLS = {(1, "2885"): "RELIANCE-EQ", (1, "99926000"): "Nifty 50"}


def packets(seconds: range, token: str) -> list[tuple[int, bytes]]:
    return [
        (
            START_NS + second * 10**9,
            encode_packet(
                Tick(0, Mode.LTP, 1, token, "", second, START_NS // 10**6 + second * 1000, second)
            ),
        )
        for second in seconds
    ]


def csv_text(seconds: range, token: str = "2885") -> bytes:
    rows = CsvRows(Mode.LTP, SYMBOLS)
    return csv_header(Mode.LTP) + b"".join(
        rows.encode(received_ns, [packet]) for received_ns, packet in packets(seconds, token)
    )


def json_text(seconds: range, token: str = "2885") -> bytes:
    rows = JsonRows(SYMBOLS)
    return b"".join(
        rows.encode(received_ns, [packet]) for received_ns, packet in packets(seconds, token)
    )


@pytest.fixture
def day(tmp_path: Path) -> bytes:
    """The text of day.csv: three hours, one tick a second."""
    text = csv_text(range(3 * 3600))
    (tmp_path / "day.csv").write_bytes(text)
    return text


def test_full_speed_gives_the_bytes_back(ticks: Any, tmp_path: Path) -> None:
    day = csv_text(range(2400))
    (tmp_path / "day.csv").write_bytes(day)
    (tmp_path / "day.csv.gz").write_bytes(gzip.compress(day))
    (tmp_path / "day.jsonl").write_bytes(json_text(range(500)))
    for name, text in (
        ("day.csv", day),
        ("day.csv.gz", day),
        ("day.jsonl", json_text(range(500))),
    ):
        ran = ticks("replay", name, "--speed", "max")
        assert (ran.returncode, ran.stdout.encode()) == (0, text)
        assert " damaged · stdout " in ran.stderr
    piped = ticks("replay", "-", "--speed", "max", stdin=day.decode())
    assert piped.stdout.encode() == day


def test_joined_recordings_come_out_as_one(ticks: Any, tmp_path: Path) -> None:
    first, second = csv_text(range(5)), csv_text(range(5, 9))
    through_windows = b"\xef\xbb\xbf" + second.replace(b"\n", b"\r\n")
    joined = (first + through_windows).decode()
    ran = ticks("replay", "-", "--speed", "max", "--csv", "-", stdin=joined)
    assert (ran.returncode, ran.stdout.encode()) == (0, csv_text(range(9)))
    (tmp_path / "joined.csv").write_bytes(first + through_windows)
    ran = ticks("replay", "joined.csv", "--speed", "max")
    assert (ran.returncode, ran.stdout.encode()) == (0, csv_text(range(9)))


@pytest.mark.parametrize("text", [csv_text(range(0)), csv_text(range(0)) + b"rubbish\n", b""])
def test_a_recording_without_a_good_row_is_exit_6_and_harms_no_output(
    ticks: Any, tmp_path: Path, text: bytes
) -> None:
    (tmp_path / "day.jsonl").write_bytes(text)
    (tmp_path / "good.csv").write_bytes(csv_text(range(3)))
    arguments = ("--speed", "max", "--csv", "good.csv", "--overwrite")
    ran = ticks("replay", "day.jsonl", *arguments)
    assert ran.returncode == 6
    assert "day.jsonl has no row that can be read" in ran.stderr
    assert (tmp_path / "good.csv").read_bytes() == csv_text(range(3))


def test_formats_are_made_of_each_other_without_loss(ticks: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv_text(range(50)))
    ran = ticks("replay", "a.csv", "--speed", "max", "--jsonl", "a.jsonl.gz", "--csv", "b.csv")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert (tmp_path / "b.csv").read_bytes() == csv_text(range(50))
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == json_text(range(50))
    again = ticks("replay", "a.jsonl.gz", "--speed", "max", "--csv", "-")
    assert again.stdout.encode() == csv_text(range(50))


def test_a_parquet_file_is_a_recording(ticks: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv_text(range(50)))
    ran = ticks("replay", "a.csv", "--parquet", "a.parquet")  # at full speed: 50 s were recorded
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "a.parquet 50 rows" in ran.stderr
    assert ticks("replay", "a.parquet", "--speed", "max").stdout.encode() == csv_text(range(50))
    (tmp_path / "b.jsonl").write_bytes(json_text(range(50, 60), "99926000"))
    both = ("replay", "b.jsonl", "a.parquet", "--speed", "max", "--csv", "both.csv")
    ran = ticks(*both, "--parquet", "both.parquet", "--float-prices")
    assert ran.returncode == 0
    again = ticks("replay", "both.parquet", "--speed", "max")
    assert again.stdout.encode() == (tmp_path / "both.csv").read_bytes()
    assert again.stdout.count("\n") == 61


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_conversion_is_a_failure_and_leaves_no_file(
    begun: Any, tmp_path: Path, day: bytes, number: signal.Signals
) -> None:
    process = begun("replay", "day.csv", "--parquet", "day.parquet", "--csv", "-", "--speed", "1")
    assert process.stdout.readline().startswith("received_at")
    assert process.stdout.readline().startswith("2026-11-20")
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 6
    assert "day.parquet was not written" in said
    assert not list(tmp_path.glob("*.parquet*"))


def test_without_pyarrow_parquet_is_exit_2_with_how_to_install_it(
    ticks: Any, tmp_path: Path, day: bytes
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "pyarrow.py").write_text("raise ImportError")
    more = {"PYTHONPATH": str(tmp_path / "broken")}
    (tmp_path / "day.parquet").write_bytes(b"PAR1")
    for arguments in (("day.csv", "--parquet", "a.parquet"), ("day.parquet", "--csv", "a.csv")):
        ran = ticks("replay", *arguments, more=more)
        assert ran.returncode == 2
        assert "need pyarrow, which is not installed" in ran.stderr
        assert "pip install 'angel-ticks[parquet]'" in ran.stderr
    assert not (tmp_path / "a.csv").exists()


def test_two_recordings_of_one_feed_are_one_without_the_gaps_of_either(
    ticks: Any, tmp_path: Path
) -> None:
    feed = csv_text(range(100)).splitlines(keepends=True)
    late = json_text(range(100)).replace(b':00.000000+05:30","exch', b':00.250000+05:30","exch')
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"".join(feed[:41] + feed[61:])))
    (tmp_path / "b.jsonl").write_bytes(b"".join(late.splitlines(keepends=True)[:81]))
    options = ("--unique", "--speed", "max")
    ran = ticks("replay", "a.csv.gz", "b.jsonl", *options, "--parquet", "both.parquet")
    assert ran.returncode == 0
    assert "100 of 161 ticks" in ran.stderr
    assert "61 duplicates" in ran.stderr
    both = ticks("replay", "both.parquet", "b.jsonl", *options, "--csv", "-").stdout.splitlines()
    sequences = [int(row.split(",")[6]) for row in both[1:]]
    assert sequences == [*range(100)]


def test_recordings_are_merged_filtered_and_rotated(ticks: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv_text(range(0, 180, 2)))
    (tmp_path / "b.jsonl").write_bytes(json_text(range(1, 180, 2), "99926000"))
    ran = ticks("replay", "a.csv", "b.jsonl", "--speed", "max", "--csv", "%H%M.csv")
    assert "0915.csv is complete (60 rows), now 0916.csv" in ran.stderr
    assert (tmp_path / "0917.csv").read_bytes().count(b"\n") == 61
    arguments = ("--symbol", "NIFTY", "--start", "9:16", "--end", "9:17", "--speed", "max")
    ran = ticks("replay", "b.jsonl", "a.csv", *arguments)
    assert [json.loads(line)["sequence"] for line in ran.stdout.splitlines()] == [
        *range(61, 120, 2)
    ]
    assert "30 of 180 ticks" in ran.stderr
    ran = ticks("replay", "a.csv", "--symbol", "NOSUCH", "--speed", "max")
    assert (ran.returncode, "no rows of NOSUCH found" in ran.stderr) == (0, True)


def test_candles_are_made_at_full_speed(ticks: Any, tmp_path: Path, day: bytes) -> None:
    ran = ticks("replay", "day.csv", "--candles", "1h", "--csv", "-", "--jsonl", "c.jsonl")
    assert ran.stdout.splitlines() == [
        "bar_time,exchange,symbol,token,open,high,low,close,volume,ticks,blind_s",
        "2026-11-20T09:15:00+05:30,NSE,RELIANCE-EQ,2885,0.01,35.99,0.01,35.99,,3599,",
        "2026-11-20T10:15:00+05:30,NSE,RELIANCE-EQ,2885,36.00,71.99,36.00,71.99,,3600,",
        "2026-11-20T11:15:00+05:30,NSE,RELIANCE-EQ,2885,72.00,107.99,72.00,107.99,,3600,",
    ]
    bars = [json.loads(line) for line in (tmp_path / "c.jsonl").read_text().splitlines()]
    assert [bar["ticks"] for bar in bars] == [3599, 3600, 3600]


def test_candles_know_from_events_how_long_the_feed_was_blind(
    ticks: Any, tmp_path: Path, day: bytes
) -> None:
    events = [
        '{"at":"2026-11-20T09:00:00.000000+05:30","connection":1,"event":"connected","attempt":0}',
        '{"at":"2026-11-20T10:14:50.000000+05:30","connection":1,"event":"lost","cause":"network"}',
        '{"at":"2026-11-20T10:15:20.000000+05:30","connection":1,"event":"recovered","cause":""}',
    ]
    events[2] = events[2].replace("}", ',"blind_s":30.5}')
    (tmp_path / "one.jsonl").write_text("\n".join(events) + "\n")
    arguments = ("replay", "day.csv", "--candles", "1h", "--csv", "-", "--events", "one.jsonl")
    rows = ticks(*arguments).stdout.splitlines()[1:]
    assert [row.rsplit(",", 1)[1] for row in rows] == ["10.5", "20", "0"]
    (tmp_path / "two.jsonl").write_text(events[0] + "\n")
    rows = ticks(*arguments, "--events", "two.jsonl").stdout.splitlines()[1:]
    assert [row.rsplit(",", 1)[1] for row in rows] == ["0", "0", "0"]
    ran = ticks(*arguments[:-1], "day.csv")
    assert ran.returncode == 6
    assert "not an event of a stream" in ran.stderr


def test_candles_that_are_made_again_are_not_appended_again(
    ticks: Any, tmp_path: Path, day: bytes
) -> None:
    arguments = ("replay", "day.csv", "--candles", "75m", "--csv", "bars.csv")
    assert ticks(*arguments, "--end", "10:00").returncode == 0
    assert ticks(*arguments, "--overwrite").returncode == 0
    whole = (tmp_path / "bars.csv").read_bytes()
    ran = ticks(*arguments)
    assert (tmp_path / "bars.csv").read_bytes() == whole
    assert "bars.csv: 3 bars were there already, and not written again" in ran.stderr


def test_what_is_from_before_the_opening_is_kept_on_demand(
    ticks: Any, tmp_path: Path, environ: dict[str, str]
) -> None:
    environ.pop("TICKS_ALWAYS_OPEN", None)
    text = csv_text(range(-900, -800))
    (tmp_path / "day.csv").write_bytes(text)
    ran = ticks("replay", "day.csv", "--candles", "5m", "--csv", "-")
    assert len(ran.stdout.splitlines()) == 1
    assert "not in a bar: 100 ticks from before the opening" in ran.stderr
    assert "ticks from before the opening were left out; --pre-open keeps them" in ran.stderr
    ran = ticks("replay", "day.csv", "--candles", "5m", "--csv", "-", "--pre-open")
    assert ran.stdout.splitlines()[1].startswith("2026-11-20T09:00:00+05:30")
    always_open = ticks("replay", "day.csv", "--candles", "5m", "--csv", "-", "--always-open")
    assert always_open.stdout == ran.stdout


def test_its_own_pace_is_kept(ticks: Any, day: bytes) -> None:
    began_s = time.monotonic()
    assert ticks("replay", "day.csv", "--speed", "10", "--count", "11").returncode == 0
    assert 1.0 <= time.monotonic() - began_s < 15


def test_damage_is_reported_and_skipped_or_ends_it_strictly(
    ticks: Any, tmp_path: Path, day: bytes
) -> None:
    lines = day.splitlines(keepends=True)[:101]
    (tmp_path / "day.csv").write_bytes(b"".join(lines[:51] + [b"rubbish\n"] * 20 + lines[51:]))
    ran = ticks("replay", "day.csv", "--speed", "max")
    assert (ran.returncode, ran.stdout.encode()) == (0, b"".join(lines))
    assert "day.csv, line 52: 1 cell, not 8" in ran.stderr
    assert "only counted" in ran.stderr
    assert "100 ticks" in ran.stderr
    assert "20 damaged" in ran.stderr
    ran = ticks("replay", "day.csv", "--speed", "max", "--strict")
    assert (ran.returncode, ran.stdout.encode()) == (6, b"".join(lines[:51]))
    assert "day.csv, line 52: 1 cell, not 8" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("missing.csv",), 6, "missing.csv cannot be read"),
        (("day.csv", "--csv", "day.csv"), 6, "is being read"),
        (("day.csv", "--csv", "day.csv", "--overwrite"), 6, "is being read"),
        (("day.csv", "--csv", "no/such/folder.csv"), 6, "mkdir -p"),
        (("day.csv", "--csv", "a", "--jsonl", "a"), 2, "two outputs"),
        (("day.csv", "--speed", "fast"), 2, "--speed"),
        (("day.csv", "--start", "noon"), 2, "is not a valid time"),
        (("day.csv", "--candles", "7s"), 2, "divide the day or the session"),
        (("day.csv", "--mode", "depth"), 2, "withdrew"),
        (("day.csv", "--csv", "a.parquet"), 2, "--parquet PATH"),
        (("day.csv", "--parquet", "-"), 2, "--parquet day.parquet"),
        (("day.csv", "--parquet", "%Y.parquet"), 2, "--parquet day.parquet"),
        (("day.csv", "--parquet", "a.csv"), 2, "--csv and --jsonl write text"),
        (("day.csv", "--parquet", "a", "--candles", "1m"), 2, "not for candles"),
        (("day.csv", "--parquet", "a", "--loop"), 2, "add --count"),
        (("day.csv", "--float-prices"), 2, "add --parquet PATH"),
        (("day.csv", "--candles", "1"), 2, "'1' has no unit; write 1s, 1m or 1h"),
        (("day.csv", "--candles", "2d"), 2, "'2d' is not a valid width"),
        (("day.csv", "--events", "day.csv"), 2, "add --candles 1m"),
        ((), 2, "FILE"),
    ],
)
def test_a_wrong_request_is_refused_and_harms_nothing(
    ticks: Any, tmp_path: Path, day: bytes, arguments: tuple[str, ...], code: int, word: str
) -> None:
    ran = ticks("replay", *arguments)
    assert ran.returncode == code, ran.stderr
    assert word in ran.stderr
    assert (tmp_path / "day.csv").read_bytes() == day


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_wait_at_once(begun: Any, day: bytes, number: signal.Signals) -> None:
    process = begun("replay", "day.csv", "--speed", "0.001")
    assert process.stdout.readline().startswith("received_at")
    assert process.stdout.readline().startswith("2026-11-20")
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "1 tick · " in said


def test_a_signal_ends_the_wait_for_stdin(environ: dict[str, str], tmp_path: Path) -> None:
    with subprocess.Popen(
        [TICKS, "replay", "-"],
        env=environ,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(csv_text(range(1)) + b"2026-11-20T09:15:01.0")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"received_at")
        assert process.stdout.readline().startswith(b"2026-11-20")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert process.stderr is not None
        assert b"1 tick \xc2\xb7 " in (said := process.stderr.read())
        assert b"torn" not in said


def test_a_reader_that_leaves_ends_it_well(begun: Any, day: bytes) -> None:
    process = begun("replay", "day.csv", "--speed", "max", "--loop")
    assert process.stdout.readline().startswith("received_at")
    process.stdout.close()
    assert process.wait(timeout=20) == 0


def test_a_stream_is_played_while_it_is_recorded(ticks: Any, tmp_path: Path, environ: Any) -> None:
    stream = [TICKS, "stream", "RELIANCE", "--count", "300", "--csv", "-"]
    with subprocess.Popen(
        stream, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        played = subprocess.run(
            [TICKS, "replay", "-", "--candles", "1s", "--pre-open", "--csv", "-"],
            env=environ,
            stdin=process.stdout,
            capture_output=True,
            check=True,
            timeout=30,
        )
        assert process.stdout is not None
    bars = played.stdout.decode().splitlines()[1:]
    assert sum(int(bar.split(",")[9]) for bar in bars) == 300
    assert b"300 ticks" in played.stderr


def test_a_stream_makes_candles_itself(ticks: Any, tmp_path: Path) -> None:
    arguments = ("--count", "700", "--candles", "1s", "--fsync", "--jsonl", "bars.jsonl")
    ran = ticks("stream", "RELIANCE", *arguments)
    assert ran.returncode == 0
    bars = [json.loads(line) for line in (tmp_path / "bars.jsonl").read_text().splitlines()]
    assert sum(bar["ticks"] for bar in bars) == 700
    assert len(bars) >= 3
    assert all(bar["low"] <= min(bar["open"], bar["close"]) for bar in bars)
    assert f"bars.jsonl {len(bars)} rows" in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_paced_replay_has_a_dashboard_and_its_rows_and_leaves_the_terminal_clean(
    environ: dict[str, str], window: Window, tmp_path: Path, day: bytes, number: signal.Signals
) -> None:
    bare = {name: value for name, value in environ.items() if name != "NO_COLOR"}
    with (
        (tmp_path / "copy.csv").open("wb") as copy,
        subprocess.Popen(
            [TICKS, "replay", "day.csv", "--speed", "10"],
            env={**bare, "TERM": "xterm"},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=copy,
            stderr=window.tty,
        ) as process,
    ):
        try:
            window.read_until(lambda: "× measured" in window.text)
            process.send_signal(number)
            window.read_until(lambda: process.poll() is not None and "s · " in window.text[-100:])
        finally:
            process.kill()
    assert process.returncode == 0
    rows = (tmp_path / "copy.csv").read_bytes()
    assert day.startswith(rows)
    assert "▶ REPLAY 10x  2026-" in window.text
    last_frame = window.text[window.text.rindex("■ STOPPED") :].splitlines()
    position = rows.splitlines()[-1][:19].decode().replace("T", " ")
    assert last_frame[0].startswith(f"■ STOPPED 10x  {position}, ")
    count = rows.count(b"\n") - 1
    assert last_frame[-1].endswith(f"damaged · stdout {count:,} rows")
    assert is_whole(window.raw)
    assert termios.tcgetattr(window.tty) == window.modes


def test_on_one_terminal_a_paced_replay_shows_the_dashboard_and_at_full_speed_the_rows(
    environ: dict[str, str], window: Window, tmp_path: Path, day: bytes
) -> None:
    bare = {name: value for name, value in environ.items() if name != "NO_COLOR"}
    for speed, seen, unseen in (
        ("1000", "this dashboard alone", "received_at"),
        ("max", "received_at", "this dashboard"),
    ):
        window.raw = ""
        with subprocess.Popen(
            [TICKS, "replay", "day.csv", "--speed", speed, "--count", "9"],
            env={**bare, "TERM": "xterm"},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=window.tty,
            stderr=window.tty,
        ) as process:
            window.read_until(lambda: process.poll() is not None and "9 ticks · " in window.text)
        assert seen in window.text
        assert unseen not in window.text
