from __future__ import annotations

import fcntl
import json
import os
import socket
import stat
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ticks.adapter.auth.session_store import SessionStore
from ticks.adapter.auth.tokens import Session
from ticks.adapter.errors import DiskError, SessionFileError

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
def test_wider_rights_are_refused_by_kind_with_the_path(file: SessionStore, mode: int) -> None:
    file.write(SESSION)
    file.path.chmod(mode)
    with pytest.raises(SessionFileError, match=f"{mode:04o}") as caught:
        file.read()
    assert caught.value.kind == "session-file-shared"
    assert caught.value.values == {"quoted_path": str(file.path)}
    assert file.read(must_be_private=False) == SESSION


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", "\x00" * 9, '"x"', "[" * 5000])
def test_a_broken_file_is_not_a_session(file: SessionStore, text: str) -> None:
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
def test_impossible_values_or_those_of_another_broker_are_not_a_session(
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
    with pytest.raises(DiskError, match="No space left on device"):
        file.write(SESSION)
    assert file.path.read_bytes() == before
    assert os.listdir(file.path.parent) == [file.path.name]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    file = SessionStore(tmp_path / "plain" / "session.json", URL)
    assert file.read() is None
    assert file.delete() is False
    with pytest.raises(DiskError, match="plain") as caught:
        file.write(SESSION)
    assert caught.value.kind == "session-not-saved"
    with file.locked():
        file.sweep()


def in_its_place(path: Path, what: str) -> socket.socket | None:
    """Something that is not a file, where the session file should be."""
    path.parent.mkdir(parents=True)
    if what == "a folder":
        path.mkdir()
    elif what == "a FIFO":
        os.mkfifo(path, 0o600)
    elif what == "a socket":
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(os.fspath(path))
        return bound
    else:
        path.symlink_to("/dev/zero")
    return None


@pytest.mark.parametrize("what", ["a folder", "a FIFO", "a socket", "a device"])
def test_what_is_not_a_file_is_named_and_never_waited_for(tmp_path: Path, what: str) -> None:
    file = SessionStore(tmp_path / "h" / "session.json", URL)  # short, for the socket's sake
    bound = in_its_place(file.path, what)
    with pytest.raises(SessionFileError, match=f"not a file but {what}") as caught:
        file.read(must_be_private=False)
    assert caught.value.kind == "session-file-type"
    if what == "a folder":
        with pytest.raises(DiskError):
            file.write(SESSION)
        with pytest.raises(SessionFileError, match="cannot be deleted"):
            file.delete()
        assert os.listdir(file.path.parent) == [file.path.name]
    else:
        file.write(SESSION)
        assert file.read() == SESSION
    if bound is not None:
        bound.close()


def test_a_session_without_a_refresh_token_is_one(file: SessionStore) -> None:
    without = replace(SESSION, refresh_token="")
    file.write(without)
    assert file.read() == without


# --- several processes ----------------------------------------------------------------------------


def drafts(file: SessionStore) -> list[str]:
    return [name for name in os.listdir(file.path.parent) if name.startswith(".session-")]


def test_a_killed_processs_draft_is_swept(file: SessionStore) -> None:
    file.write(SESSION)
    draft = file.path.with_name(".session-abc.tmp")
    for clean in (file.sweep, lambda: file.locked().__enter__()):
        draft.write_text("tokens")
        clean()
        assert drafts(file) == []
    assert file.read() == SESSION


def test_a_draft_is_left_while_another_process_writes_it(file: SessionStore) -> None:
    file.write(SESSION)
    draft = file.path.with_name(".session-abc.tmp")
    draft.write_text("tokens")
    other = SessionStore(file.path, URL)
    with other.locked():
        draft.write_text("tokens")
        file.sweep()
        assert drafts(file) == [draft.name]
    file.sweep()
    assert drafts(file) == []


def test_one_at_a_time_holds_the_lock(file: SessionStore) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with SessionStore(file.path, URL).locked():
            order.append("second")

    with file.locked():
        thread = threading.Thread(target=second)
        thread.start()
        waiting.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_holder_that_hangs_is_not_waited_for_forever(file: SessionStore) -> None:
    file.write(SESSION)
    with open(file.path.with_suffix(".lock"), "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        began_s = time.monotonic()
        with SessionStore(file.path, URL, lock_patience_s=0.1).locked():
            assert 0.1 <= time.monotonic() - began_s < 5


def test_the_lock_is_private_and_no_hindrance_where_it_cannot_be_had(file: SessionStore) -> None:
    with file.locked():
        pass
    lock = file.path.with_suffix(".lock")
    assert rights(lock) == 0o600
    lock.unlink()
    lock.mkdir()
    with file.locked():
        file.write(SESSION)
    assert file.read() == SESSION


def test_deleting_says_whether_there_was_one(file: SessionStore) -> None:
    file.write(SESSION)
    assert file.delete() is True
    assert file.delete() is False
    assert file.read() is None
