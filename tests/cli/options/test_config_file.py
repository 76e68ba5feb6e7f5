"""config.toml read and checked; every fault names file, line, value and reason."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import typer

from ticks.adapter.errors import UsageError
from ticks.adapter.market_table import calendar_of
from ticks.cli.exit_codes import remedy_of
from ticks.cli.options.config_file import ConfigFile, checked, defaults_of, settable
from ticks.cli.registry import load


def read(folder: Path, text: str | bytes) -> ConfigFile:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "config.toml").write_bytes(data)
    return ConfigFile.of({"TICKS_HOME": str(folder)})


def values(file: ConfigFile, name: str = "stream") -> dict[str, object]:
    command = load(name)
    return dict(checked(file, command, typer.Context(command, info_name=name)))


def refusal(folder: Path, text: str | bytes, name: str = "stream") -> str:
    """What the user reads of a file that cannot be used, after its path."""
    with pytest.raises(UsageError) as caught:
        values(read(folder, text), name)
    path, _, reason = caught.value.message.partition(", ")
    assert path == str(folder / "config.toml")
    assert remedy_of(caught.value)
    return reason


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert values(ConfigFile.of({"TICKS_HOME": str(tmp_path)})) == {}


def test_values_become_what_the_parsers_take(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        '[stream]\nsilence-after = "45s"\ncount = 100\nkeep-trying = true\nfrom = ["a.txt"]\n'
        "until = 23:59:59\n",
    )
    found = values(file)
    assert found == {
        "silence_after": "45s",
        "count": "100",
        "keep_trying": True,
        "watch_lists": ["a.txt"],
        "until": "23:59:59",
    }
    assert values(file, "health") == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[stream]\n\nmode = "ful"\n', "line 3: stream.mode = \"ful\": 'ful' is not a valid mode"),
        ("[stream]\ncount = 0\n", "line 2: stream.count = 0: '0' is not between 1 and"),
        ("[stream]\nduration = 90\n", "line 2: stream.duration = 90: '90' has no unit"),
        ('[stream]\nkeep-trying = "yes"\n', 'line 2: stream.keep-trying = "yes": write true or'),
        ('[stream]\nfrom = "a.txt"\n', 'line 2: stream.from = "a.txt": write a list of strings'),
        ("[stream]\ncsv = true\n", "line 2: stream.csv = true: write one string or number"),
        ("[stream]\ncsv = []\n", "line 2: stream.csv = []: write one string or number"),
    ],
)
def test_a_bad_value_is_named_with_its_line_and_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    assert refusal(tmp_path, text).startswith(reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '[stream]\nsilence_after = "1s"\n',
            "line 2: [stream] has no key 'silence_after'; did you mean 'silence-after'?",
        ),
        ("[stream]\nzzz = 1\n", "line 2: [stream] has no key 'zzz'; there are from, strict, "),
        (
            '# mine\n[streem]\nmode = "ltp"\n',
            "line 2: there is no table 'streem'; did you mean 'stream'?",
        ),
        ('mode = "ltp"\n', "line 1: there is no key 'mode'; there are login, stream, "),
        ("stream = 1\n", "line 1: 'stream' must be a table; write [stream]"),
        ("[stream]\ndemo = true\n", "line 2: 'demo' cannot be set here: simulated data"),
        ("[stream]\nping = 1\n", "line 2: [stream] has no key 'ping'"),
        ("[config]\njson = true\n", "line 1: there is no table 'config'"),
    ],
)
def test_an_unknown_key_names_the_nearest(tmp_path: Path, text: str, reason: str) -> None:
    assert refusal(tmp_path, text).startswith(reason)


@pytest.mark.parametrize(
    "text",
    [
        'pin = "hunter2"\n',
        '[login]\ntotp-secret = "hunter2"\n',
        '[login]\nTICKS_API_KEY = "hunter2"\n',
        '[password]\nx = "hunter2"\n',
    ],
)
def test_a_secret_is_refused_and_never_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is a secret, and secrets are never read") as caught:
        values(read(tmp_path, text), "login")
    assert "hunter2" not in caught.value.message
    assert "TICKS_PIN" in remedy_of(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[stream]\nmode =\n", 2),
        ("[stream\n", 1),
        ("[stream]\nmode = 'ltp'\nmode = 'ltp'\n", 3),
        ('[stream]\n\nfrom = [\n"a"\n', 4),
        (b"[stream]\ncsv = '\xff'\n", 2),
    ],
)
def test_a_file_that_is_not_toml_names_the_line(
    tmp_path: Path, text: str | bytes, line: int
) -> None:
    assert re.match(rf"line {line}: this is not (valid TOML|UTF-8 text)", refusal(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(UsageError, match=r"config\.toml cannot be read: Is a directory"):
        ConfigFile.of({"TICKS_HOME": str(tmp_path)})


def test_a_line_is_named_only_where_it_is_certain(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        '# [stream]\n# mode = "x"\nstream.mode = "ltp"\nfind = { limit = 3 }\n\n'
        '[health]\ntimeout = "5s"\n[market] # mine\nholidays = [\n  "2026-01-01",\n]\n'
        "\nsessions = []\n",
    )
    assert file.line_of("stream", "mode") is None
    assert file.line_of("find", "limit") is None
    assert file.line_of("health", "timeout") == 7
    assert file.line_of("market") == 8
    assert file.line_of("market", "holidays") == 9
    assert file.line_of("market", "sessions") == 13


def test_a_key_of_the_same_name_in_another_table_is_another_key(tmp_path: Path) -> None:
    file = read(tmp_path, "[stream]\nalways-open = true\n[health]\nalways-open = false\n")
    assert file.line_of("health", "always-open") == 4


def test_without_a_certain_line_the_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with pytest.raises(UsageError) as caught:
        values(read(tmp_path, "stream = { count = 0 }\n"))
    assert caught.value.message.startswith(f"{path}: stream.count = 0: '0' is not between")


@pytest.mark.timeout(10)
def test_a_long_file_is_refused_at_once(tmp_path: Path) -> None:
    text = "[stream]\n" + "# a comment\n" * 4_000 + "count = 0\n"
    assert refusal(tmp_path, text).startswith("line 4002: stream.count = 0")


def test_what_is_not_a_file_of_settings_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="is not a regular file"):
        ConfigFile.of({"TICKS_HOME": str(tmp_path)})
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UsageError, match="is not a regular file"):
        ConfigFile.of({"TICKS_HOME": str(tmp_path)})
    path.unlink()
    path.write_text("#" * 1_000_001)
    with pytest.raises(UsageError, match="is larger than 1,000,000 bytes"):
        ConfigFile.of({"TICKS_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5_000,
        "[stream]\ncount = " + "9" * 5_000,
        "[stream]\ncount = 0x" + "f" * 20_000,
        "[stream]\ncsv = " + "[" * 90 + "]" * 90,
        "[stream]\nuntil = 0001-01-01T00:00:00+14:00",
        "[market]\nholidays = [9999-12-31]\nsessions = 3",
    ],
)
def test_values_beyond_all_sense_are_usage_errors_of_a_few_lines(tmp_path: Path, text: str) -> None:
    def check_all() -> None:
        file = read(tmp_path, text)
        values(file)
        calendar_of(file)

    with pytest.raises(UsageError) as caught:
        check_all()
    assert len(caught.value.message) < 400


def test_the_mark_that_windows_begins_a_file_with_is_passed_over(tmp_path: Path) -> None:
    assert values(read(tmp_path, b'\xef\xbb\xbf[stream]\nmode = "ltp"\n')) == {"mode": "ltp"}


def test_commands_without_a_table_read_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKS_HOME", str(tmp_path))
    (tmp_path / "config.toml").write_text("broken")
    for name in ("logout", "config", "completion", "help"):
        command = load(name)
        assert defaults_of(command, typer.Context(command, info_name=name)) == {}


def test_what_must_be_asked_for_each_time_is_not_settable() -> None:
    assert "demo" not in settable(load("stream"))
    assert "status" not in settable(load("login"))
    assert "silence-after" in settable(load("stream"))
