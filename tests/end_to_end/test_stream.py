"""`ticks stream` as a user runs it: to files and pipes, in every way it can end."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recorded import sent_by

from ticks.adapter.files.recording import read_recording
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.tick import Mode

from .conftest import TICKS, Begun

SUMMARY = re.compile(
    r"[\d,]+ ticks? · [\d,]+ instruments? · [\d.]+ s · [\d,]+/s · \d+ reconnects? · "
    r"blind [\d.]+ s · [\d,]+ dropped · [\d,]+ malformed( · \S+ [\d,]+ rows?)+"
)
Until = Callable[[Callable[[], bool]], None]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- the main road -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["ltp", "quote", "snap"])
def test_every_packet_that_was_sent_is_a_row(
    ticks: Any, simulator: Simulator, tmp_path: Path, mode: str
) -> None:
    ran = ticks("stream", "NIFTY", "reliance", "--mode", mode, "--csv", "out.csv", "--count", "200")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert SUMMARY.fullmatch(ran.stderr.strip().splitlines()[-1])
    recorded = [row.packet for row in read_recording(tmp_path / "out.csv")]
    assert recorded == sent_by(simulator)[:200]
    assert (tmp_path / "out.csv").read_bytes().startswith(csv_header(Mode[mode.upper()]))
    assert {row["symbol"] for row in rows_of(tmp_path / "out.csv")} == {"Nifty 50", "RELIANCE-EQ"}


def test_without_an_output_option_csv_goes_to_the_pipe(ticks: Any) -> None:
    ran = ticks("stream", "NIFTY", "--mode", "ltp", "--count", "3")
    lines = ran.stdout.splitlines()
    assert lines[0] == "received_at,exchange_time,exchange,symbol,token,mode,sequence,ltp"
    assert len(lines) == 4
    begun, summary = ran.stderr.splitlines()
    assert begun.endswith("live: 1 instrument (NSE:Nifty 50), stdout, up to 3 ticks")
    assert SUMMARY.fullmatch(summary)


def test_a_reader_that_leaves_ends_the_stream_only_where_it_had_the_only_output(
    environ: dict[str, str], tmp_path: Path
) -> None:
    def piped(outputs: str) -> tuple[int, str, list[str]]:
        line = f"{TICKS} stream NIFTY {outputs} --duration 3s | head -n 3"
        command = ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"]
        ran = subprocess.run(
            command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ran.stdout.count("\n") == 3
        return ran.returncode, ran.stderr, ran.stderr.splitlines()[-1].split(" · ")

    code, said, summary = piped("--csv - --jsonl rest.jsonl")
    assert code == 0
    assert "the reader of stdout left; the other outputs go on" in said
    assert (tmp_path / "rest.jsonl").read_bytes().count(b"\n") > 100
    assert float(summary[2].removesuffix(" s")) >= 3.0

    code, said, summary = piped("--csv -")
    assert code == 0
    assert "reader" not in said
    assert float(summary[2].removesuffix(" s")) < 3.0


def test_json_lines_hold_the_same_with_exact_digits(ticks: Any, tmp_path: Path) -> None:
    ticks("stream", "RELIANCE", "--csv", "a.csv", "--jsonl", "a.jsonl", "--count", "50")
    rows = rows_of(tmp_path / "a.csv")
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    objects = [json.loads(line, parse_float=str, parse_int=str) for line in lines]
    assert objects == rows
    assert re.search(r'"ltp":\d+\.\d\d,', lines[0])


def test_a_second_run_needs_no_login_and_no_master(ticks: Any, simulator: Simulator) -> None:
    for _ in range(2):
        assert ticks("stream", "NIFTY", "--count", "1").returncode == 0
    assert simulator.journal.logins == 1
    assert simulator.journal.count("instruments") == 1


def test_a_saved_session_needs_no_credentials(
    ticks: Any, environ: dict[str, str], simulator: Simulator
) -> None:
    ticks("login")
    for name in ("TICKS_API_KEY", "TICKS_CLIENT_CODE", "TICKS_PIN", "TICKS_TOTP_SECRET"):
        environ[name] = f"unset-{name}" if name == "TICKS_PIN" else environ[name]
    bare = dict.fromkeys(("TICKS_API_KEY", "TICKS_CLIENT_CODE", "TICKS_TOTP_SECRET"), "")
    assert ticks("stream", "NIFTY", "--count", "1", more=bare).returncode == 0
    assert simulator.journal.logins == 1


def test_a_watch_list_comes_from_a_file_or_stdin(ticks: Any, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# indices\nNIFTY\n\nNSE:SBIN  # a bank\n", encoding="utf-8")
    ticks("stream", "--from", "list.txt", "--csv", "a.csv", "--count", "30")
    ticks("stream", "--from", "-", "--csv", "b.csv", "--count", "30", stdin="NIFTY\nNSE:SBIN\n")
    for name in ("a.csv", "b.csv"):
        assert {row["symbol"] for row in rows_of(tmp_path / name)} == {"Nifty 50", "SBIN-EQ"}


def test_shards_are_parts_of_the_whole(ticks: Any, tmp_path: Path) -> None:
    names = ("NIFTY", "BANKNIFTY", "RELIANCE", "SBIN", "TCS", "INFY", "HDFCBANK", "SENSEX")
    parts = []
    for part in ("1/2", "2/2"):
        out = f"{part[0]}.csv"
        ticks("stream", *names, "--shard", part, "--csv", out, "--count", "100")
        parts.append({row["token"] for row in rows_of(tmp_path / out)})
    assert parts[0].isdisjoint(parts[1])
    assert len(parts[0] | parts[1]) == len(names)


def test_options_come_from_variables_and_flags_beat_them(ticks: Any) -> None:
    more = {"TICKS_MODE": "ltp", "TICKS_COUNT": "2"}
    assert len(ticks("stream", "NIFTY", more=more).stdout.splitlines()) == 3
    ran = ticks("stream", "NIFTY", "--count", "4", more=more)
    assert len(ran.stdout.splitlines()) == 5
    assert ran.stdout.splitlines()[0].endswith(",ltp")


def test_events_tell_the_history(ticks: Any, tmp_path: Path) -> None:
    ticks("stream", "NIFTY", "--count", "5", "--events", "events.jsonl")
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    names = [json.loads(line)["event"] for line in lines]
    assert names[:3] == ["connected", "subscribed", "first_tick"]
    assert names[-2:] == ["stopped", "summary"]


def test_a_rotation_is_an_event_and_loses_no_row(ticks: Any, tmp_path: Path) -> None:
    run = ("stream", "NIFTY", "--csv", "%H%M%S.csv", "--events", "events.jsonl", "--duration", "3s")
    ran = ticks(*run)
    lines = (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()
    rotated = [event for event in map(json.loads, lines) if event["event"] == "rotated"]
    files = sorted(tmp_path.glob("??????.csv"))
    assert [event["next"] for event in rotated] == [path.name for path in files[1:]]
    assert [event["rows"] for event in rotated] == [len(rows_of(path)) for path in files[:-1]]
    assert f"{files[0].name} is complete" in ran.stderr
    assert f"{sum(len(rows_of(path)) for path in files):,} rows" in ran.stderr


def test_events_that_can_go_nowhere_end_it_before_it_begins(ticks: Any) -> None:
    ran = ticks("stream", "NIFTY", "--events", "gone/events.jsonl", "--count", "3")
    assert ran.returncode == 6
    assert ran.stderr.splitlines() == [
        "ticks: gone/events.jsonl: its folder does not exist (No such file or directory)",
        "  try: create it: mkdir -p gone",
    ]


def test_events_can_have_stdout_to_themselves(ticks: Any) -> None:
    ran = ticks("stream", "NIFTY", "--events", "-", "--count", "3")
    names = [json.loads(line)["event"] for line in ran.stdout.splitlines()]
    assert names[0] == "connected"
    assert names[-1] == "summary"


# --- appending ----------------------------------------------------------------------------------


def test_a_second_run_appends_and_a_torn_line_is_repaired(ticks: Any, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    ticks("stream", "NIFTY", "--csv", "out.csv", "--count", "3")
    with out.open("ab") as file:
        file.write(b"2026-11-20T09:15:00.1")
    ran = ticks("stream", "NIFTY", "--csv", "out.csv", "--count", "3")
    assert "torn" in ran.stderr
    assert len(rows_of(out)) == 6
    assert out.read_bytes().count(csv_header(Mode.QUOTE)) == 1


def test_another_header_is_refused_and_the_file_is_left_alone(ticks: Any, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("date,price\n2020-01-01,1\n", encoding="utf-8")
    ran = ticks("stream", "NIFTY", "--csv", "out.csv", "--count", "1")
    assert ran.returncode == 6
    assert "out.csv" in ran.stderr
    assert "--overwrite" in ran.stderr
    assert out.read_text(encoding="utf-8") == "date,price\n2020-01-01,1\n"
    assert (
        ticks("stream", "NIFTY", "--csv", "out.csv", "--count", "1", "--overwrite").returncode == 0
    )
    assert len(rows_of(out)) == 1


# --- ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_well_after_everything_is_written(
    begun: Any, simulator: Simulator, until: Until, tmp_path: Path, number: signal.Signals
) -> None:
    process = begun("stream", "NIFTY", "--csv", "out.csv")
    until(lambda: simulator.journal.packet_count >= 50)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    recorded = [row.packet for row in read_recording(tmp_path / "out.csv")]
    assert len(recorded) >= 49
    assert recorded == sent_by(simulator)[: len(recorded)]
    assert SUMMARY.search(said)
    assert simulator.journal.connections[0].ended_by == "client"


def test_in_the_background_of_a_script_sigterm_ends_it_and_sigint_does_not(
    environ: dict[str, str], simulator: Simulator, until: Until, tmp_path: Path
) -> None:
    script = f"{shlex.quote(TICKS)} stream NIFTY --csv out.csv & echo $!; wait $!"
    with subprocess.Popen(
        ["sh", "-c", script], env=environ, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as shell:
        assert shell.stdout is not None
        stream = int(shell.stdout.readline())
        try:
            until(lambda: simulator.journal.packet_count >= 50)
            os.kill(stream, signal.SIGINT)
            before = simulator.journal.packet_count
            until(lambda: simulator.journal.packet_count >= before + 100)
        finally:
            os.kill(stream, signal.SIGTERM)
        assert shell.wait(timeout=20) == 0
    assert len(rows_of(tmp_path / "out.csv")) > 100


def test_a_reader_that_leaves_ends_it_well(begun: Any) -> None:
    process = begun("stream", "NIFTY")
    assert process.stdout.readline().startswith("received_at")
    process.stdout.close()
    assert process.wait(timeout=20) == 0
    assert SUMMARY.search(process.stderr.read())


def test_a_pipe_that_nobody_reads_ends_with_6_when_it_is_to_stop(
    begun: Any, simulator: Simulator
) -> None:
    process = begun(
        "stream", "NIFTY", "SBIN", "--mode", "snap", "--buffer", "50", "--on-full", "stop"
    )
    assert process.wait(timeout=40) == 6
    assert "did not fit the buffer of 50" in process.stderr.read()
    assert simulator.wait_until(lambda: not simulator.journal.open_connections())


def test_a_second_ctrl_c_ends_at_once(begun: Any, simulator: Simulator, until: Until) -> None:
    process = begun("stream", "NIFTY", "RELIANCE", "SBIN", "--mode", "snap")
    until(lambda: simulator.journal.packet_count >= 400)
    process.send_signal(signal.SIGINT)
    until(lambda: not process.poll() and simulator.journal.connections[0].ended_by == "client")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130


def test_a_duration_ends_it(ticks: Any, tmp_path: Path) -> None:
    assert ticks("stream", "NIFTY", "--csv", "out.csv", "--duration", "1s").returncode == 0
    assert len(rows_of(tmp_path / "out.csv")) > 50


# --- bad input: one clear line, the right code, nothing lost -----------------------------------


def failed(ran: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert ran.returncode == code, ran.stderr
    assert ran.stdout in ("", csv_header(Mode.QUOTE).decode())
    for word in words:
        assert word in ran.stderr


def test_an_unknown_symbol_names_the_nearest(ticks: Any, tmp_path: Path) -> None:
    failed(ticks("stream", "RELIANSE", "--csv", "out.csv"), 4, "'RELIANSE'", "RELIANCE-EQ")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["NIFTY", "--duration", "soon"], ["--duration", "'soon'"]),
        (["NIFTY", "--until", "25:99"], ["--until", "'25:99'"]),
        (["NIFTY", "--mode", "depth"], ["withdrew"]),
        (["NIFTY", "--count", "0"], ["--count"]),
        (["NIFTY", "--shard", "4/3"], ["4/3"]),
        (["NIFTY", "--csv", "-", "--jsonl", "-"], ["stdout"]),
        ([], ["no symbol"]),
        (["--from", "absent.txt"], ["absent.txt"]),
    ],
)
def test_arguments_that_make_no_sense_are_a_usage_error(
    ticks: Any, simulator: Simulator, arguments: list[str], words: list[str]
) -> None:
    failed(ticks("stream", *arguments), 2, *words)
    assert simulator.journal.calls == []


def test_an_empty_watch_list_is_a_usage_error(ticks: Any) -> None:
    failed(ticks("stream", "--from", "-", stdin="# nothing\n"), 2, "contains no symbols")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"TICKS_PIN": "0000"}, ["AB1007", "PIN"]),
        ({"TICKS_TOTP_SECRET": "not base32!"}, ["TICKS_TOTP_SECRET", "base32"]),
        ({"TICKS_API_KEY": "wrongkey"}, ["API key"]),
        ({"TICKS_PIN": ""}, ["TICKS_PIN", "ticks login"]),
    ],
)
def test_credentials_that_are_wrong_end_with_3(
    ticks: Any, tmp_path: Path, more: dict[str, str], words: list[str]
) -> None:
    failed(ticks("stream", "NIFTY", "--csv", "out.csv", more=more), 3, *words)
    assert not (tmp_path / "out.csv").exists()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_a_broker_that_refuses_connections_ends_with_5(ticks: Any) -> None:
    nowhere = f"http://127.0.0.1:{unused_port()}"
    failed(ticks("stream", "NIFTY", more={"TICKS_INSTRUMENTS_URL": nowhere}), 5, nowhere)


def test_a_name_that_cannot_be_resolved_ends_with_5(ticks: Any) -> None:
    feed = "wss://smartapi.invalid/smart-stream"
    ran = ticks("stream", "NIFTY", "--max-attempts", "0", more={"TICKS_FEED_URL": feed})
    failed(ran, 5, "smartapi.invalid")


def test_a_server_that_is_not_smartapi_ends_with_5(ticks: Any, environ: dict[str, str]) -> None:
    rest = environ["TICKS_FEED_URL"].replace("ws:", "http:")
    failed(ticks("stream", "NIFTY", more={"TICKS_INSTRUMENTS_URL": rest}), 5, "instrument master")


def test_a_broker_out_of_reach_is_tried_with_growing_waits(ticks: Any) -> None:
    ticks("login")
    ticks("stream", "NIFTY", "--count", "1")
    feed = {"TICKS_FEED_URL": f"ws://127.0.0.1:{unused_port()}/smart-stream"}
    ran = ticks("stream", "NIFTY", "--max-attempts", "1", more=feed)
    failed(ran, 5, "after 1 attempt ", "waiting")


def test_plain_ws_to_a_foreign_host_is_refused(ticks: Any) -> None:
    ran = ticks("stream", "NIFTY", more={"TICKS_FEED_URL": "ws://example.com/smart-stream"})
    failed(ran, 2, "TICKS_FEED_URL", "clear text")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (".", ["folder"]),
        ("absent/out.csv", ["absent", "mkdir"]),
        ("/proc/out.csv", ["/proc/out.csv"]),
        ("/dev/full", ["/dev/full"]),
    ],
)
def test_an_output_that_cannot_be_written_ends_with_6(
    ticks: Any, path: str, words: list[str]
) -> None:
    ran = ticks("stream", "NIFTY", "--csv", path, "--count", "5")
    assert ran.returncode == 6
    for word in words:
        assert word in ran.stderr


# --- demo ---------------------------------------------------------------------------------------


def test_a_demo_needs_nothing(ticks: Any, simulator: Simulator, tmp_path: Path) -> None:
    nothing = dict.fromkeys(("TICKS_REST_URL", "TICKS_FEED_URL", "TICKS_INSTRUMENTS_URL"), "")
    ran = ticks("stream", "NIFTY", "--demo", "--csv", "out.csv", "--duration", "1s", more=nothing)
    assert ran.returncode == 0
    assert rows_of(tmp_path / "out.csv")
    assert simulator.journal.calls == []
    assert not (tmp_path / "home").exists() or not list((tmp_path / "home").glob("*.json"))


def test_a_pipe_that_stalls_and_recovers_again_and_again_loses_nothing(
    begun: Begun, simulator: Simulator, until: Until, tmp_path: Path
) -> None:
    process = begun(*("stream", "NIFTY", "BANKNIFTY", "SENSEX", "RELIANCE"), "--no-dashboard")
    assert process.stdout is not None
    assert process.stderr is not None
    text = ""
    for _ in range(4):
        goal = simulator.journal.packet_count + 1_000  # twice what a pipe holds
        until(lambda goal=goal: simulator.journal.packet_count >= goal)
        text += "".join(process.stdout.readline() for _ in range(950))
    process.terminate()
    (tmp_path / "pipe.csv").write_text(text + process.stdout.read())
    taken = [each.packet for each in read_recording(tmp_path / "pipe.csv")]
    sent = [each.packet for each in simulator.journal.connections[0].packets]
    assert len(taken) > 3_900
    assert taken == sent[: len(taken)]
    assert " 0 dropped" in process.stderr.read()
