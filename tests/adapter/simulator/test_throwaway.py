from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ticks.adapter.errors import DiskError
from ticks.adapter.simulator.throwaway import PREFIX, throwaway_folder

HOLD = """
import sys
from ticks.adapter.simulator.throwaway import throwaway_folder
with throwaway_folder() as folder:
    (folder / "session.json").write_text("{}")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[str]]:
    """Another process with a folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def folder_of(process: subprocess.Popen[str]) -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def test_a_folder_is_there_until_the_end_and_this_user_s_alone(temporary: Path) -> None:
    with throwaway_folder() as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("x")
    assert not folder.exists()


def test_a_folder_in_use_is_left_alone(holder: subprocess.Popen[str]) -> None:
    theirs = folder_of(holder)
    with throwaway_folder() as one, throwaway_folder() as other:
        assert one.exists()
        assert other.exists()
        assert (theirs / "session.json").exists()


def test_the_folder_of_a_process_that_was_killed_is_removed_by_the_next(
    holder: subprocess.Popen[str],
) -> None:
    theirs = folder_of(holder)
    holder.kill()
    holder.wait()
    assert theirs.exists()
    with throwaway_folder():
        assert not theirs.exists()


def test_other_things_in_the_temporary_folder_are_left_alone(temporary: Path) -> None:
    (temporary / "another").mkdir()
    (temporary / f"{PREFIX}file").write_text("not a folder")
    (temporary / f"{PREFIX}link").symlink_to(temporary / "another")
    with throwaway_folder():
        pass
    assert {each.name for each in temporary.iterdir()} == {
        "another",
        f"{PREFIX}file",
        f"{PREFIX}link",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_place_for_a_folder_is_an_error_of_its_own(temporary: Path) -> None:
    temporary.chmod(0o500)
    with pytest.raises(DiskError) as refused, throwaway_folder():
        pass
    assert refused.value.kind == "no-temporary-folder"


def test_a_missing_temporary_folder_is_an_error_of_its_own(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "nowhere"))
    with pytest.raises(DiskError) as refused, throwaway_folder():
        pass
    assert refused.value.kind == "no-temporary-folder"
