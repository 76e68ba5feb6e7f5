"""The user's folders."""

import os
import socket
from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.paths import Paths, read_regular


def files_of(home: Paths) -> list[Path]:
    return [home.config_file, home.session_file, home.instruments_file, home.run_folder]


def test_one_variable_moves_everything_into_one_folder(tmp_path: Path) -> None:
    home = Paths.from_env({"TICKS_HOME": str(tmp_path)})
    assert {path.parent for path in files_of(home)} == {tmp_path}


def test_a_relative_or_home_relative_folder_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert Paths.from_env({"TICKS_HOME": "here"}).config == tmp_path / "here"
    assert Paths.from_env({"TICKS_HOME": "~/t"}).config == tmp_path / "me" / "t"


@pytest.mark.parametrize("inside", ["", "deep/inside"])
def test_a_file_where_the_folder_should_be_is_named_with_the_variable(
    tmp_path: Path, inside: str
) -> None:
    file = tmp_path / "notes.txt"
    file.touch()
    with pytest.raises(UsageError, match=r"^TICKS_HOME: .*notes\.txt is not a folder$") as refused:
        Paths.from_env({"TICKS_HOME": str(file / inside)})
    assert refused.value.kind == "home-folder"


@pytest.mark.parametrize("environ", [{}, {"TICKS_HOME": ""}])
def test_without_it_the_platforms_folders_are_used(environ: dict[str, str]) -> None:
    home = Paths.from_env(environ)
    assert all(path.is_absolute() and "ticks" in path.parts for path in files_of(home))
    assert len(set(files_of(home))) == 4


def test_asking_where_things_lie_makes_no_folder(tmp_path: Path) -> None:
    home = Paths.from_env({"TICKS_HOME": str(tmp_path / "new")})
    assert files_of(home)
    assert not (tmp_path / "new").exists()


def test_a_home_of_a_user_that_does_not_exist_is_named() -> None:
    with pytest.raises(UsageError, match="~nobody-of-that-name"):
        Paths.from_env({"TICKS_HOME": "~nobody-of-that-name/ticks"})


def test_a_user_without_a_home_gets_no_folder_in_the_current_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    home = Paths.from_env({})
    assert all(path.is_absolute() for path in files_of(home))
    assert not any("~" in path.parts for path in files_of(home))


def test_a_file_of_ours_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    assert read_regular(tmp_path / "a", 100) == b"0123456789"
    assert read_regular(tmp_path / "a", 4) == b"0123"


def test_what_is_there_instead_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for name in ("fifo", "socket", "missing", ".", "/dev/zero"):
            with pytest.raises(OSError):  # noqa: PT011  (each system has its own number)
                read_regular(tmp_path / name, 100)
