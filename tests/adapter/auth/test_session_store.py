from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from ticks.adapter.auth.session_store import SessionStore
from ticks.adapter.auth.tokens import Session
from ticks.adapter.errors import SessionFileError

SESSION = Session("A123", "key", "jwt", "refresh", "feed", 1_700_000_000_123_456_789)
URL = "https://broker.example"


@pytest.fixture
def file(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "new" / "folder" / "session.json", URL)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def changed(file: SessionStore, **values: object) -> None:
    record = json.loads(file.path.read_text())
    file.path.write_text(json.dumps({**record, **values}))


def test_what_was_written_is_read_back(file: SessionStore) -> None:
    assert file.read() is None
    file.write(SESSION)
    assert file.read() == SESSION


def test_only_the_owner_can_read_it_whatever_the_umask(file: SessionStore) -> None:
    old = os.umask(0)
    try:
        file.write(SESSION)
    finally:
        os.umask(old)
    assert rights(file.path) == 0o600
    assert rights(file.path.parent) == 0o700


def test_writing_replaces_a_file_with_wider_rights_by_a_private_one(file: SessionStore) -> None:
    file.write(SESSION)
    file.path.chmod(0o644)
    file.write(SESSION)
    assert rights(file.path) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666, 0o601])
def test_wider_rights_are_refused_with_the_command_that_mends_them(
    file: SessionStore, mode: int
) -> None:
    file.write(SESSION)
    file.path.chmod(mode)
    with pytest.raises(SessionFileError, match=f"{mode:04o}") as caught:
        file.read()
    assert caught.value.remedy == f"run: chmod 600 {file.path}"
    assert file.read(must_be_private=False) == SESSION


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", "\x00" * 9, '"x"', "[" * 5000])
def test_a_broken_file_is_no_session(file: SessionStore, text: str) -> None:
    file.write(SESSION)
    file.path.write_text(text)
    assert file.read() is None


@pytest.mark.parametrize(
    "values",
    [
        {"rest_url": "https://other.example"},
        {"jwt_token": 5},
        {"feed_token": ""},
        {"api_key": "a\r\nX-Evil: 1"},
        {"issued_ns": "yesterday"},
        {"issued_ns": True},
        {"issued_ns": -1},
        {"issued_ns": 10**30},
    ],
)
def test_values_that_cannot_be_or_of_another_broker_are_no_session(
    file: SessionStore, values: dict[str, object]
) -> None:
    file.write(SESSION)
    changed(file, **values)
    assert file.read() is None


def test_keys_of_a_later_version_do_no_harm(file: SessionStore) -> None:
    file.write(SESSION)
    changed(file, colour="green")
    assert file.read() == SESSION


def test_a_slash_at_the_end_is_the_same_address(file: SessionStore) -> None:
    file.write(SESSION)
    assert SessionStore(file.path, f"{URL}/").read() == SESSION


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    file: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write(SESSION)
    before = file.path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SessionFileError, match="No space left on device"):
        file.write(SESSION)
    assert file.path.read_bytes() == before
    assert os.listdir(file.path.parent) == [file.path.name]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    file = SessionStore(tmp_path / "plain" / "session.json", URL)
    assert file.read() is None
    assert file.delete() is False
    with pytest.raises(SessionFileError, match="plain") as caught:
        file.write(SESSION)
    assert "TICKS_HOME" in caught.value.remedy


def test_a_folder_in_the_files_place_is_named(file: SessionStore) -> None:
    file.path.mkdir(parents=True)
    with pytest.raises(SessionFileError, match=r"cannot be read: Is a directory"):
        file.read()
    with pytest.raises(SessionFileError, match="cannot be kept"):
        file.write(SESSION)
    assert os.listdir(file.path.parent) == [file.path.name]


def test_deleting_tells_whether_there_was_one(file: SessionStore) -> None:
    file.write(SESSION)
    assert file.delete() is True
    assert file.delete() is False
    assert file.read() is None
