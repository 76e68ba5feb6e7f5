"""What is recorded survives: kills, full disks, quotas, folders that vanish, second recorders."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from recorded import is_in_order, sent_by
from waits import until

from ticks.adapter.files.recording import read_recording
from ticks.adapter.simulator.simulator import Simulator

from .conftest import TICKS

Until = Callable[[Callable[[], bool]], None]
PATIENCE_S = 20.0


def read(path: Path) -> tuple[list[bytes], list[str]]:
    """The packets of a recording, and its damage."""
    damage: list[str] = []
    rows = read_recording(path, on_damage=lambda *told: damage.append(told[2]))
    return [row.packet for row in rows], damage


def whole_text(path: Path) -> bytes:
    """What can be read of a file, whether its compression has an end or not."""
    if path.suffix != ".gz":
        return path.read_bytes()
    text, rest = b"", path.read_bytes()
    while rest:
        member = zlib.decompressobj(31)
        text += member.decompress(rest)
        rest = member.unused_data
    return text


# --- kills ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.csv.gz"])
def test_a_kill_at_any_moment_leaves_whole_rows_and_the_next_run_repairs(
    begun: Any, ticks: Any, simulator: Simulator, until: Until, tmp_path: Path, name: str
) -> None:
    random, out = Random(name), tmp_path / name
    option = "--jsonl" if "jsonl" in name else "--csv"
    arguments = ("stream", "NIFTY", "RELIANCE", "SBIN", "--mode", "snap", option, name)
    assert ticks(*arguments, "--count", "1").returncode == 0
    for _ in range(4):
        before, wanted = out.stat().st_size, random.randint(1, 60_000)
        process = begun(*arguments)
        until(lambda before=before, wanted=wanted: out.stat().st_size >= before + wanted)
        process.kill()
        process.communicate()
        whole, _, torn = whole_text(out).rpartition(b"\n")
        assert whole
        rows, damage = read(out)
        assert len(rows) == whole.count(b"\n") + (option == "--jsonl")
        assert len(damage) <= 1
        assert bool(torn) <= bool(damage)
    os.truncate(out, out.stat().st_size - 3)
    ran = ticks(*arguments, "--count", "5")
    assert (ran.returncode, "torn" in ran.stderr) == (0, True)
    recorded, damage = read(out)
    assert damage == []
    assert recorded[:-5] == rows[: len(recorded) - 5]
    assert len(recorded) >= 5 + (len(rows) - 1 if out.suffix != ".gz" else 0)
    assert is_in_order(recorded, sent_by(simulator))


# --- no room -------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "ticks", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def recorded_whole(path: Path, simulator: Simulator) -> int:
    """The rows of a recording without any damage, each of which was sent, in order.

    A gzip file whose writing failed has no end before the next run mends it.
    """
    recorded, damage = read(path)
    assert damage == [] or (path.suffix == ".gz" and "no end" in damage[0])
    assert is_in_order(recorded, sent_by(simulator))
    return len(recorded)


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz"])
def test_a_full_disk_ends_it_with_every_row_before_whole(
    ticks: Any, simulator: Simulator, small_disk: Path, name: str
) -> None:
    (small_disk / "filler").write_bytes(bytes(40 << 10))
    path = small_disk / name
    ran = ticks("stream", "RELIANCE", "--mode", "snap", "--csv", str(path))
    assert ran.returncode == 6
    assert f"{path}: the disk is full" in ran.stderr
    rows = recorded_whole(path, simulator)
    assert re.search(rf"{re.escape(str(path))} {rows} rows$", ran.stderr, re.MULTILINE)
    (small_disk / "filler").unlink()
    ran = ticks("stream", "RELIANCE", "--mode", "snap", "--csv", str(path), "--count", "5")
    assert ran.returncode == 0, ran.stderr
    assert recorded_whole(path, simulator) == rows + 5


def test_the_other_output_is_written_when_one_is_full(
    ticks: Any, simulator: Simulator, small_disk: Path, tmp_path: Path
) -> None:
    full = small_disk / "full.csv"
    ran = ticks("stream", "RELIANCE", "--csv", str(full), "--jsonl", "good.jsonl")
    assert ran.returncode == 6
    assert recorded_whole(tmp_path / "good.jsonl", simulator) >= recorded_whole(full, simulator)


def test_a_quota_ends_it_with_every_row_before_whole(
    ticks: Any, environ: dict[str, str], simulator: Simulator, tmp_path: Path
) -> None:
    assert ticks("stream", "RELIANCE", "--count", "1").returncode == 0  # a session, an index
    command = f"ulimit -f 40; exec {shlex.quote(TICKS)} stream RELIANCE --csv out.csv"
    bash = ["bash", "-c", command]
    ran = subprocess.run(
        bash, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
    )
    assert ran.returncode == 6, ran.stderr
    assert "out.csv: it cannot be written (File too large)" in ran.stderr
    rows = recorded_whole(tmp_path / "out.csv", simulator)
    assert f"out.csv {rows} rows" in ran.stderr


@pytest.mark.parametrize("arguments", ["simulate -- true", "stream NIFTY --demo --count 1"])
@pytest.mark.parametrize("files", [5, 8, 11, 14])
def test_at_the_limit_of_open_files_that_is_reported(
    environ: dict[str, str], tmp_path: Path, arguments: str, files: int
) -> None:
    command = f"ulimit -n {files}; exec {shlex.quote(TICKS)} {arguments}"
    ran = subprocess.run(
        ["bash", "-c", command],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ran.returncode != 0
    assert "too many files are open" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_read_only_disk_is_refused_before_anything_is_touched(
    ticks: Any, simulator: Simulator, small_disk: Path
) -> None:
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True, capture_output=True)
    ran = ticks("stream", "RELIANCE", "--csv", str(small_disk / "out.csv"))
    assert ran.returncode == 6
    assert "the disk is read-only (Read-only file system)" in ran.stderr
    assert simulator.journal.connections == []


def test_a_folder_that_vanishes_ends_it_when_the_next_file_is_due(
    begun: Any, simulator: Simulator, until: Until, tmp_path: Path
) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    process = begun("stream", "RELIANCE", "--csv", "days/%H%M%S.csv", "--jsonl", "all.jsonl")
    until(lambda: simulator.journal.packet_count >= 50)
    until(lambda: any(folder.iterdir()))
    os.rename(folder, tmp_path / "moved")
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 6
    assert "its folder does not exist" in said
    moved = sorted((tmp_path / "moved").iterdir())
    rows = sum(recorded_whole(path, simulator) for path in moved)
    assert 0 < rows <= recorded_whole(tmp_path / "all.jsonl", simulator)


def test_a_second_recorder_is_refused_and_the_first_goes_on(
    begun: Any, ticks: Any, simulator: Simulator, until: Until, tmp_path: Path
) -> None:
    first = begun("stream", "RELIANCE", "--csv", "out.csv")
    until(lambda: simulator.journal.packet_count >= 20)
    for more in ((), ("--overwrite",)):
        second = ticks("stream", "RELIANCE", "--csv", "out.csv", "--count", "1", *more)
        assert (second.returncode, "another recorder" in second.stderr) == (6, True)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=PATIENCE_S)
    assert first.returncode == 0
    assert recorded_whole(tmp_path / "out.csv", simulator) >= 20


# --- a reader that does not read -----------------------------------------------------------------


def test_a_blocked_pipe_costs_ticks_that_are_counted_to_the_last_one(
    begun: Any, simulator: Simulator, until: Until
) -> None:
    process = begun("stream", "RELIANCE", "--mode", "snap", "--buffer", "50", "--jsonl", "-")
    until(lambda: simulator.journal.packet_count >= 600)
    process.send_signal(signal.SIGINT)
    text, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    sequences = [int(number) for number in re.findall(r'"sequence":(\d+)', text)]
    sent = [int.from_bytes(packet[27:35], "little") for packet in sent_by(simulator)]
    dropped = int(re.search(r"([\d,]+) dropped", said)[1].replace(",", ""))  # type: ignore[index]
    assert dropped > 0
    assert sent.index(sequences[-1]) + 1 == len(sequences) + dropped
    assert len(set(sequences)) == len(sequences)


def test_a_blocked_pipe_can_end_it_instead(begun: Any, simulator: Simulator, until: Until) -> None:
    arguments = ("--mode", "snap", "--buffer", "50", "--on-full", "stop", "--jsonl", "-")
    process = begun("stream", "RELIANCE", *arguments)
    journal = simulator.journal
    until(lambda: bool(journal.connections) and not journal.open_connections())
    text, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 6
    assert "did not fit the buffer of 50" in said
    assert text.endswith("}\n")


# --- logrotate -----------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="logrotate is not here")
@pytest.mark.parametrize("how", ["create 0600", "copytruncate"])
def test_logrotate_takes_a_file_from_a_stream_that_goes_on_in_a_new_one(
    begun: Any, ticks: Any, simulator: Simulator, tmp_path: Path, how: str
) -> None:
    out, rotated = tmp_path / "out.csv", tmp_path / "out.csv.1"
    config = tmp_path / "logrotate.conf"
    config.write_text(f"{out} {{\n    rotate 3\n    {how}\n}}\n")
    config.chmod(0o600)
    rotate = [str(shutil.which("logrotate")), "-f", "-s", str(tmp_path / "state"), str(config)]
    process = begun("stream", "NIFTY", "RELIANCE", "--csv", "out.csv")
    until(lambda: out.exists() and out.stat().st_size > 20_000)
    subprocess.run(rotate, check=True, capture_output=True)
    until(lambda: out.exists() and out.stat().st_size > 20_000)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert said.count("out.csv was ") == 1
    (old, old_damage), (new, new_damage) = read(rotated), read(out)
    sent = sent_by(simulator)
    if how == "copytruncate":  # logrotate itself loses what comes between the two
        assert is_in_order(old + new, sent)
    else:
        assert old + new == sent[: len(old + new)]
    assert (old_damage, new_damage) == ([], [])
    count = len(new)
    assert ticks("stream", "RELIANCE", "--csv", "out.csv", "--count", "5").returncode == 0
    assert len(read(out)[0]) == count + 5
