"""`ticks config`: what is in effect, why, and a file to begin with."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ticks.adapter.clock import IST
from ticks.adapter.errors import UsageError
from ticks.adapter.tick import Mode
from ticks.cli.app import app
from ticks.cli.commands.config import Setting, commented_file, in_effect, shown
from ticks.cli.options.config_file import ALIASES, MARKET, TABLES, ConfigFile, settable
from ticks.cli.options.options import Seconds
from ticks.cli.registry import load

TOMORROW_15_30 = f"{datetime.now(IST) + timedelta(days=1):%Y-%m-%d}T15:30"
"""What `15:30` stands for where the test may run later than that."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TICKS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["config", *arguments])


def written(home: Path, text: str) -> ConfigFile:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text)
    return ConfigFile.of({"TICKS_HOME": str(home)})


def test_init_writes_a_file_that_sets_nothing(home: Path) -> None:
    result = run("--init")
    assert result.exit_code == 0
    assert result.stderr == f"wrote {home / 'config.toml'}\n"
    tables = tomllib.loads((home / "config.toml").read_text())
    assert tables == {table: {} for table in TABLES}
    assert [path.name for path in home.iterdir()] == ["config.toml"]


def test_init_refuses_to_replace_a_file_unless_told(home: Path) -> None:
    written(home, "# mine\n")
    refused = run("--init")
    assert isinstance(refused.exception, UsageError)
    assert "exists already" in str(refused.exception)
    assert (home / "config.toml").read_text() == "# mine\n"
    assert run("--init", "--overwrite").exit_code == 0
    assert (home / "config.toml").read_text() == commented_file()


def test_init_says_why_it_cannot_write(home: Path) -> None:
    (home / "config.toml").mkdir(parents=True)
    assert "cannot be written" in str(run("--init", "--overwrite").exception)


def test_overwrite_alone_is_a_mistake() -> None:
    assert isinstance(run("--overwrite").exception, UsageError)


@pytest.mark.slow
def test_every_key_of_the_first_file_can_be_uncommented(home: Path) -> None:
    text = re.sub(r"^# (?=[a-z-]+ = |\[)", "", commented_file(), flags=re.MULTILINE)
    text = text.replace('"15:40"', f'"{TOMORROW_15_30}"').replace('"FILE"', f'"{__file__}"')
    settings = list(in_effect(written(home, text), {}))
    assert {setting.source for setting in settings} == {"file"}
    for table in set(TABLES) - {ALIASES, MARKET}:
        keys = [setting.key for setting in settings if setting.table == table]
        assert keys == list(settable(load(table)))


def test_a_setting_says_where_its_value_comes_from(home: Path) -> None:
    file = written(home, '[stream]\nmode = "ltp"\nfrom = ["a.txt"]\nsilence-after = "40s"\n')
    environ = {"TICKS_SILENCE_AFTER": "50s", "TICKS_KEEP_TRYING": "1"}
    settings = {(one.table, one.key): one for one in in_effect(file, environ)}
    assert settings["stream", "mode"] == Setting("stream", "mode", "ltp", "file", "line 2")
    assert settings["stream", "from"].value == ["a.txt"]
    assert settings["stream", "backoff-max"] == Setting("stream", "backoff-max", "60s")
    assert settings["market", "holidays"].source == "default"


def test_a_variable_is_shown_with_its_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKS_SILENCE_AFTER", "50s")
    monkeypatch.setenv("TICKS_KEEP_TRYING", "1")
    written(home, '[stream]\nsilence-after = "40s"\n')
    told = json.loads(run("--json").stdout)
    found = {(one["table"], one["key"]): one for one in told["settings"]}
    assert found["stream", "silence-after"] == {
        "table": "stream",
        "key": "silence-after",
        "value": "50s",
        "source": "variable",
        "place": "TICKS_SILENCE_AFTER",
    }
    assert found["stream", "keep-trying"]["value"] is True
    assert (told["file"], told["exists"]) == (str(home / "config.toml"), True)


def test_people_read_a_table_of_values_and_sources(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKS_BUFFER", "500")
    written(home, '[market]\nholidays = ["2026-11-09"]\n')
    lines = [" ".join(line.split()) for line in run().stdout.splitlines()]
    assert lines[0] == str(home / "config.toml")
    assert "[stream]" in lines
    assert "mode quote default" in lines
    assert "csv - default" in lines
    assert "buffer 500 variable TICKS_BUFFER" in lines
    assert "holidays 2026-11-09 file line 2" in lines


def test_a_file_that_is_not_there_is_reported(home: Path) -> None:
    result = run()
    assert result.exit_code == 0
    assert "does not exist; ticks config --init writes it" in result.stdout.splitlines()[0]


def test_nothing_in_the_file_moves_a_cursor(home: Path) -> None:
    written(home, '[aliases]\n"a\\u001b[2J" = "NI\\u009b2J"\n')
    shown = run()
    assert shown.exit_code == 0
    assert "a?[2J" in shown.stdout
    assert not any(letter in shown.stdout for letter in "\x1b\x9b")


def test_the_whole_file_is_checked(home: Path) -> None:
    written(home, "[find]\nlimit = 0\n")
    assert "line 2: find.limit = 0" in str(run().exception)
    written(home, '[market]\nholidays = ["x"]\n')
    assert "line 2: market.holidays" in str(run().exception)


def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKS_MODE", "all")
    assert str(run().exception) == "TICKS_MODE: 'all' is not a valid mode; use ltp, quote or snap"


def test_values_are_shown_as_users_write_them() -> None:
    assert [shown(value) for value in (Mode.SNAP, Seconds("90s"), 3, True, None, "x")] == [
        "snap",
        "90s",
        3,
        True,
        None,
        "x",
    ]


def test_the_file_that_the_docs_show_is_a_good_one(home: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "configuration.md"
    shown_there = re.search(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert shown_there is not None
    settings = list(in_effect(written(home, shown_there[1]), {}))
    assert [one.key for one in settings if one.source == "file"] == [
        *("from", "mode", "silence-after", "keep-trying"),
        *("timeout", "holidays", "sessions", "hours", "holidays", "bn", "hedge"),
    ]
