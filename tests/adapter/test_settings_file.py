"""config.toml as read by whoever asks, without the tables of commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.settings_file import SettingsFile, nearest


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert SettingsFile.read(tmp_path / "config.toml").table("stream") == {}


def test_tables_and_their_keys_are_read_whatever_they_are_called(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[anything]\nkey = 1\n[market.NFO]\nhours = "09:15-15:40"\n')
    file = SettingsFile.read(path)
    assert file.table("anything") == {"key": 1}
    assert file.table("market", "NFO") == {"hours": "09:15-15:40"}
    assert file.line_of("market", "NFO", "hours") == 4


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"[stream", "config-invalid"),
        (b"a = " + b"[" * 100_000, "config-invalid"),
        (b"a = " + b"9" * 5_000, "config-invalid"),
        (b"\xff\xfe", "config-encoding"),
        (b"#" * 1_000_001, "config-too-large"),
        (b"aliases = 1", "config-invalid"),
        (b"pin = 1", "config-secret"),
    ],
)
def test_what_cannot_be_read_has_a_kind(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        SettingsFile.read(path)
    assert caught.value.kind == kind
    assert str(path) in caught.value.message


def test_what_is_not_a_file_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    os.mkfifo(path)
    with pytest.raises(UsageError) as caught:
        SettingsFile.read(path)
    assert caught.value.kind == "config-not-a-file"
    with pytest.raises(UsageError) as caught:
        SettingsFile.read(tmp_path)
    assert caught.value.kind == "config-unreadable"


def test_a_key_that_nobody_knows_is_answered_with_the_nearest() -> None:
    assert nearest("holiday", ["holidays", "sessions"]) == "; did you mean 'holidays'?"
    assert nearest("x", ["holidays", "sessions"]) == "; there are holidays, sessions"
